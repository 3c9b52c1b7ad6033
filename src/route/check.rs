//! What is wrong with rules, beyond what the schema can know.

use std::collections::HashSet;
use std::{io, iter};

use super::config::{COMPOSITES, FILES, REGISTRY, RouteConfig};
use super::targets::named_sources;
use crate::config::{Config, Problem};
use crate::source::config::SourcesConfig;
use crate::source::remote::{http, objects};

/// Rules that name sources or parts that are not there, and names that mean two things.
pub fn problems(config: &Config) -> Vec<Problem> {
    let routes = config.routes.iter().enumerate();
    let of_routes = routes.flat_map(|(index, route)| {
        let key = format!("routes.{index}");
        let source = unknown_source(config, route, &key);
        let part = unknown_part(route, &key);
        source.into_iter().chain(part)
    });
    let of_sources = unusable_sources(config);
    of_routes
        .chain(used_twice(config))
        .chain(of_sources)
        .collect()
}

/// Sources whose settings do not go together.
fn unusable_sources(config: &Config) -> impl Iterator<Item = Problem> {
    let SourcesConfig { http, objects, .. } = &config.sources;
    let http = http.iter().filter_map(|(name, source)| {
        let remedy = "Set `url`, or `hosts` where keys are URLs; and `private_networks` for servers of this site.";
        let error = http::check(source).err()?;
        Some(unusable(&format!("sources.http.{name}"), &error, remedy))
    });
    let objects = objects.iter().filter_map(|(name, source)| {
        let remedy =
            "Set `url` or `buckets`; and look at the credentials here and in the environment.";
        let error = objects::check(source).err()?;
        Some(unusable(&format!("sources.objects.{name}"), &error, remedy))
    });
    http.chain(objects)
}

fn unusable(section: &str, error: &io::Error, remedy: &str) -> Problem {
    Problem {
        key: section.to_owned(),
        value: None,
        origin: None,
        rule: format!("must be usable, but {error}"),
        remedy: remedy.to_owned(),
    }
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
        rule: format!(
            "must be the name of a source, or `registry` where there is one: {}",
            known.join(" or ")
        ),
        remedy: format!("Correct it, or add a section [sources.….{}].", route.source),
    })
}

fn used_twice(config: &Config) -> Option<Problem> {
    let names = names(config);
    let mut seen = HashSet::new();
    let twice = names.into_iter().find(|name| !seen.insert(*name))?;
    Some(Problem {
        key: format!("sources.….{twice}"),
        value: None,
        origin: None,
        rule: "must have a name of its own".to_owned(),
        remedy: format!("\"{twice}\" is the name of something else already: take another."),
    })
}

fn names(config: &Config) -> Vec<&str> {
    let resolvers = config.resolvers.keys().map(String::as_str);
    let named = named_sources(&config.sources).chain(resolvers);
    let registry = config.registry.url.as_ref().map(|_| REGISTRY);
    let composites = config.composites.folder.as_ref().map(|_| COMPOSITES);
    let special = registry.into_iter().chain(composites);
    iter::once(FILES).chain(special).chain(named).collect()
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
