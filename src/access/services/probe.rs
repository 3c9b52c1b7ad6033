//! What the probe service answers (Authorization Flow 2.0, section 3.5).

use serde_json::{Map, Value, json};

use super::config::ServiceConfig;
use super::message::CONTEXT;
use super::texts::Texts;

/// What somebody would be answered who asks for the image itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    pub status: u16,
    /// The base URI of a smaller version, which they see.
    pub substitute: Option<String>,
    /// Where it is instead.
    pub location: Option<String>,
}

impl Probed {
    /// A18 to A21. What is said to those who do not see it is said by the first service that might have helped.
    pub fn result(&self, service: Option<&ServiceConfig>) -> Value {
        let mut result = Map::new();
        let mut put = |key: &str, value: Value| result.insert(key.to_owned(), value);
        put("@context", json!(CONTEXT));
        put("type", json!("AuthProbeResult2"));
        put("status", json!(self.status));
        if let Some(base) = &self.substitute {
            put("substitute", json!([image(base)]));
        }
        if let Some(location) = &self.location {
            put("location", image(location));
        }
        if self.status >= 400 {
            let heading = service.and_then(|it| it.error_heading.clone());
            let heading = heading.unwrap_or_else(|| Texts::english("This is not for everyone"));
            put("heading", heading.language_map());
            if let Some(note) = service.and_then(|it| it.error_note.as_ref()) {
                put("note", note.language_map());
            }
        }
        Value::Object(result)
    }
}

fn image(base: &str) -> Value {
    json!({"id": base, "type": "ImageService3"})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probed(status: u16) -> Probed {
        Probed {
            status,
            substitute: None,
            location: None,
        }
    }

    #[test]
    fn a18_a_result_has_the_status_of_the_image() {
        let expected = json!({
            "@context": "http://iiif.io/api/auth/2/context.json",
            "type": "AuthProbeResult2",
            "status": 200,
        });
        assert_eq!(probed(200).result(None), expected);
    }

    #[test]
    fn a19_a20_another_image_is_told_of() {
        let smaller = Probed {
            substitute: Some("https://a.example/iiif/3/x;max9".to_owned()),
            ..probed(401)
        };
        let image = json!({"id": "https://a.example/iiif/3/x;max9", "type": "ImageService3"});
        assert_eq!(smaller.result(None)["substitute"], json!([image]));
        let elsewhere = Probed {
            location: Some("https://a.example/iiif/3/x;max9".to_owned()),
            ..probed(302)
        };
        assert_eq!(elsewhere.result(None)["location"], image);
        assert_eq!(elsewhere.result(None).get("heading"), None);
    }

    #[test]
    fn a21_who_is_refused_is_told_why() {
        let service = ServiceConfig {
            error_heading: Some(Texts::english("No")),
            error_note: Some(Texts::english("Ask.")),
            ..ServiceConfig::default()
        };
        let told = probed(403).result(Some(&service));
        assert_eq!(told["heading"], json!({"en": ["No"]}));
        assert_eq!(told["note"], json!({"en": ["Ask."]}));
        let told = probed(401).result(None);
        assert!(told["heading"].is_object());
        assert_eq!(told.get("note"), None);
    }
}
