//! Files that are fetched as a whole.

use std::io;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::source::SourceError;
use crate::source::contract::{bytes, read};
use crate::source::is_replaced;
use crate::source::remote::file_server::{End, Tags};

const WITHOUT_RANGES: Manner = Manner {
    has_ranges: false,
    ..Manner::USUAL
};

#[test]
fn it_does_so_without_ranges_too() {
    for (tags, has_dates, has_lengths) in [
        (Tags::Strong, true, true),
        (Tags::Weak, false, false),
        (Tags::None, true, true),
        (Tags::None, false, false),
    ] {
        let server = FileServer::start(Manner {
            tags,
            has_dates,
            has_lengths,
            ..WITHOUT_RANGES
        });
        let scratch = Scratch::new();
        contract::check(&open(&config(&server), &scratch.shared).unwrap(), &server);
        assert_eq!(scratch.files("tmp"), 0);
    }
}

/// Of a later range nobody could tell whether it is of the same state, so that all is read at once.
#[test]
fn ranges_are_of_no_use_without_validators() {
    let server = FileServer::start(Manner {
        tags: Tags::None,
        has_dates: false,
        ..Manner::USUAL
    });
    let scratch = Scratch::new();
    contract::check(&open(&config(&server), &scratch.shared).unwrap(), &server);
}

#[test]
fn a_file_without_ranges_is_fetched_once_by_all_who_ask() {
    let server = FileServer::start(WITHOUT_RANGES);
    let content = bytes(3_000_000, 1);
    server.put("/a.tif", &content);
    let scratch = Scratch::new();
    let config = HttpSourceConfig {
        revalidate_after: 60,
        ..config(&server)
    };
    let source = open(&config, &scratch.shared).unwrap();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let found = source.find("a.tif").unwrap();
                assert!(read(&source, &found).unwrap() == content);
            });
        }
    });
    assert_eq!(
        (server.requests().len(), server.bytes()),
        (1, content.len())
    );
    assert_eq!(scratch.files("copy"), 1);
    // Removed by another process, or by hand: it is fetched again.
    let found = source.find("a.tif").unwrap();
    std::fs::remove_dir_all(scratch.folder.path().join("copies")).unwrap();
    assert!(read(&source, &found).unwrap() == content);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_copy_outlives_the_process_and_the_state_of_the_file_does_not() {
    let server = FileServer::start(WITHOUT_RANGES);
    server.put("/a.tif", &bytes(1000, 1));
    let scratch = Scratch::new();
    for _ in 0..3 {
        let source = open(&config(&server), &scratch.shared).unwrap();
        let found = source.find("a.tif").unwrap();
        assert!(read(&source, &found).unwrap() == bytes(1000, 1));
    }
    assert_eq!(scratch.files("copy"), 1);
    let source = open(&config(&server), &scratch.shared).unwrap();
    server.put("/a.tif", &bytes(1000, 2));
    let found = source.find("a.tif").unwrap();
    assert!(read(&source, &found).unwrap() == bytes(1000, 2));
}

#[test]
fn all_of_a_large_file_is_copied_once() {
    const SIZE: usize = 10_000_000;
    let server = FileServer::start(Manner::USUAL);
    let content = bytes(SIZE, 1);
    server.put("/a.tif", &content);
    let scratch = Scratch::new();
    let source = open(&config(&server), &scratch.shared).unwrap();
    let found = source.find("a.tif").unwrap();
    let inputs = [source.open(&found).unwrap(), source.open(&found).unwrap()];
    thread::scope(|scope| {
        for input in &inputs {
            scope.spawn(|| {
                let half = SIZE as u64 / 2;
                input.read_ahead(&[0..half, half..2 * half]).unwrap();
                let mut buffer = vec![0; SIZE];
                input.read_exact_at(&mut buffer, 0).unwrap();
                assert!(buffer == content);
                input.read_exact_at(&mut buffer[..10], 5_000_000).unwrap();
            });
        }
    });
    let ranges: Vec<_> = server
        .requests()
        .into_iter()
        .map(|it| it.headers.contains_key("range"))
        .collect();
    assert_eq!(ranges, [true, false], "the header, and everything");
    assert!(read(&source, &found).unwrap() == content);
    assert_eq!(
        server.requests().len(),
        0,
        "who opens it later finds the copy"
    );
}

