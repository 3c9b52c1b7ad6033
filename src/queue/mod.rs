//! What is to be done, kept in the registry's database until it is done: by this process or by another, after a crash, too.
//!
//! A job is taken under a lease, which is extended while somebody works on it. When a lease ends, another one takes the job: whatever is
//! done for it is done at least once, and has to be such that twice is no harm. The queue knows nothing of what is done.

mod clock;
#[cfg(test)]
mod contract;
mod job;
mod runner;
mod table;

pub use job::{Job, Lease, NewJob};
pub use runner::{Failure, Runner, Work};
pub use table::{cancel, enqueue, is_held};

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::registry::{Registry, RegistryError};

/// How long things take. The defaults are for all who serve; tests have less patience.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For how long a job is somebody's without a sign of life.
    pub lease: Duration,
    /// Between two signs of life.
    pub beat: Duration,
    /// Between two looks for jobs of other nodes, and for those whose time has come.
    pub poll: Duration,
    /// Before the second attempt; doubled for each that follows.
    pub pause: Duration,
    /// Attempts for one job, the first included.
    pub attempts: u32,
    /// For one attempt.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            beat: Duration::from_secs(3),
            poll: Duration::from_secs(2),
            pause: Duration::from_secs(10),
            attempts: 3,
            patience: Duration::from_secs(3600),
        }
    }
}

/// The queue as one node sees it. Clones are the same one.
#[derive(Clone)]
pub struct Queue {
    registry: Registry,
    node: Arc<str>,
    news: Arc<Notify>,
    pace: Pace,
    /// Jobs of one owner that this node does at a time.
    share: usize,
}

/// What a sign of life is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    Extended,
    /// Nobody wants it any more.
    Cancelled,
    /// Another node has it.
    Lost,
}

impl Queue {
    /// `node` is another one for every process.
    pub fn new(registry: Registry, node: &str, pace: Pace) -> Self {
        Self {
            registry,
            node: node.into(),
            news: Arc::default(),
            pace,
            share: usize::MAX,
        }
    }

    /// The same queue for so many workers: one of them, if there are more, is left for others by an owner whose jobs take long.
    fn shared_by(&self, workers: usize) -> Self {
        Self {
            share: workers.saturating_sub(1).max(1),
            ..self.clone()
        }
    }

    /// The same queue for one who takes other times.
    #[must_use]
    pub fn at(&self, pace: Pace) -> Self {
        Self {
            pace,
            ..self.clone()
        }
    }

    /// To be called when a transaction that [`enqueue`]s is committed: the job is begun at once, if this process has time.
    pub fn wake(&self) {
        self.news.notify_waiters();
    }

    /// Takes a job: of the owner for whom the fewest run, whose turn was longest ago, the oldest. `None` if there is nothing to do now.
    ///
    /// # Errors
    /// If the database does not answer. Then it may have been taken; the lease ends by itself.
    pub async fn claim(&self) -> Result<Option<Job>, RegistryError> {
        let database = self.registry.database();
        // Who only looks does not keep those waiting who write.
        if !database.read(async |c| table::is_any(c).await).await? {
            return Ok(None);
        }
        let (node, share, length) = (&*self.node, self.share, self.pace.lease);
        let claiming = async |c: &mut _| table::claim(c, node, share, length).await;
        database.write(claiming).await
    }

    /// Extends a lease.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn beat(&self, lease: Lease) -> Result<Beat, RegistryError> {
        let length = self.pace.lease;
        let beating = async |c: &mut _| table::beat(c, lease, length).await;
        self.registry.database().write(beating).await
    }

    /// Whether a lease has not ended: somebody may be working under it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn is_alive(&self, lease: Lease) -> Result<bool, RegistryError> {
        let asking = async |c: &mut _| table::is_alive(c, lease).await;
        self.registry.database().read(asking).await
    }

    /// The job is done, or will never be. `false` if the lease was lost.
    ///
    /// # Errors
    /// If nobody knows whether that was written.
    pub async fn finish(&self, lease: Lease, error: Option<&str>) -> Result<bool, RegistryError> {
        let finishing = async |c: &mut _| table::finish(c, lease, error).await;
        self.registry.database().write(finishing).await
    }

    /// The job is tried again later. `false` if the lease was lost.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub async fn retry(&self, job: &Job, error: &str) -> Result<bool, RegistryError> {
        let (lease, pause) = (job.lease, self.pause_after(job.attempt));
        let failing = async |c: &mut _| table::retry(c, lease, pause, error).await;
        self.registry.database().write(failing).await
    }

    /// The job can be taken by others at once, and this was no attempt.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub async fn give_back(&self, lease: Lease) -> Result<bool, RegistryError> {
        let giving = async |c: &mut _| table::give_back(c, lease).await;
        self.registry.database().write(giving).await
    }

    fn pause_after(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(10);
        self.pace.pause * 2_u32.pow(doublings)
    }
}
