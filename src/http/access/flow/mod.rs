//! `/access`: where visitors show who they are, and viewers ask what they may see (IIIF Authorization Flow 2.0). Where no service is
//! configured, there is nothing.

mod answer;
mod cookie;
mod describe;
mod kiosk;
mod login;
mod logout;
mod oidc;
mod password;
mod probe;
mod proof;
mod roles;
mod token;
mod visit;
mod waiting;

pub(in crate::http) use describe::described;
pub(super) use roles::roles;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::sync::Semaphore;
use waiting::Waiting;

use crate::http::app::App;
use crate::http::layers;

/// Passwords that are looked at at a time, each with 19 MiB.
const MOST_PASSWORDS: usize = 2;

/// What every endpoint here is given.
#[derive(Clone)]
struct Flow {
    app: App,
    passwords: Arc<Semaphore>,
    waiting: Arc<Waiting>,
}

pub(in crate::http) fn routes(app: &App) -> Router {
    if app.services().is_none() {
        return Router::new();
    }
    let flow = Flow {
        app: app.clone(),
        passwords: Arc::new(Semaphore::new(MOST_PASSWORDS)),
        waiting: Arc::default(),
    };
    let routes = Router::new()
        .route(
            "/access/{service}/login",
            get(login::page).post(login::post),
        )
        .route("/access/{service}/callback", get(oidc::callback))
        .route("/access/{service}/token", get(token::token))
        .route("/access/{service}/auth1/token", get(token::token_1))
        .route("/access/{service}/logout", get(logout::logout))
        .with_state(flow.clone());
    let probe = Router::new()
        .route("/access/probe/{*identifier}", get(probe::probe))
        .with_state(flow);
    layers::wrap_private(routes, app).merge(layers::wrap(probe, app))
}
