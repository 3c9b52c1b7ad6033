//! Settings that `info.json` declares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How large images may be asked for, and what is said of all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("dependentRequired" = {"max_height": ["max_width"]}))]
pub struct ImageConfig {
    /// Greatest width of an image that is sent; also its greatest height if `max_height` is not set. The default is the
    /// longest side that JPEG can have.
    #[schemars(range(min = 1, max = 4_294_967_295_u32), example = 8192)]
    pub max_width: Option<u32>,

    /// Greatest height of an image that is sent. The standard requires `max_width` beside it.
    #[schemars(range(min = 1, max = 4_294_967_295_u32), example = 8192)]
    pub max_height: Option<u32>,

    /// Most pixels, width times height, of an image that is sent. There is always such a bound: the standard requires
    /// one where images may be enlarged.
    #[schemars(range(min = 1, max = 9_223_372_036_854_775_807_u64))]
    pub max_area: u64,

    /// Whether images may be asked for larger than they are (`^` in version 3, any larger size in version 2).
    pub upscaling: bool,

    /// The licence or rights statement of all images: `rights` in version 3, `license` in version 2. Version 3 wants
    /// the `http:` form of an address at creativecommons.org or rightsstatements.org.
    #[schemars(extend("format" = "http-url"), example = "http://creativecommons.org/publicdomain/mark/1.0/")]
    pub rights: Option<String>,

    /// Text that viewers show beside every image: `attribution` in version 2. Version 3 has no such property in
    /// `info.json`.
    #[schemars(length(min = 1), example = "Provided by Example Library")]
    pub attribution: Option<String>,
}

impl Default for ImageConfig {
    fn default() -> Self {
        Self {
            max_width: Some(65_500),
            max_height: None,
            max_area: 100_000_000,
            upscaling: true,
            rights: None,
            attribution: None,
        }
    }
}
