//! OpenJPEG's streams over our inputs and buffers.

use std::ffi::c_void;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use openjpeg_sys as raw;

use super::Error;
use super::assembly::Assembly;

/// What OpenJPEG reads at once of marker segments. Code-blocks are read directly, tile-part by tile-part, whatever
/// their length.
const READ_BUFFER: usize = 16 << 10;
const WRITE_BUFFER: usize = 64 << 10;
/// OpenJPEG's sign of the end, and of failure.
const END: usize = usize::MAX;

/// An assembled codestream with a position.
pub struct Source {
    assembly: Assembly,
    position: u64,
    failure: Option<io::Error>,
}

impl Source {
    pub fn new(assembly: Assembly) -> Self {
        Self {
            assembly,
            position: 0,
            failure: None,
        }
    }

    /// The error of the input because of which OpenJPEG was told that the stream ends.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn read(&mut self, buffer: &mut [u8]) -> Option<usize> {
        match self.read_at_position(buffer) {
            Ok(0) => None,
            Ok(length) => {
                self.position += length as u64;
                Some(length)
            }
            Err(error) => {
                self.failure = Some(error);
                None
            }
        }
    }

    /// A panic must not unwind through OpenJPEG's frames.
    fn read_at_position(&self, buffer: &mut [u8]) -> io::Result<usize> {
        catch_unwind(AssertUnwindSafe(|| {
            self.assembly.read(buffer, self.position)
        }))
        .unwrap_or_else(|_| Err(io::Error::other("the input panicked")))
    }

    fn seek(&mut self, position: Option<u64>) -> bool {
        match position {
            Some(position) if position <= self.assembly.length() => {
                self.position = position;
                true
            }
            _ => false,
        }
    }
}

/// Bytes that OpenJPEG writes.
#[derive(Default)]
pub struct Sink {
    pub bytes: Vec<u8>,
    position: usize,
}

impl Sink {
    fn write(&mut self, bytes: &[u8]) {
        let end = self.position + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[self.position..end].copy_from_slice(bytes);
        self.position = end;
    }
}

/// An OpenJPEG stream, and what it reads from or writes to.
pub struct Stream<T> {
    raw: *mut raw::opj_stream_t,
    /// From `Box::into_raw`; OpenJPEG's callbacks hold the same pointer.
    end: *mut T,
}

impl<T> Drop for Stream<T> {
    fn drop(&mut self) {
        // SAFETY: both came from their allocators in `new` and are freed once, the stream that refers to the other first.
        unsafe {
            raw::opj_stream_destroy(self.raw);
            drop(Box::from_raw(self.end));
        }
    }
}

impl<T> Stream<T> {
    fn new(end: T, buffer: usize, input: bool) -> Result<Self, Error> {
        // SAFETY: no preconditions; null means failure.
        let raw = unsafe { raw::opj_stream_create(buffer, raw::OPJ_BOOL::from(input)) };
        if raw.is_null() {
            return Err(Error::codec("out of memory"));
        }
        let end = Box::into_raw(Box::new(end));
        // SAFETY: the stream is live, and `end` lives as long; without a function to free it OpenJPEG leaves it alone.
        unsafe { raw::opj_stream_set_user_data(raw, end.cast(), None) };
        Ok(Self { raw, end })
    }

    pub fn as_ptr(&self) -> *mut raw::opj_stream_t {
        self.raw
    }

    /// The far end of the stream, between calls into OpenJPEG.
    pub fn end(&mut self) -> &mut T {
        // SAFETY: `end` is live, and OpenJPEG, which shares it, runs only while one of its functions is called.
        unsafe { &mut *self.end }
    }
}

impl Stream<Source> {
    pub fn reading(source: Source) -> Result<Self, Error> {
        let length = source.assembly.length();
        let stream = Self::new(source, READ_BUFFER, true)?;
        // SAFETY: the stream is live and its user data is a `Source`, as the callbacks assume.
        unsafe {
            raw::opj_stream_set_user_data_length(stream.raw, length);
            raw::opj_stream_set_read_function(stream.raw, Some(on_read));
            raw::opj_stream_set_skip_function(stream.raw, Some(on_read_skip));
            raw::opj_stream_set_seek_function(stream.raw, Some(on_read_seek));
        }
        Ok(stream)
    }
}

impl Stream<Sink> {
    pub fn writing() -> Result<Self, Error> {
        let stream = Self::new(Sink::default(), WRITE_BUFFER, false)?;
        // SAFETY: the stream is live and its user data is a `Sink`, as the callbacks assume.
        unsafe {
            raw::opj_stream_set_write_function(stream.raw, Some(on_write));
            raw::opj_stream_set_skip_function(stream.raw, Some(on_write_skip));
            raw::opj_stream_set_seek_function(stream.raw, Some(on_write_seek));
        }
        Ok(stream)
    }
}

unsafe extern "C" fn on_read(buffer: *mut c_void, length: usize, source: *mut c_void) -> usize {
    if length == 0 {
        return 0;
    }
    // SAFETY: OpenJPEG passes the user data of a reading stream, and a buffer of `length` bytes that nobody else
    // touches. The bytes may be fresh from the allocator; they are set before they are seen.
    let (source, buffer) = unsafe {
        buffer.cast::<u8>().write_bytes(0, length);
        let buffer = std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length);
        (&mut *source.cast::<Source>(), buffer)
    };
    source.read(buffer).unwrap_or(END)
}

unsafe extern "C" fn on_read_skip(bytes: i64, source: *mut c_void) -> i64 {
    // SAFETY: OpenJPEG passes the user data of a reading stream.
    let source = unsafe { &mut *source.cast::<Source>() };
    let target = source.position.checked_add_signed(bytes);
    if source.seek(target) { bytes } else { -1 }
}

unsafe extern "C" fn on_read_seek(position: i64, source: *mut c_void) -> raw::OPJ_BOOL {
    // SAFETY: OpenJPEG passes the user data of a reading stream.
    let source = unsafe { &mut *source.cast::<Source>() };
    source.seek(u64::try_from(position).ok()).into()
}

unsafe extern "C" fn on_write(buffer: *mut c_void, length: usize, sink: *mut c_void) -> usize {
    if length == 0 {
        return 0;
    }
    // SAFETY: OpenJPEG passes the user data of a writing stream, and a buffer with `length` bytes.
    let (sink, bytes) = unsafe {
        let bytes = std::slice::from_raw_parts(buffer.cast::<u8>(), length);
        (&mut *sink.cast::<Sink>(), bytes)
    };
    sink.write(bytes);
    length
}

unsafe extern "C" fn on_write_skip(bytes: i64, sink: *mut c_void) -> i64 {
    // SAFETY: OpenJPEG passes the user data of a writing stream.
    let sink = unsafe { &mut *sink.cast::<Sink>() };
    match usize::try_from(bytes) {
        Ok(step) => {
            sink.position += step;
            bytes
        }
        Err(_) => -1,
    }
}

unsafe extern "C" fn on_write_seek(position: i64, sink: *mut c_void) -> raw::OPJ_BOOL {
    // SAFETY: OpenJPEG passes the user data of a writing stream.
    let sink = unsafe { &mut *sink.cast::<Sink>() };
    match usize::try_from(position) {
        Ok(position) => {
            sink.position = position;
            1
        }
        Err(_) => 0,
    }
}
