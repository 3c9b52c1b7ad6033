//! Settings of how visitors show who they are, so that they get roles.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::texts::Texts;
use crate::config::secret_hash::SecretHash;

/// A way to get roles, for viewers: an access service of the IIIF Authorization Flow 2.0. Rules name it in `services`. Texts are given as
/// one, or by language: `{ en = "Log in", pt = "Entrar" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceConfig {
    /// `active`: people do something in a window that the viewer opens. `kiosk`: the viewer opens a window that closes at once, for the
    /// machines of `networks`. `external`: there is no window; where somebody is, in `networks`, says enough.
    pub profile: Profile,

    /// What people do, if the profile is `active`: `login` with a name and a password of [access.users.NAME], `click` on a button, to say
    /// that they have read the note, or `oidc`: log in at the provider of [access.oidc].
    pub means: Means,

    /// What the viewer's button says.
    #[schemars(with = "String", extend("type" = Texts::SCHEMA, "format" = "texts"), example = "Log in")]
    pub label: Texts,

    /// What stands above the note.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("type" = Texts::SCHEMA, "format" = "texts"), example = "Restricted material")]
    pub heading: Option<Texts>,

    /// Why it is needed, and who can have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("type" = Texts::SCHEMA, "format" = "texts"), example = "Members of the library see these images.")]
    pub note: Option<Texts>,

    /// What the button says that goes on from the note.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("type" = Texts::SCHEMA, "format" = "texts"), example = "Go on")]
    pub confirm_label: Option<Texts>,

    /// What stands above the next text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("type" = Texts::SCHEMA, "format" = "texts"), example = "Not for everyone")]
    pub error_heading: Option<Texts>,

    /// What those are told who do not see an image. It takes an `error_heading`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("type" = Texts::SCHEMA, "format" = "texts"), example = "Ask at the desk for an account.")]
    pub error_note: Option<Texts>,

    /// What the button says that ends it.
    #[schemars(with = "String", extend("type" = Texts::SCHEMA, "format" = "texts"), example = "Log out")]
    pub logout_label: Texts,

    /// The roles that it gives to whoever gets through, beside those of the user.
    #[schemars(example = ["reader"])]
    pub roles: Vec<String>,

    /// From where it can be used, if the profile is `kiosk` or `external`.
    #[schemars(with = "Vec<String>", extend("items" = {"type": "string", "format": "network"}), example = ["192.0.2.0/24"])]
    pub networks: Vec<IpNet>,
}

/// Authorization Flow 2.0, section 3.2, interaction patterns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    #[default]
    Active,
    Kiosk,
    External,
}

/// What people do to get roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    #[default]
    Login,
    Click,
    Oidc,
}

/// Somebody who can log in with a password. `NAME` is what they write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// The password, as `azulejo hash-secret` prints it: Argon2id, as a PHC string. Never the password itself.
    #[schemars(with = "String", extend("format" = "argon2id-hash", "writeOnly" = true, "examples" = ["the output of: azulejo hash-secret"]))]
    pub password_hash: SecretHash,

    /// What they may see: the roles of rules.
    #[serde(default)]
    #[schemars(example = ["staff"])]
    pub roles: Vec<String>,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            means: Means::default(),
            label: Texts::english("Log in"),
            heading: None,
            note: None,
            confirm_label: None,
            error_heading: None,
            error_note: None,
            logout_label: Texts::english("Log out"),
            roles: Vec::new(),
            networks: Vec::new(),
        }
    }
}
