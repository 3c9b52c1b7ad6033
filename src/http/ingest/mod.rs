//! `/customers` and `/collections`: documents whose pages become images, and images of customers, in the shapes of a DLCS. Where no
//! folder for them is configured, there is nothing. The shapes are in `docs/composites.md`.

mod access;
mod assets;
mod batches;
mod body;
mod composites;
mod hydra;
mod listing;
mod queue;
mod refusal;

use std::sync::Arc;

use axum::Router;
use axum::http::request::Parts;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use super::app::App;
use super::base::public_base;
use super::image::Client;
use super::layers;
use crate::ingest::config::CompositesConfig;
use crate::ingest::customers::{Customer, Customers};
use crate::ingest::store::Store;
use crate::ingest::validation::Rules;

/// Secrets that are looked at at a time, each with 19 MiB.
const MOST_SECRETS: usize = 2;
/// Requests whose secrets are looked at, or that wait for it.
const MOST_STRANGERS: usize = 16;

/// What every endpoint here is given.
#[derive(Clone)]
struct Api {
    app: App,
    store: Store,
    config: Arc<CompositesConfig>,
    customers: Arc<Customers>,
    secrets: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

/// For customers with their keys.
pub(super) fn routes(app: &App) -> Router {
    let Some(api) = Api::new(app) else {
        return Router::new();
    };
    let prefix = api.config.prefix.clone();
    let routes = of_queues().merge(of_assets());
    let routes = routes
        .route("/collections/{collection}", get(composites::collection))
        .route(
            "/collections/{collection}/members/{member}",
            get(composites::member),
        )
        .with_state(api);
    let routes = match prefix.as_str() {
        "" => routes,
        prefix => Router::new().nest(prefix, routes),
    };
    layers::wrap_private(routes, app)
}

fn of_queues() -> Router<Api> {
    Router::new()
        .route(
            "/customers/{customer}/queue",
            get(queue::queue).post(queue::post),
        )
        .route(
            "/customers/{customer}/queue/priority",
            post(queue::post_urgent),
        )
        .route("/customers/{customer}/queue/batches", get(batches::all))
        .route("/customers/{customer}/queue/active", get(batches::active))
        .route("/customers/{customer}/queue/recent", get(batches::recent))
        .route(
            "/customers/{customer}/queue/batches/{batch}",
            get(batches::batch),
        )
        .route(
            "/customers/{customer}/queue/batches/{batch}/images",
            get(batches::images),
        )
        .route(
            "/customers/{customer}/queue/batches/{batch}/assets",
            get(batches::assets),
        )
        .route(
            "/customers/{customer}/queue/batches/{batch}/completedImages",
            get(batches::completed),
        )
        .route(
            "/customers/{customer}/queue/batches/{batch}/errorImages",
            get(batches::failed),
        )
        .route(
            "/customers/{customer}/queue/batches/{batch}/test",
            post(batches::test),
        )
}

fn of_assets() -> Router<Api> {
    Router::new()
        .route(
            "/customers/{customer}/spaces/{space}/images",
            get(assets::list).patch(assets::patch_all),
        )
        .route(
            "/customers/{customer}/spaces/{space}/images/{id}",
            get(assets::get)
                .put(assets::put)
                .patch(assets::patch)
                .delete(assets::delete),
        )
        .route(
            "/customers/{customer}/spaces/{space}/images/{id}/reingest",
            post(assets::reingest),
        )
}

impl Api {
    fn new(app: &App) -> Option<Self> {
        let config = app.composites_config();
        Some(Self {
            app: app.clone(),
            store: app.composites()?.clone(),
            config: Arc::new(config.clone()),
            customers: Arc::new(Customers::new(config)),
            secrets: Arc::new(Semaphore::new(MOST_SECRETS)),
            strangers: Arc::new(Semaphore::new(MOST_STRANGERS)),
        })
    }

    /// The server's address as the client sees it: of images, and of what is here.
    fn base(&self, request: &Parts) -> Base {
        let client = Client::new(&self.app, request);
        let images = public_base(self.app.server(), client.uri, client.headers, client.peer);
        Base {
            api: format!("{images}{}", self.config.prefix),
            images,
        }
    }

    fn rules(&self, customer: &Customer) -> Rules {
        Rules {
            most_members: usize::try_from(self.config.max_members).unwrap_or(usize::MAX),
            most_pages: self.config.max_pages,
            spaces: customer.spaces.clone(),
        }
    }
}

/// What URLs begin with, without a trailing slash.
struct Base {
    api: String,
    images: String,
}
