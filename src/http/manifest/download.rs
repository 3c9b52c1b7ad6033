//! `/presentation/download/{identifier}`: the PDF that a manifest is made of.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::get;

use crate::error::Error;
use crate::http::access::{self, Asked, Door};
use crate::http::app::App;
use crate::http::disposition;
use crate::http::error;
use crate::http::image::{Client, cache_headers, not_modified};
use crate::http::log::Logged;
use crate::http::parts;
use crate::iiif::Identifier;
use crate::pipeline::Validators;
use crate::presentation::Rendering;

const PREFIX: &str = "/presentation/download/";

/// Where nobody is given documents, there is nothing.
pub fn routes(app: &App) -> Router<App> {
    match app.presentation().download {
        true => Router::new().route(&format!("{PREFIX}{{*path}}"), get(download)),
        false => Router::new(),
    }
}

/// Pages of one file that are images of their own have rules of their own: then none of them opens the file.
fn is_open(app: &App, is_named: bool) -> bool {
    is_named || app.gate().is_none()
}

/// What leads to the document of an image, if it is given to anybody. `is_named`: whether the identifier of the image is one of the file.
pub(super) fn rendering(
    app: &App,
    server: &str,
    image: &Identifier,
    is_named: bool,
) -> Option<Rendering> {
    let segment = app.encoded(&image.to_string())?;
    let is_given = app.presentation().download && is_open(app, is_named);
    is_given.then(|| Rendering {
        address: format!("{server}{PREFIX}{segment}"),
    })
}

async fn download(State(app): State<App>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    let client = Client::new(&app, &request);
    match respond(&app, &client).await {
        Ok(response) => response,
        Err(failure) => error::respond(&failure, client.headers),
    }
}

async fn respond(app: &App, client: &Client<'_>) -> Result<Response, Error> {
    let segment = client.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    if segment.contains('/') && !app.server().unescaped_slashes {
        let form = "slashes in an identifier are written %2F";
        return Err(Error::NotFound(form.to_owned()));
    }
    let asked = Asked::parse(app, client.uri.path(), PREFIX, segment)?;
    let decision = Door::new(app, client).decide(&asked).await?;
    let part = format!("\"{}\" is shown in part only", asked.identifier);
    if !access::view(&decision, &asked.identifier)?.is_whole() {
        return Err(Error::Forbidden(part));
    }
    let pipeline = app.pipeline();
    let original = pipeline.original(asked.identifier, client.caching).await?;
    if !is_open(app, original.is_named) {
        return Err(Error::Forbidden(part));
    }
    let validators = Validators {
        etag: original.tag().to_string(),
        modified: Some(original.modified()),
    };
    let mut headers = cache_headers(app, client, &validators, &original.terms);
    access::protect(&mut headers, &decision);
    let logged = Logged {
        identifier: original.identifier.clone(),
        request: "download".to_owned(),
        strategy: "copied",
    };
    let mut response = if client.has_current(&validators) {
        not_modified(headers)
    } else {
        let name = disposition::document(&original.identifier);
        headers.insert(header::CONTENT_DISPOSITION, name);
        let media_type = HeaderValue::from_static("application/pdf");
        headers.insert(header::CONTENT_TYPE, media_type);
        headers.insert(header::CONTENT_LENGTH, original.file.size().into());
        let mut response = Response::new(parts::body(pipeline, original.file).await?);
        *response.headers_mut() = headers;
        response
    };
    response.extensions_mut().insert(logged);
    Ok(response)
}
