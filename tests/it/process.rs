//! A real server, as a process of its own with real connections.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use crate::server::fixtures;

const PROGRAM: &str = env!("CARGO_BIN_EXE_azulejo");

/// A server over the fixtures; ended when it is dropped.
pub struct Process {
    child: Child,
    log: Option<JoinHandle<String>>,
    /// What it says at the start, line by line.
    said: Vec<String>,
}

impl Process {
    /// With these variables of the environment. The server says where it listens when it does. It ends with the thread that
    /// starts it, if that does not end it.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        Self::over(&fixtures("images"), variables)
    }

    /// The same over another directory.
    pub fn over(root: &Path, variables: &[(&str, &str)]) -> Self {
        let is_metrics = |(name, _): &(&str, &str)| *name == "AZULEJO_ADMIN__LISTEN";
        let lines = 3 + usize::from(variables.iter().any(is_metrics));
        let mut command = serve();
        command.arg(root).envs(variables.iter().copied());
        Self::run(command, lines)
    }

    /// With a configuration that leads to no directory of images.
    pub fn configured(file: &str) -> Self {
        let mut command = serve();
        command.args(["--config", file]);
        Self::run(command, 1)
    }

    /// It says so many lines when it has started.
    fn run(mut command: Command, expected: usize) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said: Vec<String> = lines.take(expected).map(Result::unwrap).collect();
        assert_eq!(said.len(), expected, "{said:?}");
        Self {
            child,
            log: Some(log),
            said,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        self.said[0]
            .strip_prefix("Azulejo listens on http://")
            .and_then(|rest| rest.strip_suffix('/'))
            .unwrap()
    }

    /// Host and port where only metrics are.
    pub fn metrics_address(&self) -> &str {
        self.said[3]
            .strip_prefix("  metrics:     http://")
            .and_then(|rest| rest.strip_suffix("/metrics"))
            .unwrap()
    }

    /// Ends it; all that it has logged.
    pub fn stop(mut self) -> String {
        self.kill();
        self.log.take().unwrap().join().unwrap()
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve() -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", PROGRAM])
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env_clear()
        .env("AZULEJO_PYRAMIDS__ENABLED", "false");
    command
}

/// The program, without settings of the one who runs the tests.
pub fn command() -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear();
    command
}

/// The status, the head and the body of an answer.
pub fn ask(address: &str, method: &str, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    send(address, method, path, headers, "")
}

/// The same for a request with a body.
pub fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = match body.len() {
        0 => String::new(),
        length => format!("Content-Length: {length}\r\n"),
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{length}{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("{path}: {}", String::from_utf8_lossy(&answer)));
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}
