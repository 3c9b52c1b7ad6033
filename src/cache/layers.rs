//! All layers as one: memory, then those behind it, nearest first.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::CacheKey;
use super::entry::{Entry, EntryKey};
use super::generations::{Generation, Generations};
use super::guarded::{Guarded, Lease};
use super::memory::Memory;
use super::redis::Purges;
use super::report::{Counts, LayerReport};

/// Larger bodies are not kept: they are asked for seldom, and would drive out many others.
const LARGEST: usize = 8 << 20;
/// For so long the others wait for the node that makes an entry; if it is dead, no longer.
const LEASE: Duration = Duration::from_secs(2);
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LATER_LOOKS: Duration = Duration::from_millis(50);
const MEMORY: &str = "memory";

/// The cache of encoded bytes. It can only make things slower, never wrong: no operation but a purge can fail.
#[derive(Clone)]
pub struct Layers(Arc<Inner>);

struct Inner {
    memory: Option<Memory>,
    counts: Counts,
    generations: Generations,
    far: Vec<Arc<Guarded>>,
}

/// What keeping an entry needs: the state that it was looked up in.
pub struct Ticket {
    key: EntryKey,
    generation: Generation,
    lease: Option<Lease>,
}

/// An entry, and the layer that had it.
pub struct Found {
    pub body: Bytes,
    pub layer: &'static str,
}

impl Layers {
    pub fn new(memory: Option<Memory>, far: Vec<Guarded>) -> Self {
        Self(Arc::new(Inner {
            memory,
            counts: Counts::default(),
            generations: Generations::default(),
            far: far.into_iter().map(Arc::new).collect(),
        }))
    }

    /// The entry, if it lies in memory. Never waits.
    pub fn near(&self, key: &EntryKey) -> Option<Found> {
        let memory = self.0.memory.as_ref()?;
        let entry = memory.get(key, self.0.generations.of(&key.image));
        let count = match entry {
            Some(_) => &self.0.counts.hits,
            None => &self.0.counts.misses,
        };
        count.add_one();
        entry.map(|entry| Found {
            body: entry.body,
            layer: MEMORY,
        })
    }

    /// Looks an entry up behind the memory; if no layer has it, the caller is to make it and to [`keep`](Self::keep) it.
    /// Waits while another node makes it.
    pub async fn far(&self, key: EntryKey) -> Result<Found, Ticket> {
        let mut ticket = self.ticket(key);
        let deadline = Instant::now() + LEASE;
        let mut pause = FIRST_LOOK;
        loop {
            if let Some(found) = self.look(&ticket).await {
                return Ok(found);
            }
            match self.turn(&key).await {
                Turn::Ours(lease) => ticket.lease = lease,
                Turn::Theirs if Instant::now() < deadline => {
                    sleep(pause).await;
                    pause = LATER_LOOKS;
                    continue;
                }
                Turn::Theirs => {}
            }
            // Another node may have kept it just before it gave the lease back.
            return match &ticket.lease {
                Some(_) => self.look(&ticket).await.ok_or(ticket),
                None => Err(ticket),
            };
        }
    }

    /// What is needed to keep an entry that was not looked up.
    pub fn ticket(&self, key: EntryKey) -> Ticket {
        Ticket {
            key,
            generation: self.0.generations.of(&key.image),
            lease: None,
        }
    }

    /// Keeps what was made, in all layers, unless it was purged meanwhile. Does not wait for those that are slow.
    pub fn keep(&self, ticket: Ticket, body: Bytes) {
        if body.len() <= LARGEST {
            self.keep_before(self.0.far.len(), ticket, &Entry::new(body));
        }
    }

    /// Forgets an image, or all, in every layer.
    ///
    /// # Errors
    /// The names of the layers that may still have entries.
    pub async fn purge(&self, image: Option<CacheKey>) -> Result<(), Vec<&'static str>> {
        self.purge_near(image);
        let mut failed = Vec::new();
        // The farthest first: what is read from one that has not forgotten it yet is put into those before it.
        for layer in self.0.far.iter().rev() {
            if layer.purge(image.as_ref()).await.is_err() {
                failed.push(layer.name());
            }
            self.purge_near(image);
        }
        if failed.is_empty() {
            Ok(())
        } else {
            Err(failed)
        }
    }

    /// Forgets an image, or all, in memory: another node has purged it.
    pub fn purge_near(&self, image: Option<CacheKey>) {
        match image {
            Some(image) => self.0.generations.end(image),
            None => self.0.generations.end_all(),
        }
        if let (None, Some(memory)) = (image, &self.0.memory) {
            memory.clear();
        }
    }

    /// Forgets in memory what other nodes purge, as long as these layers are there. Outside of a runtime there is
    /// nobody to wait for it.
    pub fn follow(&self, purges: Purges) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let inner = Arc::downgrade(&self.0);
        runtime.spawn(purges.follow(move |purges| {
            let Some(inner) = inner.upgrade() else {
                return ControlFlow::Break(());
            };
            for purge in purges {
                Self(Arc::clone(&inner)).purge_near(purge.image());
            }
            ControlFlow::Continue(())
        }));
    }

    /// Every layer, nearest first.
    pub fn report(&self) -> Vec<LayerReport> {
        let near = self.0.memory.iter().map(|memory| {
            let counts = &self.0.counts;
            counts.report(MEMORY, true, memory.usage())
        });
        near.chain(self.0.far.iter().map(|layer| layer.report()))
            .collect()
    }

    /// Waits until everything that was kept is written.
    pub async fn settle(&self) {
        for layer in &self.0.far {
            layer.settle().await;
        }
    }

    async fn look(&self, ticket: &Ticket) -> Option<Found> {
        for (place, layer) in self.0.far.iter().enumerate() {
            if let Some(entry) = layer.get(&ticket.key).await {
                let copy = self.ticket_as(ticket);
                self.keep_before(place, copy, &entry);
                return Some(Found {
                    body: entry.body,
                    layer: layer.name(),
                });
            }
        }
        None
    }

    /// The same without the lease.
    fn ticket_as(&self, ticket: &Ticket) -> Ticket {
        Ticket {
            lease: None,
            ..*ticket
        }
    }

    /// Keeps an entry in memory and in the first of the far layers. The lease ends when all of them have it.
    fn keep_before(&self, place: usize, ticket: Ticket, entry: &Entry) {
        let Ticket {
            key, generation, ..
        } = ticket;
        if let Some(memory) = &self.0.memory {
            memory.put(&key, generation, entry.clone());
            self.0.counts.stored.add_one();
        }
        let lease = ticket.lease.map(Arc::new);
        for layer in &self.0.far[..place] {
            let Some(room) = layer.place(entry.body.len()) else {
                continue;
            };
            let (inner, layer) = (Arc::clone(&self.0), Arc::clone(layer));
            let (entry, lease) = (entry.clone(), lease.clone());
            tokio::spawn(async move {
                let is_current = || inner.generations.of(&key.image) == generation;
                if is_current() {
                    layer.put(&key, &entry, room).await;
                }
                if !is_current() {
                    layer.remove(&key).await;
                }
                drop(lease);
            });
        }
    }

    /// Whose turn it is to make an entry.
    async fn turn(&self, key: &EntryKey) -> Turn {
        for layer in &self.0.far {
            match layer.lease(key, LEASE).await {
                Some(Some(lease)) => return Turn::Ours(Some(lease)),
                Some(None) => return Turn::Theirs,
                None => {}
            }
        }
        Turn::Ours(None)
    }
}

enum Turn {
    Ours(Option<Lease>),
    /// Another node's.
    Theirs,
}

#[cfg(test)]
mod tests;
