//! The configuration in effect, printed as a file that would give it.

use std::fmt::{self, Write};

use serde_json::Value;

use super::layers::join;
use super::schema::{Entry, entries, schema, sections};
use super::{Config, Loaded};

impl fmt::Display for Loaded {
    /// TOML, with the origin of every value as a comment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = values_of(&self.config).map_err(|_| fmt::Error)?;
        let schema = schema();
        for (index, section) in sections(&schema).iter().enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            writeln!(f, "[{}]", section.name)?;
            for key in entries(section.schema) {
                let value = value_of(&values, &join(&section.name, key.name));
                self.line(f, &section.name, key, value)?;
            }
        }
        Ok(())
    }
}

impl Loaded {
    fn line(
        &self,
        f: &mut fmt::Formatter<'_>,
        section: &str,
        key: Entry<'_>,
        value: &Value,
    ) -> fmt::Result {
        let name = key.name;
        let origin = self.origins.get(&format!("{section}.{name}"));
        let origin = origin.map_or("default", String::as_str);
        match value {
            Value::Null => writeln!(f, "# {name} is not set"),
            _ if key.is_secret() => writeln!(f, "# {name} is set, but not shown: {origin}"),
            value => writeln!(f, "{name} = {} # {origin}", as_toml(value)),
        }
    }
}

fn values_of(config: &Config) -> serde_json::Result<Value> {
    serde_json::to_value(config)
}

fn value_of<'a>(values: &'a Value, key: &str) -> &'a Value {
    key.split('.').fold(values, |value, name| &value[name])
}

/// A value as in the configuration file.
pub fn as_toml(value: &Value) -> String {
    toml::Value::try_from(value).map_or_else(|_| value.to_string(), |value| value.to_string())
}
