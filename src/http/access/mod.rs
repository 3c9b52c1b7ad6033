//! Who may see what, at the door: before anything is opened and any cache is asked.

mod address;
mod asked;
mod decide;
mod flow;
pub(super) mod origins;
mod protect;
mod sign;
mod visitor;

pub use sign::sign;

pub(super) use address::warn_of_address;
pub(super) use asked::Asked;
pub(super) use decide::{Door, is_told_of, view};
pub(super) use flow::{described, routes};
pub(super) use protect::{found, protect, protect_list};
