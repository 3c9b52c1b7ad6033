//! From an identifier to an image whose header is known.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::headers;
use crate::cache::report::Kept;
use crate::cache::{CacheKey, EntryKey, Failures, Headers, Layers, Sightings};
use crate::config::Config;
use crate::decode::{self, DecodeError, Decoder, Document, Header, Limits, SourceFormat};
use crate::error::{Error, cause};
use crate::iiif::Identifier;
use crate::input::Input;
use crate::page::Page;
use crate::route::Routes;
use crate::source::{Object, SourceError, Stamp, is_replaced};

/// Where images are, those that are open, and what is known of others.
pub struct Images {
    pub routes: Routes,
    limits: Limits,
    /// [`Limits::tag`].
    tag: String,
    headers: Headers,
    layers: Layers,
    sightings: Sightings,
    failures: Failures<(EntryKey, Stamp), Error>,
}

/// An image that was found, and its header. It need not be open.
#[derive(Clone)]
pub struct Image {
    pub object: Object,
    known: Known,
}

#[derive(Clone)]
enum Known {
    Opened(Arc<dyn Decoder>),
    Closed(Arc<Header>),
}

impl Image {
    pub fn closed(object: Object, header: Header) -> Self {
        let known = Known::Closed(Arc::new(header));
        Self { object, known }
    }

    fn opened(object: Object, decoder: Arc<dyn Decoder>) -> Self {
        let known = Known::Opened(decoder);
        Self { object, known }
    }

    pub fn header(&self) -> &Header {
        match &self.known {
            Known::Opened(decoder) => decoder.header(),
            Known::Closed(header) => header,
        }
    }

    /// `None` if it is not open.
    pub fn decoder(&self) -> Option<&Arc<dyn Decoder>> {
        match &self.known {
            Known::Opened(decoder) => Some(decoder),
            Known::Closed(_) => None,
        }
    }

    pub fn summary(&self) -> Value {
        json!({
            "source": { "location": self.object.location, "version": self.object.version },
            "header": self.header().summary(),
        })
    }
}

/// Why an image could not be opened.
enum Closed {
    /// It is another one by now.
    Replaced(Error),
    Failed(Error),
}

/// What can be said of an image without waiting for another than its source.
pub enum Glance {
    Known(Image),
    /// Its header is to be asked for.
    Found(Object),
}

/// What came of opening an image.
pub enum Opening {
    Done(Image),
    /// It is a document, which may take long to open. The key is the same for all its pages.
    Document(EntryKey),
}

