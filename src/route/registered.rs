//! The registry as one who knows where images are.

use std::io;

use super::authority::{Authority, Located};
use crate::page::Page;
use crate::registry::{Answer, Entry, Registry};
use crate::source::SourceError;
use crate::source::remote::runtime;

pub struct Registered(pub Registry);

impl Authority for Registered {
    fn ask(&self, key: &str) -> Result<Located, SourceError> {
        let asked = runtime::handle()?.block_on(self.0.find(key));
        match asked.map_err(io::Error::other)? {
            Answer::Found(entry) => Ok(located(entry)),
            Answer::Gone => Err(SourceError::Gone(key.to_owned())),
            Answer::Unknown => Err(SourceError::NotFound(key.to_owned())),
        }
    }

    /// Its copies live for seconds only.
    fn forget(&self, _: Option<&str>) {}

    fn ask_at_once(&self, key: &str) -> Option<Located> {
        match self.0.find_at_once(key)? {
            Answer::Found(entry) => Some(located(entry)),
            Answer::Gone | Answer::Unknown => None,
        }
    }
}

fn located(entry: Entry) -> Located {
    Located {
        location: entry.location,
        page: entry.page.and_then(Page::new),
    }
}
