//! Assets that were submitted together.

use uuid::Uuid;

use super::timestamp::Timestamp;

/// A batch, and how far its assets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub id: i64,
    pub customer: i64,
    /// The member of a collection that it was made of.
    pub member: Option<Uuid>,
    pub submitted: Timestamp,
    /// Assets that it was submitted with.
    pub count: i64,
    /// Of these, how many are finished in whatever way.
    pub completed: i64,
    /// Of these, how many failed.
    pub errors: i64,
    /// Whether all of its assets were submitted again since.
    pub is_superseded: bool,
    /// When the last one was finished; `None` until then.
    pub finished: Option<Timestamp>,
}

/// What became of an asset in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Error,
    /// It was submitted again before it was finished.
    Superseded,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Superseded => "superseded",
        }
    }
}
