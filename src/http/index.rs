//! `/`: the images and folders of one folder, for people and for programs.

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::access::{self, Door};
use super::app::App;
use super::base::public_base;
use super::image::Client;
use super::pages::{self, Entry, Folder};
use super::path::manifests;
use super::{accept, assets, error};
use crate::access::tier;
use crate::error::Error;
use crate::iiif::{Identifier, Version};
use crate::pipeline::no_folder;

/// Images on one page.
const PAGE: usize = 60;

impl App {
    /// The identifier of an image of the root folder, as one path segment; for the start message.
    pub(super) async fn first_identifier(&self) -> Option<String> {
        let images = self.pipeline().list(String::new()).await.ok()?.images;
        self.encoded(images.first()?)
    }

    /// The path of an image as one path segment of a URL.
    pub(super) fn encoded(&self, path: &str) -> Option<String> {
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
    let client = Client::new(&app, &request);
    match respond(&app, &client).await {
        Ok(response) => response,
        Err(failure) => error::respond(&failure, client.headers),
    }
}

/// A part of one folder's listing.
struct Page {
    folder: String,
    folders: Vec<String>,
    images: Vec<String>,
    has_more: bool,
}

async fn respond(app: &App, client: &Client<'_>) -> Result<Response, Error> {
    let page = page(app, client).await?;
    let base = public_base(app.server(), client.uri, client.headers, client.peer);
    let mut response = if accept::prefers_json(client.headers) {
        page.json(app, &base)
    } else {
        page.html(app, &base)
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    access::protect_list(app, headers);
    Ok(response)
}

async fn page(app: &App, client: &Client<'_>) -> Result<Page, Error> {
    let query = client.uri.query().unwrap_or_default();
    let folder = parameter(query, "folder").unwrap_or_default();
    let after = parameter(query, "after").unwrap_or_default();
    let listing = app.pipeline().list(folder.clone()).await?;
    let door = Door::new(app, client);
    let shown = door.list_folder(listing.images).await?;
    if app.gate().is_some() && !folder.is_empty() && shown.is_empty() && listing.folders.is_empty()
    {
        return Err(no_folder(&folder));
    }
    let folders = folders(app, &door, listing.folders).await?;
    let named = |(path, largest): (String, Option<_>)| match largest {
        Some(largest) => path + &tier::mark(largest),
        None => path,
    };
    let mut images: Vec<String> = shown.into_iter().map(named).collect();
    images.retain(|path| *path > after);
    let has_more = images.len() > PAGE;
    images.truncate(PAGE);
    Ok(Page {
        folder,
        folders,
        images,
        has_more,
    })
}

/// Images of a folder that are looked at, to see whether there is one for the one who asks.
const MOST_LOOKED_AT: usize = 100;

/// Where somebody decides who sees what: those in which there is something for the one who asks, or folders.
async fn folders(app: &App, door: &Door<'_>, folders: Vec<String>) -> Result<Vec<String>, Error> {
    if app.gate().is_none() {
        return Ok(folders);
    }
    let mut shown = Vec::new();
    for folder in folders {
        // One that cannot be read keeps nobody from the others.
        let Ok(listing) = app.pipeline().list(folder.clone()).await else {
            continue;
        };
        let first = listing.images.into_iter().take(MOST_LOOKED_AT).collect();
        let has_images = !door.list_folder(first).await?.is_empty();
        if has_images || !listing.folders.is_empty() {
            shown.push(folder);
        }
    }
    Ok(shown)
}

/// The value of a parameter of the query, decoded.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let value = query
        .split('&')
        .find_map(|pair| match pair.split_once('=') {
            Some((key, value)) if key == name => Some(value),
            _ => None,
        })?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

impl Page {
    fn html(&self, app: &App, base: &str) -> Response {
        let entries: Vec<Entry> = self
            .images
            .iter()
            .filter_map(|path| entry(app, base, path))
            .collect();
        let manifest = self.manifest(app, base).unwrap_or_default();
        let next = self.next();
        let html = pages::html(&self.folder_links(), &entries, &manifest, next.as_deref());
        assets::page(html)
    }

    fn json(&self, app: &App, base: &str) -> Response {
        let images: Vec<Value> = self
            .images
            .iter()
            .filter_map(|path| {
                let entry = entry(app, base, path)?;
                Some(json!({
                    "id": path,
                    "info": entry.info,
                    "manifest": entry.manifest,
                    "thumbnail": format!("{base}/{}", entry.thumbnail),
                    "view": format!("{base}/{}", entry.view),
                    "viewer": entry.viewer,
                }))
            })
            .collect();
        let mut document = json!({ "folders": self.folders, "images": images });
        if !self.images.is_empty() {
            document["manifest"] = json!(self.manifest(app, base));
        }
        if let Some(next) = self.next() {
            document["next"] = json!(format!("{base}/{next}"));
        }
        let mut response = Response::new(Body::from(format!("{document:#}\n")));
        let media_type = HeaderValue::from_static("application/json");
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, media_type);
        response
    }

    /// The folder above, and those below.
    fn folder_links(&self) -> Vec<Folder> {
        let above = (!self.folder.is_empty()).then(|| {
            let parent = self
                .folder
                .rsplit_once('/')
                .map_or("", |(parent, _)| parent);
            Folder {
                label: "..".to_owned(),
                link: folder_link(parent),
            }
        });
        let below = self.folders.iter().map(|path| Folder {
            label: path.rsplit('/').next().unwrap_or(path).to_owned(),
            link: folder_link(path),
        });
        above.into_iter().chain(below).collect()
    }

    /// The address of the manifest of all images of the folder.
    fn manifest(&self, app: &App, base: &str) -> Option<String> {
        let manifests = format!("{base}{}", manifests(Version::V3));
        if self.folder.is_empty() {
            return Some(format!("{manifests}manifest"));
        }
        let folder = app.encoded(&self.folder)?;
        Some(format!("{manifests}{folder}/manifest"))
    }

    /// The link to the images after the last of these.
    fn next(&self) -> Option<String> {
        let last = self.images.last().filter(|_| self.has_more)?;
        Some(format!(
            "{}&after={}",
            folder_link(&self.folder),
            encode(last)
        ))
    }
}

fn folder_link(path: &str) -> String {
    format!("?folder={}", encode(path))
}

/// One path segment, or the value of a parameter.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn entry(app: &App, base: &str, path: &str) -> Option<Entry> {
    let identifier = app.encoded(path)?;
    let info = format!("{base}/iiif/3/{identifier}/info.json");
    Some(Entry {
        label: path.to_owned(),
        info_v2: format!("{base}/iiif/2/{identifier}/info.json"),
        manifest: format!("{base}{}{identifier}/manifest", manifests(Version::V3)),
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
