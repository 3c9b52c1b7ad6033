//! `/iiif/{version}/{identifier}…`: images, `info.json`, and the redirect from the base URI.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::access::{self, Asked, Door};
use super::app::App;
use super::base::public_base;
use super::config::ServerConfig;
use super::log::Logged;
use super::path::{Call, prefix};
use super::{caching, conditional, disposition, error, information, parts};
use crate::access::{Decision, Outcome, tier};
use crate::error::Error;
use crate::iiif::identifier::IdentifierError;
use crate::iiif::{Identifier, ImageRequest, Version};
use crate::pipeline::{Caching, Content, Derivative, Origin, Prepared, Terms, Validators};

pub async fn version_2(State(app): State<App>, request: Request) -> Response {
    answer(&app, Mount::of(Version::V2), &request.into_parts().0).await
}

pub async fn version_3(State(app): State<App>, request: Request) -> Response {
    answer(&app, Mount::of(Version::V3), &request.into_parts().0).await
}

/// Where images are in the map of URLs.
#[derive(Clone, Copy)]
pub(super) struct Mount {
    pub version: Version,
    /// What stands before the identifier.
    pub prefix: &'static str,
    /// The path segments of an identifier, if it has one number of them always.
    pub segments: Option<usize>,
}

impl Mount {
    fn of(version: Version) -> Self {
        Self {
            version,
            prefix: prefix(version),
            segments: None,
        }
    }

    fn call<'a>(&self, app: &App, path: &'a str) -> Option<Call<'a>> {
        let below = path.strip_prefix(self.prefix).unwrap_or_default();
        let Some(segments) = self.segments else {
            return Call::parse(below, app.server().unescaped_slashes);
        };
        let call = Call::parse(below, true)?;
        (call.identifier().split('/').count() == segments).then_some(call)
    }
}

pub(super) async fn answer(app: &App, mount: Mount, request: &Parts) -> Response {
    let client = Client::new(app, request);
    match dispatch(app, mount, &client).await {
        Ok(response) => response,
        Err(failure) => error::respond(&failure, client.headers),
    }
}

/// What the request says of the one who asks.
pub(super) struct Client<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub peer: Option<IpAddr>,
    pub caching: Caching,
}

impl<'a> Client<'a> {
    pub fn new(app: &App, request: &'a Parts) -> Self {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
        Self {
            method: &request.method,
            uri: &request.uri,
            headers: &request.headers,
            peer: peer.map(|ConnectInfo(address)| address.ip()),
            caching: caching::asked(app, request),
        }
    }

    /// Whether it may be answered that its copy is current. Who goes around the cache wants to see the answer made.
    pub fn has_copy(&self) -> bool {
        self.caching == Caching::Use && conditional::is_asked(self.headers)
    }

    /// Whether its copy is the current one.
    pub fn has_current(&self, validators: &Validators) -> bool {
        self.has_copy() && conditional::is_current(self.headers, validators)
    }
}

async fn dispatch(app: &App, mount: Mount, client: &Client<'_>) -> Result<Response, Error> {
    let version = mount.version;
    let call = mount.call(app, client.uri.path()).ok_or_else(|| {
        Error::NotFound(
            "no IIIF request has this form; slashes in an identifier are written %2F".to_owned(),
        )
    })?;
    let address = Address::new(app, mount, client, call.identifier());
    let path = client.uri.path();
    let asked = Asked::parse(app, path, mount.prefix, call.identifier())?;
    let decision = door(app, client, version, call).decide(&asked).await?;
    if let Some(segment) = in_lowest_terms(&asked, call.identifier()) {
        let address = Address {
            segment: &segment,
            ..address
        };
        let base = base(app, &address, &asked, &decision).await?;
        let moved = moved(&base, call, client.uri.query());
        return Ok(protected(moved, &decision));
    }
    match call {
        Call::Base { .. } => {
            let base = base(app, &address, &asked, &decision).await?;
            let redirect = redirect(&format!("{base}/info.json"));
            Ok(protected(redirect, &decision))
        }
        Call::Information { .. } => {
            information::respond(app, client, &address, asked, &decision).await
        }
        Call::Image { parameters, .. } => {
            let accepted = app.compatibility();
            let identifier = asked.identifier;
            let request = ImageRequest::parse_with(accepted, version, identifier, parameters)?;
            image(app, client, &address, request, &decision).await
        }
    }
}

/// B06: in Authentication 1.0, viewers ask for an `info.json` with a token, to find out what they will see.
fn door<'a>(app: &'a App, client: &'a Client<'a>, version: Version, call: Call<'_>) -> Door<'a> {
    let is_information = matches!(call, Call::Information { .. });
    if is_information && version == Version::V2 && app.access().auth1 {
        Door::taking_tokens(app, client)
    } else {
        Door::new(app, client)
    }
}

