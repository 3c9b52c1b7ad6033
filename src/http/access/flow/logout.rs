//! The logout service (Authorization Flow 2.0, section 3.6).

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::cookie::SESSION;
use super::visit::Visit;
use super::{Flow, answer};
use crate::http::pages::access::last;

/// A25: ends the session and all of its tokens. A window that is opened, and nothing within a page of somebody else.
pub async fn logout(
    State(flow): State<Flow>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let request = request.into_parts().0;
    let visit = match Visit::new(&flow, &name, &request) {
        Ok(visit) => visit,
        Err(nothing) => return *nothing,
    };
    let use_of_it = request.headers.get("sec-fetch-dest");
    if use_of_it.is_some_and(|it| it != "document") {
        let heading = "Open this address in a window";
        return answer::refuse(StatusCode::FORBIDDEN, heading, "");
    }
    if let Some(cookie) = visit.session()
        && let Err(failure) = visit.services.sessions.end_of(cookie).await
    {
        return answer::unavailable(failure);
    }
    let mut response = answer::page(StatusCode::OK, last("You are logged out"));
    let cookie = visit.place.clear(SESSION, answer::reach(&visit));
    answer::set_cookie(&mut response, cookie);
    response
}
