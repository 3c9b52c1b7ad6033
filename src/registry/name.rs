//! Identifiers that are made of locations.

use md5::{Digest, Md5};
use uuid::{Builder, Uuid};

/// The UUID of version 3 that Java's `UUID.nameUUIDFromBytes` makes of the UTF-8 bytes of a location: their MD5, without a
/// namespace. Anyone can make it again from the location, which cannot be had from it.
pub fn name_uuid(location: &str) -> Uuid {
    Builder::from_md5_bytes(Md5::digest(location).into()).into_uuid()
}

/// Whether an identifier is a UUID of version 3, but not that of the location.
pub fn contradicts(identifier: &str, location: &str) -> bool {
    let uuid = Uuid::try_parse(identifier).ok();
    let of_a_name = uuid.filter(|uuid| uuid.get_version_num() == 3);
    of_a_name.is_some_and(|uuid| uuid != name_uuid(location))
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

    #[test]
    fn only_a_uuid_of_version_3_can_contradict() {
        let location = "http://localhost:900/fcrepo/rest/image02";
        for (identifier, expected) in [
            ("9d04505e-6fc2-3275-bae8-d3e9be15afaf", false),
            ("9D04505E-6FC2-3275-BAE8-D3E9BE15AFAF", false),
            ("8cabeecc-d4b6-3365-a075-bacc30d082e3", true),
            ("0f7ad1d3-7ea0-4d9f-8f5e-3a2f6f1c9c55", false),
            ("image02", false),
        ] {
            assert_eq!(contradicts(identifier, location), expected, "{identifier}");
        }
    }
}
