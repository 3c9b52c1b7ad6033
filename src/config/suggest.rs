//! What may have been meant by a key that does not exist.

use strsim::damerau_levenshtein;

/// The known key nearest to an unknown one, unless all are far away.
///
/// Keys are compared as a whole and by their last part, so that a key in the wrong section is found too; dots count
/// like underscores, so that `AZULEJO_SERVER_LISTEN` is understood.
pub fn nearest<'a>(unknown: &str, known: &'a [String]) -> Option<&'a str> {
    let distances = known
        .iter()
        .map(|key| (distance(unknown, key), key.as_str()));
    let (distance, key) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= allowed(unknown)).then_some(key)
}

fn distance(unknown: &str, known: &str) -> usize {
    let whole = damerau_levenshtein(&plain(unknown), &plain(known));
    // One more, so that among equals the key of the same section comes first.
    let last = damerau_levenshtein(&plain(last_part(unknown)), &plain(last_part(known))) + 1;
    whole.min(last)
}

fn plain(key: &str) -> String {
    key.to_lowercase().replace(['.', '-'], "_")
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn allowed(unknown: &str) -> usize {
    (last_part(unknown).len() / 3).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggested(unknown: &str) -> Option<String> {
        let known = [
            "server.listen",
            "server.public_url",
            "encode.jpeg_quality",
            "source.root",
        ]
        .map(str::to_owned);
        nearest(unknown, &known).map(str::to_owned)
    }

    #[test]
    fn a_near_key_is_found() {
        for (unknown, meant) in [
            ("server.lisetn", "server.listen"),
            ("server.public-url", "server.public_url"),
            ("server_listen", "server.listen"),
            ("listen", "server.listen"),
            ("image.jpeg_quality", "encode.jpeg_quality"),
            ("Server.Listen", "server.listen"),
        ] {
            assert_eq!(suggested(unknown).as_deref(), Some(meant), "{unknown}");
        }
    }

    #[test]
    fn a_far_key_is_not() {
        assert_eq!(suggested("server.colour"), None);
        assert_eq!(suggested("x"), None);
    }
}
