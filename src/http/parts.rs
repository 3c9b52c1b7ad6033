//! Answers that are files as they are.

use axum::body::{Body, Bytes};
use futures_util::stream;
use tracing::{Instrument, Span};

use super::error;
use crate::error::Error;
use crate::pipeline::{Pipeline, Transfer, WholeFile};

/// A file that is sent.
struct Sending {
    pipeline: Pipeline,
    file: WholeFile,
    _transfer: Transfer,
}

impl Sending {
    /// The next part, and what is to be sent after it: for [`stream::try_unfold`].
    async fn part(self, offset: u64) -> Result<Option<(Bytes, (Self, u64))>, Error> {
        if offset >= self.file.size() {
            return Ok(None);
        }
        let part = self.pipeline.part(&self.file, offset).await;
        let part = part.inspect_err(|error| {
            error::noted(error);
        })?;
        let next = offset + part.len() as u64;
        Ok(Some((part, (self, next))))
    }
}

/// Part after part, as fast as the client takes them. Where one cannot be read, the connection ends before all of the length is sent
/// that the head is to announce, so that nobody takes what came for the whole.
///
/// # Errors
/// If too many are being sent.
pub(super) async fn body(pipeline: &Pipeline, file: WholeFile) -> Result<Body, Error> {
    // The parts are read when the request is answered, and what is logged of them still belongs to it.
    let span = Span::current();
    let sending = Sending {
        _transfer: pipeline.transfer().await?,
        pipeline: pipeline.clone(),
        file,
    };
    let parts = stream::try_unfold((sending, 0), move |(sending, offset)| {
        sending.part(offset).instrument(span.clone())
    });
    Ok(Body::from_stream(parts))
}
