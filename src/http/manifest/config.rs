//! What manifests say besides what is known of the images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PresentationConfig {
    /// Whether everybody is given the files of PDF documents, at `/presentation/download/{identifier}`. Manifests of documents then have a
    /// link to theirs (`rendering`).
    pub download: bool,
}
