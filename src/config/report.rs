//! What the validator found, as problems that say what to do.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::effective::as_toml;
use super::layers::{Given, join, variable};
use super::{Problem, formats, passwords, schema, suggest};

/// Knows what was given and what is allowed.
pub struct Reporter<'a> {
    pub given: &'a Given,
    pub schema: &'a Value,
}

impl Reporter<'_> {
    /// The problems that one finding stands for: it lists all unknown keys of a section together.
    pub fn problems(&self, error: &ValidationError<'_>) -> Vec<Problem> {
        let key = key_of(error.instance_path().as_str());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                .iter()
                .map(|name| self.unknown(&join(&key, name)))
                .collect(),
            ValidationErrorKind::Required { property } => {
                vec![self.missing(&key, property.as_str().unwrap_or_default())]
            }
            _ => vec![self.wrong(key, error.instance())],
        }
    }

    fn unknown(&self, key: &str) -> Problem {
        let is_section = !key.contains('.');
        let value = self.given.get(key);
        Problem {
            value: value
                .filter(|value| !value.is_object())
                .map(|value| self.shown(key, value)),
            origin: self.origin(key),
            rule: format!(
                "there is no such {}",
                if is_section { "section or key" } else { "key" }
            ),
            remedy: self.meant(key, value),
            key: key.to_owned(),
        }
    }

    /// A value as it was written, but none that is secret, or is likely to be one under a misspelt key.
    fn shown(&self, key: &str, value: &Value) -> String {
        let is_secret = |key: &str| schema::find(self.schema, key).is_some_and(schema::is_secret);
        let known = schema::keys(self.schema);
        let meant = suggest::nearest(key, &known).unwrap_or_default();
        let of_section = |section: &str| {
            known
                .iter()
                .any(|key| key.starts_with(section) && is_secret(key))
        };
        let section = key.split('.').next().unwrap_or_default();
        let is_unknown = schema::find(self.schema, key).is_none();
        let may_be = is_unknown && (is_secret(meant) || of_section(&format!("{section}.")));
        // A section that is left out, or that has another name than it may have.
        let has_secret_name = known
            .iter()
            .any(|known| is_secret(known) && last(known) == last(key));
        let is_within = key
            .match_indices('.')
            .any(|(end, _)| is_secret(&key[..end]));
        let has_keys = value.is_object();
        if is_secret(key) || may_be || has_secret_name || is_within || has_keys {
            return "(not shown)".to_owned();
        }
        passwords::hide(&as_toml(value))
    }

    fn meant(&self, key: &str, value: Option<&Value>) -> String {
        let known = match value {
            Some(Value::Object(_)) => self.section_names(),
            _ => schema::keys(self.schema),
        };
        if let Some(meant) = suggest::nearest(key, &known) {
            let meant = self.spelled(key, meant);
            return format!("Did you mean {meant}? Otherwise remove it.");
        }
        let (what, known) = match schema::section_of(self.schema, key) {
            Some(section) => ("keys of this section", names(section.schema)),
            None => ("sections", self.section_names()),
        };
        format!("Remove it. The {what} are: {}.", known.join(", "))
    }

    fn section_names(&self) -> Vec<String> {
        let sections = schema::sections(self.schema).into_iter();
        sections.map(|section| section.name).collect()
    }

    /// A key as one would write it in the layer that the other comes from.
    fn spelled(&self, given: &str, meant: &str) -> String {
        if self
            .origin(given)
            .is_some_and(|origin| origin == variable(given))
        {
            return variable(meant);
        }
        meant.to_owned()
    }

    /// Some keys are required beside another one, some in a section that need not be there.
    fn missing(&self, section: &str, name: &str) -> Problem {
        let key = join(section, name);
        let (rule, remedy) = match self.dependent_on(section, name) {
            Some(by) => (
                format!("{by} is set, and it requires {key} beside it"),
                format!("Set {key} as well, or remove {by}."),
            ),
            None => (
                "must be set".to_owned(),
                format!("Set it, or remove the section {section}."),
            ),
        };
        Problem {
            value: None,
            origin: self.origin(section),
            rule,
            remedy,
            key,
        }
    }

    fn dependent_on(&self, section: &str, name: &str) -> Option<String> {
        let rules = schema::find(self.schema, section)?
            .get("dependentRequired")?
            .as_object()?;
        let requires = |needed: &Value| {
            needed
                .as_array()
                .is_some_and(|names| names.iter().any(|each| each == name))
        };
        let mut keys = rules
            .iter()
            .filter(|(_, needed)| requires(needed))
            .map(|(by, _)| join(section, by));
        keys.find(|key| self.given.get(key).is_some())
    }

    fn wrong(&self, key: String, value: &Value) -> Problem {
        let schema = schema::find(self.schema, &key).unwrap_or(&Value::Null);
        Problem {
            value: Some(self.shown(&key, value)),
            origin: self.origin(&key),
            rule: rule_and_meaning(schema),
            remedy: self.remedy(&key, schema, value),
            key,
        }
    }

    fn remedy(&self, key: &str, schema: &Value, value: &Value) -> String {
        let format = schema
            .get("format")
            .and_then(Value::as_str)
            .and_then(formats::find);
        let reason = match (format, value) {
            (Some(format), Value::String(text)) => (format.check)(text).err(),
            _ => None,
        };
        let example = format.map(|format| Value::from(format.example));
        let example = example.as_ref().or_else(|| schema.get("default"));
        let mut remedy = reason
            .map(|reason| format!("This does not fit: {reason}. "))
            .unwrap_or_default();
        match example {
            Some(example) => {
                remedy += &format!("Write for example {}", self.assignment(key, example))
            }
            None => remedy += "Correct the value",
        }
        remedy + ", or remove it for the default."
    }

    fn assignment(&self, key: &str, example: &Value) -> String {
        match self.origin(key) {
            Some(origin) if origin == variable(key) => format!("{origin}={}", as_plain(example)),
            Some(origin) if origin.starts_with("--") => format!("{origin} {}", as_plain(example)),
            _ if is_element(key) => as_toml(example),
            _ => format!(
                "{} = {}",
                last_part(&key.replace('.', "/")),
                as_toml(example)
            ),
        }
    }

    /// Of the key itself, of the list that it is an element of, or of the first key within it.
    fn origin(&self, key: &str) -> Option<String> {
        let origins = &self.given.origins;
        let list = key.rsplit_once('.').map_or("", |(list, _)| list);
        let within = || {
            let start = format!("{key}.");
            let mut found = origins.iter().filter(|(key, _)| key.starts_with(&start));
            found.next().map(|(_, origin)| origin)
        };
        origins
            .get(key)
            .or_else(|| origins.get(list))
            .or_else(within)
            .cloned()
    }
}

/// As it was written, except for passwords.
fn names(schema: &Value) -> Vec<String> {
    schema::entries(schema)
        .map(|entry| entry.name.to_owned())
        .collect()
}

/// `/server/listen` as `server.listen`.
fn key_of(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn last_part(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or(pointer)
}

/// The last part of a key such as `server.listen`.
fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn is_element(key: &str) -> bool {
    key.rsplit('.')
        .next()
        .is_some_and(|part| part.parse::<usize>().is_ok())
}

/// The rule, and the first sentence of the doc comment.
fn rule_and_meaning(schema: &Value) -> String {
    let rule = format!("must be {}", schema::rule(schema));
    match schema::description(schema).split_inclusive(". ").next() {
        Some(meaning) => format!("{rule}. {}", meaning.trim_end()),
        None => rule,
    }
}

/// As in the environment and on the command line.
fn as_plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
