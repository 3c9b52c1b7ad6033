//! Pages that are nothing but one image: what scanners make, with or without the text that a program has read from it.

use hayro::hayro_interpret::font::GlyphRun;
use hayro::hayro_interpret::hayro_syntax::page::Page;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageData, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask, TransformExt, interpret_page,
};
use hayro::kurbo::{Affine, BezPath, Rect};

/// The samples of the image, as they are.
pub struct Scan {
    pub width: u32,
    pub height: u32,
    /// Red, green and blue, row by row.
    pub samples: Vec<u8>,
}

impl Scan {
    /// So many columns and rows from a corner on; they lie within the image.
    pub fn part(&self, corner: (u32, u32), sides: (u16, u16)) -> Vec<u8> {
        const CHANNELS: usize = 3;
        let row = self.width as usize * CHANNELS;
        let start = corner.0 as usize * CHANNELS;
        let end = start + usize::from(sides.0) * CHANNELS;
        let rows = self.samples.chunks_exact(row).skip(corner.1 as usize);
        let wanted = rows.take(sides.1.into());
        wanted.flat_map(|row| &row[start..end]).copied().collect()
    }
}

/// More things than a page that is a scan has to paint with.
const MANY: usize = 4;
/// The image may be so much of its side away from the edge of the page.
const TOLERANCE: f64 = 0.005;

/// Width and height of the only image of a page, if nothing else is seen on it and it stands upright.
pub fn size(page: &Page<'_>, settings: InterpreterSettings) -> Option<(u32, u32)> {
    let things = page.resources().x_objects.keys().take(MANY + 1).count();
    if !(1..=MANY).contains(&things) {
        return None;
    }
    painted(page, settings, false).size
}

/// The same image, decoded.
pub fn decoded(page: &Page<'_>, settings: InterpreterSettings) -> Option<Scan> {
    painted(page, settings, true).scan
}

fn painted(page: &Page<'_>, settings: InterpreterSettings, decodes: bool) -> Found {
    let (width, height) = page.render_dimensions();
    let target = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let mut found = Found {
        page: target,
        decodes,
        ..Found::default()
    };
    let upright = page.initial_transform(true).to_kurbo();
    let cache = InterpreterCache::new();
    let mut context = Context::new(upright, target, &cache, page.xref(), settings);
    interpret_page(page, &mut context, &mut found);
    if found.images != 1 || found.others {
        return Found::default();
    }
    found
}

/// What a page paints, as far as it matters here.
#[derive(Default)]
struct Found {
    page: Rect,
    decodes: bool,
    images: usize,
    /// Whether there is anything that is not just an image.
    others: bool,
    size: Option<(u32, u32)>,
    scan: Option<Scan>,
}

impl Found {
    /// Upright, and as large as the page.
    fn covers_the_page(&self, transform: Affine, width: u32, height: u32) -> bool {
        let [a, b, c, d, ..] = transform.as_coeffs();
        let image = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let covered = transform.transform_rect_bbox(image);
        let is_near = |a: f64, b: f64, side: f64| (a - b).abs() <= side * TOLERANCE;
        (b, c) == (0.0, 0.0)
            && a > 0.0
            && d > 0.0
            && is_near(covered.x0, 0.0, self.page.x1)
            && is_near(covered.x1, self.page.x1, self.page.x1)
            && is_near(covered.y0, 0.0, self.page.y1)
            && is_near(covered.y1, self.page.y1, self.page.y1)
    }
}

impl<'a> Device<'a> for Found {
    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.images += 1;
        let (width, height) = (image.width(), image.height());
        let is_plain = props.soft_mask.is_none() && props.blend_mode == BlendMode::Normal;
        let Image::Raster(raster) = image else {
            self.others = true;
            return;
        };
        if !is_plain || !self.covers_the_page(props.transform, width, height) {
            self.others = true;
            return;
        }
        self.size = Some((width, height));
        if self.decodes {
            raster.with_rgba(
                |image, alpha| self.scan = rgb(image).filter(|_| alpha.is_none()),
                None,
            );
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {
        self.others = true;
    }

    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, 'a>, _: DrawProps<'a>, mode: &DrawMode) {
        self.others |= !matches!(mode, DrawMode::Invisible);
    }

    fn push_transparency_group(
        &mut self,
        opacity: f32,
        mask: Option<SoftMask<'a>>,
        blend_mode: BlendMode,
    ) {
        self.others |= opacity != 1.0 || mask.is_some() || blend_mode != BlendMode::Normal;
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

fn rgb(image: ImageData) -> Option<Scan> {
    let (width, height) = (image.width(), image.height());
    let samples = match image {
        ImageData::Rgb(image) => image.data,
        ImageData::Luma(image) => image.data.iter().flat_map(|gray| [*gray; 3]).collect(),
    };
    Some(Scan {
        width,
        height,
        samples,
    })
}
