//! What the service answers.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use reqwest::Url;
use serde::Deserialize;

use super::{Shown, Verdict};
use crate::access::Refusal;
use crate::config::hex_color::HexColor;
use crate::iiif::Region;
use crate::iiif::region::RegionError;

/// More are no decision about an image.
const MOST: usize = 1000;

/// What is wrong with an answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the body is not as it should be")]
    Malformed(#[from] serde_json::Error),
    #[error("the body is neither empty nor JSON")]
    NotJson,
    #[error("it says both yes and no")]
    Contradiction,
    #[error("{0} is none of 401, 403 and 404")]
    Status(u16),
    #[error("the place that it leads to is no http or https URL")]
    Redirect,
    #[error(transparent)]
    Region(#[from] RegionError),
    #[error("it has more than {MOST} redactions or overlays")]
    TooMany,
    #[error("there is no overlay of this name in the configuration: {0:?}")]
    UnknownOverlay(String),
}

/// The body of an answer. What is not understood might be a restriction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    allow: bool,
    status: Option<u16>,
    redirect: Option<String>,
    largest: Option<NonZeroU32>,
    #[serde(default)]
    redactions: Vec<RedactionBody>,
    #[serde(default)]
    overlays: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedactionBody {
    region: String,
    color: Option<HexColor>,
}

/// The decision that a body with success stands for. None at all is a yes without conditions.
///
/// # Errors
/// If it is not understood completely.
pub fn of_body(
    body: &[u8],
    is_json: bool,
    overlays: &BTreeSet<String>,
) -> Result<Verdict, AnswerError> {
    match (is_json, body) {
        (true, body) => serde_json::from_slice::<Body>(body)?.verdict(overlays),
        (false, []) => Ok(Verdict::Allow(Shown::default())),
        (false, _) => Err(AnswerError::NotJson),
    }
}

/// The refusal that a status stands for, if it stands for one.
pub fn refusal(status: u16) -> Option<Refusal> {
    match status {
        401 => Some(Refusal::Unauthorized),
        403 => Some(Refusal::Forbidden),
        404 => Some(Refusal::NotFound),
        _ => None,
    }
}

/// Somewhere else.
///
/// # Errors
/// If it is not the absolute URL of a page.
pub fn elsewhere(location: &str) -> Result<Verdict, AnswerError> {
    let url = Url::parse(location).map_err(|_| AnswerError::Redirect)?;
    let is_page = matches!(url.scheme(), "http" | "https");
    // As the parser writes it, it has visible ASCII characters only.
    let there = || Verdict::Redirect(url.to_string());
    is_page.then(there).ok_or(AnswerError::Redirect)
}

impl Body {
    fn verdict(self, overlays: &BTreeSet<String>) -> Result<Verdict, AnswerError> {
        let is_restricted =
            self.largest.is_some() || !self.redactions.is_empty() || !self.overlays.is_empty();
        match (self.allow, self.status, self.redirect.as_deref()) {
            (true, None, None) => self.shown(overlays).map(Verdict::Allow),
            (false, None, Some(location)) if !is_restricted => elsewhere(location),
            (false, status, None) if !is_restricted => {
                let status = status.unwrap_or(403);
                let refusal = refusal(status).ok_or(AnswerError::Status(status))?;
                Ok(Verdict::Refuse(refusal))
            }
            _ => Err(AnswerError::Contradiction),
        }
    }

    fn shown(self, overlays: &BTreeSet<String>) -> Result<Shown, AnswerError> {
        if self.redactions.len() > MOST || self.overlays.len() > MOST {
            return Err(AnswerError::TooMany);
        }
        let unknown = self.overlays.iter().find(|name| !overlays.contains(*name));
        if let Some(name) = unknown {
            return Err(AnswerError::UnknownOverlay(name.clone()));
        }
        let redactions = self.redactions.iter().map(RedactionBody::parse);
        Ok(Shown {
            largest: self.largest,
            redactions: redactions.collect::<Result<_, _>>()?,
            overlays: self.overlays,
        })
    }
}

impl RedactionBody {
    fn parse(&self) -> Result<(Region, HexColor), RegionError> {
        let region = Region::parse(&self.region)?;
        Ok((region, self.color.unwrap_or(HexColor::BLACK)))
    }
}
