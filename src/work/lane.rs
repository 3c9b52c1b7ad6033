//! Places for work: how many pieces run, how many wait, and how much memory they have together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

pub const MEBIBYTE: u64 = 1 << 20;

/// What a piece of work takes, estimated before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Of memory, at most at one time.
    pub bytes: u64,
    /// That are decoded and encoded: a measure of time.
    pub pixels: u64,
}

impl Cost {
    /// Next to nothing.
    pub const SMALL: Self = Self {
        bytes: 0,
        pixels: 0,
    };

    /// Whether others should not have to wait for it: it takes more than a quarter of a second or so.
    pub fn is_large(self) -> bool {
        const MOST_PIXELS: u64 = 30_000_000;
        const MOST_BYTES: u64 = 128 * MEBIBYTE;
        self.pixels > MOST_PIXELS || self.bytes > MOST_BYTES
    }
}

/// Places of one kind.
#[derive(Clone)]
pub struct Lane {
    running: Arc<Semaphore>,
    /// Running or waiting to.
    admitted: Arc<Semaphore>,
    /// In mebibytes.
    memory: Arc<Semaphore>,
    pub budget: u64,
    name: &'static str,
    places: usize,
    queue: usize,
    /// Of memory, in mebibytes.
    permits: usize,
}

/// What a lane does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneReport {
    /// `all`, or `large` for the part of it.
    pub name: &'static str,
    pub running: usize,
    /// That can run at once.
    pub places: usize,
    pub waiting: usize,
    /// Bytes that are set aside for work, and for files that are being sent.
    pub reserved: u64,
    /// Bytes for all.
    pub budget: u64,
}

/// A place for work that runs, until it is dropped.
pub struct Place {
    _admission: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

impl Lane {
    pub fn new(name: &'static str, running: usize, waiting: usize, budget: u64) -> Self {
        let memory = (mebibytes(budget) as usize).min(Semaphore::MAX_PERMITS);
        Self {
            running: Arc::new(Semaphore::new(running)),
            admitted: Arc::new(Semaphore::new(running + waiting)),
            memory: Arc::new(Semaphore::new(memory)),
            budget,
            name,
            places: running,
            queue: waiting,
            permits: memory,
        }
    }

    pub fn report(&self) -> LaneReport {
        let running = self.places - self.running.available_permits();
        let admitted = self.places + self.queue - self.admitted.available_permits();
        let reserved = self.permits - self.memory.available_permits();
        LaneReport {
            name: self.name,
            running,
            places: self.places,
            // The numbers are read one after the other.
            waiting: admitted.saturating_sub(running),
            reserved: reserved as u64 * MEBIBYTE,
            budget: self.budget,
        }
    }

    /// Bytes that are not in use, in whole mebibytes.
    #[cfg(test)]
    pub fn free_memory(&self) -> u64 {
        self.memory.available_permits() as u64 * MEBIBYTE
    }

    /// # Errors
    /// [`Error::BadRequest`] if there is never so much memory.
    pub fn check(&self, bytes: u64) -> Result<(), Error> {
        if bytes <= self.budget {
            return Ok(());
        }
        let (needed, budget) = (mebibytes(bytes), self.budget / MEBIBYTE);
        Err(Error::BadRequest(format!(
            "this would need {needed} MiB of memory, and the server has {budget} MiB for it: ask for less"
        )))
    }

    /// # Errors
    /// [`Error::Busy`] if too many are waiting already.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Error> {
        let admitted = Arc::clone(&self.admitted);
        admitted.try_acquire_owned().map_err(|_| Error::Busy)
    }

    /// # Errors
    /// Only for a defect.
    pub async fn wait_for_admission(&self) -> Result<OwnedSemaphorePermit, Error> {
        let admitted = Arc::clone(&self.admitted);
        admitted.acquire_owned().await.map_err(Error::internal)
    }

    /// Memory without a place, if so much is free now.
    pub fn try_reserve(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let memory = Arc::clone(&self.memory);
        memory.try_acquire_many_owned(mebibytes(bytes)).ok()
    }

    /// Memory without a place, as soon as so much is free.
    ///
    /// # Errors
    /// Only for a defect.
    pub async fn reserve(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Error> {
        let memory = Arc::clone(&self.memory);
        let memory = memory.acquire_many_owned(mebibytes(bytes)).await;
        memory.map_err(Error::internal)
    }

    /// Waits for memory, then for a thread: in this order for everyone, so that nobody holds what another one waits for in
    /// a circle.
    pub async fn enter(&self, admission: OwnedSemaphorePermit, bytes: u64) -> Result<Place, Error> {
        let memory = self.reserve(bytes).await?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        Ok(Place {
            _admission: admission,
            _running: running.map_err(Error::internal)?,
            _memory: memory,
        })
    }
}

/// None for nothing, at least one for anything else; more than there can ever be becomes the largest number.
fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MEBIBYTE)).unwrap_or(u32::MAX)
}
