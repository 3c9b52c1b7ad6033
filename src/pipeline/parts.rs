//! Files that are sent as they are, part by part: none is ever in memory as a whole.

use std::sync::Arc;

use bytes::Bytes;

use super::{Pipeline, Prepared};
use crate::decode::{DecodeError, Decoder};
use crate::error::{Error, cause};
use crate::iiif::Identifier;
use crate::input::{Input, read_up_to};
use crate::route::Far;
use crate::source::SourceError;
use crate::work::Cancelled;

/// Bytes that are read at one time, for each who is sent a file.
const PART: usize = 256 << 10;

/// An opened file that is sent as it is.
pub struct WholeFile {
    identifier: Identifier,
    input: Input,
    /// Who is asked for its bytes, if they are not here.
    far: Option<Far>,
}

impl WholeFile {
    pub(super) fn new(identifier: Identifier, input: Input, far: Option<Far>) -> Self {
        Self {
            identifier,
            input,
            far,
        }
    }

    /// In bytes.
    pub fn size(&self) -> u64 {
        self.input.size()
    }

    /// The bytes from an offset, if they lie in memory.
    fn part_at_once(&self, offset: u64) -> Option<Bytes> {
        let left = usize::try_from(self.size().saturating_sub(offset));
        let mut part = vec![0; left.map_or(PART, |left| left.min(PART))];
        let is_read = self.input.read_at_once(&mut part, offset);
        is_read.then(|| Bytes::from(part))
    }

    /// Who is sent bytes of two states would take them for one.
    fn check_state(&self) -> Result<(), Error> {
        if self.input.is_unchanged() {
            return Ok(());
        }
        Err(Error::SourceUnavailable {
            identifier: self.identifier.clone(),
            cause: cause(SourceError::Replaced(self.identifier.to_string())),
        })
    }
}

impl Pipeline {
    /// The next bytes from an offset. Empty at the end.
    ///
    /// # Errors
    /// If they cannot be read, or somebody has written to the file since it was opened.
    pub async fn part(&self, file: &WholeFile, offset: u64) -> Result<Bytes, Error> {
        let part = match file.part_at_once(offset) {
            Some(part) => part,
            None => self.part_from_disk(file, offset).await?,
        };
        file.check_state()?;
        Ok(part)
    }

    /// Also if its disk is far.
    async fn part_from_disk(&self, file: &WholeFile, offset: u64) -> Result<Bytes, Error> {
        let (input, identifier) = (Arc::clone(&file.input), file.identifier.clone());
        let read = move |_: &Cancelled| {
            let part = read_up_to(&*input, offset, PART);
            let part =
                part.map_err(|error| Error::decoding(&identifier, DecodeError::Io(error)))?;
            Ok(Bytes::from(part))
        };
        self.read_of(file.far, read).await
    }

    /// The file of an image, if it is the answer as it is.
    ///
    /// # Errors
    /// If somebody is writing to it.
    pub(super) async fn whole_file(
        &self,
        prepared: &Prepared,
        decoder: Arc<dyn Decoder>,
    ) -> Result<Option<WholeFile>, Error> {
        if !prepared.may_be_file {
            return Ok(None);
        }
        let (identifier, window) = (prepared.request.identifier.clone(), prepared.plan.window);
        let look = move |_: &Cancelled| {
            let file = decoder.file(&window);
            let file = file.map(|input| WholeFile::new(identifier, input, None));
            file.iter().try_for_each(WholeFile::check_state)?;
            Ok(file)
        };
        self.read_here(look).await
    }
}
