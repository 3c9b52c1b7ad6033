//! TIFF 6.0 with Deflate (TIFF Technical Note 2): lossless, straight alpha.

use std::borrow::Cow;
use std::io::Cursor;

use tiff::encoder::colortype::{ColorType, Gray8, RGB8, RGBA8};
use tiff::encoder::{Compression, DeflateLevel, Predictor, Rational, TiffEncoder, TiffValue};
use tiff::tags::{PhotometricInterpretation, ResolutionUnit, SampleFormat, Tag, Type};
use tiff::{TiffError, TiffResult};

use super::{Plain, srgb_profile};
use crate::decode::Resolution;

/// Encodes any plain raster.
pub fn encode(plain: Plain<'_>, resolution: Option<Resolution>) -> Result<Vec<u8>, TiffError> {
    match (plain.color, plain.alpha) {
        (false, false) => write::<Gray8>(plain, resolution),
        (false, true) => write::<GrayAlpha8>(plain, resolution),
        (true, false) => write::<RGB8>(plain, resolution),
        (true, true) => write::<RGBA8>(plain, resolution),
    }
}

fn write<C: ColorType<Inner = u8>>(
    plain: Plain<'_>,
    resolution: Option<Resolution>,
) -> TiffResult<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)?
        .with_compression(Compression::Deflate(DeflateLevel::Fast))
        .with_predictor(Predictor::Horizontal);
    let dimensions = plain.dimensions;
    let mut image = encoder.new_image::<C>(dimensions.width(), dimensions.height())?;
    if let Some(resolution) = resolution {
        image.resolution_unit(ResolutionUnit::Inch);
        image.x_resolution(hundredths(resolution.x));
        image.y_resolution(hundredths(resolution.y));
    }
    if plain.alpha {
        // TIFF 6.0, section 18: 2 is straight alpha.
        const UNASSOCIATED: u16 = 2;
        image.encoder().write_tag(Tag::ExtraSamples, UNASSOCIATED)?;
    }
    if plain.color {
        image
            .encoder()
            .write_tag(Tag::IccProfile, Undefined(srgb_profile()))?;
    }
    image.write_data(plain.samples)?;
    Ok(file.into_inner())
}

fn hundredths(pixels_per_inch: f64) -> Rational {
    Rational {
        n: (pixels_per_inch * 100.0).round() as u32,
        d: 100,
    }
}

/// Gray with an extra sample, which the library has no type for.
struct GrayAlpha8;

impl ColorType for GrayAlpha8 {
    type Inner = u8;
    const TIFF_VALUE: PhotometricInterpretation = PhotometricInterpretation::BlackIsZero;
    const BITS_PER_SAMPLE: &'static [u16] = &[8, 8];
    const SAMPLE_FORMAT: &'static [SampleFormat] = &[SampleFormat::Uint; 2];

    fn horizontal_predict(row: &[u8], result: &mut Vec<u8>) {
        let (first, rest) = row.split_at(2);
        result.extend_from_slice(first);
        result.extend(rest.iter().zip(row).map(|(b, a)| b.wrapping_sub(*a)));
    }
}

/// Bytes of the field type UNDEFINED, which the ICC specification asks for (ICC.1, annex B.4).
struct Undefined<'a>(&'a [u8]);

impl TiffValue for Undefined<'_> {
    const BYTE_LEN: u8 = 1;
    const FIELD_TYPE: Type = Type::UNDEFINED;

    fn count(&self) -> usize {
        self.0.len()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.0)
    }
}

#[cfg(test)]
mod tests {
    use tiff::decoder::{Decoder, DecodingResult, ifd::Value};

    use super::*;
    use crate::encode::testing::{encode_to, pattern};
    use crate::iiif::format::Format;
    use crate::raster::{Layout, Raster};

    fn reopened(source: &Raster) -> Decoder<Cursor<Vec<u8>>> {
        Decoder::new(Cursor::new(encode_to(Format::Tif, source))).unwrap()
    }

    #[test]
    fn every_sample_survives_alpha_too() {
        for layout in [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba] {
            let source = pattern(layout);
            let mut decoder = reopened(&source);
            assert_eq!(decoder.dimensions().unwrap(), (40, 30));
            let DecodingResult::U8(samples) = decoder.read_image().unwrap() else {
                panic!("{layout:?} has 8 bits")
            };
            assert_eq!(Some(&samples[..]), source.as_u8(), "{layout:?}");
        }
    }

    /// TIFF 6.0, section 18: unassociated alpha.
    #[test]
    fn alpha_is_declared_straight() {
        for layout in [Layout::GrayAlpha, Layout::Rgba] {
            let mut decoder = reopened(&pattern(layout));
            assert_eq!(decoder.get_tag_u16_vec(Tag::ExtraSamples).unwrap(), [2]);
            let samples = decoder.get_tag_u32(Tag::SamplesPerPixel).unwrap();
            assert_eq!(samples as usize, layout.channels());
        }
        assert!(
            reopened(&pattern(Layout::Rgb))
                .find_tag(Tag::ExtraSamples)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn the_resolution_is_per_inch() {
        let mut decoder = reopened(&pattern(Layout::Gray));
        assert_eq!(decoder.get_tag_u32(Tag::ResolutionUnit).unwrap(), 2);
        let x = decoder.get_tag(Tag::XResolution).unwrap();
        assert_eq!(x, Value::Rational(30_000, 100));
        let y = decoder.get_tag(Tag::YResolution).unwrap();
        assert_eq!(y, Value::Rational(15_000, 100));
    }

    #[test]
    fn colours_say_that_they_are_srgb() {
        let profile = reopened(&pattern(Layout::Rgb))
            .get_tag_u8_vec(Tag::IccProfile)
            .unwrap();
        assert_eq!(profile, srgb_profile());
        let mut gray = reopened(&pattern(Layout::Gray));
        assert!(gray.find_tag(Tag::IccProfile).unwrap().is_none());
    }
}
