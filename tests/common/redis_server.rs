//! Real Redis servers, started and stopped by tests.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::{NamedTempFile, TempDir};

const PATIENCE: Duration = Duration::from_secs(60);

/// A `redis-server` on a port of this machine and on a socket. It ends with this value, also if the test panics, and with the
/// thread that started it.
pub struct RedisServer {
    folder: TempDir,
    file: Option<NamedTempFile>,
    pub port: u16,
    options: Vec<String>,
    process: Option<Child>,
}

impl RedisServer {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// One that watches over nothing yet. It keeps what it knows in its configuration file.
    pub fn sentinel() -> Self {
        let file = NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        let mut server = Self::with(&[&path, "--sentinel"]);
        server.file = Some(file);
        server
    }

    /// With options such as `["--maxmemory", "4mb"]`.
    pub fn with(options: &[&str]) -> Self {
        let mut server = Self {
            folder: TempDir::new().unwrap(),
            file: None,
            port: 0,
            options: options.iter().map(|&option| option.to_owned()).collect(),
            process: None,
        };
        // Another process may take a free port before the server does.
        for _ in 0..5 {
            server.port = free_port();
            if server.try_to_start_again() {
                return server;
            }
        }
        panic!("redis-server does not start: {}", server.log());
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// As it is after `SIGSTOP`: connections are made by the system, and nothing is answered.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// After [`kill`](Self::kill): on the same port, without data.
    pub fn start_again(&mut self) {
        assert!(self.try_to_start_again(), "{}", self.log());
    }

    /// What `redis-cli` prints for a command.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-s".as_ref(), self.socket().as_os_str()])
            .args(arguments)
            .output()
            .expect("scripts/test installs redis-server");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn try_to_start_again(&mut self) -> bool {
        let port = self.port.to_string();
        let mut server = Command::new("setpriv");
        server
            .args(["--pdeathsig", "KILL", "redis-server"])
            .args(&self.options);
        server.args(["--bind", "127.0.0.1", "--port", &port, "--save", ""]);
        server.args(["--unixsocket".as_ref(), self.socket().as_os_str()]);
        server.args(["--dir".as_ref(), self.folder.path().as_os_str()]);
        server.args(["--logfile", "log"]);
        server.stdin(Stdio::null()).stdout(Stdio::null());
        let process = server.spawn().expect("scripts/test installs redis-server");
        self.process = Some(process);
        eventually(|| self.has_ended() || self.listens());
        !self.has_ended()
    }

    fn listens(&self) -> bool {
        self.socket().exists() && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    fn has_ended(&mut self) -> bool {
        let process = self.process.as_mut().expect("started");
        process.try_wait().unwrap().is_some()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("it runs");
        kill_process(Pid::from_child(process), signal).unwrap();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until it is so.
pub fn eventually(mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "it does not happen");
        sleep(Duration::from_millis(10));
    }
}
