//! The ICC profile, which is cut into APP2 segments (ICC.1:2022, annex B.4).

use std::sync::Arc;

/// Collects the pieces in whatever order they come.
#[derive(Default)]
pub struct Pieces {
    count: u8,
    pieces: Vec<(u8, Vec<u8>)>,
    broken: bool,
}

pub const SIGNATURE: &[u8] = b"ICC_PROFILE\0";

impl Pieces {
    /// Takes the payload of an APP2 segment, if it holds a piece.
    pub fn add(&mut self, payload: &[u8]) {
        let Some([number, count, data @ ..]) = payload.strip_prefix(SIGNATURE) else {
            return;
        };
        let known = self.pieces.iter().any(|(known, _)| known == number);
        let same_count = self.pieces.is_empty() || self.count == *count;
        self.broken |= known || !same_count || *number == 0 || number > count;
        self.count = *count;
        if !self.broken {
            self.pieces.push((*number, data.to_vec()));
        }
    }

    /// The profile, if every piece came exactly once. Otherwise none, as in libjpeg: without it the colours are a
    /// little off, with pieces of it they would be wrong.
    pub fn into_profile(mut self) -> Option<Arc<[u8]>> {
        if self.broken || self.pieces.is_empty() || self.pieces.len() != usize::from(self.count) {
            return None;
        }
        self.pieces.sort_unstable_by_key(|(number, _)| *number);
        let profile: Vec<u8> = self.pieces.into_iter().flat_map(|(_, data)| data).collect();
        Some(profile.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile_of(pieces: &[&[u8]]) -> Option<Vec<u8>> {
        let mut collected = Pieces::default();
        for piece in pieces {
            collected.add(&[SIGNATURE, piece].concat());
        }
        collected.into_profile().map(|profile| profile.to_vec())
    }

    #[test]
    fn pieces_are_joined_by_number() {
        assert_eq!(
            profile_of(&[b"\x02\x02cd", b"\x01\x02ab"]).unwrap(),
            b"abcd"
        );
        assert_eq!(profile_of(&[b"\x01\x01abcd"]).unwrap(), b"abcd");
    }

    #[test]
    fn an_incomplete_or_contradictory_profile_is_none() {
        let broken: [&[&[u8]]; 6] = [
            &[],
            &[b"\x01\x02ab"],
            &[b"\x01\x02ab", b"\x01\x02ab"],
            &[b"\x01\x02ab", b"\x02\x03cd"],
            &[b"\x00\x01ab"],
            &[b"\x02\x01ab"],
        ];
        for pieces in broken {
            assert_eq!(profile_of(pieces), None, "{pieces:?}");
        }
    }
}
