//! A request resolved to pixels for one image: pure, and the place where the cheapest way is chosen.

mod axis;
mod cost;
mod redact;

use serde_json::{Value, json};

use crate::decode::{Coding, Header, Level, Resolution, Unit, Window};
use crate::geometry::{Dimensions, Rect};
use crate::iiif::canonical::Resolved;
use crate::iiif::{
    CanonicalRequest, Format, ImageRequest, Quality, RequestError, Rotation, Scale, SizeLimits,
    Version,
};
use crate::orientation::Orientation;
use crate::raster::Layout;
use crate::transform::color::is_srgb;
use crate::transform::rotate::rotated;
use crate::transform::scale::Crop;
use crate::view::View;
use axis::{Axis, Factor};
pub use redact::Painted;

/// Every value that making the image needs; nothing after it fails because of the request.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The full image, upright, as large as it seems to be.
    pub full: Dimensions,
    /// The extracted region in pixels of the full image, upright.
    pub region: Rect,
    /// The size of the scaled region, upright, before rotation.
    pub size: Dimensions,
    /// What is decoded: as stored.
    pub window: Window,
    /// Something of the image is hidden, here or elsewhere: its colours are converted before it is scaled.
    pub redacts: bool,
    /// Something is drawn on the answer.
    pub overlays: bool,
    /// What is painted over in the window.
    pub painted: Vec<Painted>,
    /// The decoded window grown at its right and lower edge by repeated pixels, where a stored level was rounded down
    /// and lacks them.
    pub extended: Dimensions,
    /// The extracted region in pixels of the extended window, as stored.
    pub crop: Crop,
    /// What the crop is scaled to, as stored: [`Self::size`], unless a part is taken of it.
    pub target: Dimensions,
    /// What is taken of that once it is upright, and made [`Self::size`] of. `None` for all as it is.
    pub part: Option<Part>,
    /// What brings the stored pixels upright.
    pub orientation: Orientation,
    pub rotation: Rotation,
    pub quality: Quality,
    pub format: Format,
    /// What is decoded on that level: the window, or more of which the rest is kept.
    pub decoded: Rect,
    /// What of it is kept for other requests.
    pub kept: Kept,
    pub copied: Copied,
    /// Pixels per inch of the scaled region, if the source says how large the original is.
    pub resolution: Option<Resolution>,
    /// In the spelling of the version asked for.
    pub canonical: CanonicalRequest,
    /// In one spelling for all versions: what the pixels depend on.
    pub canonical_pixels: CanonicalRequest,
}

/// What of the decoded pixels is kept for other requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    /// All that is decoded, as one.
    Whole,
    /// The tiles that the window touches, each by itself.
    Tiles,
}

/// Whether stored bytes are the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// It is decoded and encoded.
    No,
    /// Bytes out of the file, if they are as they should be.
    Bytes,
    /// The file as it is, if nothing is missing at its end.
    File,
}

impl Copied {
    /// A stored level that is one unit is all that the file holds.
    fn of(level: &Level) -> Self {
        match level.unit {
            Unit::Level => Self::File,
            _ => Self::Bytes,
        }
    }
}

/// A part of scaled pixels that is scaled once more. Upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub rect: Rect,
    pub size: Dimensions,
}

