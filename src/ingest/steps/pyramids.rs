//! PUSHING_TO_DLCS: a page as a file of its own.

use std::fs::File;

use super::failure::{of_building, of_content};
use super::quiet::Unwanted;
use crate::decode::{self, Limits};
use crate::input::Input;
use crate::page::Page;
use crate::pyramid;
use crate::queue::Failure;
use crate::work::Work;

/// A page and the file that its pyramid is written to.
pub struct Building {
    pub input: Input,
    pub page: Page,
    pub limits: Limits,
    /// Which has the memory for it.
    pub work: Work,
    pub file: File,
}

impl Building {
    /// # Errors
    /// If the page is broken or too large, or the file cannot be written.
    pub fn run(self, unwanted: &Unwanted) -> Result<(), Failure> {
        let decoder = decode::open_page(self.input, &self.limits, self.page);
        let decoder = decoder.map_err(|error| of_content(&error))?;
        let stopped = || unwanted.is_set();
        let written = pyramid::write(&*decoder, self.file, &self.work, &self.limits, &stopped);
        written.map_err(|error| of_building(&error))
    }
}
