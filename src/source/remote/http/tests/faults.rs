//! Servers that fail, lie, or change their minds. Each is a real listener.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use super::*;
use crate::source::contract::{is_absent, read};
use crate::source::remote::file_server::{End, Reply};
use crate::source::remote::log::Log;
use crate::source::{Object, SourceError, is_replaced};

fn kind(found: &Result<Object, SourceError>) -> Option<ErrorKind> {
    match found {
        Err(SourceError::Unavailable(error)) => Some(error.kind()),
        _ => None,
    }
}

fn server() -> FileServer {
    let server = FileServer::start(Manner::USUAL);
    server.put("/a.tif", &bytes(1_000_000, 1));
    server.put("/b.tif", &bytes(1000, 2));
    server
}

/// Found, opened, and with requests and bytes counted from here.
fn opened(server: &FileServer, source: &Store) -> (Object, crate::input::Input) {
    let found = source.find("a.tif").unwrap();
    let input = source.open(&found).unwrap();
    server.requests();
    (found, input)
}

#[test]
fn what_is_refused_or_absent_is_asked_for_once() {
    let server = server();
    let source = source(&server);
    for status in [401, 403, 451] {
        server.then(move |_| Reply::bare(status));
        assert_eq!(
            kind(&source.find("a.tif")),
            Some(ErrorKind::PermissionDenied)
        );
        assert_eq!(server.requests().len(), 1, "{status}");
    }
    for status in [404, 410] {
        server.then(move |_| Reply::bare(status));
        assert!(is_absent(&source.find("a.tif")));
        assert_eq!(server.requests().len(), 1, "{status}");
    }
    assert!(source.find("a.tif").is_ok());
}

#[test]
fn a_single_failure_is_tried_again() {
    let server = server();
    let source = source(&server);
    for fault in [
        || Reply::bare(500),
        || Reply::bare(503).with("retry-after", "0"),
        || Reply::bare(429),
        || Reply::nothing(End::Close),
    ] {
        server.then(move |_| fault());
        assert!(source.find("a.tif").is_ok());
        assert_eq!(server.requests().len(), 2);
    }
}

#[test]
fn a_file_that_always_fails_does_no_harm_to_the_others() {
    let server = server();
    let source = source(&server);
    for _ in 0..5 {
        for _ in 0..3 {
            server.then(|_| Reply::bare(500));
        }
        assert_eq!(kind(&source.find("a.tif")), Some(ErrorKind::ResourceBusy));
        for _ in 0..3 {
            server.then(|reply| reply.cut(100, End::Close));
        }
        assert_eq!(
            kind(&source.find("a.tif")),
            Some(ErrorKind::HostUnreachable)
        );
        assert_eq!(server.requests().len(), 6);
    }
    assert!(source.find("b.tif").is_ok());
}

#[test]
fn a_server_that_wants_to_be_left_alone_is() {
    let server = server();
    let source = source(&server);
    let date = || {
        let later = std::time::SystemTime::now() + Duration::from_secs(60);
        httpdate::fmt_http_date(later)
    };
    for (key, after) in [("a.tif", "60".to_owned()), ("b.tif", date())] {
        server.then(move |_| Reply::bare(503).with("retry-after", after));
        for _ in 0..10 {
            assert_eq!(kind(&source.find(key)), Some(ErrorKind::ResourceBusy));
        }
        assert_eq!(server.requests().len(), 1);
    }
}

/// What one finds who does not mind that the machine may stand still for as long as the source waits.
fn found_in_time(source: &Store, key: &str) -> Result<Object, SourceError> {
    for _ in 0..30 {
        let found = source.find(key);
        if kind(&found) != Some(ErrorKind::TimedOut) {
            return found;
        }
        // Until it is asked for again.
        thread::sleep(Duration::from_millis(1_100));
    }
    source.find(key)
}

