//! What would be done for a URL, without doing it.

use serde_json::{Value, json};

use super::app::App;
use super::image::identifier;
use super::path::{Call, prefix};
use crate::config::Config;
use crate::error::Error;
use crate::iiif::{ImageRequest, Version};

/// Every value of the walk of one request, up to the plan. `url` is a whole URL or its path.
///
/// # Errors
/// Where the walk ends early.
pub fn explain(config: &Config, url: &str) -> Result<Value, Error> {
    let app = App::new(config).map_err(Error::internal)?;
    let (version, below) = below_prefix(url).ok_or_else(|| not_iiif(url))?;
    let call = Call::parse(below, config.server.unescaped_slashes).ok_or_else(|| not_iiif(url))?;
    let identifier = identifier(&app, call.identifier())?;
    let mut steps = match call {
        Call::Image { parameters, .. } => {
            let accepted = app.compatibility();
            let request = ImageRequest::parse_with(accepted, version, identifier, parameters)?;
            app.pipeline().explain_image(&request)?
        }
        Call::Base { .. } | Call::Information { .. } => {
            app.pipeline().explain_information(&identifier)?
        }
    };
    steps["version"] = json!(version.number());
    Ok(steps)
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
