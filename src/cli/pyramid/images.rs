//! The images that the paths of a command line mean: found as the server finds them, so that names and versions are
//! those that it will ask for.

use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::iiif::Identifier;
use crate::pyramid::Pyramids;
use crate::source::Filesystem;
use crate::work::Work;

pub struct Images {
    pub roots: Vec<Root>,
    pub all: Vec<Image>,
}

/// A directory as a server would have it.
pub struct Root {
    pub filesystem: Filesystem,
    pub pyramids: Pyramids,
}

pub struct Image {
    /// Index into the roots.
    pub root: usize,
    pub identifier: Identifier,
    /// For people.
    pub name: String,
}

/// A path of the command line that leads nowhere.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be read")]
struct Unreadable {
    path: String,
    source: io::Error,
}

impl Images {
    /// # Errors
    /// If a path cannot be read, or there is no place for pyramids.
    pub fn find(paths: &[PathBuf], config: &Config, work: &Work) -> Result<Self, Box<dyn Error>> {
        let mut images = Self {
            roots: Vec::new(),
            all: Vec::new(),
        };
        for path in paths {
            let unreadable = |source| Unreadable {
                path: path.display().to_string(),
                source,
            };
            if fs::metadata(path).map_err(unreadable)?.is_dir() {
                images.add_root(path, config, work)?;
                images.add_folder(path).map_err(unreadable)?;
            } else {
                images.add_root(parent(path), config, work)?;
                images.add_file(path);
            }
        }
        Ok(images)
    }

    fn add_root(
        &mut self,
        path: &Path,
        config: &Config,
        work: &Work,
    ) -> Result<(), Box<dyn Error>> {
        let mut config = config.clone();
        config.source.root = path.to_owned();
        let pyramids = Pyramids::new(&config, work);
        pyramids.prepare()?;
        self.roots.push(Root {
            filesystem: Filesystem::new(&config.source)?,
            pyramids,
        });
        Ok(())
    }

    /// Every image below the last root; a folder that several links lead to, or one into itself, only once.
    fn add_folder(&mut self, path: &Path) -> io::Result<()> {
        let root = self.roots.len() - 1;
        let mut seen = HashSet::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            if !seen.insert(fs::canonicalize(path.join(&folder))?) {
                continue;
            }
            let listing = self.roots[root].filesystem.list(&folder);
            let listing = listing.map_err(io::Error::other)?;
            folders.extend(listing.folders);
            let image = |location: String| {
                Some(Image {
                    root,
                    name: path.join(&location).display().to_string(),
                    identifier: Identifier::new(location).ok()?,
                })
            };
            self.all
                .extend(listing.images.into_iter().filter_map(image));
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Ok(identifier) = Identifier::new(name.into_owned()) {
            self.all.push(Image {
                root: self.roots.len() - 1,
                identifier,
                name: path.display().to_string(),
            });
        }
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
