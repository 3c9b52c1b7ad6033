//! Images in a directory: the identifier is the path below it.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{io, iter};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptionsExt as _};
use percent_encoding::percent_decode_str;
use rustix::fs::{FileType, OFlags, Statx};
use rustix::io::Errno;
use url::Url;

use super::config::SourceConfig;
use super::{ImageFile, LAST_SECOND, Object, Source, SourceError, Stamp};
use crate::input::Input;
use crate::page::Page;
use crate::resident;

/// Names longer than this exist on no usual file system; asking for them would be an error, not an absence (E12).
const LONGEST_NAME: usize = 255;

/// Tried in this order where an identifier has no extension.
const EXTENSIONS: [&str; 15] = [
    "jp2", "jpx", "jph", "j2k", "j2c", "jpf", "tif", "tiff", "ptif", "jpg", "jpeg", "png", "webp",
    "gif", "bmp",
];

/// Tried where there is none of these: a document often lies beside the images that it was made of.
const DOCUMENTS: [&str; 1] = ["pdf"];

/// Opening a named pipe would wait for someone to write into it; for regular files this changes nothing.
const OPEN_FLAGS: i32 = OFlags::NONBLOCK.bits() as i32;

/// A directory of images.
pub struct Filesystem {
    root: Root,
    /// Its absolute path.
    directory: PathBuf,
    /// Stands before paths in locations.
    prefix: String,
}

/// How paths are looked up below the root.
enum Root {
    /// Every step of the path is opened from the one before, so that neither `..` nor a symbolic link leads out.
    Confined(Dir),
    /// Symbolic links lead wherever they point.
    Open(PathBuf),
}

impl Filesystem {
    /// The first root of a configuration. The locations of its images are their paths below it, so that they are the same on
    /// every server.
    ///
    /// # Errors
    /// If it is no directory that can be read.
    pub fn new(config: &SourceConfig) -> io::Result<Self> {
        Self::open(&config.root, config.links_outside_root)
    }

    /// All roots of a configuration. The locations of their images are absolute paths.
    ///
    /// # Errors
    /// If one is no directory that can be read.
    pub fn all(config: &SourceConfig) -> io::Result<Vec<Self>> {
        let roots = iter::once(&config.root).chain(&config.further_roots);
        roots
            .map(|root| {
                let mut opened = Self::open(root, config.links_outside_root)?;
                opened.prefix = format!("{}/", opened.directory.display());
                Ok(opened)
            })
            .collect()
    }

    fn open(root: &Path, links_outside_root: bool) -> io::Result<Self> {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", root.display()));
        let opened = Dir::open_ambient_dir(root, ambient_authority()).map_err(named)?;
        Ok(Self {
            root: if links_outside_root {
                Root::Open(root.to_owned())
            } else {
                Root::Confined(opened)
            },
            directory: root.canonicalize().map_err(named)?,
            prefix: String::new(),
        })
    }

    /// Each file once: where case does not count, both spellings of an extension open the same one.
    fn with_extensions(&self, path: &str, extensions: &[&str]) -> Result<Vec<Object>, SourceError> {
        let mut all: Vec<Object> = Vec::new();
        for extension in extensions {
            for spelling in [(*extension).to_owned(), extension.to_uppercase()] {
                let found = self.find_file(&format!("{path}.{spelling}"))?;
                let is_new = |found: &Object| all.iter().all(|other| other.stamp != found.stamp);
                all.extend(found.filter(is_new));
            }
        }
        Ok(all)
    }

