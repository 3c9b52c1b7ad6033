//! JPEG by libjpeg-turbo's TurboJPEG 3 interface: scaled and cropped decoding, encoding.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use turbojpeg_sys as raw;

use crate::geometry::{Dimensions, Rect};

/// Scans of a progressive JPEG. Encoders make about ten; each passes over the whole image, so a file of a few megabytes
/// could keep a decoder busy for hours.
const MOST_SCANS: c_int = 500;

/// What libjpeg-turbo reported.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// The colour space of the coded components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorSpace {
    Gray,
    Rgb,
    YCbCr,
    Cmyk,
    Ycck,
}

/// What the frame header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub dimensions: Dimensions,
    pub color_space: ColorSpace,
    /// Width and height of the smallest coded unit, in pixels.
    pub mcu: Dimensions,
    /// Bits per sample.
    pub precision: u8,
    pub progressive: bool,
    pub lossless: bool,
    pub arithmetic: bool,
}

/// The interleaved samples that go in and come out, 8 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pixels {
    Gray,
    Rgb,
    /// As stored: Adobe's writers store the inverse of the amount of ink.
    Cmyk,
}

impl Pixels {
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }

    const fn raw(self) -> c_int {
        match self {
            Self::Gray => raw::TJPF_TJPF_GRAY,
            Self::Rgb => raw::TJPF_TJPF_RGB,
            Self::Cmyk => raw::TJPF_TJPF_CMYK,
        }
    }
}

/// The inverse DCT's reduction: each side divided by it, rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Full,
    Half,
    Quarter,
    Eighth,
}

impl Scale {
    pub const ALL: [Self; 4] = [Self::Full, Self::Half, Self::Quarter, Self::Eighth];

    pub const fn denominator(self) -> u32 {
        1 << self as u32
    }
}

/// Chroma sub-sampling of encoded images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subsampling {
    S444,
    S420,
}

/// Reads the frame header.
///
/// # Errors
/// If the bytes are no JPEG or an unsupported kind.
pub fn read_frame(jpeg: &[u8]) -> Result<Frame, Error> {
    Handle::decompressor()?.read_frame(jpeg)
}

/// Decodes the whole image, or of the scaled image a rectangle whose left edge is a multiple of the scaled coded unit.
///
/// Columns next to the left and right edges of a rectangle may differ from those of the whole image by the chroma
/// interpolation, which does not look beyond it.
///
/// # Errors
/// If the data are broken or end too early; warnings about missing or damaged data are errors here.
pub fn decode(
    jpeg: &[u8],
    pixels: Pixels,
    scale: Scale,
    rect: Option<Rect>,
) -> Result<Vec<u8>, Error> {
    let mut handle = Handle::decompressor()?;
    let frame = handle.read_frame(jpeg)?;
    handle.set_scale(scale)?;
    let extent = match rect {
        Some(rect) => {
            handle.set_crop(Some(rect))?;
            rect.dimensions()
        }
        None => scaled(frame.dimensions, scale),
    };
    handle.decompress(jpeg, pixels, extent)
}

/// Decodes one JPEG after the other; making it takes longer than decoding a small one.
pub struct Decompressor(Handle);

impl Decompressor {
    /// # Errors
    /// If there is no memory.
    pub fn new() -> Result<Self, Error> {
        Handle::decompressor().map(Self)
    }

    /// Reads the frame header.
    ///
    /// # Errors
    /// If the bytes are no JPEG or an unsupported kind.
    pub fn open<'a>(&'a mut self, jpeg: &'a [u8]) -> Result<Opened<'a>, Error> {
        let frame = self.0.read_frame(jpeg)?;
        let handle = &mut self.0;
        Ok(Opened {
            handle,
            jpeg,
            frame,
        })
    }
}

/// A JPEG whose frame header was read.
pub struct Opened<'a> {
    handle: &'a mut Handle,
    jpeg: &'a [u8],
    pub frame: Frame,
}

