//! Signing URLs, for those who have the secret.

use super::asked::rest;
use crate::access::signed::{Scope, SignedRequest, Signer};
use crate::config::Config;
use crate::error::Error;
use crate::http::image::with_slashes;
use crate::http::path::{Call, manifests, of_manifest, prefix};
use crate::iiif::{Identifier, Version};

/// The URL, signed until a moment that is given in seconds since 1970.
///
/// # Errors
/// If it is no URL of an image, its `info.json` or its manifest, or there is no secret.
pub fn sign(config: &Config, url: &str, scope: Scope, expires: u64) -> Result<String, Error> {
    if url.contains(['?', '#']) {
        let message = format!("\"{url}\" has a query or a fragment already");
        return Err(Error::BadRequest(message));
    }
    let place = place(config, url).ok_or_else(|| not_signable(url))?;
    let identifier = with_slashes(&config.server, Identifier::decode(place.segment)?)?;
    let request = SignedRequest {
        identifier: identifier.as_str(),
        asked: &rest(place.path, place.prefix, place.segment),
    };
    let signer = Signer::new(&config.access.signing);
    let query = signer.sign(request, scope, expires);
    let without = || Error::BadRequest("there is no secret in access.signing.secrets".to_owned());
    Ok(format!("{url}?{}", query.ok_or_else(without)?))
}

/// Where in a URL an identifier stands.
struct Place<'a> {
    /// As the server sees it: without the host and what a proxy has before it.
    path: &'a str,
    prefix: &'static str,
    /// As it was written.
    segment: &'a str,
}

fn place<'a>(config: &Config, url: &'a str) -> Option<Place<'a>> {
    let slashes = config.server.unescaped_slashes;
    let found =
        |prefix: &'static str, segment: fn(&'a str, Version, bool) -> Option<&'a str>, version| {
            let path = &url[url.find(prefix)?..];
            let segment = segment(path, version, slashes)?;
            Some(Place {
                path,
                prefix,
                segment,
            })
        };
    Version::ALL.into_iter().find_map(|version| {
        found(prefix(version), of_image, version)
            .or_else(|| found(manifests(version), of_manifests, version))
    })
}

/// Not of a base URI, which only leads to another that would have to be signed.
fn of_image(path: &str, version: Version, slashes: bool) -> Option<&str> {
    match Call::parse(path.strip_prefix(prefix(version))?, slashes)? {
        Call::Base { .. } => None,
        call => Some(call.identifier()),
    }
}

fn of_manifests(path: &str, version: Version, slashes: bool) -> Option<&str> {
    of_manifest(version, path, slashes)?
}

fn not_signable(url: &str) -> Error {
    Error::BadRequest(format!(
        "\"{url}\" is no URL of an image, of its info.json or of its manifest: write it as \
         https://images.example.org/iiif/3/IDENTIFIER/full/max/0/default.jpg"
    ))
}
