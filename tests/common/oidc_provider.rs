//! A provider of OpenID Connect, at which everybody logs in who is sent there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, body::Bytes};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// Ends with its value.
pub struct OidcProvider {
    pub issuer: String,
    state: Shared,
    task: JoinHandle<()>,
}

type Shared = Arc<Mutex<Script>>;

/// What it does next.
struct Script {
    issuer: String,
    /// Of the private key: 32 equal bytes.
    seed: u8,
    /// Claims that are put over those of a good token.
    claims: Value,
    signature: Signature,
    is_down: bool,
    /// What was asked for with each code.
    codes: HashMap<String, HashMap<String, String>>,
}

/// How tokens are signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// As the key set says.
    Right,
    OtherKey,
    /// With the secret of the client, which it knows, too.
    Secret,
    None,
}

pub const CLIENT: &str = "azulejo";
pub const SECRET: &str = "a-secret-of-32-characters-or-more";

impl OidcProvider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Script {
            issuer: issuer.clone(),
            seed: 7,
            claims: json!({}),
            signature: Signature::Right,
            is_down: false,
            codes: HashMap::new(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&state));
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        Self {
            issuer,
            state,
            task: tokio::spawn(serving),
        }
    }

    /// From now on.
    pub fn says(&self, claims: Value) {
        self.state.lock().unwrap().claims = claims;
    }

    pub fn signs(&self, signature: Signature) {
        self.state.lock().unwrap().signature = signature;
    }

    pub fn has_a_new_key(&self) {
        self.state.lock().unwrap().seed += 1;
    }

    pub fn is_down(&self, is_down: bool) {
        self.state.lock().unwrap().is_down = is_down;
    }

    /// Somebody logs in at the address that they were sent to. Returns the address that they are sent back to.
    pub fn log_in(&self, location: &str) -> String {
        let url = Url::parse(location).unwrap();
        assert!(location.starts_with(&format!("{}/authorize?", self.issuer)));
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let mut script = self.state.lock().unwrap();
        let code = format!("code-{}", script.codes.len());
        let mut back = Url::parse(&asked["redirect_uri"]).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &asked["state"]);
        script.codes.insert(code, asked);
        let query = back.query().unwrap();
        format!("{}?{query}", back.path())
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn down() -> Response {
    (StatusCode::BAD_GATEWAY, "down").into_response()
}

fn as_json(value: &Value) -> Response {
    let json = [("content-type", "application/json")];
    (json, value.to_string()).into_response()
}

async fn configuration(State(state): State<Shared>) -> Response {
    let script = state.lock().unwrap();
    if script.is_down {
        return down();
    }
    let issuer = &script.issuer;
    as_json(&json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    }))
}

/// RFC 8410, section 7: what stands before the 32 bytes of a private key.
fn key(seed: u8) -> EncodingKey {
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend([seed; 32]);
    EncodingKey::from_ed_der(&der)
}

async fn keys(State(state): State<Shared>) -> Response {
    let seed = state.lock().unwrap().seed;
    let key = Jwk::from_encoding_key(&key(seed), Algorithm::EdDSA).unwrap();
    let mut key = serde_json::to_value(key).unwrap();
    key["kid"] = json!(format!("key-{seed}"));
    key["use"] = json!("sig");
    as_json(&json!({ "keys": [key] }))
}

async fn token(State(state): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut script = state.lock().unwrap();
    if script.is_down {
        return down();
    }
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let basic = BASE64_STANDARD.encode(format!("{CLIENT}:{SECRET}"));
    let is_client = headers["authorization"] == format!("Basic {basic}");
    let Some(asked) = script.codes.remove(&form["code"]).filter(|_| is_client) else {
        return refused();
    };
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    let is_right = challenge == asked["code_challenge"]
        && form["redirect_uri"] == asked["redirect_uri"]
        && form["grant_type"] == "authorization_code";
    if !is_right {
        return refused();
    }
    as_json(&json!({
        "access_token": "unused",
        "token_type": "Bearer",
        "id_token": script.id_token(&asked["nonce"]),
    }))
}

fn refused() -> Response {
    let mut response = as_json(&json!({"error": "invalid_grant"}));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

impl Script {
    fn id_token(&self, nonce: &str) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": "somebody", "nonce": nonce,
            "iat": now, "exp": now + 300, "realm": {"roles": ["staff"]},
        });
        for (name, value) in self.claims.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(format!("key-{}", self.seed));
        match self.signature {
            Signature::Right => encode(&header, &claims, &key(self.seed)).unwrap(),
            Signature::OtherKey => encode(&header, &claims, &key(99)).unwrap(),
            Signature::Secret => {
                header.alg = Algorithm::HS256;
                let secret = EncodingKey::from_secret(SECRET.as_bytes());
                encode(&header, &claims, &secret).unwrap()
            }
            Signature::None => {
                let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
                format!("{}.{}.", part(json!({"alg": "none"})), part(claims))
            }
        }
    }
}
