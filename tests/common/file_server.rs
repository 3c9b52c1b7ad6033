//! A small HTTP server with files, which answers some requests otherwise if it is told to. It writes what it is told, byte by byte: a
//! server library would not lie.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use percent_encoding::percent_decode_str;

/// What it says of its files.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub has_ranges: bool,
    pub tags: Tags,
    pub has_dates: bool,
    pub has_lengths: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    Strong,
    Weak,
    None,
}

impl Manner {
    pub const USUAL: Self = Self {
        has_ranges: true,
        tags: Tags::Strong,
        has_dates: true,
        has_lengths: true,
    };
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// As it was sent.
    pub target: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Between the first byte of the body and its last.
    pub takes: Duration,
    pub end: End,
}

/// What happens after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Keep,
    Close,
    /// Nothing, and the connection stays.
    Hang,
}

pub type Fault = Box<dyn FnOnce(Reply) -> Reply + Send>;

/// It ends with this value.
pub struct FileServer {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    manner: Manner,
    files: Mutex<BTreeMap<String, File>>,
    faults: Mutex<VecDeque<Fault>>,
    requests: Mutex<Vec<Request>>,
    bytes: AtomicUsize,
    /// Requests that are being answered, and the most that ever were.
    under_way: AtomicUsize,
    busiest: AtomicUsize,
    is_over: AtomicBool,
    puts: AtomicUsize,
}

#[derive(Clone)]
struct File {
    bytes: Vec<u8>,
    number: usize,
}

impl FileServer {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            manner,
            files: Mutex::default(),
            faults: Mutex::default(),
            requests: Mutex::default(),
            bytes: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            busiest: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            puts: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || serve(&listener, &serving));
        Self { shared, address }
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// `path` as it is meant, with its slash.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        let number = self.shared.puts.fetch_add(1, Ordering::Relaxed);
        let bytes = bytes.to_vec();
        let file = File { bytes, number };
        self.shared
            .files
            .lock()
            .unwrap()
            .insert(path.to_owned(), file);
    }

    pub fn remove(&self, path: &str) {
        self.shared.files.lock().unwrap().remove(path);
    }

    /// The next request that has none yet gets what this makes of the right reply.
    pub fn then(&self, fault: impl FnOnce(Reply) -> Reply + Send + 'static) {
        self.shared
            .faults
            .lock()
            .unwrap()
            .push_back(Box::new(fault));
    }

    /// What was to be answered otherwise is not any more.
    pub fn recover(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// All requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.requests.lock().unwrap())
    }

    /// The most requests that were ever answered at once.
    pub fn busiest(&self) -> usize {
        self.shared.busiest.load(Ordering::Relaxed)
    }

    /// Bytes of bodies that were sent since the last call.
    pub fn bytes(&self) -> usize {
        self.shared.bytes.swap(0, Ordering::Relaxed)
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes it up.
        let _ = TcpStream::connect(self.address);
    }
}

impl Reply {
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            takes: Duration::ZERO,
            end: End::Keep,
        }
    }

    /// No answer at all.
    pub fn nothing(end: End) -> Self {
        Self {
            end,
            ..Self::new(0)
        }
    }

    /// A status without a body.
    pub fn bare(status: u16) -> Self {
        Self::new(status).with("content-length", "0")
    }

    /// With this header instead of one of the same name.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self = self.without(name);
        self.headers.push((name, value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(found, _)| *found != name);
        self
    }

    /// Which takes so long to come.
    pub fn slowly(mut self, takes: Duration) -> Self {
        self.takes = takes;
        self
    }

    /// With the first bytes of the body only, and this end.
    pub fn cut(mut self, length: usize, end: End) -> Self {
        self.body.truncate(length);
        self.end = end;
        self
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming() {
        if shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        let Ok(connection) = connection else { continue };
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // Clients leave when they want.
            let _ = converse(&connection, &shared);
        });
    }
}

fn converse(connection: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(request) = read_request(&mut reader)? {
        shared.requests.lock().unwrap().push(request.clone());
        let now = shared.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        shared.busiest.fetch_max(now, Ordering::Relaxed);
        let mut reply = shared.reply(&request);
        let fault = shared.faults.lock().unwrap().pop_front();
        if let Some(fault) = fault {
            reply = fault(reply);
        }
        shared.under_way.fetch_sub(1, Ordering::Relaxed);
        shared.send(connection, &reply)?;
        match reply.end {
            End::Keep => {}
            End::Close => return Ok(()),
            End::Hang => {
                while !shared.is_over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(20));
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    Ok(Some(Request {
        method,
        target,
        headers,
    }))
}

impl Shared {
    /// A reply of status 0 is [none](Reply::nothing).
    fn send(&self, mut connection: &TcpStream, reply: &Reply) -> io::Result<()> {
        if reply.status == 0 {
            return Ok(());
        }
        let mut head = format!("HTTP/1.1 {} Told\r\n", reply.status);
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        self.bytes.fetch_add(reply.body.len(), Ordering::Relaxed);
        connection.write_all(head.as_bytes())?;
        let pieces = if reply.takes.is_zero() { 1 } else { 50 };
        for piece in reply.body.chunks(reply.body.len().div_ceil(pieces).max(1)) {
            connection.write_all(piece)?;
            thread::sleep(reply.takes / 50);
        }
        Ok(())
    }

    fn reply(&self, request: &Request) -> Reply {
        let path = percent_decode_str(&request.target).decode_utf8().unwrap();
        let file = self.files.lock().unwrap().get(&*path).cloned();
        let Some(file) = file else {
            return Reply::new(404).with("content-length", "0");
        };
        let tag = match self.manner.tags {
            Tags::Strong => Some(format!("\"{}\"", file.number)),
            Tags::Weak => Some(format!("W/\"{}\"", file.number)),
            Tags::None => None,
        };
        let mut reply = self.body(request, &file, tag.as_deref());
        if let Some(tag) = tag {
            reply = reply.with("etag", tag);
        }
        if self.manner.has_dates {
            let date = UNIX_EPOCH + Duration::from_secs(file.number as u64);
            reply = reply.with("last-modified", httpdate::fmt_http_date(date));
        }
        reply
    }

    fn body(&self, request: &Request, file: &File, tag: Option<&str>) -> Reply {
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        if header("if-match").is_some_and(|wanted| Some(wanted) != tag) {
            return Reply::new(412).with("content-length", "0");
        }
        if header("if-none-match").is_some_and(|known| Some(known) == tag) {
            return Reply::new(304);
        }
        let size = file.bytes.len();
        let range = header("range").filter(|_| self.manner.has_ranges);
        let Some((first, last)) = range.and_then(parse_range) else {
            return self.whole(file);
        };
        if first >= size {
            let reply = Reply::new(416).with("content-length", "0");
            return reply.with("content-range", format!("bytes */{size}"));
        }
        let last = last.min(size - 1);
        let mut reply = Reply::new(206).with("content-length", (last + 1 - first).to_string());
        reply.body = file.bytes[first..=last].to_vec();
        reply.with("content-range", format!("bytes {first}-{last}/{size}"))
    }

    fn whole(&self, file: &File) -> Reply {
        let mut reply = Reply::new(200);
        reply.body.clone_from(&file.bytes);
        if self.manner.has_lengths {
            return reply.with("content-length", file.bytes.len().to_string());
        }
        reply.end = End::Close;
        reply.with("connection", "close")
    }
}

fn parse_range(text: &str) -> Option<(usize, usize)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}
