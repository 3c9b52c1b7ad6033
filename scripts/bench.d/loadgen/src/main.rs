//! Replays a list of requests against one HTTP/1.1 server and prints what came of it as one line of JSON.
//!
//!     loadgen --base http://127.0.0.1:8182/iiif/3 --requests FILE --clients 4 --passes 1 --seconds 20
//!
//! FILE holds one request a line: `path<TAB>width<TAB>height`, 0 and 0 for what is no picture; a fourth field names a file with
//! the very bytes that are to come. Each client is a thread with a connection that is kept. The run ends after so many passes
//! over the list (0: any number) or so many seconds; what is under way then is finished and counted. With `--mark LINE`, an
//! answer without this line in its head is a failure.

mod client;
mod outcome;
mod picture;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use client::Client;
use outcome::Outcome;

struct Request {
    path: String,
    wanted: Wanted,
}

/// What is to come.
#[derive(Default)]
struct Wanted {
    /// Width and height of the picture.
    size: Option<(u32, u32)>,
    bytes: Option<Vec<u8>>,
}

/// What all clients share.
struct Run {
    address: String,
    /// A line of the head.
    mark: String,
    requests: Vec<Request>,
    /// How many requests are sent at most.
    total: usize,
    /// The number of the next request.
    next: AtomicUsize,
    end: Instant,
}

impl Run {
    /// Takes requests until there are no more or the time is up.
    fn client(&self) -> Outcome {
        let mut client = Client::new(&self.address, &self.mark);
        let mut outcome = Outcome::default();
        while Instant::now() < self.end {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.total {
                break;
            }
            let request = &self.requests[number % self.requests.len()];
            let begin = Instant::now();
            let status = client.get(&request.path);
            let took = begin.elapsed();
            match judge(status, client.is_marked, &client.body, &request.wanted) {
                Ok(()) => outcome.count(took, client.body.len()),
                Err((kind, detail)) => outcome.fail(kind, format!("{} {detail}", request.path)),
            }
        }
        outcome
    }
}

/// Whether an answer is the wanted one: if not, the kind of failure and what was seen. A side may be off by one pixel,
/// because versions of the standard round in different ways.
fn judge(
    status: std::io::Result<u16>,
    is_marked: bool,
    body: &[u8],
    wanted: &Wanted,
) -> Result<(), (String, String)> {
    let status = status.map_err(|error| ("connection".into(), error.to_string()))?;
    if status != 200 {
        let text = String::from_utf8_lossy(body).chars().take(100).collect();
        return Err((format!("status {status}"), text));
    }
    if !is_marked {
        return Err(("not marked".into(), String::new()));
    }
    if wanted.bytes.as_ref().is_some_and(|bytes| bytes != body) {
        return Err(("other bytes".into(), format!("{}", body.len())));
    }
    let Some((width, height)) = wanted.size else {
        return Ok(());
    };
    match picture::dimensions(body) {
        None => Err((
            "not a whole picture".into(),
            format!("{} bytes", body.len()),
        )),
        Some((w, h)) if w.abs_diff(width) > 1 || h.abs_diff(height) > 1 => Err((
            "wrong dimensions".into(),
            format!("is {w}x{h}, not {width}x{height}"),
        )),
        Some(_) => Ok(()),
    }
}

fn main() {
    let options = options();
    let number = |name: &str| options[name].parse::<usize>().expect("a whole number");
    let (address, prefix) = split(&options["--base"]);
    let requests = read(&options["--requests"], &prefix);
    let listed = requests.len();
    let begin = Instant::now();
    let run = Run {
        address,
        mark: options.get("--mark").cloned().unwrap_or_default(),
        requests,
        total: match number("--passes") {
            0 => usize::MAX,
            passes => listed * passes,
        },
        next: AtomicUsize::new(0),
        end: begin + Duration::from_secs_f64(options["--seconds"].parse().expect("seconds")),
    };
    let outcome = thread::scope(|scope| {
        let clients: Vec<_> = (0..number("--clients"))
            .map(|_| scope.spawn(|| run.client()))
            .collect();
        let outcomes = clients
            .into_iter()
            .map(|client| client.join().expect("a client panicked"));
        outcomes.fold(Outcome::default(), Outcome::plus)
    });
    println!("{}", outcome.json(listed, begin.elapsed()));
}

/// The arguments: names and values in turn.
fn options() -> HashMap<String, String> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let pairs = arguments.chunks_exact(2);
    pairs
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect()
}

/// `http://HOST:PORT/PREFIX` as address and path.
fn split(base: &str) -> (String, String) {
    let rest = base
        .strip_prefix("http://")
        .expect("--base http://HOST:PORT/PREFIX");
    let (address, prefix) = rest.split_once('/').expect("a path after the port");
    (address.into(), format!("/{prefix}"))
}

fn read(file: &str, prefix: &str) -> Vec<Request> {
    let text = fs::read_to_string(file).expect("--requests FILE");
    text.lines().map(|line| parse(line, prefix)).collect()
}

fn parse(line: &str, prefix: &str) -> Request {
    let mut fields = line.split('\t');
    let path = format!("{prefix}/{}", fields.next().unwrap_or_default());
    let mut side = || {
        fields
            .next()
            .and_then(|text| text.parse().ok())
            .filter(|side| *side > 0)
    };
    let size = side().zip(side());
    let bytes = fields.next().map(|file| fs::read(file).expect("a file"));
    Request {
        path,
        wanted: Wanted { size, bytes },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 258x3 pixels.
    const JPEG: &[u8] = b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x03\x01\x02\x01\x01\x11\x00\xff\xd9";

    fn kind(status: u16, body: &[u8], size: Option<(u32, u32)>) -> Option<String> {
        let wanted = Wanted { size, bytes: None };
        judge(Ok(status), true, body, &wanted)
            .err()
            .map(|(kind, _)| kind)
    }

    #[test]
    fn a_side_may_be_off_by_one() {
        assert_eq!(kind(200, JPEG, Some((258, 3))), None);
        assert_eq!(kind(200, JPEG, Some((257, 4))), None);
    }

    #[test]
    fn other_dimensions_are_a_failure() {
        let wrong = Some("wrong dimensions".to_owned());
        assert_eq!(kind(200, JPEG, Some((256, 3))), wrong);
        assert_eq!(kind(200, JPEG, Some((258, 5))), wrong);
    }

    #[test]
    fn every_status_but_200_is_a_failure() {
        assert_eq!(kind(503, JPEG, None).as_deref(), Some("status 503"));
        assert_eq!(kind(302, b"", None).as_deref(), Some("status 302"));
    }

    #[test]
    fn what_is_no_picture_is_a_failure_where_one_is_wanted() {
        assert_eq!(kind(200, b"{}", None), None);
        let not_whole = Some("not a whole picture".to_owned());
        assert_eq!(kind(200, b"{}", Some((258, 3))), not_whole);
    }

    #[test]
    fn other_bytes_and_a_missing_mark_are_failures() {
        let bytes = Some(b"abc".to_vec());
        let wanted = Wanted { size: None, bytes };
        assert_eq!(judge(Ok(200), true, b"abc", &wanted), Ok(()));
        let kind = |failure: (String, String)| failure.0;
        let other = judge(Ok(200), true, b"abd", &wanted).map_err(kind);
        assert_eq!(other, Err("other bytes".into()));
        let unmarked = judge(Ok(200), false, b"abc", &wanted).map_err(kind);
        assert_eq!(unmarked, Err("not marked".into()));
    }
}
