//! A web server over a directory, with ranges, that counts what it is asked.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// It ends with this value.
pub struct FolderServer {
    served: Arc<Served>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

struct Served {
    root: PathBuf,
    requests: AtomicU64,
    bytes: AtomicU64,
    is_silent: AtomicBool,
    hides_absence: AtomicBool,
}

impl FolderServer {
    pub async fn over(root: impl Into<PathBuf>) -> Self {
        let served = Arc::new(Served {
            root: root.into(),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            is_silent: AtomicBool::new(false),
            hides_absence: AtomicBool::new(false),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&served));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            served,
            address,
            serving,
        }
    }

    /// With a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on, it answers nothing. Its port stays its own: nobody else answers there instead.
    pub fn fall_silent(&self) {
        self.served.is_silent.store(true, Ordering::Relaxed);
    }

    /// From now on, it refuses what it does not have, as stores do that let nobody list what there is.
    pub fn hide_absence(&self) {
        self.served.hides_absence.store(true, Ordering::Relaxed);
    }

    /// Requests and bytes of bodies since the last time.
    pub fn take_counts(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        (take(&self.served.requests), take(&self.served.bytes))
    }
}

impl Drop for FolderServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(served): State<Arc<Served>>, request: Request) -> Response {
    served.requests.fetch_add(1, Ordering::Relaxed);
    if served.is_silent.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
    let path = request.uri().path().trim_start_matches('/');
    let path = percent_decode_str(path).decode_utf8().unwrap();
    let file = File::open(served.root.join(&*path));
    let Ok(file) = file else {
        let hides_absence = served.hides_absence.load(Ordering::Relaxed);
        let absent = if hides_absence {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::NOT_FOUND
        };
        return absent.into_response();
    };
    match part(&served, &file, request.headers()) {
        Ok(response) => response,
        Err(error) => panic!("{path}: {error}"),
    }
}

fn part(served: &Served, file: &File, asked: &HeaderMap) -> io::Result<Response> {
    let metadata = file.metadata()?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap();
    let etag = format!("\"{:x}-{:x}\"", metadata.len(), modified.as_nanos());
    let text = |name| {
        asked
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let range = text(header::RANGE);
    if text(header::IF_NONE_MATCH).is_some_and(|known| known == etag) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    if text(header::IF_MATCH).is_some_and(|known| known != etag) {
        return Ok(StatusCode::PRECONDITION_FAILED.into_response());
    }
    let (start, end) = range.as_deref().map_or((0, u64::MAX), bounds);
    let end = end.min(metadata.len());
    let mut body = vec![0; usize::try_from(end - start).unwrap()];
    file.read_exact_at(&mut body, start)?;
    served.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
    let response = Response::builder()
        .header(header::ETAG, etag)
        .header(header::ACCEPT_RANGES, "bytes");
    let response = match range {
        None => response,
        Some(_) => response.status(StatusCode::PARTIAL_CONTENT).header(
            header::CONTENT_RANGE,
            format!("bytes {start}-{}/{}", end - 1, metadata.len()),
        ),
    };
    Ok(response.body(Body::from(body)).unwrap())
}

/// Of `bytes=0-9`: 0 and 10.
fn bounds(range: &str) -> (u64, u64) {
    let (start, last) = range
        .strip_prefix("bytes=")
        .unwrap()
        .split_once('-')
        .unwrap();
    (start.parse().unwrap(), last.parse::<u64>().unwrap() + 1)
}
