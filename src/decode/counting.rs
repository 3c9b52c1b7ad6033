//! A decoder for tests that counts what it decodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Aids, DecodeError, Decoder, Header, Limits, Window};
use crate::raster::Raster;

pub struct Counting {
    pub inner: Box<dyn Decoder>,
    /// Windows beyond this column are broken.
    broken_from: u32,
    decoded: AtomicUsize,
}

impl Counting {
    /// One of the test images.
    pub fn new(name: &str) -> Self {
        let bytes = std::fs::read(format!("fixtures/images/{name}")).unwrap();
        Self {
            inner: super::open(Arc::new(bytes), &Limits::default()).unwrap(),
            broken_from: u32::MAX,
            decoded: AtomicUsize::new(0),
        }
    }

    /// The same, of which all beyond the first columns is broken.
    pub fn broken_from(self, column: u32) -> Self {
        Self {
            broken_from: column,
            ..self
        }
    }

    pub fn count(&self) -> usize {
        self.decoded.load(Ordering::Relaxed)
    }
}

impl Decoder for Counting {
    fn header(&self) -> &Header {
        self.inner.header()
    }

    fn read_ahead(&self, window: &Window) -> Result<(), DecodeError> {
        self.inner.read_ahead(window)
    }

    fn decode(&self, window: &Window) -> Result<Raster, DecodeError> {
        self.decode_with(window, Aids::NONE)
    }

    fn decode_with(&self, window: &Window, aids: Aids<'_>) -> Result<Raster, DecodeError> {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        if window.rect.right() > self.broken_from {
            return Err(DecodeError::malformed("a test image", "broken"));
        }
        self.inner.decode_with(window, aids)
    }
}
