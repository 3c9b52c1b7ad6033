//! The processes that render, each with one document that stays open in it.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::outline::Outline;
use super::page::Part;
use super::process::Process;
use crate::decode::{DecodeError, PdfLimits};
use crate::input::Input;

/// How many there may be for each core: so half of them may keep documents that nobody asks for just now.
const PER_CORE: usize = 2;

/// Those of this process.
static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Pool::new(PER_CORE * cores)
});

/// A document that is rendered by processes.
pub struct Remote {
    pool: &'static Pool,
    /// Tells its processes from those of others.
    id: u64,
    input: Input,
    limits: PdfLimits,
    /// Pages that ended a process, and what they did to it.
    faults: Mutex<HashMap<usize, String>>,
}

struct Pool {
    most: usize,
    state: Mutex<State>,
    is_free: Condvar,
}

#[derive(Default)]
struct State {
    /// Those that work, too.
    count: usize,
    /// Those that wait, the one that has waited longest first.
    idle: Vec<(u64, Process)>,
}

impl Remote {
    /// # Errors
    /// As [`Process::open`].
    pub fn open(input: Input, limits: &PdfLimits) -> Result<(Self, Outline), DecodeError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let remote = Self {
            pool: &POOL,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            input,
            limits: *limits,
            faults: Mutex::default(),
        };
        remote.pool.make_room(remote.id, limits)?;
        let (process, outline) = remote.started()?;
        remote.pool.put(remote.id, process);
        Ok((remote, outline))
    }

    /// The samples of a part of a page.
    ///
    /// # Errors
    /// As [`Process::render`]. A page that ended a process does not end another one, whatever part of it is asked for.
    pub fn render(&self, part: &Part) -> Result<Vec<u8>, DecodeError> {
        self.check(part.page)?;
        let waiting = self.pool.make_room(self.id, &self.limits)?;
        // Others may have tried while this one waited.
        if let Err(fault) = self.check(part.page) {
            self.give_back(waiting);
            return Err(fault);
        }
        // One may have been killed while it waited: that says nothing of the document.
        let mut process = match waiting.and_then(|mut it| it.is_alive().then_some(it)) {
            Some(process) => process,
            None => self.started()?.0,
        };
        let rendered = process.render(part);
        if let Err(DecodeError::TooCostly { problem, .. }) = &rendered {
            self.faults().insert(part.page, problem.clone());
        }
        let is_usable = rendered.is_ok() || process.is_alive();
        self.give_back(is_usable.then_some(process));
        rendered
    }

    fn check(&self, page: usize) -> Result<(), DecodeError> {
        match self.faults().get(&page) {
            None => Ok(()),
            Some(problem) => Err(DecodeError::TooCostly {
                format: "PDF",
                problem: problem.clone(),
            }),
        }
    }

    fn faults(&self) -> MutexGuard<'_, HashMap<usize, String>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, process: Option<Process>) {
        match process {
            Some(process) => self.pool.put(self.id, process),
            None => self.pool.leave(),
        }
    }

    /// A process for which there is room already.
    fn started(&self) -> Result<(Process, Outline), DecodeError> {
        Process::open(&self.input, &self.limits).inspect_err(|_| self.pool.leave())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let ended = {
            let mut state = self.pool.state();
            let all = std::mem::take(&mut state.idle);
            let (ours, others): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|(id, _)| *id == self.id);
            state.idle = others;
            state.count -= ours.len();
            ours
        };
        if !ended.is_empty() {
            drop(ended);
            self.pool.is_free.notify_all();
        }
    }
}

impl Pool {
    fn new(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
            is_free: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A waiting process that has the document, or else room for a new one, which is counted already.
    ///
    /// # Errors
    /// [`DecodeError::Busy`] if all work, and go on working.
    fn make_room(&self, id: u64, limits: &PdfLimits) -> Result<Option<Process>, DecodeError> {
        let end = Instant::now() + Duration::from_secs(limits.seconds.into());
        let mut state = self.state();
        loop {
            if let Some(at) = state.idle.iter().rposition(|(of, _)| *of == id) {
                return Ok(Some(state.idle.remove(at).1));
            }
            if state.count < self.most {
                state.count += 1;
                return Ok(None);
            }
            if !state.idle.is_empty() {
                let longest = state.idle.remove(0);
                drop(state);
                drop(longest);
                return Ok(None);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(DecodeError::Busy("all processes that render PDF work"));
            }
            let waited = self.is_free.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn put(&self, id: u64, process: Process) {
        self.state().idle.push((id, process));
        self.is_free.notify_all();
    }

    /// One that was counted has ended, or was never started.
    fn leave(&self) {
        self.state().count -= 1;
        self.is_free.notify_all();
    }
}
