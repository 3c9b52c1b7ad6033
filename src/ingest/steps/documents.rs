//! Where the files of composites are: below one folder, named by their members, so that no two have anything in common.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::page::Page;

/// What locations of such files begin with, before a path below the folder.
pub const SCHEME: &str = "composites:";

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
}

/// The location of a member's document.
pub fn document(member: Uuid) -> String {
    format!("{SCHEME}documents/{member}")
}

/// The location of the pyramid of one of its pages.
pub fn pyramid(member: Uuid, page: Page) -> String {
    format!("{SCHEME}pages/{member}/{:05}.tif", page.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_lead_below_the_folder_and_nowhere_else() {
        let folder = Folder::new("/var/composites".into());
        let member = Uuid::nil();
        let page = Page::new(12).unwrap();
        for (location, path) in [
            (
                document(member),
                "documents/00000000-0000-0000-0000-000000000000",
            ),
            (
                pyramid(member, page),
                "pages/00000000-0000-0000-0000-000000000000/00012.tif",
            ),
        ] {
            let expected = Path::new("/var/composites").join(path);
            assert_eq!(folder.path(&location).unwrap(), expected);
        }
        for wrong in [
            "composites:../x",
            "composites:/etc/passwd",
            "file:x",
            "documents/x",
        ] {
            assert_eq!(folder.path(wrong), None, "{wrong}");
        }
    }
}
