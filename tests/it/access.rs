//! Who may see what: rules at the door.

mod credentials;
mod external;
mod origins;
mod rules;
mod tiers;
