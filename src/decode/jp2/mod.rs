//! JPEG 2000: JP2 and JPX files and raw codestreams, Part 1 and Part 15 (HTJ2K).
//!
//! The boxes, the main header and the tile-part headers are read by our own code, a few kilobytes; OpenJPEG is given a
//! codestream of only those packets that a window needs. Every decomposition level of the codestream is a level of the image, except where samples are indices
//! of a palette: the wavelet transform averages indices, which means nothing.

mod bands;
mod blocks;
mod boxes;
mod channels;
mod codestream;
mod coding;
mod cost;
mod cut;
mod fields;
mod grid;
mod loaded;
mod packets;
mod pixels;
mod recent;
mod segments;
mod skim;
mod tile;
mod tile_parts;
mod walk;
mod windows;

use std::sync::Arc;

use super::{Aids, DecodeError, Decoder, Header, Level, Limits, SourceFormat, Unit, Window};
use crate::ffi::openjpeg::{self, Part};
use crate::geometry::{Dimensions, Rect, ScaleFactor};
use crate::input::{Input, read_ahead, read_up_to};
use crate::orientation::Orientation;
use crate::raster::Raster;
pub use bands::memory as jp2_band;
use blocks::Kept;
use boxes::{Color, Container};
use channels::Channels;
use codestream::{Codestream, MainHeader, Size};
pub use cost::SAMPLE as JP2_SAMPLE;
use cut::Cut;
use fields::malformed;
use tile::Tiles;

/// Pixels of an untiled image that are decoded together: four tiles as viewers ask for them.
const NEIGHBOURS: Dimensions = Dimensions::at_least_one(1024, 1024);

/// Reads the boxes and the main header.
///
/// # Errors
/// If they are broken, or use what is not decoded.
pub fn open(input: Input, limits: &Limits) -> Result<Box<dyn Decoder>, DecodeError> {
    let image = if is_codestream(&input)? {
        let length = input.size();
        Coded::open(input, 0, length, limits)?.into_image()?
    } else {
        let container = boxes::read(&*input)?;
        let range = container.codestream.clone();
        Coded::open(input, range.start, range.end - range.start, limits)?
            .into_image_in(&container)?
    };
    Ok(Box::new(image))
}

/// Decodes a whole raw codestream; its components become the interleaved channels, without any colour conversion
/// but the codestream's own.
pub(in crate::decode) fn decode_codestream(
    codestream: Vec<u8>,
    limits: &Limits,
) -> Result<Raster, DecodeError> {
    let length = codestream.len() as u64;
    let image = Coded::open(Arc::new(codestream), 0, length, limits)?.into_image()?;
    let rect = Rect::whole(image.header.stored_dimensions());
    image.decode(&Window { level: 0, rect })
}

/// SOC and SIZ, with which no box begins.
fn is_codestream(input: &Input) -> Result<bool, DecodeError> {
    const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
    Ok(read_up_to(&**input, 0, START.len())? == START)
}

/// A codestream with its main header, and what has been read of its tiles.
struct Coded {
    codestream: Codestream,
    main: MainHeader,
    /// Tiles are decoded by our own decoder, unless their headers bring something else.
    is_ours: bool,
    tiles: Tiles,
    kept: Kept,
    limits: Limits,
}

/// An opened image.
struct Image {
    coded: Coded,
    channels: Channels,
    header: Header,
}

impl Coded {
    fn open(input: Input, offset: u64, length: u64, limits: &Limits) -> Result<Self, DecodeError> {
        let codestream = Codestream {
            input,
            offset,
            length,
        };
        let main = MainHeader::read(&codestream)?;
        Self::new(codestream, main, limits)
    }

    fn new(codestream: Codestream, main: MainHeader, limits: &Limits) -> Result<Self, DecodeError> {
        let dimensions = main.size.dimensions(0);
        limits.check_dimensions(
            dimensions.ok_or_else(|| malformed("a component without samples"))?,
        )?;
        Ok(Self {
            codestream,
            is_ours: main.is_ours(),
            main,
            tiles: Tiles::default(),
            kept: Kept::new(limits.kept_bytes),
            limits: *limits,
        })
    }

