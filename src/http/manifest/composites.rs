//! `/presentation/{version}/composites/{member}/manifest` and `…/batches/{customer}/{batch}/manifest`: pages that were ingested.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::num::NonZeroU32;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use uuid::Uuid;

use super::{Answer, download, summary, text};
use crate::access::tier;
use crate::error::{Error, cause};
use crate::http::access::{self, Door};
use crate::http::app::App;
use crate::http::base::public_base;
use crate::http::image::Client;
use crate::http::{error, path};
use crate::iiif::{Identifier, Version};
use crate::ingest::asset::Asset;
use crate::ingest::status::Status;
use crate::ingest::store::{Filter, Order, Store, Window};
use crate::pipeline::{Count, MOST_PAGES, Terms};
use crate::presentation::{Canvas, Label, Manifest, Rendering};

/// Where there are no composites, there is nothing.
pub fn routes(app: &App) -> Router<App> {
    if app.composites().is_none() {
        return Router::new();
    }
    Version::ALL
        .into_iter()
        .fold(Router::new(), |routes, version| {
            let prefix = path::manifests(version);
            let composite = move |State(app): State<App>,
                                  Path(id): Path<String>,
                                  request: Request| async move {
                answer(&app, version, request, Ingested::Composite(id)).await
            };
            let batch = move |State(app): State<App>,
                              Path(ids): Path<(i64, i64)>,
                              request: Request| async move {
                answer(&app, version, request, Ingested::Batch(ids.0, ids.1)).await
            };
            routes
                .route(
                    &format!("{prefix}composites/{{id}}/manifest"),
                    get(composite),
                )
                .route(
                    &format!("{prefix}batches/{{customer}}/{{id}}/manifest"),
                    get(batch),
                )
        })
}

/// What a path names.
enum Ingested {
    /// The `id` of a member of a collection.
    Composite(String),
    /// Of a customer.
    Batch(i64, i64),
}

/// Pages that were ingested together.
struct Pages {
    label: String,
    batches: Vec<i64>,
    customer: i64,
}

async fn answer(app: &App, version: Version, request: Request, asked: Ingested) -> Response {
    let (request, _) = request.into_parts();
    let client = Client::new(app, &request);
    match respond(app, version, &client, asked).await {
        Ok(response) => response,
        Err(failure) => error::respond(&failure, client.headers),
    }
}

async fn respond(
    app: &App,
    version: Version,
    client: &Client<'_>,
    asked: Ingested,
) -> Result<Response, Error> {
    let absent = || Error::NotFound("there is no such composite or batch".to_owned());
    let store = app.composites().ok_or_else(absent)?;
    let pages = match asked.pages(store).await {
        // Perhaps nobody may know that it is being made.
        Err(Error::NotFound(_)) if app.gate().is_some() => None,
        pages => pages?,
    };
    let pages = pages.ok_or_else(absent)?;
    let (assets, count) = pages.assets(store).await?;
    let all = assets.len();
    let assets = Door::new(app, client)
        .list(assets, |asset| {
            let place = asset.place.as_ref().map(|place| place.location.as_str());
            app.pipeline().ingested(&asset.key.to_string(), place)
        })
        .await?;
    if assets.iter().all(|(asset, _)| asset.place.is_none()) {
        return Err(absent());
    }
    let server = public_base(app.server(), client.uri, client.headers, client.peer);
    let states = states(&assets);
    let told = [&server, client.uri.path(), &pages.label, &states];
    let terms = Terms::default();
    let answer = Answer::new(app, version, client, &told, None, &terms);
    if let Some(mut confirmed) = answer.confirmed() {
        access::protect_list(app, confirmed.headers_mut());
        return Ok(confirmed);
    }
    let base = client.uri.path().trim_end_matches("/manifest");
    let base = format!("{server}{base}");
    let owned = app.clone();
    let length = assets.len();
    let hidden = all - length;
    let write = move || {
        let canvases = canvases(&owned, version, &server, &assets);
        if canvases.is_empty() {
            return Err(absent());
        }
        let is_whole = canvases.len() == assets.len();
        let manifest = Manifest {
            base,
            label: Label::new(&pages.label),
            summary: summary(canvases.len(), Count::Exactly(count - hidden)),
            rights: owned.pipeline().rights().cloned(),
            attribution: owned.pipeline().attribution().cloned(),
            rendering: rendering(&owned, &server, &assets).filter(|_| hidden == 0),
            canvases,
        };
        Ok((text(&manifest, version), is_whole))
    };
    let written = app.pipeline().write(length, write).await?;
    let mut response = answer.full(written);
    access::protect_list(app, response.headers_mut());
    Ok(response)
}

