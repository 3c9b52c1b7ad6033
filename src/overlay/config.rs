//! Settings of overlays.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::config::hex_color::HexColor;

/// One overlay: an image or a text that is drawn on images, as a watermark is. It is drawn on every answer of its own: on each tile, too.
/// Rules name the overlays of their images (`access.rules`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OverlayConfig {
    /// A file in a format that images are read from. It is read at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "/etc/azulejo/logo.png")]
    pub image: Option<PathBuf>,

    /// One line of text, in place of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500), example = "© Example Library")]
    pub text: Option<String>,

    /// The font of the text, as TrueType or OpenType. Without one, a font of the system is taken: DejaVu Sans, Liberation Sans or Noto Sans.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")]
    pub font: Option<PathBuf>,

    /// The height of the text's line in pixels, where there is no `width`.
    #[schemars(range(min = 4, max = 1_000))]
    pub font_size: u32,

    /// The colour of the text.
    pub color: HexColor,

    /// From 0, which cannot be seen, to 1, which lets nothing through.
    #[schemars(range(min = 0.0, max = 1.0), transform = any_number)]
    pub opacity: f64,

    /// Where it stands on the answer, or `repeat`: all over it.
    pub position: Position,

    /// Pixels between it and the edges of the answer; of one that is repeated, between it and the next.
    #[schemars(range(max = 10_000))]
    pub inset: u32,

    /// Its width as a part of the answer's, so that it grows with it. Without one it is as large as it is, and shrunk to fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.001, max = 1.0), transform = any_number, example = 0.25)]
    pub width: Option<f64>,

    /// Answers that are less wide are left alone.
    pub min_width: u32,

    /// Answers that are less high are left alone.
    pub min_height: u32,
}

/// How many bits a number has is nothing to those who write it.
fn any_number(schema: &mut Schema) {
    schema.remove("format");
}

/// A place on an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    TopLeft,
    Top,
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    #[default]
    BottomRight,
    Repeat,
}

impl Default for OverlayConfig {
    fn default() -> Self {
        Self {
            image: None,
            text: None,
            font: None,
            font_size: 24,
            color: HexColor::WHITE,
            opacity: 1.0,
            position: Position::default(),
            inset: 10,
            width: None,
            min_width: 0,
            min_height: 0,
        }
    }
}
