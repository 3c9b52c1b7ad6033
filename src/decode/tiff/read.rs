//! The walk from a window to its pixels: for every strip or tile that it touches read, decompress, unpredict, unpack,
//! convert, place.

use std::sync::Arc;

use super::bands;
use super::canvas::{Canvas, zeros};
use super::coded::Coded;
use super::compression::{Compression, Decompressor, Wanted};
use super::cost;
use super::ifd::File;
use super::image::{Image, PlacedImage};
use super::layout::{Chunk, Place};
use super::malformed;
use super::predictor::{self, Row};
use super::samples::Unpacker;
use super::stored;
use super::ycbcr::Subsampling;
use crate::decode::{Aids, Coding, DecodeError, Limits, TILE_STAGES, Tiles, Window};
use crate::ffi::turbojpeg;
use crate::geometry::{Dimensions, Rect};
use crate::raster::{Raster, Samples};

/// The pixels of a window, whose level is this image.
pub fn window(
    file: &File,
    source: &PlacedImage,
    window: &Window,
    limits: &Limits,
    aids: Aids<'_>,
) -> Result<Raster, DecodeError> {
    let (image, rect) = (&source.image, window.rect);
    let reader = ChunkReader {
        file,
        source,
        limits,
        tiles: aids.tiles,
        level: window.level,
    };
    cost::check(file, source, rect, limits)?;
    let held = if aids.tiles.is_some() { TILE_STAGES } else { 1 };
    let bytes = image.bytes_per_pixel().saturating_mul(held);
    let threads = image.grid.threads(aids.threads, bytes);
    reader.raster(rect, |canvas| {
        let bands = if threads > 1 {
            canvas.bands(image.grid.rows())
        } else {
            vec![canvas]
        };
        bands::each(bands, threads, |mut band| reader.fill(&mut band))
    })
}

struct ChunkReader<'a> {
    file: &'a File,
    source: &'a PlacedImage,
    limits: &'a Limits,
    tiles: Option<&'a dyn Tiles>,
    level: usize,
}

/// What is used for one strip or tile after the other.
#[derive(Default)]
struct Tools {
    decompressor: Decompressor,
    jpeg: Option<turbojpeg::Decompressor>,
    scratch: Vec<u8>,
}

