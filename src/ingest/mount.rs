//! Whether the folder of composites is the one that documents were put in, and not an empty one where that should be mounted.

use std::path::Path;
use std::{fs, io};

use super::store::Store;

/// A file in the folder that nothing else makes.
const MARKER: &str = ".azulejo-composites";

/// Makes the folder, unless documents were already put in one.
///
/// # Errors
/// As [`check`], if there are such documents; and if the folder cannot be made or the database does not answer.
pub async fn prepare(folder: &Path, store: &Store) -> io::Result<()> {
    if check(folder).is_ok() {
        return Ok(());
    }
    if store.has_members().await.map_err(io::Error::other)? {
        return check(folder);
    }
    fs::create_dir_all(folder)?;
    fs::write(
        folder.join(MARKER),
        "The documents of composites are here.\n",
    )
}

/// # Errors
/// If it is not the folder that was made.
pub fn check(folder: &Path) -> io::Result<()> {
    let is_there = fs::metadata(folder.join(MARKER));
    is_there.map(drop).map_err(|error| {
        let folder = folder.display();
        let text = format!("composites.folder: {folder} has no {MARKER}: is it mounted? ({error})");
        io::Error::new(error.kind(), text)
    })
}
