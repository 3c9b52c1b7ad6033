//! A remote source.

use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::ask::{Answer, Ask, Body, Condition, Remote, State, Validators};
use super::blocks::{BLOCK, BlockKey};
use super::chunks::Chunks;
use super::error::RemoteError;
use super::file::RemoteFile;
use super::flights::Flights;
use super::input::RemoteInput;
use super::known::{Found, Known};
use super::origin::{Limits, Origin};
use super::{Shared, runtime};
use crate::input::Input;
use crate::page::Page;
use crate::source::{LAST_SECOND, Object, Source, SourceError, Stamp};

/// The files of a server, or of several that one source may ask.
pub struct Store {
    finder: Arc<Finder>,
    runtime: Handle,
}

struct Finder {
    origin: Arc<Origin>,
    shared: Arc<Shared>,
    known: Arc<Known>,
    finds: Flights<String, Arc<Found>>,
}

impl Store {
    /// What was found is asked for again when `fresh` is over.
    ///
    /// # Errors
    /// If the threads for connections cannot be started.
    pub fn new(
        remote: impl Remote,
        limits: Limits,
        fresh: Duration,
        shared: &Arc<Shared>,
    ) -> io::Result<Self> {
        let finder = Finder {
            origin: Arc::new(Origin::new(remote, limits)),
            shared: Arc::clone(shared),
            known: Arc::new(Known::new(fresh)),
            finds: Flights::default(),
        };
        Ok(Self {
            finder: Arc::new(finder),
            runtime: runtime::handle()?,
        })
    }

    fn look(&self, key: &str) -> Result<Arc<Found>, RemoteError> {
        match self.finder.known.fresh(key) {
            Some(answer) => answer.ok_or(RemoteError::Absent),
            None => self.join(key),
        }
    }

    /// What is under a key, asked for by one at a time.
    pub(super) fn join(&self, key: &str) -> Result<Arc<Found>, RemoteError> {
        let (flight, landing) = self.finder.finds.board(&key.to_owned());
        if let Some(landing) = landing {
            let finder = Arc::clone(&self.finder);
            self.runtime.spawn(async move {
                // Another may have landed since it was looked at what is known.
                if let Some(answer) = finder.known.fresh(landing.key()) {
                    return landing.land(answer.ok_or(RemoteError::Absent));
                }
                let found = finder.find(landing.key()).await;
                if landing.is_current() {
                    finder.keep(landing.key(), &found);
                }
                landing.land(found);
            });
        }
        flight.wait(self.finder.origin.limits().patience())
    }

    /// What tells a key from others in what is told.
    fn name(&self, key: &str) -> String {
        let location = self.finder.origin.remote().location(key);
        // What signs a URL stands in its query.
        let path = || key.split('?').next().unwrap_or_default().to_owned();
        location.unwrap_or_else(path)
    }

    /// # Errors
    /// If it has to be copied, and cannot be.
    fn input(&self, found: &Found, id: u128) -> Result<Input, RemoteError> {
        let file = RemoteFile {
            origin: Arc::clone(&self.finder.origin),
            blocks: Arc::clone(&self.finder.shared.blocks),
            copies: Arc::clone(&self.finder.shared.copies),
            known: Arc::clone(&self.finder.known),
            runtime: self.runtime.clone(),
            key: found.object.key.clone(),
            state: found.state.clone(),
            version: found.object.version.clone(),
            id,
        };
        if found.has_ranges {
            return Ok(Arc::new(RemoteInput::new(file)));
        }
        match file.copies.open(id) {
            Some(copy) => Ok(copy),
            None => Ok(Arc::new(file).copied()?),
        }
    }
}

impl Source for Store {
    fn find(&self, key: &str) -> Result<Object, SourceError> {
        let found = self.look(key);
        let found = found.map_err(|error| error.of_image(&self.name(key)))?;
        Ok(found.object.clone())
    }

    fn find_at_once(&self, key: &str) -> Option<Object> {
        let found = self.finder.known.fresh(key)??;
        Some(found.object.clone())
    }

    /// Asks nothing if the object is the last that was found.
    fn open(&self, object: &Object) -> Result<Input, SourceError> {
        let is_this = |found: &Arc<Found>| found.object.stamp == object.stamp;
        let last = self.finder.known.last(&object.key).filter(is_this);
        let found = last.map_or_else(|| self.look(&object.key), Ok);
        let found = found.map_err(|error| error.of_image(&object.location))?;
        match object.stamp {
            Stamp::Version(id) if is_this(&found) => self
                .input(&found, id)
                .map_err(|error| error.of_image(&object.location)),
            _ => Err(SourceError::Replaced(object.location.clone())),
        }
    }