#[test]
fn a_copy_of_another_size_is_of_another_state_whatever_its_tag() {
    const SIZE: usize = 10_000_000;
    let server = FileServer::start(Manner::USUAL);
    server.put("/a.tif", &bytes(SIZE, 1));
    let scratch = Scratch::new();
    let source = open(&config(&server), &scratch.shared).unwrap();
    let found = source.find("a.tif").unwrap();
    let input = source.open(&found).unwrap();
    server.then(|mut reply| {
        reply.body.truncate(SIZE / 2);
        let length = reply.body.len().to_string();
        reply
            .without("content-length")
            .with("content-length", length)
    });
    let whole = 0..SIZE as u64;
    let error = input.read_ahead(&[whole]).unwrap_err();
    assert!(is_replaced(&error), "{error}");
    assert_eq!(scratch.files("copy"), 0);
}

#[test]
fn a_large_part_of_a_file_passes_by_the_blocks_and_is_not_copied() {
    const SIZE: usize = 30_000_000;
    let server = FileServer::start(Manner::USUAL);
    let content = bytes(SIZE, 1);
    server.put("/a.tif", &content);
    let scratch = Scratch::new();
    let source = open(&config(&server), &scratch.shared).unwrap();
    let found = source.find("a.tif").unwrap();
    let input = source.open(&found).unwrap();
    server.requests();
    let mut buffer = vec![0; 10 << 20];
    input.read_exact_at(&mut buffer, 1_000_000).unwrap();
    assert!(buffer == content[1_000_000..][..10 << 20]);
    assert_eq!(server.requests().len(), 3, "of 4 MiB each");
    assert_eq!(scratch.files("copy"), 0);
}

#[test]
fn a_copy_that_broke_off_is_not_kept() {
    let server = FileServer::start(WITHOUT_RANGES);
    server.put("/a.tif", &bytes(100_000, 1));
    let scratch = Scratch::new();
    let source = open(&config(&server), &scratch.shared).unwrap();
    server.then(|reply| reply.cut(50_000, End::Close));
    let found = source.find("a.tif").unwrap();
    assert!(read(&source, &found).unwrap() == bytes(100_000, 1));
    server.put("/b.tif", &bytes(100_000, 2));
    for _ in 0..3 {
        server.then(|reply| reply.cut(50_000, End::Close));
    }
    assert!(source.find("b.tif").is_err());
    assert_eq!((scratch.files("copy"), scratch.files("tmp")), (1, 0));
}

#[test]
fn a_file_that_is_too_large_is_not_kept_whatever_its_length_is_said_to_be() {
    for has_lengths in [true, false] {
        let server = FileServer::start(Manner {
            has_lengths,
            ..WITHOUT_RANGES
        });
        server.put("/a.tif", &bytes(100_001, 1));
        let scratch = Scratch::new();
        let config = HttpSourceConfig {
            max_bytes: 100_000,
            ..config(&server)
        };
        let source = open(&config, &scratch.shared).unwrap();
        let error = source.find("a.tif").unwrap_err();
        assert!(format!("{error:?}").contains("larger"), "{error:?}");
        assert_eq!((scratch.files("copy"), scratch.files("tmp")), (0, 0));
    }
}

