//! What is wrong with overlays, beyond what the schema can know.

use crate::config::{Config, Problem};

/// Overlays of which it cannot be told what they are, and names that are no overlay's.
pub fn problems(config: &Config) -> Vec<Problem> {
    let overlays = config.overlays.iter();
    let unclear = overlays.filter(|(_, overlay)| overlay.image.is_some() == overlay.text.is_some());
    let of_overlays = unclear.map(|(name, _)| Problem {
        key: format!("overlays.{name}"),
        value: None,
        origin: None,
        rule: "must have either an image or a text".to_owned(),
        remedy: "Set `image` or `text`, and not both.".to_owned(),
    });
    of_overlays.chain(unknown(config)).collect()
}

/// Never is an image shown without what was to be drawn on it, because its name was not spelled so.
fn unknown(config: &Config) -> impl Iterator<Item = Problem> {
    let rules = config.access.rules.iter().enumerate();
    rules.flat_map(|(index, rule)| {
        let named = rule.overlays.iter().enumerate();
        let unknown = named.filter(|(_, name)| !config.overlays.contains_key(*name));
        unknown.map(move |(at, name)| Problem {
            key: format!("access.rules.{index}.overlays.{at}"),
            value: Some(format!("\"{name}\"")),
            origin: None,
            rule: "must be the name of an overlay".to_owned(),
            remedy: format!("Describe it as [overlays.{name}], or correct the name."),
        })
    })
}
