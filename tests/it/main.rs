//! The integration tests: one binary, so that it is linked once.

#[path = "../common/chart.rs"]
mod chart;
mod golden;
mod identifier;
mod region;
mod rotation;
mod server;
mod size;
mod steps;
mod uri;
