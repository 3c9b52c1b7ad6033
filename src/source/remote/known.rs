//! What was found lately.

use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::time::Instant;

use super::ask::State;
use crate::source::{Object, Stamp};

/// Files of one source.
const MOST: u64 = 10_000;
/// For how long one that is absent is not asked for again.
const ABSENT: Duration = Duration::from_secs(5);

/// A file that was found.
#[derive(Debug)]
pub struct Found {
    pub object: Object,
    pub state: State,
    /// Whether ranges of it can be asked for, and be told to be of one state. If not, there is a copy.
    pub has_ranges: bool,
}

/// The last answer for each key.
pub struct Known {
    answers: Cache<String, Told>,
    fresh: Duration,
}

#[derive(Clone)]
struct Told {
    since: Instant,
    found: Option<Arc<Found>>,
}

impl Known {
    /// Answers are taken for so long without asking.
    pub fn new(fresh: Duration) -> Self {
        Self {
            answers: Cache::builder()
                .max_capacity(MOST)
                // What was just found is about to be opened.
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            fresh,
        }
    }

    /// The last answer, if it need not be asked for again; `Some(None)` for a file that is absent.
    pub fn fresh(&self, key: &str) -> Option<Option<Arc<Found>>> {
        let answer = self.answers.get(key)?;
        let limit = match &answer.found {
            Some(_) => self.fresh,
            None => self.fresh.min(ABSENT),
        };
        (answer.since.elapsed() < limit).then_some(answer.found)
    }

    /// What was found last, however long ago.
    pub fn last(&self, key: &str) -> Option<Arc<Found>> {
        self.answers.get(key)?.found
    }

    pub fn keep(&self, key: &str, found: Option<Arc<Found>>) {
        let since = Instant::now();
        let answer = Told { since, found };
        self.answers.insert(key.to_owned(), answer);
    }

    /// What is remembered under a key, or under all, is no longer taken without asking.
    pub fn expire(&self, key: Option<&str>) {
        match key {
            Some(key) => self.answers.invalidate(key),
            None => self.answers.invalidate_all(),
        }
    }

    /// If it is this state that is remembered.
    pub fn forget(&self, key: &str, id: u128) {
        let last = self.last(key);
        if last.is_some_and(|found| found.object.stamp == Stamp::Version(id)) {
            self.answers.invalidate(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::page::Page;
    use crate::source::remote::ask::Validators;

    fn found(id: u128) -> Arc<Found> {
        Arc::new(Found {
            object: Object {
                source: 0,
                route: 0,
                page: Page::FIRST,
                is_one_page: false,
                key: "a".to_owned(),
                location: "a".to_owned(),
                version: "1".to_owned(),
                modified: SystemTime::UNIX_EPOCH,
                stamp: Stamp::Version(id),
            },
            state: State {
                size: 1,
                validators: Validators::default(),
            },
            has_ranges: true,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn answers_grow_old_and_absence_sooner() {
        let known = Known::new(Duration::from_secs(60));
        known.keep("a", Some(found(1)));
        known.keep("b", None);
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(matches!(known.fresh("a"), Some(Some(_))));
        assert!(matches!(known.fresh("b"), Some(None)));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(known.fresh("a").is_some() && known.fresh("b").is_none());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(known.fresh("a").is_none() && known.last("a").is_some());
    }

    #[test]
    fn only_the_state_that_is_meant_is_forgotten() {
        let known = Known::new(Duration::from_secs(60));
        known.keep("a", Some(found(2)));
        known.forget("a", 1);
        assert!(known.last("a").is_some());
        known.forget("a", 2);
        assert!(known.last("a").is_none());
    }
}
