//! Who may see what: rules at the door.

mod agreement;
mod credentials;
mod external;
mod model;
mod names;
mod origins;
mod registry;
mod rules;
mod tiers;
