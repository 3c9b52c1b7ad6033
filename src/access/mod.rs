//! Who may see what, decided before anything is opened and any cache is asked. Nothing here knows of HTTP.

pub mod config;
mod decision;
mod gate;
mod moment;
mod rules;
mod subject;
pub mod tier;
mod visitor;

pub use decision::{Decision, Outcome, Refusal};
pub use gate::Gate;
pub use moment::Moment;
pub use rules::{Rule, Rules};
pub use subject::Subject;
pub use visitor::Visitor;
