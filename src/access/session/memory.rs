//! Sessions of a single server.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::TOKENS;
use super::record::{Session, Time};
use super::secret::SecretName;

/// Sessions at once. With more, those that end next go first.
const MOST: usize = 20_000;

/// Gone with the process.
#[derive(Default)]
pub struct Memory(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sessions: HashMap<SecretName, Session>,
    tokens: HashMap<SecretName, Token>,
}

struct Token {
    session: SecretName,
    ends: Time,
}

impl Memory {
    pub fn put(&self, session: &Session, replaced: Option<SecretName>, over: Time) {
        let mut kept = self.kept();
        kept.forget(over);
        if let Some(replaced) = replaced {
            kept.remove(replaced);
        }
        if kept.sessions.len() >= MOST {
            kept.make_room();
        }
        kept.sessions.insert(session.name, session.clone());
    }

    pub fn get(&self, name: SecretName) -> Option<Session> {
        self.kept().sessions.get(&name).cloned()
    }

    pub fn put_token(&self, token: SecretName, session: SecretName, ends: Time) {
        let mut kept = self.kept();
        kept.make_room_for_token(session);
        kept.tokens.insert(token, Token { session, ends });
    }

    pub fn get_token(&self, token: SecretName, now: Time) -> Option<SecretName> {
        let kept = self.kept();
        let token = kept.tokens.get(&token)?;
        (token.ends > now).then_some(token.session)
    }

    pub fn remove(&self, name: SecretName) {
        self.kept().remove(name);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget(&mut self, over: Time) {
        self.sessions.retain(|_, session| !session.is_over(over));
        self.tokens.retain(|_, token| token.ends > over);
    }

    fn remove(&mut self, name: SecretName) {
        self.sessions.remove(&name);
        self.tokens.retain(|_, token| token.session != name);
    }

    fn make_room(&mut self) {
        let next = self.sessions.values().min_by_key(|session| session.ends);
        if let Some(name) = next.map(|session| session.name) {
            self.remove(name);
        }
    }

    fn make_room_for_token(&mut self, session: SecretName) {
        let of_session = self.tokens.iter().filter(|(_, it)| it.session == session);
        let mut of_session: Vec<_> = of_session.map(|(name, it)| (it.ends, *name)).collect();
        of_session.sort_unstable();
        let superfluous = (of_session.len() + 1).saturating_sub(TOKENS);
        for (_, name) in &of_session[..superfluous] {
            self.tokens.remove(name);
        }
    }
}
