//! GIF89a: one frame, at most 256 colours, transparency without shades.

use std::borrow::Cow;

use gif::{Encoder, EncodingError, Frame};

use super::Plain;
use super::palette::index;

/// Encodes any plain raster.
pub fn encode(plain: Plain<'_>) -> Result<Vec<u8>, EncodingError> {
    // The sides were checked; the format says them in 16 bits.
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    let (width, height) = (
        side(plain.dimensions.width()),
        side(plain.dimensions.height()),
    );
    let indexed = index(plain);
    let frame = Frame {
        width,
        height,
        transparent: indexed.transparent,
        buffer: Cow::Owned(indexed.indices),
        ..Frame::default()
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, indexed.palette.as_flattened())?;
    encoder.write_frame(&frame)?;
    encoder.into_inner()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use crate::encode::testing::{encode_to, raster, squares, worst_in_squares};
    use crate::iiif::format::Format;
    use crate::raster::{Layout, Raster};

    /// RGBA samples by the library's decoder.
    fn reencoded(source: &Raster) -> Vec<u8> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let encoded = encode_to(Format::Gif, source);
        let mut decoder = options.read_info(&encoded[..]).unwrap();
        let frame = decoder.read_next_frame().unwrap().unwrap();
        frame.buffer.to_vec()
    }

    fn opaque(samples: &[u8]) -> Vec<u8> {
        samples
            .chunks(3)
            .flat_map(|p| [p[0], p[1], p[2], 255])
            .collect()
    }

    /// F08: as many as there can be.
    #[test]
    fn colours_up_to_256_are_exact() {
        let samples: Vec<u8> = (0..=255_u8)
            .flat_map(|i| [i, i.wrapping_mul(7), 255 - i])
            .collect();
        let source = raster(16, 16, Layout::Rgb, samples.clone());
        assert_eq!(reencoded(&source), opaque(&samples));
        let grays = raster(16, 16, Layout::Gray, (0..=255).collect());
        let wanted: Vec<u8> = (0..=255).flat_map(|v| [v, v, v, 255]).collect();
        assert_eq!(reencoded(&grays), wanted);
    }

    /// F06: what is at least half opaque is opaque.
    #[test]
    fn transparency_has_one_bit() {
        let pixels = vec![
            10, 20, 30, 128, 10, 20, 30, 127, 40, 50, 60, 255, 0, 0, 0, 0,
        ];
        let decoded = reencoded(&raster(4, 1, Layout::Rgba, pixels));
        assert_eq!(decoded[0..4], [10, 20, 30, 255]);
        assert_eq!(decoded[7], 0);
        assert_eq!(decoded[8..12], [40, 50, 60, 255]);
        assert_eq!(decoded[15], 0);
        let nothing = raster(2, 1, Layout::GrayAlpha, vec![9, 0, 9, 0]);
        let alphas: Vec<u8> = reencoded(&nothing).into_iter().skip(3).step_by(4).collect();
        assert_eq!(alphas, [0, 0]);
    }

    #[test]
    fn too_many_colours_with_transparency_still_fit() {
        let samples = (0..=255_u8)
            .chain([77])
            .flat_map(|v| [v, if v == 3 { 0 } else { 255 }]);
        let samples: Vec<u8> = samples.flat_map(|v| [v; 1]).collect();
        let decoded = reencoded(&raster(257, 1, Layout::GrayAlpha, samples.clone()));
        for (pixel, source) in decoded.chunks(4).zip(samples.chunks(2)) {
            assert_eq!(pixel[3], source[1]);
            assert!(source[1] == 0 || pixel[0].abs_diff(source[0]) <= 8);
        }
    }

    /// F08: flat squares stay exact beside thousands of shades.
    #[test]
    fn frequent_colours_are_exact_among_many() {
        let source = squares(Layout::Rgb);
        let mut samples = source.as_u8().unwrap().to_vec();
        for (i, pixel) in samples.chunks_exact_mut(3).enumerate() {
            if i / 100 % 50 < 10 {
                pixel.copy_from_slice(&[(i % 251) as u8, (i / 100) as u8, (i % 100) as u8]);
            }
        }
        let wanted = opaque(&samples);
        let decoded = reencoded(&raster(100, 100, Layout::Rgb, samples));
        assert_eq!(worst_in_squares(&decoded, &wanted, 4), 0);
        let sum: u64 = decoded
            .iter()
            .zip(&wanted)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        assert!(sum / 30_000 < 4, "{sum} in all");
    }
}
