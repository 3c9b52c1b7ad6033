//! What every queue promises, whatever database keeps it.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use futures_util::future::join_all;
use sqlx::{Any, AnyConnection, Connection, Row};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::registry::config::RegistryConfig;
use crate::registry::postgres_server::PostgresServer;

/// For what comes soon, on a machine that has much else to do.
const LONG: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Nothing ends by itself: where time passes, the database is told so ([`pass`]).
const CALM: Pace = Pace {
    lease: HOUR,
    beat: HOUR,
    poll: Duration::from_millis(50),
    pause: Duration::from_millis(50),
    attempts: 3,
    patience: HOUR,
};
const QUICK: Pace = Pace {
    beat: Duration::from_millis(50),
    ..CALM
};

async fn node(url: &str, name: &str, pace: Pace) -> Queue {
    let config = RegistryConfig {
        url: Some(url.parse().unwrap()),
        timeout_ms: 60_000,
        ..RegistryConfig::default()
    };
    let registry = Registry::open(&config).await.unwrap().unwrap();
    Queue::new(registry, name, pace)
}

fn job<'a>(owner: &'a str, subject: &'a str) -> NewJob<'a> {
    NewJob {
        kind: "test",
        owner,
        subject,
        priority: 0,
        payload: "{}",
        after: Duration::ZERO,
    }
}

async fn put(queue: &Queue, jobs: &[NewJob<'_>]) {
    let putting = async |c: &mut AnyConnection| {
        for job in jobs {
            enqueue(c, job).await?;
        }
        Ok(())
    };
    queue.registry.database().write(putting).await.unwrap();
    queue.wake();
}

async fn stop(queue: &Queue, subject: &str) -> u64 {
    let cancelling = async |c: &mut AnyConnection| cancel(c, "test", &[subject]).await;
    queue.registry.database().write(cancelling).await.unwrap()
}

async fn change(queue: &Queue, statement: &'static str) {
    let changing = async |c: &mut AnyConnection| sqlx::query(statement).execute(c).await;
    queue.registry.database().write(changing).await.unwrap();
}

fn milliseconds(time: Duration) -> i64 {
    time.as_millis().try_into().unwrap()
}

/// All that is written down happened so much earlier.
async fn pass(queue: &Queue, time: Duration) {
    let time = milliseconds(time);
    let passing = async |c: &mut AnyConnection| {
        sqlx::query(
            "UPDATE jobs SET created = created - $1, run_at = run_at - $1, leased_until = leased_until - $1",
        )
        .bind(time)
        .execute(c)
        .await
    };
    queue.registry.database().write(passing).await.unwrap();
}

async fn take(queue: &Queue) -> Job {
    queue.claim().await.unwrap().expect("there is a job")
}

async fn take_subjects(queue: &Queue, count: usize) -> Vec<String> {
    let mut subjects = Vec::new();
    for _ in 0..count {
        subjects.push(take(queue).await.subject);
    }
    subjects
}

/// Number, error and whether it is over.
async fn row(queue: &Queue, subject: &str) -> (i64, Option<String>, bool) {
    let asking = async |c: &mut AnyConnection| {
        let row =
            sqlx::query::<Any>("SELECT attempts, error, finished FROM jobs WHERE subject = $1")
                .bind(subject)
                .fetch_one(c)
                .await?;
        let finished: Option<i64> = row.try_get("finished")?;
        Ok((
            row.try_get("attempts")?,
            row.try_get("error")?,
            finished.is_some(),
        ))
    };
    queue.registry.database().read(asking).await.unwrap()
}

#[tokio::test]
async fn an_sqlite_file_keeps_the_contract() {
    let folder = TempDir::new().unwrap();
    keeps_the_contract(|case| format!("sqlite:{}/{case}.db", folder.path().display())).await;
}

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let server = PostgresServer::start();
    keeps_the_contract(|case| server.new_database(case)).await;
}