impl Plan {
    /// Resolves a request for an image that is shown like this.
    ///
    /// # Errors
    /// If the region or size do not exist for this image, or are larger than the server or the format allow.
    pub fn new(
        request: &ImageRequest,
        view: &View,
        header: &Header,
        limits: &SizeLimits,
    ) -> Result<Self, RequestError> {
        let full = view.apparent(&request.identifier, header.dimensions());
        let region = request.region.resolve(full)?;
        let size = request
            .size
            .resolve(region.dimensions(), limits, request.version)?;
        let image_is_gray = header.color.is_gray();
        let resolved = Resolved {
            full,
            region,
            size,
            image_is_gray,
        };
        let canonical = |version| CanonicalRequest::new(request, &resolved, limits, version);
        let scale = view.scale(&request.identifier, header.dimensions());
        let taken = if view.is_confined(header.dimensions()) {
            Taken::finest(full, region, size)
        } else {
            Taken::all(region, size)
        };
        let cut = Cut::cheapest(header, scale, taken.region, taken.size);
        let mut plan = Self {
            full,
            region,
            size,
            window: cut.window(),
            redacts: false,
            overlays: false,
            painted: Vec::new(),
            extended: cut.extended(),
            crop: cut.crop(),
            target: header.orientation.apply_to(taken.size),
            part: taken.part,
            orientation: header.orientation,
            rotation: request.rotation,
            quality: request.quality.canonical(image_is_gray),
            format: request.format,
            decoded: cut.window().rect,
            kept: Kept::Nothing,
            copied: Copied::No,
            resolution: resolution(header, scale, region, size),
            canonical: canonical(request.version),
            canonical_pixels: canonical(Version::V3),
        };
        plan.check_format()?;
        if plan.is_stored_as_sent(header) {
            plan.copied = Copied::of(&header.levels[plan.window.level]);
        }
        Ok(plan)
    }

    /// The same, but that what has to be decoded together, and a small level of which much is asked for, is decoded as a
    /// whole, so that it can be kept for the next request: unless that is more than `most` bytes, or out of proportion.
    pub fn widened(self, header: &Header, most: u64) -> Self {
        let level = &header.levels[self.window.level];
        let window = self.window.rect;
        let is_small = is_small(level, window);
        let decoded = if is_small {
            Rect::whole(level.dimensions)
        } else {
            level.unit.enclosing(window, level.dimensions)
        };
        let bytes = cost::area(decoded.dimensions(), cost::stored_pixel(header));
        if self.is_copied() || bytes > most {
            return self;
        }
        let kept = if is_small || is_worth_keeping(level, window, decoded) {
            // A whole image that was asked for may be a part the next time; reduced, it is seldom asked for again.
            let is_whole_format = level.unit == Unit::Level && header.levels.len() == 1;
            let is_kept = is_small || is_whole_format || decoded != window;
            if is_kept { Kept::Whole } else { Kept::Nothing }
        } else if is_shared(header, level, window, decoded) {
            Kept::Tiles
        } else {
            return self;
        };
        Self {
            decoded,
            kept,
            ..self
        }
    }

    /// The same with everything decoded and encoded anew.
    pub fn without_copying(self) -> Self {
        Self {
            copied: Copied::No,
            ..self
        }
    }

    /// Whether something of what is decoded is kept for other requests.
    pub fn is_kept(&self) -> bool {
        self.kept != Kept::Nothing
    }

    /// Whether nothing is decoded.
    pub fn is_copied(&self) -> bool {
        self.copied != Copied::No
    }

    /// The dimensions of what is sent: after the rotation.
    pub fn output(&self) -> Dimensions {
        match self.rotation.arbitrary() {
            Some(degrees) => rotated(self.size, degrees),
            None => self.rotation.orientation().apply_to(self.size),
        }
    }

    fn check_format(&self) -> Result<(), RequestError> {
        let longest = self.format.capabilities().longest_side;
        let output = self.output();
        if output.width().max(output.height()) > longest {
            return Err(RequestError::TooLongForFormat {
                format: self.format.name(),
                longest,
            });
        }
        Ok(())
    }
}

