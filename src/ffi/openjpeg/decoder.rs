//! Decoding an area of a codestream at a reduction.

use std::mem::MaybeUninit;
use std::ptr;
use std::slice;

use openjpeg_sys as raw;

use super::Error;
use super::assembly::Assembly;
use super::log::Log;
use super::stream::{Source, Stream};

/// What to decode: a rectangle of the reference grid (ISO/IEC 15444-1, B.2), far edges excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub x0: u32,
    pub y0: u32,
    pub x1: u32,
    pub y1: u32,
    /// How many times the resolution is halved.
    pub reduction: u8,
    /// How many tiles the rectangle touches: the answer is complete only if that many were decoded.
    pub tiles: u32,
}

/// Decodes part of a codestream on so many threads. Truncated and damaged data are errors, as far as OpenJPEG notices them.
///
/// # Errors
/// If the input cannot be read or OpenJPEG reports a problem.
pub fn decode(codestream: Assembly, part: &Part, threads: usize) -> Result<Image, Error> {
    let mut session = Session::new(Source::new(codestream))?;
    match session.decode(part, threads) {
        Ok(image) => Ok(image),
        Err(error) => Err(session.explain(error)),
    }
}

/// A codec with its stream and its log.
struct Session {
    codec: *mut raw::opj_codec_t,
    stream: Stream<Source>,
    /// From `Box::into_raw`; OpenJPEG's message handlers hold the same pointer.
    log: *mut Log,
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: both came from their allocators in `new` and are freed once, the codec that refers to the log first.
        unsafe {
            raw::opj_destroy_codec(self.codec);
            drop(Box::from_raw(self.log));
        }
    }
}

impl Session {
    fn new(source: Source) -> Result<Self, Error> {
        let stream = Stream::reading(source)?;
        // SAFETY: no preconditions; null means failure.
        let codec = unsafe { raw::opj_create_decompress(raw::CODEC_FORMAT::OPJ_CODEC_J2K) };
        if codec.is_null() {
            return Err(Error::codec("out of memory"));
        }
        let log = Box::into_raw(Box::default());
        // SAFETY: both pointers are live and owned by the session, which drops the codec first.
        unsafe { Log::attach(log, codec) };
        Ok(Self { codec, stream, log })
    }

    fn decode(&mut self, part: &Part, threads: usize) -> Result<Image, Error> {
        self.set_up(threads)?;
        let image = self.read_header()?;
        self.select(&image, part)?;
        // SAFETY: codec, stream and image are live and belong together.
        let done = unsafe { raw::opj_decode(self.codec, self.stream.as_ptr(), image.0) };
        self.check(done)?;
        self.check_complete(part)?;
        Ok(image)
    }

    fn set_up(&mut self, threads: usize) -> Result<(), Error> {
        let mut parameters = MaybeUninit::zeroed();
        // SAFETY: OpenJPEG fills the parameters with its defaults, on top of zeroes that are valid for every field.
        let done = unsafe {
            raw::opj_set_default_decoder_parameters(parameters.as_mut_ptr());
            raw::opj_setup_decoder(self.codec, parameters.as_mut_ptr())
        };
        self.check(done)?;
        // SAFETY: the codec is live.
        let done = unsafe { raw::opj_decoder_set_strict_mode(self.codec, 1) };
        self.check(done)?;
        // With helpers the calling thread waits for them. None has to be said, or an environment variable counts.
        let helpers = if threads > 1 { threads } else { 0 };
        let helpers = i32::try_from(helpers).unwrap_or(i32::MAX);
        // SAFETY: the codec is live, and has not begun to decode.
        let done = unsafe { raw::opj_codec_set_threads(self.codec, helpers) };
        self.check(done)
    }

    fn read_header(&mut self) -> Result<Image, Error> {
        let mut image = ptr::null_mut();
        // SAFETY: codec and stream are live; OpenJPEG allocates the image, also when it then fails.
        let done =
            unsafe { raw::opj_read_header(self.stream.as_ptr(), self.codec, &raw mut image) };
        let image = Image(image);
        self.check(done)?;
        if image.0.is_null() {
            return Err(Error::codec("no image"));
        }
        Ok(image)
    }

    fn select(&mut self, image: &Image, part: &Part) -> Result<(), Error> {
        let grid = |value| i32::try_from(value).map_err(|_| Error::codec("too large"));
        let (x0, y0) = (grid(part.x0)?, grid(part.y0)?);
        let (x1, y1) = (grid(part.x1)?, grid(part.y1)?);
        // SAFETY: codec and image are live and belong together; OpenJPEG checks the values.
        let done = unsafe {
            raw::opj_set_decoded_resolution_factor(self.codec, u32::from(part.reduction))
        };
        self.check(done)?;
        // SAFETY: as above.
        let done = unsafe { raw::opj_set_decode_area(self.codec, image.0, x0, y0, x1, y1) };
        self.check(done)
    }

    /// A single tile needs no count: without it OpenJPEG fails.
    fn check_complete(&self, part: &Part) -> Result<(), Error> {
        let decoded = self.log().tiles_decoded();
        if part.tiles > 1 && decoded < part.tiles {
            return Err(Error::codec(format!(
                "{} of {} tiles are missing",
                part.tiles - decoded,
                part.tiles
            )));
        }
        Ok(())
    }

    /// Failure is what OpenJPEG returns, and also every message about damage.
    fn check(&self, done: raw::OPJ_BOOL) -> Result<(), Error> {
        match self.log().problem() {
            Some(problem) => Err(Error::codec(problem)),
            None if done == 0 => Err(Error::codec("decoding failed")),
            None => Ok(()),
        }
    }

    /// An input that could not be read is the cause of all that OpenJPEG says after it.
    fn explain(&mut self, error: Error) -> Error {
        match self.stream.end().take_failure() {
            Some(failure) => Error::Io(failure),
            None => error,
        }
    }

    fn log(&self) -> &Log {
        // SAFETY: the log is live, and OpenJPEG, which shares it, runs only while one of its functions is called.
        unsafe { &*self.log }
    }
}

/// Decoded components, in OpenJPEG's memory.
pub struct Image(*mut raw::opj_image_t);

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: the image came from OpenJPEG and is destroyed once; null is allowed.
        unsafe { raw::opj_image_destroy(self.0) }
    }
}

/// The samples of one component.
pub struct Component<'a> {
    pub width: u32,
    pub height: u32,
    /// Row by row, without padding.
    pub samples: &'a [i32],
}

impl Image {
    /// The components in the order of the codestream.
    ///
    /// # Errors
    /// If one has no samples.
    pub fn components(&self) -> Result<Vec<Component<'_>>, Error> {
        // SAFETY: the image is live and has `numcomps` components.
        let components = unsafe {
            let image = &*self.0;
            if image.comps.is_null() {
                return Err(Error::codec("no components"));
            }
            slice::from_raw_parts(image.comps, image.numcomps as usize)
        };
        components.iter().map(component).collect()
    }
}

fn component(component: &raw::opj_image_comp_t) -> Result<Component<'_>, Error> {
    let (width, height) = (component.w, component.h);
    if component.data.is_null() || width == 0 || height == 0 {
        return Err(Error::codec("a component without samples"));
    }
    // SAFETY: after decoding, `data` holds `w * h` samples, aligned by OpenJPEG's allocator and initialised.
    let samples =
        unsafe { slice::from_raw_parts(component.data, width as usize * height as usize) };
    Ok(Component {
        width,
        height,
        samples,
    })
}