impl Images {
    pub fn new(config: &Config, routes: Routes, layers: Layers) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self {
            routes,
            limits: Limits {
                kept_bytes: config.cache.image_bytes(),
                ..config.decode
            },
            tag: config.decode.tag(),
            headers: Headers::new(config.cache.headers.0),
            layers,
            sightings: Sightings::new(seconds(config.cache.stale_ttl)),
            failures: Failures::new(seconds(config.cache.failure_ttl)),
        }
    }

    /// Closes images that nobody has asked for any more.
    pub fn close_unused(&self) {
        self.headers.close_unused();
    }

    /// Counts what was found out of an image while it was decoded.
    pub fn recount(&self, object: &Object) {
        self.headers.recount(object);
    }

    /// The images that are open.
    pub fn headers(&self) -> Kept {
        self.headers.report()
    }

    /// How often an image was looked up and its source could not be reached, so that the last answer was taken.
    pub fn stale(&self) -> u64 {
        self.sightings.stale()
    }

    pub fn find(&self, identifier: &Identifier) -> Result<Object, Error> {
        let found = self.routes.find(identifier);
        let found = self.or_last(identifier, found);
        let object = found.map_err(|error| not_found(identifier, error))?;
        let absent = || not_found(identifier, SourceError::NotFound(identifier.to_string()));
        page_of(identifier, object).ok_or_else(absent)
    }

    /// The same, if it can be told without waiting.
    pub fn find_at_once(&self, identifier: &Identifier) -> Option<Object> {
        let object = self.routes.find_at_once(identifier)?;
        let object = self.or_last(identifier, Ok(object)).ok()?;
        page_of(identifier, object)
    }

    fn or_last(
        &self,
        identifier: &Identifier,
        found: Result<Object, SourceError>,
    ) -> Result<Object, SourceError> {
        let may_be = |seen: &Object| self.routes.may_be(identifier, seen);
        self.sightings.or_last(identifier, found, may_be)
    }

    /// Costs one look at the file.
    pub fn glance(&self, identifier: &Identifier) -> Result<Glance, Error> {
        let object = self.find(identifier)?;
        Ok(match self.known(&object) {
            Some(known) => Glance::Known(Image { object, known }),
            None => Glance::Found(object),
        })
    }

    /// The image, if all that has to be known of it can be told without waiting.
    pub fn at_once(&self, identifier: &Identifier) -> Option<Image> {
        let object = self.find_at_once(identifier)?;
        let known = self.known(&object)?;
        Some(Image { object, known })
    }

    /// If it is open or its header lies in memory.
    fn known(&self, object: &Object) -> Option<Known> {
        if let Some(decoder) = self.headers.get(object) {
            return Some(Known::Opened(decoder));
        }
        let kept = self.layers.peek(&self.header_key(object))?;
        let header = headers::read(&kept.body)?;
        Some(Known::Closed(Arc::new(header)))
    }

    /// As [`Self::open_at_once`], and documents, too: on a thread that may be kept for as long as that takes.
    pub fn open(&self, identifier: &Identifier) -> Result<Image, Error> {
        match self.open_with(identifier, true)? {
            Opening::Done(image) => Ok(image),
            Opening::Document(_) => Err(Error::internal("a document that is not opened")),
        }
    }

    /// Costs one look at the file if it is open already, or could not be opened just now. One that is replaced just now is
    /// looked for again.
    pub fn open_at_once(&self, identifier: &Identifier) -> Result<Opening, Error> {
        self.open_with(identifier, false)
    }

    fn open_with(&self, identifier: &Identifier, documents: bool) -> Result<Opening, Error> {
        const ATTEMPTS: usize = 3;
        let mut attempt = 1;
        loop {
            let object = self.find(identifier)?;
            if let Some(decoder) = self.headers.get(&object) {
                return Ok(Opening::Done(Image::opened(object, decoder)));
            }
            for key in [self.header_key(&object), self.document_key(&object)] {
                if let Some(failure) = self.failure(key, &object, identifier) {
                    return Err(failure);
                }
            }
            match self.open_object(identifier, object, documents) {
                Err(Closed::Replaced(_)) if attempt < ATTEMPTS => attempt += 1,
                Err(Closed::Replaced(error) | Closed::Failed(error)) => return Err(error),
                Ok(opening) => return Ok(opening),
            }
        }
    }

    /// The bytes of the file of an image that was found.
    pub fn input(&self, identifier: &Identifier, object: &Object) -> Result<Input, Error> {
        let input = self.routes.open(object);
        input.map_err(|error| not_found(identifier, error))
    }

    /// The name of an image's header in the cache: how large the pages of a document are depends on the configuration.
    pub fn header_key(&self, object: &Object) -> EntryKey {
        headers::key(object, &self.tag)
    }

    /// Stands for a document that is opened for whichever page.
    fn document_key(&self, object: &Object) -> EntryKey {
        let EntryKey { image, entry } = self.header_key(&first_page(object));
        EntryKey {
            image,
            entry: CacheKey::new(&["document", &entry.to_string()]),
        }
    }

    fn open_object(
        &self,
        identifier: &Identifier,
        object: Object,
        documents: bool,
    ) -> Result<Opening, Closed> {
        if let Some(turned) = self.turned_to(&object) {
            return self.kept(identifier, object, turned).map(Opening::Done);
        }
        let input = self.routes.open(&object).map_err(|error| match error {
            SourceError::Replaced(_) => Closed::Replaced(not_found(identifier, error)),
            other => Closed::Failed(not_found(identifier, other)),
        })?;
        let key = self.header_key(&object);
        let failed = |error| self.failed(identifier, &object, key, error);
        let decoder = match decode::source_format(&*input).map_err(failed)? {
            SourceFormat::Pdf if !documents => {
                return Ok(Opening::Document(self.document_key(&object)));
            }
            SourceFormat::Pdf => self.page_of_document(identifier, &object, input)?,
            _ => decode::open_page(input, &self.limits, object.page),
        };
        self.kept(identifier, object, decoder).map(Opening::Done)
    }

    /// The page of a document that is open already.
    fn turned_to(&self, object: &Object) -> Option<Result<Box<dyn Decoder>, DecodeError>> {
        let first = self.headers.get(&first_page(object))?;
        first.turn_to(object.page)
    }

    /// Opens the document. All its pages are found by way of its first, even if the one that is asked for is not there.
    fn page_of_document(
        &self,
        identifier: &Identifier,
        object: &Object,
        input: Input,
    ) -> Result<Result<Box<dyn Decoder>, DecodeError>, Closed> {
        let document = Document::open(input, &self.limits)
            .map_err(|error| self.failed(identifier, object, self.document_key(object), error))?;
        let first = document.page(Page::FIRST).ok();
        let kept = first.map(|first| self.headers.keep(&first_page(object), first));
        let turned = kept.and_then(|kept| kept.turn_to(object.page));
        Ok(turned.unwrap_or_else(|| document.page(object.page)))
    }

    fn kept(
        &self,
        identifier: &Identifier,
        object: Object,
        decoder: Result<Box<dyn Decoder>, DecodeError>,
    ) -> Result<Image, Closed> {
        let key = self.header_key(&object);
        let decoder = decoder.map_err(|error| self.failed(identifier, &object, key, error))?;
        let decoder = self.headers.keep(&object, decoder);
        Ok(Image::opened(object, decoder))
    }

    fn failed(
        &self,
        identifier: &Identifier,
        object: &Object,
        key: EntryKey,
        error: DecodeError,
    ) -> Closed {
        if matches!(&error, DecodeError::Io(error) if is_replaced(error)) {
            return Closed::Replaced(Error::decoding(identifier, error));
        }
        let error = Error::decoding(identifier, error);
        self.keep_failure(key, object, &error);
        Closed::Failed(error)
    }

    /// Why an entry could not be made just now, for one who asks for it under this identifier.
    pub fn failure(
        &self,
        key: EntryKey,
        object: &Object,
        identifier: &Identifier,
    ) -> Option<Error> {
        let failure = self.failures.get(&(key, object.stamp))?;
        Some(failure.told_to(identifier))
    }

    /// Remembers what will not change before the file does.
    pub fn keep_failure(&self, key: EntryKey, object: &Object, error: &Error) {
        if matches!(error, Error::SourceBroken { .. }) {
            self.failures.keep((key, object.stamp), error.clone());
        }
    }

    /// Whatever failed is tried again.
    pub fn forget_failures(&self) {
        self.failures.clear();
    }

    /// Stands for the image in the cache, in all its versions; also for one that is gone, if this is its path.
    pub fn key(&self, identifier: &Identifier) -> Result<CacheKey, Error> {
        let found = self.routes.find(identifier);
        let location = match self.or_last(identifier, found) {
            Ok(object) => object.location,
            Err(SourceError::NotFound(location) | SourceError::Gone(location)) => location,
            Err(error) => return Err(not_found(identifier, error)),
        };
        Ok(CacheKey::of_image(&location))
    }
}

