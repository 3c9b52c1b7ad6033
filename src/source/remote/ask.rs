//! One shape of request and one of answer, whatever protocol carries them.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use super::error::RemoteError;

/// Longer ones are as if there were none: they become a part of names.
const LONGEST_TAG: usize = 256;

/// A server that has files under keys, and how it is spoken to. Each call is one request: no attempts, no time limits.
pub trait Remote: Send + Sync + 'static {
    /// # Errors
    /// If the answer is none of [`Answer`].
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, RemoteError>>;

    /// What tells a key from those of all other sources, without anything secret. `None` if there can be nothing under it.
    fn location(&self, key: &str) -> Option<String>;

    /// The key of a location as [`Source::key_of`](crate::source::Source::key_of) has it.
    fn key_of(&self, location: &str) -> Option<String>;

    /// The server that has a key, as `host:port` or another name: what is left alone when it fails.
    fn server(&self, key: &str) -> String;
}

/// A request for what is under a key.
#[derive(Clone, Debug)]
pub struct Ask {
    pub key: String,
    /// Bytes; all of them if not set. The range may end behind the end.
    pub range: Option<Range<u64>>,
    pub condition: Condition,
}

#[derive(Clone, Debug)]
pub enum Condition {
    Always,
    /// If it is not in this state any more.
    Unless(State),
    /// If it is in this state still.
    Only(State),
}

pub enum Answer {
    /// The range that was asked for.
    Part {
        state: State,
        range: Range<u64>,
        body: Body,
    },
    /// Everything: no range was asked for, or the server has none. It need not say how much it is.
    Whole {
        size: Option<u64>,
        validators: Validators,
        body: Body,
    },
    /// It is in the state that was named.
    Unchanged,
}

/// Bytes as they come.
pub type Body = BoxStream<'static, Result<Bytes, RemoteError>>;

/// What tells a state of a remote file from its other states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub size: u64,
    pub validators: Validators,
}

/// What a server says of a state (RFC 9110, section 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// An entity tag as it is sent, with quotes.
    pub tag: Option<String>,
    /// The name that an object store gave this state.
    pub id: Option<String>,
    pub modified: Option<SystemTime>,
}

impl Validators {
    /// Leaves out a tag that is too long or has unusual characters.
    pub fn new(tag: Option<String>, id: Option<String>, modified: Option<SystemTime>) -> Self {
        let is_plain = |text: &String| {
            text.len() <= LONGEST_TAG && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        Self {
            tag: tag.filter(is_plain),
            id: id.filter(is_plain),
            modified,
        }
    }

    /// A tag that stands for the bytes: may be asked for with `If-Match`.
    pub fn strong_tag(&self) -> Option<&str> {
        self.tag.as_deref().filter(|tag| !tag.starts_with("W/"))
    }
}

impl State {
    /// The same for the same bytes, as far as the server tells. A strong tag is enough, as servers of one origin may disagree
    /// about the time; a weak one, or a time of whole seconds, counts together with the size. `None` if the server tells nothing.
    pub fn version(&self) -> Option<String> {
        let Validators { tag, id, modified } = &self.validators;
        if let Some(id) = id {
            return Some(format!("{id} {}", tag.as_deref().unwrap_or_default()));
        }
        if let Some(tag) = self.validators.strong_tag() {
            return Some(tag.to_owned());
        }
        let seconds = modified.map(|at| {
            at.duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs())
        });
        match (tag, seconds) {
            (None, None) => None,
            (Some(tag), None) => Some(format!("{tag} {}", self.size)),
            (None, Some(seconds)) => Some(format!("{}-{seconds}", self.size)),
            (Some(tag), Some(seconds)) => Some(format!("{tag} {}-{seconds}", self.size)),
        }
    }

    /// Whether the bytes are surely the same. Never without a validator.
    pub fn is_same(&self, other: &Self) -> bool {
        let version = self.version();
        self.size == other.size && version.is_some() && version == other.version()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn state(size: u64, tag: Option<&str>, seconds: Option<u64>) -> State {
        let modified = seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        State {
            size,
            validators: Validators::new(tag.map(str::to_owned), None, modified),
        }
    }

    #[test]
    fn a_strong_tag_is_enough_and_all_else_counts_together() {
        let strong = state(5, Some("\"a\""), Some(1));
        assert_eq!(strong.version().unwrap(), "\"a\"");
        assert!(strong.is_same(&state(5, Some("\"a\""), Some(2))));
        assert!(!strong.is_same(&state(6, Some("\"a\""), Some(1))));
        let weak = state(5, Some("W/\"a\""), Some(1));
        assert_eq!(weak.version().unwrap(), "W/\"a\" 5-1");
        assert!(!weak.is_same(&state(5, Some("W/\"a\""), Some(2))));
        assert_eq!(state(5, None, Some(1)).version().unwrap(), "5-1");
    }

    #[test]
    fn without_validators_nothing_is_the_same() {
        let none = state(5, None, None);
        assert_eq!(none.version(), None);
        assert!(!none.is_same(&none));
    }

    #[test]
    fn tags_that_could_do_harm_are_left_out() {
        for tag in ["\"a\nb\"", "\"a b\"", &"x".repeat(300)] {
            assert_eq!(state(5, Some(tag), None).version(), None, "{tag}");
        }
    }
}
