//! Azulejo, an IIIF image server.
//!
//! The modules in the order of the data: [`http`] parses the path into the types of [`iiif`]; [`pipeline`] walks the
//! request: [`source`] finds the image, [`decode`] reads its header, [`plan`] resolves the request to pixels, [`work`]
//! gives it a thread; [`decode`], [`transform`] and [`encode`] make the derivative. `ARCHITECTURE.md` tells it at length.
#![deny(unsafe_code)]

pub mod access;
mod breaker;
mod bucket;
mod budget;
pub mod cache;
mod causes;
pub mod cli;
mod client;
pub mod config;
pub mod decode;
pub mod encode;
pub mod error;
pub mod ffi;
mod files;
pub mod geometry;
pub mod http;
pub mod iiif;
pub mod ingest;
pub mod input;
mod machine;
pub mod orientation;
pub mod overlay;
pub mod page;
pub mod pipeline;
pub mod plan;
pub mod presentation;
pub mod pyramid;
pub mod queue;
pub mod raster;
pub mod registry;
pub mod resident;
pub mod route;
pub mod source;
pub mod telemetry;
pub mod tls;
pub mod transform;
pub mod view;
pub mod work;
