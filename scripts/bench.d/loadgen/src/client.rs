//! One HTTP/1.1 connection that is kept.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(180);
/// Bytes of the read buffer; bodies that are larger go past it.
const BUFFER: usize = 64 << 10;

pub struct Client {
    address: String,
    stream: Option<BufReader<TcpStream>>,
    /// A line that is looked for in the heads of answers; the case does not count.
    mark: String,
    /// The body of the last answer.
    pub body: Vec<u8>,
    /// Whether its head had the line.
    pub is_marked: bool,
}

/// What the head of an answer says.
#[derive(Default)]
struct Head {
    status: u16,
    length: Option<usize>,
    chunked: bool,
    close: bool,
    is_marked: bool,
}

impl Client {
    pub fn new(address: &str, mark: &str) -> Self {
        Self {
            address: address.into(),
            stream: None,
            mark: mark.into(),
            body: Vec::new(),
            is_marked: false,
        }
    }

    /// Asks for a path and returns the status.
    pub fn get(&mut self, path: &str) -> Result<u16> {
        self.body.clear();
        if let Some(stream) = self.stream.take() {
            match self.exchange(stream, path) {
                // The server had closed the connection meanwhile: it may, and then one connects anew.
                Err(error) if self.body.is_empty() && is_closed(&error) => {}
                answered => return answered,
            }
        }
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.exchange(BufReader::with_capacity(BUFFER, stream), path)
    }

    fn exchange(&mut self, mut stream: BufReader<TcpStream>, path: &str) -> Result<u16> {
        let address = &self.address;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes())?;
        let head = Head::read(&mut stream, &self.mark)?;
        if head.chunked {
            read_chunks(&mut stream, &mut self.body)?;
        } else if let Some(length) = head.length {
            self.body.resize(length, 0);
            stream.read_exact(&mut self.body)?;
        } else {
            stream.read_to_end(&mut self.body)?;
        }
        if !head.close {
            self.stream = Some(stream);
        }
        self.is_marked = head.is_marked;
        Ok(head.status)
    }
}

impl Head {
    fn read(stream: &mut impl BufRead, mark: &str) -> Result<Self> {
        let mut line = String::new();
        next_line(stream, &mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut head = Self {
            status: status.ok_or_else(|| invalid("no status"))?,
            close: line.starts_with("HTTP/1.0"),
            is_marked: mark.is_empty(),
            ..Self::default()
        };
        loop {
            next_line(stream, &mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                return Ok(head);
            }
            head.is_marked |= line.eq_ignore_ascii_case(mark);
            if let Some((name, value)) = line.split_once(':') {
                head.field(name, value.trim());
            }
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        let is = |known| name.eq_ignore_ascii_case(known);
        if is("content-length") {
            self.length = value.parse().ok();
        } else if is("transfer-encoding") {
            self.chunked = value.to_ascii_lowercase().contains("chunked");
        } else if is("connection") {
            self.close = value.to_ascii_lowercase().contains("close");
        }
    }
}

fn read_chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> Result<()> {
    loop {
        let size = line(stream)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| invalid("size of a chunk"))?;
        let read = stream.by_ref().take(size as u64).read_to_end(body)?;
        if read < size {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        line(stream)?;
        if size == 0 {
            return Ok(());
        }
    }
}

/// A line without its end.
fn line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    next_line(stream, &mut line)?;
    Ok(line.trim_end().into())
}

/// A line in place of the one before.
fn next_line(stream: &mut impl BufRead, line: &mut String) -> Result<()> {
    line.clear();
    match stream.read_line(line)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

fn is_closed(error: &Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    [
        BrokenPipe,
        ConnectionAborted,
        ConnectionReset,
        UnexpectedEof,
    ]
    .contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// A server that answers one connection after the other, each with all of its answers, and then closes it.
    fn serve(connections: Vec<Vec<&'static str>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for answers in connections {
                let mut stream = BufReader::new(listener.accept().unwrap().0);
                for answer in answers {
                    while !line(&mut stream).unwrap().is_empty() {}
                    stream.get_mut().write_all(answer.as_bytes()).unwrap();
                }
            }
        });
        address
    }

    #[test]
    fn bodies_with_a_length_and_in_chunks_are_read_on_one_connection() {
        let address = serve(vec![vec![
            "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1;x=y\r\nf\r\n0\r\n\r\n",
        ]]);
        let mut client = Client::new(&address, "");
        assert_eq!(
            (client.get("/").unwrap(), &*client.body),
            (404, &b"abc"[..])
        );
        assert_eq!(
            (client.get("/").unwrap(), &*client.body),
            (200, &b"def"[..])
        );
    }

    #[test]
    fn a_kept_connection_that_was_closed_is_no_failure() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let mut client = Client::new(&serve(vec![vec![answer], vec![answer]]), "");
        assert_eq!(client.get("/").unwrap(), 200);
        assert_eq!(client.get("/").unwrap(), 200);
    }

    #[test]
    fn a_body_that_is_cut_short_is_a_failure() {
        let address = serve(vec![vec![
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        ]]);
        assert!(Client::new(&address, "").get("/").is_err());
    }

    #[test]
    fn a_mark_is_a_whole_line_of_the_head() {
        let address = serve(vec![vec![
            "HTTP/1.1 200 OK\r\ncache-status: a; Hit\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nCache-Status: a; hit; old\r\nContent-Length: 0\r\n\r\n",
        ]]);
        let mut client = Client::new(&address, "Cache-Status: a; hit");
        assert!(client.get("/").is_ok() && client.is_marked);
        assert!(client.get("/").is_ok() && !client.is_marked);
    }
}
