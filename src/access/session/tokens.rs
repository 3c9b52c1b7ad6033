//! Tokens of sessions of a single server.

use std::collections::{BTreeSet, HashMap};

use super::TOKENS;
use super::record::Time;
use super::secret::SecretName;

#[derive(Default)]
pub struct Tokens {
    tokens: HashMap<SecretName, Token>,
    by_session: HashMap<SecretName, Queue>,
    all: Queue,
}

/// By their ends.
type Queue = BTreeSet<(Time, SecretName)>;

#[derive(Clone, Copy)]
struct Token {
    session: SecretName,
    ends: Time,
}

impl Tokens {
    /// In place of the one of the session that ends next, if it has many.
    pub fn put(&mut self, name: SecretName, session: SecretName, ends: Time) {
        let of_session = self.by_session.entry(session).or_default();
        let next = of_session.first().copied();
        let superfluous = next.filter(|_| of_session.len() >= TOKENS);
        of_session.insert((ends, name));
        self.all.insert((ends, name));
        self.tokens.insert(name, Token { session, ends });
        if let Some((_, superfluous)) = superfluous {
            self.remove(superfluous);
        }
    }

    pub fn get(&self, name: SecretName, now: Time) -> Option<SecretName> {
        let token = self.tokens.get(&name)?;
        (token.ends > now).then_some(token.session)
    }

    pub fn remove_of(&mut self, session: SecretName) {
        let of_session = self.by_session.get(&session).cloned();
        for (_, name) in of_session.unwrap_or_default() {
            self.remove(name);
        }
    }

    /// Those that are over.
    pub fn forget(&mut self, now: Time) {
        while let Some((_, name)) = self.all.first().filter(|(ends, _)| *ends <= now) {
            self.remove(*name);
        }
    }

    fn remove(&mut self, name: SecretName) {
        let Some(Token { session, ends }) = self.tokens.remove(&name) else {
            return;
        };
        self.all.remove(&(ends, name));
        if let Some(of_session) = self.by_session.get_mut(&session) {
            of_session.remove(&(ends, name));
            if of_session.is_empty() {
                self.by_session.remove(&session);
            }
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        debug_assert_eq!(self.all.len(), self.tokens.len());
        self.by_session.values().map(BTreeSet::len).sum()
    }
}