/// A copy that is slow to come is an outage for who needs all of it, costs those who decode nothing, and is there later.
#[test]
fn a_copy_that_comes_late_is_told_and_found_by_the_next() {
    const SIZE: usize = 10_000_000;
    let server = FileServer::start(Manner::USUAL);
    let content = bytes(SIZE, 1);
    server.put("/a.tif", &content);
    let scratch = Scratch::new();
    let config = HttpSourceConfig {
        timeout_ms: 3_000,
        revalidate_after: 60,
        ..config(&server)
    };
    let source = open(&config, &scratch.shared).unwrap();
    let found = source.find("a.tif").unwrap();
    let input = source.open(&found).unwrap();
    let all = 0..SIZE as u64;
    let all = slice::from_ref(&all);
    server.then(|reply| reply.slowly(Duration::from_secs(10)));
    server.requests();
    let late = input.read_ahead(all).unwrap_err();
    assert_eq!(late.kind(), io::ErrorKind::TimedOut, "{late}");
    let mut buffer = vec![0; 100];
    input.read_exact_at(&mut buffer, 5_000_000).unwrap();
    assert!(buffer == content[5_000_000..][..100]);
    assert_eq!(scratch.files("copy"), 0, "it does not wait for the copy");
    let start = Instant::now();
    while input.read_ahead(all).is_err() {
        assert!(start.elapsed() < Duration::from_secs(60));
    }
    let whole = server.requests();
    let whole = whole.iter().filter(|it| !it.headers.contains_key("range"));
    assert_eq!(whole.count(), 1);
}

#[test]
fn where_no_copy_can_be_kept_none_is_fetched() {
    const SIZE: usize = 10_000_000;
    let server = FileServer::start(Manner::USUAL);
    let content = bytes(SIZE, 1);
    server.put("/a.tif", &content);
    let too_small = Scratch::with_copies(1 << 20);
    let unwritable = Scratch::new();
    let directory = unwritable.folder.path().join("copies");
    for (scratch, most) in [(&too_small, 0), (&unwritable, 1)] {
        let source = open(&config(&server), &scratch.shared).unwrap();
        let found = source.find("a.tif").unwrap();
        let input = source.open(&found).unwrap();
        if most > 0 {
            std::fs::remove_dir_all(&directory).unwrap();
            std::fs::write(&directory, "no directory").unwrap();
        }
        server.requests();
        let mut buffer = vec![0; SIZE];
        for _ in 0..3 {
            input
                .read_ahead(slice::from_ref(&(0..SIZE as u64)))
                .unwrap();
            input.read_exact_at(&mut buffer, 0).unwrap();
            assert!(buffer == content);
        }
        let whole = server.requests();
        let whole = whole.iter().filter(|it| !it.headers.contains_key("range"));
        assert!(whole.count() <= most);
    }
}

#[test]
fn copies_that_are_being_made_are_within_the_bound() {
    const SIZE: usize = 9_000_000;
    for has_lengths in [true, false] {
        let server = FileServer::start(Manner {
            has_ranges: has_lengths,
            has_lengths,
            ..Manner::USUAL
        });
        let scratch = Scratch::with_copies(20_000_000);
        let source = open(&config(&server), &scratch.shared).unwrap();
        let is_over = AtomicBool::new(false);
        let most = thread::scope(|scope| {
            let readers: Vec<_> = (0..8_u32)
                .map(|number| {
                    server.put(&format!("/{number}.tif"), &bytes(SIZE, number as u8));
                    let source = &source;
                    scope.spawn(move || {
                        let found = source.find(&format!("{number}.tif"))?;
                        Ok(source
                            .open(&found)?
                            .read_ahead(slice::from_ref(&(0..SIZE as u64)))?)
                    })
                })
                .collect();
            let watch = scope.spawn(|| {
                let mut most = 0;
                while !is_over.load(Ordering::Relaxed) {
                    most = scratch.bytes().max(most);
                }
                most
            });
            let read = readers.into_iter().map(|it| it.join().unwrap());
            let read: Vec<Result<(), SourceError>> = read.collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(read.iter().any(Result::is_ok), "{read:?}");
            watch.join().unwrap()
        });
        assert!(SIZE as u64 <= most && most <= 20_000_000, "{most}");
    }
}
