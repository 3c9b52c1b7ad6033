//! Identifiers that are made of locations.

use md5::{Digest, Md5};
use uuid::{Builder, Uuid};

/// The UUID of version 3 that Java's `UUID.nameUUIDFromBytes` makes of the UTF-8 bytes of a location: their MD5, without a
/// namespace. Anyone can make it again from the location, which cannot be had from it.
pub fn name_uuid(location: &str) -> Uuid {
    Builder::from_md5_bytes(Md5::digest(location).into()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first is in the manual of the TAMU IR IIIF service, the second in its tests (F000-1).
    #[test]
    fn it_is_what_java_makes() {
        for (location, identifier) in [
            (
                "https://api-pre.library.tamu.edu/fcrepo/rest/bb/97/f2/3e/bb97f23e-803a-4bd6-8406-06802623554c/20/d5/bc/11/\
                 20d5bc11-1f51-487c-8ef6-00a5ece451aa/berger_cloonan_batch_5_objects/457/pages/page_0/files/00466.jpg",
                "8cabeecc-d4b6-3365-a075-bacc30d082e3",
            ),
            (
                "http://localhost:900/fcrepo/rest/image02",
                "9d04505e-6fc2-3275-bae8-d3e9be15afaf",
            ),
        ] {
            assert_eq!(name_uuid(location).to_string(), identifier);
        }
    }
}
