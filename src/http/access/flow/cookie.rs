//! Cookies: their names and attributes, which depend on the address at which the server is reached.

use axum::http::{HeaderMap, HeaderValue, header};
use url::{Host, Url};

/// What visitors show who have a session.
pub const SESSION: &str = "azulejo_session";

/// The server, as a browser sees it that keeps its cookies.
pub struct Place {
    path: String,
    is_encrypted: bool,
    is_loopback: bool,
}

/// To whom a browser gives a cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Also with requests for what pages of other sites show: images, and the token service.
    Everywhere { is_partitioned: bool },
    /// Only with requests that begin on a page of this server.
    Here,
    /// Also when somebody comes by a link from elsewhere.
    Arriving,
}

impl Place {
    /// Of a public address such as `https://example.org/iiif`.
    pub fn of(base: &str) -> Self {
        let url = Url::parse(base).ok();
        let path = url
            .as_ref()
            .map(|url| url.path().trim_end_matches('/').to_owned());
        let is_loopback = match url.as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        Self {
            path: path.unwrap_or_default(),
            is_encrypted: url.is_some_and(|url| url.scheme() == "https"),
            is_loopback,
        }
    }

    /// The value of a cookie of ours.
    pub fn read<'a>(&self, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        let name = self.name(name);
        let lines = headers.get_all(header::COOKIE).iter();
        let pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }

    /// For as long as the browser is open.
    pub fn set(&self, name: &str, value: &str, reach: Reach) -> Option<HeaderValue> {
        self.line(name, value, reach, "")
    }

    /// For some minutes at most.
    pub fn set_for(
        &self,
        seconds: u32,
        name: &str,
        value: &str,
        reach: Reach,
    ) -> Option<HeaderValue> {
        self.line(name, value, reach, &format!("; Max-Age={seconds}"))
    }

    pub fn clear(&self, name: &str, reach: Reach) -> Option<HeaderValue> {
        self.line(name, "", reach, "; Max-Age=0")
    }

    fn line(&self, name: &str, value: &str, reach: Reach, age: &str) -> Option<HeaderValue> {
        let (name, path) = (self.name(name), self.path());
        // Browsers take cookies with `Secure` from this machine itself, too.
        let is_secure = self.is_encrypted || self.is_loopback;
        let reach = match (reach, is_secure) {
            (
                Reach::Everywhere {
                    is_partitioned: true,
                },
                true,
            ) => "; Secure; SameSite=None; Partitioned",
            (Reach::Everywhere { .. }, true) => "; Secure; SameSite=None",
            (Reach::Here, true) => "; Secure; SameSite=Strict",
            (Reach::Arriving, true) => "; Secure; SameSite=Lax",
            (Reach::Here, false) => "; SameSite=Strict",
            (Reach::Everywhere { .. } | Reach::Arriving, false) => "; SameSite=Lax",
        };
        let line = format!("{name}={value}; Path={path}; HttpOnly{reach}{age}");
        HeaderValue::try_from(line).ok()
    }

    /// With the prefix that keeps other hosts of the domain from setting it, where browsers allow that: it goes with no path.
    fn name(&self, name: &str) -> String {
        if self.is_encrypted && self.path.is_empty() {
            format!("__Host-{name}")
        } else {
            name.to_owned()
        }
    }

    fn path(&self) -> &str {
        if self.path.is_empty() {
            "/"
        } else {
            &self.path
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYWHERE: Reach = Reach::Everywhere {
        is_partitioned: false,
    };

    fn set(base: &str, reach: Reach) -> String {
        let line = Place::of(base).set(SESSION, "x", reach).unwrap();
        line.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_session_reaches_images_in_pages_of_others() {
        for (base, expected) in [
            (
                "https://a.example",
                "__Host-azulejo_session=x; Path=/; HttpOnly; Secure; SameSite=None",
            ),
            (
                "https://a.example/iiif",
                "azulejo_session=x; Path=/iiif; HttpOnly; Secure; SameSite=None",
            ),
            (
                "http://127.0.0.1:8182",
                "azulejo_session=x; Path=/; HttpOnly; Secure; SameSite=None",
            ),
            (
                "http://localhost:8182/a",
                "azulejo_session=x; Path=/a; HttpOnly; Secure; SameSite=None",
            ),
            (
                "http://[::1]",
                "azulejo_session=x; Path=/; HttpOnly; Secure; SameSite=None",
            ),
            (
                "http://a.example",
                "azulejo_session=x; Path=/; HttpOnly; SameSite=Lax",
            ),
        ] {
            assert_eq!(set(base, EVERYWHERE), expected, "{base}");
        }
        let partitioned = set(
            "https://a.example",
            Reach::Everywhere {
                is_partitioned: true,
            },
        );
        assert!(partitioned.ends_with("; SameSite=None; Partitioned"));
        assert!(set("https://a.example", Reach::Here).ends_with("; Secure; SameSite=Strict"));
        assert!(set("https://a.example", Reach::Arriving).ends_with("; Secure; SameSite=Lax"));
    }

    #[test]
    fn a_cookie_that_another_host_could_have_set_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            "a=1; azulejo_session=planted".parse().unwrap(),
        );
        headers.append(
            header::COOKIE,
            "__Host-azulejo_session=ours".parse().unwrap(),
        );
        let read = |base| Place::of(base).read(&headers, SESSION);
        assert_eq!(read("https://a.example"), Some("ours"));
        assert_eq!(read("http://localhost"), Some("planted"));
        assert_eq!(
            Place::of("http://localhost").read(&headers, "session"),
            None
        );
    }
}
