//! Signed URLs: whoever has one sees what it names, until it expires.

pub mod config;
mod query;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use self::config::SigningConfig;
use self::query::Given;

/// First in everything that is signed, so that a secret that is used elsewhere too signs nothing for this by chance.
const DOMAIN: &str = "azulejo signed URL 1";

/// What is asked of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedRequest<'a> {
    /// As decoded.
    pub identifier: &'a str,
    /// The rest of the path, as decoded and without the identifier: `iiif/3/full/max/0/default.jpg`.
    pub asked: &'a str,
}

/// What a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One request.
    Request,
    /// Whatever can be asked of the image.
    Image,
}

/// Why a URL is not taken for a signed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the URL is not signed")]
    Absent,
    #[error("the parameters of the signature are not as they should be")]
    Malformed,
    #[error("the signature is not for this request")]
    Wrong,
    #[error("the signed URL has expired")]
    Expired,
    #[error("the signed URL is good for longer than is allowed")]
    TooFar,
}

/// Signs, and looks whether what is signed is good.
pub struct Signer {
    /// The first one signs.
    keys: Vec<Hmac<Sha256>>,
    longest: Duration,
}

impl Signer {
    pub fn new(config: &SigningConfig) -> Self {
        let secrets = config.secrets.iter();
        let key = |secret: &[u8]| Hmac::new_from_slice(secret).expect("a key of any length");
        Self {
            keys: secrets
                .map(|secret| key(secret.reveal().as_bytes()))
                .collect(),
            longest: Duration::from_secs(config.longest.into()),
        }
    }

    /// The query of the signed URL. `expires` is in seconds since 1970. `None` without a secret.
    pub fn sign(&self, request: SignedRequest<'_>, scope: Scope, expires: u64) -> Option<String> {
        let key = self.keys.first()?.clone();
        let signature = with(key, request, scope, expires).finalize().into_bytes();
        let given = Given {
            scope,
            expires,
            signature: signature.into(),
        };
        Some(given.to_string())
    }

    /// # Errors
    /// If the query of the URL is no signature for this request that is good now.
    pub fn verify(
        &self,
        request: SignedRequest<'_>,
        query: &str,
        now: SystemTime,
    ) -> Result<(), SignatureError> {
        let given = Given::parse(query)?;
        let is_by = |key: &Hmac<Sha256>| {
            let signed = with(key.clone(), request, given.scope, given.expires);
            signed.verify_slice(&given.signature).is_ok()
        };
        if !self.keys.iter().any(is_by) {
            return Err(SignatureError::Wrong);
        }
        self.check_time(given.expires, now)
    }

    fn check_time(&self, expires: u64, now: SystemTime) -> Result<(), SignatureError> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = Duration::from_secs(expires).checked_sub(now);
        match left {
            None | Some(Duration::ZERO) => Err(SignatureError::Expired),
            Some(left) if left > self.longest => Err(SignatureError::TooFar),
            Some(_) => Ok(()),
        }
    }
}

/// What is signed, line by line. The length in bytes says where the identifier ends: no two requests have the same text.
fn with(
    mut mac: Hmac<Sha256>,
    request: SignedRequest<'_>,
    scope: Scope,
    expires: u64,
) -> Hmac<Sha256> {
    let SignedRequest { identifier, asked } = request;
    let (scope, asked) = match scope {
        Scope::Request => ("request", asked),
        Scope::Image => ("image", ""),
    };
    let length = identifier.len();
    let text = format!("{DOMAIN}\n{scope}\n{expires}\n{length}\n{identifier}\n{asked}");
    mac.update(text.as_bytes());
    mac
}
