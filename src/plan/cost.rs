//! What a plan costs in memory, estimated before anything is allocated (K04).

use super::{Kept, Plan};
use crate::decode::{Header, JP2_SAMPLE, SourceFormat, TILE_STAGES, Unit, jp2_band};
use crate::geometry::Dimensions;
use crate::iiif::Format;

/// Channels of a plain raster with alpha, one byte each.
const PLAIN_PIXEL: u64 = 4;

impl Plan {
    /// Bytes that the stages hold at most at one time: each has its input and its output.
    ///
    /// What libraries need for themselves is left out but for what grows with the pixels.
    pub fn bytes(&self, header: &Header) -> u64 {
        let pixel = stored_pixel(header);
        let decoded = area(self.extended, pixel);
        let widened = match (self.kept, header.levels[self.window.level].unit) {
            (Kept::Whole, _) => area(self.decoded.dimensions(), pixel),
            (Kept::Tiles, Unit::Tile(tile)) => area(tile, pixel).saturating_mul(TILE_STAGES),
            _ => 0,
        };
        let decoding = decoded.saturating_add(widened).max(self.decoding(header));
        // Pixels that are kept are not painted over: their copy is, once it is converted.
        let redacting = if self.redacts {
            decoded
                .saturating_mul(2)
                .saturating_add(area(self.extended, PLAIN_PIXEL))
        } else {
            0
        };
        let scaling = if self.is_stored_as_asked() {
            0
        } else {
            let scaled = area(self.target, pixel);
            decoded
                .saturating_add(between_passes(self.extended, self.target, pixel))
                .saturating_add(scaled)
        };
        let plain = area(self.size, PLAIN_PIXEL);
        let parting = self.part.map_or(0, |part| {
            let between = between_passes(part.rect.dimensions(), part.size, PLAIN_PIXEL);
            // The part is copied first.
            let whole = area(self.target, PLAIN_PIXEL).saturating_mul(2);
            whole.saturating_add(between).saturating_add(plain)
        });
        let converting = area(self.target, pixel).saturating_add(area(self.target, PLAIN_PIXEL));
        let output = area(self.output(), PLAIN_PIXEL);
        // The rotation frames its input; turning by a right angle copies it.
        let rotating = plain.saturating_add(output);
        // What is drawn is held as large as the answer at most, and was scaled in two passes.
        let drawing = output.saturating_mul(4 * u64::from(self.overlays));
        let encoding = output.saturating_add(area(self.output(), encoder_pixel(self.format)));
        [
            decoding, redacting, scaling, parting, converting, rotating, drawing, encoding,
        ]
        .into_iter()
        .max()
        .unwrap_or(0)
    }

    /// Pixels that are decoded and encoded, a measure of time: what is copied is passed through about ten times faster.
    pub fn pixels(&self, header: &Header) -> u64 {
        const FASTER: u64 = 10;
        let level = &header.levels[self.window.level];
        let encoded = self.output().area();
        if self.is_copied() {
            return encoded / FASTER;
        }
        // Codes come before pixels, whatever the size that a JPEG is decoded to.
        let decoded = match level.unit {
            Unit::Level => header.stored_dimensions().area() / 2,
            unit => {
                let enclosing = unit.enclosing(self.decoded, level.dimensions);
                enclosing.dimensions().area()
            }
        };
        decoded.saturating_add(encoded)
    }

    /// Formats that cannot be decoded in part need the whole image.
    fn decoding(&self, header: &Header) -> u64 {
        match header.format {
            format if format.is_decoded_whole() => {
                area(header.stored_dimensions(), stored_pixel(header))
            }
            SourceFormat::Jp2 => {
                let level = &header.levels[self.window.level];
                let (decoded, channels) = (self.decoded.dimensions(), header.channels());
                match level.unit {
                    Unit::Pixel => jp2_band(decoded, channels),
                    Unit::Level => area(level.dimensions, channels * JP2_SAMPLE),
                    _ => area(decoded, channels * JP2_SAMPLE),
                }
            }
            _ => 0,
        }
    }
}

/// Scaling goes one direction after the other: between them one side is as it was, the other as asked.
fn between_passes(from: Dimensions, to: Dimensions, pixel: u64) -> u64 {
    let sides = |width: u32, height: u32| area(Dimensions::at_least_one(width, height), pixel);
    let wide = sides(from.width(), to.height());
    let high = sides(to.width(), from.height());
    wide.max(high)
}

/// Bytes of a pixel as decoded.
pub fn stored_pixel(header: &Header) -> u64 {
    header.channels() * header.sample_bytes()
}

/// Bytes of encoded data and of the encoder's own copies, for each pixel.
fn encoder_pixel(format: Format) -> u64 {
    match format {
        Format::Jp2 => 4 * JP2_SAMPLE,
        Format::Jpg | Format::Png | Format::Webp | Format::Tif | Format::Gif | Format::Pdf => {
            PLAIN_PIXEL
        }
    }
}

pub fn area(dimensions: Dimensions, pixel: u64) -> u64 {
    dimensions.area().saturating_mul(pixel)
}
