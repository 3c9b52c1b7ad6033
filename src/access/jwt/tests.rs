//! Tokens as an attacker, a clock or an issuer may have them.

mod outages;
mod sets;
mod tokens;

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, encode};
use serde_json::{Value, json};

use super::config::JwtAlgorithm;
use super::*;
use crate::access::service::{Reply, ScriptedService};

const ISSUER: &str = "https://id.example.org";
const AUDIENCE: &str = "images";

/// A key of Ed25519 of an issuer, with its name.
struct Pair {
    id: &'static str,
    private: EncodingKey,
}

impl Pair {
    /// RFC 8410, section 7: what stands before the 32 bytes of a private key.
    fn new(id: &'static str, seed: u8) -> Self {
        let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
        der.extend([seed; 32]);
        Self {
            id,
            private: EncodingKey::from_ed_der(&der),
        }
    }

    fn public(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.private, Algorithm::EdDSA).unwrap();
        let mut value = serde_json::to_value(jwk).unwrap();
        value["kid"] = json!(self.id);
        value["use"] = json!("sig");
        value
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.id.to_owned());
        encode(&header, claims, &self.private).unwrap()
    }
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// What a good token says.
fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "exp": now() + 300, "sub": "somebody", "roles": ["staff"],
    })
}

/// A good token says something else under this name, or nothing.
fn claims_with(name: &str, value: Option<Value>) -> Value {
    let mut claims = claims();
    match value {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().remove(name)),
    }
    claims
}

fn set(pairs: &[&Pair]) -> Reply {
    let keys: Vec<Value> = pairs.iter().map(|pair| pair.public()).collect();
    Reply::json(json!({"keys": keys}))
}

fn config(url: &str) -> JwtConfig {
    JwtConfig {
        algorithms: vec![JwtAlgorithm::EdDsa],
        jwks: Some(url.to_owned()),
        issuer: Some(ISSUER.to_owned()),
        audience: vec![AUDIENCE.to_owned()],
        timeout_ms: 60_000,
        ..JwtConfig::default()
    }
}

const SOON: Duration = Duration::from_millis(100);
const HOUR: Duration = Duration::from_secs(3600);

/// Everything is for a tenth of a second.
const HASTY: Pace = Pace {
    refresh: SOON,
    grace: SOON,
    pause: SOON,
    retry: SOON,
};

/// What was once asked for is not asked for again, however slow the machine.
const LASTING: Pace = Pace {
    refresh: HOUR,
    grace: HOUR,
    pause: HOUR,
    retry: HOUR,
};

async fn issuer(pairs: &[&Pair]) -> (ScriptedService, JwtVerifier) {
    let service = ScriptedService::start(set(pairs)).await;
    let verifier = JwtVerifier::new(&config(&service.url)).unwrap();
    (service, verifier)
}

async fn is_good(verifier: &JwtVerifier, token: &str) -> bool {
    verifier.claims(token).await.is_ok()
}
