//! The pages inside the binary: the index of images at `/`, the deep-zoom page at `/view`, and what both need at
//! `/assets/NAME`. No build step, no template engine, nothing from other hosts.
//!
//! The deep-zoom page is one file for every image: `/view?id=IDENTIFIER` with the identifier percent-encoded as in the
//! image URL (and `+`, `&`, `#` always encoded); its script finds `iiif/3/IDENTIFIER/info.json` relative to the page.

pub mod access;
mod escaped;
mod index;

pub use index::{Entry, Folder, html};

/// The deep-zoom page.
pub const VIEW: &str = include_str!("view.html");

/// What the pages are allowed to load. Tiles and thumbnails come from the same origin; `blob:` and inline code are not
/// needed. Thumbnails given with another public origin need that origin here as well: better give them relative.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self'; \
    style-src 'self'; base-uri 'none'; form-action 'none'";

/// A file below `/assets/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    pub media_type: &'static str,
    pub text: &'static str,
}

/// The file of that name, if there is one.
pub fn asset(name: &str) -> Option<Asset> {
    let (media_type, text) = match name {
        "azulejo.css" => ("text/css; charset=utf-8", include_str!("azulejo.css")),
        "close.js" => ("text/javascript; charset=utf-8", include_str!("close.js")),
        "icon.svg" => ("image/svg+xml", include_str!("icon.svg")),
        "index.js" => ("text/javascript; charset=utf-8", include_str!("index.js")),
        "viewer.js" => ("text/javascript; charset=utf-8", include_str!("viewer.js")),
        _ => return None,
    };
    Some(Asset { media_type, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names behind `assets/` in a page.
    fn linked_assets(page: &str) -> Vec<&str> {
        let after = page.split("\"assets/").skip(1);
        after.filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn every_asset_that_a_page_links_exists() {
        let index = html(&[], &[], "", None);
        assert_eq!(
            linked_assets(VIEW),
            ["icon.svg", "azulejo.css", "viewer.js"]
        );
        assert_eq!(
            linked_assets(&index),
            ["icon.svg", "azulejo.css", "index.js"]
        );
        for name in linked_assets(VIEW).into_iter().chain(linked_assets(&index)) {
            assert!(asset(name).is_some(), "{name}");
        }
    }

    #[test]
    fn an_unknown_asset_is_none() {
        assert_eq!(asset("../mod.rs"), None);
        assert_eq!(asset(""), None);
    }

    #[test]
    fn no_page_has_inline_code_that_the_policy_forbids() {
        for page in [VIEW, &html(&[], &[], "", None)] {
            for forbidden in [
                "<style",
                " style=",
                " onclick=",
                " onload=",
                "<script>",
                "javascript:",
            ] {
                assert!(!page.contains(forbidden), "{forbidden}");
            }
        }
    }
}
