//! `/`: the images of one folder, for people and for programs.

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::app::App;
use super::base::public_base;
use super::image::Client;
use super::pages::{self, Entry};
use super::{accept, assets, error};
use crate::error::Error;
use crate::iiif::Identifier;

/// Images on one page.
const PAGE: usize = 60;

impl App {
    /// The identifier of an image of the root folder, as one path segment; for the start message.
    pub(super) async fn first_identifier(&self) -> Option<String> {
        let images = self.pipeline().list(String::new()).await.ok()?.images;
        self.encoded(images.first()?)
    }

    /// The path of an image as one path segment of a URL.
    fn encoded(&self, path: &str) -> Option<String> {
        let path = match &self.server().slash_substitute {
            Some(substitute) => path.replace('/', substitute),
            None => path.to_owned(),
        };
        Identifier::new(path)
            .ok()
            .map(|identifier| identifier.encoded())
    }
}

pub async fn index(State(app): State<App>, request: Parts) -> Response {
    let client = Client::new(&request);
    match respond(&app, &client).await {
        Ok(response) => response,
        Err(failure) => error::respond(&failure, client.headers),
    }
}

async fn respond(app: &App, client: &Client<'_>) -> Result<Response, Error> {
    let after = client.uri.query().and_then(after).unwrap_or_default();
    let listing = app.pipeline().list(String::new()).await?;
    let images: Vec<String> = listing
        .images
        .into_iter()
        .filter(|path| *path > after)
        .collect();
    let shown = &images[..images.len().min(PAGE)];
    let next = match shown.last() {
        Some(last) if images.len() > PAGE => Identifier::new(last.clone())
            .ok()
            .map(|last| format!("/?after={}", last.encoded())),
        _ => None,
    };
    let base = public_base(app.server(), client.uri, client.headers, client.peer);
    let mut response = if accept::prefers_json(client.headers) {
        json_index(app, &base, shown, next.as_deref())
    } else {
        let entries: Vec<Entry> = shown
            .iter()
            .filter_map(|path| entry(app, &base, path))
            .collect();
        assets::page(pages::html(&entries, next.as_deref()))
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn after(query: &str) -> Option<String> {
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("after="))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn entry(app: &App, base: &str, path: &str) -> Option<Entry> {
    let identifier = app.encoded(path)?;
    let info = format!("{base}/iiif/3/{identifier}/info.json");
    Some(Entry {
        label: path.to_owned(),
        info_v2: format!("{base}/iiif/2/{identifier}/info.json"),
        // Relative, because the page may load from its own origin only.
        thumbnail: format!("iiif/3/{identifier}/full/!200,200/0/default.jpg"),
        view: format!("view?id={identifier}"),
        viewer: app
            .server()
            .viewer
            .as_ref()
            .map(|viewer| viewer.showing(&info)),
        info,
    })
}

fn json_index(app: &App, base: &str, images: &[String], next: Option<&str>) -> Response {
    let images: Vec<Value> = images
        .iter()
        .filter_map(|path| {
            let entry = entry(app, base, path)?;
            Some(json!({
                "id": path,
                "info": entry.info,
                "thumbnail": format!("{base}/{}", entry.thumbnail),
                "view": format!("{base}/{}", entry.view),
            }))
        })
        .collect();
    let mut document = json!({ "images": images });
    if let Some(next) = next {
        document["next"] = json!(format!("{base}{next}"));
    }
    let mut response = Response::new(Body::from(format!("{document:#}\n")));
    let media_type = HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    response
}