    fn into_image(self) -> Result<Image, DecodeError> {
        let channels = Channels::of_codestream(&self.main.size.components)?;
        Ok(self.with(channels))
    }

    fn into_image_in(self, container: &Container) -> Result<Image, DecodeError> {
        let channels = Channels::of_container(container, &self.main.size.components)?;
        let mut image = self.with(channels);
        image.header.resolution = container.resolution;
        if let Some(Color::Profile(profile)) = channels::color(container) {
            image.header.profile = Some(profile.clone());
        }
        Ok(image)
    }

    fn with(self, channels: Channels) -> Image {
        let mut levels = levels(&self);
        if channels.has_palette() {
            levels.truncate(1);
        }
        let header = Header {
            format: SourceFormat::Jp2,
            levels,
            orientation: Orientation::UPRIGHT,
            color: channels.color_model(),
            alpha: channels.alpha.is_some(),
            bit_depth: channels.bit_depth(),
            pages: 1,
            resolution: None,
            profile: None,
            coding: self.main.coding(),
        };
        Image {
            coded: self,
            channels,
            header,
        }
    }
}

/// One level for each resolution that every component has, down to where one has no samples left.
fn levels(coded: &Coded) -> Vec<Level> {
    let main = &coded.main;
    let level = |reduction| {
        Some(Level {
            dimensions: main.size.dimensions(reduction)?,
            scale_factor: ScaleFactor::from_reduction(reduction)?,
            tile: tile(main, reduction),
            unit: unit(coded, reduction),
            coding: None,
        })
    };
    (0..=main.levels()).map_while(level).collect()
}

/// The tile at the scale of the level; without tiles, the precinct.
fn tile(main: &MainHeader, reduction: u8) -> Option<Dimensions> {
    if main.size.all_tiles() > 1 {
        return Some(tile_at(&main.size, reduction));
    }
    let style = main.styles.first()?;
    let resolution = style.levels.checked_sub(reduction)?;
    match style.precinct(usize::from(resolution)) {
        (15, 15) => None,
        (width, height) => Dimensions::new(1 << width, 1 << height),
    }
}

/// Our decoder decodes what a window needs, and keeps what its neighbours share. For OpenJPEG it is the tile, where the tiles of the level lie
/// in a plain grid; of a single tile it decodes so much around a window that four neighbours together cost as much as two of them.
fn unit(coded: &Coded, reduction: u8) -> Unit {
    if coded.is_ours {
        return Unit::Pixel;
    }
    let main = &coded.main;
    let size = &main.size;
    let is_plain = |tile: u32, step: u32| tile.is_multiple_of(step << reduction.min(24));
    let starts_at_zero = size.x.start == 0 && size.y.start == 0;
    if size.all_tiles() > 1
        && starts_at_zero
        && is_plain(size.tile.width(), size.x.step)
        && is_plain(size.tile.height(), size.y.step)
    {
        Unit::Tile(tile_at(size, reduction))
    } else if size.all_tiles() == 1 && main.is_high_throughput() {
        Unit::Level
    } else if size.all_tiles() == 1 {
        Unit::Tile(NEIGHBOURS)
    } else {
        Unit::Pixel
    }
}

fn tile_at(size: &Size, reduction: u8) -> Dimensions {
    let side = |side: u32, step: u32| {
        let pixels = u64::from(side.div_ceil(step)).div_ceil(1 << reduction);
        u32::try_from(pixels).unwrap_or(u32::MAX)
    };
    Dimensions::at_least_one(
        side(size.tile.width(), size.x.step),
        side(size.tile.height(), size.y.step),
    )
}

impl Decoder for Image {
    fn header(&self) -> &Header {
        &self.header
    }

    fn memory(&self) -> u64 {
        const FIELDS: u64 = 4 << 10;
        FIELDS + self.coded.tiles.memory() + self.coded.kept.memory() + self.header.profile_bytes()
    }

