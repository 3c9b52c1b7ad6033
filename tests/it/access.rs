//! Who may see what: rules at the door.

mod origins;
mod rules;
mod tiers;