impl Opened<'_> {
    /// Decodes the uppermost rows into `samples`, where a row begins every `stride` samples.
    ///
    /// # Errors
    /// If the data are broken or end too early.
    ///
    /// # Panics
    /// If the samples do not hold the rows, or the image has fewer.
    pub fn decode_rows(
        self,
        pixels: Pixels,
        rows: u32,
        samples: &mut [u8],
        stride: usize,
    ) -> Result<(), Error> {
        let Self {
            handle,
            jpeg,
            frame,
        } = self;
        let extent = Dimensions::at_least_one(frame.dimensions.width(), rows);
        assert!(extent.fits_in(frame.dimensions), "the image has the rows");
        handle.set_scale(Scale::Full)?;
        if frame.lossless {
            // libjpeg-turbo decodes no part of these.
            handle.set_crop(None)?;
            let all = handle.decompress(jpeg, pixels, frame.dimensions)?;
            let row = extent.width() as usize * pixels.channels();
            let rows = all.chunks_exact(row).take(rows as usize);
            for (to, from) in samples.chunks_mut(stride).zip(rows) {
                to[..row].copy_from_slice(from);
            }
            return Ok(());
        }
        handle.set_crop(Some(Rect::whole(extent)))?;
        handle.decompress_onto(jpeg, pixels, extent, samples, stride)
    }
}

/// The dimensions that decoding at a scale gives.
pub fn scaled(dimensions: Dimensions, scale: Scale) -> Dimensions {
    let denominator = scale.denominator();
    Dimensions::at_least_one(
        dimensions.width().div_ceil(denominator),
        dimensions.height().div_ceil(denominator),
    )
}

/// How to encode.
#[derive(Clone, Copy, Debug)]
pub struct Encoding<'a> {
    /// 1 to 100.
    pub quality: u8,
    pub subsampling: Subsampling,
    /// Pixels per inch for the JFIF header.
    pub density: Option<(u16, u16)>,
    /// ICC profile to embed.
    pub profile: Option<&'a [u8]>,
}

/// Encodes a baseline JPEG.
///
/// # Errors
/// If a side is longer than 65,500 pixels.
///
/// # Panics
/// If the samples do not fill the dimensions.
pub fn encode(
    samples: &[u8],
    dimensions: Dimensions,
    pixels: Pixels,
    encoding: &Encoding<'_>,
) -> Result<Vec<u8>, Error> {
    let expected = dimensions.area() * pixels.channels() as u64;
    assert_eq!(samples.len() as u64, expected, "samples fill the image");
    let mut handle = Handle::compressor()?;
    handle.set_encoding(pixels, encoding)?;
    handle.compress(samples, dimensions, pixels)
}

struct Handle(raw::tjhandle);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle came from `tj3Init` and is destroyed once.
        unsafe { raw::tj3Destroy(self.0) }
    }
}

impl Handle {
    fn decompressor() -> Result<Self, Error> {
        let mut handle = Self::new(raw::TJINIT_TJINIT_DECOMPRESS as c_int)?;
        handle.set(raw::TJPARAM_TJPARAM_SCANLIMIT, MOST_SCANS)?;
        Ok(handle)
    }

    fn compressor() -> Result<Self, Error> {
        Self::new(raw::TJINIT_TJINIT_COMPRESS as c_int)
    }

    fn new(kind: c_int) -> Result<Self, Error> {
        // SAFETY: no preconditions; null means failure.
        let handle = unsafe { raw::tj3Init(kind) };
        if handle.is_null() {
            return Err(Error("out of memory".to_owned()));
        }
        Ok(Self(handle))
    }

    fn read_frame(&mut self, jpeg: &[u8]) -> Result<Frame, Error> {
        // SAFETY: pointer and length are those of one slice.
        let status = unsafe { raw::tj3DecompressHeader(self.0, jpeg.as_ptr(), jpeg.len() as u64) };
        self.check(status)?;
        let side = |parameter| u32::try_from(self.get(parameter)).unwrap_or(0);
        let dimensions = Dimensions::new(
            side(raw::TJPARAM_TJPARAM_JPEGWIDTH),
            side(raw::TJPARAM_TJPARAM_JPEGHEIGHT),
        )
        .ok_or_else(|| Error("a side of zero".to_owned()))?;
        Ok(Frame {
            dimensions,
            color_space: self.color_space()?,
            mcu: self.mcu(),
            precision: u8::try_from(self.get(raw::TJPARAM_TJPARAM_PRECISION)).unwrap_or(8),
            progressive: self.get(raw::TJPARAM_TJPARAM_PROGRESSIVE) == 1,
            lossless: self.get(raw::TJPARAM_TJPARAM_LOSSLESS) == 1,
            arithmetic: self.get(raw::TJPARAM_TJPARAM_ARITHMETIC) == 1,
        })
    }

