//! Real PostgreSQL servers, started and stopped by tests.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// Whom Debian's package makes: the server refuses to run as root.
const USER: &str = "postgres";

/// A server on a port of this machine, that trusts everyone. It ends with this value, also if the test panics, and with the
/// thread that started it.
pub struct PostgresServer {
    folder: TempDir,
    pub port: u16,
    process: Option<Child>,
}

impl PostgresServer {
    pub fn start() -> Self {
        let mut server = Self {
            folder: TempDir::new().unwrap(),
            port: 0,
            process: None,
        };
        server.make_cluster();
        // Another process may take a free port before the server does.
        for _ in 0..5 {
            server.port = free_port();
            if server.try_to_start_again() {
                return server;
            }
        }
        panic!("postgres does not start: {}", server.log());
    }

    /// Of a new, empty database.
    pub fn new_database(&self, name: &str) -> String {
        let create = format!("CREATE DATABASE {name}");
        let port = self.port.to_string();
        let mut psql = Command::new("psql");
        psql.args([
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            USER,
            "-c",
            &create,
        ]);
        assert!(psql.status().unwrap().success());
        self.url(name)
    }

    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:unused@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Connections end at once, and new ones are refused.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            kill_process(Pid::from_child(&process), Signal::QUIT).unwrap();
            process.wait().unwrap();
        }
    }

    /// After [`stop`](Self::stop): on the same port, with its data.
    pub fn start_again(&mut self) {
        assert!(self.try_to_start_again(), "{}", self.log());
    }

    fn make_cluster(&self) {
        if getuid().is_root() {
            let id = |option| {
                let output = Command::new("id").args([option, USER]).output().unwrap();
                String::from_utf8(output.stdout)
                    .unwrap()
                    .trim()
                    .parse()
                    .unwrap()
            };
            chown(self.folder.path(), Some(id("-u")), Some(id("-g"))).unwrap();
        }
        let mut initdb = as_user(&program("initdb"));
        initdb.args([
            "--username",
            USER,
            "--auth",
            "trust",
            "--no-sync",
            "--locale",
            "C.UTF-8",
        ]);
        initdb.arg("--pgdata").arg(self.data()).current_dir("/");
        let output = initdb.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn try_to_start_again(&mut self) -> bool {
        let port = self.port.to_string();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_file());
        let mut server = as_user(&program("postgres"));
        server
            .arg("-D")
            .arg(self.data())
            .args(["-F", "-h", "127.0.0.1", "-p", &port]);
        server.arg("-k").arg(self.folder.path()).current_dir("/");
        server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap());
        self.process = Some(server.spawn().unwrap());
        let start = Instant::now();
        while !self.has_ended() && !self.answers() {
            assert!(start.elapsed() < PATIENCE, "{}", self.log());
            sleep(Duration::from_millis(20));
        }
        !self.has_ended()
    }

    fn answers(&self) -> bool {
        let port = self.port.to_string();
        let ready = || {
            Command::new(program("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status()
        };
        TcpStream::connect(("127.0.0.1", self.port)).is_ok() && ready().unwrap().success()
    }

    fn has_ended(&mut self) -> bool {
        let process = self.process.as_mut().expect("started");
        process.try_wait().unwrap().is_some()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Debian keeps a folder for each version; the newest is taken.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("scripts/test installs postgresql");
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("bin").join(name).exists())
        .max_by_key(|path| number(path));
    newest
        .expect("scripts/test installs postgresql")
        .join("bin")
        .join(name)
}

fn as_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if getuid().is_root() {
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    }
    command.args(["--pdeathsig", "QUIT"]).arg(program);
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
