//! Who may post, and how it is shown.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::config::CompositesConfig;
use crate::config::secret_hash::SecretHash;

/// To hash a secret takes tens of milliseconds; one that was right is so until nobody has used it for so long. Hashes change with a new
/// process only.
const REMEMBERED: Duration = Duration::from_secs(3600);
const MOST: u64 = 1000;

/// Somebody who may post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    pub id: i64,
    /// Those that there are; without any, all are.
    pub spaces: Vec<u32>,
}

/// All customers.
pub struct Customers {
    known: Vec<(String, SecretHash, Customer)>,
    /// Digests of keys with their secrets that were right, and whose they are.
    right: Cache<[u8; 32], i64>,
    /// Of this process alone, so that the digests are of no use to anybody.
    salt: [u64; 4],
}

impl Customers {
    pub fn new(config: &CompositesConfig) -> Self {
        let known = config.customers.values().map(|customer| {
            let spaces = customer.spaces.clone();
            let id = customer.id.into();
            (
                customer.key.clone(),
                customer.secret_hash.clone(),
                Customer { id, spaces },
            )
        });
        let right = Cache::builder().max_capacity(MOST).time_to_idle(REMEMBERED);
        Self {
            known: known.collect(),
            right: right.build(),
            salt: [(); 4].map(|()| RandomState::new().build_hasher().finish()),
        }
    }

    /// Whose a key and a secret are, if they were right a moment ago.
    pub fn remembered(&self, key: &str, secret: &[u8]) -> Option<Customer> {
        let id = self.right.get(&self.digest(key, secret))?;
        let mut known = self.known.iter();
        let (_, _, customer) = known.find(|(_, _, customer)| customer.id == id)?;
        Some(customer.clone())
    }

    /// Whose a key and a secret are. Takes tens of milliseconds.
    pub fn find(&self, key: &str, secret: &[u8]) -> Option<Customer> {
        let (hash, customer) = self.tried(key)?;
        let is_right = hash.is_of(secret);
        let customer = customer.filter(|_| is_right)?;
        self.right.insert(self.digest(key, secret), customer.id);
        Some(customer.clone())
    }

    /// What a secret is compared with, and whose it is then. With a key that nobody has, it takes as long, so that nobody can tell.
    fn tried(&self, key: &str) -> Option<(&SecretHash, Option<&Customer>)> {
        let mut known = self.known.iter();
        let (_, any, _) = self.known.first()?;
        let found = known.find(|(name, _, _)| name == key);
        let found = found.map(|(_, hash, customer)| (hash, Some(customer)));
        Some(found.unwrap_or((any, None)))
    }

    fn digest(&self, key: &str, secret: &[u8]) -> [u8; 32] {
        let mut digest = Sha256::new();
        for word in self.salt {
            digest.update(word.to_le_bytes());
        }
        digest.update(key.len().to_le_bytes());
        digest.update(key);
        digest.update(secret);
        digest.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::config::CustomerConfig;

    #[test]
    fn who_was_right_is_remembered_and_nobody_else() {
        let mut config = CompositesConfig::default();
        for (name, id, key, secret) in [("a", 7, "key", "secret"), ("b", 8, "keys", "ecret")] {
            let customer = CustomerConfig {
                id,
                key: key.to_owned(),
                secret_hash: SecretHash::of(secret.as_bytes()).unwrap().parse().unwrap(),
                spaces: vec![id],
            };
            config.customers.insert(name.to_owned(), customer);
        }
        let customers = Customers::new(&config);
        assert_eq!(customers.remembered("key", b"secret"), None);
        let customer = customers.find("key", b"secret").unwrap();
        assert_eq!((customer.id, &customer.spaces[..]), (7, &[7][..]));
        assert_eq!(customers.remembered("key", b"secret"), Some(customer));
        for (key, secret) in [
            ("key", "secre"),
            ("keys", "ecret"),
            ("keys", "secret"),
            ("other", "secret"),
            ("", ""),
        ] {
            assert_eq!(customers.remembered(key, secret.as_bytes()), None);
        }
        assert_eq!(customers.find("key", b"ecret"), None);
        let (hash, nobody) = customers.tried("other").unwrap();
        assert!(hash.is_of(b"secret"), "one is hashed all the same");
        assert_eq!(nobody, None);
        assert_eq!(customers.find("other", b"secret"), None);
        assert_eq!(customers.find("keys", b"ecret").unwrap().id, 8);
    }
}
