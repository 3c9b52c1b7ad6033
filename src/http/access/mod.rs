//! Who may see what, at the door: before anything is opened and any cache is asked.

mod asked;
mod decide;
mod flow;
pub(super) mod origins;
mod protect;
mod visitor;

pub(super) use asked::Asked;
pub(super) use decide::{Door, view};
pub(super) use flow::routes;
pub(super) use protect::{found, protect, protect_list};
