//! Against a server that checks signatures, and one that speaks like all services but checks none.

#[path = "../../../../tests/common/s3s_server.rs"]
#[allow(dead_code, reason = "shared with the integration tests")]
mod s3s_server;

use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3Builder;

use self::s3s_server::{KEY, S3sServer, SECRET};
use super::config::ObjectsSourceConfig;
use super::*;
use crate::source::contract::{self, Place};
use crate::source::remote::file_server::{End, FileServer, Manner, Reply};
use crate::source::remote::log::Log;
use crate::source::remote::scratch::Scratch;
use crate::source::remote::secret::Secret;
use crate::source::{Source, SourceError};

fn signed(server: &S3sServer) -> ObjectsSourceConfig {
    ObjectsSourceConfig {
        url: Some("s3://bucket/a/prefix".parse().unwrap()),
        endpoint: Some(server.endpoint().to_owned()),
        access_key: Some(KEY.to_owned()),
        secret_key: Some(Secret::new(SECRET)),
        revalidate_after: 0,
        ..ObjectsSourceConfig::default()
    }
}

/// A bucket as its owner sees it.
struct Owner<'a> {
    server: &'a S3sServer,
    store: object_store::aws::AmazonS3,
}

impl<'a> Owner<'a> {
    fn new(server: &'a S3sServer, bucket: &str) -> Self {
        let builder = AmazonS3Builder::new()
            .with_access_key_id(KEY)
            .with_secret_access_key(SECRET);
        let builder = crate::bucket::amazon(builder, bucket, Some(server.endpoint()), None);
        let store = builder.build().unwrap();
        Self { server, store }
    }
}

impl Place for Owner<'_> {
    fn put(&self, key: &str, bytes: &[u8]) {
        let path = Path::parse(format!("a/prefix/{key}")).unwrap();
        let put = self.store.put(&path, bytes.to_vec().into());
        self.server.runtime().block_on(put).unwrap();
    }

    fn remove(&self, key: &str) {
        let path = Path::parse(format!("a/prefix/{key}")).unwrap();
        let removed = self.store.delete(&path);
        self.server.runtime().block_on(removed).unwrap();
    }
}

#[test]
fn it_does_what_every_source_has_to() {
    let server = S3sServer::start(&["bucket"]);
    let source = open(&signed(&server), &Scratch::new().shared).unwrap();
    contract::check(&source, &Owner::new(&server, "bucket"));
}

