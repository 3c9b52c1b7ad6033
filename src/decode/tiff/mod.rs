//! TIFF and BigTIFF: strips and tiles, planes, pyramids, and the compressions and colour models that libraries and
//! museums have stored since 1986 (TIFF 6.0, 1992, its supplements and technical notes).
//!
//! Opening reads the directories; decoding a window reads and decompresses the strips or tiles that it touches.
//! Samples that were never written (offset and byte count zero, as GDAL leaves them) are zero. All other missing
//! bytes are an error: no pixel is made up.

mod ahead;
mod bands;
mod canvas;
mod coded;
mod color;
mod compression;
mod cost;
mod fax;
mod ifd;
mod image;
mod jpeg;
mod lab;
mod layout;
mod levels;
mod photometric;
mod predictor;
mod read;
mod samples;
mod stored;
mod tags;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod ycbcr;

use self::color::Model;
use self::compression::Compression;
use self::ifd::{Directory, File};
use self::image::{Image, PlacedImage};
use self::levels::{PageOfFile, Pyramid};
use self::tags::Tag;
use super::{
    Aids, Contents, DecodeError, Decoder, Header, Level, Limits, Resolution, SourceFormat, Unit,
    Window,
};
use crate::geometry::ScaleFactor;
use crate::input::Input;
use crate::orientation::Orientation;
use crate::page::Page;
use crate::raster::Raster;

/// Opens a TIFF: reads its directories, and the places of the strips or tiles of its levels.
///
/// # Errors
/// If the first image, or that of the page, is broken or uses what is not supported, or if the limits forbid it.
pub fn open(input: Input, limits: &Limits, page: Page) -> Result<Box<dyn Decoder>, DecodeError> {
    let (file, first) = File::open(input)?;
    let pyramid = Pyramid::read(&file, first, page)?;
    let header = header(&file, &pyramid)?;
    limits.check_dimensions(header.stored_dimensions())?;
    let levels = pyramid.levels.into_iter().map(|(_, level)| level).collect();
    Ok(Box::new(Tiff {
        file,
        first,
        header,
        levels,
        limits: *limits,
    }))
}

struct Tiff {
    file: File,
    /// Where its first directory is.
    first: u64,
    header: Header,
    levels: Vec<PlacedImage>,
    limits: Limits,
}

impl Decoder for Tiff {
    fn header(&self) -> &Header {
        &self.header
    }

    fn read_ahead(&self, window: &Window) -> Result<(), DecodeError> {
        let level = &self.levels[window.level];
        ahead::read(&self.file, level, window.rect, &self.limits)
    }

    fn decode(&self, window: &Window) -> Result<Raster, DecodeError> {
        self.decode_with(window, Aids::NONE)
    }

    fn decode_with(&self, window: &Window, aids: Aids<'_>) -> Result<Raster, DecodeError> {
        let level = &self.levels[window.level];
        let unit = self.header.levels[window.level].unit;
        let aids = Aids {
            tiles: aids.tiles.filter(|_| matches!(unit, Unit::Tile(_))),
            ..aids
        };
        read::window(&self.file, level, window, &self.limits, aids)
    }

    fn contents(&self) -> Result<Contents, DecodeError> {
        let (pages, has_more) = Pyramid::pages(&self.file, self.first)?;
        let dimensions = |page: PageOfFile| {
            let (directory, placed) = page?;
            let stored = placed.image.dimensions;
            self.limits.check_dimensions(stored)?;
            Ok(orientation(&self.file, &directory)?.apply_to(stored))
        };
        Ok(Contents {
            title: None,
            pages: pages.into_iter().map(dimensions).collect(),
            has_more,
        })
    }

    fn memory(&self) -> u64 {
        let levels = self.levels.iter().map(PlacedImage::memory);
        levels.sum::<u64>() + self.header.profile_bytes()
    }

    fn stored(
        &self,
        window: &Window,
        resolution: Option<Resolution>,
        most: u64,
    ) -> Option<Vec<u8>> {
        let level = self.levels.get(window.level)?;
        stored::file(&self.file, level, window.rect, resolution, most)
    }
}

fn header(file: &File, pyramid: &Pyramid) -> Result<Header, DecodeError> {
    let directory = &pyramid.directory;
    let full = &pyramid.levels[0].1.image;
    // The samples of L*a*b* come out as sRGB.
    let profile = match full.color.model {
        Model::Lab(_) => None,
        _ => image::profile(file, directory)?,
    };
    Ok(Header {
        format: SourceFormat::Tiff,
        levels: pyramid.levels.iter().map(level).collect(),
        orientation: orientation(file, directory)?,
        color: full.stored_model(),
        alpha: full.output().0.has_alpha(),
        bit_depth: full.format.bits,
        pages: pyramid.pages,
        resolution: image::resolution(file, directory)?,
        profile,
        coding: full.compression.name().to_owned(),
    })
}

fn orientation(file: &File, directory: &Directory) -> Result<Orientation, DecodeError> {
    let tag = file.integer(directory, Tag::ORIENTATION)?.unwrap_or(1);
    Ok(Orientation::from_tag(u16::try_from(tag).unwrap_or(1)))
}

fn level((scale_factor, placed): &(ScaleFactor, PlacedImage)) -> Level {
    Level {
        dimensions: placed.image.dimensions,
        scale_factor: *scale_factor,
        tile: placed.image.grid.tile(),
        unit: unit(&placed.image),
        coding: stored::coding(&placed.image),
    }
}

fn unit(image: &Image) -> Unit {
    match image.grid.tile() {
        // Only the rows that are wanted are read.
        _ if image.compression == Compression::None => Unit::Pixel,
        Some(tile) => Unit::Tile(tile),
        None => Unit::Rows(image.grid.rows()),
    }
}

/// A broken TIFF.
fn malformed(problem: impl Into<String>) -> DecodeError {
    DecodeError::malformed("TIFF", problem)
}