    fn forget(&self, key: Option<&str>) {
        // What is under way was asked before.
        let finds = &self.finder.finds;
        finds.forget(|of| key.is_none_or(|key| key == of));
        self.finder.known.expire(key);
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn key_of(&self, location: &str) -> Option<String> {
        self.finder.origin.remote().key_of(location)
    }
}

impl Finder {
    /// Asks the server.
    async fn find(&self, key: &str) -> Result<Arc<Found>, RemoteError> {
        let last = self.known.last(key);
        self.origin
            .attempts(key, || self.ask(key, last.as_ref()))
            .await
    }

    /// Remembers what it says.
    fn keep(&self, key: &str, found: &Result<Arc<Found>, RemoteError>) {
        match found {
            Ok(found) => self.known.keep(key, Some(Arc::clone(found))),
            Err(RemoteError::Absent) => self.known.keep(key, None),
            Err(_) => {}
        }
    }

    /// One request for the first block, which says how the file is and has most headers.
    async fn ask(&self, key: &str, last: Option<&Arc<Found>>) -> Result<Arc<Found>, RemoteError> {
        let location = self.origin.remote().location(key);
        let location = location.ok_or(RemoteError::Absent)?;
        // Where the server tells nothing, everything is fetched again.
        let known = last.filter(|last| last.state.version().is_some());
        let condition = known.map_or(Condition::Always, |last| {
            Condition::Unless(last.state.clone())
        });
        let ask = Ask {
            key: key.to_owned(),
            range: Some(0..BLOCK),
            condition,
        };
        match self.origin.ask(&ask).await? {
            Answer::Unchanged => known.cloned().ok_or(RemoteError::Changed),
            Answer::Part { state, range, body } => match state.version() {
                Some(version) => {
                    let length = (range.end - range.start) as usize;
                    let first = Chunks::new(body).take(length).await?;
                    let object = object(key, location, version, &state);
                    Ok(self.with_ranges(object, state, first))
                }
                // Of what comes later nobody could tell whether it is of the same state.
                None => {
                    drop(body);
                    self.whole(key, location).await
                }
            },
            Answer::Whole {
                size,
                validators,
                body,
            } => self.copied(key, location, size, validators, body).await,
        }
    }

    fn with_ranges(&self, object: Object, state: State, first: Bytes) -> Arc<Found> {
        let file = id(&object);
        self.shared.blocks.keep(BlockKey { file, index: 0 }, first);
        let has_ranges = true;
        Arc::new(Found {
            object,
            state,
            has_ranges,
        })
    }

    /// Asks for everything.
    async fn whole(&self, key: &str, location: String) -> Result<Arc<Found>, RemoteError> {
        let ask = Ask {
            key: key.to_owned(),
            range: None,
            condition: Condition::Always,
        };
        match self.origin.ask(&ask).await? {
            Answer::Whole {
                size,
                validators,
                body,
            } => self.copied(key, location, size, validators, body).await,
            Answer::Part { .. } | Answer::Unchanged => Err(RemoteError::Changed),
        }
    }

    /// Copies what comes, unless it has been copied before. What is told of the file is what came.
    async fn copied(
        &self,
        key: &str,
        location: String,
        size: Option<u64>,
        validators: Validators,
        body: Body,
    ) -> Result<Arc<Found>, RemoteError> {
        let copies = &self.shared.copies;
        let found = |size, version| {
            let validators = validators.clone();
            let state = State { size, validators };
            let object = object(key, location.clone(), version, &state);
            let has_ranges = false;
            Arc::new(Found {
                object,
                state,
                has_ranges,
            })
        };
        let told = size.and_then(|size| {
            let validators = validators.clone();
            Some(found(size, State { size, validators }.version()?))
        });
        if let Some(found) = told.filter(|found| copies.open(id(&found.object)).is_some()) {
            return Ok(found);
        }
        let unfinished = copies.begin(size).await?;
        let fetched = copies.fetch(unfinished, Chunks::new(body)).await?;
        let found = found(fetched.length, fetched.version(validators.clone()));
        copies.publish(id(&found.object), fetched).await?;
        Ok(found)
    }
}

/// The digest of location and version.
fn id(object: &Object) -> u128 {
    digest(&object.location, &object.version)
}

fn object(key: &str, location: String, version: String, state: &State) -> Object {
    let modified = state.validators.modified.unwrap_or(UNIX_EPOCH);
    Object {
        source: 0,
        route: 0,
        page: Page::FIRST,
        is_one_page: false,
        key: key.to_owned(),
        stamp: Stamp::Version(digest(&location, &version)),
        location,
        version,
        modified: modified.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST_SECOND),
    }
}

/// Stands for one state of one file.
fn digest(location: &str, version: &str) -> u128 {
    let mut hasher = Sha256::new();
    hasher.update((location.len() as u64).to_le_bytes());
    hasher.update(location);
    hasher.update(version);
    let digest = hasher.finalize();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    u128::from_be_bytes(first)
}