    fn decode(&self, window: &Window) -> Result<Raster, DecodeError> {
        self.decode_with(window, Aids::NONE)
    }

    fn read_ahead(&self, window: &Window) -> Result<(), DecodeError> {
        if self.coded.is_ours {
            return self.read_bands_ahead(window);
        }
        let cut = self.cut(window.rect, &self.part(window)?)?;
        let stretches = cut.codestream.stretches().collect();
        Ok(read_ahead(&*self.coded.codestream.input, stretches)?)
    }

    fn decode_with(&self, window: &Window, aids: Aids<'_>) -> Result<Raster, DecodeError> {
        if self.coded.is_ours {
            self.decode_bands(window, aids.threads)
        } else {
            self.decode_by_openjpeg(window, aids.threads)
        }
    }
}

impl Image {
    fn decode_by_openjpeg(&self, window: &Window, threads: usize) -> Result<Raster, DecodeError> {
        let part = self.part(window)?;
        let cut = self.cut(window.rect, &part)?;
        let image = openjpeg::decode(cut.codestream, &cut.part, threads).map_err(broken)?;
        let components = image.components().map_err(broken)?;
        let decoded = pixels::Decoded {
            size: &self.coded.main.size,
            part: &part,
            rect: window.rect,
            components: &components,
        };
        pixels::raster(&decoded, &self.channels)
    }

    /// The rectangle of the reference grid that holds every sample of the window.
    fn part(&self, window: &Window) -> Result<Part, DecodeError> {
        let level = self.header.levels.get(window.level);
        if !level.is_some_and(|level| window.rect.is_within(level.dimensions)) {
            return Err(malformed("a window outside the image"));
        }
        let size = &self.coded.main.size;
        let reduction = u8::try_from(window.level).unwrap_or(u8::MAX);
        let (across, down) = (
            window.rect.x()..window.rect.right(),
            window.rect.y()..window.rect.bottom(),
        );
        let steps_x = size.components.iter().map(|component| component.step_x);
        let steps_y = size.components.iter().map(|component| component.step_y);
        let x = size.x.needed(steps_x, reduction, &across);
        let y = size.y.needed(steps_y, reduction, &down);
        // Of a part of a tile OpenJPEG leaves all coefficients of Part 15 at zero, without a word.
        let (x, y) = if self.coded.main.is_high_throughput() {
            size.whole_tiles(&x, &y)
        } else {
            (x, y)
        };
        let tiles = u32::try_from(size.tile_count(&x, &y)).unwrap_or(u32::MAX);
        Ok(Part {
            x0: x.start,
            y0: y.start,
            x1: x.end,
            y1: y.end,
            reduction,
            tiles,
        })
    }

    /// What OpenJPEG is given for the part that a rectangle of a level needs, if that is not too much.
    fn cut(&self, rect: Rect, part: &Part) -> Result<Cut, DecodeError> {
        let Coded {
            codestream,
            main,
            tiles,
            ..
        } = &self.coded;
        let cut = cut::cut(codestream, main, tiles, part)?;
        self.check_bytes(rect, cost::of_decoding(&cut))?;
        Ok(cut)
    }

    /// Checks what is needed for a rectangle of a level, its pixels and so many bytes beside them. Returns what is left.
    fn check_bytes(&self, rect: Rect, beside: u64) -> Result<u64, DecodeError> {
        let pixel = self.channels.layout().channels() as u64 * self.header.sample_bytes();
        let raster = rect.dimensions().area() * pixel;
        let value = raster.saturating_add(beside);
        let limit = self.coded.limits.decoded_bytes;
        if value > limit {
            let what = "decoded bytes";
            return Err(DecodeError::TooLarge { what, value, limit });
        }
        Ok(limit - value)
    }
}

fn broken(error: openjpeg::Error) -> DecodeError {
    match error {
        openjpeg::Error::Codec(problem) => malformed(problem),
        openjpeg::Error::Io(error) => DecodeError::Io(error),
    }
}

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod failing_tests;
#[cfg(test)]
mod tests;
