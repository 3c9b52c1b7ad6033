//! How much is on the disk.

use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicI64, Ordering};

/// What a file takes is a multiple of it.
const BLOCK: u64 = 4096;

/// Files and their bytes; negative in differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub files: i64,
    pub bytes: i64,
}

impl Amount {
    /// One file of this length.
    pub fn of(length: u64) -> Self {
        let bytes = length.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
        Self {
            files: 1,
            bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        }
    }

    pub fn percent(self, percent: i64) -> Self {
        Self {
            files: self.files.saturating_mul(percent) / 100,
            bytes: self.bytes / 100 * percent,
        }
    }

    /// Whether it is more than the bound, in files or in bytes.
    pub fn exceeds(self, bound: Self) -> bool {
        self.files > bound.files || self.bytes > bound.bytes
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            files: self.files - other.files,
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// An amount that many threads change. What other processes change is not in it until the next look at the disk.
#[derive(Debug, Default)]
pub struct Held {
    files: AtomicI64,
    bytes: AtomicI64,
}

impl Held {
    pub fn get(&self) -> Amount {
        Amount {
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    pub fn add(&self, amount: Amount) {
        self.files.fetch_add(amount.files, Ordering::Relaxed);
        self.bytes.fetch_add(amount.bytes, Ordering::Relaxed);
    }

    pub fn subtract(&self, amount: Amount) {
        self.add(Amount::default() - amount);
    }
}