#[test]
fn a_server_that_hangs_is_not_waited_for() {
    let server = server();
    let config = HttpSourceConfig {
        timeout_ms: 500,
        ..config(&server)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    server.then(|_| Reply::nothing(End::Hang));
    assert_eq!(kind(&source.find("a.tif")), Some(ErrorKind::TimedOut));
    server.recover();
    server.then(|reply| reply.cut(100, End::Hang));
    assert_eq!(kind(&source.find("b.tif")), Some(ErrorKind::TimedOut));
    server.recover();
    assert!(found_in_time(&source, "b.tif").is_ok());
}

#[test]
fn a_file_that_is_never_made_in_time_does_no_harm_to_the_others() {
    let server = server();
    let config = HttpSourceConfig {
        timeout_ms: 500,
        ..config(&server)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    for _ in 0..4 {
        for _ in 0..20 {
            server.then(|_| Reply::nothing(End::Hang));
        }
        for _ in 0..20 {
            assert_eq!(kind(&source.find("a.tif")), Some(ErrorKind::TimedOut));
        }
        let asked = server.requests().len();
        assert!(asked <= 10, "{asked}: asked for once in a while");
        thread::sleep(Duration::from_millis(1000));
    }
    server.recover();
    assert!(found_in_time(&source, "b.tif").is_ok());
}

/// At once: of those who come in the pauses, one tries.
fn assert_left_alone(server: &FileServer, source: &Store) {
    server.requests();
    let keys = (0..100).map(|number| format!("{number}.tif"));
    let found = keys.map(|key| kind(&source.find(&key)));
    let refused = found.filter(|kind| *kind == Some(ErrorKind::HostUnreachable));
    assert!(refused.count() >= 50);
    let asked = server.requests().len();
    assert!(asked < 50, "{asked}");
}

#[test]
fn a_server_that_fails_for_several_files_is_left_alone() {
    let server = server();
    let source = source(&server);
    for _ in 0..103 {
        server.then(|_| Reply::bare(502).with("retry-after", "60"));
    }
    for key in ["a.tif", "b.tif", "c.tif"] {
        assert_eq!(kind(&source.find(key)), Some(ErrorKind::ResourceBusy));
    }
    assert_left_alone(&server, &source);
}

#[test]
fn a_dead_server_fails_at_once_after_the_first_failures_and_is_found_again() {
    let server = server();
    let source = source(&server);
    for _ in 0..309 {
        server.then(|_| Reply::nothing(End::Close));
    }
    for _ in 0..3 {
        assert_eq!(
            kind(&source.find("a.tif")),
            Some(ErrorKind::HostUnreachable)
        );
    }
    assert_eq!(server.requests().len(), 9);
    assert_left_alone(&server, &source);
    server.recover();
    let start = Instant::now();
    while source.find("a.tif").is_err() {
        assert!(start.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn where_nothing_listens_it_cannot_be_reached() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let config = HttpSourceConfig {
        url: Some(format!("http://{port}/secret/")),
        ..config(&server())
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    let Err(SourceError::Unavailable(error)) = source.find("a.tif") else {
        panic!("it was found");
    };
    assert_eq!(error.kind(), ErrorKind::HostUnreachable);
    assert!(
        !format!("{error:?} {error}").contains("secret"),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_log_says_why_an_origin_cannot_be_reached_and_nothing_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap();
    drop(listener);
    let config = HttpSourceConfig {
        url: Some(format!("http://{port}/secret/")),
        suffix: "?sig=secret".to_owned(),
        ..config(&server())
    };
    let ask = Ask {
        key: "a.tif".to_owned(),
        range: None,
        condition: Condition::Always,
    };
    let log = Log::start();
    let answer = Http::new(&config).unwrap().ask(&ask).await;
    assert_eq!(answer.err(), Some(Failure::Unreachable.into()));
    let text = log.text();
    assert!(text.contains("Connection refused"), "{text}");
    assert!(text.contains(&port.to_string()), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn what_broke_off_is_fetched_from_where_it_broke_off() {
    let server = server();
    let source = source(&server);
    let (_, input) = opened(&server, &source);
    server.then(|reply| reply.cut(150_000, End::Close));
    let mut buffer = vec![0; 500_000];
    input.read_exact_at(&mut buffer, 131_072).unwrap();
    assert!(buffer == bytes(1_000_000, 1)[131_072..][..500_000]);
    let requests = server.requests();
    let ranges: Vec<_> = requests
        .iter()
        .map(|it| it.headers["range"].as_str())
        .collect();
    assert_eq!(ranges, ["bytes=131072-655359", "bytes=262144-655359"]);
}

#[test]
fn lies_about_the_range_are_not_believed() {
    let lies: [fn(Reply) -> Reply; 9] = [
        |reply| reply.without("content-range"),
        |reply| reply.with("content-range", "bytes 0-65535/*"),
        |reply| reply.with("content-range", "bytes 1-65536/1000000"),
        |reply| reply.with("content-range", "bytes 0-999999/1000000"),
        |reply| reply.with("content-range", "bytes 0-99/1000000"),
        |reply| reply.with("content-range", "pages 0-65535/1000000"),
        |reply| reply.with("content-length", "100").cut(100, End::Keep),
        |reply| reply.with("content-encoding", "gzip"),
        |_| Reply::bare(418),
    ];
    let server = server();
    let source = source(&server);
    for (number, lie) in lies.into_iter().enumerate() {
        server.then(lie);
        assert_eq!(
            kind(&source.find("a.tif")),
            Some(ErrorKind::InvalidData),
            "{number}"
        );
        assert_eq!(server.requests().len(), 1);
    }
    // One that promises more than it sends looks like one that broke off.
    for _ in 0..3 {
        let more = |reply: Reply| {
            reply
                .with("content-length", "65536")
                .cut(60_000, End::Close)
        };
        server.then(more);
    }
    assert_eq!(
        kind(&source.find("a.tif")),
        Some(ErrorKind::HostUnreachable)
    );
}

#[test]
fn a_size_that_was_a_lie_is_noticed() {
    let server = server();
    let source = source(&server);
    server.then(|reply| reply.with("content-range", "bytes 0-65535/2000000"));
    let found = source.find("a.tif").unwrap();
    let input = source.open(&found).unwrap();
    for start in [500_000, 1_500_000] {
        let error = input.read_exact_at(&mut [0; 10], start).unwrap_err();
        assert!(is_replaced(&error), "{error}");
    }
    let found = source.find("a.tif").unwrap();
    assert!(read(&source, &found).unwrap() == bytes(1_000_000, 1));
}

/// By servers that look at `If-Match`, and those that do not.
#[test]
fn a_file_that_changes_between_two_ranges_is_opened_again() {
    for (tags, has_dates) in [
        (Tags::Strong, true),
        (Tags::Strong, false),
        (Tags::Weak, false),
        (Tags::Weak, true),
        (Tags::None, true),
    ] {
        let server = FileServer::start(Manner {
            tags,
            has_dates,
            ..Manner::USUAL
        });
        let old = bytes(1_000_000, 1);
        server.put("/a.tif", &old);
        let config = HttpSourceConfig {
            revalidate_after: 1000,
            ..config(&server)
        };
        let source = open(&config, &Scratch::new().shared).unwrap();
        let (first, input) = opened(&server, &source);
        let mut buffer = vec![0; 1000];
        input.read_exact_at(&mut buffer, 400_000).unwrap();
        assert!(buffer == old[400_000..][..1000]);
        server.put("/a.tif", &bytes(1_000_000, 2));
        let error = input.read_exact_at(&mut buffer, 800_000).unwrap_err();
        assert!(is_replaced(&error), "{tags:?} {error}");
        assert!(buffer == old[400_000..][..1000], "nothing of the new state");
        let second = source.find("a.tif").unwrap();
        assert_ne!(first.stamp, second.stamp, "although it was found just now");
        assert!(read(&source, &second).unwrap() == bytes(1_000_000, 2));
        assert!(source.open(&first).is_err());
    }
}

#[test]
fn a_file_that_is_removed_while_it_is_read_is_absent() {
    let server = server();
    let source = source(&server);
    let (_, input) = opened(&server, &source);
    server.remove("/a.tif");
    let error = input.read_exact_at(&mut [0; 10], 500_000).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(is_absent(&source.find("a.tif")));
}

#[test]
fn a_server_that_ceases_to_have_ranges_is_asked_for_everything() {
    let server = server();
    let source = source(&server);
    let (_, input) = opened(&server, &source);
    let whole = |_| {
        let mut reply = Reply::new(200)
            .with("content-length", "1000000")
            .with("etag", "\"0\"");
        reply.body = bytes(1_000_000, 1);
        reply
    };
    server.then(whole);
    assert!(is_replaced(
        &input.read_exact_at(&mut [0; 10], 500_000).unwrap_err()
    ));
    server.then(whole);
    let found = source.find("a.tif").unwrap();
    assert!(read(&source, &found).unwrap() == bytes(1_000_000, 1));
}

#[test]
fn headers_without_end_are_not_read() {
    let server = server();
    let source = source(&server);
    for _ in 0..3 {
        server.then(|reply| reply.with("x-long", "x".repeat(4 << 20)));
    }
    assert!(kind(&source.find("a.tif")).is_some());
}

#[test]
fn an_empty_file_is_found() {
    let server = server();
    server.put("/empty.tif", b"");
    let source = source(&server);
    let found = source.find("empty.tif").unwrap();
    assert!(read(&source, &found).unwrap().is_empty());
}
