//! The images of a file: which one is served, which are smaller levels of it, and how many others there are.
//!
//! A pyramid is stored in one of two ways: as further directories of the chain, or as directories that the SubIFDs
//! tag of the full image points to (TIFF technical note 1).

use std::collections::HashSet;
use std::iter;

use super::ifd::{Directory, File};
use super::image::{Image, PlacedImage};
use super::malformed;
use super::tags::Tag;
use crate::decode::DecodeError;
use crate::geometry::{Dimensions, ScaleFactor};
use crate::page::Page;

/// More directories than any real file has; a chain that loops ends before.
const MOST_DIRECTORIES: usize = 1000;

/// The image that is served and its levels.
pub struct Pyramid {
    /// The directory of the full image.
    pub directory: Directory,
    /// Largest first; the first is the full image.
    pub levels: Vec<(ScaleFactor, PlacedImage)>,
    /// Images that are no levels, and the full image.
    pub pages: u32,
    /// The chain of directories goes on beyond those that are looked at.
    pub has_more: bool,
}

/// A directory with its full image, or why it has none.
pub type PageOfFile = Result<(Directory, PlacedImage), DecodeError>;

/// What NewSubfileType says, or SubfileType in old files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Page,
    Reduced,
    Mask,
}

struct Candidate {
    directory: Directory,
    role: Role,
}

impl Pyramid {
    /// The pyramid of a page. Pages are images that are no levels of the first; what is marked as reduced belongs to the
    /// page before it.
    pub fn read(file: &File, first: u64, page: Page) -> Result<Self, DecodeError> {
        let mut seen = HashSet::new();
        let (pyramid, mut others) = Self::first(file, first, &mut seen)?;
        let Some(further) = page.number().checked_sub(2) else {
            return Ok(pyramid);
        };
        let pages = pyramid.pages;
        let mut starts = (0..others.len()).filter(|index| others[*index].is_page());
        let start = starts.nth(further as usize);
        let start = start.ok_or(DecodeError::NoPage { page, pages })?;
        let mut following = others.drain(start..);
        let main = following
            .next()
            .ok_or(DecodeError::NoPage { page, pages })?;
        let own = following.take_while(|other| !other.is_page()).collect();
        let (pyramid, _) = Self::of(file, main, own, &mut seen)?;
        Ok(Self { pages, ..pyramid })
    }

    /// The pyramid of the first page, and what follows it.
    fn first(
        file: &File,
        first: u64,
        seen: &mut HashSet<u64>,
    ) -> Result<(Self, Vec<Candidate>), DecodeError> {
        let mut chain = chain(file, first, seen)?;
        let is_full = chain.len() == MOST_DIRECTORIES;
        let has_more = is_full && chain.last().is_some_and(|it| it.directory.next != 0);
        // Cameras put a thumbnail first; where all are marked as reduced, the first has to do.
        let main = chain.iter().position(Candidate::is_page).unwrap_or(0);
        let main = chain.remove(main);
        let (mut pyramid, others) = Self::of(file, main, chain, seen)?;
        let further = others.iter().filter(|other| other.is_page()).count();
        pyramid.pages = u32::try_from(further + 1).unwrap_or(u32::MAX);
        pyramid.has_more = has_more;
        Ok((pyramid, others))
    }

    /// All pages, and whether there are more directories than are looked at.
    pub fn pages(file: &File, first: u64) -> Result<(Vec<PageOfFile>, bool), DecodeError> {
        let (pyramid, others) = Self::first(file, first, &mut HashSet::new())?;
        let further = others.into_iter().filter(Candidate::is_page);
        let directories = iter::once(pyramid.directory).chain(further.map(|it| it.directory));
        let page = |directory| {
            let image = Image::read(file, &directory)?;
            let placed = PlacedImage::new(file, &directory, image)?;
            Ok((directory, placed))
        };
        Ok((directories.map(page).collect(), pyramid.has_more))
    }

    /// An image with those of the candidates that are levels of it, and the others.
    fn of(
        file: &File,
        main: Candidate,
        candidates: Vec<Candidate>,
        seen: &mut HashSet<u64>,
    ) -> Result<(Self, Vec<Candidate>), DecodeError> {
        let directory = main.directory;
        let image = Image::read(file, &directory)?;
        let subs = sub_images(file, &directory, seen)?;
        let full = PlacedImage::new(file, &directory, image)?;
        let mut levels = vec![(ScaleFactor::ONE, full)];
        for candidate in subs {
            levels.extend(level(file, &levels, &candidate));
        }
        let mut others: Vec<Candidate> = Vec::new();
        for candidate in candidates {
            let may_be_own = candidate.is_page() || !others.iter().any(Candidate::is_page);
            let found = may_be_own.then(|| level(file, &levels, &candidate));
            match found.flatten() {
                Some(level) => levels.push(level),
                None => others.push(candidate),
            }
        }
        levels.sort_by_key(|(factor, _)| *factor);
        let pyramid = Self {
            directory,
            levels,
            pages: 1,
            has_more: false,
        };
        Ok((pyramid, others))
    }
}

