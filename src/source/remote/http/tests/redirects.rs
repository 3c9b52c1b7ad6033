//! Where a server may lead, and where names may.

use std::io::ErrorKind;

use super::*;
use crate::source::contract::read;
use crate::source::remote::file_server::Reply;
use crate::source::remote::secret::Secret;
use crate::source::{Object, SourceError};

fn to(url: String) -> impl FnOnce(Reply) -> Reply + Send {
    |_| Reply::bare(302).with("location", url)
}

fn kind(found: Result<Object, SourceError>) -> ErrorKind {
    match found {
        Err(SourceError::Unavailable(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_redirect_is_followed_to_a_server_that_is_listed_without_credentials() {
    let (first, second) = (
        FileServer::start(Manner::USUAL),
        FileServer::start(Manner::USUAL),
    );
    second.put("/b.tif", &bytes(1000, 1));
    let config = HttpSourceConfig {
        hosts: vec![second.host()],
        user: Some("me".to_owned()),
        password: Some(Secret::new("secret")),
        headers: [("x-key".to_owned(), Secret::new("hidden"))].into(),
        ..config(&first)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    first.then(to("/elsewhere".to_owned()));
    first.then(to(format!("{}b.tif", second.url())));
    let found = source.find("a.tif").unwrap();
    assert!(read(&source, &found).unwrap() == bytes(1000, 1));
    for request in first.requests() {
        assert_eq!(request.headers["authorization"], "Basic bWU6c2VjcmV0");
        assert_eq!(request.headers["x-key"], "hidden");
    }
    for request in second.requests() {
        assert!(!request.headers.contains_key("authorization"));
        assert!(!request.headers.contains_key("x-key"));
    }
    // Nor are they sent to a listed server that a key names.
    assert!(source.find(&format!("{}b.tif", second.url())).is_ok());
    assert!(!second.requests()[0].headers.contains_key("authorization"));
    let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
    assert!(
        !shown.contains("secret") && !shown.contains("hidden"),
        "{shown}"
    );
}

#[test]
fn a_redirect_leads_nowhere_else() {
    let (server, other) = (
        FileServer::start(Manner::USUAL),
        FileServer::start(Manner::USUAL),
    );
    other.put("/a.tif", &bytes(1000, 1));
    let port = other.host().rsplit_once(':').unwrap().1.to_owned();
    let config = HttpSourceConfig {
        hosts: vec![
            "10.1.2.3".to_owned(),
            "169.254.169.254".to_owned(),
            format!("[::1]:{port}"),
        ],
        timeout_ms: 60_000,
        ..config(&server)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    for url in [
        other.url(),
        "http://10.1.2.3/a.tif".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://[::1]:{port}/a.tif"),
        "file:///etc/passwd".to_owned(),
        "ftp://example.org/a.tif".to_owned(),
        format!("http://me:secret@{}/b.tif", server.host()),
    ] {
        server.then(to(url.clone()));
        assert_eq!(
            kind(source.find("a.tif")),
            ErrorKind::PermissionDenied,
            "{url}"
        );
        assert_eq!(server.requests().len(), 1, "{url}");
    }
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn redirects_end() {
    let server = FileServer::start(Manner::USUAL);
    let source = source(&server);
    for _ in 0..10 {
        server.then(to("/a.tif".to_owned()));
    }
    assert_eq!(kind(source.find("a.tif")), ErrorKind::InvalidData);
    assert_eq!(server.requests().len(), 4, "the first, and three redirects");
    let server = FileServer::start(Manner::USUAL);
    server.then(|_| Reply::bare(302));
    let source = super::source(&server);
    assert_eq!(kind(source.find("a.tif")), ErrorKind::InvalidData);
}

/// `localhost` stands for any name whose owner lets it lead to an address that is not his.
#[test]
fn a_name_that_leads_to_a_private_address_is_refused() {
    let server = FileServer::start(Manner::USUAL);
    server.put("/a.tif", &bytes(1000, 1));
    let host = server.host().replace("127.0.0.1", "localhost");
    let mut config = HttpSourceConfig {
        url: Some(format!("http://{host}/")),
        private_networks: Vec::new(),
        ..config(&server)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    for _ in 0..5 {
        assert_eq!(kind(source.find("a.tif")), ErrorKind::PermissionDenied);
    }
    assert_eq!(server.requests().len(), 0);
    config.private_networks = vec!["127.0.0.0/8".parse().unwrap()];
    let source = open(&config, &Scratch::new().shared).unwrap();
    assert!(source.find("a.tif").is_ok());
}

#[test]
fn keys_that_are_urls_lead_to_listed_servers_only() {
    let (server, other) = (
        FileServer::start(Manner::USUAL),
        FileServer::start(Manner::USUAL),
    );
    for server in [&server, &other] {
        server.put("/a.tif?signature=secret", &bytes(1000, 1));
    }
    let config = HttpSourceConfig {
        url: None,
        hosts: vec![server.host()],
        ..config(&server)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    let found = source
        .find(&format!("{}a.tif?signature=secret", server.url()))
        .unwrap();
    assert!(!found.location.contains("secret"), "{}", found.location);
    assert!(read(&source, &found).unwrap() == bytes(1000, 1));
    let refused = source.find(&format!("{}a.tif?signature=secret", other.url()));
    let Err(SourceError::NotFound(name)) = refused else {
        panic!("{refused:?}");
    };
    assert!(!name.contains("secret"), "{name}");
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn what_is_asked_over_tls_is_not_asked_without_it() {
    let url = Url::parse("https://example.org/a/b").unwrap();
    for (to, leads_to) in [
        ("c", Some("https://example.org/a/c")),
        ("//other.org/c", Some("https://other.org/c")),
        ("http://example.org/a/b", None),
        ("https://me@example.org/", None),
        ("javascript:alert(1)", None),
    ] {
        let next = next(&url, to).ok();
        assert_eq!(next.as_ref().map(Url::as_str), leads_to, "{to}");
    }
}
