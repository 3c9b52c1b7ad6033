//! Azulejo, an IIIF image server.
#![deny(unsafe_code)]

pub mod cli;
pub mod config;
pub mod decode;
pub mod encode;
pub mod ffi;
pub mod geometry;
pub mod http;
pub mod iiif;
pub mod input;
pub mod orientation;
pub mod pipeline;
pub mod raster;
pub mod source;
pub mod telemetry;
pub mod work;
