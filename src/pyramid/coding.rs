//! How the tiles of a pyramid are coded.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::halve::Sample;
use crate::decode::{Header, SourceFormat};
use crate::ffi::turbojpeg::{self, Encoding, Pixels, Subsampling};
use crate::geometry::Dimensions;
use crate::raster::Layout;

/// High enough that a second coding of a photograph is not seen, and half the bytes of 97.
const JPEG_QUALITY: u8 = 93;
/// Levels above get a few per cent less for twice the time.
const DEFLATE_LEVEL: u32 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// With every colour sample: of a sub-sampled JPEG the levels from the second on have them all.
    Jpeg(Pixels),
    /// With the horizontal predictor: every sample is kept.
    Deflate,
}

impl Coding {
    /// JPEG only where the source has lost samples already, and where it can say them: 8 bits, no alpha, no inks.
    pub fn of(header: &Header, layout: Layout, is_deep: bool) -> Self {
        match layout {
            _ if is_deep || !is_lossy(header) => Self::Deflate,
            Layout::Gray => Self::Jpeg(Pixels::Gray),
            Layout::Rgb => Self::Jpeg(Pixels::Rgb),
            Layout::GrayAlpha | Layout::Rgba | Layout::Cmyk => Self::Deflate,
        }
    }

    /// The bytes of one tile, whose pixels are all there.
    ///
    /// # Errors
    /// If the encoder fails.
    pub fn encode<S: Sample>(
        self,
        samples: &[S],
        tile: Dimensions,
        channels: usize,
    ) -> io::Result<Vec<u8>> {
        match self {
            Self::Jpeg(pixels) => jpeg(bytemuck::cast_slice(samples), tile, pixels),
            Self::Deflate => deflate(samples, tile, channels),
        }
    }
}

/// What is not known to be lossy is kept to the sample: the price is only disk space.
fn is_lossy(header: &Header) -> bool {
    let coding = header.coding.as_str();
    match header.format {
        SourceFormat::Jpeg => coding != "lossless",
        SourceFormat::Webp => coding == "lossy",
        SourceFormat::Jp2 => coding.ends_with("irreversible"),
        SourceFormat::Tiff => coding == "JPEG",
        SourceFormat::Png | SourceFormat::Gif | SourceFormat::Bmp | SourceFormat::Pdf => false,
    }
}

fn jpeg(samples: &[u8], tile: Dimensions, pixels: Pixels) -> io::Result<Vec<u8>> {
    let encoding = Encoding {
        quality: JPEG_QUALITY,
        subsampling: Subsampling::S444,
        density: None,
        profile: None,
    };
    turbojpeg::encode(samples, tile, pixels, &encoding).map_err(io::Error::other)
}

/// TIFF 6.0, section 14: each sample less the one of the pixel before it in its row.
fn deflate<S: Sample>(samples: &[S], tile: Dimensions, channels: usize) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(DEFLATE_LEVEL));
    let stride = tile.width() as usize * channels;
    let mut line = Vec::with_capacity(size_of_val(samples) / tile.height() as usize);
    for row in samples.chunks_exact(stride) {
        line.clear();
        let (first, rest) = row.split_at(channels);
        first.iter().for_each(|sample| sample.put(&mut line));
        for (sample, before) in rest.iter().zip(row) {
            sample.difference(*before).put(&mut line);
        }
        encoder.write_all(&line)?;
    }
    encoder.finish()
}
