//! `/resources` and `/entity`: the registry over HTTP, in the shapes of the services that it takes the place of. Where no registry
//! or no token is configured, there is nothing. The shapes are in `docs/registry.md`.

mod bulk;
mod entity;
mod list;
mod refusal;
mod resources;
mod write;

use axum::Router;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use self::refusal::Refusal;
use super::app::App;
use super::index::parameter;
use super::{credentials, layers};
use crate::config::token::Token;
use crate::registry::{Over, Registry};

/// What every endpoint here is given.
#[derive(Clone)]
struct Api {
    app: App,
    registry: Registry,
    token: Token,
    open_minting: bool,
}

/// Writing is for those who have the token, reading for everyone, unless there are rules.
pub(super) fn routes(app: &App) -> Router {
    let Some(api) = Api::new(app) else {
        return Router::new();
    };
    let routes = Router::new()
        .route(
            "/resources",
            get(list::list).post(resources::put).put(resources::put),
        )
        .route("/resources/lookup", get(resources::lookup))
        .route(
            "/resources/{identifier}",
            get(resources::location).delete(resources::remove),
        )
        .route("/resources/{identifier}/redirect", get(resources::redirect))
        .route("/entity", get(entity::find_or_mint).post(entity::put))
        .route(
            "/entity/{identifier}",
            get(resources::location).delete(resources::remove),
        )
        .with_state(api.clone());
    let uploads = Router::new()
        .route("/resources/bulk", post(bulk::upload))
        .with_state(api);
    layers::wrap(routes, app).merge(layers::wrap_uploads(uploads, app))
}

impl Api {
    fn new(app: &App) -> Option<Self> {
        let config = app.registry_config();
        Some(Self {
            app: app.clone(),
            registry: app.registry()?.clone(),
            token: config.token.clone()?,
            open_minting: config.open_minting,
        })
    }

    /// Where images are tells what rules hide: where there are rules, reading takes the token, too.
    fn may_read(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match self.app.gate() {
            Some(_) => self.writer(headers).map(drop),
            None => Ok(()),
        }
    }

    /// Who writes, as the history will tell.
    fn writer(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        if is_of_another_site(headers) {
            return Err(Refusal::OtherSite);
        }
        if credentials::bearer(headers).is_some_and(|given| self.token.is(given)) {
            return Ok("api".to_owned());
        }
        match credentials::basic(headers) {
            Some(basic) if self.token.is(&basic.password) => Ok(format!("api, {}", basic.user)),
            _ => Err(Refusal::Unauthorised),
        }
    }
}

/// Browsers remember a password, and would send it for a page of somebody else (Fetch Metadata, `Sec-Fetch-Site`).
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// What may be put in place of what, by the query.
fn over(request: &Parts) -> Over {
    let query = request.uri.query().unwrap_or_default();
    let is_set = |name| parameter(query, name).is_some_and(|value| value == "true");
    Over {
        entry: is_set("replace"),
        tombstone: is_set("revive"),
    }
}

/// A response of one line. It changes when the entry does.
fn text(line: &str) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, line.to_owned()).into_response()
}

fn json(document: &serde_json::Value) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, format!("{document:#}\n")).into_response()
}

fn or_refusal(answer: Result<Response, Refusal>, request: &HeaderMap) -> Response {
    answer.unwrap_or_else(|refusal| refusal.respond(request))
}
