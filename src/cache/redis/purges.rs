//! What one node purges, all nodes forget: a stream in Redis, which each follows.
//!
//! A stream rather than publishing, which loses what is said while somebody is not connected. Each node knows the last
//! item that it has seen. As long as that is still in the stream, nothing after it can have been lost: the oldest go
//! first. If it is gone (Redis was emptied or restarted without its data; the node was away for long) anything may
//! have been purged, and [`Purge::All`] is what the node hears.

use std::time::Duration;

use redis::{Cmd, RedisResult, cmd, pipe};
use tokio::time::sleep;

use super::link::Link;
use super::server::Connection;
use crate::cache::CacheKey;
use crate::cache::layer::LayerError;

/// What has to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    Image(CacheKey),
    All,
}

/// Items that Redis keeps: more purges than happen while a node is away for a moment.
const KEPT: usize = 10_000;
/// Items that are read at once.
const STEP: usize = 1000;
/// Milliseconds that Redis waits for an item; and the time for its answer, after which the connection counts as lost.
const WAIT: usize = 1000;
const LIMIT: Duration = Duration::from_secs(3);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(1);

const FIELD: &str = "image";
const ALL: &[u8] = b"*";
/// An item that purges nothing: something to follow the stream from.
const NOTHING: &[u8] = b"-";

/// As Redis tells them: number, field and value. With them the name of the stream.
type Items = Vec<(String, (String, Vec<u8>))>;
type Streams = Option<Vec<(String, Items)>>;

/// The command that adds a purge to the stream.
pub fn telling(stream: &str, purge: Purge) -> Cmd {
    match purge {
        Purge::Image(image) => adding(stream, image.as_bytes()),
        Purge::All => adding(stream, ALL),
    }
}

fn adding(stream: &str, value: &[u8]) -> Cmd {
    let mut command = cmd("XADD");
    command.arg(stream).arg("MAXLEN").arg("~").arg(KEPT);
    command.arg("*").arg(FIELD).arg(value);
    command
}

/// Calls for each purge, without end.
pub async fn follow(link: Link, stream: String, on_purge: impl Fn(Purge) + Send + Sync) {
    let mut seen: Option<String> = None;
    let mut is_heard = true;
    loop {
        let result = match &seen {
            None => begin(&link, &stream).await,
            Some(last) => next(&link, &stream, last, &on_purge).await,
        };
        note(&result, &mut is_heard);
        match result {
            Ok(last) => {
                if seen.is_none() {
                    on_purge(Purge::All);
                }
                seen = last;
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// One line for each change.
fn note<T>(result: &Result<T, LayerError>, is_heard: &mut bool) {
    match result {
        Err(error) if *is_heard => {
            tracing::warn!(%error, "purges by other nodes are not heard");
        }
        Ok(_) if !*is_heard => tracing::info!("purges by other nodes are heard again"),
        _ => {}
    }
    *is_heard = result.is_ok();
}

/// The number of an item from which on everything is seen.
async fn begin(link: &Link, stream: &str) -> Result<Option<String>, LayerError> {
    let command = adding(stream, NOTHING);
    link.ask(LIMIT, async move |mut connection: Connection| {
        command.query_async(&mut connection).await
    })
    .await
    .map(Some)
}

/// Waits a while for items; the number of the last one, or `None` if some may have been lost.
async fn next(
    link: &Link,
    stream: &str,
    last: &str,
    on_purge: &impl Fn(Purge),
) -> Result<Option<String>, LayerError> {
    let mut commands = pipe();
    commands.cmd("XRANGE").arg(stream).arg(last).arg(last);
    commands
        .cmd("XREAD")
        .arg("COUNT")
        .arg(STEP)
        .arg("BLOCK")
        .arg(WAIT);
    commands.arg("STREAMS").arg(stream).arg(last);
    let asked = link.ask(LIMIT, async move |mut connection: Connection| {
        let answer: RedisResult<(Items, Streams)> = commands.query_async(&mut connection).await;
        answer
    });
    let (anchor, streams) = asked.await?;
    if anchor.is_empty() {
        return Ok(None);
    }
    let mut last = last.to_owned();
    for (number, (_, value)) in streams.into_iter().flatten().flat_map(|(_, items)| items) {
        if let Some(purge) = purge(&value) {
            on_purge(purge);
        }
        last = number;
    }
    Ok(Some(last))
}

/// Whatever is not understood may mean anything.
fn purge(value: &[u8]) -> Option<Purge> {
    if value == NOTHING {
        return None;
    }
    let image = value.try_into().ok().map(CacheKey::from_bytes);
    Some(image.map_or(Purge::All, Purge::Image))
}
