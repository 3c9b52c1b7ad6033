//! Connections: how many there may be, how long each may keep the server waiting, and how they end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use super::stall::StallLimit;

/// Connections at once, where the limit of open files allows as many.
const MOST_CONNECTIONS: usize = 4_096;
/// Requests at once on one HTTP/2 connection.
const MOST_STREAMS: u32 = 64;
/// How often an HTTP/2 client is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// After an `accept` that failed for want of descriptors or memory: trying again at once would fail again.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How long clients may keep the server waiting.
#[derive(Clone, Copy)]
pub struct Patience {
    /// Until the head of a request is whole, from the start of the connection or from the answer before.
    pub head: Duration,
    /// While a client takes nothing of an answer.
    pub stalled: Duration,
    /// For the answers under way when the server is to stop.
    pub closing: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            stalled: Duration::from_secs(60),
            closing: Duration::from_secs(30),
        }
    }
}

/// How many connections there may be, and how many there are. Clones share them.
#[derive(Clone)]
pub struct Places {
    free: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
}

/// A connection that is open until it is dropped.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    pub fn new(all: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(all)),
            open: Arc::default(),
        }
    }

    /// Connections; the place that the next one will have is not counted.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn opened(&self) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(&self.open))
    }
}

impl Default for Places {
    fn default() -> Self {
        Self::new(most_connections())
    }
}

/// All connections of a server.
pub struct Connections {
    router: Router,
    patience: Patience,
    places: Places,
    open: GracefulShutdown,
}

impl Connections {
    pub fn new(router: Router, patience: Patience, places: Places) -> Self {
        Self {
            router,
            patience,
            places,
            open: GracefulShutdown::new(),
        }
    }

    /// Takes connections for ever. With all places taken, new ones wait in the queue of the operating system.
    pub async fn accept(&self, listener: &TcpListener) -> Infallible {
        loop {
            // Never an error: nothing closes the semaphore.
            let place = Arc::clone(&self.places.free).acquire_owned().await;
            let (stream, peer) = next(listener).await;
            let open = self.places.opened();
            let watcher = self.open.watcher();
            let connection = serve(self.router.clone(), self.patience, watcher, stream, peer);
            tokio::spawn(async move {
                let _kept = (place, open);
                connection.await;
            });
        }
    }

    /// Lets the answers under way be finished, within the time that is allowed for it.
    pub async fn close(self) {
        let connections = self.open.count();
        tracing::info!(connections, "stopping");
        if timeout(self.patience.closing, self.open.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("stopped before every answer was sent");
        }
    }
}

/// At most half of the files that the process may open: the images need descriptors too.
fn most_connections() -> usize {
    let files = getrlimit(Resource::Nofile).current;
    let half = files.and_then(|files| usize::try_from(files / 2).ok());
    half.map_or(MOST_CONNECTIONS, |half| half.clamp(1, MOST_CONNECTIONS))
}

