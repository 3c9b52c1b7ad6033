//! The C libraries, each behind a small safe interface. Nothing outside this module is `unsafe`.

#![allow(unsafe_code)]

pub mod openjpeg;
pub mod turbojpeg;
pub mod webp;
