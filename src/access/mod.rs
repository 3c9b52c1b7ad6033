//! Who may see what, decided before anything is opened and any cache is asked. Nothing here knows of HTTP.

pub mod attempts;
mod check;
mod claims;
pub mod config;
mod decision;
pub mod external;
mod gate;
pub mod jwt;
pub mod keys;
mod moment;
pub mod oidc;
pub mod origin;
mod rules;
#[cfg(test)]
#[path = "../../tests/common/scripted_service.rs"]
mod service;
pub mod services;
pub mod session;
pub mod signed;
mod subject;
pub mod tier;
mod users;
mod visitor;

pub use check::problems;
pub use claims::Claims;
pub use decision::{Decision, Outcome, Refusal};
pub use gate::Gate;
pub use moment::Moment;
pub use rules::{Rule, Rules};
pub use subject::{Subject, is_spelling};
pub use visitor::Visitor;