    /// `None` if there is no such regular file.
    fn find_file(&self, path: &str) -> Result<Option<Object>, SourceError> {
        let stamp = match self.root.stamp(path) {
            Ok(Some(stamp)) => stamp,
            Ok(None) => return Ok(None),
            Err(error) if means_absent(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(object(&self.prefix, path.to_owned(), stamp)))
    }

    /// Whether the root can be read at all.
    ///
    /// # Errors
    /// If it cannot.
    pub fn check(&self) -> io::Result<()> {
        self.root.check()
    }

    /// The files of one folder that look like images, and its folders, by name; for the index page. The root is the
    /// empty text.
    ///
    /// # Errors
    /// [`SourceError::NoFolder`] also for paths that could lead out of the root.
    pub fn list(&self, folder: &str) -> Result<Listing, SourceError> {
        let absent = || SourceError::NoFolder(folder.to_owned());
        if !folder.is_empty() && plain_path(folder).is_none() {
            return Err(absent());
        }
        let entries = self.root.entries(folder).map_err(|error| {
            // The root itself is never absent for clients: without it there is nothing to serve.
            if means_absent(&error) && !folder.is_empty() {
                absent()
            } else {
                error.into()
            }
        })?;
        let mut listing = Listing::default();
        for (name, is_folder) in entries {
            if name.starts_with('.') {
                continue;
            }
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            if is_folder {
                listing.folders.push(path);
            } else if has_known_extension(&path) {
                listing.images.push(path);
            }
        }
        listing.folders.sort();
        listing.images.sort();
        Ok(listing)
    }
}

impl Source for Filesystem {
    /// The file that a key means: the path itself, or with one of the known extensions if exactly one such file exists.
    ///
    /// # Errors
    /// [`SourceError::NotFound`], with the path, also for paths that could lead out of the root (E12, K01).
    fn find(&self, key: &str) -> Result<Object, SourceError> {
        let path = plain_path(key).ok_or_else(|| SourceError::NotFound(key.to_owned()))?;
        if let Some(found) = self.find_file(&path)? {
            return Ok(found);
        }
        let mut found = self.with_extensions(&path, &EXTENSIONS)?;
        if found.is_empty() {
            found = self.with_extensions(&path, &DOCUMENTS)?;
        }
        match (found.pop(), found.is_empty()) {
            (Some(last), true) => Ok(last),
            (None, _) => Err(SourceError::NotFound(path)),
            (Some(last), false) => {
                found.push(last);
                let path = |found: Object| found.key;
                Err(SourceError::Ambiguous {
                    identifier: key.to_owned(),
                    candidates: found.into_iter().map(path).collect(),
                })
            }
        }
    }

    /// The path itself, if the operating system has in memory what it takes.
    fn find_at_once(&self, key: &str) -> Option<Object> {
        let Root::Confined(directory) = &self.root else {
            return None;
        };
        let path = plain_path(key)?;
        let stamp = FileStamp::of_resident(&resident::find(directory, &path)?)?;
        Some(object(&self.prefix, path, stamp))
    }

    /// # Errors
    /// [`SourceError::NotFound`] if it may not be read or is gone, [`SourceError::Replaced`] if it is another one by now.
    fn open(&self, object: &Object) -> Result<Input, SourceError> {
        let file = self.root.open(&object.key).map_err(|error| {
            if means_absent(&error) {
                SourceError::NotFound(object.key.clone())
            } else {
                error.into()
            }
        })?;
        let stamp = FileStamp::of(&file.metadata()?)?;
        let Some(stamp) = stamp.filter(|it| Stamp::File(*it) == object.stamp) else {
            return Err(SourceError::Replaced(object.key.clone()));
        };
        resident::learn(&file, stamp.device);
        let FileStamp {
            size,
            modified,
            device,
            ..
        } = stamp;
        Ok(Arc::new(ImageFile::new(file, size, modified, device)))
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn key_of(&self, location: &str) -> Option<String> {
        let path = location.strip_prefix("file:")?;
        if !path.starts_with('/') {
            let path = percent_decode_str(path).decode_utf8().ok()?;
            return Some(path.into_owned());
        }
        let path = Url::parse(location).ok()?.to_file_path().ok()?;
        let below = path.strip_prefix(&self.directory).ok()?;
        below.to_str().map(str::to_owned)
    }
}

/// What tells a state of a file from any other state and any other file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: SystemTime,
    /// Seconds and nanoseconds of the last change of anything, the name and the rights too.
    changed: (i64, i64),
}

impl FileStamp {
    /// `None` for what is no regular file.
    fn of(metadata: &std::fs::Metadata) -> io::Result<Option<Self>> {
        let stamp = Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: metadata.modified()?,
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        Ok(metadata.is_file().then_some(stamp))
    }

