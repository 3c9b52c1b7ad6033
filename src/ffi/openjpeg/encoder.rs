//! Encoding components to a codestream.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;
use std::slice;

use openjpeg_sys as raw;

use super::Error;
use super::log::Log;
use super::stream::{Sink, Stream};
use crate::geometry::Dimensions;

/// One component to encode.
pub struct Plane {
    /// Reference grid points from one sample to the next, across and down.
    pub step: (u32, u32),
    pub precision: u8,
    pub signed: bool,
    /// Row by row; one for every grid point of the image at a multiple of the step.
    pub samples: Vec<i32>,
}

/// Whether samples come back exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coded {
    /// The reversible 5-3 transform.
    Lossless,
    /// The irreversible 9-7 transform, this many times smaller than the samples.
    Lossy { ratio: u8 },
}

/// How to encode.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    pub coded: Coded,
    /// Decomposition levels and the image itself: one or more.
    pub resolutions: u8,
    /// The RGB-to-luma-and-chroma transform of the codestream, for three components and more.
    pub color_transform: bool,
    /// The offset of the image on the reference grid.
    pub origin: (u32, u32),
    pub tile: Option<Dimensions>,
    /// The side of the largest precincts, a power of two; those of each smaller resolution have half of it.
    pub precinct: Option<u32>,
}

/// Encodes an image of these dimensions on the reference grid.
///
/// # Errors
/// If OpenJPEG refuses the parameters.
///
/// # Panics
/// If the samples of a plane do not fill the image.
pub fn encode(
    planes: &[Plane],
    dimensions: Dimensions,
    encoding: &Encoding,
) -> Result<Vec<u8>, Error> {
    let image = Image::new(planes, dimensions, encoding.origin)?;
    let mut session = Session::new()?;
    session.encode(&image, encoding)?;
    Ok(std::mem::take(&mut session.stream.end().bytes))
}

struct Image(*mut raw::opj_image_t);

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: the image came from OpenJPEG and is destroyed once.
        unsafe { raw::opj_image_destroy(self.0) }
    }
}

impl Image {
    fn new(planes: &[Plane], dimensions: Dimensions, origin: (u32, u32)) -> Result<Self, Error> {
        let mut parameters: Vec<_> = planes
            .iter()
            .map(|plane| component_parameters(plane, dimensions, origin))
            .collect();
        // SAFETY: the parameters are as many as said. OpenJPEG copies them.
        let image = unsafe {
            raw::opj_image_create(
                u32::try_from(planes.len()).map_err(|_| Error::codec("too many components"))?,
                parameters.as_mut_ptr(),
                raw::COLOR_SPACE::OPJ_CLRSPC_UNSPECIFIED,
            )
        };
        if image.is_null() {
            return Err(Error::codec("out of memory"));
        }
        let image = Self(image);
        image.place(dimensions, origin);
        image.fill(planes);
        Ok(image)
    }

    fn place(&self, dimensions: Dimensions, (x0, y0): (u32, u32)) {
        // SAFETY: the image is live and ours alone.
        let image = unsafe { &mut *self.0 };
        (image.x0, image.y0) = (x0, y0);
        (image.x1, image.y1) = (x0 + dimensions.width(), y0 + dimensions.height());
    }

    fn fill(&self, planes: &[Plane]) {
        // SAFETY: OpenJPEG made one component for each plane.
        let components = unsafe { slice::from_raw_parts_mut((*self.0).comps, planes.len()) };
        for (component, plane) in components.iter_mut().zip(planes) {
            let length = component.w as usize * component.h as usize;
            assert_eq!(plane.samples.len(), length, "samples fill the component");
            // SAFETY: OpenJPEG allocated `w * h` samples and set them to zero.
            let samples = unsafe { slice::from_raw_parts_mut(component.data, length) };
            samples.copy_from_slice(&plane.samples);
        }
    }
}

