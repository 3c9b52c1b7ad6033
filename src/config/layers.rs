//! The layers that values come from, and how they are laid over each other.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use config::builder::DefaultState;
use config::{
    ConfigBuilder, ConfigError, Environment, File, FileFormat, Value as Layered, ValueKind,
};
use serde_json::{Map, Value};

use super::Problem;
use super::schema::{find, has_type};

const PREFIX: &str = "AZULEJO";
/// The origin that the `config` crate notes at values of the environment. Those of flags are noted by us; those of the
/// file, which is handed over as text, have none.
const OF_ENVIRONMENT: &str = "the environment";

/// Everything that can give values, except the defaults.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    pub file: Option<PathBuf>,
    /// Names and values; what does not concern the configuration is left aside.
    pub environment: Vec<(String, String)>,
    pub flags: Vec<Flag>,
}

/// A value given on the command line.
#[derive(Clone, Debug)]
pub struct Flag {
    /// As the user wrote it: `--listen`.
    pub name: &'static str,
    pub key: &'static str,
    pub value: String,
}

/// What the layers give together.
#[derive(Debug, Default)]
pub struct Given {
    pub values: Value,
    /// For keys such as `server.listen`: the file, the environment variable, or the flag.
    pub origins: BTreeMap<String, String>,
}

impl Given {
    /// The value of a section, or of a key such as `server.listen`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        key.split('.')
            .try_fold(&self.values, |value, name| value.get(name))
    }
}

impl Layers {
    /// With the environment of this process.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        let readable = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            file,
            environment: env::vars_os().filter_map(readable).collect(),
            flags,
        }
    }

    /// All values in one tree, later layers over earlier ones.
    ///
    /// # Errors
    /// If the file cannot be read or is not TOML.
    pub fn merge(&self, schema: &Value) -> Result<Given, Box<Problem>> {
        let mut builder = config::Config::builder();
        if let Some(path) = &self.file {
            builder = builder.add_source(File::from_str(&read(path)?, FileFormat::Toml));
        }
        builder = builder.add_source(self.environment_source());
        let merged = self.with_flags(builder).and_then(|builder| builder.build());
        let merged = merged.map_err(|error| self.not_toml(&error))?;
        let mut given = Given::default();
        given.values = self.collect(merged.cache, "", schema, &mut given.origins);
        Ok(given)
    }

    /// Empty variables count as not set: that is how many launchers leave one out.
    fn environment_source(&self) -> Environment {
        let ours = self.environment.iter().filter(|(name, _)| is_setting(name));
        Environment::with_prefix(PREFIX)
            .prefix_separator("_")
            .separator("__")
            .ignore_empty(true)
            .source(Some(ours.cloned().collect()))
    }

    fn with_flags(
        &self,
        builder: ConfigBuilder<DefaultState>,
    ) -> Result<ConfigBuilder<DefaultState>, ConfigError> {
        self.flags.iter().try_fold(builder, |builder, flag| {
            let value = Layered::new(Some(&flag.name.to_owned()), flag.value.as_str());
            builder.set_override(flag.key, value)
        })
    }

    fn not_toml(&self, error: &ConfigError) -> Box<Problem> {
        let cause = match error {
            ConfigError::FileParse { cause, .. } => cause.to_string(),
            other => other.to_string(),
        };
        let file = self.file.as_deref().unwrap_or(Path::new("environment"));
        let remedy = format!("Correct what the parser found:\n{}", cause.trim_end());
        Box::new(Problem::of_file(file, "must be TOML", remedy))
    }

    /// The value as JSON, with the origin of each key noted.
    fn collect(
        &self,
        value: Layered,
        key: &str,
        schema: &Value,
        origins: &mut BTreeMap<String, String>,
    ) -> Value {
        let origin = value.origin().map(str::to_owned);
        match value.kind {
            ValueKind::Table(table) => {
                let sorted: BTreeMap<String, Layered> = table.into_iter().collect();
                let collected = sorted.into_iter().map(|(name, value)| {
                    let key = join(key, &name);
                    let value = self.collect(value, &key, schema, origins);
                    (name, value)
                });
                Value::Object(collected.collect::<Map<_, _>>())
            }
            kind => {
                let is_untyped = origin.is_some();
                origins.insert(key.to_owned(), self.origin_of(key, origin));
                let value = to_json(kind);
                if is_untyped {
                    typed(value, find(schema, key))
                } else {
                    value
                }
            }
        }
    }

    fn origin_of(&self, key: &str, origin: Option<String>) -> String {
        match origin.as_deref() {
            None => self
                .file
                .as_deref()
                .unwrap_or(Path::new(""))
                .display()
                .to_string(),
            Some(OF_ENVIRONMENT) => variable(key),
            Some(flag) => flag.to_owned(),
        }
    }
}

