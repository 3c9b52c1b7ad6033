//! Why a request is not done, as a Hydra error.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::hydra;
use crate::causes::chain;
use crate::error::{Error, cause};
use crate::http::error;
use crate::ingest::fields::TOO_LONG;
use crate::ingest::store::TooLong;
use crate::ingest::validation::Complaint;
use crate::registry::RegistryError;

pub enum Refusal {
    Failed(Error),
    /// With this status: there is no right key and secret.
    Unauthorised(u16),
    /// From a page of another site, in a browser.
    OtherSite,
    /// Too many others are asked who they are.
    Busy,
    Unknown(&'static str),
    Gone(&'static str),
    Wrong(String),
    /// All that is wrong with what was posted.
    Complaints(Vec<Complaint>),
    /// More bytes than this were posted.
    TooLarge(u64),
}

impl Refusal {
    pub fn respond(&self) -> Response {
        let mut response = hydra::respond(self.status(), &self.to_json());
        let headers = response.headers_mut();
        if matches!(self, Self::Unauthorised(401)) {
            let basic = HeaderValue::from_static("Basic realm=\"composites\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, basic);
        }
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, error::RETRY_AFTER);
        }
        response
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Failed(failure) => error::status(failure),
            Self::Unauthorised(status) => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::UNAUTHORIZED)
            }
            Self::OtherSite => StatusCode::FORBIDDEN,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Gone(_) => StatusCode::GONE,
            Self::Wrong(_) | Self::Complaints(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    fn to_json(&self) -> Value {
        let status = self.status();
        let mut document = json!({
            "@context": hydra::CONTEXT,
            "@type": "Error",
            "title": status.canonical_reason().unwrap_or_default(),
            "description": self.description(),
            "statusCode": status.as_u16(),
        });
        if let Self::Complaints(complaints) = self {
            let errors = complaints.iter().map(|complaint| {
                json!({
                    "member": complaint.member,
                    "field": complaint.field,
                    "error": complaint.reason,
                })
            });
            document["errors"] = errors.collect();
        }
        document
    }

    fn description(&self) -> String {
        match self {
            Self::Failed(failure) => failure.to_string(),
            Self::Unauthorised(_) => "this takes the key and the secret of a customer".to_owned(),
            Self::OtherSite => "pages of other sites may not do this".to_owned(),
            Self::Busy => "too many requests with unknown secrets at a time".to_owned(),
            Self::Unknown(text) | Self::Gone(text) => (*text).to_owned(),
            Self::Wrong(text) => text.clone(),
            Self::Complaints(complaints) => {
                let texts: Vec<String> = complaints.iter().map(ToString::to_string).collect();
                texts.join("; ")
            }
            Self::TooLarge(most) => format!("a request has {most} bytes at most"),
        }
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        tracing::error!(causes = chain(&error), "the registry does not answer");
        Self::Failed(Error::RegistryUnavailable(cause(error)))
    }
}

impl From<Vec<Complaint>> for Refusal {
    fn from(complaints: Vec<Complaint>) -> Self {
        Self::Complaints(complaints)
    }
}

impl From<TooLong> for Refusal {
    fn from(_: TooLong) -> Self {
        Self::Wrong(TOO_LONG.to_owned())
    }
}

/// What was answered, or why not.
pub fn or_refusal(answer: Result<Response<Body>, Refusal>) -> Response {
    answer.unwrap_or_else(|refusal| refusal.respond())
}
