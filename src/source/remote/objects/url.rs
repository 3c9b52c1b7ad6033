//! Where objects are, as one text.

use std::fmt;
use std::str::FromStr;

use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::bucket;
use crate::config::formats::Invalid;

/// A bucket of a service, and what the names of all objects begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StoreUrl {
    pub service: Service,
    pub bucket: String,
    pub prefix: Path,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Amazon's, or what speaks like it.
    S3,
    Google,
    Azure,
}

impl Service {
    const ALL: [Self; 3] = [Self::S3, Self::Google, Self::Azure];

    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }
}

impl FromStr for StoreUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const UNKNOWN: Invalid = Invalid("it does not begin with s3://, gs:// or az://");
        let (scheme, rest) = text.split_once("://").ok_or(UNKNOWN)?;
        let service = Service::ALL.into_iter().find(|it| it.scheme() == scheme);
        let service = service.ok_or(UNKNOWN)?;
        let (bucket, prefix) = bucket::parse(rest)?;
        Ok(Self {
            service,
            bucket,
            prefix,
        })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.service.scheme();
        write!(f, "{scheme}://{}/{}", self.bucket, self.prefix)
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<StoreUrl> for String {
    fn from(url: StoreUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_names_the_service() {
        for (text, service) in [
            ("s3://b/p", Service::S3),
            ("gs://b/p", Service::Google),
            ("az://b/p", Service::Azure),
        ] {
            let url: StoreUrl = text.parse().unwrap();
            assert_eq!((url.service, url.to_string().as_str()), (service, text));
        }
        for wrong in [
            "b/p",
            "https://b/p",
            "s3://",
            "s3://key:secret@b",
            "gs://b//p",
        ] {
            assert!(wrong.parse::<StoreUrl>().is_err(), "{wrong}");
        }
    }
}
