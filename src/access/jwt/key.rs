//! Keys that signatures are verified with.

use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;

/// RFC 7518, sections 3.3 and 3.5: keys of RSA have 2048 bits at least.
const SHORTEST_RSA: usize = 256;
/// RFC 8032, section 5.1.5: and the library that verifies takes it for granted.
const ED25519: usize = 32;
/// Nobody has more at a time; each one might be tried.
const MOST: usize = 64;

/// A key, and what it may be used for.
pub struct Key {
    /// `kid`.
    id: Option<String>,
    /// The only algorithm that it is meant for, if its owner says so.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

impl Key {
    /// The secret of an algorithm of HMAC.
    pub fn of_secret(secret: &[u8]) -> Self {
        Self::of(DecodingKey::from_secret(secret))
    }

    /// A public key.
    ///
    /// # Errors
    /// If it is none, or none for the algorithm, or too weak a one.
    pub fn of_pem(pem: &[u8], algorithm: Algorithm) -> Result<Self> {
        let key = match algorithm.family() {
            AlgorithmFamily::Rsa => DecodingKey::from_rsa_pem(pem)?,
            AlgorithmFamily::Ec => DecodingKey::from_ec_pem(pem)?,
            AlgorithmFamily::Ed => DecodingKey::from_ed_pem(pem)?,
            AlgorithmFamily::Hmac => return Err(ErrorKind::InvalidKeyFormat.into()),
        };
        sound(key).map(Self::of)
    }

    fn of(key: DecodingKey) -> Self {
        Self {
            id: None,
            algorithm: None,
            key,
        }
    }

    /// `None` if it is not for signatures that everybody may verify. A symmetric key among public ones is a mistake, and anything but secret.
    fn of_jwk(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let is_for_signatures =
            matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let operations = common.key_operations.as_ref();
        let may_verify = operations.is_none_or(|all| all.contains(&KeyOperations::Verify));
        let algorithm = only_algorithm(jwk)?;
        let key = DecodingKey::from_jwk(jwk).ok()?;
        let is_public = key.family() != AlgorithmFamily::Hmac;
        (is_for_signatures && may_verify && is_public).then_some(())?;
        Some(Self {
            id: common.key_id.clone(),
            algorithm,
            key: sound(key).ok()?,
        })
    }

    /// Whether a token may have been signed with it. `id` is what the token says.
    pub fn fits(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        let is_named = match (&self.id, id) {
            (Some(ours), Some(named)) => ours == named,
            _ => true,
        };
        let is_meant = self.algorithm.is_none_or(|only| only == algorithm);
        is_named && is_meant && self.key.family() == algorithm.family()
    }

    pub fn key(&self) -> &DecodingKey {
        &self.key
    }
}

/// The algorithm that a key is meant for, if there is one only; `None` if it is of no use.
fn only_algorithm(jwk: &Jwk) -> Option<Option<Algorithm>> {
    match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => Some(Some(Algorithm::ES256)),
            EllipticCurve::P384 => Some(Some(Algorithm::ES384)),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(key) => {
            (key.curve == EllipticCurve::Ed25519).then_some(Some(Algorithm::EdDSA))
        }
        _ => match jwk.common.key_algorithm {
            Some(named) => Algorithm::try_from(named).ok().map(Some),
            None => Some(None),
        },
    }
}

/// A key that is strong enough, and of the size that it must have.
fn sound(key: DecodingKey) -> Result<DecodingKey> {
    let length = match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => bytes.len(),
        DecodingKeyKind::RsaModulusExponent { n, .. } => n.len(),
    };
    let is_sound = match key.family() {
        AlgorithmFamily::Rsa => length >= SHORTEST_RSA,
        AlgorithmFamily::Ed => length == ED25519,
        AlgorithmFamily::Ec | AlgorithmFamily::Hmac => true,
    };
    if is_sound {
        Ok(key)
    } else {
        Err(ErrorKind::InvalidKeyFormat.into())
    }
}

/// The members of a JSON Web Key Set (RFC 7517, section 5) that are of use: whoever publishes a key of a new kind does not take the others away.
///
/// # Errors
/// If it is no set, or has too many members.
pub fn of_set(body: &[u8]) -> std::result::Result<Vec<Key>, SetError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let Set { keys } = serde_json::from_slice(body)?;
    if keys.len() > MOST {
        return Err(SetError::TooMany);
    }
    let jwks = keys
        .into_iter()
        .filter_map(|key| serde_json::from_value(key).ok());
    Ok(jwks.filter_map(|jwk: Jwk| Key::of_jwk(&jwk)).collect())
}

/// Why an answer has no keys.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error("it is no set of keys")]
    Malformed(#[from] serde_json::Error),
    #[error("it has more than {MOST} keys")]
    TooMany,
}
