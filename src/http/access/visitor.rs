//! Who asks: read from the request.

use super::flow;
use crate::access::Visitor;
use crate::error::Error;
use crate::http::app::App;
use crate::http::clients::address::address;
use crate::http::image::Client;

/// # Errors
/// If it cannot be told now, because somebody who knows does not answer.
pub async fn visitor(app: &App, client: &Client<'_>) -> Result<Visitor, Error> {
    Ok(Visitor {
        roles: flow::roles(app, client).await?,
        address: address(app.server(), client.peer, client.headers),
        ..Visitor::default()
    })
}
