//! What is wrong with the settings of services, beyond what the schema can know.

use super::config::{Means, Profile, ServiceConfig};
use crate::access::check::problem;
use crate::access::config::AccessConfig;
use crate::config::{Config, Problem};

/// The segment of the probe service in paths, which no other can have.
const TAKEN: &str = "probe";

pub fn problems(config: &Config) -> Vec<Problem> {
    let access = &config.access;
    let services = access.services.iter();
    let of_services = services.flat_map(|(name, service)| of_service(config, name, service));
    let of_rules = unknown(access).into_iter().chain(untold(access));
    of_services.chain(of_rules).collect()
}

fn of_service(config: &Config, name: &str, service: &ServiceConfig) -> Vec<Problem> {
    let problems = [
        taken(name),
        without_users(&config.access, name, service),
        without_provider(config, name, service),
        without_networks(name, service),
        useless_networks(name, service),
        note_alone(name, service),
    ];
    problems.into_iter().flatten().collect()
}

fn taken(name: &str) -> Option<Problem> {
    (name == TAKEN).then(|| {
        problem(
            &key(name, ""),
            "cannot have this name, which stands in the address of the probe service",
            "Give it another name, here and in the rules.",
        )
    })
}

fn without_users(access: &AccessConfig, name: &str, service: &ServiceConfig) -> Option<Problem> {
    let is_login = service.profile == Profile::Active && service.means == Means::Login;
    (is_login && access.users.is_empty()).then(|| {
        problem(
            &key(name, ".means"),
            "needs users who can log in",
            "Add a section [access.users.NAME], or set `means` to click or oidc.",
        )
    })
}

/// The provider sends people back to one address, whoever asks by whatever name.
fn without_provider(config: &Config, name: &str, service: &ServiceConfig) -> Option<Problem> {
    let is_complete = config.access.oidc.issuer.is_some() && config.server.public_url.is_some();
    (service.means == Means::Oidc && !is_complete).then(|| {
        problem(
            &key(name, ".means"),
            "needs a provider at which people log in, and the address to which it sends them back",
            "Set access.oidc.issuer and server.public_url, or another of the means.",
        )
    })
}

fn without_networks(name: &str, service: &ServiceConfig) -> Option<Problem> {
    let is_active = service.profile == Profile::Active;
    (!is_active && service.networks.is_empty()).then(|| {
        problem(
            &key(name, ".networks"),
            "must name the networks of those who can use it, where the profile is kiosk or external",
            "Set it, as in [\"192.0.2.0/24\"].",
        )
    })
}

fn useless_networks(name: &str, service: &ServiceConfig) -> Option<Problem> {
    let is_active = service.profile == Profile::Active;
    (is_active && !service.networks.is_empty()).then(|| {
        problem(
            &key(name, ".networks"),
            "is for the profiles kiosk and external: an active service is open to all",
            "Remove it, or set `profile`.",
        )
    })
}

/// A06, A14, A21.
fn note_alone(name: &str, service: &ServiceConfig) -> Option<Problem> {
    (service.error_note.is_some() && service.error_heading.is_none()).then(|| {
        problem(
            &key(name, ".error_note"),
            "takes an error_heading above it",
            "Set error_heading, or remove it.",
        )
    })
}

/// Services that rules name and that there are not.
fn unknown(access: &AccessConfig) -> Vec<Problem> {
    let rules = access.rules.iter().enumerate();
    let named = rules.flat_map(|(index, rule)| rule.services.iter().map(move |it| (index, it)));
    let unknown = named.filter(|(_, name)| !access.services.contains_key(*name));
    let problem = |(index, name): (usize, &String)| {
        problem(
            &format!("access.rules.{index}.services"),
            &format!("names {name:?}, and there is no section [access.services.{name}]"),
            "Add the section, or remove the name.",
        )
    };
    unknown.map(problem).collect()
}

/// Viewers show a token to the probe service, and browsers a cookie with each tile: another service would be asked two questions, and could
/// say no to the one and yes to the other.
fn untold(access: &AccessConfig) -> Vec<Problem> {
    let rules = access.rules.iter().enumerate();
    let both = rules.filter(|(_, rule)| rule.external && !rule.services.is_empty());
    let problem = |(index, _)| {
        problem(
            &format!("access.rules.{index}.services"),
            "cannot stand in a rule with `external = true`: what viewers show to the probe service is not what browsers show for tiles",
            "Give the rule `roles` in place of `external`, or remove the services.",
        )
    };
    both.map(problem).collect()
}

fn key(service: &str, setting: &str) -> String {
    format!("access.services.{service}{setting}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(toml: &str) -> Vec<String> {
        let config = Config {
            access: toml::from_str(toml).unwrap(),
            ..Config::default()
        };
        problems(&config).into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn what_nobody_could_use_is_a_problem() {
        for (toml, expected) in [
            ("[services.login]", "access.services.login.means"),
            ("[services.a]\nmeans = 'oidc'", "access.services.a.means"),
            (
                "[services.a]\nprofile = 'kiosk'",
                "access.services.a.networks",
            ),
            (
                "[services.a]\nprofile = 'external'",
                "access.services.a.networks",
            ),
            (
                "[services.a]\nmeans = 'click'\nnetworks = ['::/0']",
                "access.services.a.networks",
            ),
            (
                "[services.a]\nmeans = 'click'\nerror_note = 'x'",
                "access.services.a.error_note",
            ),
            ("[services.probe]\nmeans = 'click'", "access.services.probe"),
            ("[[rules]]\nservices = ['a']", "access.rules.0.services"),
            (
                "[[rules]]\nexternal = true\nservices = ['a']\n[services.a]\nmeans = 'click'",
                "access.rules.0.services",
            ),
        ] {
            assert_eq!(keys(toml), [expected], "{toml}");
        }
    }

    #[test]
    fn what_can_be_used_is_none() {
        let toml = "
            [[rules]]
            services = ['a', 'b']
            [services.a]
            means = 'click'
            error_heading = 'x'
            error_note = 'x'
            [services.b]
            profile = 'kiosk'
            networks = ['192.0.2.0/24']
        ";
        assert_eq!(keys(toml), [""; 0]);
    }
}