impl Plan {
    /// Where the pixels come from, in a word: for the log.
    pub fn strategy(&self) -> &'static str {
        match (self.is_stored_as_asked(), self.window.level) {
            _ if self.is_copied() => "copied",
            (true, _) => "as stored",
            (false, 0) => "scaled from the full image",
            (false, _) => "scaled from a level",
        }
    }

    /// Whether a stored unit is just what is asked for, in the format that is asked for.
    fn is_stored_as_sent(&self, header: &Header) -> bool {
        let level = &header.levels[self.window.level];
        let is_same_format = matches!(
            (level.coding, self.format),
            (Some(Coding::Jpeg), Format::Jpg) | (Some(Coding::Webp), Format::Webp)
        );
        let layout = if header.color.is_gray() {
            Layout::Gray
        } else {
            Layout::Rgb
        };
        is_same_format
            && self.part.is_none()
            && self.is_stored_as_asked()
            && self.window.rect.dimensions() == self.extended
            && is_made_of_units(level, self.window.rect)
            && self.orientation == Orientation::UPRIGHT
            && self.rotation == Rotation::NONE
            && self.quality == Quality::Default
            && header
                .profile
                .as_deref()
                .is_none_or(|profile| is_srgb(profile, layout))
    }

    /// Whether the decoded pixels need no scaling.
    fn is_stored_as_asked(&self) -> bool {
        let whole = Rect::whole(self.extended);
        self.target == whole.dimensions() && self.crop == Crop::whole(whole.dimensions())
    }

    /// The plan for people and tests.
    pub fn summary(&self) -> Value {
        let sides = |d: Dimensions| json!({ "width": d.width(), "height": d.height() });
        let Crop {
            left,
            top,
            width,
            height,
        } = self.crop;
        json!({
            "canonical": self.canonical.to_string(),
            "region": self.region.to_string(),
            "size": sides(self.size),
            "rotation": self.rotation.to_string(),
            "quality": self.quality.to_string(),
            "format": self.format.name(),
            "strategy": self.strategy(),
            "decode": {
                "level": self.window.level,
                "window": self.window.rect.to_string(),
                "pixels": self.decoded.dimensions().area(),
                "kept": self.is_kept(),
            },
            "crop": { "left": left, "top": top, "width": width, "height": height },
            "target": sides(self.target),
            "part": self.part.map(|part| part.rect.to_string()),
            "orientation": self.orientation.tag(),
        })
    }
}

/// Whether thumbnails and the first views of many sizes come from this level, and the window is a fair share of it.
///
/// A megapixel is what a screen shows, the smallest reduction of a JPEG of 64 megapixels, and 3 MB: the memory for kept
/// pixels holds eighty of them on a machine of 4 GiB. A tile of it is decoded by itself: the first would wait for all, and
/// together they cost the same.
fn is_small(level: &Level, window: Rect) -> bool {
    const MOST_PIXELS: u64 = 1 << 20;
    const MOST_WASTE: u64 = 2;
    let area = level.dimensions.area();
    area <= MOST_PIXELS && area <= window.dimensions().area().saturating_mul(MOST_WASTE)
}

/// Of independent tiles only one can be of use again, and a small part of it is decoded sooner by itself; with all else
/// there is no choice.
fn is_worth_keeping(level: &Level, window: Rect, decoded: Rect) -> bool {
    match level.unit {
        Unit::Tile(_) => {
            level.unit.is_one(decoded, level.dimensions) && !is_wasteful(window, decoded)
        }
        _ => true,
    }
}

/// Whether the window begins or ends within tiles: others that overlap it or lie beside it need these, too. Viewers that ask for
/// whole tiles ask for each of them once.
fn is_shared(header: &Header, level: &Level, window: Rect, touched: Rect) -> bool {
    const MOST_PIXELS: u64 = 1 << 20;
    let is_right_size = matches!(level.unit, Unit::Tile(tile) if tile.area() <= MOST_PIXELS);
    let is_cut = touched != window && !is_wasteful(window, touched);
    header.format.shares_tiles() && is_right_size && is_cut
}

/// Whether a window is only a small part of what would be decoded for it.
fn is_wasteful(window: Rect, decoded: Rect) -> bool {
    const MOST_WASTE: u64 = 4;
    decoded.dimensions().area() > window.dimensions().area().saturating_mul(MOST_WASTE)
}

/// Whether the stored bytes of units can be made into a file that shows this rectangle: JPEG tiles and strips are joined
/// and cut.
fn is_made_of_units(level: &Level, rect: Rect) -> bool {
    match (level.coding, level.unit) {
        (Some(Coding::Jpeg), Unit::Tile(_) | Unit::Rows(_)) => {
            level.unit.begins(rect, level.dimensions)
        }
        _ => level.unit.is_one(rect, level.dimensions),
    }
}

