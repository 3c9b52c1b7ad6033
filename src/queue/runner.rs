//! Those who do what is in the queue.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{Beat, Job, Lease, Queue};
use crate::causes::chain;
use crate::registry::RegistryError;

/// Whoever knows how jobs are done. What is dropped before its end stops, and leaves nothing that would be in the way of the next one.
pub trait Work: Send + Sync + 'static {
    /// Does a job, from whatever state an earlier attempt has left. It must not block.
    fn run(&self, job: &Job) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Says so where it is seen: the job will not be tried again. It may be called more than once.
    ///
    /// # Errors
    /// If that could not be written.
    fn give_up(
        &self,
        job: &Job,
        error: &str,
    ) -> impl Future<Output = Result<(), RegistryError>> + Send;
}

/// Why a job was not done, in words for whoever wants it done.
#[derive(Debug)]
pub enum Failure {
    /// Another attempt may help.
    Transient(String),
    Permanent(String),
    /// It is another node's, or nobody's, by now.
    Lost,
}

/// It counts as an attempt, so that there is an end also where the database refuses this job alone. That can be written only when the
/// database answers again: until then, no attempt is lost.
impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        tracing::warn!(error = chain(&error), "a job cannot be written down");
        Self::Transient("the server could not write down how far it is".to_owned())
    }
}

/// So many workers, until it is stopped.
pub struct Runner {
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

impl Runner {
    pub fn start(queue: &Queue, work: impl Work, workers: usize) -> Self {
        let (stop, stopped) = watch::channel(false);
        let work = Arc::new(work);
        let worker = || Worker {
            queue: queue.shared_by(workers),
            work: Arc::clone(&work),
            stopped: stopped.clone(),
        };
        Self {
            workers: (0..workers).map(|_| worker().work()).collect(),
            stop,
        }
    }

    /// Begins nothing any more, and gives back what is not done. Other nodes can go on with it at once.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.workers.join_next().await.is_some() {}
    }
}

struct Worker<W> {
    queue: Queue,
    work: Arc<W>,
    stopped: watch::Receiver<bool>,
}

/// How an attempt ended.
enum End {
    Done,
    Failed(Failure),
    Cancelled,
    Stopped,
}

impl<W: Work> Worker<W> {
    async fn work(self) {
        let mut is_silent = false;
        while !*self.stopped.borrow() {
            let queue = self.queue.clone();
            let mut news = std::pin::pin!(queue.news.notified());
            // What comes between the look and the wait is not missed.
            news.as_mut().enable();
            match self.queue.claim().await {
                Ok(Some(job)) => self.attend(&job).await,
                Ok(None) => self.wait(news).await,
                Err(error) => {
                    if !is_silent {
                        tracing::warn!(error = chain(&error), "the queue does not answer");
                    }
                    is_silent = true;
                    self.wait(news).await;
                    continue;
                }
            }
            is_silent = false;
        }
    }

    async fn wait(&self, news: impl Future<Output = ()>) {
        tokio::select! {
            () = news => {}
            () = sleep(self.queue.pace.poll) => {}
            () = self.stopped() => {}
        }
    }

    async fn stopped(&self) {
        // An error says that nobody is left who could stop it otherwise.
        let _ = self.stopped.clone().wait_for(|stopped| *stopped).await;
    }

    async fn attend(&self, job: &Job) {
        let end = if job.attempt > self.queue.pace.attempts {
            let error = "the server ended while it worked on it, more than once";
            End::Failed(Failure::Permanent(error.to_owned()))
        } else {
            self.attempt(job).await
        };
        let start = Instant::now();
        while let Err(error) = self.settle(job, &end).await {
            tracing::warn!(
                job = job.lease.job,
                error = chain(&error),
                "a job is not settled"
            );
            // By then another one has it.
            if *self.stopped.borrow() || start.elapsed() > 4 * self.queue.pace.lease {
                return;
            }
            sleep(self.queue.pace.poll).await;
        }
    }

    async fn attempt(&self, job: &Job) -> End {
        let run = AssertUnwindSafe(self.work.run(job)).catch_unwind();
        tokio::select! {
            result = timeout(self.queue.pace.patience, run) => match result {
                Err(_) => End::Failed(Failure::Permanent(self.late())),
                Ok(Err(panic)) => End::Failed(Failure::Transient(told(&*panic))),
                Ok(Ok(Err(failure))) => End::Failed(failure),
                Ok(Ok(Ok(()))) => End::Done,
            },
            end = self.keep(job.lease) => end,
            () = self.stopped() => End::Stopped,
        }
    }

    fn late(&self) -> String {
        let seconds = self.queue.pace.patience.as_secs();
        format!("it was not done within {seconds} s")
    }

    /// Extends the lease for as long as it can.
    async fn keep(&self, lease: Lease) -> End {
        let pace = &self.queue.pace;
        let mut last = Instant::now();
        loop {
            sleep(pace.beat).await;
            let left = pace.lease.saturating_sub(last.elapsed());
            let begun = Instant::now();
            match timeout(left, self.queue.beat(lease)).await {
                Ok(Ok(Beat::Extended)) => last = begun,
                Ok(Ok(Beat::Cancelled)) => return End::Cancelled,
                Ok(Ok(Beat::Lost)) | Err(_) => return End::Failed(Failure::Lost),
                Ok(Err(error)) => {
                    tracing::warn!(
                        job = lease.job,
                        error = chain(&error),
                        "a lease is not extended"
                    );
                }
            }
        }
    }

    /// Writes down how it ended.
    async fn settle(&self, job: &Job, end: &End) -> Result<(), RegistryError> {
        let lease = job.lease;
        match end {
            End::Done => self.queue.finish(lease, None).await?,
            End::Stopped => self.queue.give_back(lease).await?,
            End::Cancelled | End::Failed(Failure::Lost) => return Ok(()),
            End::Failed(Failure::Transient(error)) if job.attempt < self.queue.pace.attempts => {
                tracing::info!(job = lease.job, error, "a job is tried again");
                self.queue.retry(job, error).await?
            }
            End::Failed(Failure::Transient(error) | Failure::Permanent(error)) => {
                tracing::info!(job = lease.job, error, "a job is given up");
                self.work.give_up(job, error).await?;
                self.queue.finish(lease, Some(error)).await?
            }
        };
        Ok(())
    }
}

fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_default();
    tracing::error!(panic = text, "a job panicked");
    "the server could not go on with it: a defect".to_owned()
}
