//! `/presentation/{version}/{identifier}/manifest`: a document or a folder of images for viewers.

mod composites;
pub mod config;
mod download;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::accept::JsonType;
use super::access::{self, Door};
use super::app::App;
use super::base::public_base;
use super::image::{Client, cache_headers, not_modified};
use super::index::encode;
use super::log::Logged;
use super::{error, path};
use crate::access::{Decision, Outcome, tier};
use crate::cache::CacheKey;
use crate::error::Error;
use crate::iiif::{Identifier, Version};
use crate::pipeline::{Contents, Count, Document, Pages, Shown, Terms, Validators, Written};
use crate::presentation::{Canvas, Label, Manifest, Rendering};

/// The label of the root folder, which has no name.
const ROOT: &str = "Images";
/// Changes with what is written.
const FORMAT: &str = concat!("manifest ", env!("CARGO_PKG_VERSION"));

/// What is there only if it is configured.
pub(super) fn routes(app: &App) -> Router<App> {
    composites::routes(app).merge(download::routes(app))
}

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
    let subject = match asked.subject(app, client).await? {
        Found::Subject(subject) => subject,
        Found::Elsewhere(location) => return Ok(access::found(&location)),
    };
    let server = public_base(app.server(), client.uri, client.headers, client.peer);
    let terms = Arc::clone(subject.terms());
    let told = [
        &server,
        client.uri.path(),
        &subject.tag().to_string(),
        &format!("{terms:?}"),
    ];
    let answer = Answer::new(app, version, client, &told, subject.modified(), &terms);
    let logged = asked.logged();
    let decision = subject.decision().cloned();
    let mut response = match answer.confirmed() {
        Some(confirmed) => confirmed,
        None => answer.full(subject.write(app, asked, server).await?),
    };
    match decision {
        Some(decision) => access::protect(response.headers_mut(), &decision),
        None => access::protect_list(app, response.headers_mut()),
    }
    if let Some(logged) = logged {
        response.extensions_mut().insert(logged);
    }
    Ok(response)
}

/// What is to be said around a manifest, known before there is one.
struct Answer<'a> {
    client: &'a Client<'a>,
    media_type: &'static str,
    validators: Validators,
    /// If it is whole.
    headers: HeaderMap,
}

impl<'a> Answer<'a> {
    /// Of what makes a manifest another one, besides the configuration.
    fn new(
        app: &App,
        version: Version,
        client: &'a Client<'a>,
        told: &[&str],
        modified: Option<SystemTime>,
        terms: &Terms,
    ) -> Self {
        let media_type = JsonType::negotiate(client.headers, version).of_manifest(version);
        let (pipeline, slash) = (app.pipeline(), &app.server().slash_substitute);
        let (rights, attribution) = (pipeline.rights(), pipeline.attribution());
        let has_rules = app.gate().is_some();
        let configured = (rights, attribution, slash, app.presentation(), has_rules);
        let configured = format!("{configured:?}");
        let parts = [FORMAT, media_type, &configured].into_iter();
        let parts: Vec<&str> = parts.chain(told.iter().copied()).collect();
        let validators = Validators {
            etag: CacheKey::new(&parts).to_string(),
            modified,
        };
        Self {
            headers: cache_headers(app, client, &validators, terms),
            client,
            media_type,
            validators,
        }
    }

    /// If the client has it: only one that was whole has ever been tagged.
    fn confirmed(&self) -> Option<Response> {
        let is_current = self.client.has_current(&self.validators);
        is_current.then(|| varying(not_modified(self.headers.clone())))
    }

    /// One that is not whole is not to be kept.
    fn full(self, manifest: Written) -> Response {
        let mut headers = self.headers;
        if !manifest.is_whole {
            headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        let media_type = HeaderValue::from_static(self.media_type);
        headers.insert(header::CONTENT_TYPE, media_type);
        let mut response = Response::new(Body::from(manifest.text));
        *response.headers_mut() = headers;
        varying(response)
    }
}

fn varying(mut response: Response) -> Response {
    let accept = HeaderValue::from_static("Accept");
    response.headers_mut().insert(header::VARY, accept);
    response
}

enum Found {
    Subject(Subject),
    Elsewhere(String),
}

/// What is found under an identifier.
enum Subject {
    Document(Box<Document>, Decision),
    Folder(Contents),
}

impl Subject {
    /// Stands for its images.
    fn tag(&self) -> &CacheKey {
        match self {
            Self::Document(document, _) => &document.tag,
            Self::Folder(folder) => &folder.tag,
        }
    }

