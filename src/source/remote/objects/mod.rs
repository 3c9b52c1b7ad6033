//! Images in object stores.

pub mod config;
mod connect;
#[cfg(test)]
mod tests;
mod url;
mod witness;

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetResult, ObjectStore};

use self::config::ObjectsSourceConfig;
pub use self::url::{Service, StoreUrl};
use self::witness::Witness;
use super::ask::{Answer, Ask, Condition, Remote, State, Validators};
use super::error::{Failure, RemoteError};
use super::{Shared, Store};

/// A source in object stores.
///
/// # Errors
/// If the settings and the environment do not go together.
pub fn open(config: &ObjectsSourceConfig, shared: &Arc<Shared>) -> io::Result<Store> {
    let objects = Objects::new(config)?;
    Store::new(objects, config.limits(), config.fresh(), shared)
}

/// Whether the settings and the environment go together.
///
/// # Errors
/// If not.
pub fn check(config: &ObjectsSourceConfig) -> io::Result<()> {
    Objects::new(config).map(drop)
}

/// Buckets that are asked for ranges of objects. Nothing is listed, and nothing asked for but objects.
struct Objects {
    buckets: Vec<Bucket>,
    /// Whether keys begin with the name of one.
    are_named: bool,
    /// Buckets of other servers may have the same names.
    endpoint: Option<String>,
}

struct Bucket {
    url: StoreUrl,
    store: Arc<dyn ObjectStore>,
}

impl Objects {
    fn new(config: &ObjectsSourceConfig) -> io::Result<Self> {
        let are_named = !config.buckets.is_empty();
        let urls = if are_named {
            &config.buckets[..]
        } else {
            config.url.as_slice()
        };
        if urls.is_empty() {
            let text = "neither `url` nor `buckets` is set";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let buckets = urls.iter().map(|url| Bucket::new(url, config));
        Ok(Self {
            buckets: buckets.collect::<io::Result<_>>()?,
            are_named,
            endpoint: config.endpoint.clone(),
        })
    }

    /// The bucket of a key, and the path in it; `None` if there can be no such object.
    fn place(&self, key: &str) -> Option<(&Bucket, Path)> {
        let (bucket, key) = if self.are_named {
            let (name, key) = key.split_once('/')?;
            let bucket = self.buckets.iter().find(|it| it.url.bucket == name);
            (bucket?, key)
        } else {
            (self.buckets.first()?, key)
        };
        let is_plain = !key.is_empty() && !key.starts_with('/') && !key.ends_with('/');
        let key = is_plain.then_some(key)?;
        let path = match bucket.url.prefix.as_ref() {
            "" => key.to_owned(),
            prefix => format!("{prefix}/{key}"),
        };
        Some((bucket, Path::parse(path).ok()?))
    }

    async fn get(&self, ask: &Ask) -> Result<Answer, RemoteError> {
        let (bucket, path) = self.place(&ask.key).ok_or(RemoteError::Absent)?;
        let witness = Witness::default();
        let mut options = options(ask);
        options.extensions.insert(witness.clone());
        match bucket.store.get_opts(&path, options).await {
            Ok(result) => Ok(answer(ask, result)),
            Err(Error::NotModified { .. }) => Ok(Answer::Unchanged),
            Err(_) if is_start(ask) && witness.says_empty() => Ok(nothing()),
            Err(_) => Err(witness.failure()),
        }
    }
}

impl Bucket {
    /// The error may have secrets of the environment in it, and is not told.
    fn new(url: &StoreUrl, config: &ObjectsSourceConfig) -> io::Result<Self> {
        let store = connect::connect(url, config).map_err(|_| {
            let text =
                format!("{url}: the settings or the variables of the environment are not valid");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })?;
        let url = url.clone();
        Ok(Self { url, store })
    }

    fn name(&self, path: &Path) -> String {
        format!("{}://{}/{path}", self.url.service.scheme(), self.url.bucket)
    }
}

impl Remote for Objects {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<Answer, RemoteError>> {
        Box::pin(self.get(ask))
    }

    fn location(&self, key: &str) -> Option<String> {
        let (bucket, path) = self.place(key)?;
        let name = bucket.name(&path);
        Some(match &self.endpoint {
            Some(endpoint) => format!("{name}@{endpoint}"),
            None => name,
        })
    }

    fn key_of(&self, location: &str) -> Option<String> {
        let below = |bucket: &Bucket| {
            let prefix = bucket.name(&bucket.url.prefix);
            let key = location.strip_prefix(&prefix)?;
            let key = key.strip_prefix('/').unwrap_or(key);
            let key = match self.are_named {
                true => format!("{}/{key}", bucket.url.bucket),
                false => key.to_owned(),
            };
            let (bucket, path) = self.place(&key)?;
            (bucket.name(&path) == location).then_some(key)
        };
        self.buckets.iter().find_map(below)
    }

    fn server(&self, key: &str) -> String {
        let place = self.place(key);
        place.map_or_else(String::new, |(bucket, _)| bucket.name(&Path::default()))
    }
}

fn options(ask: &Ask) -> GetOptions {
    let mut options = GetOptions {
        range: ask.range.clone().map(Into::into),
        ..GetOptions::default()
    };
    match &ask.condition {
        Condition::Always => {}
        Condition::Unless(state) => options.if_none_match.clone_from(&state.validators.tag),
        Condition::Only(state) => {
            options.if_match = state.validators.strong_tag().map(str::to_owned);
        }
    }
    options
}

fn answer(ask: &Ask, result: GetResult) -> Answer {
    let meta = &result.meta;
    let modified = SystemTime::from(meta.last_modified);
    let validators = Validators::new(meta.e_tag.clone(), meta.version.clone(), Some(modified));
    let (size, range) = (meta.size, result.range.clone());
    let body = result.into_stream();
    let body = body.map_err(|_| Failure::BrokenOff.into()).boxed();
    if ask.range.is_none() {
        return Answer::Whole {
            size: Some(size),
            validators,
            body,
        };
    }
    let state = State { size, validators };
    Answer::Part { state, range, body }
}

fn is_start(ask: &Ask) -> bool {
    ask.range.as_ref().is_some_and(|range| range.start == 0)
}

/// An empty object, which no image is. Its state is told by nothing, but all that are empty are alike.
fn nothing() -> Answer {
    let tag = Some("\"empty\"".to_owned());
    Answer::Part {
        state: State {
            size: 0,
            validators: Validators::new(tag, None, None),
        },
        range: 0..0,
        body: stream::empty().boxed(),
    }
}