impl ChunkReader<'_> {
    fn image(&self) -> &Image {
        &self.source.image
    }

    /// A rectangle of the image, which `fill` fills.
    fn raster<F>(&self, rect: Rect, fill: F) -> Result<Raster, DecodeError>
    where
        F: FnOnce(Canvas<'_>) -> Result<(), DecodeError>,
    {
        let (layout, is_deep) = self.image().output();
        let bytes = self.image().bytes_per_pixel();
        self.limits.check_decoded(rect.dimensions(), bytes)?;
        let mut samples = zeros(rect.dimensions(), layout.channels(), is_deep);
        fill(Canvas::new(rect, layout.channels(), &mut samples))?;
        Ok(Raster::new(rect.dimensions(), layout, samples))
    }

    fn fill(&self, canvas: &mut Canvas<'_>) -> Result<(), DecodeError> {
        let mut tools = Tools::default();
        match self.tiles {
            Some(tiles) => self.share(tiles, canvas, &mut tools),
            None => self.decode(canvas, &mut tools),
        }
    }

    /// Tile by tile: those that are not kept yet are decoded whole, and kept.
    fn share(
        &self,
        tiles: &dyn Tiles,
        canvas: &mut Canvas<'_>,
        tools: &mut Tools,
    ) -> Result<(), DecodeError> {
        for Chunk { rect, .. } in self.image().grid.touching(canvas.rect()) {
            let level = self.level;
            let tile = Window { level, rect };
            if let Some(kept) = tiles.find(&tile) {
                canvas.take(kept.samples(), rect);
                continue;
            }
            match self.part(rect, tools) {
                Ok(decoded) => {
                    canvas.take(decoded.samples(), rect);
                    tiles.keep(tile, Arc::new(decoded));
                }
                Err(error @ DecodeError::Io(_)) => return Err(error),
                // What is broken beside the window does not matter.
                Err(_) => {
                    let part = rect.intersection(canvas.rect()).unwrap_or(rect);
                    canvas.take(self.part(part, tools)?.samples(), part);
                }
            }
        }
        Ok(())
    }

    fn part(&self, rect: Rect, tools: &mut Tools) -> Result<Raster, DecodeError> {
        self.raster(rect, |mut canvas| self.decode(&mut canvas, tools))
    }

    fn decode(&self, canvas: &mut Canvas<'_>, tools: &mut Tools) -> Result<(), DecodeError> {
        if stored::coding(self.image()) == Some(Coding::Jpeg) {
            self.read_jpegs(canvas, tools)
        } else if self.image().stores_pixels() {
            self.read_pixels(canvas, &mut tools.decompressor)
        } else {
            self.read_chunks(canvas, &mut tools.decompressor)
        }
    }

    fn read_chunks(
        &self,
        canvas: &mut Canvas<'_>,
        decompressor: &mut Decompressor,
    ) -> Result<(), DecodeError> {
        for chunk in self.image().grid.touching(canvas.rect()) {
            if let Some(part) = chunk.rect.intersection(canvas.rect()) {
                let stored = self.stored(decompressor, &chunk, part)?;
                canvas.place(part, &self.image().color.convert(stored));
            }
        }
        Ok(())
    }

    /// Samples of 8 bits that are the pixels as they are: from where they were decompressed straight to their place.
    fn read_pixels(
        &self,
        canvas: &mut Canvas<'_>,
        decompressor: &mut Decompressor,
    ) -> Result<(), DecodeError> {
        let channels = canvas.channels();
        for chunk in self.image().grid.touching(canvas.rect()) {
            let Some(part) = chunk.rect.intersection(canvas.rect()) else {
                continue;
            };
            // Samples that were never written are zero, as the canvas is.
            let Place::At { offset, length } = self.source.places.of(&chunk, 0)? else {
                continue;
            };
            let inner = inner(&chunk, part)?;
            let wanted = self.wanted(&chunk, inner, channels)?;
            let rows = self.rows(decompressor, wanted, inner.y(), offset, length)?;
            let left = inner.x() as usize * channels;
            canvas.copy(part, &rows[left..], wanted.stride)?;
        }
        Ok(())
    }

    /// JPEGs whose samples are the pixels as they are: one decoder for all, and straight to their place where all
    /// columns are wanted.
    fn read_jpegs(&self, canvas: &mut Canvas<'_>, tools: &mut Tools) -> Result<(), DecodeError> {
        let Tools { jpeg, scratch, .. } = tools;
        let decompressor = match jpeg {
            Some(decompressor) => decompressor,
            None => jpeg.insert(turbojpeg::Decompressor::new().map_err(no_decompressor)?),
        };
        for chunk in self.image().grid.touching(canvas.rect()) {
            let Some(part) = chunk.rect.intersection(canvas.rect()) else {
                continue;
            };
            // Samples that were never written are zero, as the canvas is.
            let Place::At { offset, length } = self.source.places.of(&chunk, 0)? else {
                continue;
            };
            let data = self.compressed(offset, length)?;
            let coded = self.coded(&chunk, &data, self.image().channels);
            let is_from_corner = (part.x(), part.y()) == (chunk.rect.x(), chunk.rect.y());
            if is_from_corner && part.width() == chunk.stored.width() {
                let (samples, stride) = canvas.onto(part)?;
                coded.jpeg_rows(decompressor, part.height(), samples, stride)?;
            } else {
                self.limits
                    .check_decoded(chunk.stored, canvas.channels() as u64)?;
                let rows = part.bottom() - chunk.rect.y();
                let stride = chunk.stored.width() as usize * canvas.channels();
                scratch.resize(stride * rows as usize, 0);
                coded.jpeg_rows(decompressor, rows, scratch, stride)?;
                let above = (part.y() - chunk.rect.y()) as usize * stride;
                let left = (part.x() - chunk.rect.x()) as usize * canvas.channels();
                canvas.copy(part, &scratch[above + left..], stride)?;
            }
        }
        Ok(())
    }

    /// The needed channels, interleaved, of the part of the image that lies in a chunk.
    fn stored(
        &self,
        decompressor: &mut Decompressor,
        chunk: &Chunk,
        part: Rect,
    ) -> Result<Samples, DecodeError> {
        let needed = self.image().color.needed();
        let part = inner(chunk, part)?;
        if self.image().planar {
            let plane = |channel: &usize| self.plane(decompressor, chunk, part, *channel as u32, 1);
            let planes: Vec<_> = needed.iter().map(plane).collect::<Result<_, _>>()?;
            return Ok(interleave(&planes));
        }
        let channels = self.image().channels;
        let samples = self.plane(decompressor, chunk, part, 0, channels)?;
        let all_are_needed = needed.len() == channels;
        Ok(if all_are_needed {
            samples
        } else {
            pick(&samples, channels, &needed)
        })
    }

    /// Of one plane of `channels` samples a pixel, the part of a chunk.
    fn plane(
        &self,
        decompressor: &mut Decompressor,
        chunk: &Chunk,
        part: Rect,
        plane: u32,
        channels: usize,
    ) -> Result<Samples, DecodeError> {
        let image = self.image();
        let bytes = if image.format.is_deep() { 2 } else { 1 };
        self.limits
            .check_decoded(part.dimensions(), channels as u64 * bytes)?;
        match self.source.places.of(chunk, plane)? {
            Place::Absent => Ok(zeros(part.dimensions(), channels, image.format.is_deep())),
            Place::At { offset, length } if image.compression.codes_pixels() => {
                let data = self.compressed(offset, length)?;
                self.pixels(chunk, part, &data, channels)
            }
            Place::At { offset, length } if image.subsampling != Subsampling::NONE => {
                self.units(decompressor, chunk, part, offset, length)
            }
            Place::At { offset, length } => {
                let wanted = self.wanted(chunk, part, channels)?;
                let rows = self.rows(decompressor, wanted, part.y(), offset, length)?;
                Ok(self.unpacker(part, wanted.stride, channels).unpack(rows))
            }
        }
    }

    fn pixels(
        &self,
        chunk: &Chunk,
        part: Rect,
        data: &[u8],
        channels: usize,
    ) -> Result<Samples, DecodeError> {
        let decoded = self.coded(chunk, data, channels).decode(self.limits)?;
        Ok(decoded.crop(part).into_samples())
    }

    fn coded<'a>(&'a self, chunk: &Chunk, data: &'a [u8], channels: usize) -> Coded<'a> {
        let image = self.image();
        Coded {
            compression: image.compression,
            data,
            dimensions: chunk.stored,
            most_rows: image.grid.most_rows(),
            channels,
            is_deep: image.format.is_deep(),
            jpeg_tables: &image.jpeg_tables,
            jpeg_transform: image.jpeg_transform,
        }
    }

    /// Sub-sampled Y'CbCr.
    fn units(
        &self,
        decompressor: &mut Decompressor,
        chunk: &Chunk,
        part: Rect,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Samples, DecodeError> {
        let subsampling = self.image().subsampling;
        let wanted = Wanted {
            width: chunk.stored.width(),
            rows: part.bottom().div_ceil(subsampling.down),
            stride: subsampling.stride(chunk.stored.width()),
            all_rows: chunk.stored.height().div_ceil(subsampling.down),
        };
        let units = self.bytes(decompressor, wanted, 0, offset, length)?;
        Ok(Samples::U8(subsampling.unpack(units, chunk.stored, part)))
    }

    /// The rows of a chunk to the last of a part of it.
    fn wanted(&self, chunk: &Chunk, part: Rect, channels: usize) -> Result<Wanted, DecodeError> {
        Ok(Wanted {
            width: chunk.stored.width(),
            rows: part.bottom(),
            stride: stride(chunk.stored, channels, self.image().format.bits)?,
            all_rows: chunk.stored.height(),
        })
    }

    fn unpacker(&self, part: Rect, stride: usize, channels: usize) -> Unpacker {
        let image = self.image();
        Unpacker {
            stride,
            take: part.x() as usize * channels..part.right() as usize * channels,
            format: image.format,
            order: self.file.order,
            scale: image.color.scale(),
        }
    }

    /// Samples of the wanted rows of a chunk from `first` on, as they were before they were predicted.
    fn rows<'a>(
        &self,
        decompressor: &'a mut Decompressor,
        wanted: Wanted,
        first: u32,
        offset: u64,
        length: Option<u64>,
    ) -> Result<&'a mut [u8], DecodeError> {
        let image = self.image();
        let rows = self.bytes(decompressor, wanted, first, offset, length)?;
        let row = Row {
            stride: wanted.stride,
            sample: image.format.bytes(),
            channels: if image.planar { 1 } else { image.channels },
            order: self.file.order,
        };
        predictor::undo(image.predictor, rows, row)?;
        Ok(rows)
    }

    /// Decompressed rows of a chunk from `first` to the last that is wanted: of what is not compressed, those above are
    /// not even read.
    fn bytes<'a>(
        &self,
        decompressor: &'a mut Decompressor,
        wanted: Wanted,
        first: u32,
        offset: u64,
        length: Option<u64>,
    ) -> Result<&'a mut [u8], DecodeError> {
        let compression = self.image().compression;
        let (stride, end) = (wanted.stride as u64, wanted.length());
        let above = stride.saturating_mul(u64::from(first));
        if compression != Compression::None {
            self.check_bytes(end)?;
            let data = self.compressed(offset, length)?;
            let rows = decompressor.decompress(compression, &data, wanted)?;
            return Ok(&mut rows[above as usize..]);
        }
        if length.is_some_and(|length| length < end) {
            let problem = format!("a strip or tile of {length:?} bytes that should have {end}");
            return Err(malformed(problem));
        }
        let data = self.read(offset.saturating_add(above), end - above)?;
        Ok(decompressor.keep(data))
    }

    /// The bytes of a chunk as they stand in the file; to its end where the length is not said.
    fn compressed(&self, offset: u64, length: Option<u64>) -> Result<Vec<u8>, DecodeError> {
        let to_end = self.file.input.size().saturating_sub(offset);
        self.read(offset, length.unwrap_or(to_end))
    }

    fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, DecodeError> {
        self.check_bytes(length)?;
        let mut bytes = self.file.read(offset, length)?;
        // JPEG and its kin have an order of their own.
        if self.image().reversed_bits && !self.image().compression.codes_pixels() {
            bytes
                .iter_mut()
                .for_each(|byte| *byte = byte.reverse_bits());
        }
        Ok(bytes)
    }

    fn check_bytes(&self, value: u64) -> Result<(), DecodeError> {
        let limit = self.limits.decoded_bytes;
        if value > limit {
            let what = "bytes of a strip or tile";
            return Err(DecodeError::TooLarge { what, value, limit });
        }
        Ok(())
    }
}