fn component_parameters(
    plane: &Plane,
    dimensions: Dimensions,
    origin: (u32, u32),
) -> raw::opj_image_cmptparm_t {
    let extent =
        |from: u32, length: u32, step: u32| (from + length).div_ceil(step) - from.div_ceil(step);
    let (dx, dy) = plane.step;
    raw::opj_image_cmptparm_t {
        dx,
        dy,
        w: extent(origin.0, dimensions.width(), dx),
        h: extent(origin.1, dimensions.height(), dy),
        x0: origin.0,
        y0: origin.1,
        prec: u32::from(plane.precision),
        bpp: u32::from(plane.precision),
        sgnd: u32::from(plane.signed),
    }
}

struct Session {
    codec: *mut raw::opj_codec_t,
    stream: Stream<Sink>,
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
    fn new() -> Result<Self, Error> {
        let stream = Stream::writing()?;
        // SAFETY: no preconditions; null means failure.
        let codec = unsafe { raw::opj_create_compress(raw::CODEC_FORMAT::OPJ_CODEC_J2K) };
        if codec.is_null() {
            return Err(Error::codec("out of memory"));
        }
        let log = Box::into_raw(Box::default());
        // SAFETY: both pointers are live and owned by the session, which drops the codec first.
        unsafe { Log::attach(log, codec) };
        Ok(Self { codec, stream, log })
    }

    fn encode(&mut self, image: &Image, encoding: &Encoding) -> Result<(), Error> {
        let mut parameters = parameters(encoding)?;
        let stream = self.stream.as_ptr();
        // SAFETY: codec, stream and image are live; OpenJPEG copies what it keeps of the parameters.
        unsafe {
            let done = raw::opj_setup_encoder(self.codec, &raw mut parameters, image.0);
            self.check(done)?;
            self.check(raw::opj_start_compress(self.codec, image.0, stream))?;
            self.check(raw::opj_encode(self.codec, stream))?;
            self.check(raw::opj_end_compress(self.codec, stream))
        }
    }

    fn check(&self, done: raw::OPJ_BOOL) -> Result<(), Error> {
        if done != 0 {
            return Ok(());
        }
        // SAFETY: the log is live, and OpenJPEG, which shares it, runs only while one of its functions is called.
        let problem = unsafe { &*self.log }.problem();
        Err(Error::codec(problem.unwrap_or("encoding failed")))
    }
}

fn parameters(encoding: &Encoding) -> Result<raw::opj_cparameters_t, Error> {
    let mut parameters = MaybeUninit::zeroed();
    // SAFETY: OpenJPEG fills the parameters with its defaults, on top of zeroes that are valid for every field.
    let mut parameters: raw::opj_cparameters_t = unsafe {
        raw::opj_set_default_encoder_parameters(parameters.as_mut_ptr());
        parameters.assume_init()
    };
    parameters.numresolution = c_int::from(encoding.resolutions);
    parameters.tcp_mct = c_char::from(encoding.color_transform);
    parameters.tcp_numlayers = 1;
    parameters.cp_disto_alloc = 1;
    if let Coded::Lossy { ratio } = encoding.coded {
        parameters.irreversible = 1;
        parameters.tcp_rates[0] = f32::from(ratio);
    }
    if let Some(tile) = encoding.tile {
        parameters.tile_size_on = 1;
        parameters.cp_tdx = to_int(tile.width())?;
        parameters.cp_tdy = to_int(tile.height())?;
    }
    if let Some(side) = encoding.precinct {
        const DECLARED: c_int = 1;
        parameters.csty |= DECLARED;
        parameters.res_spec = 1;
        parameters.prcw_init[0] = to_int(side)?;
        parameters.prch_init[0] = to_int(side)?;
    }
    Ok(parameters)
}

fn to_int(value: u32) -> Result<c_int, Error> {
    c_int::try_from(value).map_err(|_| Error::codec("a side is too long"))
}
