//! What one node purges, all nodes forget: a stream in Redis, which each follows.
//!
//! A stream rather than publishing, which loses what is said while somebody is not connected. Each node knows the last
//! item that it has seen. As long as that is still in the stream, nothing after it can have been lost: the oldest go
//! first. If it is gone (Redis was emptied or restarted without its data; the node was away for long) anything may
//! have been purged, and [`Purge::All`] is what the node hears.

use std::ops::ControlFlow;
use std::time::Duration;

use redis::{Cmd, cmd, pipe};
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
    /// It cannot be known: anything may have been purged, but probably was not.
    Unknown,
}

impl Purge {
    /// The image, unless all are meant.
    pub fn image(self) -> Option<CacheKey> {
        match self {
            Self::Image(image) => Some(image),
            Self::All | Self::Unknown => None,
        }
    }
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

/// The command that adds to the stream that an image was purged, or everything.
pub fn telling(stream: &str, image: Option<&CacheKey>) -> Cmd {
    adding(stream, image.map_or(ALL, |image| image.as_bytes()))
}

fn adding(stream: &str, value: &[u8]) -> Cmd {
    let mut command = cmd("XADD");
    command.arg(stream).arg("MAXLEN").arg("~").arg(KEPT);
    command.arg("*").arg(FIELD).arg(value);
    command
}

/// What is purged from now on, by other nodes and by this one.
pub struct Purges {
    link: Link,
    stream: String,
}

impl Purges {
    pub(super) fn new(link: Link, stream: String) -> Self {
        Self { link, stream }
    }

    /// Calls with what was purged, each second at least, perhaps with nothing; until it is told to stop. What happened
    /// while Redis could not be reached comes later; if it cannot be known, as [`Purge::Unknown`].
    pub async fn follow(self, on_purges: impl Fn(&[Purge]) -> ControlFlow<()> + Send + Sync) {
        let mut seen = None;
        let mut is_heard = true;
        loop {
            let heard = self.next(seen.as_deref()).await;
            note(&heard, &mut is_heard);
            let purges = match &heard {
                Ok(heard) => heard.purges.as_slice(),
                Err(_) => &[],
            };
            if on_purges(purges).is_break() {
                return;
            }
            match heard {
                Ok(heard) => seen = heard.last,
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn next(&self, seen: Option<&str>) -> Result<Heard, LayerError> {
        match seen {
            None => self.begin().await,
            Some(last) => self.wait(last).await,
        }
    }

    /// Adds an item from which on everything is seen. What was purged before is not known.
    async fn begin(&self) -> Result<Heard, LayerError> {
        let command = adding(&self.stream, NOTHING);
        let number = self
            .link
            .ask(LIMIT, async move |mut connection: Connection| {
                command.query_async(&mut connection).await
            });
        Ok(Heard {
            last: Some(number.await?),
            purges: vec![Purge::Unknown],
        })
    }

    /// Waits a while for items.
    async fn wait(&self, last: &str) -> Result<Heard, LayerError> {
        let mut commands = pipe();
        commands.cmd("XRANGE").arg(&self.stream).arg(last).arg(last);
        commands
            .cmd("XREAD")
            .arg("COUNT")
            .arg(STEP)
            .arg("BLOCK")
            .arg(WAIT);
        commands.arg("STREAMS").arg(&self.stream).arg(last);
        let asked = self
            .link
            .ask(LIMIT, async move |mut connection: Connection| {
                commands.query_async(&mut connection).await
            });
        let (anchor, streams): (Items, Streams) = asked.await?;
        if anchor.is_empty() {
            return Ok(Heard::default());
        }
        let items = streams.into_iter().flatten().flat_map(|(_, items)| items);
        let mut heard = Heard {
            last: Some(last.to_owned()),
            purges: Vec::new(),
        };
        for (number, (_, value)) in items {
            heard.purges.extend(purge(&value));
            heard.last = Some(number);
        }
        Ok(heard)
    }
}

/// What was purged, and the last item seen; none if some may have been lost.
#[derive(Default)]
struct Heard {
    last: Option<String>,
    purges: Vec<Purge>,
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

/// Whatever is not understood may mean anything.
fn purge(value: &[u8]) -> Option<Purge> {
    if value == NOTHING {
        return None;
    }
    let image = value.try_into().ok().map(CacheKey::from_bytes);
    Some(image.map_or(Purge::All, Purge::Image))
}