/// The base URI of an image, for those who may know that there is one.
async fn base(
    app: &App,
    address: &Address<'_>,
    asked: &Asked,
    decision: &Decision,
) -> Result<String, Error> {
    if matches!(decision.outcome, Outcome::Refuse(_)) {
        access::view(decision, &asked.identifier)?;
    }
    let terms = app.pipeline().locate(asked.identifier.clone()).await?;
    Ok(address.uri(&terms))
}

/// Of an image itself: without the mark of a smaller version.
pub(super) fn identifier(app: &App, segment: &str) -> Result<Identifier, IdentifierError> {
    Ok(Asked::parse(app, segment, "", segment)?.identifier)
}

/// E14: where a proxy decodes `%2F`, another text stands for the slash.
pub(super) fn with_slashes(
    server: &ServerConfig,
    identifier: Identifier,
) -> Result<Identifier, IdentifierError> {
    match &server.slash_substitute {
        Some(substitute) => Identifier::new(identifier.as_str().replace(substitute, "/")),
        None => Ok(identifier),
    }
}

/// The base URI of an image.
pub(super) struct Address<'a> {
    /// The server's, as the client sees it.
    base: String,
    mount: Mount,
    segment: &'a str,
}

impl<'a> Address<'a> {
    fn new(app: &App, mount: Mount, client: &Client<'_>, segment: &'a str) -> Self {
        Self {
            base: public_base(app.server(), client.uri, client.headers, client.peer),
            mount,
            segment,
        }
    }

    /// Of an image in the newest version.
    pub fn of_image(app: &App, client: &Client<'_>, segment: &'a str) -> Self {
        Self::new(app, Mount::of(Version::V3), client, segment)
    }

    pub fn version(&self) -> Version {
        self.mount.version
    }

    /// The identifier, as it was written.
    pub fn segment(&self) -> &str {
        self.segment
    }

    /// E11: with the identifier as it was written.
    pub fn uri(&self, terms: &Terms) -> String {
        let base = terms.public_url.as_deref().unwrap_or(&self.base);
        format!("{base}{}{}", self.mount.prefix, self.segment)
    }
}

impl Address<'_> {
    /// The base URI of a smaller version of an image.
    ///
    /// # Errors
    /// If no URL leads to it.
    pub fn of_smaller(
        &self,
        app: &App,
        terms: &Terms,
        identifier: &Identifier,
        largest: NonZeroU32,
    ) -> Result<String, Error> {
        let segment = app.encoded(&identifier.to_string());
        let absent = || Error::NotFound(format!("there is no image \"{identifier}\""));
        let segment = format!("{}{}", segment.ok_or_else(absent)?, tier::mark(largest));
        let smaller = Address {
            base: self.base.clone(),
            mount: self.mount,
            segment: &segment,
        };
        Ok(smaller.uri(terms))
    }
}

/// The path segment of an identifier with the scale at its end in lowest terms, if it is not.
fn in_lowest_terms(asked: &Asked, segment: &str) -> Option<String> {
    let segment = segment.strip_suffix(&asked.mark())?;
    let scale = asked.identifier.scale()?;
    let reduced = scale.reduced();
    let delimiters = [";", "%3B", "%3b"].into_iter();
    let end = delimiters.filter_map(|text| segment.rfind(text)).max()?;
    let suffix = reduced.map_or(String::new(), |reduced| format!(";{reduced}"));
    let mark = asked.mark();
    (reduced != Some(scale)).then(|| format!("{}{suffix}{mark}", &segment[..end]))
}

/// The same call of an image that will always be under another base URI.
fn moved(base: &str, call: Call<'_>, query: Option<&str>) -> Response {
    let mut location = match call {
        Call::Base { .. } | Call::Information { .. } => format!("{base}/info.json"),
        Call::Image { parameters, .. } => format!("{base}/{}", parameters.join("/")),
    };
    if let Some(query) = query {
        location.extend(["?", query]);
    }
    let mut response = redirect(&location);
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response
}

/// Those who may not know of an image are not led to it, by no cache either.
fn protected(mut response: Response, decision: &Decision) -> Response {
    access::protect(response.headers_mut(), decision);
    response
}

