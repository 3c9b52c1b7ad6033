//! The probe service (Authorization Flow 2.0, section 3.5).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;

use tokio::time::timeout;

use super::Flow;
use crate::access::services::probe::Probed;
use crate::access::{Decision, Outcome};
use crate::error::Error;
use crate::http::access::{Asked, Door, view};
use crate::http::app::App;
use crate::http::error;
use crate::http::image::{Address, Client};

/// What stands before the identifier.
const PREFIX: &str = "/access/probe/";

/// A17: always 200, for scripts of every origin. Who asks is told by a token, or else as for the image itself.
pub async fn probe(State(flow): State<Flow>, request: Request) -> Response {
    let request = request.into_parts().0;
    let client = Client::new(&flow.app, &request);
    // The layer around all requests limits the time, too, but does not answer as a probe service.
    let patience = flow.app.server().request_timeout() * 9 / 10;
    let answer = timeout(patience, probed(&flow.app, &client)).await;
    let (probed, decision) = match answer.unwrap_or(Err(Error::Timeout)) {
        Ok((probed, decision)) => (probed, Some(decision)),
        Err(failure) => (of_failure(&failure), None),
    };
    let rule = decision
        .as_ref()
        .and_then(|decision| decision.rule.as_ref());
    let first = rule.and_then(|rule| rule.services().first());
    let services = flow.app.services();
    let service = services.and_then(|services| services.get(first?));
    json(format!("{:#}\n", probed.result(service)))
}

async fn probed(app: &App, client: &Client<'_>) -> Result<(Probed, Decision), Error> {
    let path = client.uri.path();
    let segment = path.strip_prefix(PREFIX).unwrap_or_default();
    let asked = Asked::parse(app, path, PREFIX, segment)?;
    let decision = Door::taking_tokens(app, client).decide(&asked).await?;
    let (mut substitute, mut location) = (None, None);
    let status = match &decision.outcome {
        // Pages that there are not are only known once the file is open.
        Outcome::Allow(view) => {
            let identifier = asked.identifier.clone();
            let informing = app.pipeline().information(identifier, view, client.caching);
            informing.await?;
            200
        }
        Outcome::Elsewhere(elsewhere) => {
            location = Some(elsewhere.clone());
            302
        }
        Outcome::Smaller(largest) => {
            let terms = app.pipeline().locate(asked.identifier.clone()).await?;
            let address = Address::of_image(app, client, segment);
            substitute = Some(address.of_smaller(app, &terms, &asked.identifier, *largest)?);
            refusal(&decision, &asked)
        }
        Outcome::Refuse(_) => refusal(&decision, &asked),
    };
    let probed = Probed {
        status,
        substitute,
        location,
    };
    Ok((probed, decision))
}

/// The status of the image itself.
fn refusal(decision: &Decision, asked: &Asked) -> u16 {
    let refused = view(decision, &asked.identifier).err();
    refused.map_or(200, |error| error::status(&error).as_u16())
}

fn of_failure(failure: &Error) -> Probed {
    Probed {
        status: error::noted(failure).as_u16(),
        substitute: None,
        location: None,
    }
}

/// Not to be kept by anybody.
fn json(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
    response
}
