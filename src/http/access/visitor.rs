//! Who asks: read from the request.

use crate::access::Visitor;
use crate::error::Error;
use crate::http::app::App;
use crate::http::image::Client;

/// # Errors
/// If it cannot be told now, because somebody who knows does not answer.
pub async fn visitor(_app: &App, client: &Client<'_>) -> Result<Visitor, Error> {
    Ok(Visitor {
        address: client.peer,
        ..Visitor::default()
    })
}
