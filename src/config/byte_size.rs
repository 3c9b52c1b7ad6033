//! A number of bytes, written with a unit.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::formats::Invalid;

/// Powers of 1024 and, because people write them, powers of 1000; largest binary unit first, as `Display` tries them.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// At least one byte: `"512 MiB"`, `"2GB"` or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl FromStr for ByteSize {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor = factor(unit.trim()).ok_or(Invalid("its unit is unknown"))?;
        let number: u64 = number
            .parse()
            .map_err(|_| Invalid("it does not begin with a whole number"))?;
        match number.checked_mul(factor) {
            Some(0) => Err(Invalid("it is zero")),
            // A number in TOML or in the effective configuration is signed.
            Some(bytes) if bytes <= i64::MAX as u64 => Ok(Self(bytes)),
            _ => Err(Invalid("it is too large")),
        }
    }
}

fn factor(unit: &str) -> Option<u64> {
    if unit.is_empty() {
        return Some(1);
    }
    let same = |(name, _): &&(&str, u64)| name.eq_ignore_ascii_case(unit);
    UNITS.iter().find(same).map(|(_, factor)| *factor)
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS
            .iter()
            .find(|(_, factor)| self.0.is_multiple_of(*factor));
        let (unit, factor) = whole.unwrap_or(&("B", 1));
        write!(f, "{} {unit}", self.0 / factor)
    }
}

impl JsonSchema for ByteSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "integer"], "format": "byte-size", "minimum": 1, "maximum": i64::MAX})
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

/// For fields that are plain numbers in the code: `#[serde(with = "byte_size")]`.
///
/// # Errors
/// If it is not a size.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Number(bytes) => Ok(bytes),
        Written::Text(text) => text
            .parse()
            .map(|ByteSize(bytes)| bytes)
            .map_err(serde::de::Error::custom),
    }
}

/// # Errors
/// Never by itself.
pub fn serialize<S: Serializer>(bytes: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    ByteSize(*bytes).to_string().serialize(serializer)
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_a_unit() {
        for (text, bytes) in [
            ("1", 1),
            ("512 MiB", 512 << 20),
            ("2gib", 2 << 30),
            ("3 GB", 3_000_000_000),
            (" 10 B ", 10),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for wrong in [
            "",
            "0",
            "MiB",
            "1.5 GiB",
            "-1",
            "5 MiBs",
            "9999999 TiB",
            "1 2",
        ] {
            assert!(wrong.parse::<ByteSize>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_printed_exactly() {
        assert_eq!(ByteSize(2 << 30).to_string(), "2 GiB");
        assert_eq!(ByteSize(1_500_000).to_string(), "1500 kB");
        assert_eq!(ByteSize(1536).to_string(), "1536 B");
    }
}
