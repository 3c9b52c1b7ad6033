//! What is asked for, by all of its names.

use crate::route::config::{COMPOSITES, FILES};

/// An image as rules know it: one for all of its pages, scales and formats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// In lower case: some disks make no difference, and a rule must not depend on the disk.
    names: Vec<String>,
    source: Option<String>,
}

impl Subject {
    /// By the identifier alone.
    pub fn named(identifier: &str) -> Self {
        let mut subject = Self::default();
        subject.add(identifier);
        subject
    }

    /// A file below the directory of `[source]`.
    pub fn in_folder(path: &str) -> Self {
        let mut subject = Self::default();
        subject.add_place(path);
        subject.lies_in(FILES);
        subject
    }

    /// The image of a customer, and where its file lies.
    pub fn ingested(identifier: &str, place: Option<&str>) -> Self {
        let mut subject = Self::named(identifier);
        if let Some(place) = place {
            subject.add_place(place);
        }
        subject.lies_in(COMPOSITES);
        subject
    }

    /// It is called so, too.
    pub fn add(&mut self, name: &str) {
        let name = name.to_lowercase();
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// It lies there; identifiers lead to it also without its extension.
    pub fn add_place(&mut self, place: &str) {
        self.add(place);
        let file = place.rfind('/').map_or(0, |slash| slash + 1);
        if let Some(dot) = place[file..].rfind('.') {
            self.add(&place[..file + dot]);
        }
    }

    /// The source that has it, as routes name it.
    pub fn lies_in(&mut self, source: &str) {
        self.source = Some(source.to_owned());
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_with_and_without_its_extension() {
        let mut subject = Subject::named("Letters//A.B.tif");
        subject.add_place("Letters/A.B.tif");
        subject.add_place("no.ext/file");
        let names: Vec<&str> = subject.names().collect();
        let expected = [
            "letters//a.b.tif",
            "letters/a.b.tif",
            "letters/a.b",
            "no.ext/file",
        ];
        assert_eq!(names, expected);
    }
}
