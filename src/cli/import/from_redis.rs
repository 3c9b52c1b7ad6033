//! The Redis of the TAMU IR IIIF service, as Spring Data writes it: a hash `resource:<id>` with `id` and `url` for each entry, and
//! sets beside them, which are left alone.

use std::error::Error;
use std::time::Duration;

use clap::Args;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, Pipeline, RedisResult, cmd};

use super::desk::Desk;
use super::{Options, Trust};
use crate::config::passwords;
use crate::registry::{Details, NewEntry};
use crate::tls;

const PATIENCE: Duration = Duration::from_secs(30);
const AT_ONCE: usize = 1000;

/// From the Redis of the TAMU IR IIIF service, which is only read
#[derive(Args)]
pub struct Redis {
    /// Such as redis://user:password@host:6379/0, rediss:// or unix:/path
    url: String,

    /// What the keys begin with, before a colon
    #[arg(long, value_name = "NAME", default_value = "resource")]
    keyspace: String,

    #[command(flatten)]
    pub trust: Trust,

    #[command(flatten)]
    pub options: Options,
}

/// What a hash has.
type Fields = (Option<Vec<u8>>, Option<Vec<u8>>);

impl Redis {
    pub async fn import(&self, desk: &mut Desk) -> Result<(), Box<dyn Error>> {
        let mut connection = self.connect().await?;
        let mut cursor = 0_u64;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(format!("{}:*", literal(&self.keyspace)));
            scan.arg("COUNT").arg(AT_ONCE);
            let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut connection).await?;
            self.take(desk, &mut connection, keys).await?;
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        tls::choose();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let client = Client::open(&*self.url)?;
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    async fn take(
        &self,
        desk: &mut Desk,
        connection: &mut MultiplexedConnection,
        keys: Vec<Vec<u8>>,
    ) -> Result<(), Box<dyn Error>> {
        let types: Vec<String> = each(connection, &keys, "TYPE", &[]).await?;
        // Old servers cannot scan for hashes alone.
        let of_hashes = keys
            .into_iter()
            .zip(types)
            .filter(|(_, name)| name == "hash");
        let keys: Vec<_> = of_hashes.map(|(key, _)| key).collect();
        let fields: Vec<Fields> = each(connection, &keys, "HMGET", &["id", "url"]).await?;
        desk.bar.inc_length(keys.len() as u64);
        let provenance = format!("import redis {}", passwords::hide(&self.url));
        for (key, fields) in keys.iter().zip(fields) {
            let key = String::from_utf8_lossy(key).into_owned();
            let entry = self.entry(&key, fields, &provenance);
            desk.take(key, entry).await?;
            desk.bar.inc(1);
        }
        Ok(())
    }

    /// The key says the identifier, and the field has to say the same.
    fn entry(
        &self,
        key: &str,
        fields: Fields,
        provenance: &str,
    ) -> Result<NewEntry, Box<dyn Error>> {
        let (id, url) = fields;
        let name = key.strip_prefix(&*self.keyspace);
        let identifier = name.and_then(|name| name.strip_prefix(':'));
        let identifier = identifier.ok_or("its key is of another keyspace")?;
        if id.is_some_and(|id| id != identifier.as_bytes()) {
            return Err("its field id is not that of its key".into());
        }
        let url = String::from_utf8(url.ok_or("it has no field url")?)?;
        Ok(NewEntry::new(
            identifier,
            &url,
            Details::default(),
            provenance,
        )?)
    }
}

/// The pattern that matches this text alone.
fn literal(text: &str) -> String {
    let escaped = text.chars().flat_map(|character| {
        let is_special = matches!(character, '*' | '?' | '[' | ']' | '\\');
        is_special.then_some('\\').into_iter().chain([character])
    });
    escaped.collect()
}

/// The answer to a command for each key. A scan finds none at times, and then there is nothing to ask.
async fn each<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    keys: &[Vec<u8>],
    command: &str,
    rest: &[&str],
) -> RedisResult<Vec<T>> {
    let mut pipeline = Pipeline::with_capacity(keys.len());
    for key in keys {
        pipeline.cmd(command).arg(key).arg(rest);
    }
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    pipeline.query_async(connection).await
}
