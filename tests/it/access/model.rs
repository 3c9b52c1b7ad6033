//! Rules and guests by chance, and what docs/access.md says that they see.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// What `identifiers` says, and which of [`IMAGES`] it is for.
const PATTERNS: [(&str, &[usize]); 7] = [
    ("", &[0, 1, 2, 3]),
    ("identifiers = ['a/{x}']", &[1, 2, 3]),
    ("identifiers = ['a/secret/{x}']", &[1, 3]),
    ("identifiers = ['{x}/public/{y}', 'none/{x}']", &[2]),
    ("identifiers = ['open']", &[0]),
    ("identifiers = ['OPEN.PNG']", &[0]),
    ("identifiers = ['none/{x}']", &[]),
];

/// The last one is not there.
pub const IMAGES: [&str; 4] = [
    "open.png",
    "a/secret/x.png",
    "a/public/x.png",
    "a/secret/no.png",
];
pub const ABSENT: usize = 3;

pub const ROLES: [&str; 2] = ["staff", "reader"];
const REFUSALS: [(&str, u16); 3] = [
    ("unauthorized", 401),
    ("forbidden", 403),
    ("not_found", 404),
];

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pattern: usize,
    source: Option<&'static str>,
    is_open: bool,
    /// An embargo, and whether it is over.
    embargo: Option<bool>,
    roles: Vec<&'static str>,
    has_network: bool,
    takes_signatures: bool,
    pub has_service: bool,
    largest: Option<u32>,
    refusal: Option<(&'static str, u16)>,
}

pub fn rule() -> impl Strategy<Value = Rule> {
    let rarely = || prop::bool::weighted(0.2);
    let source = prop::option::weighted(0.2, select(&["files", "other"][..]));
    let conditions = (
        rarely(),
        prop::option::weighted(0.2, any::<bool>()),
        subsequence(&ROLES[..], 0..=2),
        rarely(),
        any::<bool>(),
    );
    let otherwise = (
        rarely(),
        prop::option::weighted(0.3, 10..100_u32),
        prop::option::of(select(&REFUSALS[..])),
    );
    (0..PATTERNS.len(), source, conditions, otherwise).prop_map(
        |(pattern, source, conditions, otherwise)| {
            let (is_open, embargo, roles, has_network, takes_signatures) = conditions;
            let (has_service, largest, refusal) = otherwise;
            Rule {
                pattern,
                source,
                is_open,
                embargo,
                roles,
                has_network,
                takes_signatures,
                has_service,
                largest,
                refusal,
            }
        },
    )
}

/// Somebody, and what he shows.
#[derive(Clone, Debug)]
pub struct Guest {
    pub is_in_room: bool,
    /// An API key of this role.
    pub key: Option<&'static str>,
    /// A token with these roles, and whether it has expired.
    pub token: Option<(Vec<&'static str>, bool)>,
    /// Whether the URLs are signed.
    pub signs: bool,
}

pub fn guest() -> impl Strategy<Value = Guest> {
    let token = (subsequence(&ROLES[..], 0..=2), any::<bool>());
    (
        any::<bool>(),
        prop::option::weighted(0.3, select(&ROLES[..])),
        prop::option::weighted(0.5, token),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(is_in_room, key, token, signs)| Guest {
            is_in_room,
            key,
            token,
            signs,
        })
}

impl Guest {
    fn has(&self, role: &str) -> bool {
        let by_token =
            |(roles, has_expired): &(Vec<&str>, bool)| !has_expired && roles.contains(&role);
        self.key == Some(role) || self.token.as_ref().is_some_and(by_token)
    }
}

/// What a guest gets of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    Whole,
    /// The image itself is refused, and there is a smaller version.
    Smaller(u32, u16),
    Refused(u16),
}

impl Rule {
    pub fn toml(&self) -> String {
        let mut toml = format!("[[rules]]\n{}\n", PATTERNS[self.pattern].0);
        let mut line = |text: String| writeln!(toml, "{text}").unwrap();
        if let Some(source) = self.source {
            line(format!("sources = ['{source}']"));
        }
        if let Some(is_over) = self.embargo {
            let year = if is_over { 2000 } else { 2999 };
            line(format!("open_from = '{year}-01-01T00:00:00Z'"));
        }
        if self.has_network {
            line("networks = ['192.0.2.0/24']".to_owned());
        }
        if self.has_service {
            line("services = ['desk']".to_owned());
        }
        if let Some(largest) = self.largest {
            line(format!("largest = {largest}"));
        }
        if let Some((name, _)) = self.refusal {
            line(format!("refusal = '{name}'"));
        }
        line(format!("open = {}", self.is_open && self.embargo.is_none()));
        line(format!("signed = {}", self.takes_signatures));
        line(format!("roles = {:?}", self.roles));
        toml
    }

    /// An image that is not there is one of the source in which it was looked for.
    fn is_for(&self, image: usize) -> bool {
        let lies_there = self.source.is_none_or(|source| source == "files");
        lies_there && PATTERNS[self.pattern].1.contains(&image)
    }

    fn shows(&self, guest: &Guest) -> bool {
        self.embargo.unwrap_or(self.is_open)
            || self.roles.iter().any(|role| guest.has(role))
            || (self.has_network && guest.is_in_room)
            || (self.takes_signatures && guest.signs)
    }

    fn refusal(&self) -> u16 {
        let usual = if self.roles.is_empty() { 403 } else { 401 };
        self.refusal.map_or(usual, |(_, status)| status)
    }
}

/// By the first rule that is for the image, and which one that is.
pub fn sight<'a>(
    rules: &'a [Rule],
    is_closed: bool,
    guest: &Guest,
    image: usize,
) -> (Sight, Option<&'a Rule>) {
    let Some(rule) = rules.iter().find(|rule| rule.is_for(image)) else {
        let sight = if is_closed {
            Sight::Refused(403)
        } else {
            Sight::Whole
        };
        return (sight, None);
    };
    let sight = match rule.largest {
        _ if rule.shows(guest) => Sight::Whole,
        Some(largest) => Sight::Smaller(largest, rule.refusal()),
        None => Sight::Refused(rule.refusal()),
    };
    (sight, Some(rule))
}
