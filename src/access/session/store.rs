//! Where sessions are: in the registry, if there is one, otherwise in memory.

use super::memory::Memory;
use super::record::{Session, Time};
use super::secret::SecretName;
use super::table::Table;
use crate::registry::{Registry, RegistryError};

/// It keeps what it is given, and does not look at clocks. Errors mean that the database does not answer, which says nothing of any visitor.
#[expect(clippy::large_enum_variant, reason = "a server has one")]
pub enum Store {
    Memory(Memory),
    Table(Table),
}

impl Store {
    pub fn new(registry: Option<&Registry>) -> Self {
        match registry {
            Some(registry) => Self::Table(Table::new(registry.clone())),
            None => Self::Memory(Memory::default()),
        }
    }

    /// Keeps a session in place of another, with what that has from other services if it is still there. Forgets tokens that are over, and
    /// sessions that have been over for [`REMEMBERED`](super::REMEMBERED).
    pub async fn put(
        &self,
        session: &Session,
        replaced: Option<SecretName>,
        now: Time,
    ) -> Result<(), RegistryError> {
        match self {
            Self::Memory(memory) => memory.put(session, replaced, now),
            Self::Table(table) => table.put(session, replaced, now).await?,
        }
        Ok(())
    }

    /// Also one that is over.
    pub async fn get(&self, name: SecretName) -> Result<Option<Session>, RegistryError> {
        match self {
            Self::Memory(memory) => Ok(memory.get(name)),
            Self::Table(table) => table.get(name).await,
        }
    }

    /// Of one session, [`TOKENS`](super::TOKENS) are kept: those that end last.
    pub async fn put_token(
        &self,
        token: SecretName,
        session: SecretName,
        ends: Time,
    ) -> Result<(), RegistryError> {
        match self {
            Self::Memory(memory) => memory.put_token(token, session, ends),
            Self::Table(table) => table.put_token(token, session, ends).await?,
        }
        Ok(())
    }

    /// The session that a token is for, if the token is not over.
    pub async fn get_token(
        &self,
        token: SecretName,
        now: Time,
    ) -> Result<Option<SecretName>, RegistryError> {
        match self {
            Self::Memory(memory) => Ok(memory.get_token(token, now)),
            Self::Table(table) => table.get_token(token, now).await,
        }
    }

    /// With its tokens.
    pub async fn remove(&self, name: SecretName) -> Result<(), RegistryError> {
        match self {
            Self::Memory(memory) => memory.remove(name),
            Self::Table(table) => table.remove(name).await?,
        }
        Ok(())
    }
}
