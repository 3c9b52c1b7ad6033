//! What goes wrong, in words for those who posted it, and whether another attempt may help.

use std::io;

use super::scratch::NoRoom;
use crate::causes::{all, chain};
use crate::decode::DecodeError;
use crate::pyramid::BuildError;
use crate::queue::Failure;
use crate::source::SourceError;
use crate::source::remote::RemoteError;

pub fn of_origin(error: &RemoteError) -> Failure {
    let text = format!("the origin cannot be fetched: {error}");
    match error {
        RemoteError::Failed(_) | RemoteError::Changed => Failure::Transient(text),
        RemoteError::Absent | RemoteError::Refused(_) | RemoteError::Broken(_) => {
            Failure::Permanent(text)
        }
    }
}

/// Of a file that is written here.
pub fn of_writing(error: &io::Error) -> Failure {
    let no_room = error.get_ref().and_then(|inner| inner.downcast_ref());
    match no_room {
        Some(NoRoom::Ever) => Failure::Permanent(format!("the origin cannot be kept: {error}")),
        Some(NoRoom::Now) => Failure::Transient(format!("the origin cannot be kept: {error}")),
        None => {
            tracing::error!(%error, "what was fetched cannot be kept");
            Failure::Transient("the server cannot keep what it has fetched".to_owned())
        }
    }
}

/// Of a file that is here as it came.
pub fn of_content(error: &DecodeError) -> Failure {
    let text = format!("what the origin has cannot be used: {}", chain(error));
    match error {
        DecodeError::Io(_) => Failure::Transient(text),
        _ => Failure::Permanent(text),
    }
}

/// Of an image that is read where it is.
pub fn of_source(error: &SourceError) -> Failure {
    let remote = all(error).find_map(|cause| {
        let cause = cause.downcast_ref::<io::Error>()?.get_ref()?;
        cause.downcast_ref::<RemoteError>()
    });
    match (error, remote) {
        (_, Some(remote)) => of_origin(remote),
        (SourceError::NotFound(_) | SourceError::Gone(_), None) => of_origin(&RemoteError::Absent),
        (other, None) => Failure::Transient(format!("the origin cannot be read: {}", chain(other))),
    }
}

/// Of a pyramid.
pub fn of_building(error: &BuildError) -> Failure {
    match error {
        BuildError::Decode(error) => of_content(error),
        BuildError::Memory { .. } => Failure::Permanent(format!("a page is too large: {error}")),
        BuildError::Write(_) | BuildError::Off(_) | BuildError::Stopped => {
            tracing::error!(error = chain(error), "the pyramid of a page cannot be kept");
            Failure::Transient("the server cannot keep the images of its pages".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_transient(failure: &Failure) -> bool {
        matches!(failure, Failure::Transient(_))
    }

    #[test]
    fn what_may_be_over_soon_is_tried_again_and_nothing_else() {
        let late = || RemoteError::Failed(crate::source::remote::Failure::Late);
        assert!(is_transient(&of_origin(&late())));
        assert!(!is_transient(&of_origin(&RemoteError::Absent)));
        assert!(!is_transient(&of_origin(&RemoteError::Refused("no"))));
        assert!(is_transient(&of_source(&late().of_image("a"))));
        assert!(!is_transient(&of_source(
            &RemoteError::Absent.of_image("a")
        )));
        assert!(!is_transient(&of_source(
            &RemoteError::Broken("no").of_image("a")
        )));
        assert!(!is_transient(&of_content(&DecodeError::UnknownFormat)));
        assert!(is_transient(&of_writing(
            &io::ErrorKind::StorageFull.into()
        )));
        assert!(is_transient(&of_writing(&io::Error::other(NoRoom::Now))));
        assert!(!is_transient(&of_writing(&io::Error::other(NoRoom::Ever))));
    }
}
