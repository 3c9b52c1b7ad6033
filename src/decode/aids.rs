//! What a decode may make use of.

use std::sync::Arc;

use super::Window;
use crate::raster::Raster;

/// What a decode may make use of. It changes how long it takes, and no pixel.
#[derive(Clone, Copy)]
pub struct Aids<'a> {
    /// Threads that may be used at once, the caller's among them.
    pub threads: usize,
    /// Where tiles are kept that other windows need, too. Only formats that [share tiles](super::SourceFormat::shares_tiles) look there.
    pub tiles: Option<&'a dyn Tiles>,
}

impl Aids<'_> {
    pub const NONE: Self = Self {
        threads: 1,
        tiles: None,
    };
}

/// How often a tile is held at most while it is decoded to be kept: decompressed, unpacked, converted, kept.
pub const TILE_STAGES: u64 = 4;

/// The decoded tiles of one image. A tile is the window that a [unit](super::Level::unit) is.
pub trait Tiles: Sync {
    fn find(&self, tile: &Window) -> Option<Arc<Raster>>;

    fn keep(&self, tile: Window, raster: Arc<Raster>);
}

/// Keeps all of them, for tests.
#[cfg(test)]
#[derive(Default)]
pub struct Shelf(pub std::sync::Mutex<std::collections::HashMap<Window, Arc<Raster>>>);

#[cfg(test)]
impl Tiles for Shelf {
    fn find(&self, tile: &Window) -> Option<Arc<Raster>> {
        self.0.lock().unwrap().get(tile).cloned()
    }

    fn keep(&self, tile: Window, raster: Arc<Raster>) {
        self.0.lock().unwrap().insert(tile, raster);
    }
}
