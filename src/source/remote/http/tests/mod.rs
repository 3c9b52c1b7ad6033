//! Against real servers.

mod copies;
mod faults;
mod limits;
mod nginx;
mod redirects;

use super::config::HttpSourceConfig;
use super::*;
use crate::source::Source;
use crate::source::contract::{self, bytes};
use crate::source::remote::file_server::{FileServer, Manner, Tags};
use crate::source::remote::scratch::Scratch;

impl contract::Place for FileServer {
    fn put(&self, key: &str, bytes: &[u8]) {
        FileServer::put(self, &format!("/{key}"), bytes);
    }

    fn remove(&self, key: &str) {
        FileServer::remove(self, &format!("/{key}"));
    }
}

/// For a server of this machine; asks again each time.
fn config(server: &FileServer) -> HttpSourceConfig {
    HttpSourceConfig {
        url: Some(server.url()),
        private_networks: vec!["127.0.0.0/8".parse().unwrap()],
        revalidate_after: 0,
        timeout_ms: 60_000,
        ..HttpSourceConfig::default()
    }
}

fn source(server: &FileServer) -> Store {
    open(&config(server), &Scratch::new().shared).unwrap()
}

#[test]
fn it_does_what_every_source_has_to_whatever_the_server_tells() {
    for (tags, has_dates) in [
        (Tags::Strong, true),
        (Tags::Weak, true),
        (Tags::None, true),
        (Tags::Strong, false),
    ] {
        let server = FileServer::start(Manner {
            tags,
            has_dates,
            ..Manner::USUAL
        });
        contract::check(&source(&server), &server);
        assert!(
            server
                .requests()
                .iter()
                .all(|request| request.method == "GET")
        );
    }
}

#[test]
fn a_header_and_a_tile_cost_two_requests_and_then_none() {
    let server = FileServer::start(Manner::USUAL);
    server.put("/a.tif", &bytes(5_000_000, 1));
    let config = HttpSourceConfig {
        revalidate_after: 60,
        ..config(&server)
    };
    let source = open(&config, &Scratch::new().shared).unwrap();
    let found = source.find("a.tif").unwrap();
    let input = source.open(&found).unwrap();
    let mut buffer = vec![0; 60_000];
    input.read_exact_at(&mut buffer, 0).unwrap();
    assert_eq!((server.requests().len(), server.bytes()), (1, 65_536));
    // Three ranges, two of them with a small gap between them.
    let tiles = [
        1_000_000..1_030_000,
        1_150_000..1_180_000,
        4_000_000..4_010_000,
    ];
    for _ in 0..2 {
        input.read_ahead(&tiles).unwrap();
        for tile in tiles.clone() {
            input
                .read_exact_at(&mut buffer[..10_000], tile.start)
                .unwrap();
        }
    }
    // Blocks 15 to 18, and 61.
    assert_eq!((server.requests().len(), server.bytes()), (2, 5 * 65_536));
    source.find("a.tif").unwrap();
    assert_eq!(server.requests().len(), 0);
}
