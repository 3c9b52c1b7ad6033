//! Where Redis is, as one text.

use std::fmt;
use std::str::FromStr;

use redis::sentinel::SentinelNodeConnectionInfo;
use redis::{ConnectionAddr, ConnectionInfo, ProtocolVersion, TlsMode};
use serde::{Deserialize, Serialize};

use super::server::Server;
use crate::config::formats::Invalid;
use crate::config::passwords;

/// One server, a cluster, or what Sentinel watches over. Shown without its password.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedisUrl {
    text: String,
    place: Place,
}

/// What a URL stands for.
#[derive(Clone)]
pub enum Place {
    Server(ConnectionInfo),
    /// Some of its nodes.
    Cluster(Vec<ConnectionInfo>),
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        master: String,
        node: SentinelNodeConnectionInfo,
    },
}

impl RedisUrl {
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl FromStr for RedisUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.contains('#') {
            return Err(Invalid("it has a #, which in a password is written %23"));
        }
        let (scheme, rest) = text
            .split_once(':')
            .ok_or(Invalid("it does not begin with a scheme"))?;
        let place = match scheme {
            "redis" | "rediss" | "unix" => Place::Server(server(text)?),
            "redis-cluster" => cluster("redis", rest)?,
            "rediss-cluster" => cluster("rediss", rest)?,
            "redis-sentinel" => sentinel("redis", rest)?,
            "rediss-sentinel" => sentinel("rediss", rest)?,
            _ => return Err(Invalid("its scheme is unknown")),
        };
        Server::new(&place).map_err(|_| Invalid("its parts do not go together"))?;
        Ok(Self {
            text: text.to_owned(),
            place,
        })
    }
}

/// The protocol is the older one, which all servers speak, and of which the answers have one shape.
fn server(url: &str) -> Result<ConnectionInfo, Invalid> {
    let parsed: ConnectionInfo = url
        .parse()
        .map_err(|_| Invalid("it is not of the form redis://user:password@host:port/database"))?;
    if parsed.redis_settings().db() < 0 {
        return Err(Invalid("its database is negative"));
    }
    let settings = parsed.redis_settings().clone();
    Ok(parsed.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP2)))
}

fn cluster(scheme: &str, rest: &str) -> Result<Place, Invalid> {
    let parts = Parts::of(rest)?;
    let url = |host| format!("{scheme}://{}{host}/{}", parts.user, parts.path);
    let nodes = parts.hosts.split(',').map(|host| server(&url(host)));
    Ok(Place::Cluster(nodes.collect::<Result<_, _>>()?))
}

fn sentinel(scheme: &str, rest: &str) -> Result<Place, Invalid> {
    let parts = Parts::of(rest)?;
    let (master, database) = parts.path.split_once('/').unwrap_or((parts.path, ""));
    if master.is_empty() {
        return Err(Invalid("after the sentinels there is no /name of a master"));
    }
    // The host does not matter: user, password and database do.
    let node = server(&format!("{scheme}://{}host/{database}", parts.user))?;
    let mut info = SentinelNodeConnectionInfo::default()
        .set_redis_connection_info(node.redis_settings().clone());
    if matches!(node.addr(), ConnectionAddr::TcpTls { .. }) {
        info = info.set_tls_mode(TlsMode::Secure);
    }
    let hosts = parts.hosts.split(',');
    let sentinels = hosts.map(|host| server(&format!("{scheme}://{}", with_port(host))));
    Ok(Place::Sentinel {
        sentinels: sentinels.collect::<Result<_, _>>()?,
        master: master.to_owned(),
        node: info,
    })
}

/// Sentinels listen elsewhere than Redis.
fn with_port(host: &str) -> String {
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.ends_with(']'));
    if has_port {
        host.to_owned()
    } else {
        format!("{host}:26379")
    }
}

/// A URL of several hosts, after the scheme.
struct Parts<'a> {
    /// With `@`; or empty.
    user: &'a str,
    hosts: &'a str,
    /// Without the first slash.
    path: &'a str,
}

impl<'a> Parts<'a> {
    fn of(rest: &'a str) -> Result<Self, Invalid> {
        let rest = rest
            .strip_prefix("//")
            .ok_or(Invalid("after its scheme there is no ://"))?;
        let (user, rest) = rest.split_at(rest.rfind('@').map_or(0, |at| at + 1));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        if hosts.split(',').any(str::is_empty) {
            return Err(Invalid("it lacks a host"));
        }
        Ok(Self { user, hosts, path })
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&passwords::hide(&self.text))
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for RedisUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for RedisUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<RedisUrl> for String {
    fn from(url: RedisUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        text.parse::<RedisUrl>().unwrap().place
    }

    #[test]
    fn a_server_has_address_user_password_and_database() {
        let Place::Server(info) = place("rediss://me:a%40b@cache.example.org:6380/3") else {
            panic!("it is a server");
        };
        assert_eq!(info.addr().to_string(), "cache.example.org:6380");
        assert!(matches!(info.addr(), ConnectionAddr::TcpTls { .. }));
        let settings = info.redis_settings();
        assert_eq!(settings.username(), Some("me"));
        assert_eq!(settings.password(), Some("a@b"));
        assert_eq!(settings.db(), 3);
        let Place::Server(socket) = place("unix:/run/redis.sock?db=2") else {
            panic!("it is a server");
        };
        assert_eq!(socket.addr().to_string(), "/run/redis.sock");
        assert_eq!(socket.redis_settings().db(), 2);
    }

    #[test]
    fn a_cluster_has_several_nodes_and_one_user() {
        let Place::Cluster(nodes) = place("redis-cluster://:pw@a,b:7000,[::1]:7001") else {
            panic!("it is a cluster");
        };
        let addresses: Vec<_> = nodes.iter().map(|node| node.addr().to_string()).collect();
        assert_eq!(addresses, ["a:6379", "b:7000", "::1:7001"]);
        for node in &nodes {
            assert_eq!(node.redis_settings().password(), Some("pw"));
        }
    }

    #[test]
    fn sentinels_have_a_port_of_their_own_and_no_password() {
        let Place::Sentinel {
            sentinels, master, ..
        } = place("redis-sentinel://me:pw@a,b:1/main/4")
        else {
            panic!("it is watched over by Sentinel");
        };
        let addresses: Vec<_> = sentinels
            .iter()
            .map(|each| each.addr().to_string())
            .collect();
        assert_eq!(addresses, ["a:26379", "b:1"]);
        assert_eq!(master, "main");
        assert_eq!(sentinels[0].redis_settings().password(), None);
    }

    #[test]
    fn the_password_is_not_shown() {
        let url: RedisUrl = "redis-cluster://me:secret@a,b".parse().unwrap();
        let json = serde_json::to_string(&url).unwrap();
        for shown in [url.to_string(), format!("{url:?}"), json] {
            assert!(shown.contains("redis-cluster://me:***@a,b"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for wrong in [
            "",
            "localhost",
            "localhost:6379",
            "http://localhost",
            "redis://",
            "redis://a/one",
            "redis://a/-1",
            "redis://a:99999",
            "rediss://a#insecure",
            "redis-cluster://a,,b",
            "redis-cluster:a",
            "redis-sentinel://a",
            "redis-sentinel://a/",
            "redis-sentinel:///main",
            "redis-sentinel://a/main/x",
        ] {
            assert!(wrong.parse::<RedisUrl>().is_err(), "{wrong}");
        }
    }
}
