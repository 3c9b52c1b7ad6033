//! PNG: lossless, with alpha; fast rather than small.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, PixelDimensions, Unit};

use super::Plain;
use crate::decode::Resolution;

const INCHES_PER_METRE: f64 = 1.0 / 0.0254;

/// Encodes any plain raster.
pub fn encode(plain: Plain<'_>, resolution: Option<Resolution>) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let dimensions = plain.dimensions;
    let mut encoder = Encoder::new(&mut bytes, dimensions.width(), dimensions.height());
    encoder.set_color(match (plain.color, plain.alpha) {
        (false, false) => ColorType::Grayscale,
        (false, true) => ColorType::GrayscaleAlpha,
        (true, false) => ColorType::Rgb,
        (true, true) => ColorType::Rgba,
    });
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    encoder.set_pixel_dims(resolution.map(pixels_per_metre));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(plain.samples)?;
    writer.finish()?;
    Ok(bytes)
}

fn pixels_per_metre(resolution: Resolution) -> PixelDimensions {
    PixelDimensions {
        xppu: (resolution.x * INCHES_PER_METRE).round() as u32,
        yppu: (resolution.y * INCHES_PER_METRE).round() as u32,
        unit: Unit::Meter,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::encode::testing::{encode_to, pattern};
    use crate::iiif::format::Format;
    use crate::raster::Layout;

    /// F06, T10.
    #[test]
    fn every_sample_survives_alpha_too() {
        let cases = [
            (Layout::Gray, ColorType::Grayscale),
            (Layout::GrayAlpha, ColorType::GrayscaleAlpha),
            (Layout::Rgb, ColorType::Rgb),
            (Layout::Rgba, ColorType::Rgba),
        ];
        for (layout, color) in cases {
            let source = pattern(layout);
            let encoded = encode_to(Format::Png, &source);
            let mut reader = png::Decoder::new(Cursor::new(encoded)).read_info().unwrap();
            let mut samples = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut samples).unwrap();
            assert_eq!((info.width, info.height, info.color_type), (40, 30, color));
            assert_eq!(Some(&samples[..]), source.as_u8());
        }
    }

    #[test]
    fn resolution_and_colour_space_are_said() {
        let encoded = encode_to(Format::Png, &pattern(Layout::Rgb));
        let reader = png::Decoder::new(Cursor::new(encoded)).read_info().unwrap();
        let density = reader.info().pixel_dims.unwrap();
        assert_eq!((density.xppu, density.yppu), (11_811, 5_906));
        assert_eq!(density.unit, Unit::Meter);
        assert!(reader.info().srgb.is_some());
    }
}
