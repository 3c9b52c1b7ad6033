//! WebP: lossy colours, lossless alpha. Colours without a profile are sRGB by definition (RFC 9649, section 2.7.1.4).

use super::{Plain, Settings};
use crate::ffi::webp::{self, Error, Pixels};

/// Encodes any plain raster; WebP knows no gray, so gray becomes three equal channels.
pub fn encode(plain: Plain<'_>, settings: &Settings) -> Result<Vec<u8>, Error> {
    let quality = settings.webp_quality.clamp(1, 100);
    let encode = |samples: &[u8], pixels| webp::encode(samples, plain.dimensions, pixels, quality);
    match (plain.color, plain.alpha) {
        (true, true) => encode(plain.samples, Pixels::Rgba),
        (true, false) => encode(plain.samples, Pixels::Rgb),
        (false, true) => {
            let pixels = plain.samples.as_chunks().0.iter();
            let rgba: Vec<u8> = pixels.flat_map(|&[v, alpha]| [v, v, v, alpha]).collect();
            encode(&rgba, Pixels::Rgba)
        }
        (false, false) => {
            let rgb: Vec<u8> = plain.samples.iter().flat_map(|&v| [v; 3]).collect();
            encode(&rgb, Pixels::Rgb)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use crate::encode::testing::{encode_to, pattern, squares, worst_in_squares};
    use crate::iiif::format::Format;
    use crate::raster::{Layout, Raster};

    /// Decoded by another implementation: samples, and whether there is alpha.
    fn reencoded(source: &Raster) -> (Vec<u8>, bool) {
        let encoded = encode_to(Format::Webp, source);
        let mut decoder = image_webp::WebPDecoder::new(Cursor::new(encoded)).unwrap();
        let mut samples = vec![0; decoder.output_buffer_size().unwrap()];
        decoder.read_image(&mut samples).unwrap();
        (samples, decoder.has_alpha())
    }

    #[test]
    fn flat_colours_stay_within_five_levels() {
        let source = squares(Layout::Rgb);
        let (samples, alpha) = reencoded(&source);
        assert!(!alpha);
        let worst = worst_in_squares(&samples, source.as_u8().unwrap(), 3);
        assert!(worst <= 5, "{worst} levels");
    }

    /// F06, also for gray (Q08).
    #[test]
    fn alpha_survives_exactly() {
        for layout in [Layout::GrayAlpha, Layout::Rgba] {
            let source = pattern(layout);
            let (samples, alpha) = reencoded(&source);
            assert!(alpha);
            let found = samples.iter().skip(3).step_by(4);
            let channels = layout.channels();
            let wanted = source.as_u8().unwrap().iter().skip(channels - 1);
            assert!(found.eq(wanted.step_by(channels)), "{layout:?}");
        }
    }

    #[test]
    fn gray_stays_gray() {
        let source = squares(Layout::Gray);
        let (samples, _) = reencoded(&source);
        let wanted: Vec<u8> = source
            .as_u8()
            .unwrap()
            .iter()
            .flat_map(|&v| [v; 3])
            .collect();
        let worst = worst_in_squares(&samples, &wanted, 3);
        assert!(worst <= 5, "{worst} levels");
        assert!(
            samples
                .chunks(3)
                .all(|p| p[0].abs_diff(p[1]) <= 2 && p[1].abs_diff(p[2]) <= 2)
        );
    }
}
