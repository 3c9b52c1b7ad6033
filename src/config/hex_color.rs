//! A colour written as in a style sheet.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::formats::Invalid;

/// An opaque sRGB colour: `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HexColor([u8; 3]);

impl HexColor {
    pub const BLACK: Self = Self([0; 3]);
    pub const WHITE: Self = Self([255; 3]);

    /// Red, green and blue.
    pub const fn rgb(self) -> [u8; 3] {
        self.0
    }
}

impl FromStr for HexColor {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text
            .strip_prefix('#')
            .ok_or(Invalid("it does not begin with #"))?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Invalid("after # there must be six hexadecimal digits"));
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| Invalid("it is no number"))?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for HexColor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl TryFrom<String> for HexColor {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<HexColor> for String {
    fn from(color: HexColor) -> Self {
        color.to_string()
    }
}

impl JsonSchema for HexColor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HexColor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "hex-color"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_make_a_color() {
        assert_eq!("#10A0ff".parse::<HexColor>().unwrap().rgb(), [16, 160, 255]);
        assert_eq!(
            "#10A0ff".parse::<HexColor>().unwrap().to_string(),
            "#10a0ff"
        );
        for wrong in [
            "",
            "#",
            "white",
            "10a0ff",
            "#fff",
            "#+10a0f",
            "#10a0ff00",
            "#ßßß",
        ] {
            assert!(wrong.parse::<HexColor>().is_err(), "{wrong}");
        }
    }
}
