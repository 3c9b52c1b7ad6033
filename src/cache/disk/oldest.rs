//! Finds those that were not used for longest, among more than memory should hold.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::amount::Amount;
use super::sweep::Found;

/// The longest unused of all that were offered: as many as together make up an amount.
pub struct Oldest {
    wanted: Amount,
    total: Amount,
    /// The one that was used last is on top.
    heap: BinaryHeap<ByUse>,
}

#[derive(PartialEq, Eq)]
struct ByUse(Found);

impl Ord for ByUse {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .used
            .cmp(&other.0.used)
            .then_with(|| self.0.path.cmp(&other.0.path))
    }
}

impl PartialOrd for ByUse {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Oldest {
    pub fn new(wanted: Amount) -> Self {
        Self {
            wanted,
            total: Amount::default(),
            heap: BinaryHeap::new(),
        }
    }

    pub fn offer(&mut self, found: Found) {
        self.total = self.total + found.amount;
        self.heap.push(ByUse(found));
        while let Some(newest) = self.heap.peek() {
            let others = self.total - newest.0.amount;
            if self.wanted.exceeds(others) {
                break;
            }
            self.total = others;
            self.heap.pop();
        }
    }

    /// The longest unused first.
    pub fn in_order(self) -> impl Iterator<Item = Found> {
        self.heap.into_sorted_vec().into_iter().map(|found| found.0)
    }
}
