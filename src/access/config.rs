//! Settings of who may see what.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::external::config::ExternalConfig;
use super::jwt::config::JwtConfig;
use super::keys::KeyConfig;
use super::moment::Moment;
use super::oidc::config::OidcConfig;
use super::services::config::{ServiceConfig, UserConfig};
use super::session::config::SessionConfig;
use super::signed::config::SigningConfig;
use crate::route::Pattern;
use crate::source::config::NAMES;
use crate::view::Redaction;

/// Who may see which images. Without rules, everybody sees everything.
///
/// `docs/access.md` tells it at length, `docs/security.md` what was thought of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    /// Images that no rule is for: `open` to everybody, or `closed`.
    pub default: Standing,

    /// Origins of the viewers that may send cookies with their requests, and may be given tokens: `https://viewer.example.org`. Without
    /// any, viewers of every origin may be given tokens, and none may read with a script what a cookie opens.
    #[schemars(
        extend("items" = {"type": "string", "format": "origin"}),
        example = ["https://viewer.example.org"]
    )]
    pub origins: Vec<String>,

    /// Whether `/iiif/2` speaks Authentication 1.0, for viewers that do not know Authorization Flow 2.0.
    pub auth1: bool,

    pub rules: Vec<RuleConfig>,

    pub jwt: JwtConfig,

    #[schemars(extend("propertyNames" = {"pattern": NAMES}))]
    pub keys: BTreeMap<String, KeyConfig>,

    pub signing: SigningConfig,

    pub external: ExternalConfig,

    #[schemars(extend("propertyNames" = {"pattern": NAMES}))]
    pub services: BTreeMap<String, ServiceConfig>,

    #[schemars(extend("propertyNames" = {"pattern": NAMES}))]
    pub users: BTreeMap<String, UserConfig>,

    pub oidc: OidcConfig,

    pub session: SessionConfig,
}

/// What holds for images that no rule is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    #[default]
    Open,
    Closed,
}

/// Who may see some images. Of the rules, the first that is for an image counts; all of its pages, scales and formats are one image to
/// them. Whoever fulfils one condition (`open`, `roles`, `networks`, `signed`, `external`) sees the image; a rule without any closes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RuleConfig {
    /// What the identifiers look like, as in `routes`: text, and names in braces for any text. They are compared with the identifier,
    /// and with the place of the file that it leads to, with and without extension: so that no other way to the same file leads
    /// around the rule. Upper and lower case are the same. Without any, the rule is for all.
    #[schemars(with = "Vec<String>", extend("items" = {"type": "string", "format": "identifier-pattern"}), example = ["private/{path}"])]
    pub identifiers: Vec<Pattern>,

    /// Names of sources, as in `routes`: the rule is for images that lie there. Without any, for all.
    #[schemars(example = ["registry"])]
    pub sources: Vec<String>,

    /// Everybody sees them; with `open_from` or `open_until`, then.
    pub open: bool,

    /// The end of an embargo: from then on, everybody sees them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "moment"), example = "2030-01-01T00:00:00Z")]
    pub open_from: Option<Moment>,

    /// Until then, everybody sees them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "moment"), example = "2030-01-01T00:00:00Z")]
    pub open_until: Option<Moment>,

    /// Whoever has one of these roles sees them.
    #[schemars(example = ["staff"])]
    pub roles: Vec<String>,

    /// Whoever asks from one of these networks sees them.
    #[schemars(with = "Vec<String>", extend("items" = {"type": "string", "format": "network"}), example = ["10.0.0.0/8"])]
    pub networks: Vec<IpNet>,

    /// Whoever has a signed URL sees them, as `access.signing` describes.
    pub signed: bool,

    /// Whoever the service sees fit to, which `access.external` names.
    pub external: bool,
    /// How somebody can get one of these roles: names of [access.services.NAME]. Viewers offer them in this order.
    #[schemars(example = ["login"])]
    pub services: Vec<String>,

    /// The side in pixels of a smaller version that those see who do not see the image itself. It is an image of its own, with
    /// its own `info.json`, under `IDENTIFIER;maxN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535), example = 400)]
    pub largest: Option<NonZeroU32>,

    /// What nobody sees of them, whoever it is: painted over before anything else is done to the pixels, and a little more where
    /// pixels are coded together. An image that has nothing there is not shown at all. Files are not handed out as they are.
    pub redactions: Vec<Redaction>,

    /// What is drawn on all that is shown of them: names of [overlays.NAME].
    #[schemars(example = ["logo"])]
    pub overlays: Vec<String>,

    /// What those are told who do not see them: `unauthorized` (401), `forbidden` (403), or `not_found` (404), as if there were none. By default 401 where a role would help, and
    /// 403 otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["not_found"]))]
    pub refusal: Option<RefusalConfig>,
}

/// How somebody is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalConfig {
    Unauthorized,
    Forbidden,
    NotFound,
}