    fn color_space(&self) -> Result<ColorSpace, Error> {
        match self.get(raw::TJPARAM_TJPARAM_COLORSPACE) as raw::TJCS {
            raw::TJCS_TJCS_RGB => Ok(ColorSpace::Rgb),
            raw::TJCS_TJCS_YCbCr => Ok(ColorSpace::YCbCr),
            raw::TJCS_TJCS_GRAY => Ok(ColorSpace::Gray),
            raw::TJCS_TJCS_CMYK => Ok(ColorSpace::Cmyk),
            raw::TJCS_TJCS_YCCK => Ok(ColorSpace::Ycck),
            _ => Err(Error("an unknown colour space".to_owned())),
        }
    }

    fn mcu(&self) -> Dimensions {
        let (width, height) = match self.get(raw::TJPARAM_TJPARAM_SUBSAMP) {
            raw::TJSAMP_TJSAMP_444 | raw::TJSAMP_TJSAMP_GRAY => (8, 8),
            raw::TJSAMP_TJSAMP_422 => (16, 8),
            raw::TJSAMP_TJSAMP_440 => (8, 16),
            raw::TJSAMP_TJSAMP_411 => (32, 8),
            raw::TJSAMP_TJSAMP_441 => (8, 32),
            raw::TJSAMP_TJSAMP_420 => (16, 16),
            // An unusual sub-sampling: the largest unit that JPEG allows.
            _ => (32, 32),
        };
        Dimensions::at_least_one(width, height)
    }

    fn set_scale(&mut self, scale: Scale) -> Result<(), Error> {
        let factor = raw::tjscalingfactor {
            num: 1,
            denom: to_int(scale.denominator())?,
        };
        // SAFETY: a live handle and a plain value.
        let status = unsafe { raw::tj3SetScalingFactor(self.0, factor) };
        self.check(status)
    }

    /// For all images to come, until it is set again.
    fn set_crop(&mut self, rect: Option<Rect>) -> Result<(), Error> {
        let [x, y, w, h] = match rect {
            Some(rect) => [rect.x(), rect.y(), rect.width(), rect.height()],
            // `TJUNCROPPED`.
            None => [0; 4],
        };
        let region = raw::tjregion {
            x: to_int(x)?,
            y: to_int(y)?,
            w: to_int(w)?,
            h: to_int(h)?,
        };
        // SAFETY: a live handle and a plain value; libjpeg-turbo checks it against the image.
        let status = unsafe { raw::tj3SetCroppingRegion(self.0, region) };
        self.check(status)
    }

    fn decompress(
        &mut self,
        jpeg: &[u8],
        pixels: Pixels,
        extent: Dimensions,
    ) -> Result<Vec<u8>, Error> {
        let stride = extent.width() as usize * pixels.channels();
        let mut samples = vec![0; stride * extent.height() as usize];
        self.decompress_onto(jpeg, pixels, extent, &mut samples, stride)?;
        Ok(samples)
    }

    fn decompress_onto(
        &mut self,
        jpeg: &[u8],
        pixels: Pixels,
        extent: Dimensions,
        samples: &mut [u8],
        stride: usize,
    ) -> Result<(), Error> {
        let row = extent.width() as usize * pixels.channels();
        let needed = stride * (extent.height() as usize - 1) + row;
        assert!(
            row <= stride && needed <= samples.len(),
            "the samples hold the rows"
        );
        // SAFETY: the header was read and the scale and crop set, so libjpeg-turbo writes `extent.height()` rows of
        // `row` bytes, one every `stride`, which `samples` holds.
        let status = unsafe {
            raw::tj3Decompress8(
                self.0,
                jpeg.as_ptr(),
                jpeg.len() as u64,
                samples.as_mut_ptr(),
                c_int::try_from(stride).map_err(|_| Error("too wide".to_owned()))?,
                pixels.raw(),
            )
        };
        self.check(status)
    }

