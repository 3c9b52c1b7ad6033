//! The schema of the configuration: generated from the structs, and asked for the keys and what each allows.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value};

use super::layers::join;
use super::{Config, formats};

/// The JSON Schema of the whole configuration, sections written out in place.
pub fn schema() -> Value {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(RecursiveTransform(tidy))
        .into_generator()
        .into_root_schema_for::<Config>()
        .to_value()
}

/// Leaves out what says nothing to someone who writes TOML: there is no null, whole sections have no default of
/// interest, and the width of an integer in memory is given by its bounds.
fn tidy(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if matches!(schema.get("default"), Some(Value::Null | Value::Object(_))) {
        schema.remove("default");
    }
    if text(schema, "format").is_some_and(|name| name.starts_with("uint")) {
        schema.remove("format");
    }
    if let Some(description) = text(schema, "description").map(one_line_a_paragraph) {
        schema.insert("description".to_owned(), description.into());
    }
}

fn one_line_a_paragraph(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|lines| lines.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn text<'a>(schema: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    schema.get(name).and_then(Value::as_str)
}

/// A section of the configuration: its name as in `[cache.redis]`, and its schema.
pub struct Section<'a> {
    pub name: String,
    pub schema: &'a Value,
    pub number: Number,
}

/// How often a section can stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Once; without it, its keys have their defaults.
    One,
    /// Once for each name that stands in place of `NAME`.
    Named,
    /// As an element of a list: `[[routes]]`.
    Listed,
}

impl Section<'_> {
    /// As it begins in a file.
    pub fn heading(&self) -> String {
        match self.number {
            Number::One | Number::Named => format!("[{}]", self.name),
            Number::Listed => format!("[[{}]]", self.name),
        }
    }
}

/// Stands for the name of a section that is named by the one who writes it.
const NAME: &str = "NAME";

/// A key of a section: its name and its schema.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    pub name: &'a str,
    pub schema: &'a Value,
}

/// All sections in the order of the structs, each before those within it.
pub fn sections(schema: &Value) -> Vec<Section<'_>> {
    let mut found = Vec::new();
    collect_sections("", schema, &mut found);
    found
}

fn collect_sections<'a>(above: &str, schema: &'a Value, found: &mut Vec<Section<'a>>) {
    for Entry { name, schema } in properties(schema) {
        let name = join(above, name);
        let Some((name, schema, number)) = section(name, schema) else {
            continue;
        };
        // One that only holds others has nothing to say itself.
        if entries(schema).next().is_some() {
            let name = name.clone();
            found.push(Section {
                name,
                schema,
                number,
            });
        }
        collect_sections(&name, schema, found);
    }
}

/// `None` if it is a key. The description of a named or listed section is that of one element.
fn section(name: String, schema: &Value) -> Option<(String, &Value, Number)> {
    let has_keys = |schema: &&Value| schema.get("properties").is_some();
    if has_keys(&schema) {
        return Some((name, schema, Number::One));
    }
    if let Some(schema) = schema.get("additionalProperties").filter(has_keys) {
        return Some((join(&name, NAME), schema, Number::Named));
    }
    let schema = schema.get("items").filter(has_keys)?;
    Some((name, schema, Number::Listed))
}

/// The keys of a section's schema, in the order of the struct, without the sections within it.
pub fn entries(section: &Value) -> impl Iterator<Item = Entry<'_>> {
    let is_key = |entry: &Entry<'_>| self::section(String::new(), entry.schema).is_none();
    properties(section).filter(is_key)
}

fn properties(schema: &Value) -> impl Iterator<Item = Entry<'_>> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| Entry { name, schema })
}

/// All keys as `section.key`.
pub fn keys(schema: &Value) -> Vec<String> {
    let of_section = |section: &Section<'_>| {
        let names = entries(section.schema).map(|key| join(&section.name, key.name));
        names.collect::<Vec<_>>()
    };
    sections(schema).iter().flat_map(of_section).collect()
}

/// The innermost section that a key stands in, whether the key exists or not.
pub fn section_of<'a>(schema: &'a Value, key: &str) -> Option<Section<'a>> {
    let is_within = |section: &Section<'_>| holds(&section.name, key);
    sections(schema).into_iter().rfind(is_within)
}

