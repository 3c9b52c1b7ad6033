//! Keys and the URLs that they stand for; which servers may be asked.

use std::io;

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode,
};
use sha2::{Digest, Sha256};
use url::{Host, Url};

use super::address::Addresses;
use super::config::HttpSourceConfig;
use crate::source::remote::error::RemoteError;

/// All but the unreserved characters (RFC 3986, section 2.3) and the slash: `+` means a space to some servers.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
/// The same within a step of a path, where a slash is none between steps.
const ENCODED_STEP: &AsciiSet = &ENCODED.add(b'/');

/// What may be asked.
pub struct Urls {
    prefix: Option<Url>,
    suffix: String,
    hosts: Vec<Allowed>,
    addresses: Addresses,
}

/// An entry of the list of hosts.
#[derive(Debug, PartialEq, Eq)]
struct Allowed {
    /// As in a URL: lower case, Punycode.
    name: String,
    /// Whether names below it are meant.
    is_below: bool,
    /// Otherwise that of the protocol.
    port: Option<u16>,
}

impl Urls {
    /// # Errors
    /// If nothing could be asked, or something cannot be understood.
    pub fn new(config: &HttpSourceConfig) -> io::Result<Self> {
        let prefix = config.url.as_deref().map(prefix).transpose()?;
        let hosts = config.hosts.iter().map(|host| Allowed::new(host));
        let urls = Self {
            prefix,
            suffix: config.suffix.clone(),
            hosts: hosts.collect::<io::Result<_>>()?,
            addresses: Addresses::new(config.private_networks.clone()),
        };
        match &urls.prefix {
            None if urls.hosts.is_empty() => Err(wrong("neither `url` nor `hosts` is set")),
            Some(prefix) if urls.check(prefix).is_err() => Err(wrong(
                "`url` has a private address that is not in `private_networks`",
            )),
            _ => Ok(urls),
        }
    }

    /// The URL of a key, if there can be one. A key that begins like a URL is one, if `hosts` are set; of servers that are not listed, this
    /// source has nothing.
    pub fn url(&self, key: &str) -> Option<Url> {
        if !self.hosts.is_empty() && is_absolute(key) {
            return absolute(key).filter(|url| self.is_listed(url));
        }
        let prefix = self.prefix.as_ref()?;
        let leads_out = key.split('/').any(|step| matches!(step, "." | ".."));
        if key.is_empty() || key.starts_with('/') || leads_out {
            return None;
        }
        let encoded = utf8_percent_encode(key, ENCODED);
        let url = Url::parse(&format!("{prefix}{encoded}{}", self.suffix)).ok()?;
        (url.origin() == prefix.origin()).then_some(url)
    }

    /// The key of a URL that this source may ask.
    pub fn key(&self, text: &str) -> Option<String> {
        let url = absolute(text)?;
        let may_be_key = || !self.hosts.is_empty() && self.check(&url).is_ok();
        self.key_below(&url)
            .or_else(|| may_be_key().then(|| url.to_string()))
    }

    /// The key of a URL below the prefix, whichever characters of its path are encoded.
    fn key_below(&self, url: &Url) -> Option<String> {
        let prefix = normal(self.prefix.as_ref()?.as_str());
        let start = normal(url.as_str().strip_suffix(self.suffix.as_str())?);
        let key = percent_decode_str(start.strip_prefix(&prefix)?);
        let key = key.decode_utf8().ok()?.into_owned();
        (normal(self.url(&key)?.as_str()) == normal(url.as_str())).then_some(key)
    }

    /// Whether a URL may be asked, as far as it can be told without looking its host up.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self, url: &Url) -> Result<(), RemoteError> {
        if !self.is_listed(url) {
            return Err(RemoteError::Refused(
                "the server is not among those that may be asked",
            ));
        }
        let address = match url.host() {
            Some(Host::Ipv4(four)) => Some(four.into()),
            Some(Host::Ipv6(six)) => Some(six.into()),
            _ => None,
        };
        if address.is_some_and(|address| !self.addresses.allow(address)) {
            return Err(PRIVATE);
        }
        Ok(())
    }

    /// Whether credentials may be sent to where a key leads.
    pub fn are_trusted(&self, url: &Url) -> bool {
        self.prefix.is_none() || self.is_of_prefix(url)
    }

    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    fn is_listed(&self, url: &Url) -> bool {
        self.is_of_prefix(url) || self.hosts.iter().any(|allowed| allowed.matches(url))
    }

    fn is_of_prefix(&self, url: &Url) -> bool {
        let prefix = self.prefix.as_ref();
        prefix.is_some_and(|prefix| prefix.origin() == url.origin())
    }
}

