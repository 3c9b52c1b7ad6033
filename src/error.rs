//! Failures by outcome: what went wrong for the one who asked. Which status each becomes is decided in `http::error`
//! alone.

use std::error::Error as StdError;
use std::sync::Arc;

use crate::decode::DecodeError;
use crate::encode::EncodeError;
use crate::iiif::identifier::IdentifierError;
use crate::iiif::size::SizeError;
use crate::iiif::{Identifier, RequestError};
use crate::transform::TransformError;

/// A cause, kept for the log.
pub type Cause = Arc<dyn StdError + Send + Sync>;

/// A cause that all who wait for the same work are told.
pub fn cause(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Cause {
    Arc::from(error.into())
}

/// Why a request was not answered as asked. The text is for the client: short, and without paths.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The request is wrong for this image or for any.
    #[error("{0}")]
    BadRequest(String),
    /// The request is right, but asks for what this server does not do.
    #[error("{0}")]
    NotImplemented(String),
    /// There is no such image.
    #[error("{0}")]
    NotFound(String),
    /// There was one, and it was removed for good.
    #[error("{0}")]
    Gone(String),
    /// It is not for everyone, and it is not known who asks.
    #[error("{0}")]
    Unauthorized(String),
    /// It is not for the one who asks.
    #[error("{0}")]
    Forbidden(String),
    /// What is there already stands against it.
    #[error("{0}")]
    Conflict(String),
    /// The image exists, but its file cannot be used.
    #[error("the image \"{identifier}\" cannot be read: {reason}")]
    SourceBroken {
        identifier: Identifier,
        reason: String,
        #[source]
        cause: Cause,
    },
    /// The place where the image is stored does not answer.
    #[error("the source of the image \"{identifier}\" is not available")]
    SourceUnavailable {
        identifier: Identifier,
        #[source]
        cause: Cause,
    },
    /// The place where all images are stored does not answer.
    #[error("the images are not available")]
    StoreUnavailable(#[source] Cause),
    /// The registry does not answer, so that nobody knows whether there is such an image.
    #[error("the registry is not available")]
    RegistryUnavailable(#[source] Cause),
    /// Somebody who knows who may see what does not answer.
    #[error("it cannot be told now who may see this")]
    AccessUnavailable(#[source] Cause),
    /// Too much work is waiting already.
    #[error("the server is busy: try again")]
    Busy,
    /// Answers that were asked for and not read take all the room that there is for them.
    #[error("too many answers wait to be read by clients: try again")]
    Unread,
    /// The one who asks has not read what he has asked for before.
    #[error("too many answers wait to be read by this client: read them first")]
    UnreadByClient,
    /// The one who asks has asked for too much: seconds until there is more for him.
    #[error("too many requests: try again in {0} s")]
    TooManyRequests(u64),
    /// Layers of the cache did not forget what they were told to.
    #[error("not purged, because it does not answer: {0}")]
    CacheUnavailable(String),
    /// It took longer than allowed.
    #[error("the request took longer than this server allows")]
    Timeout,
    /// A defect of the server.
    #[error("internal error")]
    Internal(#[source] Cause),
}

impl Error {
    pub fn internal(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(cause(error))
    }

    /// The same for one who waited for work that another had asked for, perhaps by another identifier of the image.
    pub fn told_to(mut self, asking: &Identifier) -> Self {
        if let Self::SourceBroken { identifier, .. } | Self::SourceUnavailable { identifier, .. } =
            &mut self
        {
            identifier.clone_from(asking);
        }
        self
    }

    /// A decoder's error, with the identifier that it happened for.
    pub fn decoding(identifier: &Identifier, error: DecodeError) -> Self {
        let identifier = identifier.clone();
        match error {
            DecodeError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                Self::SourceUnavailable {
                    identifier,
                    cause: cause(error),
                }
            }
            DecodeError::Busy(_) => Self::Busy,
            error @ DecodeError::NoPage { .. } => {
                Self::NotFound(format!("there is no image \"{identifier}\": {error}"))
            }
            error => Self::SourceBroken {
                identifier,
                reason: error.to_string(),
                cause: cause(error),
            },
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        match &error {
            RequestError::Size(SizeError::UpscalingOff { .. }) => {
                Self::NotImplemented(error.to_string())
            }
            _ => Self::BadRequest(error.to_string()),
        }
    }
}

impl From<IdentifierError> for Error {
    fn from(error: IdentifierError) -> Self {
        Self::BadRequest(error.to_string())
    }
}

impl From<TransformError> for Error {
    fn from(error: TransformError) -> Self {
        Self::internal(error)
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::internal(error)
    }
}
