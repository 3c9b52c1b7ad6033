//! What is wrong with the settings of access, beyond what the schema can know.

use super::config::{AccessConfig, RuleConfig};
use super::external::config::ExternalConfig;
use super::jwt::config::{JwtAlgorithm, JwtConfig};
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
    let of_service = not_forwarded(&access.external);
    of_rules
        .chain(of_tokens)
        .chain(of_secrets)
        .chain(of_service)
        .collect()
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
    let fits = |algorithm: &JwtAlgorithm| algorithm.is_symmetric() == is_secret;
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

/// Headers that this server sets, or that are about one connection (RFC 9110, section 7.6.1).
fn not_forwarded(external: &ExternalConfig) -> Option<Problem> {
    const OURS: [&str; 11] = [
        "connection",
        "content-length",
        "host",
        "te",
        "transfer-encoding",
        "upgrade",
        "x-azulejo-identifier",
        "x-azulejo-request",
        "x-forwarded-for",
        "x-original-method",
        "x-original-uri",
    ];
    let is_ours = |name: &String| OURS.contains(&name.to_lowercase().as_str());
    let name = external.forward_headers.iter().find(|name| is_ours(name))?;
    Some(problem(
        "access.external.forward_headers",
        &format!("must not have {name}, which is set by this server"),
        "Remove it.",
    ))
}

pub(super) fn problem(key: &str, rule: &str, remedy: &str) -> Problem {
    Problem {
        key: key.to_owned(),
        value: None,
        origin: None,
        rule: rule.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn keys(file: &str) -> Vec<String> {
        let config: Config = toml::from_str(&file.replace("SECRET", SECRET)).unwrap();
        let problems = problems(&config).into_iter();
        problems.map(|problem| problem.key).collect()
    }

    #[test]
    fn what_goes_together_is_no_problem() {
        for file in [
            "",
            "[access.jwt]\njwks = 'https://a.org/'\nissuer = 'a'\nalgorithms = ['RS256', 'ES256']",
            "[access.jwt]\nkey_file = 'a.pem'\naudience = ['a']\nalgorithms = ['RS256', 'PS256']",
            "[access.jwt]\nsecret = 'SECRET'\nissuer = 'a'\nalgorithms = ['HS256', 'HS512']",
            "[[access.rules]]\nsigned = true\n[access.signing]\nsecrets = ['SECRET']",
            "[[access.rules]]\nexternal = true\n[access.external]\nurl = 'http://a.org/'",
        ] {
            assert_eq!(keys(file), [""; 0], "{file}");
        }
    }

    /// Otherwise a public key could be taken for a secret.
    #[test]
    fn secrets_and_public_keys_are_not_mixed() {
        for file in [
            "jwks = 'https://a.org/'\nalgorithms = ['HS256']",
            "jwks = 'https://a.org/'\nalgorithms = ['RS256', 'HS256']",
            "key_file = 'a.pem'\nalgorithms = ['HS512']",
            "key_file = 'a.pem'\nalgorithms = ['RS256', 'ES256']",
            "secret = 'SECRET'",
            "secret = 'SECRET'\nalgorithms = ['HS256', 'RS256']",
        ] {
            let file = format!("[access.jwt]\nissuer = 'a'\n{file}");
            assert_eq!(keys(&file), ["access.jwt.algorithms"], "{file}");
        }
        let several = "[access.jwt]\nissuer = 'a'\njwks = 'https://a.org/'\nkey_file = 'a.pem'";
        assert_eq!(keys(several), ["access.jwt"]);
    }

    #[test]
    fn tokens_are_for_somebody() {
        let file = "[access.jwt]\nkey_file = 'a.pem'";
        assert_eq!(keys(file), ["access.jwt.issuer"]);
    }

    #[test]
    fn what_signs_cannot_be_guessed() {
        let signing = "[access.signing]\nsecrets = ['SECRET', '0123456789abcdef']";
        assert_eq!(keys(signing), ["access.signing.secrets"]);
        let jwt = "[access.jwt]\nsecret = '0123456789abcdef'\nissuer = 'a'\nalgorithms = ['HS256']";
        assert_eq!(keys(jwt), ["access.jwt.secret"]);
    }

    #[test]
    fn rules_need_what_they_speak_of() {
        let file = "[[access.rules]]\n[[access.rules]]\nsigned = true\nexternal = true";
        let expected = ["access.rules.1.signed", "access.rules.1.external"];
        assert_eq!(keys(file), expected);
    }

    #[test]
    fn what_this_server_says_itself_is_not_forwarded() {
        for name in [
            "x-forwarded-for",
            "X-Azulejo-Identifier",
            "Host",
            "connection",
        ] {
            let file = format!("[access.external]\nforward_headers = ['cookie', '{name}']");
            assert_eq!(keys(&file), ["access.external.forward_headers"], "{name}");
        }
    }
}
