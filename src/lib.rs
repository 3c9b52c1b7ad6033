//! Azulejo, an IIIF image server.
#![deny(unsafe_code)]

pub mod decode;
pub mod encode;
pub mod ffi;
pub mod geometry;
pub mod iiif;
pub mod input;
pub mod orientation;
pub mod raster;
pub mod transform;
