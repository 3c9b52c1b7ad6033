//! What would be done for a URL, without doing it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::Asked;
use super::app::App;
use super::path::{Call, prefix};
use crate::access::Gate;
use crate::error::Error;
use crate::iiif::{Identifier, ImageRequest, Version};
use crate::view::View;

/// The walk of one request, as far as it goes.
pub struct Explained {
    /// Every value, up to the plan.
    pub steps: Value,
    /// Why it ends early.
    pub ended: Option<Error>,
}

/// `url` is a whole URL or its path.
///
/// # Errors
/// If it is no request for an image.
pub fn explain(app: &App, url: &str) -> Result<Explained, Error> {
    let (version, below) = below_prefix(url).ok_or_else(|| not_iiif(url))?;
    let unescaped = app.server().unescaped_slashes;
    let call = Call::parse(below, unescaped).ok_or_else(|| not_iiif(url))?;
    let segment = call.identifier();
    let asked = Asked::parse(app, segment, "", segment)?;
    let mut steps = json!({
        "version": version.number(),
        "identifier": asked.identifier.as_str(),
        "largest": asked.largest,
        "routes": app.pipeline().explain_routes(&asked.identifier),
    });
    if let Some(gate) = app.gate() {
        steps["access"] = access(app, gate, &asked.identifier);
    }
    let ended = match further(app, version, asked, call) {
        Ok(more) => {
            steps["image"] = more;
            None
        }
        Err(error) => Some(error),
    };
    Ok(Explained { steps, ended })
}

/// Of an image that is not found, the rule says that is for its name: it is asked first, so that nobody is told what there is not.
fn access(app: &App, gate: &Gate, identifier: &Identifier) -> Value {
    match app.pipeline().explain_subject(identifier) {
        Some(subject) => gate.rules.explain(&subject),
        None => {
            let mut told = gate.rules.explain(&app.pipeline().unfound(identifier));
            told["by"] = json!("name");
            told
        }
    }
}

fn further(app: &App, version: Version, asked: Asked, call: Call<'_>) -> Result<Value, Error> {
    match call {
        Call::Image { parameters, .. } => {
            let accepted = app.compatibility();
            let view = view(app, &asked);
            let request =
                ImageRequest::parse_with(accepted, version, asked.identifier, parameters)?;
            app.pipeline().explain_image(request, view)
        }
        Call::Base { .. } | Call::Information { .. } => {
            app.pipeline().explain_information(&asked.identifier)
        }
    }
}

/// As those see it who may see it.
fn view(app: &App, asked: &Asked) -> Arc<View> {
    let subject = app.pipeline().explain_subject(&asked.identifier);
    let rule = app.gate().zip(subject);
    rule.map_or_else(View::whole, |(gate, subject)| {
        gate.rules.of(&subject).view(asked.largest)
    })
}

fn below_prefix(url: &str) -> Option<(Version, &str)> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    Version::ALL.into_iter().find_map(|version| {
        let (_, below) = path.split_once(prefix(version))?;
        Some((version, below))
    })
}

fn not_iiif(url: &str) -> Error {
    Error::NotFound(format!(
        "\"{url}\" is no IIIF request: write it as /iiif/3/IDENTIFIER/info.json or \
         /iiif/3/IDENTIFIER/full/max/0/default.jpg, with %2F for slashes in the identifier"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_urls_and_paths_are_understood() {
        let expected = Some((Version::V3, "a%2Fb/info.json"));
        assert_eq!(below_prefix("/iiif/3/a%2Fb/info.json"), expected);
        assert_eq!(
            below_prefix("https://x.example/img/iiif/3/a%2Fb/info.json?x"),
            expected
        );
        assert_eq!(below_prefix("/other"), None);
    }
}