/// Each case with a database of its own.
async fn keeps_the_contract(new: impl Fn(&str) -> String) {
    what_is_put_is_taken_once(&new("once")).await;
    what_is_not_committed_is_not_there(&new("committed")).await;
    owners_take_turns(&new("turns")).await;
    a_turn_is_no_time(&new("no_time")).await;
    more_urgent_jobs_go_first(&new("urgent")).await;
    an_owner_leaves_a_worker_to_others(&new("share")).await;
    racing_nodes_take_each_job_once(&new("race")).await;
    a_job_whose_lease_ends_is_taken_by_another(&new("lease")).await;
    a_beat_keeps_a_job(&new("beat")).await;
    a_clock_that_is_wrong_changes_nothing(&new("clock")).await;
    a_cancelled_job_is_over(&new("cancelled")).await;
    a_failed_job_is_tried_again_later(&new("retried")).await;
    a_job_for_later_waits(&new("later")).await;
    a_runner_does_what_comes(&new("runner")).await;
    a_runner_tries_again_and_gives_up(&new("gives_up")).await;
    a_job_that_ends_processes_is_given_up(&new("poison")).await;
    a_runner_stops_what_is_cancelled(&new("stops")).await;
    a_runner_stops_what_it_has_lost(&new("lost")).await;
    a_runner_gives_back_what_is_not_done(&new("back")).await;
    work_that_panics_is_an_attempt(&new("panics")).await;
}

async fn what_is_put_is_taken_once(url: &str) {
    let queue = node(url, "a", CALM).await;
    assert_eq!(queue.claim().await.unwrap(), None);
    let new = NewJob {
        payload: "{\"a\": \"ü\"}",
        ..job("me", "it")
    };
    put(&queue, &[new]).await;
    let job = take(&queue).await;
    assert_eq!((job.kind.as_str(), job.owner.as_str()), ("test", "me"));
    assert_eq!(
        (job.subject.as_str(), job.payload.as_str()),
        ("it", "{\"a\": \"ü\"}")
    );
    assert_eq!(job.attempt, 1);
    assert_eq!(queue.claim().await.unwrap(), None);
    assert!(queue.finish(job.lease, None).await.unwrap());
    assert!(!queue.finish(job.lease, None).await.unwrap());
    assert_eq!(queue.claim().await.unwrap(), None);
}

async fn what_is_not_committed_is_not_there(url: &str) {
    let queue = node(url, "a", CALM).await;
    let failing = async |c: &mut AnyConnection| {
        enqueue(c, &job("me", "it")).await?;
        Err::<(), _>(sqlx::Error::RowNotFound)
    };
    assert!(queue.registry.database().write(failing).await.is_err());
    assert_eq!(queue.claim().await.unwrap(), None);
}

/// Who has one job does not wait for all of who has many: not with one worker, and not with several.
async fn owners_take_turns(url: &str) {
    let queue = node(url, "a", CALM).await;
    put(
        &queue,
        &[job("many", "1"), job("many", "2"), job("many", "3")],
    )
    .await;
    assert_eq!(take_subjects(&queue, 1).await, ["1"]);
    put(&queue, &[job("one", "a"), job("two", "b"), job("two", "c")]).await;
    assert_eq!(take_subjects(&queue, 3).await, ["a", "b", "2"]);
    let last = take(&queue).await;
    assert_eq!(last.subject, "c");
    queue.finish(last.lease, None).await.unwrap();
    put(&queue, &[job("many", "4"), job("two", "d")]).await;
    // Two of `many` run, and one of `two`, although it was the turn of `two` just now.
    assert_eq!(take_subjects(&queue, 3).await, ["d", "3", "4"]);
}

/// However many turns there are in a millisecond, and whatever becomes of the clock: here, it goes back an hour each time.
async fn a_turn_is_no_time(url: &str) {
    let queue = node(url, "a", CALM).await;
    let many = [job("a", "1"), job("a", "2"), job("a", "3")];
    put(&queue, &many).await;
    put(&queue, &many.map(|job| NewJob { owner: "b", ..job })).await;
    let mut owners = String::new();
    for _ in 0..6 {
        let job = take(&queue).await;
        owners += &job.owner;
        queue.finish(job.lease, None).await.unwrap();
        change(&queue, "UPDATE job_owners SET turn = turn + 3600000").await;
    }
    assert_eq!(owners, "ababab");
}

async fn more_urgent_jobs_go_first(url: &str) {
    let queue = node(url, "a", CALM).await;
    let urgent = NewJob {
        priority: 1,
        ..job("me", "urgent")
    };
    let others = [job("you", "0"), job("me", "1"), job("you", "2"), urgent];
    put(&queue, &others).await;
    // Nobody gets before others by calling everything urgent.
    assert_eq!(take_subjects(&queue, 4).await, ["0", "urgent", "2", "1"]);
}

