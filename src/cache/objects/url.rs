//! Where the objects are, as one text.

use std::fmt;
use std::str::FromStr;

use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::bucket;
use crate::config::formats::Invalid;

/// A bucket, and what the names of all objects begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketUrl {
    pub bucket: String,
    pub prefix: Path,
}

impl FromStr for BucketUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or(Invalid("it does not begin with s3://"))?;
        let (bucket, prefix) = bucket::parse(rest)?;
        Ok(Self { bucket, prefix })
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl TryFrom<String> for BucketUrl {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<BucketUrl> for String {
    fn from(url: BucketUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_a_bucket_and_perhaps_a_prefix() {
        for (text, bucket, prefix) in [
            ("s3://bucket", "bucket", ""),
            ("s3://bucket/", "bucket", ""),
            ("s3://a.bucket-1/cache", "a.bucket-1", "cache"),
            ("s3://bucket/a/b/", "bucket", "a/b"),
        ] {
            let url: BucketUrl = text.parse().unwrap();
            assert_eq!((url.bucket.as_str(), url.prefix.as_ref()), (bucket, prefix));
            assert_eq!(url.to_string().parse::<BucketUrl>(), Ok(url), "{text}");
        }
    }

    #[test]
    fn what_is_no_bucket_is_refused() {
        for wrong in [
            "",
            "bucket",
            "bucket/prefix",
            "https://bucket.s3.amazonaws.com",
            "gs://bucket",
            "s3:bucket",
            "s3://",
            "s3:///prefix",
            "s3://key:secret@bucket",
            "s3://host:9000/bucket",
            "s3://bucket//prefix",
            "s3://bucket/../other",
            "s3://bucket/prefix?region=a",
        ] {
            assert!(wrong.parse::<BucketUrl>().is_err(), "{wrong}");
        }
    }
}
