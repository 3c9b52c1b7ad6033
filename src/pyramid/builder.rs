//! Builds pyramids: one after the other in a thread of its own that gives way to all others, or at once for the one who
//! calls.

use std::collections::HashSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::writer::{BuildError, Options, write};
use super::{Built, Outcome, bands};
use crate::cache::CacheKey;
use crate::cache::report::Count;
use crate::decode::{Decoder, Header, Window};
use crate::files::store::Store;
use crate::geometry::Rect;
use crate::work::{Reserved, Work};

/// Images that wait. When there are more, those are built that are asked for again later.
const QUEUE: usize = 64;
/// Images that failed are not tried again, until there are so many.
const MOST_SEEN: usize = 10_000;
/// Between two looks whether there is memory.
const PATIENCE: Duration = Duration::from_millis(100);
/// The lowest priority (nice(2)).
const NICEST: i32 = 19;

/// An image whose pyramid is to be built.
pub struct Job {
    pub key: CacheKey,
    /// For the log.
    pub location: String,
    pub decoder: Arc<dyn Decoder>,
    pub options: Options,
}

pub struct Builder {
    shared: Arc<Shared>,
    /// The thread begins with the first job.
    queue: OnceLock<SyncSender<Job>>,
}

struct Shared {
    store: Arc<Store>,
    work: Work,
    stopped: AtomicBool,
    /// What waits, is being built, or failed: each image once.
    seen: Mutex<HashSet<CacheKey>>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    pyramids: Count,
    bytes: Count,
    failed: Count,
}

impl Drop for Builder {
    /// The thread ends soon after; what it leaves is swept at the next start.
    fn drop(&mut self) {
        self.stop();
    }
}

impl Builder {
    pub fn new(store: Arc<Store>, work: Work) -> Self {
        Self {
            shared: Arc::new(Shared {
                store,
                work,
                stopped: AtomicBool::new(false),
                seen: Mutex::default(),
                counts: Counts::default(),
            }),
            queue: OnceLock::new(),
        }
    }

    /// Nothing is built from now on.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
    }

    /// Has it built in the background, unless it waits already, failed before, or too many wait.
    pub fn enqueue(&self, job: Job) {
        let key = job.key;
        if self.shared.is_stopped() || !self.shared.note(key) {
            return;
        }
        let queue = self.queue.get_or_init(|| start(Arc::clone(&self.shared)));
        if queue.try_send(job).is_err() {
            self.shared.forget(&key);
        }
    }

    /// Builds it in this thread.
    ///
    /// # Errors
    /// If that fails.
    pub fn build(&self, job: &Job) -> Result<Outcome, BuildError> {
        self.shared.build(job)
    }

    pub fn built(&self) -> Built {
        let counts = &self.shared.counts;
        Built {
            pyramids: counts.pyramids.get(),
            bytes: counts.bytes.get(),
            failed: counts.failed.get(),
        }
    }
}

fn start(shared: Arc<Shared>) -> SyncSender<Job> {
    let (sender, receiver) = sync_channel(QUEUE);
    let thread = thread::Builder::new().name("pyramids".to_owned());
    if let Err(error) = thread.spawn(move || shared.run(&receiver)) {
        tracing::warn!("no pyramids are built: {error}");
    }
    sender
}

impl Shared {
    fn run(&self, jobs: &Receiver<Job>) {
        // On Linux this is about the calling thread only.
        let _ = rustix::process::nice(NICEST);
        while let Ok(job) = jobs.recv() {
            let start = Instant::now();
            // A defect in a decoder must not end all building (K08).
            let built = catch_unwind(AssertUnwindSafe(|| self.build(&job)));
            let built = built.unwrap_or_else(|_| Err(io::Error::other("panic").into()));
            if built.is_ok() {
                self.forget(&job.key);
            }
            self.counts.add(&built);
            tell(&job, &built, start.elapsed());
        }
    }

    fn build(&self, job: &Job) -> Result<Outcome, BuildError> {
        if self.store.contains(job.key) {
            return Ok(Outcome::Stands);
        }
        let _memory = self.reserve(bands::bytes(job.decoder.header(), &job.options))?;
        let unfinished = self.store.begin(job.key)?;
        // All of it will be read, which a source far away should know. What is wrong with it shows then.
        let _ = job.decoder.read_ahead(&whole(job.decoder.header()));
        let stopped = || self.is_stopped();
        write(&*job.decoder, unfinished.file()?, &job.options, &stopped)?;
        Ok(Outcome::Built(self.store.publish(job.key, unfinished)?))
    }

    /// Waits for memory without a place in the queue: requests go first.
    fn reserve(&self, bytes: u64) -> Result<Reserved, BuildError> {
        // Requests for large images must not wait until a build is through.
        let budget = self.work.budget() / 2;
        if bytes > budget {
            return Err(BuildError::Memory { bytes, budget });
        }
        loop {
            if self.is_stopped() {
                return Err(BuildError::Stopped);
            }
            if let Some(memory) = self.work.try_reserve(bytes) {
                return Ok(memory);
            }
            thread::sleep(PATIENCE);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether it is new.
    fn note(&self, key: CacheKey) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST_SEEN {
            seen.clear();
        }
        seen.insert(key)
    }

    fn forget(&self, key: &CacheKey) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(key);
    }
}

fn whole(header: &Header) -> Window {
    Window {
        level: 0,
        rect: Rect::whole(header.stored_dimensions()),
    }
}

impl Counts {
    fn add(&self, built: &Result<Outcome, BuildError>) {
        match built {
            Ok(Outcome::Built(bytes)) => {
                self.pyramids.add_one();
                self.bytes.add(*bytes);
            }
            Ok(_) | Err(BuildError::Stopped) => {}
            Err(_) => self.failed.add_one(),
        }
    }
}

fn tell(job: &Job, built: &Result<Outcome, BuildError>, elapsed: Duration) {
    let location = job.location.as_str();
    let milliseconds = elapsed.as_millis() as u64;
    match built {
        Ok(Outcome::Built(bytes)) => {
            tracing::info!(location, bytes, milliseconds, "pyramid built");
        }
        Ok(_) | Err(BuildError::Stopped) => {}
        Err(error) => {
            let error = error as &dyn std::error::Error;
            tracing::warn!(location, error, "no pyramid was built");
        }
    }
}