#[test]
fn a_wrong_signature_is_refused_and_tells_no_secret() {
    let server = S3sServer::start(&["bucket"]);
    Owner::new(&server, "bucket").put("1.tif", b"image");
    let config = ObjectsSourceConfig {
        secret_key: Some(Secret::new("wrong secret")),
        ..signed(&server)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    let Err(SourceError::Unavailable(error)) = source.find("1.tif") else {
        panic!("it was found");
    };
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    assert!(!format!("{config:?} {error:?} {error}").contains("wrong secret"));
}

#[test]
fn keys_begin_with_a_bucket_that_is_listed() {
    let server = S3sServer::start(&["one", "two", "hidden"]);
    let config = ObjectsSourceConfig {
        buckets: vec![
            "s3://one/a/prefix".parse().unwrap(),
            "s3://two".parse().unwrap(),
        ],
        ..signed(&server)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    for bucket in ["one", "two", "hidden"] {
        Owner::new(&server, bucket).put("x.tif", bucket.as_bytes());
    }
    for (key, content) in [("one/x.tif", "one"), ("two/a/prefix/x.tif", "two")] {
        let found = source.find(key).unwrap();
        assert_eq!(contract::read(&source, &found).unwrap(), content.as_bytes());
    }
    for absent in [
        "hidden/a/prefix/x.tif",
        "two/x.tif",
        "one",
        "one/",
        "one/../hidden/x.tif",
    ] {
        assert!(contract::is_absent(&source.find(absent)), "{absent}");
    }
    assert_eq!(
        source.key_of("s3://one/a/prefix/x.tif").unwrap(),
        "one/x.tif"
    );
    for other in [
        "s3://hidden/x.tif",
        "s3://one/b/x.tif",
        "gs://two/x.tif",
        "s3://one/a/prefix",
    ] {
        assert_eq!(source.key_of(other), None, "{other}");
    }
}

/// All three services over a server that has no other answers than `GET` of a path.
struct Fake(FileServer, &'static str);

impl Place for Fake {
    fn put(&self, key: &str, bytes: &[u8]) {
        self.0.put(&format!("{}/{key}", self.1), bytes);
    }

    fn remove(&self, key: &str) {
        self.0.remove(&format!("{}/{key}", self.1));
    }
}

fn unsigned(url: &str, server: &FileServer) -> ObjectsSourceConfig {
    ObjectsSourceConfig {
        url: Some(url.parse().unwrap()),
        endpoint: Some(server.url().trim_end_matches('/').to_owned()),
        anonymous: true,
        revalidate_after: 0,
        ..ObjectsSourceConfig::default()
    }
}

#[test]
fn the_other_services_do_too_as_far_as_a_small_server_can_tell() {
    for (url, path) in [
        ("s3://bucket/p", "/bucket/p"),
        ("gs://bucket/p", "/bucket/p"),
        ("az://container/p", "/container/p"),
    ] {
        let fake = Fake(FileServer::start(Manner::USUAL), path);
        let mut config = unsigned(url, &fake.0);
        if url.starts_with("az") {
            config.access_key = Some("account".to_owned());
        }
        let source = open(&config, &Scratch::new().shared).unwrap();
        contract::check(&source, &fake);
        let requests = fake.0.requests();
        assert!(requests.iter().all(|request| request.method == "GET"));
    }
}

#[test]
fn an_empty_object_does_no_harm_to_its_bucket() {
    let server = FileServer::start(Manner::USUAL);
    server.put("/bucket/empty.tif", b"");
    server.put("/bucket/1.tif", b"image");
    let source = open(&unsigned("s3://bucket", &server), &Scratch::new().shared).unwrap();
    for _ in 0..5 {
        let found = source.find("empty.tif").unwrap();
        assert_eq!(source.open(&found).unwrap().size(), 0);
    }
    assert!(source.find("1.tif").is_ok());
}

#[test]
fn a_store_that_is_busy_is_asked_again() {
    let server = FileServer::start(Manner::USUAL);
    server.put("/bucket/1.tif", b"image");
    let source = open(&unsigned("s3://bucket", &server), &Scratch::new().shared).unwrap();
    server.then(|_| Reply::bare(503));
    server.then(|reply| reply.cut(2, End::Close));
    let found = source.find("1.tif").unwrap();
    assert_eq!(contract::read(&source, &found).unwrap(), b"image");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn containers_of_two_accounts_have_nothing_in_common() {
    let locations = ["one", "two"].map(|account| {
        let config = ObjectsSourceConfig {
            url: Some("az://container/p".parse().unwrap()),
            access_key: Some(account.to_owned()),
            anonymous: true,
            ..ObjectsSourceConfig::default()
        };
        let objects = Objects::new(&config).unwrap();
        let key = objects.key_of("az://container/p/1.tif");
        assert_eq!(key.as_deref(), Some("1.tif"));
        objects.location("1.tif").unwrap()
    });
    assert_eq!(
        locations,
        ["az://container/p/1.tif@one", "az://container/p/1.tif@two"]
    );
}

#[tokio::test]
async fn the_log_says_why_a_store_cannot_be_reached_and_nothing_secret() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap();
    drop(listener);
    let config = ObjectsSourceConfig {
        url: Some("s3://bucket/secret".parse().unwrap()),
        endpoint: Some(format!("http://{port}")),
        anonymous: true,
        ..ObjectsSourceConfig::default()
    };
    let ask = Ask {
        key: "1.tif".to_owned(),
        range: None,
        condition: Condition::Always,
    };
    let log = Log::start();
    let answer = Objects::new(&config).unwrap().ask(&ask).await;
    assert_eq!(answer.err(), Some(Failure::Unreachable.into()));
    let text = log.text();
    assert!(text.contains("Connection refused"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}
