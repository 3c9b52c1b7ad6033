//! What a credential says of the one who shows it.

use std::collections::BTreeSet;

/// What is known of somebody, once it has been found true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Who it is, in the words of whoever says so; for the log alone.
    pub subject: Option<String>,
    pub roles: BTreeSet<String>,
}
