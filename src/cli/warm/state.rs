//! The file of finished URLs, one a line, by which a later run goes on where this one ended.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// What is finished; without a file, only in this run.
pub struct State {
    finished: HashSet<String>,
    file: Option<File>,
}

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{path} cannot be used")]
    Io { path: PathBuf, source: io::Error },
    #[error("{0} is in use by another run")]
    Locked(PathBuf),
    #[error("{0} is not the state of a run with these sizes and levels: give another file")]
    Foreign(PathBuf),
}

impl State {
    pub fn none() -> Self {
        Self {
            finished: HashSet::new(),
            file: None,
        }
    }

    /// Begins or continues a file. Its first line is `header`, which tells what an image is finished with.
    ///
    /// # Errors
    /// If the file cannot be read and written, is in use, or has another first line.
    pub fn open(path: &Path, header: &str) -> Result<Self, StateError> {
        let failed = |source| StateError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new();
        let file = file.read(true).append(true).create(true);
        let mut file = file.open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let header = format!("{header}\n");
        if bytes.is_empty() {
            file.write_all(header.as_bytes()).map_err(failed)?;
        } else if !bytes.starts_with(header.as_bytes()) {
            return Err(StateError::Foreign(path.to_owned()));
        }
        let whole = whole_lines(&bytes);
        if whole.len() < bytes.len() {
            file.set_len(whole.len() as u64).map_err(failed)?;
        }
        let text = String::from_utf8_lossy(whole);
        Ok(Self {
            finished: text.lines().skip(1).map(str::to_owned).collect(),
            file: Some(file),
        })
    }

    pub fn has(&self, url: &str) -> bool {
        self.finished.contains(url)
    }

    /// Each line is written at once: a run that is killed leaves whole lines, and at most the beginning of one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(&mut self, url: &str) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(format!("{url}\n").as_bytes())?;
        }
        Ok(())
    }
}

/// Without the beginning of a line that a killed run left.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    &bytes[..end.map_or(0, |end| end + 1)]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HEADER: &str = "azulejo warm: 2 levels";

    #[test]
    fn what_was_finished_is_known_to_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut state = State::open(&path, HEADER).unwrap();
        assert!(!state.has("http://a/1"));
        state.finish("http://a/1").unwrap();
        assert!(matches!(
            State::open(&path, HEADER),
            Err(StateError::Locked(_))
        ));
        drop(state);
        let mut state = State::open(&path, HEADER).unwrap();
        assert!(state.has("http://a/1") && !state.has(HEADER));
        state.finish("http://a/2").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{HEADER}\nhttp://a/1\nhttp://a/2\n"));
    }

    #[test]
    fn a_torn_line_is_as_if_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        fs::write(&path, format!("{HEADER}\nhttp://a/1\nhttp://a/2")).unwrap();
        let mut state = State::open(&path, HEADER).unwrap();
        assert!(state.has("http://a/1") && !state.has("http://a/2"));
        state.finish("http://a/3").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{HEADER}\nhttp://a/1\nhttp://a/3\n"));
    }

    #[test]
    fn another_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for other in [
            "{\"a\": 1}",
            "azulejo warm: 3 levels\nhttp://a/1\n",
            "azulejo",
        ] {
            fs::write(&path, other).unwrap();
            let state = State::open(&path, HEADER);
            assert!(matches!(state, Err(StateError::Foreign(_))), "{other}");
            assert_eq!(fs::read_to_string(&path).unwrap(), other);
        }
    }
}
