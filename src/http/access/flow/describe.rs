//! The services that an `info.json` tells viewers of.

use serde_json::Value;

use crate::access::Decision;
use crate::access::services::message::CONTEXT;
use crate::http::access::Asked;
use crate::http::app::App;
use crate::http::base::public_base;
use crate::http::image::Client;
use crate::iiif::Version;

/// What stands beside everything else in an `info.json`.
#[derive(Default)]
pub struct Described {
    /// Empty where nobody can get to see more than he sees.
    pub services: Vec<Value>,
    pub context: Option<&'static str>,
}

/// A02 in version 3, B02 in version 2 if it is configured. `segment` is the identifier as it was written. In version 3, the probe service
/// says that there is a smaller version, which then needs no services; in version 2, viewers only see what they are led to.
pub fn described(
    app: &App,
    client: &Client<'_>,
    version: Version,
    segment: &str,
    asked: &Asked,
    decision: &Decision,
) -> Described {
    // A smaller version is for everybody, and yet leads on to the image itself.
    let is_concerned = !decision.is_public || asked.largest.is_some();
    let rule = decision.rule.as_ref().filter(|_| is_concerned);
    let names = rule.map_or(&[][..], |rule| rule.services());
    let (Some(services), false) = (app.services(), names.is_empty()) else {
        return Described::default();
    };
    let base = public_base(app.server(), client.uri, client.headers, client.peer);
    match version {
        Version::V2 if app.access().auth1 => Described {
            services: services.describe_1(&base, names),
            context: None,
        },
        Version::V3 if asked.largest.is_none() => Described {
            services: vec![services.describe(&base, segment, names)],
            context: Some(CONTEXT),
        },
        Version::V2 | Version::V3 => Described::default(),
    }
}