    fn terms(&self) -> &Arc<Terms> {
        match self {
            Self::Document(document, _) => &document.terms,
            Self::Folder(folder) => &folder.terms,
        }
    }

    /// `None` for a folder, which has only what may be known of.
    fn decision(&self) -> Option<&Decision> {
        match self {
            Self::Document(_, decision) => Some(decision),
            Self::Folder(_) => None,
        }
    }

    /// A folder has no date that changes whenever an image in it does.
    fn modified(&self) -> Option<SystemTime> {
        match self {
            Self::Document(document, _) => Some(document.modified()),
            Self::Folder(_) => None,
        }
    }

    async fn write(self, app: &App, asked: Asked, server: String) -> Result<Written, Error> {
        let pipeline = app.pipeline();
        let owned = app.clone();
        let write = move |contents: &Contents| {
            let manifest = asked.manifest(&owned, &server, contents);
            (text(&manifest, asked.version), !contents.is_partial)
        };
        match self {
            Self::Folder(folder) => {
                let images = folder.images.len();
                pipeline.write(images, move || Ok(write(&folder))).await
            }
            Self::Document(document, _) => {
                let pages = pipeline.pages(*document).await?;
                let work = move |pages: Pages| Ok(write(&pages.contents()?));
                pipeline.write(pages.count(), move || work(pages)).await
            }
        }
    }
}

fn text(manifest: &Manifest, version: Version) -> String {
    format!("{}\n", manifest.document(version))
}

/// What the path names.
struct Asked {
    version: Version,
    /// The identifier as it was written. `None` for the root folder.
    segment: Option<String>,
    image: Option<access::Asked>,
}

impl Asked {
    fn parse(app: &App, version: Version, client: &Client<'_>) -> Result<Self, Error> {
        let may_have_slashes = app.server().unescaped_slashes;
        let segment = path::of_manifest(version, client.uri.path(), may_have_slashes);
        let segment = segment.ok_or_else(|| {
            let form = "no manifest has this address; slashes in an identifier are written %2F";
            Error::NotFound(form.to_owned())
        })?;
        let image = segment
            .map(|segment| {
                let prefix = path::manifests(version);
                access::Asked::parse(app, client.uri.path(), prefix, segment)
            })
            .transpose()?;
        Ok(Self {
            version,
            segment: segment.map(str::to_owned),
            image,
        })
    }

    fn identifier(&self) -> Option<&Identifier> {
        self.image.as_ref().map(|image| &image.identifier)
    }

    /// An image, or else a folder.
    async fn subject(&self, app: &App, client: &Client<'_>) -> Result<Found, Error> {
        let door = Door::new(app, client);
        let Some(image) = &self.image else {
            return folder(app, client, &door, "").await;
        };
        let found = match door.decide(image).await {
            Ok(decision) => self.document(app, client, image, decision).await,
            Err(error) => Err(error),
        };
        let Err(absent @ Error::NotFound(_)) = found else {
            return found;
        };
        let name = image.identifier.to_string();
        match folder(app, client, &door, &name).await {
            Err(Error::NotFound(_)) => Err(absent),
            folder => folder,
        }
    }

    async fn document(
        &self,
        app: &App,
        client: &Client<'_>,
        image: &access::Asked,
        decision: Decision,
    ) -> Result<Found, Error> {
        let identifier = image.identifier.clone();
        let largest = match &decision.outcome {
            Outcome::Smaller(_) | Outcome::Refuse(_)
                if access::is_told_of(app, self.version, &decision) =>
            {
                image.largest
            }
            Outcome::Smaller(largest) => {
                return self.smaller(app, client, identifier, *largest).await;
            }
            Outcome::Elsewhere(location) => return Ok(Found::Elsewhere(location.clone())),
            Outcome::Allow(_) | Outcome::Refuse(_) => access::view(&decision, &identifier)?.largest,
        };
        let document = app.pipeline().document(identifier, largest, client.caching);
        let document = Box::new(document.await?);
        Ok(Found::Subject(Subject::Document(document, decision)))
    }

