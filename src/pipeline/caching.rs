//! Whether an answer may come from the cache.

/// How one request uses the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Caching {
    /// What is there is taken; what is made is stored.
    #[default]
    Use,
    /// Neither read nor stored.
    Bypass,
    /// Not read, but stored anew.
    Renew,
}
