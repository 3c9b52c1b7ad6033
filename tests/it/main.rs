//! The integration tests: one binary, so that it is linked once.

mod admin;
mod cache;
mod canonical;
#[path = "../common/chart.rs"]
mod chart;
mod copied;
mod cors;
mod errors;
mod format;
mod golden;
mod identifier;
mod information_2;
mod information_3;
mod levels;
mod link;
mod metrics;
mod negotiation;
mod order;
mod process;
mod protocol;
mod proxy;
mod pyramids;
mod quality;
mod region;
mod rotation;
mod security;
mod server;
mod size;
mod steps;
mod tiles;
mod uri;
mod warm;
