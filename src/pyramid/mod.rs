//! Pyramids for images that have none: made in the background, kept on disk.

mod bands;
mod coding;
mod halve;
mod need;
mod tiff;
mod writer;
