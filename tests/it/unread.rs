//! Clients that ask for much and read nothing of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, Request};
use h2::RecvStream;
use h2::client::{Builder, ResponseFuture, SendRequest};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::parts::{folder, noise_of};
use crate::process::{Process, ask};

/// Copied out of its file for everyone anew.
const IMAGE: &str = "/iiif/3/a.jpg/full/max/0/default.jpg";
/// Bytes for the answers of all.
const ROOM: u64 = 32 << 20;
/// Requests at once on one connection.
const STREAMS: usize = 64;

/// A connection of HTTP/2.
struct Connection {
    requests: SendRequest<Bytes>,
    driver: JoinHandle<Result<(), h2::Error>>,
    address: SocketAddr,
}

impl Connection {
    /// From one of the addresses that this machine has for itself, by a client who takes so many bytes of each answer.
    async fn open(server: &Process, host: u8, window: u32) -> Self {
        let address = server.address().parse().unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        let from = SocketAddr::from(([127, 0, 0, host], 0));
        socket.bind(from).unwrap();
        let stream = socket.connect(address).await.unwrap();
        let builder = Builder::new().initial_window_size(window).handshake(stream);
        let (requests, connection) = builder.await.unwrap();
        Self {
            requests,
            driver: tokio::spawn(connection),
            address,
        }
    }

    fn ask(&mut self, path: &str) -> ResponseFuture {
        let request = Request::get(format!("http://{}{path}", self.address));
        let request = request.body(()).unwrap();
        let (answer, _) = self.requests.send_request(request, true).unwrap();
        answer
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A client who takes not a byte of his answers, over several connections.
struct Greedy {
    _connections: Vec<Connection>,
    _bodies: Vec<RecvStream>,
    /// Answers with each status.
    sent: usize,
    refused: usize,
}

impl Greedy {
    async fn ask(server: &Process, host: u8, connections: usize) -> Self {
        let mut greedy = Self {
            _connections: Vec::new(),
            _bodies: Vec::new(),
            sent: 0,
            refused: 0,
        };
        for _ in 0..connections {
            let mut connection = Connection::open(server, host, 0).await;
            let answers: Vec<_> = (0..STREAMS).map(|_| connection.ask(IMAGE)).collect();
            for answer in answers {
                let answer = answer.await.unwrap();
                match answer.status().as_u16() {
                    200 => greedy.sent += 1,
                    429 => greedy.refused += 1,
                    other => panic!("{other}"),
                }
                greedy._bodies.push(answer.into_body());
            }
            greedy._connections.push(connection);
        }
        greedy
    }
}

/// The answer to one who reads it.
async fn get(server: &Process, host: u8, path: &str) -> (u16, HeaderMap, Vec<u8>) {
    let mut connection = Connection::open(server, host, 8 << 20).await;
    let (head, mut body) = connection.ask(path).await.unwrap().into_parts();
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        bytes.extend_from_slice(&data);
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    (head.status.as_u16(), head.headers, bytes)
}

fn metric(server: &Process, name: &str) -> u64 {
    let (_, _, page) = ask(server.metrics_address(), "GET", "/metrics", "");
    let page = String::from_utf8(page).unwrap();
    let mut lines = page.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap().parse::<f64>().unwrap() as u64
}

#[tokio::test]
async fn who_asks_for_no_body_is_not_refused_for_bodies() {
    let image = noise_of(1_000, 1_000, 17);
    let folder = folder(&image);
    let room = ROOM.to_string();
    let server = Process::over(folder.path(), &[("AZULEJO_WORK__MEMORY", &room)]);
    let _greedy = Greedy::ask(&server, 1, 4).await;
    assert_eq!(get(&server, 1, IMAGE).await.0, 429);
    let (status, head, _) = ask(server.address(), "HEAD", IMAGE, "");
    assert_eq!(status, 200);
    let length = format!("content-length: {}", image.len());
    assert!(head.contains(&length), "{head}");
}

/// Each of them would hold some 400 MB.
#[tokio::test]
async fn who_does_not_read_fills_no_memory_and_keeps_nobody_out() {
    let image = noise_of(1_000, 1_000, 15);
    let size = image.len() as u64;
    let folder = folder(&image);
    let room = ROOM.to_string();
    let server = Process::over(
        folder.path(),
        &[
            ("AZULEJO_WORK__MEMORY", &room),
            ("AZULEJO_ADMIN__LISTEN", "127.0.0.1:0"),
        ],
    );
    let resident = || metric(&server, "process_resident_memory_bytes");
    assert_eq!(get(&server, 1, IMAGE).await.2, image);
    let before = resident();

    let first = Greedy::ask(&server, 1, 8).await;
    assert_eq!(first.sent as u64, (ROOM / 2).div_ceil(size));
    assert_eq!(first.sent + first.refused, 8 * STREAMS);
    let (status, headers, text) = get(&server, 1, IMAGE).await;
    assert_eq!(status, 429);
    assert!(headers.contains_key("retry-after"));
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("wait to be read by this client"), "{text}");
    let (status, _, other) = get(&server, 2, IMAGE).await;
    assert_eq!((status, other.len() as u64), (200, size));

    let second = Greedy::ask(&server, 2, 8).await;
    assert!(second.refused > 0);
    assert_eq!(get(&server, 3, IMAGE).await.0, 200, "two do not take all");
    let information = get(&server, 2, "/iiif/3/a.jpg/info.json").await;
    assert_eq!(information.0, 200, "which is small");
    let unread = metric(&server, "azulejo_unread_bytes");
    let held = ROOM / 4 * 3;
    assert!((held..held + 2 * size).contains(&unread), "{unread}");
    let grown = resident().saturating_sub(before);
    assert!(grown < 3 * ROOM, "{grown} bytes");

    drop((first, second));
    let begun = Instant::now();
    while metric(&server, "azulejo_unread_bytes") > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(get(&server, 1, IMAGE).await.2, image);
}

/// What is made is sent from that room and not from the memory that is for making.
#[tokio::test]
async fn who_does_not_read_what_was_made_for_him_leaves_memory_for_making() {
    let folder = folder(&noise_of(1_000, 1_000, 16));
    let room = ROOM.to_string();
    let server = Process::over(
        folder.path(),
        &[
            ("AZULEJO_WORK__MEMORY", &room),
            ("AZULEJO_ADMIN__LISTEN", "127.0.0.1:0"),
        ],
    );
    let mut connection = Connection::open(&server, 1, 0).await;
    let mut bodies = Vec::new();
    for width in 101..101 + STREAMS {
        let path = format!("/iiif/3/a.jpg/full/{width},/0/default.png");
        let answer = connection.ask(&path).await.unwrap();
        assert_eq!(answer.status(), 200);
        bodies.push(answer.into_body());
    }
    let unread = metric(&server, "azulejo_unread_bytes");
    assert!(unread > STREAMS as u64 * 10_000, "{unread}");
    let reserved = "azulejo_work_memory_reserved_bytes{pool=\"make\",lane=\"all\"}";
    assert_eq!(metric(&server, reserved), 0);
    let (status, _, _) = get(&server, 2, "/iiif/3/a.jpg/full/500,/0/default.jpg").await;
    assert_eq!(status, 200);
}
