//! PUSHING_TO_DLCS: a page as a file of its own.

use std::fs::File;
use std::sync::Arc;

use super::failure::of_building;
use super::pages::Opened;
use super::quiet::Unwanted;
use crate::decode::Limits;
use crate::page::Page;
use crate::pyramid;
use crate::queue::Failure;
use crate::work::Work;

/// A page and the file that its pyramid is written to.
pub struct Building {
    pub document: Arc<Opened>,
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
        let decoder = self.document.page(self.page)?;
        let stopped = || unwanted.is_set();
        let written = pyramid::write(&*decoder, self.file, &self.work, &self.limits, &stopped);
        written.map_err(|error| of_building(&error))
    }
}
