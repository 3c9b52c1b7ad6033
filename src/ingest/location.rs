//! How locations of files that are ours begin, and whose they are.

use uuid::Uuid;

/// What locations of such files begin with, before a path below the folder of composites.
pub const SCHEME: &str = "composites:";
/// The folder of members' files, below that of composites.
pub const MEMBERS: &str = "members";

/// What the locations of all files of a member begin with.
pub fn of_member(member: Uuid) -> String {
    format!("{SCHEME}{MEMBERS}/{member}/")
}

/// The member whose file it is.
pub fn member(location: &str) -> Option<Uuid> {
    let below = location.strip_prefix(SCHEME)?.strip_prefix(MEMBERS)?;
    let (member, _) = below.strip_prefix('/')?.split_once('/')?;
    Uuid::try_parse(member).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_member_are_known_by_their_locations() {
        let id = Uuid::from_u128(7);
        assert_eq!(member(&format!("{}1/document", of_member(id))), Some(id));
        for other in [
            "https://example.org/members/a/b",
            "composites:members/",
            "composites:members/x/document",
            "composites:ab/a.pdf",
        ] {
            assert_eq!(member(other), None, "{other}");
        }
    }
}
