//! One process that renders, as the server sees it.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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
        let opened: Opened =
            process.ask(|socket| wire::receive_long(socket, wire::longest(limits.pages)))?;
        Ok((process, opened?))
    }

    /// The samples of a part of a page.
    ///
    /// # Errors
    /// If it cannot be rendered. After what the process itself tells it can be used again ([`Self::is_alive`]).
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
        let before = self.worked();
        let mut timed = Timed {
            socket: &self.socket,
            end: Instant::now() + Duration::from_secs(self.seconds.into()),
        };
        exchange(&mut timed).map_err(|error| self.fault(&error, before))
    }

    /// Why there is no answer. It is killed, so that it does not go on with what nobody waits for.
    fn fault(&mut self, error: &io::Error, worked_before: Duration) -> DecodeError {
        let is_late = matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        );
        let worked = self.worked().saturating_sub(worked_before);
        let status = if is_late { None } else { self.ended() };
        let _ = self.child.kill();
        let _ = self.child.wait();
        tracing::debug!(%error, ?status, ?worked, "a process that renders PDF has ended");
        if is_late {
            return late(self.seconds, worked);
        }
        dead(status)
    }

    /// How it ended by itself. `None` if it does not: it may have closed its socket a moment before it ends.
    fn ended(&mut self) -> Option<ExitStatus> {
        const LOOKS: usize = 100;
        for _ in 0..LOOKS {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// Time of processors that it has used (proc_pid_stat(5)); nothing where that is not known.
    fn worked(&self) -> Duration {
        let state = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        state.map_or(Duration::ZERO, |state| used(&state))
    }
}

/// In user space and in the kernel: the fourteenth and fifteenth field, in hundredths of a second. The second, in parentheses, is a name
/// that may have spaces.
fn used(state: &str) -> Duration {
    let after_name = state.rsplit_once(") ").map_or("", |(_, after)| after);
    let ticks = after_name.split(' ').skip(11).take(2);
    let sum: u64 = ticks.filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(sum * 10)
}

/// It did not answer within the seconds that it has. If it hardly worked in them, others kept it from working.
fn late(seconds: u32, worked: Duration) -> DecodeError {
    const SHARE: u32 = 4;
    if worked < Duration::from_secs(seconds.into()) / SHARE {
        return DecodeError::Busy("a process that renders PDF got no time");
    }
    too_costly(format!("it takes longer than {seconds} seconds to render"))
}

/// It ended itself. What kills a process that is in nobody's way is the kernel, when the machine has no memory left.
fn dead(status: Option<ExitStatus>) -> DecodeError {
    const KILL: i32 = 9;
    if status.and_then(|status| status.signal()) == Some(KILL) {
        return DecodeError::Busy("a process that renders PDF was killed");
    }
    too_costly("it needs more memory than allowed, or breaks the renderer".to_owned())
}

fn too_costly(problem: String) -> DecodeError {
    DecodeError::TooCostly {
        format: "PDF",
        problem,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn is_busy(error: &DecodeError) -> bool {
        matches!(error, DecodeError::Busy(_))
    }

    fn is_costly(error: &DecodeError) -> bool {
        matches!(error, DecodeError::TooCostly { .. })
    }

    /// What the machine does is not what the document does.
    #[test]
    fn only_who_has_worked_is_too_slow() {
        assert!(is_busy(&late(20, Duration::from_secs(4))));
        assert!(is_costly(&late(20, Duration::from_secs(6))));
    }

    #[test]
    fn what_others_kill_is_not_broken() {
        let ended_by = |signal| dead(Some(ExitStatus::from_raw(signal)));
        assert!(is_busy(&ended_by(9)));
        assert!(is_costly(&ended_by(6)), "no memory, no stack");
        assert!(is_costly(&ended_by(24)), "its own limit of time");
        assert!(is_costly(&dead(None)));
    }

    #[test]
    fn the_time_of_processors_is_told_from_the_state() {
        let state = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 9";
        assert_eq!(used(state), Duration::from_secs(3));
        assert_eq!(used(""), Duration::ZERO);
        let own = fs::read_to_string("/proc/self/stat").unwrap();
        assert!(used(&own) < Duration::from_secs(86_400));
    }
}