    /// The manifest of the smaller version that somebody sees.
    async fn smaller(
        &self,
        app: &App,
        client: &Client<'_>,
        identifier: Identifier,
        largest: NonZeroU32,
    ) -> Result<Found, Error> {
        let terms = app.pipeline().locate(identifier.clone()).await?;
        let server = public_base(app.server(), client.uri, client.headers, client.peer);
        let server = terms.public_url.as_deref().unwrap_or(&server);
        let prefix = path::manifests(self.version);
        let segment = app.encoded(&identifier.to_string()).unwrap_or_default();
        let mark = tier::mark(largest);
        let location = format!("{server}{prefix}{segment}{mark}/manifest");
        Ok(Found::Elsewhere(location))
    }

    fn manifest(&self, app: &App, server: &str, contents: &Contents) -> Manifest {
        let canvases = contents.images.iter();
        Manifest {
            base: self.base(contents.terms.public_url.as_deref().unwrap_or(server)),
            label: Label::new(&self.label(contents)),
            summary: summary(contents.images.len(), contents.count),
            rights: app.pipeline().rights().cloned(),
            attribution: app.pipeline().attribution().cloned(),
            rendering: self.rendering(app, server, contents),
            canvases: canvases
                .filter_map(|shown| self.canvas(app, server, shown))
                .collect(),
        }
    }

    /// Whoever does not see the document as it is, is told so when he asks for it.
    fn rendering(&self, app: &App, server: &str, contents: &Contents) -> Option<Rendering> {
        let server = contents.terms.public_url.as_deref().unwrap_or(server);
        let identifier = self.identifier().filter(|_| contents.is_pdf)?;
        download::rendering(app, server, identifier, contents.is_named)
    }

    /// What the addresses of the manifest and its canvases begin with.
    fn base(&self, server: &str) -> String {
        let prefix = path::manifests(self.version);
        match &self.segment {
            Some(segment) => format!("{server}{prefix}{segment}"),
            None => format!("{server}{}", prefix.trim_end_matches('/')),
        }
    }

    /// The title that a document has, or the last part of the identifier.
    fn label(&self, contents: &Contents) -> String {
        let name = || self.identifier().map(Identifier::to_string);
        let last = |name: String| name.rsplit('/').next().map(str::to_owned);
        let label = contents.title.clone().or_else(|| name().and_then(last));
        label.unwrap_or_else(|| ROOT.to_owned())
    }

    /// `None` for an image that no URL leads to.
    fn canvas(&self, app: &App, server: &str, shown: &Shown) -> Option<Canvas> {
        let segment = match &self.segment {
            Some(segment) if self.identifier() == Some(&shown.identifier) => segment.clone(),
            _ => {
                let segment = app.encoded(&shown.identifier.to_string())?;
                segment + &shown.confined.map(tier::mark).unwrap_or_default()
            }
        };
        let server = shown.terms.public_url.as_deref().unwrap_or(server);
        Some(Canvas {
            name: encode(&shown.label),
            label: Label::new(&shown.label),
            dimensions: shown.full,
            image: format!("{server}{}{segment}", path::prefix(self.version)),
            largest: shown.largest,
            thumbnail: shown.thumbnail,
        })
    }

    fn logged(&self) -> Option<Logged> {
        Some(Logged {
            identifier: self.identifier()?.clone(),
            request: "manifest".to_owned(),
            strategy: "header",
        })
    }
}

/// The images of a folder that somebody may know of.
async fn folder(
    app: &App,
    client: &Client<'_>,
    door: &Door<'_>,
    folder: &str,
) -> Result<Found, Error> {
    let pipeline = app.pipeline();
    let listing = pipeline.list(folder.to_owned()).await?;
    let listed = door.list_folder(listing.images).await?;
    let contents = pipeline.folder(folder, listed, client.caching);
    contents
        .await
        .map(|contents| Found::Subject(Subject::Folder(contents)))
}

/// If not all are shown.
fn summary(shown: usize, count: Count) -> Option<String> {
    let count = match count {
        Count::Exactly(count) if count == shown => return None,
        Count::Exactly(count) => count.to_string(),
        Count::MoreThan(count) => format!("more than {count}"),
    };
    Some(format!("{shown} of {count} images are shown."))
}
