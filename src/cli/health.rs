//! `azulejo health`: for the health check of a container, which has no `curl`.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use clap::Args;

use super::settings::{ConfigFile, reachable};
use super::{Outcome, Usage, print};
use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(5);
/// Enough for the status line, which is all that counts.
const ENOUGH: u64 = 512;

/// Ask a running server whether it is alive
#[derive(Args)]
pub struct Health {
    /// What to ask; without it /health/live at the configured address
    url: Option<String>,

    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, thiserror::Error)]
enum Ill {
    #[error("{host} cannot be reached")]
    Unreachable { host: String, source: io::Error },
    #[error("{host} answered {answer:?}")]
    Status { host: String, answer: String },
}

impl Health {
    pub fn run(&self) -> Outcome {
        let target = match &self.url {
            Some(url) => Target::of_url(url)?,
            None => Target::of_server(Config::load(&self.file.layers())?.config.server.listen),
        };
        ask(&target)?;
        print("The server is alive.\n")
    }
}

#[derive(Debug, PartialEq)]
struct Target {
    /// With the port.
    host: String,
    path: String,
}

impl Target {
    fn of_server(listen: SocketAddr) -> Self {
        Self {
            host: reachable(listen).to_string(),
            path: "/health/live".to_owned(),
        }
    }

    fn of_url(url: &str) -> Result<Self, Usage> {
        let wrong = || {
            Usage(format!(
                "{url:?} is not an http URL: TLS ends at the proxy, ask the server itself"
            ))
        };
        let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, "health/live"));
        if host.is_empty() || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong());
        }
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Ok(Self {
            host: if has_port {
                host.to_owned()
            } else {
                format!("{host}:80")
            },
            path: format!("/{path}"),
        })
    }
}

fn ask(target: &Target) -> Result<(), Ill> {
    let host = target.host.clone();
    match status_line(target) {
        Ok(answer) if answer.split(' ').nth(1) == Some("200") => Ok(()),
        Ok(answer) => Err(Ill::Status { host, answer }),
        Err(source) => Err(Ill::Unreachable { host, source }),
    }
}

fn status_line(target: &Target) -> io::Result<String> {
    let mut stream = connect(&target.host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Target { host, path } = target;
    // Written at once: a server that answers after the first part would break the connection.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ENOUGH).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

/// A name can have several addresses, not all of them listened on.
fn connect(host: &str) -> io::Result<TcpStream> {
    let mut result = Err(io::Error::from(io::ErrorKind::NotFound));
    for address in host.to_socket_addrs()? {
        result = TcpStream::connect_timeout(&address, PATIENCE);
        if result.is_ok() {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn target(host: &str, path: &str) -> Target {
        Target {
            host: host.to_owned(),
            path: path.to_owned(),
        }
    }

    #[test]
    fn a_url_has_a_port_and_a_path() {
        let of = |url| Target::of_url(url).unwrap();
        assert_eq!(of("http://a:1/x/y"), target("a:1", "/x/y"));
        assert_eq!(of("http://a"), target("a:80", "/health/live"));
        assert_eq!(of("http://[::1]"), target("[::1]:80", "/health/live"));
        for wrong in [
            "a:1",
            "https://a/",
            "http:///x",
            "http://a/x y",
            "http://a/\r\nb",
        ] {
            assert!(Target::of_url(wrong).is_err(), "{wrong}");
        }
    }

    /// Answers one request with this text and gives back what was asked.
    fn served(answer: &'static str) -> (Target, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target::of_server(listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut request = [0; 200];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (target, server)
    }

    #[test]
    fn only_200_is_healthy() {
        let (target, server) = served("HTTP/1.1 200 OK\r\n\r\nfine");
        assert!(ask(&target).is_ok());
        assert!(
            server
                .join()
                .unwrap()
                .starts_with("GET /health/live HTTP/1.1\r\n")
        );

        let (target, server) = served("HTTP/1.1 503 Service Unavailable\r\n\r\n");
        let error = ask(&target).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("answered \"HTTP/1.1 503 Service Unavailable\""),
            "{error}"
        );
        server.join().unwrap();
    }

    #[test]
    fn nobody_there_is_not_healthy() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target::of_server(listener.local_addr().unwrap());
        drop(listener);
        assert!(matches!(ask(&target), Err(Ill::Unreachable { .. })));
    }
}
