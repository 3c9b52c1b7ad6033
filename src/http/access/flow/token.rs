//! The token service (Authorization Flow 2.0, section 3.4).

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest, Sha256};

use super::visit::Visit;
use super::{Flow, answer};
use crate::access::origin::Origin;
use crate::access::services::message::{Answer, Trouble, message, message_1};
use crate::access::services::{Profile, Services};
use crate::access::session::{Shown, Token, now};
use crate::causes::chain;
use crate::http::pages::access::{self, MESSENGER};
use crate::registry::RegistryError;

/// Characters of a `messageId`. It is given back as it came.
const LONGEST_ID: usize = 1024;

/// What allows the one script of the page, and no other.
static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "'sha256-{}'",
        BASE64_STANDARD.encode(Sha256::digest(MESSENGER))
    )
});

/// A11: always 200, with a page for a frame within that of the viewer.
pub async fn token(
    State(flow): State<Flow>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let request = request.into_parts().0;
    let visit = match Visit::new(&flow, &name, &request) {
        Ok(visit) => visit,
        Err(nothing) => return *nothing,
    };
    let asked = Asked::of(&visit);
    let given = give(&visit, &asked).await;
    let message = message(&given, visit.service, &asked.id);
    page(&message.to_string(), asked.origin.as_ref())
}

/// B04, B05: the same for viewers of Authentication 1.0. Whoever gives no `messageId` is no page in a frame, and is answered with JSON.
pub async fn token_1(
    State(flow): State<Flow>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let request = request.into_parts().0;
    let visit = match Visit::new(&flow, &name, &request) {
        Ok(visit) if flow.app.access().auth1 => visit,
        Ok(_) => return *answer::nothing(),
        Err(nothing) => return *nothing,
    };
    if visit.parameter("messageId").is_none() {
        let given = by_aspect(&visit).await;
        return json(&given);
    }
    let asked = Asked::of(&visit);
    let given = give(&visit, &asked).await;
    let message = message_1(&given, Some(&asked.id));
    page(&message.to_string(), asked.origin.as_ref())
}

fn json(given: &Answer) -> Response {
    let status = match given {
        Ok(_) => StatusCode::OK,
        Err(Trouble::InvalidRequest | Trouble::InvalidOrigin) => StatusCode::BAD_REQUEST,
        Err(Trouble::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::UNAUTHORIZED,
    };
    let text = format!("{:#}\n", message_1(given, None));
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// What a viewer says of itself.
pub struct Asked {
    /// Empty if there is none.
    pub id: String,
    /// If it is one at all.
    pub origin: Option<Origin>,
}

impl Asked {
    pub fn of(visit: &Visit<'_>) -> Self {
        let id = visit.parameter("messageId").unwrap_or_default();
        let origin = visit.parameter("origin").unwrap_or_default();
        Self {
            id: if id.len() > LONGEST_ID {
                String::new()
            } else {
                id
            },
            origin: origin.parse().ok(),
        }
    }
}

async fn give(visit: &Visit<'_>, asked: &Asked) -> Answer {
    if asked.id.is_empty() || visit.parameter("origin").is_none() {
        return Err(Trouble::InvalidRequest);
    }
    let trusted = asked
        .origin
        .as_ref()
        .filter(|origin| visit.services.trusts(origin));
    trusted.ok_or(Trouble::InvalidOrigin)?;
    by_aspect(visit).await
}

/// By what shows who it is: the cookie, or where the visitor is.
pub async fn by_aspect(visit: &Visit<'_>) -> Answer {
    let given = if visit.service.profile == Profile::External {
        by_place(visit).await
    } else {
        by_session(visit.services, visit.name, visit.session()).await
    };
    given.unwrap_or_else(|failure| {
        tracing::error!(causes = chain(&failure), "no tokens: {failure}");
        Err(Trouble::Unavailable)
    })
}

async fn by_place(visit: &Visit<'_>) -> Result<Answer, RegistryError> {
    if !visit.is_open() {
        return Ok(Err(Trouble::MissingAspect));
    }
    visit.services.sessions.token_of_nobody().await.map(Ok)
}

async fn by_session(
    services: &Services,
    service: &str,
    cookie: Option<&str>,
) -> Result<Result<Token, Trouble>, RegistryError> {
    let Some(cookie) = cookie else {
        return Ok(Err(Trouble::MissingAspect));
    };
    let session = match services.sessions.show(cookie).await? {
        Shown::Current(session) => session,
        Shown::Over => return Ok(Err(Trouble::ExpiredAspect)),
        Shown::Unknown => return Ok(Err(Trouble::InvalidAspect)),
    };
    let Some(grant) = session.grants.get(service) else {
        return Ok(Err(Trouble::MissingAspect));
    };
    match services.roles_by(service, grant, now()) {
        Some(_) => services.sessions.token(&session).await.map(Ok),
        None => Ok(Err(Trouble::ExpiredAspect)),
    }
}

/// A12, A15: only a page of this origin is told. Who shows it in a frame is not limited then: browsers ask that of all pages around, and
/// viewers stand in pages of other sites.
pub fn page(message: &str, origin: Option<&Origin>) -> Response {
    let origin = origin.map(Origin::as_str);
    let html = access::message(message, origin);
    let mut response = answer::html_of(StatusCode::OK, html);
    let policy = format!(
        "default-src 'none'; script-src {}; base-uri 'none'; form-action 'none'{}",
        *SCRIPT,
        origin.map_or("; frame-ancestors 'none'", |_| "")
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
