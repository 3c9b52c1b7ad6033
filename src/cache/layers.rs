//! All layers as one: memory, then those behind it, nearest first.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::CacheKey;
use super::entry::{Entry, EntryKey, LARGEST_BODY};
use super::generations::{Generation, Generations, Purging};
use super::guarded::{Guarded, Lease};
use super::memory::Memory;
use super::redis::{Purge, Purges};
use super::report::{Counts, LayerReport};

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
        let found = self.peek(key);
        if self.0.memory.is_some() {
            let counts = &self.0.counts;
            found
                .as_ref()
                .map_or(&counts.misses, |_| &counts.hits)
                .add_one();
        }
        found
    }

    /// The same for what is looked up on the way to an answer: only answers are counted.
    pub fn peek(&self, key: &EntryKey) -> Option<Found> {
        self.in_memory(key, self.generation(&key.image))
    }

    /// What was made of an image in another generation is not to be given to those who ask now.
    pub fn generation(&self, image: &CacheKey) -> Generation {
        self.0.generations.of(image)
    }

    /// Looks an entry up behind the memory, for what is made sooner than agreed upon who makes it.
    pub async fn far_if_any(&self, key: EntryKey) -> Result<Found, Ticket> {
        let ticket = self.ticket(key);
        self.look(&ticket).await.ok_or(ticket)
    }

    /// Looks an entry up behind the memory; if no layer has it, the caller is to make it and to [`keep`](Self::keep) it.
    /// Waits while another node makes it.
    pub async fn far(&self, key: EntryKey) -> Result<Found, Ticket> {
        let mut ticket = self.ticket(key);
        if let Some(found) = self.look(&ticket).await {
            return Ok(found);
        }
        let deadline = Instant::now() + LEASE;
        let mut pause = FIRST_LOOK;
        while let Some((place, lease)) = self.turn(&key).await {
            let is_ours = lease.is_some();
            ticket.lease = lease;
            // Another node may have kept it just before it gave the lease back.
            if let Some(found) = self.look_into(place, &ticket).await {
                return Ok(found);
            }
            if is_ours || Instant::now() >= deadline {
                break;
            }
            sleep(pause).await;
            pause = LATER_LOOKS;
        }
        Err(ticket)
    }

    /// What is needed to keep an entry that was not looked up.
    pub fn ticket(&self, key: EntryKey) -> Ticket {
        Ticket {
            key,
            generation: self.generation(&key.image),
            lease: None,
        }
    }

    /// Keeps what was made, in all layers, unless it was purged meanwhile. Does not wait for those that are slow.
    pub fn keep(&self, ticket: Ticket, body: Bytes) {
        if body.len() <= LARGEST_BODY {
            self.keep_before(self.0.far.len(), ticket, &Entry::new(body));
        }
    }

    /// Forgets an image, or all, in every layer; to the end, even if nobody waits for it any more.
    ///
    /// # Errors
    /// The names of the layers that may still have entries.
    pub async fn purge(&self, image: Option<CacheKey>) -> Result<(), Vec<&'static str>> {
        let this = self.clone();
        let purge = tokio::spawn(async move {
            let _purging = this.purge_memory(image);
            let mut failed = Vec::new();
            // The farthest first: other nodes hear of it from Redis, and must not find it again in what lies behind.
            for layer in this.0.far.iter().rev() {
                if layer.purge(image.as_ref()).await.is_err() {
                    failed.push(layer.name());
                }
            }
            failed
        });
        match purge.await {
            Ok(failed) if failed.is_empty() => Ok(()),
            Ok(failed) => Err(failed),
            Err(_) => Err(self.0.far.iter().map(|layer| layer.name()).collect()),
        }
    }

    /// Until the guard is dropped, nothing of the image, or of any, is kept.
    fn purge_memory(&self, image: Option<CacheKey>) -> Purging<'_> {
        let purging = self.0.generations.purge(image);
        if let (None, Some(memory)) = (image, &self.0.memory) {
            memory.clear();
        }
        purging
    }

    /// Forgets what other nodes purge, as long as these layers are there. Outside of a runtime there is nobody to wait for
    /// it.
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
                Self(Arc::clone(&inner)).hear(*purge);
            }
            ControlFlow::Continue(())
        }));
    }

    /// Another node has purged what is shared.
    fn hear(&self, purge: Purge) {
        let image = purge.image();
        drop(self.purge_memory(image));
        if purge == Purge::Unknown {
            // To be without Redis for a moment must not cost what lies on disk.
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            let _purging = this.purge_memory(image);
            for layer in &this.0.far {
                layer.hear(image.as_ref()).await;
            }
        });
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

    fn in_memory(&self, key: &EntryKey, generation: Generation) -> Option<Found> {
        let entry = self.0.memory.as_ref()?.get(key, generation)?;
        Some(Found {
            body: entry.body,
            layer: MEMORY,
        })
    }

    async fn look(&self, ticket: &Ticket) -> Option<Found> {
        // It may have been kept since the caller looked there.
        if let Some(found) = self.in_memory(&ticket.key, ticket.generation) {
            return Some(found);
        }
        for place in 0..self.0.far.len() {
            if let Some(found) = self.look_into(place, ticket).await {
                return Some(found);
            }
        }
        None
    }

    /// Looks into one layer. Those before it are given what it has.
    async fn look_into(&self, place: usize, ticket: &Ticket) -> Option<Found> {
        let layer = &self.0.far[place];
        let entry = layer.get(&ticket.key).await?;
        self.keep_before(place, self.ticket_as(ticket), &entry);
        Some(Found {
            body: entry.body,
            layer: layer.name(),
        })
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
                let is_current = || inner.generations.is_current(&key.image, generation);
                layer.put(&key, &entry, room, is_current).await;
                drop(lease);
            });
        }
    }

    /// The layer that knows whose turn it is to make an entry, if there is one; with the lease, if it is this node's.
    async fn turn(&self, key: &EntryKey) -> Option<(usize, Option<Lease>)> {
        for (place, layer) in self.0.far.iter().enumerate() {
            if let Some(lease) = layer.lease(key, LEASE).await {
                return Some((place, lease));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
