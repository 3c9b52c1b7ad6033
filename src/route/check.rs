//! What is wrong with rules, beyond what the schema can know.

use super::config::{FILES, RouteConfig};
use crate::config::{Config, Problem};

/// Rules that name sources or parts that are not there.
pub fn problems(config: &Config) -> Vec<Problem> {
    let routes = config.routes.iter().enumerate();
    routes
        .flat_map(|(index, route)| {
            let key = format!("routes.{index}");
            let source = unknown_source(config, route, &key);
            let part = unknown_part(route, &key);
            source.into_iter().chain(part)
        })
        .collect()
}

fn unknown_source(config: &Config, route: &RouteConfig, key: &str) -> Option<Problem> {
    let known = names(config);
    if known.contains(&route.source.as_str()) {
        return None;
    }
    Some(Problem {
        key: format!("{key}.source"),
        value: Some(format!("\"{}\"", route.source)),
        origin: None,
        rule: format!("must be the name of a source: {}", known.join(" or ")),
        remedy: format!("Correct it, or add a section [sources.….{}].", route.source),
    })
}

fn names(config: &Config) -> Vec<&str> {
    let named = config.sources.files.keys().map(String::as_str);
    std::iter::once(FILES).chain(named).collect()
}

fn unknown_part(route: &RouteConfig, key: &str) -> Option<Problem> {
    let known: Vec<&str> = route.identifier.names().collect();
    let is_unknown = |name: &&str| !known.contains(name);
    let mut names = route.keys.iter().flat_map(|key| key.names());
    let unknown = names.find(is_unknown)?;
    Some(Problem {
        key: format!("{key}.keys"),
        value: Some(format!("{{{unknown}}}")),
        origin: None,
        rule: "must use parts that stand in `identifier`, or {identifier} for all of it".to_owned(),
        remedy: format!(
            "Put {{{unknown}}} into `identifier` ({}), or correct it.",
            route.identifier
        ),
    })
}
