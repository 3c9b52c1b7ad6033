//! An S3 server over a folder, by `s3s`: it checks every signature. It runs on threads of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{Request, Response, header};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub const KEY: &str = "AKIATEST";
pub const SECRET: &str = "a secret of the tests";

/// It ends with this value.
pub struct S3sServer {
    runtime: Option<Runtime>,
    endpoint: String,
    folder: tempfile::TempDir,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl S3sServer {
    /// With empty buckets.
    pub fn start(buckets: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for bucket in buckets {
            std::fs::create_dir(folder.path().join(bucket)).unwrap();
        }
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let counts = Arc::new(Counts::default());
        runtime.spawn(serve(listener, builder.build(), Arc::clone(&counts)));
        Self {
            runtime: Some(runtime),
            endpoint,
            folder,
            counts,
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Requests and bytes of bodies since the last time.
    pub fn take_counts(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        (take(&self.counts.requests), take(&self.counts.bytes))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }
}

impl Counts {
    fn count<B, E>(&self, answer: &Result<Response<B>, E>) {
        let length = answer.as_ref().ok().and_then(|answer| {
            let length = answer.headers().get(header::CONTENT_LENGTH)?;
            length.to_str().ok()?.parse().ok()
        });
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(length.unwrap_or(0), Ordering::Relaxed);
    }
}

impl Drop for S3sServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: TcpListener, service: S3Service, counts: Arc<Counts>) {
    while let Ok((connection, _)) = listener.accept().await {
        let (service, counts) = (service.clone(), Arc::clone(&counts));
        let counted = tower::service_fn(move |request: Request<Incoming>| {
            let (mut service, counts) = (service.clone(), Arc::clone(&counts));
            async move {
                let answer = tower::Service::call(&mut service, request).await;
                counts.count(&answer);
                answer
            }
        });
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            // Clients leave when they want.
            let _ = builder
                .serve_connection(TokioIo::new(connection), TowerToHyperService::new(counted))
                .await;
        });
    }
}
