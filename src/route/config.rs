//! Settings of the rules from identifiers to images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::template::Template;

/// A rule from identifiers to images. The rules are looked through in their order, and the first one that leads to an image
/// counts. Where there are none, the registry is asked, if there is one, and then the directory of `[source]`.
///
/// `azulejo explain URL` shows which rules match an identifier, and why the others do not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RouteConfig {
    /// What the identifier looks like, decoded: text, and names in braces for its parts. Each part is as short as the text
    /// behind it allows; the last one is what is left, with slashes and all.
    #[schemars(with = "String", extend("format" = "identifier-pattern"))]
    pub identifier: Pattern,

    /// How the identifier is coded before it is compared: `plain`, or `base64` for identifiers that are the Base64 (with either
    /// alphabet, with or without padding) of what `identifier` describes.
    pub coding: Coding,

    /// Where the image is: the name of a source, `files` for the directory of `[source]`, `registry` for what the registry
    /// knows, or the name of a resolver.
    pub source: String,

    /// Its key there: the path of a file, the name of an object, a URL. Made of text and of the parts of the identifier;
    /// `{identifier}` stands for all of it. `{name|pairs}` is a folder for every two characters, `{name|recid}` the folders of
    /// a record of InvenioRDM (`12/34/567_`). Of several, the first that exists counts: `["{key}.ptif", "{key}"]`.
    #[schemars(with = "Vec<String>", extend("items" = {"type": "string", "format": "key-template"}, "minItems" = 1))]
    pub keys: Vec<Template>,

    /// The `Cache-Control` header of these images, instead of that of `[server]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "header-value", "examples" = ["public, max-age=31536000, immutable"]))]
    pub cache_control: Option<String>,

    /// The server's address in the `id` of these images, instead of that of `[server]`: for images that were published under
    /// another address, which leads here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "public-url", "examples" = ["https://old.example.org/iiif"]))]
    pub public_url: Option<String>,

    /// Greatest width of these images, instead of that of `[image]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32), example = 2000)]
    pub max_width: Option<u32>,

    /// Greatest height of these images, instead of that of `[image]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32), example = 2000)]
    pub max_height: Option<u32>,

    /// Most pixels of these images, instead of those of `[image]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        range(min = 1, max = 9_223_372_036_854_775_807_u64),
        example = 4_000_000
    )]
    pub max_area: Option<u64>,
}

/// How identifiers are coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Coding {
    #[default]
    Plain,
    Base64,
}

/// The name of the source that `[source]` describes.
pub const FILES: &str = "files";
/// The name of the assets of customers as a source.
pub const COMPOSITES: &str = "composites";
/// The name of the registry as a source.
pub const REGISTRY: &str = "registry";

impl RouteConfig {
    /// All identifiers, as they are.
    pub fn to(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            ..Self::default()
        }
    }
}

impl Default for RouteConfig {
    fn default() -> Self {
        Self {
            identifier: "{identifier}".parse().expect("a pattern"),
            coding: Coding::default(),
            source: FILES.to_owned(),
            keys: vec!["{identifier}".parse().expect("a template")],
            cache_control: None,
            public_url: None,
            max_width: None,
            max_height: None,
            max_area: None,
        }
    }
}