async fn an_owner_leaves_a_worker_to_others(url: &str) {
    let queue = node(url, "a", CALM).await;
    let other = node(url, "b", CALM).await;
    put(&queue, &[job("me", "1"), job("me", "2"), job("me", "3")]).await;
    for (workers, node) in [(2, &queue), (1, &other)] {
        let shared = node.shared_by(workers);
        take(&shared).await;
        assert_eq!(shared.claim().await.unwrap(), None, "of {workers}");
    }
    put(&queue, &[job("you", "4")]).await;
    assert_eq!(take(&queue.shared_by(2)).await.subject, "4");
    assert_eq!(take(&queue.shared_by(3)).await.subject, "3");
}

async fn racing_nodes_take_each_job_once(url: &str) {
    const JOBS: usize = 40;
    let nodes = [node(url, "a", CALM).await, node(url, "b", CALM).await];
    let subjects: Vec<String> = (0..JOBS).map(|number| number.to_string()).collect();
    let jobs: Vec<_> = subjects.iter().map(|subject| job("me", subject)).collect();
    put(&nodes[0], &jobs).await;
    let workers = (0..6).map(|number| {
        let queue = &nodes[number % 2];
        async move {
            let mut taken = Vec::new();
            while let Some(job) = queue.claim().await.unwrap() {
                taken.push(job.subject);
            }
            taken
        }
    });
    let taken = join_all(workers).await.concat();
    assert_eq!(taken.len(), JOBS);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), JOBS);
}

async fn a_job_whose_lease_ends_is_taken_by_another(url: &str) {
    let (a, b) = (node(url, "a", CALM).await, node(url, "b", CALM).await);
    put(&a, &[job("me", "it")]).await;
    let first = take(&a).await;
    pass(&a, CALM.lease / 2).await;
    assert_eq!(b.claim().await.unwrap(), None);
    assert!(b.is_alive(first.lease).await.unwrap());
    pass(&a, CALM.lease / 2).await;
    assert!(!b.is_alive(first.lease).await.unwrap());
    let second = take(&b).await;
    assert_eq!((second.subject.as_str(), second.attempt), ("it", 2));
    assert_eq!(a.beat(first.lease).await.unwrap(), Beat::Lost);
    assert!(!a.finish(first.lease, None).await.unwrap());
    assert!(!a.retry(&first, "late").await.unwrap());
    assert!(!a.give_back(first.lease).await.unwrap());
    assert!(b.is_alive(second.lease).await.unwrap());
    assert!(b.finish(second.lease, None).await.unwrap());
    assert!(!b.is_alive(second.lease).await.unwrap());
}

async fn a_beat_keeps_a_job(url: &str) {
    let (a, b) = (node(url, "a", CALM).await, node(url, "b", CALM).await);
    put(&a, &[job("me", "it")]).await;
    let job = take(&a).await;
    for _ in 0..3 {
        pass(&a, CALM.lease / 2).await;
        assert_eq!(b.claim().await.unwrap(), None);
        assert_eq!(a.beat(job.lease).await.unwrap(), Beat::Extended);
    }
}

/// A node whose clock is hours ahead or behind writes the same times: none of its own.
async fn a_clock_that_is_wrong_changes_nothing(url: &str) {
    let queue = node(url, "a", CALM).await;
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.unwrap();
    let before = clock::now(&mut connection).await.unwrap();
    put(&queue, &[job("me", "it")]).await;
    take(&queue).await;
    let after = clock::now(&mut connection).await.unwrap();
    let row = sqlx::query("SELECT created, leased_until FROM jobs").fetch_one(&mut connection);
    let row = row.await.unwrap();
    let within = before..=after;
    assert!(within.contains(&row.get("created")), "{within:?}");
    let taken = row.get::<i64, _>("leased_until") - milliseconds(CALM.lease);
    assert!(within.contains(&taken), "{taken} {within:?}");
    let here = milliseconds(SystemTime::UNIX_EPOCH.elapsed().unwrap());
    assert!(here.abs_diff(after) < 3_600_000, "it is in milliseconds");
    let source = include_str!("table.rs");
    assert!(
        !source.contains("SystemTime"),
        "by the clock of the database alone"
    );
}

