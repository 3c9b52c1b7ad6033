//! What entries are put under: two random numbers, one of everything and one of the image.

use std::time::Duration;

use futures_util::future::try_join;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use redis::{RedisResult, cmd, pipe};

use super::names::Names;
use super::server::Connection;
use super::{EntryKey, milliseconds};
use crate::cache::random::random;

/// Bytes of a number.
const NUMBER: usize = 8;
/// Look-ups that are remembered, and for how long: more than are under way, and longer than anything is made.
const MOST: u64 = 10_000;
const LONGEST: Duration = Duration::from_secs(600);

type Number = [u8; NUMBER];

/// Both numbers, that of everything first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation([u8; Generation::LENGTH]);

impl Generation {
    pub const LENGTH: usize = 2 * NUMBER;

    /// Whatever else is found in their place is not a number.
    fn new(all: Option<Vec<u8>>, image: Option<Vec<u8>>) -> Option<Self> {
        let mut both = [0; Self::LENGTH];
        let (first, second) = both.split_at_mut(NUMBER);
        first.copy_from_slice(&Number::try_from(all?).ok()?);
        second.copy_from_slice(&Number::try_from(image?).ok()?);
        Some(Self(both))
    }

    /// A value: the numbers and the record.
    pub fn with(&self, record: &[u8]) -> Vec<u8> {
        [&self.0, record].concat()
    }

    /// Whether a value was put under these numbers.
    pub fn has(&self, value: &[u8]) -> bool {
        value.starts_with(&self.0)
    }
}

/// What a look-up finds: the generation of now, and the value, of whatever generation it is.
///
/// # Errors
/// If Redis does not answer, or lacks a number and does not take a new one.
pub async fn look_up(
    connection: Connection,
    names: &Names,
    key: &EntryKey,
) -> RedisResult<(Option<Generation>, Option<Vec<u8>>)> {
    let mut all = cmd("GET");
    all.arg(names.all());
    let mut of_image = cmd("MGET");
    of_image
        .arg(names.generation(&key.image))
        .arg(names.entry(key));
    let (mut first, mut second) = (connection.clone(), connection.clone());
    let asked = try_join(
        all.query_async(&mut first),
        of_image.query_async(&mut second),
    );
    let (all, (image, value)): (_, (_, Option<Vec<u8>>)) = asked.await?;
    match Generation::new(all, image) {
        None => Ok((current(connection, names, key).await?, None)),
        found => Ok((found, value)),
    }
}

/// The generation of now; numbers that are missing are made. `None` if something else stands in their place.
///
/// # Errors
/// As [`look_up`].
pub async fn current(
    connection: Connection,
    names: &Names,
    key: &EntryKey,
) -> RedisResult<Option<Generation>> {
    let all = number_or_new(connection.clone(), names.all(), None);
    let image = names.generation(&key.image);
    let image = number_or_new(connection, image, Some(names.ttl));
    let (all, image) = try_join(all, image).await?;
    Ok(Generation::new(all, image))
}

/// If several nodes make one at once, the first counts.
async fn number_or_new(
    mut connection: Connection,
    name: String,
    ttl: Option<Duration>,
) -> RedisResult<Option<Vec<u8>>> {
    let mut commands = pipe();
    commands.cmd("SET").arg(&name).arg(&random()[..]).arg("NX");
    if let Some(ttl) = ttl {
        commands.arg("PX").arg(milliseconds(ttl));
    }
    commands.ignore();
    commands.cmd("GET").arg(&name);
    let (number,) = commands.query_async(&mut connection).await?;
    Ok(number)
}

/// What the look-ups of entries that were not there have seen: those entries are being made.
pub struct Seen(Cache<EntryKey, Option<Generation>>);

impl Default for Seen {
    fn default() -> Self {
        let seen = Cache::builder().max_capacity(MOST).time_to_live(LONGEST);
        Self(seen.eviction_policy(EvictionPolicy::lru()).build())
    }
}

impl Seen {
    /// A look-up begins. Until it is answered, it has seen nothing. Whether it is the first since the last entry was put: later
    /// ones do not count, as it is not known whose entry will be put.
    pub fn begin(&self, key: &EntryKey) -> bool {
        self.0.entry(*key).or_insert(None).is_fresh()
    }

    /// The first look-up has found no entry.
    pub fn note(&self, key: &EntryKey, generation: Option<Generation>) {
        self.0.insert(*key, generation);
    }

    /// What the first look-up has seen; `None` if there was none. It is over.
    pub fn end(&self, key: &EntryKey) -> Option<Option<Generation>> {
        self.0.remove(key)
    }
}
