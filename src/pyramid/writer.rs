//! From an opened image to the file of its pyramid: the full image and its halves, down to the one that is one tile.
//!
//! The image is decoded in bands, each row goes to the full image and, averaged, to the levels below it; of every level
//! only one row of tiles is kept in memory.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::thread;

use super::bands::bands;
use super::coding::Coding;
use super::halve::{Sample, halve};
use super::tiff::{Format, Output, Place, WrittenLevel};
use crate::decode::{DecodeError, Decoder, Window};
use crate::geometry::{Dimensions, Rect, ScaleFactor};
use crate::raster::{Raster, Samples};

/// How a pyramid is made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub tile: Dimensions,
    /// Bytes that decoding one band may need.
    pub band_bytes: u64,
    /// Tiles that are encoded at once.
    pub threads: NonZeroUsize,
}

/// Why there is no pyramid.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("the pyramid cannot be written")]
    Write(#[from] io::Error),
    #[error(
        "building it would need {bytes} bytes of memory, and there are {budget} for everything"
    )]
    Memory { bytes: u64, budget: u64 },
    #[error("no pyramids are built: {0}")]
    Off(&'static str),
    #[error("stopped")]
    Stopped,
}

/// Writes the pyramid. `stopped` is asked between tiles' rows whether to go on.
///
/// # Errors
/// If the image cannot be decoded, the file not be written, or it is to stop.
pub fn write(
    decoder: &dyn Decoder,
    file: File,
    options: &Options,
    stopped: &dyn Fn() -> bool,
) -> Result<File, BuildError> {
    let header = decoder.header();
    let mut bands = bands(header, options);
    let decode = |rect| decoder.decode(&Window { level: 0, rect });
    let first = decode(bands.next().unwrap_or(Rect::whole(options.tile)))?;
    let rest = bands.map(decode);
    match first.samples() {
        Samples::U8(_) => {
            Writer::<u8>::new(decoder, &first, file, options, stopped)?.run(first, rest)
        }
        Samples::U16(_) => {
            Writer::<u16>::new(decoder, &first, file, options, stopped)?.run(first, rest)
        }
    }
}

struct Writer<'a, S> {
    decoder: &'a dyn Decoder,
    stopped: &'a dyn Fn() -> bool,
    threads: NonZeroUsize,
    format: Format,
    levels: Vec<Level<S>>,
    output: Output,
}

/// One level, of which the last rows wait until they fill a row of tiles.
struct Level<S> {
    dimensions: Dimensions,
    rows: Vec<S>,
    places: Vec<Place>,
}

/// Samples that come out of a decoder.
trait FromRaster: Sample {
    /// `None` if the raster has the other depth.
    fn samples(raster: &Raster) -> Option<&[Self]>;
}

impl FromRaster for u8 {
    fn samples(raster: &Raster) -> Option<&[Self]> {
        raster.as_u8()
    }
}

impl FromRaster for u16 {
    fn samples(raster: &Raster) -> Option<&[Self]> {
        match raster.samples() {
            Samples::U16(samples) => Some(samples),
            Samples::U8(_) => None,
        }
    }
}

impl<'a, S: FromRaster> Writer<'a, S> {
    fn new(
        decoder: &'a dyn Decoder,
        first: &Raster,
        file: File,
        options: &Options,
        stopped: &'a dyn Fn() -> bool,
    ) -> io::Result<Self> {
        let header = decoder.header();
        let is_deep = size_of::<S>() > 1;
        let layout = first.layout();
        let level = |dimensions| Level {
            dimensions,
            rows: Vec::new(),
            places: Vec::new(),
        };
        Ok(Self {
            decoder,
            stopped,
            threads: options.threads,
            format: Format {
                layout,
                is_deep,
                coding: Coding::of(header, layout, is_deep),
                tile: options.tile,
            },
            levels: sizes(header.stored_dimensions(), options.tile)
                .into_iter()
                .map(level)
                .collect(),
            output: Output::new(file)?,
        })
    }

    fn run(
        mut self,
        first: Raster,
        rest: impl Iterator<Item = Result<Raster, DecodeError>>,
    ) -> Result<File, BuildError> {
        self.push_band(&first)?;
        drop(first);
        for band in rest {
            self.push_band(&band?)?;
        }
        self.end()?;
        let levels: Vec<_> = self
            .levels
            .into_iter()
            .map(|level| WrittenLevel {
                dimensions: level.dimensions,
                places: level.places,
            })
            .collect();
        let header = self.decoder.header();
        Ok(self.output.finish(header, &self.format, &levels)?)
    }

    fn push_band(&mut self, band: &Raster) -> Result<(), BuildError> {
        let samples = S::samples(band).filter(|_| band.layout() == self.format.layout);
        let samples = samples.ok_or_else(|| DecodeError::Io(changed()))?;
        let stride = self.stride(0);
        for row in samples.chunks_exact(stride) {
            self.push_row(0, row)?;
        }
        Ok(())
    }

