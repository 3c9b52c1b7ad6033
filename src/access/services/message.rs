//! What token services answer: Authorization Flow 2.0, section 3.4, and Authentication 1.0, section 2.2.

use serde_json::{Map, Value, json};

use super::config::ServiceConfig;
use crate::access::session::Token;

pub const CONTEXT: &str = "http://iiif.io/api/auth/2/context.json";

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    InvalidRequest,
    InvalidOrigin,
    /// Nothing shows who it is.
    MissingAspect,
    /// What is shown is none of ours.
    InvalidAspect,
    ExpiredAspect,
    /// It cannot be told now.
    Unavailable,
}

/// What somebody gets who asks for a token.
pub type Answer = Result<Token, Trouble>;

/// A13, A14: the message of Authorization Flow 2.0.
pub fn message(answer: &Answer, service: &ServiceConfig, id: &str) -> Value {
    match answer {
        Ok(token) => json!({
            "@context": CONTEXT,
            "type": "AuthAccessToken2",
            "accessToken": token.secret.as_str(),
            "expiresIn": token.seconds,
            "messageId": id,
        }),
        Err(trouble) => {
            let mut message = Map::new();
            let mut put = |key: &str, value| message.insert(key.to_owned(), value);
            put("@context", json!(CONTEXT));
            put("type", json!("AuthAccessTokenError2"));
            put("profile", json!(trouble.profile()));
            put("messageId", json!(id));
            if let Some(heading) = &service.error_heading {
                put("heading", heading.language_map());
                if let Some(note) = &service.error_note {
                    put("note", note.language_map());
                }
            }
            Value::Object(message)
        }
    }
}

/// B04, B05: that of Authentication 1.0; `id` only where it is a message.
pub fn message_1(answer: &Answer, id: Option<&str>) -> Value {
    let mut message = match answer {
        Ok(token) => json!({"accessToken": token.secret.as_str(), "expiresIn": token.seconds}),
        Err(trouble) => {
            let (error, description) = trouble.in_version_1();
            json!({"error": error, "description": description})
        }
    };
    if let Some(id) = id {
        message["messageId"] = json!(id);
    }
    message
}

impl Trouble {
    fn profile(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalidRequest",
            Self::InvalidOrigin => "invalidOrigin",
            Self::MissingAspect => "missingAspect",
            Self::InvalidAspect => "invalidAspect",
            Self::ExpiredAspect => "expiredAspect",
            Self::Unavailable => "unavailable",
        }
    }

    fn in_version_1(self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidRequest => ("invalidRequest", "The request is not as it should be."),
            Self::InvalidOrigin => ("invalidOrigin", "This viewer is not known here."),
            Self::MissingAspect => ("missingCredentials", "Nothing shows who asks."),
            Self::InvalidAspect => ("invalidCredentials", "What is shown is not known here."),
            Self::ExpiredAspect => ("invalidCredentials", "It was too long ago."),
            Self::Unavailable => ("unavailable", "It cannot be told now: try again."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::services::Texts;
    use crate::access::session::Secret;

    fn service() -> ServiceConfig {
        ServiceConfig {
            error_heading: Some(Texts::english("No")),
            error_note: Some(Texts::english("Ask.")),
            ..ServiceConfig::default()
        }
    }

    fn token() -> Token {
        let secret = Secret::random();
        Token { secret, seconds: 7 }
    }

    #[test]
    fn a13_a_token_is_a_message() {
        let token = token();
        let expected = json!({
            "@context": "http://iiif.io/api/auth/2/context.json",
            "type": "AuthAccessToken2",
            "accessToken": token.secret.as_str(),
            "expiresIn": 7,
            "messageId": "m1",
        });
        assert_eq!(message(&Ok(token), &service(), "m1"), expected);
    }

    #[test]
    fn a14_every_trouble_has_its_profile() {
        for (trouble, profile) in [
            (Trouble::InvalidRequest, "invalidRequest"),
            (Trouble::InvalidOrigin, "invalidOrigin"),
            (Trouble::MissingAspect, "missingAspect"),
            (Trouble::InvalidAspect, "invalidAspect"),
            (Trouble::ExpiredAspect, "expiredAspect"),
            (Trouble::Unavailable, "unavailable"),
        ] {
            let expected = json!({
                "@context": "http://iiif.io/api/auth/2/context.json",
                "type": "AuthAccessTokenError2",
                "profile": profile,
                "messageId": "m1",
                "heading": {"en": ["No"]},
                "note": {"en": ["Ask."]},
            });
            assert_eq!(message(&Err(trouble), &service(), "m1"), expected);
        }
        let silent = ServiceConfig {
            error_heading: None,
            ..service()
        };
        let message = message(&Err(Trouble::Unavailable), &silent, "m1");
        assert_eq!(message.get("note"), None, "a note takes a heading");
    }

    #[test]
    fn b05_troubles_have_the_names_of_version_1() {
        for (trouble, error) in [
            (Trouble::InvalidRequest, "invalidRequest"),
            (Trouble::InvalidOrigin, "invalidOrigin"),
            (Trouble::MissingAspect, "missingCredentials"),
            (Trouble::InvalidAspect, "invalidCredentials"),
            (Trouble::ExpiredAspect, "invalidCredentials"),
            (Trouble::Unavailable, "unavailable"),
        ] {
            let message = message_1(&Err(trouble), Some("m1"));
            assert_eq!(message["error"], error);
            assert!(message["description"].is_string());
            assert_eq!(message["messageId"], "m1");
        }
        let token = token();
        let expected = json!({"accessToken": token.secret.as_str(), "expiresIn": 7});
        assert_eq!(message_1(&Ok(token), None), expected);
    }
}
