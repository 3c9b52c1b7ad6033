//! How often a server is asked, and by how many at once.

use std::thread;

use super::*;
use crate::source::remote::file_server::{End, Reply};

fn fresh(server: &FileServer) -> HttpSourceConfig {
    HttpSourceConfig {
        revalidate_after: 60,
        ..config(server)
    }
}

#[test]
fn all_who_look_for_a_file_make_one_request() {
    let server = FileServer::start(Manner::USUAL);
    let content = bytes(1_000_000, 1);
    server.put("/a.tif", &content);
    let source = open(&fresh(&server), &Scratch::new().shared).unwrap();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let found = source.find("a.tif").unwrap();
                let input = source.open(&found).unwrap();
                let mut buffer = [0; 1000];
                input.read_exact_at(&mut buffer, 700_000).unwrap();
                assert!(buffer == content[700_000..][..1000]);
            });
        }
    });
    assert_eq!(server.requests().len(), 2, "the header, and one block");
}

/// Who has looked at what is known just before the answer came.
#[test]
fn what_is_known_when_one_would_ask_is_not_asked_for() {
    let server = FileServer::start(Manner::USUAL);
    server.put("/a.tif", &bytes(1000, 1));
    let source = open(&fresh(&server), &Scratch::new().shared).unwrap();
    for key in ["a.tif", "absent.tif"] {
        let is_there = source.find(key).is_ok();
        assert_eq!(source.join(key).is_ok(), is_there);
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn what_was_found_is_asked_for_again_by_its_tag() {
    let server = FileServer::start(Manner::USUAL);
    server.put("/a.tif", &bytes(1000, 1));
    let source = source(&server);
    let first = source.find("a.tif").unwrap();
    server.requests();
    server.bytes();
    let second = source.find("a.tif").unwrap();
    assert_eq!(first.stamp, second.stamp);
    let requests = server.requests();
    assert_eq!(requests[0].headers["if-none-match"], "\"0\"");
    assert_eq!((requests.len(), server.bytes()), (1, 0));
}

#[test]
fn an_absent_file_is_not_asked_for_again_at_once() {
    let server = FileServer::start(Manner::USUAL);
    let source = open(&fresh(&server), &Scratch::new().shared).unwrap();
    for _ in 0..10 {
        assert!(contract::is_absent(&source.find("a.tif")));
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn there_are_no_more_requests_at_once_than_configured() {
    let server = FileServer::start(Manner::USUAL);
    let content = bytes(8_000_000, 1);
    server.put("/a.tif", &content);
    let config = HttpSourceConfig {
        connections: 2,
        ..fresh(&server)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    let found = source.find("a.tif").unwrap();
    let input = source.open(&found).unwrap();
    let ranges: Vec<_> = (0..20)
        .map(|n| n * 393_216 + 65_536)
        .map(|at| at..at + 10)
        .collect();
    for _ in &ranges {
        server.then(|reply| {
            thread::sleep(Duration::from_millis(20));
            reply
        });
    }
    input.read_ahead(&ranges).unwrap();
    for range in &ranges {
        let mut buffer = [0; 10];
        input.read_exact_at(&mut buffer, range.start).unwrap();
        assert!(buffer == content[range.start as usize..][..10]);
    }
    assert_eq!(server.requests().len(), 21);
    assert_eq!(server.busiest(), 2);
}

#[test]
fn reading_straight_on_takes_few_requests() {
    let server = FileServer::start(Manner::USUAL);
    let content = bytes(6_000_000, 1);
    server.put("/a.tif", &content);
    let source = open(&fresh(&server), &Scratch::new().shared).unwrap();
    let found = source.find("a.tif").unwrap();
    let input = source.open(&found).unwrap();
    for (number, piece) in content.chunks(8192).enumerate() {
        let mut buffer = vec![0; piece.len()];
        input
            .read_exact_at(&mut buffer, 8192 * number as u64)
            .unwrap();
        assert!(buffer == piece);
    }
    // 1 block, then 1+2, 1+4, 1+8, 1+16, 1+32, and the rest.
    assert_eq!(
        (server.requests().len(), server.bytes()),
        (7, content.len())
    );
}

/// Many readers, little memory, and a server that breaks off one answer in seven.
#[test]
fn whatever_happens_the_bytes_are_right() {
    const SIZE: usize = 4_000_000;
    let server = FileServer::start(Manner::USUAL);
    let content = bytes(SIZE, 1);
    server.put("/a.tif", &content);
    let scratch = Scratch::with_blocks(1 << 20);
    let source = open(&fresh(&server), &scratch.shared).unwrap();
    let found = source.find("a.tif").unwrap();
    let input = source.open(&found).unwrap();
    for number in 0..3_000 {
        server.then(move |reply: Reply| match number % 7 {
            6 => reply.cut(number * 37 % 60_000, End::Close),
            _ => reply,
        });
    }
    thread::scope(|scope| {
        for reader in 0..8_usize {
            let (input, content) = (&input, &content);
            scope.spawn(move || {
                for step in 0..150 {
                    let start = (reader * 7_919_317 + step * 1_299_709) % SIZE;
                    let end = (start + step * 2_111).min(SIZE);
                    if step % 3 == 0 {
                        // What breaks off is read again.
                        let _ = input.read_ahead(&[start as u64..end as u64, 0..1000]);
                    }
                    let mut buffer = vec![0; end - start];
                    // Three in a row may break off.
                    let attempt = |_| input.read_exact_at(&mut buffer, start as u64).is_ok();
                    assert!((0..5).any(attempt), "{start}..{end}");
                    assert!(buffer == content[start..end], "{start}..{end}");
                }
            });
        }
    });
}
