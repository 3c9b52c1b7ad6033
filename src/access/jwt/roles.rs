//! Which roles a token gives.

use std::collections::BTreeSet;

use serde_json::Value;

/// The roles under a name; with dots in it, it may stand for a claim within another. A list of texts, or words in one text, as `scope` has them (RFC 8693, section 4.2).
pub fn roles(claims: &Value, path: &str) -> BTreeSet<String> {
    match find(claims, path) {
        Some(Value::Array(values)) => {
            let texts = values.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    }
}

/// Names with dots go first: some providers call their claims `https://example.org/roles`.
fn find<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| {
        let mut dots = path.match_indices('.');
        dots.find_map(|(dot, _)| find(claims.get(&path[..dot])?, &path[dot + 1..]))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(claims: &Value, path: &str) -> Vec<String> {
        roles(claims, path).into_iter().collect()
    }

    #[test]
    fn roles_are_a_list_or_words_anywhere() {
        let claims = json!({
            "roles": ["staff", "maps", "staff", 7, null],
            "scope": " read  write ",
            "realm_access": {"roles": ["a b"], "x.y": {"z": "deep"}},
            "https://example.org/roles": ["named"],
        });
        assert_eq!(of(&claims, "roles"), ["maps", "staff"]);
        assert_eq!(of(&claims, "scope"), ["read", "write"]);
        assert_eq!(of(&claims, "realm_access.roles"), ["a b"]);
        assert_eq!(of(&claims, "realm_access.x.y.z"), ["deep"]);
        assert_eq!(of(&claims, "https://example.org/roles"), ["named"]);
    }

    #[test]
    fn anything_else_gives_none() {
        let claims = json!({"roles": {"staff": true}, "a": 7, "b": ["x"], "": {"": "y"}});
        for path in ["roles", "a", "a.b", "b.0", "c", ".", "..", "roles.staff"] {
            let none: &[&str] = if path == "." { &["y"] } else { &[] };
            assert_eq!(of(&claims, path), none, "{path}");
        }
        assert!(of(&json!(["roles"]), "roles").is_empty());
    }
}
