//! Sessions of a single server.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::REMEMBERED;
use super::record::{Session, Time};
use super::secret::SecretName;
use super::tokens::Tokens;

/// Sessions at once. With more, those of nobody go first, and of those the ones that end next: no logins are lost to whoever only comes by.
const MOST: usize = 20_000;

/// Gone with the process.
#[derive(Default)]
pub struct Memory(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sessions: HashMap<SecretName, Session>,
    of_nobody: Queue,
    of_somebody: Queue,
    tokens: Tokens,
}

/// By their ends.
type Queue = BTreeSet<(Time, SecretName)>;

impl Memory {
    pub fn put(&self, session: &Session, replaced: Option<SecretName>, now: Time) {
        let mut kept = self.kept();
        kept.forget(now);
        let before = replaced.and_then(|replaced| kept.take(replaced));
        let session = session.clone();
        let session = match before {
            Some(before) => session.with(before),
            None => session,
        };
        if kept.sessions.len() >= MOST {
            kept.make_room();
        }
        kept.insert(session);
    }

    pub fn get(&self, name: SecretName) -> Option<Session> {
        self.kept().sessions.get(&name).cloned()
    }

    pub fn put_token(&self, token: SecretName, session: SecretName, ends: Time) {
        self.kept().tokens.put(token, session, ends);
    }

    pub fn get_token(&self, token: SecretName, now: Time) -> Option<SecretName> {
        self.kept().tokens.get(token, now)
    }

    pub fn remove(&self, name: SecretName) {
        self.kept().take(name);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, session: Session) {
        self.queue(&session).insert((session.ends, session.name));
        self.sessions.insert(session.name, session);
    }

    /// With its tokens.
    fn take(&mut self, name: SecretName) -> Option<Session> {
        let session = self.sessions.remove(&name)?;
        self.queue(&session).remove(&(session.ends, name));
        self.tokens.remove_of(name);
        Some(session)
    }

    fn queue(&mut self, session: &Session) -> &mut Queue {
        if session.is_of_somebody() {
            &mut self.of_somebody
        } else {
            &mut self.of_nobody
        }
    }

    fn forget(&mut self, now: Time) {
        self.tokens.forget(now);
        while let Some(name) = self.over(now - REMEMBERED) {
            self.take(name);
        }
    }

    fn over(&self, over: Time) -> Option<SecretName> {
        let next = [self.of_nobody.first(), self.of_somebody.first()];
        let mut next = next.into_iter().flatten();
        next.find(|(ends, _)| *ends <= over).map(|(_, name)| *name)
    }

    fn make_room(&mut self) {
        let next = self.of_nobody.first().or(self.of_somebody.first());
        if let Some((_, name)) = next.copied() {
            self.take(name);
        }
    }
}
