//! The path below `/iiif/{version}/`, still percent-encoded (Image API 3.0, section 2).

use percent_encoding::percent_decode_str;

use crate::iiif::Version;

/// What stands before these paths.
pub const fn prefix(version: Version) -> &'static str {
    match version {
        Version::V2 => "/iiif/2/",
        Version::V3 => "/iiif/3/",
    }
}

/// What stands before the paths of manifests.
pub const fn manifests(version: Version) -> &'static str {
    match version {
        Version::V2 => "/presentation/2/",
        Version::V3 => "/presentation/3/",
    }
}

/// The identifier in the path of a manifest, as a raw segment. The inner `None` is the root folder, which has no identifier.
///
/// With `unescaped_slashes` the identifier may have several segments.
pub fn of_manifest(version: Version, path: &str, unescaped_slashes: bool) -> Option<Option<&str>> {
    let below = path.strip_prefix(manifests(version))?;
    if below == MANIFEST {
        return Some(None);
    }
    let identifier = below.strip_suffix(MANIFEST)?.strip_suffix('/')?;
    let is_one_segment = !identifier.contains('/');
    let is_allowed = is_one_segment || (unescaped_slashes && !identifier.ends_with('/'));
    (!identifier.is_empty() && is_allowed).then_some(Some(identifier))
}

const MANIFEST: &str = "manifest";

/// What a path asks for; the parts are raw path segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// The base URI of an image (U04).
    Base { identifier: &'a str },
    /// Its `info.json` (U02).
    Information { identifier: &'a str },
    /// An image: region, size, rotation, quality.format (U01).
    Image {
        identifier: &'a str,
        parameters: [&'a str; 4],
    },
}

impl<'a> Call<'a> {
    /// `None` if the path has too few or too many segments (U05).
    ///
    /// With `unescaped_slashes` the identifier may have several segments: the path is read from its end (E09).
    pub fn parse(path: &'a str, unescaped_slashes: bool) -> Option<Self> {
        let call = if is_information(path) {
            let (identifier, _) = path.rsplit_once('/')?;
            Self::Information { identifier }
        } else {
            image(path).unwrap_or(Self::Base { identifier: path })
        };
        let identifier = call.identifier();
        let is_one_segment = !identifier.contains('/');
        let is_allowed = is_one_segment || (unescaped_slashes && !identifier.ends_with('/'));
        (!identifier.is_empty() && is_allowed).then_some(call)
    }

    pub fn identifier(self) -> &'a str {
        match self {
            Self::Base { identifier }
            | Self::Information { identifier }
            | Self::Image { identifier, .. } => identifier,
        }
    }
}

fn is_information(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or(path);
    path.contains('/') && percent_decode_str(last).eq(*b"info.json")
}

fn image(path: &str) -> Option<Call<'_>> {
    let mut parts = path.rsplitn(5, '/');
    let quality = parts.next()?;
    let rotation = parts.next()?;
    let size = parts.next()?;
    let region = parts.next()?;
    let identifier = parts.next()?;
    Some(Call::Image {
        identifier,
        parameters: [region, size, rotation, quality],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u01_u02_u04_the_three_kinds_of_paths() {
        let image = Call::Image {
            identifier: "a%2Fb",
            parameters: ["full", "max", "0", "default.jpg"],
        };
        assert_eq!(
            Call::parse("a%2Fb/full/max/0/default.jpg", false),
            Some(image)
        );
        let information = Some(Call::Information { identifier: "x" });
        assert_eq!(Call::parse("x/info.json", false), information);
        assert_eq!(Call::parse("x/info%2Ejson", false), information);
        assert_eq!(
            Call::parse("x", false),
            Some(Call::Base { identifier: "x" })
        );
    }

    #[test]
    fn u05_e09_other_numbers_of_segments_are_nothing() {
        for path in [
            "",
            "/",
            "x/",
            "/info.json",
            "a/b",
            "a/b/info.json",
            "x/full",
            "x/full/max",
            "x/full/max/0",
            "a/b/full/max/0/default.jpg",
            "x/full/max/0/default.jpg/",
            "/full/max/0/default.jpg",
        ] {
            assert_eq!(Call::parse(path, false), None, "{path}");
        }
    }

    #[test]
    fn the_paths_of_manifests() {
        let parse = |path, slashes| of_manifest(Version::V3, path, slashes);
        let one = "/presentation/3/a%2Fb/manifest";
        assert_eq!(parse(one, false), Some(Some("a%2Fb")));
        assert_eq!(parse("/presentation/3/manifest", false), Some(None));
        let several = "/presentation/3/a/b/manifest";
        assert_eq!(parse(several, false), None);
        assert_eq!(parse(several, true), Some(Some("a/b")));
        for path in [
            "/presentation/2/a/manifest",
            "/presentation/3/",
            "/presentation/3/a",
            "/presentation/3/a/manifest/",
            "/presentation/3/amanifest",
            "/presentation/3//manifest",
            "/presentation/3/a//manifest",
        ] {
            assert_eq!(parse(path, true), None, "{path}");
        }
    }

    #[test]
    fn e09_read_from_the_end_where_slashes_may_be_unescaped() {
        let identifier = |path| Call::parse(path, true).map(Call::identifier);
        assert_eq!(identifier("a/b/info.json"), Some("a/b"));
        assert_eq!(identifier("a/b/c/full/max/0/default.jpg"), Some("a/b/c"));
        assert_eq!(identifier("a/b"), Some("a/b"));
        assert_eq!(identifier("a/b/"), None);
    }
}