    fn set_encoding(&mut self, pixels: Pixels, encoding: &Encoding<'_>) -> Result<(), Error> {
        let subsampling = match (pixels, encoding.subsampling) {
            (Pixels::Gray, _) => raw::TJSAMP_TJSAMP_GRAY,
            (_, Subsampling::S444) => raw::TJSAMP_TJSAMP_444,
            (_, Subsampling::S420) => raw::TJSAMP_TJSAMP_420,
        };
        self.set(raw::TJPARAM_TJPARAM_QUALITY, c_int::from(encoding.quality))?;
        self.set(raw::TJPARAM_TJPARAM_SUBSAMP, subsampling)?;
        if let Some((x, y)) = encoding.density {
            const PIXELS_PER_INCH: c_int = 1;
            self.set(raw::TJPARAM_TJPARAM_DENSITYUNITS, PIXELS_PER_INCH)?;
            self.set(raw::TJPARAM_TJPARAM_XDENSITY, c_int::from(x))?;
            self.set(raw::TJPARAM_TJPARAM_YDENSITY, c_int::from(y))?;
        }
        if let Some(profile) = encoding.profile {
            // SAFETY: libjpeg-turbo copies the profile and does not write to it.
            let status = unsafe {
                raw::tj3SetICCProfile(self.0, profile.as_ptr().cast_mut(), profile.len() as u64)
            };
            self.check(status)?;
        }
        Ok(())
    }

    fn compress(
        &mut self,
        samples: &[u8],
        dimensions: Dimensions,
        pixels: Pixels,
    ) -> Result<Vec<u8>, Error> {
        let mut output = Output::EMPTY;
        // SAFETY: `encode` checked that the samples fill the dimensions; libjpeg-turbo allocates the buffer and says
        // how much of it is filled.
        let status = unsafe {
            raw::tj3Compress8(
                self.0,
                samples.as_ptr(),
                to_int(dimensions.width())?,
                0,
                to_int(dimensions.height())?,
                pixels.raw(),
                &raw mut output.buffer,
                &raw mut output.size,
            )
        };
        self.check(status)?;
        Ok(output.to_vec())
    }

    fn set(&mut self, parameter: raw::TJPARAM, value: c_int) -> Result<(), Error> {
        // SAFETY: a live handle and plain values; libjpeg-turbo checks their range.
        let status = unsafe { raw::tj3Set(self.0, parameter as c_int, value) };
        self.check(status)
    }

    fn get(&self, parameter: raw::TJPARAM) -> c_int {
        // SAFETY: a live handle and a plain value.
        unsafe { raw::tj3Get(self.0, parameter as c_int) }
    }

    fn check(&mut self, status: c_int) -> Result<(), Error> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: the string is valid until the next call with this handle.
        let (text, code) = unsafe {
            let text = CStr::from_ptr(raw::tj3GetErrorStr(self.0));
            (
                text.to_string_lossy().into_owned(),
                raw::tj3GetErrorCode(self.0),
            )
        };
        if code == raw::TJERR_TJERR_WARNING as c_int && is_harmless(&text) {
            return Ok(());
        }
        Err(Error(text))
    }
}

/// A JPEG in memory that libjpeg-turbo allocates, and how much of it is filled.
struct Output {
    buffer: *mut u8,
    size: u64,
}

impl Output {
    const EMPTY: Self = Self {
        buffer: ptr::null_mut(),
        size: 0,
    };

    fn to_vec(&self) -> Vec<u8> {
        if self.buffer.is_null() {
            return Vec::new();
        }
        // SAFETY: libjpeg-turbo filled `size` bytes at `buffer`.
        unsafe { std::slice::from_raw_parts(self.buffer, self.size as usize).to_vec() }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // SAFETY: the buffer is null or came from libjpeg-turbo, and is freed once, by its own allocator.
        unsafe { raw::tj3Free(self.buffer.cast::<c_void>()) }
    }
}

/// Warnings that leave every pixel as coded. All others mean that data are missing or damaged, and libjpeg-turbo has
/// made pixels up.
fn is_harmless(warning: &str) -> bool {
    const HARMLESS: [&str; 4] = [
        "extraneous bytes before marker",
        "Unknown Adobe color transform code",
        "Invalid SOS parameters for sequential JPEG",
        "Inconsistent progression sequence",
    ];
    HARMLESS.iter().any(|known| warning.contains(known))
}

