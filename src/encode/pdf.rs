//! PDF: one page of the image's size that holds it as a JPEG (F09).

use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref};

use super::{Plain, Settings, jpg, srgb_profile};
use crate::decode::Resolution;
use crate::ffi::turbojpeg::Error;
use crate::geometry::Dimensions;

const POINTS_PER_INCH: f64 = 72.0;

/// The longest side of a page (ISO 32000-1, annex C.2). Larger images are printed finer.
const LONGEST_SIDE: f64 = 14_400.0;

const IMAGE_NAME: Name<'_> = Name(b"Image");

/// The objects of the file.
struct Ids {
    catalog: Ref,
    pages: Ref,
    page: Ref,
    content: Ref,
    image: Ref,
    profile: Ref,
}

impl Ids {
    const fn new() -> Self {
        Self {
            catalog: Ref::new(1),
            pages: Ref::new(2),
            page: Ref::new(3),
            content: Ref::new(4),
            image: Ref::new(5),
            profile: Ref::new(6),
        }
    }
}

/// Encodes a raster without alpha.
pub fn encode(
    plain: Plain<'_>,
    resolution: Option<Resolution>,
    settings: &Settings,
) -> Result<Vec<u8>, Error> {
    let jpeg = jpg::encode(plain, None, settings)?;
    let (width, height) = page_size(plain.dimensions, resolution);
    let ids = Ids::new();
    let mut pdf = Pdf::new();
    pdf.catalog(ids.catalog).pages(ids.pages);
    pdf.pages(ids.pages).kids([ids.page]).count(1);
    write_page(&mut pdf, &ids, width, height);
    write_image(&mut pdf, &ids, plain, &jpeg);
    Ok(pdf.finish())
}

/// Width and height in points. Without a resolution a pixel is a point.
fn page_size(dimensions: Dimensions, resolution: Option<Resolution>) -> (f32, f32) {
    let per_inch = resolution.unwrap_or(Resolution {
        x: POINTS_PER_INCH,
        y: POINTS_PER_INCH,
    });
    let width = f64::from(dimensions.width()) * POINTS_PER_INCH / per_inch.x;
    let height = f64::from(dimensions.height()) * POINTS_PER_INCH / per_inch.y;
    let shrink = (LONGEST_SIDE / width.max(height)).min(1.0);
    ((width * shrink) as f32, (height * shrink) as f32)
}

fn write_page(pdf: &mut Pdf, ids: &Ids, width: f32, height: f32) {
    let mut page = pdf.page(ids.page);
    page.parent(ids.pages);
    page.media_box(Rect::new(0.0, 0.0, width, height));
    page.contents(ids.content);
    page.resources().x_objects().pair(IMAGE_NAME, ids.image);
    page.finish();
    // An image fills the unit square, which is stretched to the page.
    let mut content = Content::new();
    content.transform([width, 0.0, 0.0, height, 0.0, 0.0]);
    content.x_object(IMAGE_NAME);
    pdf.stream(ids.content, &content.finish());
}

fn write_image(pdf: &mut Pdf, ids: &Ids, plain: Plain<'_>, jpeg: &[u8]) {
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let mut image = pdf.image_xobject(ids.image, jpeg);
    image.filter(Filter::DctDecode);
    image.width(side(plain.dimensions.width()));
    image.height(side(plain.dimensions.height()));
    image.bits_per_component(8);
    if plain.color {
        image.color_space().icc_based(ids.profile);
    } else {
        image.color_space().device_gray();
    }
    image.finish();
    if plain.color {
        pdf.icc_profile(ids.profile, srgb_profile()).n(3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::testing::{encode_to, pattern, raster, squares};
    use crate::iiif::format::Format;
    use crate::raster::Layout;

    fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
        bytes
            .windows(wanted.len())
            .position(|window| window == wanted)
    }

    fn has(pdf: &[u8], wanted: &str) -> bool {
        find(pdf, wanted.as_bytes()).is_some()
    }

    /// 40 pixels at 300 per inch are 9.6 points, 30 at 150 are 14.4.
    #[test]
    fn the_page_has_the_size_of_the_image() {
        let pdf = encode_to(Format::Pdf, &pattern(Layout::Rgb));
        assert!(has(&pdf, "/MediaBox [0 0 9.6 14.4]"));
        assert!(has(&pdf, "/Count 1"));
        assert!(has(&pdf, "/Width 40") && has(&pdf, "/Height 30"));
        assert!(pdf.trim_ascii_end().ends_with(b"%%EOF"));
    }

    #[test]
    fn a_pixel_is_a_point_unless_the_page_would_be_too_long() {
        let size = |width, height| page_size(Dimensions::new(width, height).unwrap(), None);
        assert_eq!(size(640, 480), (640.0, 480.0));
        assert_eq!(size(28_800, 7_200), (14_400.0, 3_600.0));
    }

    #[test]
    fn the_image_is_the_jpeg() {
        let source = squares(Layout::Rgb);
        let pdf = encode_to(Format::Pdf, &source);
        let settings = crate::encode::testing::SETTINGS;
        let jpeg = crate::encode::encode(source, Format::Jpg, None, &settings).unwrap();
        assert!(find(&pdf, &jpeg).is_some());
        assert!(has(&pdf, "/DCTDecode") && has(&pdf, "/ICCBased"));
    }

    #[test]
    fn gray_has_one_component_and_no_profile() {
        let pdf = encode_to(Format::Pdf, &raster(2, 2, Layout::GrayAlpha, vec![0; 8]));
        assert!(has(&pdf, "/DeviceGray") && !has(&pdf, "/ICCBased"));
    }
}