async fn a_cancelled_job_is_over(url: &str) {
    let queue = node(url, "a", CALM).await;
    put(
        &queue,
        &[job("me", "waits"), job("me", "waits"), job("me", "other")],
    )
    .await;
    assert_eq!(stop(&queue, "waits").await, 2);
    assert_eq!(stop(&queue, "waits").await, 0);
    let other = take(&queue).await;
    assert_eq!(other.subject, "other");
    assert_eq!(queue.beat(other.lease).await.unwrap(), Beat::Extended);
    assert_eq!(stop(&queue, "other").await, 1);
    assert_eq!(queue.beat(other.lease).await.unwrap(), Beat::Cancelled);
    assert_eq!(queue.claim().await.unwrap(), None);
}

async fn a_failed_job_is_tried_again_later(url: &str) {
    let pace = Pace {
        pause: HOUR,
        ..CALM
    };
    let queue = node(url, "a", pace).await;
    put(&queue, &[job("me", "it")]).await;
    for pause in [HOUR, 2 * HOUR] {
        let job = take(&queue).await;
        assert!(queue.retry(&job, "no luck").await.unwrap());
        pass(&queue, pause - HOUR / 2).await;
        assert_eq!(queue.claim().await.unwrap(), None, "{pause:?}");
        pass(&queue, HOUR / 2).await;
    }
    assert_eq!(
        row(&queue, "it").await,
        (2, Some("no luck".to_owned()), false)
    );
    assert_eq!(take(&queue).await.attempt, 3);
}

async fn a_job_for_later_waits(url: &str) {
    let queue = node(url, "a", CALM).await;
    let later = NewJob {
        after: HOUR,
        ..job("me", "later")
    };
    put(&queue, &[later, job("me", "now")]).await;
    assert_eq!(take(&queue).await.subject, "now");
    pass(&queue, HOUR / 2).await;
    assert_eq!(queue.claim().await.unwrap(), None);
    pass(&queue, HOUR / 2).await;
    assert_eq!(take(&queue).await.subject, "later");
}

/// Does what the first word of a payload says, and tells of it.
struct Script {
    begun: UnboundedSender<Job>,
    given_up: Mutex<Vec<(String, String)>>,
    dropped: AtomicUsize,
}

struct Dropped<'a>(&'a AtomicUsize);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Work for Arc<Script> {
    async fn run(&self, job: &Job) -> Result<(), Failure> {
        self.begun.send(job.clone()).unwrap();
        let _dropped = Dropped(&self.dropped);
        match job.payload.as_str() {
            "transient" => Err(Failure::Transient("no luck".to_owned())),
            "permanent" => Err(Failure::Permanent("no way".to_owned())),
            "panic" => panic!("as it is told"),
            "hang" => std::future::pending().await,
            _ => Ok(()),
        }
    }

    async fn give_up(&self, job: &Job, error: &str) -> Result<(), RegistryError> {
        let told = (job.subject.clone(), error.to_owned());
        self.given_up.lock().unwrap().push(told);
        Ok(())
    }
}

fn script() -> (Arc<Script>, UnboundedReceiver<Job>) {
    let (begun, begins) = unbounded_channel();
    let script = Script {
        begun,
        given_up: Mutex::default(),
        dropped: AtomicUsize::new(0),
    };
    (Arc::new(script), begins)
}

fn told<'a>(subject: &'a str, payload: &'a str) -> NewJob<'a> {
    NewJob {
        payload,
        ..job("me", subject)
    }
}

async fn next(begins: &mut UnboundedReceiver<Job>) -> Job {
    let begun = timeout(LONG, begins.recv()).await;
    begun.expect("it is begun in time").unwrap()
}

async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < LONG, "{what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// At once if this process puts it, and soon if another one does.
async fn a_runner_does_what_comes(url: &str) {
    let patient = Pace { poll: HOUR, ..CALM };
    let (queue, other) = (node(url, "a", patient).await, node(url, "b", CALM).await);
    let (script, mut begins) = script();
    let runner = Runner::start(&queue, Arc::clone(&script), 2);
    sleep(Duration::from_millis(100)).await;
    put(&queue, &[told("it", "")]).await;
    assert_eq!(next(&mut begins).await.subject, "it");
    eventually("it is done", async || row(&queue, "it").await.2).await;
    runner.stop().await;
    let looking = Runner::start(&other, Arc::clone(&script), 1);
    sleep(Duration::from_millis(100)).await;
    put(&queue, &[told("another", "")]).await;
    assert_eq!(next(&mut begins).await.subject, "another");
    looking.stop().await;
}