fn to_int(value: u32) -> Result<c_int, Error> {
    c_int::try_from(value).map_err(|_| Error("a side is too long".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient() -> (Vec<u8>, Dimensions) {
        let dimensions = Dimensions::new(64, 48).unwrap();
        let samples = (0..48_u8)
            .flat_map(|y| (0..64_u8).flat_map(move |x| [x * 4, y * 5, 128]))
            .collect();
        (samples, dimensions)
    }

    fn encoded() -> Vec<u8> {
        let (samples, dimensions) = gradient();
        let encoding = Encoding {
            quality: 95,
            subsampling: Subsampling::S444,
            density: Some((300, 300)),
            profile: None,
        };
        encode(&samples, dimensions, Pixels::Rgb, &encoding).unwrap()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let (samples, dimensions) = gradient();
        let jpeg = encoded();
        assert_eq!(read_frame(&jpeg).unwrap().dimensions, dimensions);
        let decoded = decode(&jpeg, Pixels::Rgb, Scale::Full, None).unwrap();
        let worst = samples
            .iter()
            .zip(&decoded)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(worst <= Some(8), "{worst:?}");
    }

    #[test]
    fn a_rectangle_of_a_scaled_image_has_its_own_dimensions() {
        let rect = Rect::new(8, 3, 20, 10).unwrap();
        let decoded = decode(&encoded(), Pixels::Gray, Scale::Half, Some(rect)).unwrap();
        assert_eq!(decoded.len(), 200);
    }

    /// A progressive JPEG whose last scan comes so many times more.
    fn with_repeated_scan(times: usize) -> Vec<u8> {
        let (samples, dimensions) = gradient();
        let mut handle = Handle::compressor().unwrap();
        handle
            .set(raw::TJPARAM_TJPARAM_SUBSAMP, raw::TJSAMP_TJSAMP_444)
            .unwrap();
        handle.set(raw::TJPARAM_TJPARAM_QUALITY, 95).unwrap();
        handle.set(raw::TJPARAM_TJPARAM_PROGRESSIVE, 1).unwrap();
        let jpeg = handle.compress(&samples, dimensions, Pixels::Rgb).unwrap();
        let (start, end) = jpeg.split_at(jpeg.len() - 2);
        let last_scan = start.windows(2).rposition(|two| two == [0xFF, 0xDA]);
        let scan = &start[last_scan.unwrap()..];
        [start, &scan.repeat(times), end].concat()
    }

    #[test]
    fn the_uppermost_rows_are_decoded_whatever_the_process() {
        let (samples, dimensions) = gradient();
        let mut handle = Handle::compressor().unwrap();
        handle.set(raw::TJPARAM_TJPARAM_LOSSLESS, 1).unwrap();
        let lossless = handle.compress(&samples, dimensions, Pixels::Rgb).unwrap();
        let mut decompressor = Decompressor::new().unwrap();
        for jpeg in [&encoded(), &lossless] {
            let whole = decode(jpeg, Pixels::Rgb, Scale::Full, None).unwrap();
            for rows in [20, 48, 7] {
                let mut found = vec![0; rows as usize * 64 * 3];
                let opened = decompressor.open(jpeg).unwrap();
                let decoded = opened.decode_rows(Pixels::Rgb, rows, &mut found, 64 * 3);
                assert!(decoded.is_ok(), "{rows} rows: {decoded:?}");
                assert!(found == whole[..found.len()], "{rows} rows");
            }
        }
    }

    /// K04.
    #[test]
    fn a_jpeg_of_endlessly_many_scans_is_refused() {
        let decoded = |times| {
            let jpeg = with_repeated_scan(times);
            decode(&jpeg, Pixels::Rgb, Scale::Full, None)
        };
        assert!(decoded(0).is_ok());
        assert!(decoded(400).is_ok());
        let error = decoded(500).unwrap_err().to_string();
        assert!(error.contains("more than 500 scans"), "{error}");
    }

    #[test]
    fn truncated_data_are_an_error() {
        let jpeg = encoded();
        for length in [0, 2, 100, jpeg.len() / 2, jpeg.len() - 20] {
            assert!(
                decode(&jpeg[..length], Pixels::Rgb, Scale::Full, None).is_err(),
                "{length} bytes"
            );
        }
    }
}
