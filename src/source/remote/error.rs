//! What goes wrong with a server, by what follows from it.

use std::io;
use std::time::Duration;

use crate::source::SourceError;

/// No text has a URL, an address or a credential in it: they are shown to clients.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// 404 and 410.
    #[error("there is no such file")]
    Absent,
    /// 401 and 403, and what may not be asked at all.
    #[error("{0}")]
    Refused(&'static str),
    #[error("the file has changed at its origin")]
    Changed,
    /// Worth another attempt.
    #[error("{0}")]
    Failed(Failure),
    /// Against the protocol, or beyond a limit: another attempt would not help.
    #[error("{0}")]
    Broken(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the origin cannot be reached")]
    Unreachable,
    #[error("the origin did not answer in time")]
    Late,
    #[error("the origin broke off its answer")]
    BrokenOff,
    #[error("the origin's answer does not go on")]
    Stalled,
    /// With the seconds after which it wants to be asked again.
    #[error("the origin answered with status {status}")]
    Status {
        status: u16,
        after: Option<Duration>,
    },
    #[error("the origin failed just now and is not asked for a while")]
    LeftAlone,
    #[error("too many requests to the origin are under way")]
    Busy,
    /// Whoever was doing it is gone.
    #[error("the request was given up")]
    Abandoned,
}

impl Failure {
    /// Whether it is likely that every other request would fail as well. `None` if nothing follows from it. An origin that answers 500, or
    /// begins an answer, is there: one file that always fails must not keep others from being asked for.
    pub fn is_of_server(&self) -> Option<bool> {
        match self {
            Self::Unreachable | Self::Late => Some(true),
            Self::BrokenOff | Self::Stalled => Some(false),
            Self::Status { status, .. } => Some(matches!(status, 429 | 502..=504)),
            Self::LeftAlone | Self::Busy | Self::Abandoned => None,
        }
    }

    /// Whether it may be so for one file only: what makes it may take too long, or a proxy not get it.
    pub fn may_be_of_file(&self) -> bool {
        !matches!(self, Self::Unreachable)
    }
}

impl RemoteError {
    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Absent => io::ErrorKind::NotFound,
            Self::Refused(_) => io::ErrorKind::PermissionDenied,
            Self::Changed => io::ErrorKind::StaleNetworkFileHandle,
            Self::Broken(_) => io::ErrorKind::InvalidData,
            Self::Failed(Failure::Late | Failure::Stalled) => io::ErrorKind::TimedOut,
            Self::Failed(Failure::Status { .. } | Failure::Busy) => io::ErrorKind::ResourceBusy,
            Self::Failed(_) => io::ErrorKind::HostUnreachable,
        }
    }

    /// As it is told of an image. `location` has no secrets.
    pub fn of_image(self, location: &str) -> SourceError {
        match self {
            Self::Absent => SourceError::NotFound(location.to_owned()),
            Self::Changed => SourceError::Replaced(location.to_owned()),
            other => SourceError::Unavailable(other.into()),
        }
    }
}

impl From<RemoteError> for io::Error {
    fn from(error: RemoteError) -> Self {
        Self::new(error.kind(), error)
    }
}

impl From<Failure> for RemoteError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Whether bytes could not be read because the image is another one by now: it has to be found and opened again.
pub fn is_replaced(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|it| it.downcast_ref());
    matches!(inner, Some(RemoteError::Changed))
}
