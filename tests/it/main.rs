//! The integration tests: one binary, so that it is linked once.

#[path = "../common/chart.rs"]
mod chart;
mod golden;
mod server;
mod uri;
