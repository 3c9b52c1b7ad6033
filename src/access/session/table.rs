//! Sessions of all servers that share a registry, in its database.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::record::{Session, Time};
use super::secret::SecretName;
use super::{REMEMBERED, TOKENS};
use crate::registry::{Registry, RegistryError};

pub struct Table(Registry);

impl Table {
    pub fn new(registry: Registry) -> Self {
        Self(registry)
    }

    pub async fn put(
        &self,
        session: &Session,
        replaced: Option<SecretName>,
        now: Time,
    ) -> Result<(), RegistryError> {
        let putting = async |c: &mut AnyConnection| {
            forget(c, now).await?;
            let before = match replaced {
                Some(replaced) => take(c, replaced).await?,
                None => None,
            };
            let session = session.clone();
            let session = match before {
                Some(before) => session.with(before),
                None => session,
            };
            insert(c, &session).await
        };
        self.0.database().write(putting).await
    }

    pub async fn get(&self, name: SecretName) -> Result<Option<Session>, RegistryError> {
        let getting = async |c: &mut AnyConnection| {
            let row = sqlx::query("SELECT grants, ends FROM sessions WHERE name = $1")
                .bind(name.to_string())
                .fetch_optional(c)
                .await?;
            row.map(|row| read(name, &row)).transpose()
        };
        self.0.database().read(getting).await
    }

    pub async fn put_token(
        &self,
        token: SecretName,
        session: SecretName,
        ends: Time,
    ) -> Result<(), RegistryError> {
        let putting = async |c: &mut AnyConnection| {
            make_room_for_token(c, session).await?;
            sqlx::query("INSERT INTO session_tokens (name, session, ends) VALUES ($1, $2, $3)")
                .bind(token.to_string())
                .bind(session.to_string())
                .bind(ends)
                .execute(c)
                .await
                .map(drop)
        };
        self.0.database().write(putting).await
    }

    pub async fn get_token(
        &self,
        token: SecretName,
        now: Time,
    ) -> Result<Option<SecretName>, RegistryError> {
        let getting = async |c: &mut AnyConnection| {
            let asking = "SELECT session FROM session_tokens WHERE name = $1 AND ends > $2";
            let row = sqlx::query(asking)
                .bind(token.to_string())
                .bind(now)
                .fetch_optional(c)
                .await?;
            row.map(|row| row.try_get::<String, _>(0)).transpose()
        };
        let name = self.0.database().read(getting).await?;
        Ok(name.as_deref().and_then(SecretName::parse))
    }

    pub async fn remove(&self, name: SecretName) -> Result<(), RegistryError> {
        let removing = async |c: &mut AnyConnection| take(c, name).await.map(drop);
        self.0.database().write(removing).await
    }
}

fn read(name: SecretName, row: &AnyRow) -> sqlx::Result<Session> {
    let grants: String = row.try_get(0)?;
    let grants =
        serde_json::from_str(&grants).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let ends = row.try_get(1)?;
    Ok(Session { name, grants, ends })
}

async fn insert(connection: &mut AnyConnection, session: &Session) -> sqlx::Result<()> {
    let grants = serde_json::to_string(&session.grants);
    let grants = grants.map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query("INSERT INTO sessions (name, grants, ends) VALUES ($1, $2, $3)")
        .bind(session.name.to_string())
        .bind(grants)
        .bind(session.ends)
        .execute(connection)
        .await
        .map(drop)
}

/// Tokens that are over, and sessions that have been for long.
async fn forget(connection: &mut AnyConnection, now: Time) -> sqlx::Result<()> {
    for (forgetting, over) in [
        ("DELETE FROM session_tokens WHERE ends <= $1", now),
        ("DELETE FROM sessions WHERE ends <= $1", now - REMEMBERED),
    ] {
        sqlx::query(forgetting)
            .bind(over)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Removes a session with its tokens. Returns what it was, if nobody else has removed it.
async fn take(connection: &mut AnyConnection, name: SecretName) -> sqlx::Result<Option<Session>> {
    sqlx::query("DELETE FROM session_tokens WHERE session = $1")
        .bind(name.to_string())
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query("DELETE FROM sessions WHERE name = $1 RETURNING grants, ends")
        .bind(name.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| read(name, &row)).transpose()
}

async fn make_room_for_token(
    connection: &mut AnyConnection,
    session: SecretName,
) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM session_tokens WHERE session = $1 AND name NOT IN \
         (SELECT name FROM session_tokens WHERE session = $1 ORDER BY ends DESC, name DESC LIMIT $2)",
    )
    .bind(session.to_string())
    .bind(i64::try_from(TOKENS - 1).unwrap_or(i64::MAX))
    .execute(connection)
    .await
    .map(drop)
}