async fn a_runner_tries_again_and_gives_up(url: &str) {
    let queue = node(url, "a", CALM).await;
    let (script, mut begins) = script();
    let runner = Runner::start(&queue, Arc::clone(&script), 1);
    put(&queue, &[told("it", "transient")]).await;
    for attempt in 1..=3 {
        assert_eq!(next(&mut begins).await.attempt, attempt);
    }
    eventually("it is over", async || row(&queue, "it").await.2).await;
    put(&queue, &[told("other", "permanent")]).await;
    assert_eq!(next(&mut begins).await.subject, "other");
    eventually("it is over", async || row(&queue, "other").await.2).await;
    runner.stop().await;
    assert!(begins.try_recv().is_err());
    assert_eq!(
        row(&queue, "it").await,
        (3, Some("no luck".to_owned()), true)
    );
    let given_up = script.given_up.lock().unwrap();
    let expected = [("it", "no luck"), ("other", "no way")];
    assert_eq!(
        *given_up,
        expected.map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
}

/// Each process that takes it is gone before it can say a word.
async fn a_job_that_ends_processes_is_given_up(url: &str) {
    let queue = node(url, "a", CALM).await;
    put(&queue, &[told("poison", ""), told("it", "")]).await;
    for _ in 0..3 {
        assert_eq!(take(&queue).await.subject, "poison");
        pass(&queue, CALM.lease).await;
    }
    let (script, mut begins) = script();
    let runner = Runner::start(&queue, Arc::clone(&script), 1);
    assert_eq!(next(&mut begins).await.subject, "it");
    eventually("it is over", async || row(&queue, "it").await.2).await;
    runner.stop().await;
    assert_eq!(script.given_up.lock().unwrap()[0].0, "poison");
    assert!(row(&queue, "poison").await.2);
}

async fn a_runner_stops_what_is_cancelled(url: &str) {
    let queue = node(url, "a", QUICK).await;
    let (script, mut begins) = script();
    let runner = Runner::start(&queue, Arc::clone(&script), 1);
    put(&queue, &[told("it", "hang"), told("other", "")]).await;
    assert_eq!(next(&mut begins).await.subject, "it");
    stop(&queue, "it").await;
    assert_eq!(next(&mut begins).await.subject, "other");
    runner.stop().await;
    assert_eq!(script.dropped.load(Ordering::Relaxed), 2);
    assert!(script.given_up.lock().unwrap().is_empty());
}

async fn a_runner_stops_what_it_has_lost(url: &str) {
    let queue = node(url, "a", QUICK).await;
    let (script, mut begins) = script();
    let runner = Runner::start(&queue, Arc::clone(&script), 1);
    put(&queue, &[told("it", "hang")]).await;
    let lease = next(&mut begins).await.lease;
    change(&queue, "UPDATE jobs SET lease = lease + 1").await;
    let dropped = async || script.dropped.load(Ordering::Relaxed) == 1;
    eventually("it is stopped", dropped).await;
    runner.stop().await;
    assert_eq!(row(&queue, "it").await, (1, None, false), "{lease:?}");
}

async fn a_runner_gives_back_what_is_not_done(url: &str) {
    let queue = node(url, "a", CALM).await;
    let (script, mut begins) = script();
    let runner = Runner::start(&queue, Arc::clone(&script), 1);
    put(&queue, &[told("it", "hang")]).await;
    next(&mut begins).await;
    runner.stop().await;
    let again = take(&queue).await;
    assert_eq!((again.subject.as_str(), again.attempt), ("it", 1));
}

async fn work_that_panics_is_an_attempt(url: &str) {
    let queue = node(url, "a", CALM).await;
    let (script, mut begins) = script();
    let runner = Runner::start(&queue, Arc::clone(&script), 1);
    put(&queue, &[told("it", "panic"), told("other", "")]).await;
    let mut begun = Vec::new();
    for _ in 0..4 {
        begun.push(next(&mut begins).await.subject);
    }
    eventually("it is over", async || row(&queue, "it").await.2).await;
    runner.stop().await;
    begun.sort();
    assert_eq!(begun, ["it", "it", "it", "other"]);
}