    /// The same of what `cap_std` found.
    fn of_confined(metadata: &cap_std::fs::Metadata) -> io::Result<Option<Self>> {
        use cap_std::fs::MetadataExt as _;
        let stamp = Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: metadata.modified()?.into_std(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        Ok(metadata.is_file().then_some(stamp))
    }

    /// The same of what was found without waiting.
    fn of_resident(state: &Statx) -> Option<Self> {
        let (modified, changed) = (state.stx_mtime, state.stx_ctime);
        let seconds = Duration::from_secs(modified.tv_sec.unsigned_abs());
        let second = if modified.tv_sec < 0 {
            UNIX_EPOCH.checked_sub(seconds)
        } else {
            UNIX_EPOCH.checked_add(seconds)
        };
        let is_file = FileType::from_raw_mode(state.stx_mode.into()) == FileType::RegularFile;
        Some(Self {
            device: resident::device(state),
            inode: state.stx_ino,
            size: state.stx_size,
            modified: second? + Duration::from_nanos(modified.tv_nsec.into()),
            changed: (changed.tv_sec, changed.tv_nsec.into()),
        })
        .filter(|_| is_file)
    }
}

/// Paths below the root.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub folders: Vec<String>,
    pub images: Vec<String>,
}

impl Listing {
    /// With what another directory has at the same place.
    pub fn merge(&mut self, other: Self) {
        for (all, more) in [
            (&mut self.folders, other.folders),
            (&mut self.images, other.images),
        ] {
            all.extend(more);
            all.sort();
            all.dedup();
        }
    }
}

impl Root {
    fn open(&self, path: &str) -> io::Result<File> {
        match self {
            Self::Confined(directory) => {
                let mut options = cap_std::fs::OpenOptions::new();
                options.read(true).custom_flags(OPEN_FLAGS);
                let file = directory.open_with(path, &options)?;
                Ok(file.into_std())
            }
            Self::Open(root) => File::options()
                .read(true)
                .custom_flags(OPEN_FLAGS)
                .open(root.join(path)),
        }
    }

    /// `None` for what is no regular file.
    fn stamp(&self, path: &str) -> io::Result<Option<FileStamp>> {
        match self {
            Self::Confined(directory) => FileStamp::of_confined(&directory.metadata(path)?),
            Self::Open(root) => FileStamp::of(&root.join(path).metadata()?),
        }
    }

    /// Reads the first entry.
    fn check(&self) -> io::Result<()> {
        match self {
            Self::Confined(directory) => directory.entries()?.next().transpose().map(drop),
            Self::Open(root) => root.read_dir()?.next().transpose().map(drop),
        }
    }