fn resolution(
    header: &Header,
    scale: Option<Scale>,
    region: Rect,
    size: Dimensions,
) -> Option<Resolution> {
    let stored = header.resolution?;
    let (x, y) = if header.orientation.transposes() {
        (stored.y, stored.x)
    } else {
        (stored.x, stored.y)
    };
    let apparent = scale.map_or(1.0, Scale::as_f64);
    Some(Resolution {
        x: x * apparent * f64::from(size.width()) / f64::from(region.width()),
        y: y * apparent * f64::from(size.height()) / f64::from(region.height()),
    })
}

/// What is read to make the answer of, upright, and what is then made of it.
struct Taken {
    region: Rect,
    size: Dimensions,
    part: Option<Part>,
}

impl Taken {
    /// The answer itself.
    fn all(region: Rect, size: Dimensions) -> Self {
        Self {
            region,
            size,
            part: None,
        }
    }

    /// The region in pixels of the full image as it seems to be, each the same whatever region is asked for. The answer is made of
    /// nothing but those: enlarged, it has no more detail than they have, and regions of several sizes that overlap do not tell
    /// what lies between two of them.
    fn finest(full: Dimensions, region: Rect, size: Dimensions) -> Self {
        let grown = grown(region, full);
        let rect = region.within(grown).expect("a part of it");
        let part = Part { rect, size };
        let is_all = grown == region && size == region.dimensions();
        Self {
            region: grown,
            size: grown.dimensions(),
            part: (!is_all).then_some(part),
        }
    }
}

/// With the neighbours that have a share in its pixels when it is scaled: the filter reaches three to each side.
fn grown(region: Rect, full: Dimensions) -> Rect {
    const MARGIN: u32 = 4;
    let (x, y) = (
        region.x().saturating_sub(MARGIN),
        region.y().saturating_sub(MARGIN),
    );
    let end = |end: u32, full: u32| end.saturating_add(MARGIN).min(full);
    let right = end(region.right(), full.width());
    let bottom = end(region.bottom(), full.height());
    Rect::new(x, y, right - x, bottom - y).expect("it encloses the region")
}

/// The region on one stored level.
struct Cut {
    level: usize,
    x: Axis,
    y: Axis,
}

impl Cut {
    /// The smallest level that still has a pixel for each one asked for, or nearly so ([`Axis::is_enough`]).
    fn cheapest(header: &Header, scale: Option<Scale>, region: Rect, size: Dimensions) -> Self {
        let stored = header.stored_dimensions();
        let stored = scale.map_or(stored, |scale| scale.of(stored));
        let (numerator, denominator) = scale.map_or((1, 1), Scale::parts);
        let region = header.orientation.stored_rect(region, stored);
        let target = header.orientation.apply_to(size);
        let on_level = |(index, level): (usize, &Level)| {
            let factor = Factor {
                full: u64::from(level.scale_factor.get()) * u64::from(numerator),
                level: denominator,
            };
            let axis = |start, extent, full, level, target| Axis {
                start,
                extent,
                full,
                factor,
                level,
                target,
            };
            let here = level.dimensions;
            Self {
                level: index,
                x: axis(
                    region.x(),
                    region.width(),
                    stored.width(),
                    here.width(),
                    target.width(),
                ),
                y: axis(
                    region.y(),
                    region.height(),
                    stored.height(),
                    here.height(),
                    target.height(),
                ),
            }
        };
        let mut levels = header.levels.iter().enumerate().map(on_level);
        levels
            .rfind(|cut| cut.level == 0 || (cut.x.is_enough() && cut.y.is_enough()))
            .expect("the full image is always enough")
    }

    fn window(&self) -> Window {
        let rect = Rect::new(
            self.x.first(),
            self.y.first(),
            self.x.count(),
            self.y.count(),
        );
        Window {
            level: self.level,
            rect: rect.expect("a part of the level"),
        }
    }

    fn extended(&self) -> Dimensions {
        Dimensions::at_least_one(self.x.wanted(), self.y.wanted())
    }

    fn crop(&self) -> Crop {
        let (left, width) = self.x.crop();
        let (top, height) = self.y.crop();
        Crop {
            left,
            top,
            width,
            height,
        }
    }
}

#[cfg(test)]
mod tests;
