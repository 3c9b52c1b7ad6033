//! API keys: secrets that programs show with each request.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::token::Token;

/// An API key: a secret that a program sends as `X-Api-Key: SECRET`, or as `Authorization: Bearer SECRET`, and what it opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// The secret. It is never printed; better than in a file it stands in the environment.
    #[schemars(
        with = "String",
        extend("format" = "secret-token", "writeOnly" = true, "examples" = ["the output of: openssl rand -hex 32"])
    )]
    pub secret: Token,

    /// The roles of whoever sends it.
    #[schemars(extend("minItems" = 1, "examples" = [["staff"]]))]
    pub roles: Vec<String>,
}

/// All keys.
pub struct Keys(Vec<KeyConfig>);

impl Keys {
    pub fn new(config: &BTreeMap<String, KeyConfig>) -> Self {
        Self(config.values().cloned().collect())
    }

    /// The roles that this text opens. `None` if it is no key.
    ///
    /// Every key is compared with it, so that the time that it takes does not tell which of them it is near to.
    pub fn roles(&self, given: &[u8]) -> Option<BTreeSet<String>> {
        let is_it = |key: &&KeyConfig| key.secret.is(given);
        let matching: Vec<&KeyConfig> = self.0.iter().filter(is_it).collect();
        let roles = || matching.iter().flat_map(|key| key.roles.iter().cloned());
        (!matching.is_empty()).then(|| roles().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        let key = |secret: &str, roles: &[&str]| KeyConfig {
            secret: secret.parse().unwrap(),
            roles: roles.iter().map(ToString::to_string).collect(),
        };
        let named = [
            ("first", key("0123456789abcdef", &["staff", "maps"])),
            ("second", key("fedcba9876543210", &["maps"])),
            ("again", key("fedcba9876543210", &["letters"])),
        ];
        Keys::new(&named.map(|(name, key)| (name.to_owned(), key)).into())
    }

    fn roles(given: &str) -> Option<Vec<String>> {
        let roles = keys().roles(given.as_bytes())?;
        Some(roles.into_iter().collect())
    }

    #[test]
    fn a_key_has_its_roles() {
        let of = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
        assert_eq!(roles("0123456789abcdef"), of(&["maps", "staff"]));
        assert_eq!(roles("fedcba9876543210"), of(&["letters", "maps"]));
    }

    #[test]
    fn anything_else_is_no_key() {
        for wrong in [
            "",
            "0123456789abcde",
            "0123456789abcdef ",
            "0123456789ABCDEF",
            "0123456789abcdeffedcba9876543210",
        ] {
            assert_eq!(roles(wrong), None, "{wrong:?}");
        }
        assert_eq!(Keys::new(&BTreeMap::new()).roles(b""), None);
    }
}
