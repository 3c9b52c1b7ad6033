//! A small server that speaks like S3, and can be told to fail.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The key that it knows; its secret is not looked at.
pub const KEY_ID: &str = "AKIATEST";
const BUCKET: &str = "bucket";

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Not at all.
    Hangs,
    /// 503, as S3 does under load.
    IsBusy,
    /// 403, as to those whose credentials are wrong or have ended.
    Refuses,
    /// With half of each body, and then the end of the connection.
    Tears,
    /// With half of each body, and then nothing more.
    Stalls,
    /// With another last byte than that which was put, but for objects so short that they are no entries.
    Lies,
    /// Correctly, but late.
    IsSlow(Duration),
}

/// Objects in a map, of one bucket, by path-style requests. It ends with this value.
pub struct S3Server {
    store: Arc<Store>,
    endpoint: String,
    serving: JoinHandle<()>,
}

struct Store {
    mood: Mutex<Mood>,
    objects: Mutex<BTreeMap<String, Bytes>>,
    connections: AtomicUsize,
    requests: AtomicUsize,
    harmed: AtomicUsize,
    /// What was wrong with requests.
    complaints: Mutex<Vec<String>>,
}

impl S3Server {
    pub async fn start() -> Self {
        let store = Arc::new(Store {
            mood: Mutex::new(Mood::Well),
            objects: Mutex::default(),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            harmed: AtomicUsize::new(0),
            complaints: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let counting = Arc::clone(&store);
        let listener = listener.tap_io(move |_| {
            counting.connections.fetch_add(1, Ordering::Relaxed);
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&store));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            store,
            endpoint,
            serving,
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn url(&self) -> String {
        format!("s3://{BUCKET}/a/prefix")
    }

    pub fn becomes(&self, mood: Mood) {
        *self.store.mood.lock().unwrap() = mood;
    }

    pub fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.store.objects.lock().unwrap()
    }

    /// Connections that were ever made to it.
    pub fn connections(&self) -> usize {
        self.store.connections.load(Ordering::Relaxed)
    }

    pub fn requests(&self) -> usize {
        self.store.requests.load(Ordering::Relaxed)
    }

    /// Requests that came while it was not well.
    pub fn harmed(&self) -> usize {
        self.store.harmed.load(Ordering::Relaxed)
    }

    /// Panics if any request was not as S3 wants it.
    pub fn assert_no_complaints(&self) {
        let complaints = self.store.complaints.lock().unwrap();
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(store): State<Arc<Store>>, request: Request) -> Response {
    store.requests.fetch_add(1, Ordering::Relaxed);
    let mood = *store.mood.lock().unwrap();
    if mood != Mood::Well {
        store.harmed.fetch_add(1, Ordering::Relaxed);
    }
    match mood {
        Mood::Hangs => pending().await,
        Mood::IsBusy => return error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        Mood::Refuses => return error(StatusCode::FORBIDDEN, "InvalidAccessKeyId"),
        Mood::IsSlow(time) => sleep(time).await,
        Mood::Well | Mood::Tears | Mood::Stalls | Mood::Lies => {}
    }
    if let Err(complaint) = check_signature(request.headers()) {
        store.complaints.lock().unwrap().push(complaint);
        return error(StatusCode::FORBIDDEN, "AccessDenied");
    }
    let path = request.uri().path();
    let name = path.strip_prefix(&format!("/{BUCKET}/"));
    let (Some(name), None) = (name, request.uri().query()) else {
        let complaint = format!("{} {}", request.method(), request.uri());
        store.complaints.lock().unwrap().push(complaint);
        return error(StatusCode::NOT_IMPLEMENTED, "NotImplemented");
    };
    let name = name.to_owned();
    match *request.method() {
        Method::GET => store.get(&name, mood),
        Method::PUT => store.put(name, request).await,
        Method::DELETE => store.delete(&name),
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

/// Signature version 4, in a header, by the key that is known.
fn check_signature(headers: &HeaderMap) -> Result<(), String> {
    let value = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or_else(|| format!("no {name}"))
    };
    let authorization = value("authorization")?;
    let start = format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/");
    let (_, signature) = authorization
        .split_once("Signature=")
        .ok_or("no signature")?;
    let is_signature = signature.len() == 64 && signature.bytes().all(|b| b.is_ascii_hexdigit());
    if !authorization.starts_with(&start) || !is_signature {
        return Err(format!("authorization: {authorization}"));
    }
    value("x-amz-date")?;
    value("x-amz-content-sha256").map(drop)
}

impl Store {
    fn get(&self, name: &str, mood: Mood) -> Response {
        let Some(object) = self.objects.lock().unwrap().get(name).cloned() else {
            return error(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        let length = object.len();
        let half = || stream::iter([Ok::<_, io::Error>(object.slice(..length / 2))]);
        let torn = stream::iter([Err(io::Error::other("torn"))]);
        let body = match mood {
            Mood::Tears => Body::from_stream(half().chain(torn)),
            Mood::Stalls => Body::from_stream(half().chain(stream::pending())),
            Mood::Lies if length > 16 => Body::from(with_another_end(&object)),
            _ => Body::from(object.clone()),
        };
        let headers = [
            (header::CONTENT_LENGTH, length.to_string()),
            (header::ETAG, "\"etag\"".to_owned()),
        ];
        (headers, body).into_response()
    }

    async fn put(&self, name: String, request: Request) -> Response {
        let body = to_bytes(request.into_body(), usize::MAX).await;
        // Of one that was broken off nothing is kept.
        if let Ok(body) = body {
            self.objects.lock().unwrap().insert(name, body);
        }
        [(header::ETAG, "\"etag\"")].into_response()
    }

    fn delete(&self, name: &str) -> Response {
        self.objects.lock().unwrap().remove(name);
        StatusCode::NO_CONTENT.into_response()
    }
}

fn with_another_end(object: &[u8]) -> Vec<u8> {
    let mut object = object.to_vec();
    if let Some(last) = object.last_mut() {
        *last ^= 1;
    }
    object
}

fn error(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}