    fn stride(&self, level: usize) -> usize {
        self.levels[level].dimensions.width() as usize * self.format.layout.channels()
    }

    /// Adds a row to a level, and every second time one to the level below it.
    fn push_row(&mut self, index: usize, row: &[S]) -> Result<(), BuildError> {
        let stride = self.stride(index);
        let layout = self.format.layout;
        let has_next = index + 1 < self.levels.len();
        let rows = &mut self.levels[index].rows;
        rows.extend(row);
        let (count, full) = (rows.len() / stride, self.format.tile.height() as usize);
        // Rows of tiles are even, so that both rows of a pair are here.
        if count.is_multiple_of(2) && has_next {
            let (upper, lower) = rows[rows.len() - 2 * stride..].split_at(stride);
            let half = halve(upper, lower, layout);
            self.push_row(index + 1, &half)?;
        }
        if count == full {
            self.flush(index)?;
        }
        Ok(())
    }

    /// What is left at the lower edge: a row without a pair, and rows that fill no tile.
    fn end(&mut self) -> Result<(), BuildError> {
        for index in 0..self.levels.len() {
            let stride = self.stride(index);
            let rows = &self.levels[index].rows;
            let is_odd = !(rows.len() / stride).is_multiple_of(2);
            if is_odd && index + 1 < self.levels.len() {
                let last = &rows[rows.len() - stride..];
                let half = halve(last, last, self.format.layout);
                self.push_row(index + 1, &half)?;
            }
            if !self.levels[index].rows.is_empty() {
                self.flush(index)?;
            }
        }
        Ok(())
    }

    /// Encodes and writes a row of tiles.
    fn flush(&mut self, index: usize) -> Result<(), BuildError> {
        if (self.stopped)() {
            return Err(BuildError::Stopped);
        }
        let stride = self.stride(index);
        let rows = std::mem::take(&mut self.levels[index].rows);
        let strip = Strip {
            rows: &rows,
            stride,
            format: &self.format,
        };
        for tile in strip.encode(self.threads)? {
            let place = self.output.append(&tile)?;
            self.levels[index].places.push(place);
        }
        self.levels[index].rows = rows;
        self.levels[index].rows.clear();
        Ok(())
    }
}

fn changed() -> io::Error {
    io::Error::other("the file has changed while it was read")
}

/// The dimensions of all levels: halves, rounded up, as long as they are more than one tile.
fn sizes(full: Dimensions, tile: Dimensions) -> Vec<Dimensions> {
    let mut sizes = vec![full];
    for reduction in 1..32 {
        if sizes.last().is_none_or(|last| last.fits_in(tile)) {
            break;
        }
        sizes.extend(ScaleFactor::from_reduction(reduction).map(|factor| full.divided(factor)));
    }
    sizes
}

/// The rows of one row of tiles.
struct Strip<'a, S> {
    rows: &'a [S],
    stride: usize,
    format: &'a Format,
}

impl<S: Sample> Strip<'_, S> {
    /// The encoded tiles from left to right.
    fn encode(&self, threads: NonZeroUsize) -> io::Result<Vec<Vec<u8>>> {
        let width = self.format.tile.width() as usize * self.format.layout.channels();
        let columns: Vec<usize> = (0..self.stride).step_by(width).collect();
        let share = columns.len().div_ceil(threads.get());
        let some = |starts: &[usize]| -> io::Result<Vec<Vec<u8>>> {
            starts.iter().map(|start| self.tile(*start)).collect()
        };
        if share == columns.len() {
            return some(&columns);
        }
        thread::scope(|scope| {
            let parts: Vec<_> = columns
                .chunks(share)
                .map(|starts| scope.spawn(move || some(starts)))
                .collect();
            let joined = parts.into_iter().map(|part| {
                let encoded = part.join();
                encoded.unwrap_or_else(|_| Err(io::Error::other("an encoder panicked")))
            });
            let encoded: Vec<_> = joined.collect::<io::Result<_>>()?;
            Ok(encoded.into_iter().flatten().collect())
        })
    }

    /// The tile that begins at this sample of each row. Beyond the image its last column and row are repeated: an edge
    /// would be seen within it in JPEG, and cost bytes in Deflate.
    fn tile(&self, start: usize) -> io::Result<Vec<u8>> {
        let tile = self.format.tile;
        let channels = self.format.layout.channels();
        let width = tile.width() as usize * channels;
        let mut samples = Vec::with_capacity(width * tile.height() as usize);
        for row in self.rows.chunks_exact(self.stride) {
            let end = (start + width).min(self.stride);
            samples.extend(&row[start..end]);
            let last = &row[end - channels..end];
            let missing = (start + width - end) / channels;
            samples.extend(last.iter().copied().cycle().take(missing * channels));
        }
        let last = samples.len() - width..samples.len();
        while samples.len() < width * tile.height() as usize {
            samples.extend_from_within(last.clone());
        }
        self.format.coding.encode(&samples, tile, channels)
    }
}

#[cfg(test)]
mod tests;
