//! What is wrong with the settings of access, beyond what the schema can know.

use super::config::{AccessConfig, RuleConfig};
use super::jwt::config::JwtConfig;
use crate::config::token::Token;
use crate::config::{Config, Problem};

/// Characters of a secret that texts are signed with, for whoever has one such text can try secrets at leisure (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// Rules that nobody can fulfil, and keys that do not go together.
pub fn problems(config: &Config) -> Vec<Problem> {
    let access = &config.access;
    let rules = access.rules.iter().enumerate();
    let of_rules = rules.flat_map(|(index, rule)| of_rule(access, index, rule));
    let of_tokens = if access.jwt.is_set() {
        of_tokens(&access.jwt)
    } else {
        Vec::new()
    };
    let of_secrets = short_secrets(access);
    of_rules.chain(of_tokens).chain(of_secrets).collect()
}

fn of_rule(access: &AccessConfig, index: usize, rule: &RuleConfig) -> Vec<Problem> {
    let needs = |name: &str, setting: &str| {
        problem(
            &format!("access.rules.{index}.{name}"),
            &format!("needs {setting}, without which nobody fulfils it"),
            &format!("Set {setting}, or remove `{name}`."),
        )
    };
    let is_without_secret = rule.signed && access.signing.secrets.is_empty();
    let signed = is_without_secret.then(|| needs("signed", "access.signing.secrets"));
    let is_without_service = rule.external && access.external.url.is_none();
    let external = is_without_service.then(|| needs("external", "access.external.url"));
    signed.into_iter().chain(external).collect()
}

fn of_tokens(jwt: &JwtConfig) -> Vec<Problem> {
    let problems = [several_keys(jwt), mixed(jwt), anybody(jwt)];
    problems.into_iter().flatten().collect()
}

fn several_keys(jwt: &JwtConfig) -> Option<Problem> {
    let given = [
        jwt.jwks.is_some(),
        jwt.key_file.is_some(),
        jwt.secret.is_some(),
    ];
    let is_one = given.into_iter().filter(|is_given| *is_given).count() == 1;
    (!is_one).then(|| {
        problem(
            "access.jwt",
            "must have one of jwks, key_file and secret",
            "Remove the others: it has to be clear what a token is verified with.",
        )
    })
}

/// A public key that is taken for a secret lets everybody sign.
fn mixed(jwt: &JwtConfig) -> Option<Problem> {
    let is_secret = jwt.secret.is_some();
    let fits = |algorithm: &super::jwt::config::JwtAlgorithm| algorithm.is_symmetric() == is_secret;
    let mut families = jwt.algorithms.iter().map(|algorithm| algorithm.family());
    let first = families.next();
    let is_one_key = jwt.jwks.is_none();
    let is_of_one_family = families.all(|family| Some(family) == first);
    let (rule, remedy) = if !jwt.algorithms.iter().all(fits) {
        let rule = "must be algorithms of HMAC (HS256, HS384, HS512) where `secret` is set, and none of them otherwise";
        (
            rule,
            "Write algorithms = [\"HS256\"] beside `secret`, and remove HS… beside `jwks` or `key_file`.",
        )
    } else if is_one_key && !is_of_one_family {
        let rule = "must be algorithms that the one key in `key_file` can be used with";
        (
            rule,
            "Leave those of one kind: RS… and PS…, or ES…, or EdDSA.",
        )
    } else {
        return None;
    };
    Some(problem("access.jwt.algorithms", rule, remedy))
}

/// Whoever the issuer gives tokens to, for whatever, would be let in.
fn anybody(jwt: &JwtConfig) -> Option<Problem> {
    let is_meant_for_us = jwt.issuer.is_some() || !jwt.audience.is_empty();
    (!is_meant_for_us).then(|| {
        problem(
            "access.jwt.issuer",
            "must be set, or access.jwt.audience, where tokens are accepted",
            "Set it to what the tokens have in `iss`, and audience to what they have in `aud`.",
        )
    })
}

fn short_secrets(access: &AccessConfig) -> Option<Problem> {
    let is_short = |secret: &Token| secret.reveal().len() < SHORTEST_SECRET;
    let key = if access.signing.secrets.iter().any(is_short) {
        "access.signing.secrets"
    } else if access.jwt.secret.as_ref().is_some_and(is_short) {
        "access.jwt.secret"
    } else {
        return None;
    };
    Some(problem(
        key,
        &format!(
            "must have at least {SHORTEST_SECRET} characters: it can be guessed from what it signs, without asking this server"
        ),
        "Write what this prints: openssl rand -hex 32",
    ))
}

fn problem(key: &str, rule: &str, remedy: &str) -> Problem {
    Problem {
        key: key.to_owned(),
        value: None,
        origin: None,
        rule: rule.to_owned(),
        remedy: remedy.to_owned(),
    }
}
