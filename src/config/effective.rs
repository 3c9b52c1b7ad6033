//! The configuration in effect, printed as a file that would give it.

use std::fmt;

use serde_json::Value;

use super::layers::join;
use super::schema::{Entry, Number, Section, entries, schema, sections};
use super::{Config, Loaded};

impl fmt::Display for Loaded {
    /// TOML, with the origin of every value as a comment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = values_of(&self.config).map_err(|_| fmt::Error)?;
        let schema = schema();
        let mut separator = "";
        for section in &sections(&schema) {
            for (heading, name, values) in instances(section, &values) {
                writeln!(f, "{separator}{heading}")?;
                separator = "\n";
                for key in entries(section.schema) {
                    self.line(f, &name, key, &values[key.name])?;
                }
            }
        }
        Ok(())
    }
}

/// Each time that a section stands there: its heading, the key that its origin is noted at, and its values.
fn instances<'a>(section: &Section<'_>, values: &'a Value) -> Vec<(String, String, &'a Value)> {
    let name = &section.name;
    match section.number {
        Number::One => vec![(section.heading(), name.clone(), value_of(values, name))],
        Number::Named => {
            let above = name.rsplit_once('.').map_or("", |(above, _)| above);
            let named = value_of(values, above).as_object().into_iter().flatten();
            let instance = |(each, values): (&String, &'a Value)| {
                let name = join(above, each);
                (format!("[{name}]"), name, values)
            };
            named.map(instance).collect()
        }
        Number::Listed => {
            let listed = value_of(values, name).as_array().into_iter().flatten();
            let instance = |values| (section.heading(), name.clone(), values);
            listed.map(instance).collect()
        }
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
        let path = join(section, name);
        let within = || {
            let start = format!("{path}.");
            let mut origins = self.origins.iter();
            let found = origins.find(|(key, _)| key.starts_with(&start));
            found.map(|(_, origin)| origin)
        };
        let of_key = self.origins.get(&path).or_else(within);
        // Of a list, only the whole has one.
        let origin = of_key.or_else(|| self.origins.get(section));
        let origin = origin.map_or("default", String::as_str);
        match value {
            Value::Null => writeln!(f, "# {name} is not set"),
            Value::Object(map) if map.is_empty() => writeln!(f, "# {name} is not set"),
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
