//! One process that renders, as the server sees it.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::outline::Outline;
use super::page::Part;
use super::wire::{self, Open, Opened, Rendered};
use crate::decode::{DecodeError, PdfLimits};
use crate::input::Input;

/// The argument by which this program becomes such a process.
pub const COMMAND: &str = "render-pdf";

/// Ends with this value.
pub struct Process {
    child: Child,
    socket: UnixStream,
    seconds: u32,
}

impl Process {
    /// Starts one and gives it the document.
    ///
    /// # Errors
    /// If the document cannot be read or rendered; [`DecodeError::Io`] if there can be no process.
    pub fn open(input: &Input, limits: &PdfLimits) -> Result<(Self, Outline), DecodeError> {
        let mut process = Self::start(limits.seconds)?;
        let open = Open {
            length: input.size(),
            pages: limits.pages,
            scans: limits.scans,
            memory: limits.memory,
            seconds: limits.seconds,
        };
        process.give(input, &open)?;
        let opened: Opened = process.ask(|socket| wire::receive(socket))?;
        Ok((process, opened?))
    }

    /// The samples of a part of a page.
    ///
    /// # Errors
    /// If it cannot be rendered. After [`Fault`]s the process can be used again ([`Self::is_alive`]).
    pub fn render(&mut self, part: &Part) -> Result<Vec<u8>, DecodeError> {
        self.ask(|socket| wire::send(socket, part))?;
        let rendered: Rendered = self.ask(|socket| wire::receive(socket))?;
        rendered?;
        let mut samples = vec![0; part.bytes()];
        self.ask(|socket| socket.read_exact(&mut samples))?;
        Ok(samples)
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn start(seconds: u32) -> io::Result<Self> {
        let (socket, other) = UnixStream::pair()?;
        // What runs is the program that was started, even if its file has been replaced by now.
        let child = Command::new("/proc/self/exe")
            .arg0("azulejo")
            .arg(COMMAND)
            .env_clear()
            .current_dir("/")
            // What a terminal sends to the server is not for it: it ends with what is under way.
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(other)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            child,
            socket,
            seconds,
        })
    }

    /// An input that fails is no fault of the document.
    fn give(&mut self, input: &Input, open: &Open) -> Result<(), DecodeError> {
        const PIECE: u64 = 1 << 20;
        self.ask(|socket| wire::send(socket, open))?;
        let mut piece = vec![0; usize::try_from(PIECE.min(open.length)).unwrap_or(0)];
        let mut given = 0;
        while given < open.length {
            let length = usize::try_from(PIECE.min(open.length - given)).unwrap_or(0);
            let piece = &mut piece[..length];
            input.read_exact_at(piece, given)?;
            self.ask(|socket| socket.write_all(piece))?;
            given += length as u64;
        }
        Ok(())
    }

    /// One exchange, which must be over in time.
    fn ask<T>(
        &mut self,
        exchange: impl FnOnce(&mut Timed<'_>) -> io::Result<T>,
    ) -> Result<T, DecodeError> {
        let mut timed = Timed {
            socket: &self.socket,
            end: Instant::now() + Duration::from_secs(self.seconds.into()),
        };
        exchange(&mut timed).map_err(|error| self.fault(&error).into())
    }

    /// Why there is no answer. It is killed, so that it does not go on with what nobody waits for.
    fn fault(&mut self, error: &io::Error) -> Fault {
        let is_late = matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        );
        let _ = self.child.kill();
        let status = self.child.wait();
        tracing::debug!(%error, ?status, "a process that renders PDF has ended");
        if is_late {
            return Fault::Broken(format!(
                "it takes longer than {} seconds to render",
                self.seconds
            ));
        }
        Fault::broken("it needs more memory than allowed, or breaks the renderer")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A socket that fails when the time is over.
struct Timed<'a> {
    socket: &'a UnixStream,
    end: Instant,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(Some(left))
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
