//! What pages of PDF documents look like as images, and what rendering them may cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::byte_size::{self, ByteSize};

/// PDF documents: each page is an image, rendered as large as a request needs it, but never larger than at `resolution`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PdfLimits {
    /// Pixels per inch of the full image of a page: a page of 8.5 by 11 inches is 2550 by 3300 pixels at 300.
    #[schemars(range(min = 18, max = 2400))]
    pub resolution: u32,

    /// What a page is that is nothing but one upright image, as scanners make them: `rendered` like any other at `resolution`, or
    /// the image itself with its `native` pixels.
    pub scans: Scans,

    /// Bytes of the largest document. Each process that renders one holds all of it.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub file_bytes: u64,

    /// Pages of the longest document.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub pages: u32,

    /// Memory for one process that renders, besides the document itself. There are at most twice as many as processor cores, all of
    /// which may work at a time; this memory does not count as that of `[work]`.
    #[serde(with = "byte_size")]
    #[schemars(with = "ByteSize")]
    pub memory: u64,

    /// Seconds that rendering of one window of a page may take, and opening a document. What takes longer is ended, and the page
    /// answered as broken, unless the machine was too busy to let it work.
    #[schemars(range(min = 1, max = 3600))]
    pub seconds: u32,
}

/// What pages are that consist of one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scans {
    #[default]
    Rendered,
    Native,
}

impl PdfLimits {
    pub const DEFAULT: Self = Self {
        resolution: 300,
        scans: Scans::Rendered,
        file_bytes: 512 << 20,
        pages: 10_000,
        memory: 1 << 30,
        seconds: 20,
    };
}

impl Default for PdfLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
