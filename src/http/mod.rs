//! The server as HTTP sees it. Nothing outside this module knows of axum.

mod accept;
mod access;
pub mod admin;
mod app;
mod assets;
mod base;
mod caching;
pub mod clients;
mod conditional;
pub mod config;
mod connections;
mod credentials;
mod delivery;
mod disposition;
mod error;
mod explain;
mod health;
mod image;
mod index;
mod information;
mod ingest;
mod layers;
mod log;
pub mod manifest;
pub mod metrics;
pub mod pages;
mod path;
mod registry;
mod router;
mod serve;
mod stall;

pub use access::sign;
pub use app::App;
pub use explain::{Explained, explain};
pub use router::router;
pub use serve::serve;
