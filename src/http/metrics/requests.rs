//! Requests, counted as they are answered: a few atomic additions each, no lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::Response;

use crate::cache::report::Count;
use crate::http::app::App;
use crate::http::log::Logged;
use crate::http::path::{Call, prefix};
use crate::iiif::Version;

/// What is asked for.
pub const KINDS: [&str; 3] = ["image", "information", "other"];
/// How it was made: those of [`crate::plan::Plan::strategy`], of `info.json`, of anything else.
const STRATEGIES: [&str; 7] = [
    "copied",
    "as stored",
    "scaled from the full image",
    "scaled from a level",
    "header",
    "none",
    "other",
];
const STATUSES: [&str; 22] = [
    "200", "201", "204", "302", "303", "304", "400", "401", "403", "404", "405", "409", "410",
    "413", "422", "429", "500", "501", "502", "503", "504", "other",
];
/// Upper bounds of the classes of durations, in milliseconds; the last class has none.
pub const BOUNDS: [u64; 15] = [
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000,
];

/// All requests since the start.
#[derive(Default)]
pub struct Requests {
    kinds: [OfKind; KINDS.len()],
    pub begun: Count,
    pub ended: Count,
    /// The client went away before there was an answer.
    pub abandoned: Count,
}

#[derive(Default)]
struct OfKind {
    answers: [[Count; STATUSES.len()]; STRATEGIES.len()],
    durations: Durations,
    bytes: Count,
}

/// How long answers took.
#[derive(Default)]
pub struct Durations {
    classes: [Count; BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

impl Durations {
    fn add(&self, time: Duration) {
        let milliseconds = time.as_nanos().div_ceil(1_000_000);
        let class = BOUNDS.partition_point(|bound| u128::from(*bound) < milliseconds);
        self.classes[class].add_one();
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// The number of answers in each class of [`BOUNDS`].
    pub fn classes(&self) -> impl Iterator<Item = u64> {
        self.classes.iter().map(Count::get)
    }

    /// All together.
    pub fn total(&self) -> Duration {
        Duration::from_micros(self.microseconds.load(Ordering::Relaxed))
    }
}

impl Requests {
    /// How many answers there were of each kind, status and strategy; those that there were none of are left out.
    pub fn answers(&self) -> Vec<([&'static str; 3], u64)> {
        let mut answers = Vec::new();
        for (kind, of_kind) in KINDS.into_iter().zip(&self.kinds) {
            for (strategy, counts) in STRATEGIES.into_iter().zip(&of_kind.answers) {
                for (status, count) in STATUSES.into_iter().zip(counts) {
                    answers.push(([kind, status, strategy], count.get()));
                }
            }
        }
        answers.retain(|(_, count)| *count > 0);
        answers
    }

    pub fn durations(&self) -> impl Iterator<Item = (&'static str, &Durations)> {
        let kinds = KINDS.into_iter().zip(&self.kinds);
        kinds.map(|(kind, of_kind)| (kind, &of_kind.durations))
    }

    /// Bytes of answers, without their heads.
    pub fn bytes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let kinds = KINDS.into_iter().zip(&self.kinds);
        kinds.map(|(kind, of_kind)| (kind, of_kind.bytes.get()))
    }

    fn begin(&self) -> UnderWay<'_> {
        self.begun.add_one();
        UnderWay {
            requests: self,
            start: Instant::now(),
            is_answered: false,
        }
    }
}

/// A request that is not answered yet.
struct UnderWay<'a> {
    requests: &'a Requests,
    start: Instant,
    is_answered: bool,
}

impl UnderWay<'_> {
    fn answered(mut self, kind: usize, method: &Method, response: &Response) {
        self.is_answered = true;
        let logged = response.extensions().get::<Logged>();
        let strategy = logged.map_or("none", |logged| logged.strategy);
        let of_kind = &self.requests.kinds[kind];
        of_kind.answers[place(strategy, &STRATEGIES)][place(response.status().as_str(), &STATUSES)]
            .add_one();
        of_kind.durations.add(self.start.elapsed());
        // The body of HEAD is taken away later.
        if *method != Method::HEAD {
            of_kind.bytes.add(length(response));
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.requests.ended.add_one();
        if !self.is_answered {
            self.requests.abandoned.add_one();
        }
    }
}

/// Of the body, in bytes. One that is sent in parts does not know; its head does.
fn length(response: &Response) -> u64 {
    let announced = response.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
    let exact = response.body().size_hint().exact();
    exact.or(announced).unwrap_or(0)
}

/// The last, if it is not among them.
fn place(name: &str, names: &[&str]) -> usize {
    let found = names.iter().position(|known| *known == name);
    found.unwrap_or(names.len() - 1)
}

/// The layer that counts; within that of the log, which takes away what the endpoint says of the request.
pub async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let kind = kind(&app, request.uri().path());
    let under_way = app.requests().begin();
    let method = request.method().clone();
    let response = next.run(request).await;
    under_way.answered(kind, &method, &response);
    response
}

/// As a place in [`KINDS`].
fn kind(app: &App, path: &str) -> usize {
    let mut versions = Version::ALL.into_iter();
    let below = versions.find_map(|version| path.strip_prefix(prefix(version)));
    match below.and_then(|below| Call::parse(below, app.server().unescaped_slashes)) {
        Some(Call::Image { .. }) => 0,
        Some(Call::Information { .. }) => 1,
        Some(Call::Base { .. }) | None => 2,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::error::Error;

    #[test]
    fn a_duration_counts_in_the_first_class_that_holds_it() {
        let durations = Durations::default();
        for microseconds in [0, 1_000, 1_001, 60_000_000, 60_000_001] {
            durations.add(Duration::from_micros(microseconds));
        }
        let classes: Vec<u64> = durations.classes().collect();
        assert_eq!(classes[..3], [2, 1, 0]);
        assert_eq!(classes[BOUNDS.len() - 1..], [1, 1]);
        assert_eq!(durations.total(), Duration::from_micros(120_002_002));
    }

    #[test]
    fn what_is_not_foreseen_counts_as_other() {
        let requests = Requests::default();
        let mut response = Response::new(Body::from("four"));
        *response.status_mut() = axum::http::StatusCode::IM_A_TEAPOT;
        requests.begin().answered(2, &Method::GET, &response);
        assert_eq!(requests.answers(), [(["other", "other", "none"], 1)]);
        assert_eq!(requests.bytes().last(), Some(("other", 4)));
        assert_eq!(requests.abandoned.get(), 0);
        let parts = Body::from_stream(futures_util::stream::empty::<Result<Vec<u8>, Error>>());
        let mut response = Response::new(parts);
        response.headers_mut().insert(CONTENT_LENGTH, 5.into());
        requests.begin().answered(2, &Method::GET, &response);
        assert_eq!(requests.bytes().last(), Some(("other", 9)));
        drop(requests.begin());
        assert_eq!(requests.abandoned.get(), 1);
        assert_eq!((requests.begun.get(), requests.ended.get()), (3, 3));
    }
}
