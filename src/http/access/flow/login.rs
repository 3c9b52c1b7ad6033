//! The window of an access service (Authorization Flow 2.0, section 3.2).

use std::collections::HashMap;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use url::form_urlencoded;

use super::proof::{self, Proof};
use super::visit::Visit;
use super::{Flow, answer, kiosk, oidc, password};
use crate::access::services::{Means, Profile};
use crate::access::session::Given;
use crate::error::Error;
use crate::http::error;
use crate::http::pages::access::{Form, form};

/// Bytes of a form that is sent.
const LONGEST: usize = 8 << 10;

pub async fn page(
    State(flow): State<Flow>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let request = request.into_parts().0;
    let visit = match Visit::new(&flow, &name, &request) {
        Ok(visit) => visit,
        Err(nothing) => return *nothing,
    };
    if !visit.is_for_a_trusted_viewer() {
        return of_a_stranger();
    }
    match visit.service.profile {
        Profile::Active if visit.service.means == Means::Oidc => oidc::begin(&visit).await,
        Profile::Active => ask(&visit, StatusCode::OK, None),
        Profile::Kiosk => kiosk::enter(&visit).await,
        Profile::External => *answer::nothing(),
    }
}

pub async fn post(
    State(flow): State<Flow>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (request, body) = request.into_parts();
    let visit = match Visit::new(&flow, &name, &request) {
        Ok(visit) if visit.service.profile == Profile::Active => visit,
        Ok(_) => return *answer::nothing(),
        Err(nothing) => return *nothing,
    };
    if !visit.is_for_a_trusted_viewer() {
        return of_a_stranger();
    }
    let fields = fields(body).await;
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    if !proof::is_right(&visit, &field("proof")) {
        let why = "The page had been open for too long, or was not ours. Try again.";
        return ask(&visit, StatusCode::FORBIDDEN, Some(why));
    }
    if let Err(many) = visit.services.attempts.from(visit.address) {
        return wait(&visit, &many.to_string(), many.0);
    }
    match visit.service.means {
        Means::Click => kiosk::begin(&visit, Given::Nobody).await,
        Means::Login => log_in(&flow, &visit, field("name"), field("password")).await,
        Means::Oidc => *answer::nothing(),
    }
}

async fn log_in(flow: &Flow, visit: &Visit<'_>, name: String, password: String) -> Response {
    // First: a try for which there is no room is none.
    let Some(place) = flow.waiting.place(visit.address) else {
        return error::respond(&Error::Busy, visit.headers);
    };
    if let Err(many) = visit.services.attempts.of(&name, visit.address) {
        return wait(visit, &many.to_string(), many.0);
    }
    match password::is_right(flow, place, name.clone(), password).await {
        Ok(true) => kiosk::begin(visit, Given::User { name }).await,
        Ok(false) => {
            let address = visit.address.map(|address| address.to_string());
            tracing::warn!(service = visit.name, name, address, "a login failed");
            let why = "The name or the password is not right.";
            ask(visit, StatusCode::FORBIDDEN, Some(why))
        }
        Err(failure) => error::respond(&failure, visit.headers),
    }
}

/// The form.
fn ask(visit: &Visit<'_>, status: StatusCode, trouble: Option<&str>) -> Response {
    let (service, proof) = (visit.service, Proof::of(visit));
    let heading = service.heading.as_ref().unwrap_or(&service.label);
    let confirm = service.confirm_label.as_ref().unwrap_or(&service.label);
    let html = form(&Form {
        heading: visit.say(heading),
        note: service.note.as_ref().map(|note| visit.say(note)),
        confirm: visit.say(confirm),
        trouble,
        proof: proof.as_str(),
        asks_for_password: service.means == Means::Login,
    });
    let mut response = answer::page(status, html);
    answer::set_cookie(&mut response, proof.cookie(visit));
    response
}

fn wait(visit: &Visit<'_>, why: &str, seconds: u64) -> Response {
    let mut response = ask(visit, StatusCode::TOO_MANY_REQUESTS, Some(why));
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn of_a_stranger() -> Response {
    let heading = "This viewer is not known here";
    answer::refuse(StatusCode::FORBIDDEN, heading, "")
}

/// What was sent, if it is a form and not too long.
async fn fields(body: Body) -> HashMap<String, String> {
    let bytes = to_bytes(body, LONGEST).await.unwrap_or_default();
    form_urlencoded::parse(&bytes).into_owned().collect()
}
