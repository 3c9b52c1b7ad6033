//! FETCHING_ORIGIN: the document as a file of ours.

use std::path::PathBuf;

use bytes::Bytes;

use super::failure::{of_content, of_origin, of_writing};
use super::scratch::{Scratch, Unfinished};
use crate::decode;
use crate::queue::{Failure, Lease};
use crate::source::remote::http::{Download, Fetcher};

/// Bytes written at once.
const PIECE: usize = 1 << 20;

/// Fetches what is under a URL and gives it its name. Whatever else is there under this name is replaced.
///
/// # Errors
/// If it does not come, is no document, or cannot be kept.
pub async fn fetch(
    fetcher: &Fetcher,
    scratch: &Scratch,
    lease: Lease,
    url: &str,
    to: PathBuf,
) -> Result<(), Failure> {
    let mut download = fetcher
        .fetch(url)
        .await
        .map_err(|error| of_origin(&error))?;
    let first = next(&mut download).await?;
    // A page that says "please log in" is not worth its bytes.
    decode::source_format(&first.to_vec()).map_err(|error| of_content(&error))?;
    let begun = scratch.begin(lease, download.size).await;
    let mut unfinished = begun.map_err(|error| of_writing(&error))?;
    append(scratch, &mut unfinished, first, &mut download).await?;
    let kept = unfinished.keep(to).await;
    kept.map_err(|error| of_writing(&error))
}

async fn append(
    scratch: &Scratch,
    unfinished: &mut Unfinished,
    first: Bytes,
    download: &mut Download,
) -> Result<(), Failure> {
    let mut piece = first;
    while !piece.is_empty() {
        let appended = scratch.append(unfinished, piece).await;
        appended.map_err(|error| of_writing(&error))?;
        piece = next(download).await?;
    }
    Ok(())
}

async fn next(download: &mut Download) -> Result<Bytes, Failure> {
    download
        .next(PIECE)
        .await
        .map_err(|error| of_origin(&error))
}
