//! Who may see what, decided before anything is opened and any cache is asked. Nothing here knows of HTTP.

mod attempts;
pub mod config;
mod decision;
mod gate;
mod moment;
pub mod origin;
mod rules;
pub mod services;
pub mod session;
mod subject;
pub mod tier;
mod users;
mod visitor;

pub use decision::{Decision, Outcome, Refusal};
pub use gate::Gate;
pub use moment::Moment;
pub use rules::{Rule, Rules};
pub use subject::Subject;
pub use visitor::Visitor;
