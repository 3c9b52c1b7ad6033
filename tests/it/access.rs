//! Who may see what: rules at the door.

mod rules;
mod tiers;
