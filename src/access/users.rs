//! Those who log in with a password.

use std::collections::{BTreeMap, BTreeSet};

use super::services::config::UserConfig;

pub struct Users(BTreeMap<String, UserConfig>);

impl Users {
    pub fn new(users: &BTreeMap<String, UserConfig>) -> Self {
        Self(users.clone())
    }

    /// Whether this is a user's password. Takes tens of milliseconds and 19 MiB, and no less with a name that nobody has: what is hashed then is
    /// compared with the password of somebody else, and the answer is no.
    pub fn is_password(&self, name: &str, password: &[u8]) -> bool {
        let user = self.0.get(name);
        let compared = user.or_else(|| self.0.values().next());
        let is_right = compared.is_some_and(|it| it.password_hash.is_of(password));
        is_right && user.is_some()
    }

    /// `None` if there is no such user.
    pub fn roles_of(&self, name: &str) -> Option<BTreeSet<String>> {
        let user = self.0.get(name)?;
        Some(user.roles.iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::secret_hash::SecretHash;

    #[test]
    fn the_password_is_that_of_the_user() {
        let user = |password: &[u8], role: &str| UserConfig {
            password_hash: SecretHash::of(password).unwrap().parse().unwrap(),
            roles: vec![role.to_owned()],
        };
        let known = [("ann", user(b"a", "staff")), ("ben", user(b"b", "guest"))];
        let users = Users::new(&known.map(|(name, user)| (name.to_owned(), user)).into());
        let staff = BTreeSet::from(["staff".to_owned()]);
        assert!(users.is_password("ann", b"a"));
        assert_eq!(users.roles_of("ann"), Some(staff));
        assert_eq!(users.roles_of("nobody"), None);
        for (name, password) in [("ann", "b"), ("ben", "a"), ("nobody", "a"), ("", "a")] {
            assert!(!users.is_password(name, password.as_bytes()), "{name}");
        }
    }
}
