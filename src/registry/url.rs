//! Where the registry is, as one text.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::formats::Invalid;
use crate::config::passwords;

/// What would be read as something else than a part of a path.
const NOT_OF_A_PATH: AsciiSet = CONTROLS.add(b' ').add(b'#').add(b'%').add(b'?');

/// An SQLite file or a PostgreSQL database. Shown without its password.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RegistryUrl {
    text: String,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Sqlite(PathBuf),
    Postgres,
}

/// What keeps the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl RegistryUrl {
    pub fn kind(&self) -> Kind {
        match self.place {
            Place::Sqlite(_) => Kind::Sqlite,
            Place::Postgres => Kind::Postgres,
        }
    }

    /// The file of SQLite, if it is not there.
    pub fn missing_file(&self) -> Option<&Path> {
        match &self.place {
            Place::Sqlite(path) => Some(path.as_path()).filter(|path| !path.exists()),
            Place::Postgres => None,
        }
    }

    /// As the driver takes it, with the password. It makes no file.
    pub fn for_driver(&self) -> String {
        match &self.place {
            Place::Sqlite(path) => {
                let path = percent_encode(path.as_os_str().as_encoded_bytes(), &NOT_OF_A_PATH);
                format!("sqlite:{path}?mode=rw")
            }
            Place::Postgres => self.text.clone(),
        }
    }
}

impl FromStr for RegistryUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let place = match text.split_once(':') {
            Some(("sqlite", path)) => sqlite(path)?,
            Some(("postgres" | "postgresql", _)) => postgres(text)?,
            _ => return Err(Invalid("its scheme is neither sqlite nor postgres")),
        };
        Ok(Self {
            text: text.to_owned(),
            place,
        })
    }
}

/// A path as it is, without escapes.
fn sqlite(path: &str) -> Result<Place, Invalid> {
    if !path.starts_with('/') || path.starts_with("//") || path.ends_with('/') {
        return Err(Invalid("after sqlite: there is no absolute path of a file"));
    }
    Ok(Place::Sqlite(path.into()))
}

fn postgres(text: &str) -> Result<Place, Invalid> {
    if !text.contains("://") {
        return Err(Invalid("after its scheme there is no ://"));
    }
    let url = Url::parse(text).map_err(|_| {
        Invalid("it is not of the form postgres://user:password@host:port/database")
    })?;
    if url.query_pairs().any(|(name, _)| name == "password") {
        return Err(Invalid(
            "its password does not stand before the host, as in user:password@host",
        ));
    }
    if url.path().trim_start_matches('/').is_empty() {
        return Err(Invalid("after its host there is no /name of a database"));
    }
    text.parse::<sqlx::postgres::PgConnectOptions>()
        .map_err(|_| Invalid("its parameters are not those of PostgreSQL"))?;
    Ok(Place::Postgres)
}

impl fmt::Display for RegistryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&passwords::hide(&self.text))
    }
}

impl fmt::Debug for RegistryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for RegistryUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for RegistryUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<RegistryUrl> for String {
    fn from(url: RegistryUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> RegistryUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_file_is_named_by_its_path() {
        let url = parsed("sqlite:/var/lib/a folder/100%/azulejo.db");
        assert_eq!(url.kind(), Kind::Sqlite);
        assert_eq!(
            url.for_driver(),
            "sqlite:/var/lib/a%20folder/100%25/azulejo.db?mode=rw"
        );
    }

    #[test]
    fn the_password_of_a_server_is_not_shown() {
        let url = parsed("postgres://me:secret@db.example.org/azulejo?sslmode=require");
        assert_eq!(url.kind(), Kind::Postgres);
        let shown = "postgres://me:***@db.example.org/azulejo?sslmode=require";
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), shown);
        assert_eq!(serde_json::to_string(&url).unwrap(), format!("{shown:?}"));
        assert!(url.for_driver().contains(":secret@"));
    }

    #[test]
    fn what_names_no_database_is_refused() {
        for wrong in [
            "",
            "azulejo.db",
            "sqlite",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:azulejo.db",
            "sqlite://azulejo.db",
            "sqlite:/var/lib/",
            "mysql://host/a",
            "postgres:a",
            "postgres://host",
            "postgres://host/",
            "postgres://host/a?password=secret",
            "postgres://host/a?sslmode=perhaps",
        ] {
            assert!(wrong.parse::<RegistryUrl>().is_err(), "{wrong}");
        }
    }
}
