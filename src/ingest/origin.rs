//! Origins: the URL of a file, and perhaps a page of it.

use crate::page::Page;

/// The URL of the file, and the page that is meant (`#page=3`; RFC 8118, section 3). `None` if there is another fragment.
pub fn parts(origin: &str) -> Option<(&str, Page)> {
    let Some((file, fragment)) = origin.split_once('#') else {
        return Some((origin, Page::FIRST));
    };
    let number = fragment.strip_prefix("page=")?.parse().ok()?;
    Some((file, Page::new(number)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_is_a_page() {
        const FILE: &str = "https://example.org/a.pdf";
        let of = |fragment: &str| {
            let origin = format!("{FILE}{fragment}");
            parts(&origin).map(|(file, page)| (file.to_owned(), page.number()))
        };
        assert_eq!(of(""), Some((FILE.to_owned(), 1)));
        assert_eq!(of("#page=3"), Some((FILE.to_owned(), 3)));
        for wrong in ["#", "#page=", "#page=0", "#page=x", "#a", "#page=1#page=2"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
