//! The integration tests: one binary, so that it is linked once.

mod canonical;
#[path = "../common/chart.rs"]
mod chart;
mod format;
mod golden;
mod identifier;
mod order;
mod quality;
mod region;
mod rotation;
mod server;
mod size;
mod steps;
mod tiles;
mod uri;
