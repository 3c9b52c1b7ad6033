//! The integration tests: one binary, so that it is linked once.

#[path = "../common/chart.rs"]
mod chart;
mod cors;
mod errors;
mod golden;
mod information_2;
mod information_3;
mod levels;
mod link;
mod negotiation;
mod protocol;
mod security;
mod server;
