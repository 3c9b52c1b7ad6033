//! That a form was sent from a page of this server, by the browser that was given the page.

use subtle::ConstantTimeEq;

use super::cookie::Reach;
use super::visit::Visit;
use crate::access::session::{Secret, SecretName};
use axum::http::HeaderValue;

/// Holds what the form holds, too: a page of somebody else can neither read it nor set it.
const COOKIE: &str = "azulejo_form";
/// For which a form can lie open.
const SECONDS: u32 = 3600;

pub struct Proof(String);

impl Proof {
    /// For a form. Forms in several windows have the same.
    pub fn of(visit: &Visit<'_>) -> Self {
        let known = visit.place.read(visit.headers, COOKIE);
        let known = known.filter(|value| SecretName::of(value).is_some());
        Self(known.map_or_else(|| Secret::random().as_str().to_owned(), str::to_owned))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn cookie(&self, visit: &Visit<'_>) -> Option<HeaderValue> {
        visit.place.set_for(SECONDS, COOKIE, &self.0, Reach::Here)
    }
}

/// Whether a form was sent with the proof that it was given.
pub fn is_right(visit: &Visit<'_>, given: &str) -> bool {
    let kept = visit.place.read(visit.headers, COOKIE);
    let is_it = |kept: &str| bool::from(kept.as_bytes().ct_eq(given.as_bytes()));
    visit.is_of_this_site() && SecretName::of(given).is_some() && kept.is_some_and(is_it)
}
