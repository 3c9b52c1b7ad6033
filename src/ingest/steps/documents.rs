//! Where the files of composites are: below one folder, named by their members, so that no two have anything in common.

use std::path::{Path, PathBuf};
use std::{fs, io};

use uuid::Uuid;

use crate::files::found;
use crate::ingest::location::{MEMBERS, SCHEME, of_member};
use crate::page::Page;
use crate::queue::Lease;

/// The folder of composites.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where files are that are not whole yet.
    pub fn scratch(&self) -> PathBuf {
        self.0.join("scratch")
    }

    /// The file of a location. `None` if it is none of this folder.
    pub fn path(&self, location: &str) -> Option<PathBuf> {
        let below = Path::new(location.strip_prefix(SCHEME)?);
        let is_below = below
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        is_below.then(|| self.0.join(below))
    }

    /// Removes all files of a member.
    ///
    /// # Errors
    /// If some are left.
    pub fn discard(&self, member: Uuid) -> io::Result<()> {
        found(fs::remove_dir_all(self.of(member))).map(drop)
    }

    /// Removes the files of a member that belong to another document than this.
    ///
    /// # Errors
    /// If some are left.
    pub fn discard_others(&self, member: Uuid, document: &str) -> io::Result<()> {
        let kept = self.path(document);
        let kept = kept.as_deref().and_then(Path::parent);
        for entry in fs::read_dir(self.of(member))? {
            let path = entry?.path();
            if Some(path.as_path()) != kept {
                found(fs::remove_dir_all(path))?;
            }
        }
        Ok(())
    }

    fn of(&self, member: Uuid) -> PathBuf {
        self.0.join(MEMBERS).join(member.to_string())
    }
}

/// The location of a member's document. Whoever had an earlier lease and does not know that it has ended writes to another place: what is
/// told of a document is true of its file.
pub fn document(member: Uuid, lease: Lease) -> String {
    format!("{}{}/document", of_member(member), lease.number)
}

/// The location of the pyramid of one of its pages.
pub fn pyramid(document: &str, page: Page) -> String {
    let folder = document.trim_end_matches("document");
    format!("{folder}{:05}.tif", page.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: Uuid = Uuid::nil();

    fn location(member: Uuid, number: i64) -> String {
        document(member, Lease { job: 1, number })
    }

    #[test]
    fn all_files_of_a_member_are_removed() {
        let below = tempfile::tempdir().unwrap();
        let folder = Folder::new(below.path().to_owned());
        let [first, second, other] = [(MEMBER, 1), (MEMBER, 2), (Uuid::max(), 1)]
            .map(|(member, number)| location(member, number));
        let page = pyramid(&first, Page::FIRST);
        let all = [first, page, second.clone(), other].map(|it| folder.path(&it).unwrap());
        for path in &all {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "a").unwrap();
        }
        let exist = || all.clone().map(|path| path.exists());
        folder.discard_others(MEMBER, &second).unwrap();
        assert_eq!(exist(), [false, false, true, true]);
        for _ in 0..2 {
            folder.discard(MEMBER).unwrap();
        }
        assert_eq!(exist(), [false, false, false, true]);
    }

    #[test]
    fn locations_lead_below_the_folder_and_nowhere_else() {
        let folder = Folder::new("/var/composites".into());
        let page = Page::new(12).unwrap();
        let below = "members/00000000-0000-0000-0000-000000000000/3";
        for (location, name) in [
            (location(MEMBER, 3), "document"),
            (pyramid(&location(MEMBER, 3), page), "00012.tif"),
        ] {
            let expected = Path::new("/var/composites").join(below).join(name);
            assert_eq!(folder.path(&location).unwrap(), expected);
        }
        for wrong in [
            "composites:../x",
            "composites:/etc/passwd",
            "file:x",
            "members/x",
        ] {
            assert_eq!(folder.path(wrong), None, "{wrong}");
        }
    }
}