/// The environment variable of a key.
pub fn variable(key: &str) -> String {
    format!("{PREFIX}_{}", key.replace('.', "__").to_uppercase())
}

/// Whether a variable is meant as a setting. `AZULEJO_CONFIG` names the file. Kubernetes sets the variables of a
/// service called `azulejo` in every pod beside it (`AZULEJO_SERVICE_HOST`, `AZULEJO_PORT_8182_TCP`…): these are not
/// mistakes.
fn is_setting(name: &str) -> bool {
    let name = name.to_uppercase();
    let of_service = ["AZULEJO_SERVICE_", "AZULEJO_PORT_"];
    !matches!(name.as_str(), "AZULEJO_CONFIG" | "AZULEJO_PORT")
        && !of_service.iter().any(|start| name.starts_with(start))
}

fn read(path: &Path) -> Result<String, Box<Problem>> {
    fs::read_to_string(path).map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => {
                "There is no such file: check the path given by --config or AZULEJO_CONFIG."
                    .to_owned()
            }
            _ => format!("It cannot be read: {error}."),
        };
        Box::new(Problem::of_file(path, "must be a readable file", remedy))
    })
}

pub(super) fn join(key: &str, name: &str) -> String {
    if key.is_empty() {
        return name.to_owned();
    }
    format!("{key}.{name}")
}

fn to_json(kind: ValueKind) -> Value {
    match kind {
        ValueKind::Nil => Value::Null,
        ValueKind::Boolean(value) => value.into(),
        ValueKind::I64(value) => value.into(),
        ValueKind::U64(value) => value.into(),
        ValueKind::I128(value) => value.to_string().into(),
        ValueKind::U128(value) => value.to_string().into(),
        ValueKind::Float(value) => value.into(),
        ValueKind::String(value) => value.into(),
        ValueKind::Table(table) => table
            .into_iter()
            .map(|(name, value)| (name, to_json(value.kind)))
            .collect(),
        ValueKind::Array(values) => values
            .into_iter()
            .map(|value| to_json(value.kind))
            .collect(),
    }
}

/// A text of the environment or of a flag as the type that the schema asks for; as it is if that fails, to be reported
/// with the other problems. The elements of a list are separated by commas.
fn typed(value: Value, schema: Option<&Value>) -> Value {
    let (Value::String(text), Some(schema)) = (&value, schema) else {
        return value;
    };
    if has_type(schema, "string") {
        return value;
    }
    if has_type(schema, "array") {
        let elements = text
            .split(',')
            .map(str::trim)
            .filter(|element| !element.is_empty());
        return elements.map(str::to_owned).collect();
    }
    text.trim().parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_kubernetes_are_no_settings() {
        for name in [
            "AZULEJO_CONFIG",
            "AZULEJO_PORT",
            "AZULEJO_PORT_8182_TCP",
            "AZULEJO_SERVICE_HOST",
        ] {
            assert!(!is_setting(name), "{name}");
        }
        assert!(is_setting("AZULEJO_SERVER__LISTEN"));
    }

    #[test]
    fn a_key_has_one_variable() {
        assert_eq!(
            variable("decode.source_pixels"),
            "AZULEJO_DECODE__SOURCE_PIXELS"
        );
    }
}
