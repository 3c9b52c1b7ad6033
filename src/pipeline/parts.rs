//! Files that are sent as they are, part by part: none is ever in memory as a whole.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Pipeline, Prepared};
use crate::decode::{DecodeError, Decoder};
use crate::error::{Error, cause};
use crate::iiif::Identifier;
use crate::input::Input;
use crate::plan::Copied;
use crate::route::Far;
use crate::source::SourceError;
use crate::work::{Cancelled, Transfer};

/// Bytes that are read at one time, for each who is sent a file.
const PART: usize = 256 << 10;
/// While one part is sent the next is read.
const HELD: u64 = 2 * PART as u64;

/// An opened file that is sent as it is.
#[derive(Clone)]
pub struct WholeFile {
    identifier: Identifier,
    input: Input,
    /// Who is asked for its bytes, if they are not here.
    far: Option<Far>,
    places: Places,
}

/// Memory for parts, which is used again when they are sent. Clones share it.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<Vec<Vec<u8>>>>);

impl Places {
    /// For so many bytes; what is in it does not matter.
    fn take(&self, length: usize) -> Part {
        let mut bytes = self.free().pop().unwrap_or_default();
        bytes.resize(length, 0);
        Part {
            bytes,
            places: self.clone(),
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of a file, whose place is free again when it is dropped.
struct Part {
    bytes: Vec<u8>,
    places: Places,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let bytes = mem::take(&mut self.bytes);
        self.places.free().push(bytes);
    }
}

impl WholeFile {
    pub(super) fn new(identifier: Identifier, input: Input, far: Option<Far>) -> Self {
        Self {
            identifier,
            input,
            far,
            places: Places::default(),
        }
    }

    /// One of this machine.
    ///
    /// # Errors
    /// If somebody is writing to it.
    pub(super) fn unchanged(identifier: Identifier, input: Input) -> Result<Self, Error> {
        let file = Self::new(identifier, input, None);
        file.check_state()?;
        Ok(file)
    }

    /// In bytes.
    pub fn size(&self) -> u64 {
        self.input.size()
    }

    /// A place for the bytes from an offset.
    fn place(&self, offset: u64) -> Part {
        let left = usize::try_from(self.size().saturating_sub(offset));
        self.places.take(left.map_or(PART, |left| left.min(PART)))
    }

    /// The bytes from an offset, wherever they lie.
    fn part_from_disk(&self, mut part: Part, offset: u64) -> Result<Bytes, Error> {
        let read = self.input.read_exact_at(&mut part.bytes, offset);
        read.map_err(|error| Error::decoding(&self.identifier, DecodeError::Io(error)))?;
        self.check_state()?;
        Ok(Bytes::from_owner(part))
    }

    /// Who is sent bytes of two states would take them for one. This may wait for the disk.
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
    /// A place for a file that is to be sent: to be taken before the client is told that it will be, and held until it is.
    ///
    /// # Errors
    /// If too many are being sent.
    pub async fn transfer(&self) -> Result<Transfer, Error> {
        self.transfers.begin(HELD).await
    }

    /// The next bytes from an offset before the end.
    ///
    /// # Errors
    /// If they cannot be read, or somebody has written to the file since it was opened.
    pub async fn part(&self, file: &WholeFile, offset: u64) -> Result<Bytes, Error> {
        let mut part = file.place(offset);
        if file.input.read_at_once(&mut part.bytes, offset) {
            // Its disk is one of this machine, so that nobody is waited for.
            file.check_state()?;
            return Ok(Bytes::from_owner(part));
        }
        let (file, far) = (file.clone(), file.far);
        let read = move |_: &Cancelled| file.part_from_disk(part, offset);
        // The head may be sent already: then it is too late to say that too many are waiting.
        Box::pin(self.readers_of(far).run_patiently(read)).await
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
        if prepared.plan.copied != Copied::File {
            return Ok(None);
        }
        let (identifier, window) = (prepared.request.identifier.clone(), prepared.plan.window);
        let look = move |_: &Cancelled| {
            let file = decoder.file(&window);
            let file = file.map(|input| WholeFile::unchanged(identifier, input));
            file.transpose()
        };
        self.read_here(look).await
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;
    use std::thread::{self, ThreadId};

    use super::*;
    use crate::config::Config;
    use crate::input::ReadAt;
    use crate::pipeline::testing::block_readers;

    /// A file of a disk that may be slow, which notes the threads that wait for it.
    #[derive(Default)]
    struct Slow(Mutex<Vec<ThreadId>>);

    impl Slow {
        fn note(&self) {
            self.0.lock().unwrap().push(thread::current().id());
        }
    }

    impl ReadAt for Slow {
        fn size(&self) -> u64 {
            9
        }

        fn read_exact_at(&self, buffer: &mut [u8], _: u64) -> io::Result<()> {
            self.note();
            buffer.fill(1);
            Ok(())
        }

        fn is_unchanged(&self) -> bool {
            self.note();
            true
        }
    }

    fn pipeline(change: impl FnOnce(&mut Config)) -> Pipeline {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.source.root = folder.path().to_owned();
        config.pyramids.enabled = false;
        change(&mut config);
        Pipeline::new(&config, None, None).unwrap()
    }

    fn file(input: Arc<Slow>) -> WholeFile {
        let identifier = Identifier::new("a.jpg".to_owned()).unwrap();
        WholeFile::new(identifier, input, None)
    }

    #[test]
    fn the_place_of_a_part_is_used_again_when_it_is_sent() {
        let places = Places::default();
        let (first, second) = (places.take(9), places.take(9));
        let place = first.bytes.as_ptr();
        assert_ne!(second.bytes.as_ptr(), place, "both are held");
        let sent = Bytes::from_owner(first);
        drop((sent.clone(), sent));
        let third = places.take(5);
        assert_eq!((third.bytes.as_ptr(), third.bytes.len()), (place, 5));
    }

    #[tokio::test]
    async fn no_disk_is_waited_for_where_connections_are_served() {
        let input = Arc::new(Slow::default());
        let file = file(Arc::clone(&input));
        let part = pipeline(|_| {}).part(&file, 4).await;
        assert_eq!(part.unwrap(), [1; 5][..]);
        let threads = input.0.lock().unwrap();
        assert_eq!(threads.len(), 2, "read, and looked whether it changed");
        assert!(!threads.contains(&thread::current().id()));
    }

    #[tokio::test]
    async fn what_is_being_sent_goes_on_when_too_many_ask() {
        let pipeline = pipeline(|config| {
            config.work.threads = 1;
            config.work.queue = 0;
        });
        let file = file(Arc::default());
        let (release, wait) = channel::<()>();
        let refused = async {
            let refused = pipeline.read_here(|_: &Cancelled| Ok(())).await;
            drop(release);
            refused
        };
        let blocked = block_readers(&pipeline, wait);
        let ((), part, refused) = tokio::join!(blocked, pipeline.part(&file, 0), refused);
        assert!(matches!(refused, Err(Error::Busy)));
        assert_eq!(part.unwrap(), [1; 9][..]);
    }
}
