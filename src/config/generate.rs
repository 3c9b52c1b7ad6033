//! Files that are made from the structs: a test compares them with what is in the repository.

use serde_json::Value;

use super::effective::as_toml;
use super::layers::{join, variable};
use super::schema::{Entry, Number, Section, description, entries, rule, schema, sections};

const WIDTH: usize = 100;

/// `config/schema.json`.
pub fn schema_json() -> String {
    format!("{:#}\n", schema())
}

/// `config/default.toml`: every key at its default.
pub fn default_toml() -> String {
    let mut text = comment(
        "Every setting of Azulejo at its default. Generated from src/: do not edit.",
        "# ",
    );
    for section in sections(&schema()) {
        let is_there = section.number == Number::One;
        text += &format!(
            "\n{}{}{}\n",
            comment(description(section.schema), "# "),
            if is_there { "" } else { "# " },
            section.heading()
        );
        for key in entries(section.schema) {
            let line = default_line(key);
            let line = if is_there || line.starts_with('#') {
                line
            } else {
                format!("# {line}")
            };
            text += &format!("\n{}{line}\n", comment(key.description(), "# "));
        }
    }
    text
}

/// Keys without a default stand as a comment, with an example.
fn default_line(key: Entry<'_>) -> String {
    match (key.default(), key.example()) {
        (Some(default), _) => format!("{} = {}", key.name, as_toml(default)),
        (None, Some(example)) => format!("# {} = {}", key.name, as_toml(example)),
        (None, None) => format!("# {} = ", key.name),
    }
}

fn comment(text: &str, prefix: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.len() + word.len() + prefix.len() >= WIDTH {
            lines.push(word.to_owned());
        } else if line.is_empty() {
            line.push_str(word);
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
        .iter()
        .map(|line| format!("{prefix}{line}\n"))
        .collect()
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from src/: do not edit. -->

Azulejo works without any configuration: `azulejo serve DIR`. Settings are given by, the later over the earlier:

1. the defaults below, which stand together in [config/default.toml](../config/default.toml);
2. a TOML file, named by `--config FILE` or the environment variable `AZULEJO_CONFIG`; no file is read unless named;
3. environment variables: `AZULEJO_`, the section, two underscores, the key, as in `AZULEJO_SERVER__LISTEN`. The elements
   of a list are separated by commas. An empty variable counts as not set;
4. arguments of the command line.

`azulejo config` prints the settings in effect and where each comes from. `azulejo check` only checks them. Unknown keys
are errors, and all problems are reported at once. Editors that know JSON Schema can complete and check the file with
[config/schema.json](../config/schema.json).
";

/// `docs/configuration.md`.
pub fn configuration_md() -> String {
    let mut text = INTRODUCTION.to_owned();
    for section in sections(&schema()) {
        text += &format!(
            "\n## {}\n\n{}\n",
            section.heading(),
            description(section.schema)
        );
        for key in entries(section.schema) {
            text += &chapter(&section, key);
        }
    }
    text
}

fn chapter(section: &Section<'_>, key: Entry<'_>) -> String {
    let name = join(&section.name, key.name);
    let default = key.default().map_or("not set".to_owned(), code);
    let example = key.example().map_or(String::new(), |example| {
        format!("- Example: {}\n", code(example))
    });
    let variable = match section.number {
        Number::One | Number::Named => format!("- Environment: `{}`\n", variable(&name)),
        Number::Listed => String::new(),
    };
    format!(
        "\n### {name}\n\n{}\n\n- Value: {}\n- Default: {default}\n{example}{variable}",
        key.description(),
        rule(key.schema),
    )
}

fn code(value: &Value) -> String {
    format!("`{}`", as_toml(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_wrapped_between_words() {
        let text = comment(&"word ".repeat(30), "# ");
        assert!(
            text.lines()
                .all(|line| line.len() <= WIDTH && line.starts_with("# word"))
        );
        assert_eq!(text.matches("word").count(), 30);
    }
}
