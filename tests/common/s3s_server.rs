//! An S3 server over a folder, by `s3s`: it checks every signature. It runs on threads of its own.

use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
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
        runtime.spawn(serve(listener, builder.build()));
        Self {
            runtime: Some(runtime),
            endpoint,
            folder,
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }
}

impl Drop for S3sServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    while let Ok((connection, _)) = listener.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            // Clients leave when they want.
            let _ = builder
                .serve_connection(TokioIo::new(connection), service)
                .await;
        });
    }
}