    fn entries(&self, folder: &str) -> io::Result<Vec<(String, bool)>> {
        let folder = if folder.is_empty() { "." } else { folder };
        match self {
            Self::Confined(directory) => directory
                .read_dir(folder)?
                .map(|entry| {
                    let entry = entry?;
                    Ok((lossless(entry.file_name()), entry.file_type()?.is_dir()))
                })
                .filter_map(with_name)
                .collect(),
            Self::Open(root) => root
                .join(folder)
                .read_dir()?
                .map(|entry| {
                    let entry = entry?;
                    Ok((lossless(entry.file_name()), entry.path().is_dir()))
                })
                .filter_map(with_name)
                .collect(),
        }
    }
}

/// Names that are not UTF-8 cannot be identifiers.
fn lossless(name: std::ffi::OsString) -> Option<String> {
    name.into_string().ok()
}

fn with_name(entry: io::Result<(Option<String>, bool)>) -> Option<io::Result<(String, bool)>> {
    match entry {
        Ok((name, is_folder)) => name.map(|name| Ok((name, is_folder))),
        Err(error) => Some(Err(error)),
    }
}

/// The path below the root, if every step of it is the name of something in the folder before it; names that begin with
/// a dot are hidden. Slashes that follow each other are one, as everywhere in POSIX: identifiers can be URLs (E08).
fn plain_path(text: &str) -> Option<String> {
    if text.starts_with('/') || text.ends_with('/') {
        return None;
    }
    let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
    let is_plain =
        |name: &&str| name.len() <= LONGEST_NAME && !name.starts_with('.') && !name.contains('\\');
    names.iter().all(is_plain).then(|| names.join("/"))
}

fn has_known_extension(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| {
        let known = EXTENSIONS.iter().chain(&DOCUMENTS);
        known
            .into_iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Errors that say that there is nothing there for clients: no such file, a step that is no folder, a path that is too
/// long or leads out of the root, links in a circle, a socket.
fn means_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, PermissionDenied};
    let is_absent = matches!(
        error.kind(),
        NotFound | NotADirectory | InvalidFilename | InvalidInput | PermissionDenied
    );
    is_absent || matches!(Errno::from_io_error(error), Some(Errno::LOOP | Errno::NXIO))
}

fn object(prefix: &str, path: String, stamp: FileStamp) -> Object {
    Object {
        source: 0,
        route: 0,
        location: format!("{prefix}{path}"),
        key: path,
        version: version(stamp.size, stamp.modified),
        modified: stamp.modified.clamp(UNIX_EPOCH, UNIX_EPOCH + LAST_SECOND),
        stamp: Stamp::File(stamp),
        page: Page::FIRST,
        is_one_page: false,
    }
}

fn version(size: u64, modified: SystemTime) -> String {
    let nanoseconds = modified
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_nanos());
    format!("{size}-{nanoseconds}")
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("maps")).unwrap();
        for name in [
            "one.tif",
            "two.tif",
            "two.jpg",
            "three.JP2",
            "maps/1 ü.png",
            ".hidden.tif",
        ] {
            fs::write(root.join(name), name).unwrap();
        }
        fs::write(folder.path().join("secret.tif"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret.tif", root.join("link.tif")).unwrap();
        std::os::unix::fs::symlink("maps", root.join("inside")).unwrap();
        folder
    }

    fn filesystem(folder: &TempDir, links_outside_root: bool) -> Filesystem {
        let root = folder.path().join("root");
        Filesystem::new(&SourceConfig {
            root,
            links_outside_root,
            ..SourceConfig::default()
        })
        .unwrap()
    }

    impl contract::Place for TempDir {
        /// As it is done where images are served: another file takes the name.
        fn put(&self, key: &str, bytes: &[u8]) {
            let path = self.path().join("root").join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let new = self.path().join("new");
            fs::write(&new, bytes).unwrap();
            fs::rename(&new, path).unwrap();
        }

        fn remove(&self, key: &str) {
            fs::remove_file(self.path().join("root").join(key)).unwrap();
        }
    }

    #[test]
    fn it_does_what_every_source_has_to() {
        let folder = folder();
        contract::check(&filesystem(&folder, false), &folder);
    }

    fn location(filesystem: &Filesystem, identifier: &str) -> Result<String, SourceError> {
        filesystem.find(identifier).map(|object| object.location)
    }

    #[test]
    fn the_extension_may_be_left_out_where_one_file_fits() {
        let folder = folder();
        let files = filesystem(&folder, false);
        assert_eq!(location(&files, "one.tif").unwrap(), "one.tif");
        assert_eq!(location(&files, "one").unwrap(), "one.tif");
        assert_eq!(location(&files, "three").unwrap(), "three.JP2");
        assert_eq!(location(&files, "maps/1 ü").unwrap(), "maps/1 ü.png");
        assert_eq!(location(&files, "maps//1 ü").unwrap(), "maps/1 ü.png");
        assert!(matches!(
            location(&files, "two"),
            Err(SourceError::Ambiguous { candidates, .. }) if candidates == ["two.tif", "two.jpg"]
        ));
    }

    /// A stamp that differs would be another image, to all that is kept.
    #[test]
    fn what_is_found_at_once_is_what_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.tif");
        for modified in [UNIX_EPOCH - Duration::from_millis(1_500), SystemTime::now()] {
            fs::write(&path, "old").unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(modified).unwrap();
            let files = Filesystem::new(&SourceConfig {
                root: folder.path().to_owned(),
                links_outside_root: false,
                ..SourceConfig::default()
            })
            .unwrap();
            let identifier = "old.tif";
            let found = files.find(identifier).unwrap();
            files.open(&found).unwrap();
            // On other file systems nothing is.
            if let Some(at_once) = files.find_at_once(identifier) {
                assert_eq!(at_once.stamp, found.stamp);
                assert_eq!(at_once.version, found.version);
                assert_eq!(at_once.modified, found.modified);
            }
            let folder = "absent";
            assert!(files.find_at_once(folder).is_none());
        }
    }

    #[test]
    fn e12_k01_nothing_outside_the_root_is_opened() {
        let folder = folder();
        let files = filesystem(&folder, false);
        let long = "a".repeat(1_000);
        for identifier in [
            "../secret.tif",
            "/etc/passwd",
            "maps/../../secret.tif",
            "..",
            ".",
            "maps",
            "//maps/1",
            "..\\secret",
            ".hidden.tif",
            "link.tif",
            "link",
            "one.tif/",
            &long,
        ] {
            assert!(
                matches!(location(&files, identifier), Err(SourceError::NotFound(_))),
                "{identifier}"
            );
        }
        assert_eq!(
            location(&files, "inside/1 ü.png").unwrap(),
            "inside/1 ü.png"
        );
    }

    #[test]
    fn links_lead_out_where_that_is_configured() {
        let folder = folder();
        let files = filesystem(&folder, true);
        assert_eq!(location(&files, "link.tif").unwrap(), "link.tif");
        assert!(location(&files, "../secret.tif").is_err());
    }

    #[test]
    fn two_names_of_one_file_are_one_candidate() {
        let folder = folder();
        let root = folder.path().join("root");
        fs::hard_link(root.join("one.tif"), root.join("one.TIF")).unwrap();
        let files = filesystem(&folder, false);
        assert_eq!(location(&files, "one").unwrap(), "one.tif");
    }

    /// A pipe that nobody writes to, a circle of links, and a socket; none of them may be waited for.
    #[test]
    fn what_is_no_regular_file_is_absent() {
        let folder = folder();
        let root = folder.path().join("root");
        let made = std::process::Command::new("mkfifo")
            .arg(root.join("pipe.tif"))
            .status();
        assert!(made.unwrap().success());
        std::os::unix::fs::symlink("circle.tif", root.join("circle.tif")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket.tif")).unwrap();
        for links_outside_root in [false, true] {
            let files = filesystem(&folder, links_outside_root);
            for identifier in ["pipe.tif", "circle.tif", "socket.tif"] {
                let found = location(&files, identifier);
                assert!(
                    matches!(found, Err(SourceError::NotFound(_))),
                    "{identifier}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn every_time_of_modification_is_one_that_http_can_tell() {
        let folder = folder();
        let files = filesystem(&folder, false);
        let identifier = "one.tif";
        let file = File::options()
            .write(true)
            .open(folder.path().join("root/one.tif"))
            .unwrap();
        file.set_modified(UNIX_EPOCH - Duration::from_secs(86_400))
            .unwrap();
        assert_eq!(files.find(identifier).unwrap().modified, UNIX_EPOCH);
        // File systems that end earlier store the last time that they know.
        file.set_modified(UNIX_EPOCH + LAST_SECOND + Duration::from_secs(1))
            .unwrap();
        assert!(files.find(identifier).unwrap().modified <= UNIX_EPOCH + LAST_SECOND);
    }

    #[test]
    fn a_root_that_is_gone_is_no_absent_image() {
        let folder = folder();
        let files = filesystem(&folder, true);
        assert!(files.check().is_ok());
        assert!(filesystem(&folder, false).check().is_ok());
        fs::remove_dir_all(folder.path().join("root")).unwrap();
        assert!(files.check().is_err());
        assert!(matches!(files.list(""), Err(SourceError::Unavailable(_))));
        assert!(matches!(files.list("maps"), Err(SourceError::NoFolder(_))));
    }

    #[test]
    fn a_location_is_a_path_below_the_root_or_an_absolute_one() {
        let folder = folder();
        let files = filesystem(&folder, false);
        let root = folder.path().join("root");
        let absolute = format!("file://{}/maps/1%20%C3%BC.png", root.display());
        for location in ["file:maps/1 ü.png", "file:maps/1%20%C3%BC.png", &absolute] {
            let key = files.key_of(location).unwrap();
            assert_eq!(files.find(&key).unwrap().location, "maps/1 ü.png");
        }
        let secret = format!("file://{}/secret.tif", folder.path().display());
        let outside = format!("file://{}/../secret.tif", root.display());
        for location in [&secret, &outside, "file:///", "https://example.org/a.tif"] {
            assert_eq!(files.key_of(location), None, "{location}");
        }
    }

    #[test]
    fn the_version_follows_the_file() {
        let folder = folder();
        let files = filesystem(&folder, false);
        let identifier = "one";
        let before = files.find(identifier).unwrap().version;
        fs::write(folder.path().join("root/one.tif"), "changed").unwrap();
        assert_ne!(files.find(identifier).unwrap().version, before);
    }

    #[test]
    fn listing_shows_folders_and_images_by_name() {
        let folder = folder();
        let files = filesystem(&folder, false);
        let listing = files.list("").unwrap();
        assert_eq!(listing.folders, ["maps"]);
        let images = ["link.tif", "one.tif", "three.JP2", "two.jpg", "two.tif"];
        assert_eq!(listing.images, images);
        assert_eq!(files.list("maps").unwrap().images, ["maps/1 ü.png"]);
        for outside in ["..", "maps/..", "/", ".git", "absent"] {
            assert!(files.list(outside).is_err(), "{outside}");
        }
    }
}