/// An asset, and the pixels of the smaller version that is meant.
type Listed = (Asset, Option<NonZeroU32>);

/// What a manifest says of assets, in short.
fn states(assets: &[Listed]) -> String {
    let mut states = String::new();
    for (asset, largest) in assets {
        let Asset {
            key, fields, place, ..
        } = asset;
        let sides = place.as_ref().map(|place| (place.width, place.height));
        // Into a string: never an error.
        let _ = write!(states, "{key} {largest:?} {sides:?} {:?} ", fields.strings);
    }
    states
}

impl Ingested {
    /// `None` if there is no such thing.
    async fn pages(&self, store: &Store) -> Result<Option<Pages>, Error> {
        match self {
            Self::Composite(id) => {
                let Ok(id) = id.parse::<Uuid>() else {
                    return Ok(None);
                };
                let Some(member) = store.member(id).await.map_err(unavailable)? else {
                    return Ok(None);
                };
                if member.status != Status::Completed {
                    return Err(unfinished());
                }
                Ok(Some(Pages {
                    label: member.name,
                    batches: member.batches,
                    customer: member.customer,
                }))
            }
            Self::Batch(customer, id) => {
                let Some(batch) = store.batch(*customer, *id).await.map_err(unavailable)? else {
                    return Ok(None);
                };
                if batch.finished.is_none() {
                    return Err(unfinished());
                }
                Ok(Some(Pages {
                    label: format!("Batch {id}"),
                    batches: vec![*id],
                    customer: *customer,
                }))
            }
        }
    }
}

fn unfinished() -> Error {
    Error::NotFound("it is not finished".to_owned())
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::RegistryUnavailable(cause(error))
}

impl Pages {
    /// The first [`MOST_PAGES`] in the order of the pages, without those that were retired, and how many there are.
    async fn assets(&self, store: &Store) -> Result<(Vec<Asset>, usize), Error> {
        let order = Order {
            by: None,
            is_descending: false,
        };
        let mut assets = Vec::new();
        let mut count = 0;
        for batch in &self.batches {
            let filter = Filter::Submitted(*batch);
            let rest = Window {
                page: 1,
                size: u32::try_from(MOST_PAGES.saturating_sub(assets.len())).unwrap_or(0),
            };
            let found = store.assets(self.customer, &filter, order, rest).await;
            let found = found.map_err(unavailable)?;
            count += usize::try_from(found.total).unwrap_or_default();
            assets.extend(found.members);
        }
        Ok((assets, count))
    }
}

/// Of those that have been ingested without an error.
fn canvases(app: &App, version: Version, server: &str, assets: &[Listed]) -> Vec<Canvas> {
    let telling = telling_string(assets);
    let numbered = (1..).zip(assets);
    let canvas = |(number, (asset, confined)): (usize, &Listed)| {
        let place = asset.place.as_ref()?;
        let string = telling.and_then(|which| asset.fields.strings[which].clone());
        let label = string.unwrap_or_else(|| number.to_string());
        let identifier = Identifier::new(asset.key.to_string()).ok()?;
        let segment = app.encoded(&identifier.to_string())?;
        let shown =
            app.pipeline()
                .shown(identifier, label, (place.width, place.height), *confined)?;
        let segment = segment + &confined.map(tier::mark).unwrap_or_default();
        Some(Canvas {
            name: number.to_string(),
            label: Label::new(&shown.label),
            dimensions: shown.full,
            image: format!("{server}{}{segment}", path::prefix(version)),
            largest: shown.largest,
            thumbnail: shown.thumbnail,
        })
    };
    numbered.filter_map(canvas).collect()
}

/// Of the document that all of them are pages of, if they are.
fn rendering(app: &App, server: &str, assets: &[Listed]) -> Option<Rendering> {
    let mut places = assets.iter().filter_map(|(asset, _)| asset.place.as_ref());
    let first = places.next().filter(|place| place.resolution.is_some())?;
    let is_one = places.all(|place| place.location == first.location);
    let (page, _) = assets.iter().find(|(asset, _)| asset.place.is_some())?;
    let page = Identifier::new(page.key.to_string()).ok()?;
    is_one.then(|| download::rendering(app, server, &page, false))?
}

/// Which of an asset's strings is another one for every page, so that it can be its label.
fn telling_string(assets: &[Listed]) -> Option<usize> {
    (0..3).find(|which| {
        let strings = assets
            .iter()
            .map(|(asset, _)| &asset.fields.strings[*which]);
        let mut seen = HashSet::new();
        let mut strings = strings.map(|string| string.as_ref().filter(|text| !text.is_empty()));
        strings.all(|string| string.is_some_and(|text| seen.insert(text)))
    })
}
