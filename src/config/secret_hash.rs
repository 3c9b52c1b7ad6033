//! Secrets of others, of which only hashes are kept: those of customers, and passwords of users.

use std::fmt;
use std::str::FromStr;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize, Serializer};

use super::formats::Invalid;

/// In place of the hash, wherever it would be printed: it can be tried out against words.
const HIDDEN: &str = "(not shown)";

/// An Argon2id hash as a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SecretHash(String);

impl SecretHash {
    /// Of a secret, with a salt of its own. Takes tens of milliseconds and 19 MiB.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn of(secret: &[u8]) -> password_hash::Result<String> {
        let hash: PasswordHash = Argon2::default().hash_password(secret)?;
        Ok(hash.to_string())
    }

    /// Whether it is that of this secret. Takes as long as [`of`](Self::of).
    pub fn is_of(&self, secret: &[u8]) -> bool {
        Argon2::default()
            .verify_password(secret, self.0.as_str())
            .is_ok()
    }
}

impl FromStr for SecretHash {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let hash = PasswordHash::new(text).map_err(|_| Invalid("it is no PHC string"))?;
        if hash.algorithm.as_str() != "argon2id" {
            return Err(Invalid("it is no hash by Argon2id"));
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(Invalid("it has no salt, or no hash"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for SecretHash {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl Serialize for SecretHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_itself_has_the_hash() {
        let hash: SecretHash = SecretHash::of(b"correct horse").unwrap().parse().unwrap();
        assert!(hash.is_of(b"correct horse"));
        for wrong in [&b""[..], b"correct horse ", b"Correct horse"] {
            assert!(!hash.is_of(wrong));
        }
        assert_ne!(SecretHash::of(b"a").unwrap(), SecretHash::of(b"a").unwrap());
        assert_eq!(format!("{hash:?}"), HIDDEN);
        assert_eq!(serde_json::to_value(&hash).unwrap(), HIDDEN);
    }

    #[test]
    fn what_is_no_hash_by_argon2id_is_refused() {
        for wrong in [
            "",
            "correct horse",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
            "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        ] {
            assert!(wrong.parse::<SecretHash>().is_err(), "{wrong}");
        }
    }
}
