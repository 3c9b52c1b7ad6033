//! `/presentation/{version}/{identifier}/manifest`: a document or a folder of images for viewers.

mod composites;

use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::accept::JsonType;
use super::app::App;
use super::base::public_base;
use super::image::{Client, cache_headers, identifier, not_modified};
use super::index::encode;
use super::log::Logged;
use super::{error, path};
use crate::cache::CacheKey;
use crate::error::Error;
use crate::iiif::{Identifier, Version};
use crate::pipeline::{Contents, Shown, Terms, Validators};
use crate::presentation::{Canvas, Manifest};
pub(super) use composites::routes;

/// The label of the root folder, which has no name.
const ROOT: &str = "Images";

pub async fn version_2(State(app): State<App>, request: Request) -> Response {
    answer(&app, Version::V2, &request.into_parts().0).await
}

pub async fn version_3(State(app): State<App>, request: Request) -> Response {
    answer(&app, Version::V3, &request.into_parts().0).await
}

async fn answer(app: &App, version: Version, request: &Parts) -> Response {
    let client = Client::new(app, request);
    match respond(app, version, &client).await {
        Ok(response) => response,
        Err(failure) => error::respond(&failure, client.headers),
    }
}

async fn respond(app: &App, version: Version, client: &Client<'_>) -> Result<Response, Error> {
    let asked = Asked::parse(app, version, client)?;
    let contents = asked.contents(app, client).await?;
    let server = public_base(app.server(), client.uri, client.headers, client.peer);
    let manifest = asked.manifest(app, &server, &contents);
    let whole = (!contents.is_partial).then_some(Whole {
        modified: contents.modified,
        terms: &contents.terms,
    });
    let mut response = reply(app, version, client, &manifest, whole);
    if let Some(logged) = asked.logged() {
        response.extensions_mut().insert(logged);
    }
    Ok(response)
}

/// Of a manifest that is whole.
struct Whole<'a> {
    modified: Option<SystemTime>,
    terms: &'a Terms,
}

/// One that is not whole is not to be kept.
fn reply(
    app: &App,
    version: Version,
    client: &Client<'_>,
    manifest: &Manifest,
    whole: Option<Whole<'_>>,
) -> Response {
    let body = format!("{}\n", manifest.document(version));
    let media_type = JsonType::negotiate(client.headers, version).of_manifest(version);
    let Some(Whole { modified, terms }) = whole else {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return full(body, media_type, headers);
    };
    let validators = Validators {
        etag: CacheKey::new(&[&body, media_type]).to_string(),
        modified,
    };
    let headers = cache_headers(app, client, &validators, terms);
    if client.has_current(&validators) {
        varying(not_modified(headers))
    } else {
        full(body, media_type, headers)
    }
}

fn full(body: String, media_type: &'static str, headers: HeaderMap) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.headers_mut() = headers;
    let media_type = HeaderValue::from_static(media_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    varying(response)
}

fn varying(mut response: Response) -> Response {
    let accept = HeaderValue::from_static("Accept");
    response.headers_mut().insert(header::VARY, accept);
    response
}

/// What the path names.
struct Asked<'a> {
    version: Version,
    /// The identifier as it was written. `None` for the root folder.
    segment: Option<&'a str>,
    identifier: Option<Identifier>,
}

impl<'a> Asked<'a> {
    fn parse(app: &App, version: Version, client: &Client<'a>) -> Result<Self, Error> {
        let may_have_slashes = app.server().unescaped_slashes;
        let segment = path::of_manifest(version, client.uri.path(), may_have_slashes);
        let segment = segment.ok_or_else(|| {
            let form = "no manifest has this address; slashes in an identifier are written %2F";
            Error::NotFound(form.to_owned())
        })?;
        let identifier = segment
            .map(|segment| identifier(app, segment))
            .transpose()?;
        Ok(Self {
            version,
            segment,
            identifier,
        })
    }

    /// Of an image, or else of a folder.
    async fn contents(&self, app: &App, client: &Client<'_>) -> Result<Contents, Error> {
        let pipeline = app.pipeline();
        let Some(identifier) = &self.identifier else {
            return pipeline.folder(String::new(), client.caching).await;
        };
        let document = pipeline.document(identifier.clone(), client.caching).await;
        let Err(absent @ Error::NotFound(_)) = document else {
            return document;
        };
        let folder = pipeline.folder(identifier.to_string(), client.caching);
        match folder.await {
            Err(Error::NotFound(_)) => Err(absent),
            folder => folder,
        }
    }

    fn manifest(&self, app: &App, server: &str, contents: &Contents) -> Manifest {
        let canvases = contents.images.iter();
        Manifest {
            base: self.base(contents.terms.public_url.as_deref().unwrap_or(server)),
            label: self.label(contents),
            summary: summary(contents.images.len(), contents.count),
            rights: app.pipeline().rights().cloned(),
            attribution: app.pipeline().attribution().cloned(),
            canvases: canvases
                .filter_map(|shown| self.canvas(app, server, shown))
                .collect(),
        }
    }

    /// What the addresses of the manifest and its canvases begin with.
    fn base(&self, server: &str) -> String {
        let prefix = path::manifests(self.version);
        match self.segment {
            Some(segment) => format!("{server}{prefix}{segment}"),
            None => format!("{server}{}", prefix.trim_end_matches('/')),
        }
    }

    /// The title that a document has, or the last part of the identifier.
    fn label(&self, contents: &Contents) -> String {
        let name = || self.identifier.as_ref().map(Identifier::to_string);
        let last = |name: String| name.rsplit('/').next().map(str::to_owned);
        let label = contents.title.clone().or_else(|| name().and_then(last));
        label.unwrap_or_else(|| ROOT.to_owned())
    }

    /// `None` for an image that no URL leads to.
    fn canvas(&self, app: &App, server: &str, shown: &Shown) -> Option<Canvas> {
        let segment = match self.segment {
            Some(segment) if self.identifier.as_ref() == Some(&shown.identifier) => {
                segment.to_owned()
            }
            _ => app.encoded(&shown.identifier.to_string())?,
        };
        let server = shown.terms.public_url.as_deref().unwrap_or(server);
        Some(Canvas {
            name: encode(&shown.label),
            label: shown.label.clone(),
            dimensions: shown.full,
            image: format!("{server}{}{segment}", path::prefix(self.version)),
            largest: shown.largest,
            thumbnail: shown.thumbnail,
        })
    }

    fn logged(self) -> Option<Logged> {
        Some(Logged {
            identifier: self.identifier?,
            request: "manifest".to_owned(),
            strategy: "header",
        })
    }
}

/// If not all are shown.
fn summary(shown: usize, count: usize) -> Option<String> {
    (shown < count).then(|| format!("{shown} of {count} images are shown."))
}
