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

/// Copies of answers in the memory of this process, so that a viewer's hundred tiles ask the database once.
pub struct Copies {
    answers: Cache<String, Answer>,
    /// How often something was forgotten.
    changes: Mutex<u64>,
}

impl Copies {
    pub fn new() -> Self {
        let answers = Cache::builder().max_capacity(MOST).expire_after(Seconds);
        Self {
            answers: answers.build(),
            changes: Mutex::new(0),
        }
    }

    pub fn get(&self, identifier: &str) -> Option<Answer> {
        self.answers.get(identifier)
    }

    /// To be called before the database is asked.
    pub fn changes(&self) -> u64 {
        *self.lock()
    }

    /// Keeps an answer, unless something was written since: then it may be the old one.
    pub fn keep(&self, identifier: &str, answer: &Answer, changes_before: u64) {
        let changes = self.lock();
        if *changes == changes_before {
            self.answers.insert(identifier.to_owned(), answer.clone());
        }
    }

    /// Forgets when the value is dropped: also if nobody knows whether the change was made.
    pub fn forgetting(&self, identifiers: Vec<String>) -> Forgetting<'_> {
        Forgetting {
            copies: self,
            identifiers,
        }
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Forgetting<'a> {
    copies: &'a Copies,
    identifiers: Vec<String>,
}

impl Drop for Forgetting<'_> {
    fn drop(&mut self) {
        let mut changes = self.copies.lock();
        *changes += 1;
        for identifier in &self.identifiers {
            self.copies.answers.invalidate(identifier);
        }
    }
}

struct Seconds;

impl Expiry<String, Answer> for Seconds {
    fn expire_after_create(&self, _: &String, answer: &Answer, _: Instant) -> Option<Duration> {
        Some(match answer {
            Answer::Found(_) | Answer::Gone => KNOWN,
            Answer::Unknown => UNKNOWN,
        })
    }

    fn expire_after_update(
        &self,
        identifier: &String,
        answer: &Answer,
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
