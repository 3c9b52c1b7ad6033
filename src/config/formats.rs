//! The kinds of text that values consist of: their names in the schema, and how each is checked.
//!
//! The check is the parser of the final type, so that what passes the schema is also parsed.

use std::fmt::Display;
use std::net::SocketAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::byte_size::ByteSize;
use super::hex_color::HexColor;
use super::token::Token;
use crate::access::Moment;
use crate::access::origin::Origin;
use crate::cache::objects::BucketUrl;
use crate::cache::redis::RedisUrl;
use crate::config::secret_hash::SecretHash;
use crate::http::config::{
    PublicUrl, ViewerUrl, check_header_value, check_http_url, check_slash_substitute,
};
use crate::registry::RegistryUrl;
use crate::route::{PagePattern, Pattern, Template};
use crate::source::remote::objects::StoreUrl;
use crate::telemetry::check_filter;
use crate::view::RedactedRegion;

/// What is wrong with a text, in words that follow "it": the value itself is known to the one who reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// One kind of text.
pub struct Format {
    /// The value of `format` in the schema.
    pub name: &'static str,
    /// What is allowed.
    pub rule: &'static str,
    /// A value that is allowed.
    pub example: &'static str,
    /// What is wrong with a text.
    pub check: fn(&str) -> Result<(), String>,
}

/// Every kind.
pub const FORMATS: [Format; 23] = [
    Format {
        name: "socket-address",
        rule: "an IP address, a colon and a port from 0 to 65535; IPv6 addresses in brackets",
        example: "127.0.0.1:8182",
        check: parses::<SocketAddr>,
    },
    Format {
        name: "network",
        rule: "an IP address, a slash and the length of the network's prefix; a single address has /32, in IPv6 /128",
        example: "10.0.0.0/8",
        check: parses::<IpNet>,
    },
    Format {
        name: "public-url",
        rule: "an absolute http or https URL without user name, query, fragment and trailing slash",
        example: "https://images.example.org/iiif",
        check: parses::<PublicUrl>,
    },
    Format {
        name: "viewer-url",
        rule: "an absolute http or https URL with {info} in it",
        example: "https://viewer.example.org/?iiif-content={info}",
        check: parses::<ViewerUrl>,
    },
    Format {
        name: "secret-token",
        rule: "a text of at least 16 letters, digits and characters of -._~+/=",
        example: "put-random-characters-here",
        check: parses::<Token>,
    },
    Format {
        name: "argon2id-hash",
        rule: "an Argon2id hash as a PHC string, as `azulejo hash-secret` prints it",
        example: "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        check: parses::<SecretHash>,
    },
    Format {
        name: "http-url",
        rule: "an absolute http or https URL without user name and fragment",
        example: "https://www.example.org/",
        check: |text| check_http_url(text).map_err(|error| error.to_string()),
    },
    Format {
        name: "slash-substitute",
        rule: "one or more ASCII characters that stand in a URL path as they are",
        example: "~",
        check: |text| check_slash_substitute(text).map_err(|error| error.to_string()),
    },
    Format {
        name: "header-value",
        rule: "one line of visible ASCII characters",
        example: "public, max-age=86400",
        check: |text| check_header_value(text).map_err(|error| error.to_string()),
    },
    Format {
        name: "hex-color",
        rule: "# and six hexadecimal digits",
        example: "#ffffff",
        check: parses::<HexColor>,
    },
    Format {
        name: "byte-size",
        rule: "bytes as a whole number, or a text of a whole number and B, KiB, MiB, GiB, TiB, kB, MB, GB or TB",
        example: "512 MiB",
        check: parses::<ByteSize>,
    },
    Format {
        name: "redis-url",
        rule: "a URL that begins with redis:, rediss:, unix:, redis-cluster:, rediss-cluster:, redis-sentinel: or rediss-sentinel:",
        example: "redis://127.0.0.1:6379/0",
        check: parses::<RedisUrl>,
    },
    Format {
        name: "bucket-url",
        rule: "s3://, the name of a bucket, and perhaps a slash and the beginning of the names of objects",
        example: "s3://bucket/azulejo",
        check: parses::<BucketUrl>,
    },
    Format {
        name: "identifier-pattern",
        rule: "a text in which names in braces stand for parts, with text between them",
        example: "{bucket}:{version}:{key}",
        check: parses::<Pattern>,
    },
    Format {
        name: "page-pattern",
        rule: "a text with {id} in it and, after some more text, {page}",
        example: "{id}/page/{page}",
        check: parses::<PagePattern>,
    },
    Format {
        name: "key-template",
        rule: "a text in which names in braces stand for parts of the identifier, perhaps with |pairs or |recid behind the name",
        example: "{bucket}/{key}",
        check: parses::<Template>,
    },
    Format {
        name: "registry-url",
        rule: "sqlite: and the absolute path of a file, or postgres://user:password@host:port/database",
        example: "sqlite:/var/lib/azulejo/azulejo.db",
        check: parses::<RegistryUrl>,
    },
    Format {
        name: "store-url",
        rule: "s3://, gs:// or az://, the name of a bucket, and perhaps a slash and the beginning of the names of objects",
        example: "s3://bucket/masters",
        check: parses::<StoreUrl>,
    },
    Format {
        name: "moment",
        rule: "a date, a time and its distance from UTC, as RFC 3339 writes them",
        example: "2030-01-01T00:00:00+01:00",
        check: parses::<Moment>,
    },
    Format {
        name: "origin",
        rule: "http:// or https://, a host, and perhaps a port, without a slash at the end",
        example: "https://viewer.example.org",
        check: parses::<Origin>,
    },
    Format {
        name: "texts",
        rule: "a text, or a table of languages with a text for each",
        example: "Log in",
        check: not_empty,
    },
    Format {
        name: "redacted-region",
        rule: "full, or x,y,width,height in pixels of the image, or the same in percent after pct:",
        example: "100,80,640,200",
        check: parses::<RedactedRegion>,
    },
    Format {
        name: "log-filter",
        rule: "off, error, warn, info, debug or trace, and after commas perhaps part=level",
        example: "info,azulejo::http=debug",
        check: |text| check_filter(text).map_err(|error| error.to_string()),
    },
];

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

fn parses<T: FromStr<Err: Display>>(text: &str) -> Result<(), String> {
    match text.parse::<T>() {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn not_empty(text: &str) -> Result<(), String> {
    match text {
        "" => Err("it is empty".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_passes_its_check() {
        for format in &FORMATS {
            assert_eq!((format.check)(format.example), Ok(()), "{}", format.name);
        }
    }
}
