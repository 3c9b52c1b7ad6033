//! What is wrong with the settings of composites, beyond what the schema can know.

use std::collections::HashSet;

use super::config::CompositesConfig;
use crate::config::{Config, Problem};
use crate::source::remote::http;

/// Nothing, where there are to be no composites.
pub fn problems(config: &Config) -> Vec<Problem> {
    let composites = &config.composites;
    if composites.folder.is_none() {
        return Vec::new();
    }
    let problems = [
        no_registry(config),
        no_customer(composites),
        taken_twice(composites),
        unusable_origins(composites),
    ];
    problems.into_iter().flatten().collect()
}

fn no_registry(config: &Config) -> Option<Problem> {
    config.registry.url.is_none().then(|| Problem {
        key: "registry.url".to_owned(),
        value: None,
        origin: None,
        rule: "must be set where composites.folder is: what is posted is kept there".to_owned(),
        remedy: "Set it, to sqlite:/var/lib/azulejo/azulejo.db for one server.".to_owned(),
    })
}

fn no_customer(composites: &CompositesConfig) -> Option<Problem> {
    composites.customers.is_empty().then(|| Problem {
        key: "composites.customers".to_owned(),
        value: None,
        origin: None,
        rule: "must have at least one customer: nobody else may post".to_owned(),
        remedy: "Add a section [composites.customers.NAME] with id, key and secret_hash."
            .to_owned(),
    })
}

fn taken_twice(composites: &CompositesConfig) -> Option<Problem> {
    let mut seen = HashSet::new();
    let mut names = composites.customers.iter().flat_map(|(name, customer)| {
        let number = ("id", customer.id.to_string());
        let key = ("key", customer.key.clone());
        [(name, number), (name, key)]
    });
    let (name, (field, value)) = names.find(|(_, taken)| !seen.insert(taken.clone()))?;
    Some(Problem {
        key: format!("composites.customers.{name}.{field}"),
        value: Some(value),
        origin: None,
        rule: "must be that of one customer only".to_owned(),
        remedy: "Give each customer an id and a key of its own.".to_owned(),
    })
}

fn unusable_origins(composites: &CompositesConfig) -> Option<Problem> {
    if composites.origins.hosts.is_empty() {
        return Some(origins("must name the servers that documents come from"));
    }
    let error = http::check(&composites.origins.source()).err()?;
    Some(origins(&format!("must be usable, but {error}")))
}

fn origins(rule: &str) -> Problem {
    Problem {
        key: "composites.origins.hosts".to_owned(),
        value: None,
        origin: None,
        rule: rule.to_owned(),
        remedy: "Set it, as in [\"files.example.org\"]; and `private_networks` for servers of this site."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::CustomerConfig;
    use super::*;
    use crate::config::secret_hash::SecretHash;

    fn config() -> Config {
        let mut config = Config::default();
        let hash: SecretHash = SecretHash::of(b"secret").unwrap().parse().unwrap();
        let customer = |id, key: &str| CustomerConfig {
            id,
            key: key.to_owned(),
            secret_hash: hash.clone(),
            spaces: Vec::new(),
        };
        config.registry.url = Some("sqlite:/tmp/azulejo.db".parse().unwrap());
        config.composites.folder = Some("/tmp/composites".into());
        config.composites.origins.hosts = vec!["files.example.org".to_owned()];
        config.composites.customers = [("a", customer(7, "k")), ("b", customer(8, "l"))]
            .map(|(name, customer)| (name.to_owned(), customer))
            .into();
        config
    }

    fn keys(change: impl FnOnce(&mut Config)) -> Vec<String> {
        let mut config = config();
        change(&mut config);
        problems(&config)
            .into_iter()
            .map(|problem| problem.key)
            .collect()
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(keys(|_| {}).is_empty());
        assert_eq!(keys(|config| config.registry.url = None), ["registry.url"]);
        assert_eq!(
            keys(|config| config.composites.customers.clear()),
            ["composites.customers"]
        );
        assert_eq!(
            keys(|config| config.composites.origins.hosts.clear()),
            ["composites.origins.hosts"]
        );
        assert_eq!(
            keys(|config| config.composites.origins.hosts = vec!["a b".to_owned()]),
            ["composites.origins.hosts"]
        );
        assert_eq!(
            keys(|config| config.composites.customers.get_mut("b").unwrap().id = 7),
            ["composites.customers.b.id"]
        );
        assert_eq!(
            keys(
                |config| "k".clone_into(&mut config.composites.customers.get_mut("b").unwrap().key)
            ),
            ["composites.customers.b.key"]
        );
        assert!(
            keys(|config| {
                config.composites.folder = None;
                config.registry.url = None;
            })
            .is_empty()
        );
    }
}
