//! One request for one service.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use url::form_urlencoded;

use super::cookie::{Place, SESSION};
use super::{Flow, answer};
use crate::access::origin::Origin;
use crate::access::services::{ServiceConfig, Services, Texts};
use crate::http::base::public_base;
use crate::http::clients::address::address;
use crate::http::image::Client;
use crate::http::pages::access::Said;

pub struct Visit<'a> {
    pub services: &'a Services,
    /// The name of the service.
    pub name: &'a str,
    pub service: &'a ServiceConfig,
    /// The server's address as the client sees it.
    pub base: String,
    pub place: Place,
    pub address: Option<IpAddr>,
    pub headers: &'a HeaderMap,
    query: &'a str,
}

impl<'a> Visit<'a> {
    /// # Errors
    /// If there is no such service.
    pub fn new(flow: &'a Flow, name: &'a str, request: &'a Parts) -> Result<Self, Box<Response>> {
        let services = flow.app.services();
        let found = services.and_then(|all| Some((all, all.get(name)?)));
        let (services, service) = found.ok_or_else(answer::nothing)?;
        let client = Client::new(&flow.app, request);
        let base = public_base(flow.app.server(), client.uri, client.headers, client.peer);
        Ok(Self {
            services,
            name,
            service,
            place: Place::of(&base),
            base,
            address: address(flow.app.server(), client.peer, client.headers),
            headers: &request.headers,
            query: request.uri.query().unwrap_or_default(),
        })
    }

    /// What the visitor shows, if anything.
    pub fn session(&self) -> Option<&'a str> {
        self.place.read(self.headers, SESSION)
    }

    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// A10: whether the viewer that it is for, if it says so, may be given tokens.
    pub fn is_for_a_trusted_viewer(&self) -> bool {
        let Some(origin) = self.parameter("origin") else {
            return true;
        };
        let origin = origin.parse::<Origin>();
        origin.is_ok_and(|origin| self.services.trusts(&origin))
    }

    /// Whether it can be used from where the visitor is.
    pub fn is_open(&self) -> bool {
        let address = self.address;
        address.is_some_and(|address| self.service.is_open_to(address))
    }

    /// Whether pages of this server have sent it, as far as the browser says so (Fetch Metadata; RFC 6454, section 7).
    pub fn is_of_this_site(&self) -> bool {
        let site = self.headers.get("sec-fetch-site");
        let origin = self.headers.get("origin");
        let ours = Origin::of(&self.base);
        let is_ours = |origin| ours.as_ref().is_some_and(|ours| origin == ours.as_str());
        let is_it = site.is_none_or(|site| site == "same-origin") && origin.is_none_or(is_ours);
        if !is_it {
            let ours = ours.as_ref().map(Origin::as_str);
            tracing::debug!(?origin, ?site, ours, "a form was sent from elsewhere");
        }
        is_it
    }

    /// A text of the service in a language of the visitor.
    pub fn say(&self, texts: &'a Texts) -> Said<'a> {
        let accepted = self.headers.get("accept-language");
        let accepted = accepted.and_then(|value| value.to_str().ok());
        let (language, text) = texts.best(accepted.unwrap_or_default());
        Said { language, text }
    }
}