fn holds(section: &str, key: &str) -> bool {
    let mut parts = key.split('.');
    let is_same = |name| {
        parts
            .next()
            .is_some_and(|part| name == NAME || name == part)
    };
    section.split('.').all(is_same) && parts.next().is_some()
}

/// The schema of a section, of `section.key`, or of an element `section.key.3` of a list.
pub fn find<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(schema, |schema, name| {
        let property = schema
            .get("properties")
            .and_then(|properties| properties.get(name));
        let named = || {
            schema
                .get("additionalProperties")
                .filter(|it| it.is_object())
        };
        let element = || schema.get("items");
        let of_element = || element()?.get("properties")?.get(name);
        property.or_else(named).or_else(of_element).or_else(element)
    })
}

impl Entry<'_> {
    pub fn description(&self) -> &str {
        description(self.schema)
    }

    /// The value that stands if none is given.
    pub fn default(&self) -> Option<&Value> {
        self.schema.get("default")
    }

    /// Whether it must not be printed.
    pub fn is_secret(&self) -> bool {
        is_secret(self.schema)
    }

    /// A value as one could be written.
    pub fn example(&self) -> Option<&Value> {
        self.schema
            .get("examples")
            .and_then(|examples| examples.get(0))
    }
}

/// The doc comment; empty if there is none.
pub fn description(schema: &Value) -> &str {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Whether a value must not be printed.
pub fn is_secret(schema: &Value) -> bool {
    schema.get("writeOnly").and_then(Value::as_bool) == Some(true)
}

/// Whether a value can be a text, a list and so on.
pub fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|each| each == name),
        Some(only) => only == name,
        None => false,
    }
}

/// What is allowed, in words that follow "must be".
pub fn rule(schema: &Value) -> String {
    if let Some(Value::Array(words)) = schema.get("enum") {
        return list_of_words(words);
    }
    let format = schema
        .get("format")
        .and_then(Value::as_str)
        .and_then(formats::find);
    if let Some(format) = format {
        return format.rule.to_owned();
    }
    if has_type(schema, "integer") {
        return range(schema);
    }
    if has_type(schema, "boolean") {
        return "true or false".to_owned();
    }
    if let Some(items) = schema.get("items") {
        return format!("a list, each element {}", rule(items));
    }
    if has_type(schema, "object") {
        return "a section with keys of its own".to_owned();
    }
    "a text".to_owned()
}

fn list_of_words(words: &[Value]) -> String {
    let text = |word: &Value| {
        word.as_str()
            .map_or_else(|| word.to_string(), str::to_owned)
    };
    let words: Vec<String> = words.iter().map(text).collect();
    words.join(" or ")
}

fn range(schema: &Value) -> String {
    let bound = |name| schema.get(name).and_then(Value::as_u64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
        (Some(least), None) => format!("a whole number of at least {least}"),
        _ => "a whole number".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented_and_has_a_default_or_an_example() {
        let schema = schema();
        for section in sections(&schema) {
            assert_ne!(description(section.schema), "", "{}", section.name);
            for key in entries(section.schema) {
                let name = join(&section.name, key.name);
                assert_ne!(key.description(), "", "{name}");
                assert!(key.default().or(key.example()).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn every_format_of_the_schema_is_known() {
        let schema = schema();
        for key in keys(&schema) {
            let property = find(&schema, &key).unwrap();
            for schema in [Some(property), property.get("items")]
                .into_iter()
                .flatten()
            {
                let name = schema.get("format").and_then(Value::as_str);
                assert!(
                    name.is_none_or(|name| formats::find(name).is_some()),
                    "{key}"
                );
            }
        }
    }

    #[test]
    fn rules_are_sentences() {
        let schema = schema();
        let rule_of = |key| rule(find(&schema, key).unwrap());
        assert_eq!(
            rule_of("encode.jpeg_quality"),
            "a whole number from 1 to 100"
        );
        assert_eq!(rule_of("log.format"), "text or json");
        assert_eq!(rule_of("composites.unauthorized"), "401 or 403");
        assert_eq!(rule_of("server.unescaped_slashes"), "true or false");
        assert_eq!(rule_of("source.root"), "a text");
        assert!(
            rule_of("server.trusted_proxies").starts_with("a list, each element an IP address")
        );
        assert!(rule_of("server.trusted_proxies.7").starts_with("an IP address"));
    }
}
