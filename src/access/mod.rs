//! Who may see what, decided before anything is opened and any cache is asked. Nothing here knows of HTTP.

mod claims;
pub mod config;
mod decision;
pub mod keys;
mod moment;
mod rules;
pub mod signed;
mod subject;
mod visitor;

pub use claims::Claims;
pub use decision::{Decision, Outcome, Refusal};
pub use moment::Moment;
pub use rules::{Rule, Rules};
pub use subject::Subject;
pub use visitor::Visitor;