impl Candidate {
    fn is_page(&self) -> bool {
        self.role == Role::Page
    }
}

/// The directories from the first along the chain. A broken one after the first ends it: the image before it is whole.
fn chain(file: &File, first: u64, seen: &mut HashSet<u64>) -> Result<Vec<Candidate>, DecodeError> {
    let mut found = vec![candidate(file, first, seen)?];
    while let Some(last) = found.last()
        && last.directory.next != 0
        && found.len() < MOST_DIRECTORIES
    {
        match candidate(file, last.directory.next, seen) {
            Ok(next) => found.push(next),
            Err(_) => break,
        }
    }
    Ok(found)
}

/// The directories that the SubIFDs of an image point to; broken ones are left out.
fn sub_images(
    file: &File,
    directory: &Directory,
    seen: &mut HashSet<u64>,
) -> Result<Vec<Candidate>, DecodeError> {
    let offsets = file.integers(directory, Tag::SUB_IFDS, MOST_DIRECTORIES as u64)?;
    file.read_ahead_directories(&offsets)?;
    Ok(offsets
        .into_iter()
        .filter_map(|offset| candidate(file, offset, seen).ok())
        .collect())
}

fn candidate(file: &File, offset: u64, seen: &mut HashSet<u64>) -> Result<Candidate, DecodeError> {
    if !seen.insert(offset) {
        return Err(malformed("a loop of directories"));
    }
    let directory = file.directory(offset)?;
    let role = role(file, &directory)?;
    Ok(Candidate { directory, role })
}

fn role(file: &File, directory: &Directory) -> Result<Role, DecodeError> {
    const REDUCED: u64 = 1;
    const MASK: u64 = 4;
    const OLD_REDUCED: u64 = 2;
    let bits = file.integer(directory, Tag::NEW_SUBFILE_TYPE)?;
    let old = file.integer(directory, Tag::SUBFILE_TYPE)?;
    Ok(match (bits, old) {
        (Some(bits), _) if bits & MASK != 0 => Role::Mask,
        (Some(bits), _) if bits & REDUCED != 0 => Role::Reduced,
        (None, Some(OLD_REDUCED)) => Role::Reduced,
        _ => Role::Page,
    })
}

/// The candidate as one more level, if it is one: of a size that fits and is not there yet, and pixels that come out
/// like those of the full image. One that is not marked as reduced has to be stored alike, too: it might be another
/// page.
///
/// What is broken or not supported in a candidate only means that it is not used: the full image has every pixel.
fn level(
    file: &File,
    levels: &[(ScaleFactor, PlacedImage)],
    candidate: &Candidate,
) -> Option<(ScaleFactor, PlacedImage)> {
    let full = &levels.first()?.1.image;
    let image = Image::read(file, &candidate.directory).ok()?;
    let factor = scale_factor(full.dimensions, image.dimensions)?;
    let is_new = levels.iter().all(|(taken, _)| *taken != factor);
    let is_alike = image.output() == full.output();
    let is_stored_alike = image.photometric == full.photometric
        && image.channels == full.channels
        && image.format == full.format;
    let fits = match candidate.role {
        Role::Reduced => is_new && is_alike,
        Role::Page => is_new && is_alike && is_stored_alike,
        Role::Mask => false,
    };
    if !fits {
        return None;
    }
    let placed = PlacedImage::new(file, &candidate.directory, image).ok()?;
    Some((factor, placed))
}

/// The power of two, from 2 up, that divides the full dimensions to these, however each writer rounds.
fn scale_factor(full: Dimensions, level: Dimensions) -> Option<ScaleFactor> {
    (1..32)
        .filter_map(ScaleFactor::from_reduction)
        .find(|factor| {
            let fits = |full: u32, level: u32| {
                let factor = factor.get();
                level == full.div_ceil(factor) || level == (full / factor).max(1)
            };
            fits(full.width(), level.width()) && fits(full.height(), level.height())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_may_be_rounded_either_way() {
        let full = Dimensions::new(1001, 750).unwrap();
        let factor = |width, height| {
            scale_factor(full, Dimensions::new(width, height).unwrap()).map(ScaleFactor::get)
        };
        assert_eq!(factor(500, 375), Some(2));
        assert_eq!(factor(501, 375), Some(2));
        assert_eq!(factor(250, 188), Some(4));
        assert_eq!(factor(1, 1), Some(512));
        assert_eq!(factor(1001, 750), None);
        assert_eq!(factor(502, 375), None);
        assert_eq!(factor(334, 250), None, "a third");
        assert_eq!(factor(500, 188), None, "another aspect ratio");
    }
}
