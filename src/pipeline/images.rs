//! From an identifier to an opened image.

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cache::Headers;
use crate::cache::report::Kept;
use crate::config::Config;
use crate::decode::{self, Decoder, Limits};
use crate::error::{Error, cause};
use crate::iiif::Identifier;
use crate::input::Input;
use crate::source::{Filesystem, Object, SourceError};

/// Where images are, and those that are open.
pub struct Images {
    pub filesystem: Filesystem,
    limits: Limits,
    headers: Headers,
}

/// An opened image.
pub struct Opened {
    pub object: Object,
    pub decoder: Arc<dyn Decoder>,
}

impl Opened {
    pub fn summary(&self, identifier: &Identifier) -> Value {
        json!({
            "identifier": identifier.as_str(),
            "source": { "location": self.object.location, "version": self.object.version },
            "header": self.decoder.header().summary(),
        })
    }
}

impl Images {
    pub fn new(config: &Config) -> io::Result<Self> {
        Ok(Self {
            filesystem: Filesystem::new(&config.source)?,
            limits: config.decode,
            headers: Headers::default(),
        })
    }

    /// The images that are open.
    pub fn headers(&self) -> Kept {
        self.headers.report()
    }

    pub fn find(&self, identifier: &Identifier) -> Result<Object, Error> {
        let found = self.filesystem.find(identifier);
        found.map_err(|error| not_found(identifier, error))
    }

    pub fn locate(&self, identifier: &Identifier) -> Result<(), Error> {
        self.find(identifier).map(drop)
    }

    /// Costs one look at the file if it is open already. One that is replaced just now is looked for again.
    pub fn open(&self, identifier: &Identifier) -> Result<Opened, Error> {
        const ATTEMPTS: usize = 3;
        let mut attempt = 1;
        loop {
            let object = self.find(identifier)?;
            if let Some(decoder) = self.headers.get(&object) {
                return Ok(Opened { object, decoder });
            }
            match self.filesystem.open(&object) {
                Ok(input) => return self.read_header(identifier, object, input),
                Err(SourceError::Replaced(_)) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(not_found(identifier, error)),
            }
        }
    }

    /// The same if it is open already and that can be told without waiting.
    pub fn open_at_once(&self, identifier: &Identifier) -> Option<Opened> {
        let object = self.filesystem.find_at_once(identifier)?;
        let decoder = self.headers.get(&object)?;
        Some(Opened { object, decoder })
    }

    fn read_header(
        &self,
        identifier: &Identifier,
        object: Object,
        input: Input,
    ) -> Result<Opened, Error> {
        let decoder = decode::open(input, &self.limits)
            .map_err(|error| Error::decoding(identifier, error))?;
        let decoder = self.headers.keep(&object, decoder);
        Ok(Opened { object, decoder })
    }
}

fn not_found(identifier: &Identifier, error: SourceError) -> Error {
    match error {
        SourceError::Unavailable(_) | SourceError::Replaced(_) => Error::SourceUnavailable {
            identifier: identifier.clone(),
            cause: cause(error),
        },
        absent => Error::NotFound(absent.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn images(root: &Path) -> Images {
        let mut config = Config::default();
        config.source.root = root.to_owned();
        Images::new(&config).unwrap()
    }

    fn opened(images: &Images) -> Arc<dyn Decoder> {
        let identifier = Identifier::new("a.png".to_owned()).unwrap();
        images.open(&identifier).ok().unwrap().decoder
    }

    /// Reads of this thread so far (proc_pid_io(5)); looking takes some itself.
    fn reads() -> u64 {
        let io = fs::read_to_string("/proc/thread-self/io").unwrap();
        let line = io.lines().find_map(|line| line.strip_prefix("syscr: "));
        line.unwrap().parse().unwrap()
    }

    fn reads_of(work: impl FnOnce()) -> u64 {
        let looking = {
            let before = reads();
            reads() - before
        };
        let before = reads();
        work();
        reads() - before - looking
    }

    #[test]
    fn opening_for_the_second_time_reads_nothing() {
        let images = images(Path::new("fixtures/images"));
        for name in [
            "sample-azulejo.tif",
            "sample-azulejo.jp2",
            "jpeg-420.jpg",
            "chart.png",
        ] {
            let identifier = Identifier::new(name.to_owned()).unwrap();
            let open = || reads_of(|| drop(images.open(&identifier).ok().unwrap()));
            assert_ne!(open(), 0, "{name}");
            assert_eq!(open(), 0, "{name}");
        }
    }

    #[test]
    fn an_image_is_opened_once_and_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        fs::copy("fixtures/images/chart.png", &file).unwrap();
        let images = images(folder.path());
        let first = opened(&images);
        assert!(
            Arc::ptr_eq(&first, &opened(&images)),
            "the same, so nothing was read"
        );
        fs::copy("fixtures/images/png-gray.png", &file).unwrap();
        assert!(!Arc::ptr_eq(&first, &opened(&images)));
        assert!(opened(&images).header().color.is_gray());
    }

    /// Another file of the same size and time.
    #[test]
    fn a_file_that_takes_the_place_of_another_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        let other = folder.path().join("b.png");
        fs::copy("fixtures/images/chart.png", &file).unwrap();
        fs::copy("fixtures/images/chart.png", &other).unwrap();
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        fs::File::options()
            .write(true)
            .open(&other)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        let images = images(folder.path());
        let first = opened(&images);
        fs::rename(&other, &file).unwrap();
        assert!(!Arc::ptr_eq(&first, &opened(&images)));
    }
}
