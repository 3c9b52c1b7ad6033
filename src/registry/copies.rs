//! Answers of the last seconds.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

use super::entry::Answer;

const MOST: u64 = 20_000;
/// How late a change by another node may be seen.
const KNOWN: Duration = Duration::from_secs(10);
const UNKNOWN: Duration = Duration::from_secs(5);

/// What is remembered for seconds.
pub trait Copied: Clone + Send + Sync + 'static {
    /// Whether there is nothing, which may change sooner than what there is.
    fn is_unknown(&self) -> bool;
}

impl Copied for Answer {
    fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

/// Copies of answers in the memory of this process, so that a viewer's hundred tiles ask the database once.
pub struct Copies<A> {
    answers: Cache<String, A>,
    /// How often something was forgotten.
    changes: Mutex<u64>,
}

impl<A: Copied> Copies<A> {
    pub fn new() -> Self {
        let answers = Cache::builder().max_capacity(MOST).expire_after(Seconds);
        Self {
            answers: answers.build(),
            changes: Mutex::new(0),
        }
    }

    pub fn get(&self, identifier: &str) -> Option<A> {
        self.answers.get(identifier)
    }

    /// To be called before the database is asked.
    pub fn changes(&self) -> u64 {
        *self.lock()
    }

    /// Keeps an answer, unless something was written since: then it may be the old one.
    pub fn keep(&self, identifier: &str, answer: &A, changes_before: u64) {
        let changes = self.lock();
        if *changes == changes_before {
            self.answers.insert(identifier.to_owned(), answer.clone());
        }
    }

    /// Forgets when the value is dropped: also if nobody knows whether the change was made.
    pub fn forgetting(&self, identifiers: Vec<String>) -> Forgetting<'_, A> {
        Forgetting {
            copies: self,
            identifiers,
        }
    }

    /// Forgets all.
    pub fn forget_all(&self) {
        let mut changes = self.lock();
        *changes += 1;
        self.answers.invalidate_all();
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Forgetting<'a, A: Copied> {
    copies: &'a Copies<A>,
    identifiers: Vec<String>,
}

impl<A: Copied> Drop for Forgetting<'_, A> {
    fn drop(&mut self) {
        let mut changes = self.copies.lock();
        *changes += 1;
        for identifier in &self.identifiers {
            self.copies.answers.invalidate(identifier);
        }
    }
}

struct Seconds;

impl<A: Copied> Expiry<String, A> for Seconds {
    fn expire_after_create(&self, _: &String, answer: &A, _: Instant) -> Option<Duration> {
        Some(match answer.is_unknown() {
            false => KNOWN,
            true => UNKNOWN,
        })
    }

    fn expire_after_update(
        &self,
        identifier: &String,
        answer: &A,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(identifier, answer, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_from_before_a_change_is_not_kept() {
        let copies = Copies::new();
        let before = copies.changes();
        drop(copies.forgetting(vec!["a".to_owned()]));
        copies.keep("a", &Answer::Unknown, before);
        assert_eq!(copies.get("a"), None);
        copies.keep("a", &Answer::Gone, copies.changes());
        assert_eq!(copies.get("a"), Some(Answer::Gone));
        drop(copies.forgetting(vec!["a".to_owned()]));
        assert_eq!(copies.get("a"), None);
    }
}
