//! The process that renders one document: what a hostile file can break is this process, and nothing else.
//!
//! It is another run of this program. It has no arguments and no files but the socket that is its standard input; the document comes over it.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use hayro::RenderCache;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::fault::Fault;
use super::page::{Parsed, Part};
use super::wire::{self, Open, Opened, Rendered};

/// Objects in objects are read by recursion; a document that needs more is taken for a trap.
const STACK: usize = 64 << 20;
/// Address space of the program itself: its code, its stacks, what its allocator reserves.
const PROGRAM: u64 = 512 << 20;
/// What the server allows is over first; this is for when there is no server any more.
const GRACE: Duration = Duration::from_secs(5);

/// Serves the socket that is the standard input until the other side closes it.
///
/// # Errors
/// If the other side is gone, or says what is not understood.
pub fn run() -> io::Result<()> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let thread = thread::Builder::new().stack_size(STACK);
    let served = thread.spawn(move || serve(UnixStream::from(socket)))?;
    served
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("rendering panicked")))
}

fn serve(mut socket: UnixStream) -> io::Result<()> {
    let open: Open = wire::receive(&mut socket)?;
    limit_memory(&open)?;
    limit_time(open.seconds)?;
    let mut bytes = Vec::new();
    let mut document = Read::by_ref(&mut socket).take(open.length);
    bytes.reserve_exact(usize::try_from(open.length).map_err(io::Error::other)?);
    document.read_to_end(&mut bytes)?;
    match Parsed::new(bytes, open.pages) {
        Err(fault) => wire::send(&mut socket, &Opened::Err(fault)),
        Ok(parsed) => {
            wire::send(&mut socket, &Opened::Ok(parsed.outline(open.scans)))?;
            render(&mut socket, &parsed, &open)
        }
    }
}

fn render(socket: &mut UnixStream, parsed: &Parsed, open: &Open) -> io::Result<()> {
    let mut cache = RenderCache::new();
    loop {
        let part: Part = wire::receive(socket)?;
        limit_time(open.seconds)?;
        answer(socket, parsed.render(&cache, &part))?;
        if resident() > open.length + open.memory / 4 {
            cache = RenderCache::new();
        }
    }
}

fn answer(socket: &mut UnixStream, rendered: Result<Vec<u8>, Fault>) -> io::Result<()> {
    match rendered {
        Err(fault) => wire::send(socket, &Rendered::Err(fault)),
        Ok(samples) => {
            wire::send(socket, &Rendered::Ok(()))?;
            io::Write::write_all(socket, &samples)
        }
    }
}

/// More than this cannot be allocated: the process ends.
fn limit_memory(open: &Open) -> io::Result<()> {
    let most = open
        .memory
        .saturating_add(open.length)
        .saturating_add(PROGRAM);
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    Ok(setrlimit(Resource::As, limit)?)
}

/// From now on it may work for so long, and then it ends, even if nobody waits for it.
fn limit_time(seconds: u32) -> io::Result<()> {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
    let most = u64::try_from(used).unwrap_or(0) + u64::from(seconds) + GRACE.as_secs();
    let limit = Rlimit {
        current: Some(most),
        maximum: None,
    };
    Ok(setrlimit(Resource::Cpu, limit)?)
}

/// Bytes of memory that the process has; nothing where that is not known.
fn resident() -> u64 {
    const PAGE: u64 = 4096;
    let state = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = state.split_whitespace().nth(1);
    pages.and_then(|pages| pages.parse().ok()).unwrap_or(0_u64) * PAGE
}
