//! Builds pyramids: one after the other in a thread of its own that gives way to all others, or at once for the one who
//! calls.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::seen::Seen;
use super::writer::{BuildError, Options, write};
use super::{Built, Outcome, bands};
use crate::cache::CacheKey;
use crate::cache::report::Count;
use crate::decode::{DecodeError, Decoder, Header, Window};
use crate::files::store::Store;
use crate::geometry::Rect;
use crate::work::{Reserved, Work};

/// Images that wait. When there are more, those are built that are asked for again later.
const QUEUE: usize = 64;
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
    seen: Seen,
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
                seen: Seen::default(),
                counts: Counts::default(),
            }),
            queue: OnceLock::new(),
        }
    }

    /// Nothing is built from now on.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
    }

    /// Has it built in the background, unless it waits already, is broken, could not be read just now, or too many wait.
    pub fn enqueue(&self, job: Job) {
        let key = job.key;
        if self.shared.is_stopped() || !self.shared.seen.note(key, Instant::now()) {
            return;
        }
        let queue = self.queue.get_or_init(|| start(Arc::clone(&self.shared)));
        if queue.try_send(job).is_err() {
            self.shared.seen.forget(&key);
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
            self.seen.settle(&job.key, &built, Instant::now());
            self.counts.add(&built);
            tell(&job, &built, start.elapsed());
        }
    }

    fn build(&self, job: &Job) -> Result<Outcome, BuildError> {
        if self.store.contains(job.key) {
            return Ok(Outcome::Stands);
        }
        // Before memory is taken, which others need while a network is slow.
        read_ahead(&*job.decoder)?;
        let stopped = || self.is_stopped();
        let bytes = bands::bytes(job.decoder.header(), &job.options);
        let _memory = reserve(&self.work, bytes, &stopped)?;
        let unfinished = self.store.begin(job.key)?;
        write(&*job.decoder, unfinished.file()?, &job.options, &stopped)?;
        Ok(Outcome::Built(self.store.publish(job.key, unfinished)?))
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// Writes a pyramid in this thread, to a file of the caller's.
///
/// # Errors
/// If that fails, or it is to stop.
pub fn write_alone(
    decoder: &dyn Decoder,
    file: File,
    options: &Options,
    work: &Work,
    stopped: &dyn Fn() -> bool,
) -> Result<(), BuildError> {
    read_ahead(decoder)?;
    let _memory = reserve(work, bands::bytes(decoder.header(), options), stopped)?;
    write(decoder, file, options, stopped).map(drop)
}

/// Waits for memory without a place in the queue: requests go first.
fn reserve(work: &Work, bytes: u64, stopped: &dyn Fn() -> bool) -> Result<Reserved, BuildError> {
    // Requests for large images must not wait until a build is through.
    let budget = work.budget() / 2;
    if bytes > budget {
        return Err(BuildError::Memory { bytes, budget });
    }
    loop {
        if stopped() {
            return Err(BuildError::Stopped);
        }
        if let Some(memory) = work.try_reserve(bytes) {
            return Ok(memory);
        }
        thread::sleep(PATIENCE);
    }
}

/// All of it will be read, which a source far away should know. What else is wrong with all of it at once, which is not decoded at once,
/// need not be wrong with its bands.
fn read_ahead(decoder: &dyn Decoder) -> Result<(), DecodeError> {
    match decoder.read_ahead(&whole(decoder.header())) {
        Err(error @ DecodeError::Io(_)) => Err(error),
        _ => Ok(()),
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::decode::{self, Limits};
    use crate::geometry::Dimensions;
    use crate::pyramid::KIND;
    use crate::raster::Raster;

    /// Over a network that does this; notes whether all memory was free then.
    struct Far {
        inner: Box<dyn Decoder>,
        read_ahead: fn() -> Result<(), DecodeError>,
        work: Work,
        was_free: AtomicBool,
    }

    impl Decoder for Far {
        fn header(&self) -> &Header {
            self.inner.header()
        }

        fn read_ahead(&self, _: &Window) -> Result<(), DecodeError> {
            let is_free = self.work.try_reserve(self.work.budget()).is_some();
            self.was_free.store(is_free, Ordering::Relaxed);
            (self.read_ahead)()
        }

        fn decode(&self, window: &Window) -> Result<Raster, DecodeError> {
            self.inner.decode(window)
        }
    }

    fn built(read_ahead: fn() -> Result<(), DecodeError>) -> Result<Outcome, BuildError> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&KIND, folder.path().to_owned(), 100 << 20);
        let bytes = std::fs::read("fixtures/images/chart.png").unwrap();
        let work = Work::new(4, 4, 64 << 20);
        let far = Arc::new(Far {
            inner: decode::open(Arc::new(bytes), &Limits::default()).unwrap(),
            read_ahead,
            work: work.clone(),
            was_free: AtomicBool::new(false),
        });
        let decoder: Arc<dyn Decoder> = Arc::<Far>::clone(&far);
        let job = Job {
            key: CacheKey::new(&["a"]),
            location: "a".to_owned(),
            decoder,
            options: Options {
                tile: Dimensions::new(256, 256).unwrap(),
                band_bytes: 1 << 20,
                threads: NonZeroUsize::MIN,
            },
        };
        let built = Builder::new(Arc::new(store), work).build(&job);
        assert!(far.was_free.load(Ordering::Relaxed));
        built
    }

    #[test]
    fn what_does_not_come_is_not_built_and_what_is_too_large_at_once_is() {
        let late = built(|| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        assert!(
            matches!(late, Err(BuildError::Decode(DecodeError::Io(_)))),
            "{late:?}"
        );
        let large = built(|| {
            Err(DecodeError::TooLarge {
                what: "the image",
                value: 2,
                limit: 1,
            })
        });
        assert!(matches!(large, Ok(Outcome::Built(_))), "{large:?}");
    }
}