/// The first page of the file that the object is a page of.
fn first_page(object: &Object) -> Object {
    Object {
        page: Page::FIRST,
        ..object.clone()
    }
}

/// The page that an identifier asks for. `None` if what was found is one page already, of which there are no others.
fn page_of(identifier: &Identifier, found: Object) -> Option<Object> {
    match identifier.page() {
        Page::FIRST => Some(found),
        page if found.page == Page::FIRST && !found.is_one_page => Some(Object { page, ..found }),
        _ => None,
    }
}

fn not_found(identifier: &Identifier, error: SourceError) -> Error {
    match error {
        SourceError::Unavailable(_) | SourceError::Replaced(_) => Error::SourceUnavailable {
            identifier: identifier.clone(),
            cause: cause(error),
        },
        // Where it is is nothing for clients.
        SourceError::NotFound(_) => {
            Error::NotFound(SourceError::NotFound(identifier.to_string()).to_string())
        }
        SourceError::Gone(_) => Error::Gone(SourceError::Gone(identifier.to_string()).to_string()),
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
        Images::new(
            &config,
            Routes::new(&config, None, None).unwrap(),
            config.cache.layers(),
        )
    }

    fn opened(images: &Images) -> Arc<dyn Decoder> {
        let identifier = Identifier::new("a.png".to_owned()).unwrap();
        let image = images.open(&identifier).ok().unwrap();
        Arc::clone(image.decoder().unwrap())
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
    fn a_broken_image_is_not_opened_again_at_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png"), "no image").unwrap();
        let images = images(folder.path());
        let identifier = Identifier::new("a.png".to_owned()).unwrap();
        assert!(matches!(images.glance(&identifier), Ok(Glance::Found(_))));
        let failed = images.open(&identifier).err().unwrap().to_string();
        assert_eq!(reads_of(|| drop(images.open(&identifier))), 0);
        let again = images.open(&identifier).err().unwrap().to_string();
        assert_eq!(again, failed);
        assert!(
            images.glance(&identifier).is_ok(),
            "far layers may have its header"
        );
        images.forget_failures();
        assert_ne!(reads_of(|| drop(images.open(&identifier))), 0);
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
