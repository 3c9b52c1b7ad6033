//! Who may see what: rules at the door.

mod agreement;
mod credentials;
mod external;
mod model;
mod origins;
mod rules;
mod tiers;