/// U04, U07.
fn redirect(location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

async fn image(
    app: &App,
    client: &Client<'_>,
    address: &Address<'_>,
    request: ImageRequest,
    decision: &Decision,
) -> Result<Response, Error> {
    if let Outcome::Elsewhere(location) = &decision.outcome {
        return Ok(access::found(location));
    }
    let view = access::view(decision, &request.identifier)?;
    let pipeline = app.pipeline();
    let prepared = pipeline.prepare(request, view, client.caching, !client.has_copy());
    let mut prepared = prepared.await?;
    prepared.toll = app.limits().toll(client, app, &prepared);
    let mut headers = headers(app, client, address, &prepared);
    access::protect(&mut headers, decision);
    let logged = Logged {
        identifier: prepared.request.identifier.clone(),
        request: prepared.canonical.clone(),
        strategy: prepared.plan.strategy(),
    };
    let mut response = if client.has_current(&prepared.validators) {
        not_modified(headers)
    } else {
        let Derivative {
            content,
            format,
            origin,
            validators,
        } = pipeline.render(prepared, client.caching).await?;
        for (name, value) in validators.iter().flat_map(validating) {
            headers.insert(name, value);
        }
        headers.insert(CACHE_STATUS, cache_status(origin));
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(format.media_type()),
        );
        let body = match content {
            Content::Bytes(bytes) => Body::from(bytes),
            Content::File(file) => {
                headers.insert(header::CONTENT_LENGTH, file.size().into());
                Box::pin(parts::body(pipeline, file)).await?
            }
        };
        let mut response = Response::new(body);
        *response.headers_mut() = headers;
        response
    };
    response.extensions_mut().insert(logged);
    Ok(response)
}

/// RFC 9211.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Whether the answer was in the cache, for people who wonder about its time.
fn cache_status(origin: Origin) -> HeaderValue {
    HeaderValue::from_static(match origin {
        Origin::Cached("memory") => "azulejo; hit; detail=memory",
        Origin::Cached("disk") => "azulejo; hit; detail=disk",
        Origin::Cached("redis") => "azulejo; hit; detail=redis",
        Origin::Cached("objects") => "azulejo; hit; detail=objects",
        Origin::Cached(_) => "azulejo; hit",
        Origin::Copied => "azulejo; fwd=bypass; detail=copied",
        Origin::Made => "azulejo; fwd=miss",
    })
}

/// H05: the same on 200, 304 and HEAD.
fn headers(
    app: &App,
    client: &Client<'_>,
    address: &Address<'_>,
    prepared: &Prepared,
) -> HeaderMap {
    let mut headers = cache_headers(app, client, &prepared.validators, &prepared.terms);
    let canonical = format!("{}/{}", address.uri(&prepared.terms), prepared.canonical);
    headers.insert(header::LINK, links(Some(&canonical), address.mount.version));
    let disposition = disposition::disposition(prepared, client.uri.query());
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers
}

/// As many as an answer has, with those that are added to every answer.
const MOST_HEADERS: usize = 12;

/// What caches need to know.
pub(super) fn cache_headers(
    app: &App,
    client: &Client<'_>,
    validators: &Validators,
    terms: &Terms,
) -> HeaderMap {
    let general = &app.server().cache_control;
    let cache_control = match client.caching {
        Caching::Bypass => "no-store",
        Caching::Use | Caching::Renew => terms.cache_control.as_ref().unwrap_or(general),
    };
    let mut headers = HeaderMap::with_capacity(MOST_HEADERS);
    if let Ok(value) = HeaderValue::from_str(cache_control) {
        headers.insert(header::CACHE_CONTROL, value);
    }
    headers.extend(validating(validators));
    headers
}

fn validating(validators: &Validators) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let etag = format!("\"{}\"", validators.etag);
    let modified = validators.modified.map(httpdate::fmt_http_date);
    let values = [
        (header::ETAG, Some(etag)),
        (header::LAST_MODIFIED, modified),
    ];
    let value = |(name, text): (_, Option<String>)| {
        let value = HeaderValue::try_from(text?).ok()?;
        Some((name, value))
    };
    values.into_iter().filter_map(value)
}

pub(super) fn not_modified(headers: HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.headers_mut() = headers;
    response
}

/// Delimiters of link headers, and what some clients take for one (H03).
const LINK_DELIMITERS: &AsciiSet = &CONTROLS.add(b';').add(b'<').add(b'>').add(b'"').add(b' ');

/// Bytes for which no more memory has to be found.
const USUAL_LINKS: usize = 256;

/// H01, H02: both relations in one line.
pub(super) fn links(canonical: Option<&str>, version: Version) -> HeaderValue {
    let mut line = String::with_capacity(USUAL_LINKS);
    if let Some(uri) = canonical {
        line.push('<');
        line.extend(utf8_percent_encode(uri, LINK_DELIMITERS));
        line.push_str(">;rel=\"canonical\",");
    }
    line.extend(["<", version.profile(), ">;rel=\"profile\""]);
    // Only if something is not a URI after all; an answer with fewer links is better than none.
    HeaderValue::try_from(line).unwrap_or(HeaderValue::from_static(""))
}
