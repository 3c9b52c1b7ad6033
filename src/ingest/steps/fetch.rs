//! FETCHING_ORIGIN: the document as a file of ours.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::failure::{of_content, of_origin, of_writing};
use super::scratch::Scratch;
use crate::decode;
use crate::queue::{Failure, Lease};
use crate::source::remote::http::{Download, Fetcher};

/// Bytes written at once.
pub const PIECE: usize = 1 << 20;

/// What is to be fetched, and how long it may take to send a [`PIECE`].
pub struct Coming<'a> {
    pub fetcher: &'a Fetcher,
    pub url: &'a str,
    pub per_piece: Duration,
}

/// Fetches what is under a URL and gives it its name. Whatever else is there under this name is replaced.
///
/// # Errors
/// If it does not come, is no document, or cannot be kept.
pub async fn fetch(
    from: Coming<'_>,
    scratch: &Scratch,
    lease: Lease,
    to: PathBuf,
) -> Result<(), Failure> {
    let download = from.fetcher.fetch(from.url).await;
    let mut download = download.map_err(|error| of_origin(&error))?;
    let first = next(&mut download, from.per_piece).await?;
    // A page that says "please log in" is not worth its bytes.
    decode::source_format(&first.to_vec()).map_err(|error| of_content(&error))?;
    let begun = scratch.begin(lease, download.size).await;
    let mut unfinished = begun.map_err(|error| of_writing(&error))?;
    let mut piece = first;
    while !piece.is_empty() {
        let appended = scratch.append(&mut unfinished, piece).await;
        appended.map_err(|error| of_writing(&error))?;
        piece = next(&mut download, from.per_piece).await?;
    }
    let kept = unfinished.keep(to).await;
    kept.map_err(|error| of_writing(&error))
}

async fn next(download: &mut Download, per_piece: Duration) -> Result<Bytes, Failure> {
    match timeout(per_piece, download.next(PIECE)).await {
        Ok(piece) => piece.map_err(|error| of_origin(&error)),
        Err(_) => Err(Failure::Transient(
            "the document comes too slowly".to_owned(),
        )),
    }
}