pub const PRIVATE: RemoteError = RemoteError::Refused("the server has a private address");

/// The same for the same file, and without what may be secret: who signs URLs does it in the query.
pub fn location(url: &Url) -> String {
    let mut url = url.clone();
    if let Some(query) = url.query() {
        let digest = Sha256::digest(query);
        let digits: String = digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        url.set_query(Some(&digits));
    }
    url.to_string()
}

/// The same for all spellings of a path (RFC 3986, section 6.2.2). A query stays as it is.
fn normal(url: &str) -> String {
    let (path, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    let steps = path.split('/').map(|step| {
        let bytes: Vec<u8> = percent_decode_str(step).collect();
        percent_encode(&bytes, ENCODED_STEP).to_string()
    });
    steps.collect::<Vec<_>>().join("/") + query
}

fn is_absolute(key: &str) -> bool {
    let starts = |start: &str| {
        key.get(..start.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(start))
    };
    starts("http://") || starts("https://")
}

/// A URL without user and fragment.
fn absolute(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok().filter(|_| is_absolute(text))?;
    url.set_fragment(None);
    let has_user = !url.username().is_empty() || url.password().is_some();
    (!has_user).then_some(url)
}

fn prefix(text: &str) -> io::Result<Url> {
    absolute(text).ok_or_else(|| wrong("`url` is no http or https URL without a user name"))
}

fn wrong(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

impl Allowed {
    fn new(text: &str) -> io::Result<Self> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let parsed = |scheme| Url::parse(&format!("{scheme}://{name}/")).ok();
        let url = parsed("http");
        // Whatever else a URL can have would be in the text as well.
        let url = url.filter(|_| !name.contains(['/', '@', '?', '#', '*']));
        let host = url.as_ref().and_then(Url::host_str);
        let host =
            host.ok_or_else(|| wrong(&format!("`hosts`: \"{text}\" is no name of a server")))?;
        Ok(Self {
            name: host.to_owned(),
            is_below: name.len() < text.len(),
            // Each protocol leaves its own port out, but not that of the other.
            port: (url.as_ref().and_then(Url::port)).or_else(|| parsed("https")?.port()),
        })
    }

    fn matches(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let is_name = if self.is_below {
            let below = host.strip_suffix(self.name.as_str());
            below.is_some_and(|below| below.ends_with('.'))
        } else {
            host == self.name
        };
        let is_port = match self.port {
            Some(_) => url.port_or_known_default() == self.port,
            None => url.port().is_none(),
        };
        is_name && is_port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(prefix: Option<&str>, suffix: &str, hosts: &[&str]) -> Urls {
        Urls::new(&HttpSourceConfig {
            url: prefix.map(str::to_owned),
            suffix: suffix.to_owned(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..HttpSourceConfig::default()
        })
        .unwrap()
    }

    fn url(urls: &Urls, key: &str) -> Option<String> {
        urls.url(key).map(|url| url.to_string())
    }

    #[test]
    fn a_key_is_a_path_below_the_prefix_whatever_is_in_it() {
        let urls = urls(Some("https://example.org/a/"), "/content?x=1", &[]);
        for (key, path) in [
            ("b.tif", "b.tif"),
            ("b/c d.tif", "b/c%20d.tif"),
            ("ü:#?%2F+&", "%C3%BC%3A%23%3F%252F%2B%26"),
            ("%2e%2e/b", "%252e%252e/b"),
            ("b\\..\\c", "b%5C..%5Cc"),
            ("http://other.org/", "http%3A//other.org/"),
        ] {
            let expected = format!("https://example.org/a/{path}/content?x=1");
            assert_eq!(url(&urls, key).as_deref(), Some(expected.as_str()), "{key}");
            assert_eq!(urls.key(&expected).as_deref(), Some(key));
        }
    }

    #[test]
    fn a_url_has_its_key_in_every_spelling() {
        let below = urls(Some("http://h/%72/"), "", &[]);
        for (url, key) in [
            ("http://h/r/a(1):b+c.jpg", "a(1):b+c.jpg"),
            ("http://h/r/a%281%29%3ab%2Bc.jpg", "a(1):b+c.jpg"),
            ("http://H:80/r/@,'&=!;$*", "@,'&=!;$*"),
            ("http://h/%72/%c3%bc/%61", "ü/a"),
            ("http://h/r/ü/a", "ü/a"),
        ] {
            assert_eq!(below.key(url).as_deref(), Some(key), "{url}");
            let asked = below.url(key).unwrap();
            assert_eq!(below.key(asked.as_str()).as_deref(), Some(key));
        }
        for other in [
            "http://h/r/a%2Fb",
            "http://h/r%2Fa",
            "http://h/r/..%2Fa",
            "http://h/r/%2e%2e/a",
            "http://h/r/b/..%2f..%2F..%2fa",
            "http://h/r//a",
            "http://h/r/%2Fa",
            "http://h/r/a?b",
            "http://h/r/%ff",
            "http://h:81/r/a",
            "http://h%2Fr/a",
        ] {
            assert_eq!(below.key(other), None, "{other}");
        }
        let query = urls(Some("http://h/r?f="), "&x=a:b", &[]);
        assert_eq!(query.key("http://h/%72?f=a&x=a:b").as_deref(), Some("a"));
        assert_eq!(query.key("http://h/r?f=a&x=a%3Ab"), None);
        let suffixed = urls(Some("http://h/r/"), "/a:b?x=1", &[]);
        assert_eq!(suffixed.key("http://h/r/c+d/a:b?x=1").unwrap(), "c+d");
    }

    #[test]
    fn no_key_leads_out_of_the_prefix() {
        let below = urls(Some("https://example.org/a/"), "", &[]);
        for key in ["", "/b", "../b", "b/../../c", "b/./c", "b/.."] {
            assert_eq!(url(&below, key), None, "{key}");
        }
        let host = urls(Some("https://example.org"), "", &[]);
        assert_eq!(
            url(&host, ".evil.com/a").unwrap(),
            "https://example.org/.evil.com/a"
        );
        assert_eq!(
            url(&host, "@evil.com/a").unwrap(),
            "https://example.org/%40evil.com/a"
        );
    }

    #[test]
    fn keys_are_urls_where_hosts_are_listed() {
        let urls = urls(
            Some("https://example.org/"),
            "",
            &["a.org", "*.b.org", "c.org:8080"],
        );
        for allowed in [
            "https://a.org/x?y=z",
            "http://a.org/x",
            "https://deep.er.b.org/x",
            "http://c.org:8080/x",
            "HTTPS://A.ORG/x",
            "https://example.org/x",
        ] {
            let url = urls.url(allowed).unwrap();
            assert_eq!(urls.check(&url), Ok(()), "{allowed}");
        }
        for refused in [
            "https://b.org/x",
            "https://evilb.org/x",
            "https://a.org:8443/x",
            "https://a.org.evil.com/x",
            "http://c.org/x",
            "http://example.org/x",
            "http://127.0.0.1/",
        ] {
            let url = Url::parse(refused).unwrap();
            assert!(urls.check(&url).is_err(), "{refused}");
            assert_eq!((urls.url(refused), urls.key(refused)), (None, None));
        }
        assert_eq!(url(&urls, "https://me:secret@a.org/x"), None);
    }

    #[test]
    fn a_port_that_is_written_is_meant() {
        let urls = urls(None, "", &["x.org:443", "*.c.org:80", "d.org"]);
        for (url, is_listed) in [
            ("https://x.org/a", true),
            ("https://x.org:443/a", true),
            ("http://x.org:443/a", true),
            ("http://x.org/a", false),
            ("http://b.c.org/a", true),
            ("https://b.c.org:80/a", true),
            ("https://b.c.org/a", false),
            ("http://d.org:80/a", true),
            ("https://d.org/a", true),
            ("https://d.org:80/a", false),
        ] {
            assert_eq!(urls.url(url).is_some(), is_listed, "{url}");
        }
    }

    #[test]
    fn a_private_address_has_to_be_allowed_in_every_spelling() {
        let urls = urls(
            None,
            "",
            &["127.0.0.1", "2130706433", "[::1]", "[::ffff:7f00:1]"],
        );
        for refused in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            let url = urls.url(refused).unwrap();
            assert_eq!(urls.check(&url), Err(PRIVATE), "{refused}");
        }
        let private = HttpSourceConfig {
            url: Some("http://10.0.0.1/".to_owned()),
            ..HttpSourceConfig::default()
        };
        assert!(Urls::new(&private).is_err());
        assert!(
            Urls::new(&HttpSourceConfig::default()).is_err(),
            "nothing to ask"
        );
    }

    #[test]
    fn locations_differ_where_queries_do_but_do_not_show_them() {
        let location = |text: &str| location(&Url::parse(text).unwrap());
        let signed = location("https://a.org/x?sig=secret");
        assert!(!signed.contains("secret"));
        assert_ne!(signed, location("https://a.org/x?sig=other"));
        assert_eq!(location("https://a.org/x"), "https://a.org/x");
    }
}