fn no_decompressor(error: turbojpeg::Error) -> DecodeError {
    malformed(error.to_string())
}

/// A part of the image as a part of the chunk in which it lies.
fn inner(chunk: &Chunk, part: Rect) -> Result<Rect, DecodeError> {
    let part = part.within(chunk.rect);
    part.ok_or_else(|| malformed("a strip or tile of no size"))
}

/// Bytes of a row, which ends with a whole byte.
pub fn stride(stored: Dimensions, channels: usize, bits: u8) -> Result<usize, DecodeError> {
    let bits = u64::from(stored.width()) * channels as u64 * u64::from(bits);
    usize::try_from(bits.div_ceil(8)).map_err(|_| malformed("an endless row"))
}

/// One sample of each plane in turn.
fn interleave(planes: &[Samples]) -> Samples {
    let bytes = planes.iter().map(|plane| match plane {
        Samples::U8(samples) => Some(&samples[..]),
        Samples::U16(_) => None,
    });
    if let Some(planes) = bytes.collect::<Option<Vec<_>>>() {
        return Samples::U8(weave(&planes));
    }
    let words = planes.iter().filter_map(|plane| match plane {
        Samples::U16(samples) => Some(&samples[..]),
        Samples::U8(_) => None,
    });
    Samples::U16(weave(&words.collect::<Vec<_>>()))
}

fn weave<T: Copy + Default>(planes: &[&[T]]) -> Vec<T> {
    let length = planes.iter().map(|plane| plane.len()).sum();
    let mut out = vec![T::default(); length];
    for (channel, plane) in planes.iter().enumerate() {
        let places = out.iter_mut().skip(channel).step_by(planes.len());
        places.zip(*plane).for_each(|(to, from)| *to = *from);
    }
    out
}

/// Some of the channels of each pixel.
fn pick(samples: &Samples, channels: usize, needed: &[usize]) -> Samples {
    fn of<T: Copy>(samples: &[T], channels: usize, needed: &[usize]) -> Vec<T> {
        let pixels = samples.chunks_exact(channels);
        pixels
            .flat_map(|pixel| needed.iter().map(|channel| pixel[*channel]))
            .collect()
    }
    match samples {
        Samples::U8(samples) => Samples::U8(of(samples, channels, needed)),
        Samples::U16(samples) => Samples::U16(of(samples, channels, needed)),
    }
}
