//! Why a request to the registry is not done.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::config::formats::Invalid;
use crate::error::{Error, cause};
use crate::http::error;
use crate::iiif::identifier::IdentifierError;
use crate::registry::RegistryError;

pub enum Refusal {
    Failed(Error),
    /// Without the token.
    Unauthorised,
    /// From a page of another site, in a browser.
    OtherSite,
}

impl Refusal {
    pub fn respond(&self, request: &HeaderMap) -> Response {
        match self {
            Self::Failed(failure) => error::respond(failure, request),
            Self::Unauthorised => unauthorised(request),
            Self::OtherSite => {
                let message = "pages of other sites may not do this";
                error::text(StatusCode::FORBIDDEN, message, request)
            }
        }
    }
}

/// Either way is understood (RFC 9110, section 11.6.1).
fn unauthorised(request: &HeaderMap) -> Response {
    let mut response = error::unauthorised("this takes the token of the registry", request);
    let basic = HeaderValue::from_static("Basic realm=\"registry\", charset=\"UTF-8\"");
    response
        .headers_mut()
        .append(header::WWW_AUTHENTICATE, basic);
    response
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        Self::Failed(Error::RegistryUnavailable(cause(error)))
    }
}

impl From<IdentifierError> for Refusal {
    fn from(error: IdentifierError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Invalid> for Refusal {
    fn from(error: Invalid) -> Self {
        Self::Failed(Error::BadRequest(error.to_string()))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
