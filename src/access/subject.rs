//! What is asked for, by all of its names.

use percent_encoding::percent_decode_str;

use crate::route::lower_case;

/// An image as rules know it: one for all of its pages, scales and formats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// In lower case: some disks make no difference, and a rule must not depend on the disk.
    names: Vec<String>,
    sources: Vec<String>,
    /// The one name that stands for all, for those who are asked outside.
    name: String,
}

impl Subject {
    /// By the one name that stands for all.
    pub fn named(name: &str) -> Self {
        let mut subject = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        subject.add(name);
        subject
    }

    /// It is called so, too; and so, where slashes are merged and characters decoded, as servers and disks do.
    pub fn add(&mut self, name: &str) {
        for name in [lower_case(name), lower_case(&normal(name))] {
            if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    /// It lies there; identifiers lead to it also without its extension.
    pub fn add_place(&mut self, place: &str) {
        self.add(place);
        if let Some(stem) = stem(place) {
            self.add(stem);
        }
    }

    /// A name of the source that has it.
    pub fn lies_in(&mut self, source: String) {
        self.sources.push(source);
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Whether a name leads to a place as it is, but for its spelling.
pub fn is_spelling(name: &str, place: &str) -> bool {
    let (name, place) = (normal(name), normal(place));
    place == name || stem(&place) == Some(&*name)
}

/// Without what stands after the last dot of the last part.
fn stem(place: &str) -> Option<&str> {
    let file = place.rfind('/').map_or(0, |slash| slash + 1);
    let dot = place[file..].rfind('.')?;
    Some(&place[..file + dot])
}

/// With one slash where there are several, but for the two of a URL; decoded; of URLs without query and fragment.
fn normal(name: &str) -> String {
    let path = match name.contains("://") {
        true => name.split(['?', '#']).next().unwrap_or(name),
        false => name,
    };
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let mut normal = String::with_capacity(decoded.len());
    for letter in decoded.chars() {
        let is_repeated = letter == '/' && normal.ends_with('/') && !normal.ends_with(":/");
        if !is_repeated {
            normal.push(letter);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_with_and_without_its_extension() {
        let mut subject = Subject::named("Letters//A.B");
        subject.add_place("Letters/A.B.tif");
        subject.add_place("no.ext/file");
        let names: Vec<&str> = subject.names().collect();
        let expected = [
            "letters//a.b",
            "letters/a.b",
            "letters/a.b.tif",
            "no.ext/file",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn spellings_of_one_place_have_one_normal_form() {
        for spelling in [
            "http://a.org/b//c%20d.png",
            "http://a.org//b/c d.png?x=1",
            "http://a.org/b/c d.png#x",
        ] {
            assert_eq!(normal(spelling), "http://a.org/b/c d.png", "{spelling}");
        }
        assert!(is_spelling("a//b", "a/b.tif"));
        assert!(!is_spelling("b", "a/b.tif"));
    }

    #[test]
    fn letters_do_not_depend_on_those_beside_them() {
        assert_eq!(
            lower_case("ΕΛΛΑΣ"),
            lower_case("ΕΛΛΑΣΑ").trim_end_matches('α')
        );
    }
}
