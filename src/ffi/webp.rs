//! WebP encoding by libwebp.

use std::ffi::c_int;

use libwebp_sys as raw;

use crate::geometry::Dimensions;

/// What libwebp reported.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(&'static str);

/// The interleaved samples that go in, 8 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pixels {
    Rgb,
    Rgba,
}

impl Pixels {
    const fn channels(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// How hard libwebp tries, 0 to 6. On photographs each of the first steps costs half as much time again and saves two
/// or three per cent: not for tiles that are waited for.
const METHOD: c_int = 0;

/// Encodes lossily at a quality from 1 to 100; alpha is lossless.
///
/// # Errors
/// If a side is longer than 16,383 pixels or memory runs out.
///
/// # Panics
/// If the samples do not fill the dimensions.
pub fn encode(
    samples: &[u8],
    dimensions: Dimensions,
    pixels: Pixels,
    quality: u8,
) -> Result<Vec<u8>, Error> {
    let expected = dimensions.area() * pixels.channels() as u64;
    assert_eq!(samples.len() as u64, expected, "samples fill the image");
    let config = config(quality)?;
    let mut picture = Picture::new(dimensions)?;
    picture.import(samples, pixels)?;
    picture.encode(&config)
}

fn config(quality: u8) -> Result<raw::WebPConfig, Error> {
    let mut config =
        raw::WebPConfig::new().map_err(|()| Error("another version of libwebp is linked"))?;
    config.quality = f32::from(quality);
    config.method = METHOD;
    config.alpha_quality = 100;
    // SAFETY: a reference to an initialised structure, which is only read.
    if unsafe { raw::WebPValidateConfig(&raw const config) } == 0 {
        return Err(Error("the quality is out of range"));
    }
    Ok(config)
}

struct Picture(raw::WebPPicture);

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: the structure was initialised, and frees what it owns once.
        unsafe { raw::WebPPictureFree(&raw mut self.0) }
    }
}

impl Picture {
    fn new(dimensions: Dimensions) -> Result<Self, Error> {
        let side = |side: u32| c_int::try_from(side).map_err(|_| Error("a side is too long"));
        let mut picture =
            raw::WebPPicture::new().map_err(|()| Error("another version of libwebp is linked"))?;
        picture.width = side(dimensions.width())?;
        picture.height = side(dimensions.height())?;
        Ok(Self(picture))
    }

    /// Copies the samples into the planes of the picture, which libwebp allocates.
    fn import(&mut self, samples: &[u8], pixels: Pixels) -> Result<(), Error> {
        let channels = pixels.channels() as c_int;
        let stride = self.0.width.checked_mul(channels);
        let stride = stride.ok_or(Error("a side is too long"))?;
        let picture = &raw mut self.0;
        // SAFETY: `encode` checked that the samples fill the dimensions, in rows of `stride` bytes.
        let imported = unsafe {
            match pixels {
                Pixels::Rgb => raw::WebPPictureImportRGB(picture, samples.as_ptr(), stride),
                Pixels::Rgba => raw::WebPPictureImportRGBA(picture, samples.as_ptr(), stride),
            }
        };
        self.check(imported)
    }

    fn encode(&mut self, config: &raw::WebPConfig) -> Result<Vec<u8>, Error> {
        let mut writer = Writer::new();
        self.0.writer = Some(raw::WebPMemoryWrite);
        self.0.custom_ptr = (&raw mut writer.0).cast();
        // SAFETY: the configuration was validated, the picture has pixels, and the writer outlives the call.
        let encoded = unsafe { raw::WebPEncode(config, &raw mut self.0) };
        self.0.custom_ptr = std::ptr::null_mut();
        self.check(encoded)?;
        Ok(writer.bytes().to_vec())
    }

    fn check(&self, status: c_int) -> Result<(), Error> {
        use raw::WebPEncodingError as E;
        if status != 0 {
            return Ok(());
        }
        Err(Error(match self.0.error_code {
            E::VP8_ENC_ERROR_OUT_OF_MEMORY | E::VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY => {
                "out of memory"
            }
            E::VP8_ENC_ERROR_BAD_DIMENSION => "a side is too long",
            E::VP8_ENC_ERROR_PARTITION0_OVERFLOW
            | E::VP8_ENC_ERROR_PARTITION_OVERFLOW
            | E::VP8_ENC_ERROR_FILE_TOO_BIG => "the image is too large for the format",
            _ => "libwebp failed",
        }))
    }
}

/// Memory that libwebp grows as it writes.
struct Writer(raw::WebPMemoryWriter);

impl Writer {
    fn new() -> Self {
        let mut writer = std::mem::MaybeUninit::uninit();
        // SAFETY: the function fills in every field.
        unsafe {
            raw::WebPMemoryWriterInit(writer.as_mut_ptr());
            Self(writer.assume_init())
        }
    }

    fn bytes(&self) -> &[u8] {
        if self.0.mem.is_null() {
            return &[];
        }
        // SAFETY: libwebp has written `size` bytes at `mem`, which live as long as the writer.
        unsafe { std::slice::from_raw_parts(self.0.mem, self.0.size) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: the memory is libwebp's own and is freed once.
        unsafe { raw::WebPMemoryWriterClear(&raw mut self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libwebp_reads_the_dimensions_back() {
        let dimensions = Dimensions::new(33, 17).unwrap();
        let webp = encode(&[128; 33 * 17 * 3], dimensions, Pixels::Rgb, 80).unwrap();
        let (mut width, mut height) = (0, 0);
        // SAFETY: pointer and length are those of one vector.
        let read =
            unsafe { raw::WebPGetInfo(webp.as_ptr(), webp.len(), &raw mut width, &raw mut height) };
        assert_eq!((read, width, height), (1, 33, 17));
    }

    #[test]
    fn sides_beyond_the_format_are_an_error() {
        let dimensions = Dimensions::new(16_384, 1).unwrap();
        let error = encode(&[0; 16_384 * 3], dimensions, Pixels::Rgb, 80).unwrap_err();
        assert_eq!(error.to_string(), "a side is too long");
    }
}
