//! Which URLs are the server's, and how it is reached.

use reqwest::Url;

use crate::cli::Usage;
use crate::iiif::{Identifier, Version};

/// The server that is warmed, and the other addresses that manifests know it by.
pub struct Place {
    /// Without a trailing slash.
    base: String,
    /// What a URL begins with, and what takes its place; the first that fits counts.
    prefixes: Vec<(String, String)>,
    slash_substitute: Option<String>,
}

impl Place {
    /// # Errors
    /// If the server's address is no URL.
    pub fn new(server: &str, slash_substitute: Option<String>) -> Result<Self, Usage> {
        let base = normal(server).ok_or_else(|| Usage(format!("{server:?} is no http URL")))?;
        Ok(Self {
            prefixes: vec![(base.clone(), base.clone())],
            base,
            slash_substitute,
        })
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// What the server is called elsewhere.
    pub fn add_alias(&mut self, alias: &str) {
        let alias = normal(alias).map(|alias| (alias, self.base.clone()));
        self.prefixes.extend(alias);
    }

    /// A rule `OLD=NEW`: OLD is a URL, NEW a URL or a path of the server. Rules go before aliases.
    ///
    /// # Errors
    /// If it is written otherwise, or leads to another server.
    pub fn with_rules(mut self, rules: &[String]) -> Result<Self, Usage> {
        let rules: Result<Vec<_>, _> = rules.iter().map(|rule| self.rule(rule)).collect();
        self.prefixes.splice(0..0, rules?);
        Ok(self)
    }

    fn rule(&self, rule: &str) -> Result<(String, String), Usage> {
        let wrong = |what: &str| Usage(format!("--rewrite {rule:?}: {what}"));
        let (old, new) = rule
            .rsplit_once('=')
            .ok_or_else(|| wrong("write OLD=NEW"))?;
        let old = normal(old).ok_or_else(|| wrong("what is before the = is no http URL"))?;
        let new = match new.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.base),
            None if new.is_empty() => self.base.clone(),
            None => new.to_owned(),
        };
        let new = normal(&new).filter(|new| after(new, &self.base).is_some());
        let new = new.ok_or_else(|| wrong("what is behind the = is not on the server"))?;
        Ok((old, new))
    }

    /// The base URI of an image, for the server.
    pub fn image(&self, identifier: &Identifier, version: Version) -> String {
        let segment = identifier.encoded();
        let segment = match &self.slash_substitute {
            Some(substitute) => segment.replace("%2F", substitute),
            None => segment,
        };
        format!("{}/iiif/{}/{segment}", self.base, version.number())
    }

    /// The URL at which the server is asked for what others know by this URL; `None` if it is not the server's.
    pub fn local(&self, url: &str) -> Option<String> {
        let url = normal(url)?;
        let moved = |(old, new): &(String, String)| Some(format!("{new}{}", after(&url, old)?));
        self.prefixes.iter().find_map(moved)
    }

    /// Whether a URL of the server is the base URI of an image.
    pub fn is_image(&self, url: &str) -> bool {
        Version::ALL.into_iter().any(|version| {
            let prefix = format!("{}/iiif/{}/", self.base, version.number());
            let segment = url.strip_prefix(&prefix);
            segment.is_some_and(|segment| !segment.is_empty() && !segment.contains('/'))
        })
    }
}

/// As a browser writes it, without a fragment and trailing slashes: requests are spelt the same then.
pub fn normal(url: &str) -> Option<String> {
    let mut url = Url::parse(url.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_fragment(None);
    Some(url.as_str().trim_end_matches('/').to_owned())
}

/// Scheme, host and port.
pub fn origin(url: &str) -> String {
    match Url::parse(url.trim()) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => "not a URL".to_owned(),
    }
}

/// What follows a prefix that ends where a segment of the path does.
fn after<'a>(url: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = url.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(rules: &[&str]) -> Place {
        let rules: Vec<String> = rules.iter().map(|&rule| rule.to_owned()).collect();
        let place = Place::new("http://127.0.0.1:8182/", None).unwrap();
        place.with_rules(&rules).unwrap()
    }

    #[test]
    fn what_is_below_the_server_is_its_own() {
        let place = place(&[]);
        let local = |url| place.local(url);
        let image = "http://127.0.0.1:8182/iiif/3/a%2Fb";
        assert_eq!(local(image).as_deref(), Some(image));
        assert_eq!(
            local("HTTP://127.0.0.1:8182/iiif/3/a%2Fb/#x").as_deref(),
            Some(image)
        );
        assert_eq!(local("http://127.0.0.1:81820/iiif/3/a"), None);
        assert_eq!(local("https://127.0.0.1:8182/iiif/3/a"), None);
        for wrong in ["iiif/3/a", "file:///etc/passwd", "mailto:a@b.c", ""] {
            assert_eq!(local(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rules_lead_from_what_was_published_to_the_server() {
        let mut place = place(&[
            "https://iiif.example.org/iiif/2/=/iiif/2",
            "https://iiif.example.org/v3=http://127.0.0.1:8182/iiif/3/",
            "http://old.example.org:80=",
        ]);
        place.add_alias("https://images.example.org/");
        let local = |url| {
            place
                .local(url)
                .map(|url| url.replace("http://127.0.0.1:8182", ""))
        };
        let cases = [
            (
                "https://iiif.example.org/iiif/2/x/info.json",
                Some("/iiif/2/x/info.json"),
            ),
            ("https://iiif.example.org/v3/x", Some("/iiif/3/x")),
            ("https://iiif.example.org/v33/x", None),
            ("http://old.example.org/a?b", Some("/a?b")),
            ("https://images.example.org/iiif/3/x", Some("/iiif/3/x")),
        ];
        for (url, expected) in cases {
            assert_eq!(local(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn rules_that_lead_elsewhere_are_refused() {
        for rule in [
            "https://a.org",
            "a=/b",
            "https://a.org=http://127.0.0.1:81/",
            "https://a.org=b",
        ] {
            let place = Place::new("http://127.0.0.1:8182", None).unwrap();
            assert!(place.with_rules(&[rule.to_owned()]).is_err(), "{rule}");
        }
        assert!(Place::new("127.0.0.1:8182", None).is_err());
    }

    #[test]
    fn an_identifier_is_one_segment() {
        let identifier = Identifier::new("a/ü".to_owned()).unwrap();
        let place = place(&[]);
        let image = place.image(&identifier, Version::V2);
        assert_eq!(image, "http://127.0.0.1:8182/iiif/2/a%2F%C3%BC");
        assert!(place.is_image(&image));
        for other in ["iiif/2/a/b", "iiif/2", "iiif/4/a", "manifests/a"] {
            assert!(
                !place.is_image(&format!("http://127.0.0.1:8182/{other}")),
                "{other}"
            );
        }
        let place = Place::new("http://a.org", Some("~".to_owned())).unwrap();
        assert_eq!(
            place.image(&identifier, Version::V3),
            "http://a.org/iiif/3/a~%C3%BC"
        );
    }
}
