//! What visitors show, and what is kept of it.

use std::fmt;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use sha2::{Digest, Sha256};

/// Letters of the secrets that are given out: 256 bits.
const LENGTH: usize = 43;

/// Random text that nobody can guess. It is given to the one who shows it, and kept by nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// # Panics
    /// If the system has no random numbers: nobody could be told from anybody.
    pub fn random() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn name(&self) -> SecretName {
        SecretName(Sha256::digest(&self.0).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// The name that a secret is kept under, from which nobody gets back to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretName([u8; 32]);

impl SecretName {
    /// Of a secret that somebody shows. `None` if it is none of ours.
    pub fn of(shown: &str) -> Option<Self> {
        (shown.len() == LENGTH).then(|| Self(Sha256::digest(shown).into()))
    }

    /// As it stands in a database.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_by_its_name_and_not_the_other_way_round() {
        let secret = Secret::random();
        assert_eq!(SecretName::of(secret.as_str()), Some(secret.name()));
        assert_ne!(Secret::random(), secret);
        let written = secret.name().to_string();
        assert_eq!(SecretName::parse(&written), Some(secret.name()));
        assert_ne!(SecretName::of(&written), Some(secret.name()));
        for wrong in ["", "a", &secret.as_str()[1..]] {
            assert_eq!(SecretName::of(wrong), None);
        }
        assert_eq!(format!("{secret:?}"), "(not shown)");
    }
}