async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok(connection) => return connection,
            // The client went away while it waited.
            Err(error)
                if matches!(
                    error.kind(),
                    ConnectionAborted | ConnectionRefused | ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!("cannot accept a connection: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(
    router: Router,
    patience: Patience,
    watcher: Watcher,
    stream: TcpStream,
    peer: SocketAddr,
) {
    let has_asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&has_asked);
    let service = router.map_request(move |mut request: Request<_>| {
        asks.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    // The end of an answer is not to wait for the client's acknowledgement of what came before.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(StallLimit::new(stream, patience.stalled));
    let builder = builder(patience);
    let connection = builder.serve_connection(io, TowerToHyperService::new(service));
    tokio::select! {
        end = watcher.watch(connection) => if let Err(error) = end {
            tracing::debug!("{peer}: {error}");
        },
        () = silence(patience.head, &has_asked) => tracing::debug!("{peer}: no request"),
    }
}

fn builder(patience: Patience) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .max_concurrent_streams(MOST_STREAMS);
    builder
}

/// Ends if there is no request within this time: no other limit counts before it is known which HTTP a client speaks.
async fn silence(limit: Duration, has_asked: &AtomicBool) {
    sleep(limit).await;
    if has_asked.load(Ordering::Relaxed) {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use std::net::IpAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    /// Far more than any test needs.
    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(50);
    const PATIENT: Patience = Patience {
        head: LONG,
        stalled: LONG,
        closing: LONG,
    };

    /// Serves until the sender is used or dropped, then closes.
    struct Server {
        address: SocketAddr,
        stop: tokio::sync::oneshot::Sender<()>,
        closed: JoinHandle<()>,
    }

    async fn server(router: Router, patience: Patience) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let closed = tokio::spawn(async move {
            let connections = Connections::new(router, patience, Places::default());
            tokio::select! {
                never = connections.accept(&listener) => match never {},
                _ = stopped => {}
            }
            connections.close().await;
        });
        Server {
            address,
            stop,
            closed,
        }
    }

    fn hello() -> Router {
        Router::new().route("/", get(|| async { "hello" }))
    }

    /// Answers with more than all buffers hold.
    fn large() -> Router {
        Router::new().route("/", get(|| async { Body::from(vec![0; 64 << 20]) }))
    }

    /// All that the server sends after this, until it closes the connection.
    async fn talk(address: SocketAddr, words: &[u8]) -> String {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(words).await.unwrap();
        let mut answer = Vec::new();
        // A reset is a close too.
        let _ = timeout(LONG, client.read_to_end(&mut answer))
            .await
            .expect("the server closes the connection");
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn the_address_of_the_client_comes_with_the_request() {
        let peer =
            |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
        let server = server(Router::new().route("/", get(peer)), PATIENT).await;
        let words = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let answer = talk(server.address, words).await;
        let expected = IpAddr::from([127, 0, 0, 1]).to_string();
        assert!(answer.ends_with(&expected), "{answer}");
    }

    /// Nothing, half a request, half of the words that HTTP/2 begins with, and nothing after a request.
    #[tokio::test]
    async fn clients_that_send_no_whole_request_are_left() {
        let patience = Patience {
            head: SHORT,
            ..PATIENT
        };
        let server = server(hello(), patience).await;
        for words in [&b""[..], b"GET / HTTP/1.1\r\nA:", b"PRI * HT"] {
            talk(server.address, words).await;
        }
        let answer = talk(server.address, REQUEST).await;
        assert!(answer.contains("hello"), "{answer}");
    }

    #[tokio::test]
    async fn clients_that_take_no_data_are_left() {
        let patience = Patience {
            stalled: SHORT,
            ..PATIENT
        };
        let server = server(large(), patience).await;
        let mut client = TcpStream::connect(server.address).await.unwrap();
        client.write_all(REQUEST).await.unwrap();
        client.peek(&mut [0]).await.unwrap();
        server.stop.send(()).unwrap();
        // The only connection ends though its client reads nothing.
        timeout(LONG / 2, server.closed).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn closing_waits_for_answers_under_way() {
        let (asked, mut was_asked) = tokio::sync::mpsc::channel(1);
        let slow = move || async move {
            asked.send(()).await.unwrap();
            sleep(SHORT).await;
            "slow"
        };
        let server = server(Router::new().route("/", get(slow)), PATIENT).await;
        let answer = tokio::spawn(talk(server.address, REQUEST));
        was_asked.recv().await.unwrap();
        server.stop.send(()).unwrap();
        assert!(answer.await.unwrap().ends_with("slow"));
        timeout(LONG, server.closed).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn closing_does_not_wait_for_ever() {
        let patience = Patience {
            closing: SHORT,
            ..PATIENT
        };
        let (asked, mut was_asked) = tokio::sync::mpsc::channel(1);
        let never = move || async move {
            asked.send(()).await.unwrap();
            std::future::pending::<()>().await
        };
        let server = server(Router::new().route("/", get(never)), patience).await;
        let _answer = tokio::spawn(talk(server.address, REQUEST));
        was_asked.recv().await.unwrap();
        server.stop.send(()).unwrap();
        timeout(LONG, server.closed).await.unwrap().unwrap();
    }
}
