//! Answers that are files as they are.

use axum::body::Body;
use futures_util::stream;

use super::error;
use crate::error::Error;
use crate::pipeline::{Pipeline, WholeFile};

/// Part after part, as fast as the client takes them. Where one cannot be read, the connection ends before all of the length is sent
/// that the head is to announce, so that nobody takes what came for the whole.
pub(super) fn body(pipeline: Pipeline, file: WholeFile) -> Body {
    let parts = stream::try_unfold((pipeline, file, 0), |(pipeline, file, offset)| async move {
        let part = pipeline.part(&file, offset).await;
        let part = part.inspect_err(|error| {
            error::noted(error);
        })?;
        let next = offset + part.len() as u64;
        Ok::<_, Error>((!part.is_empty()).then_some((part, (pipeline, file, next))))
    });
    Body::from_stream(parts)
}
