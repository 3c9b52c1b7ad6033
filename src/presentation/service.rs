//! Services, of which only some give images (Presentation 3.0 and 2.1, `service`).

use serde_json::Value;

use super::json::{Object, id, texts, types};

/// What every context, profile and protocol of the Image API has in it; those of 1.0 and 1.1 had another home.
const IMAGE_API: [&str; 2] = ["//iiif.io/api/image", "/iiif/image-api/"];

/// One value of `service`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// The base URI of an image.
    Image(String),
    /// Something else; the text says what, as its author wrote it.
    Other(String),
}

impl Service {
    /// Each version says in another property what a service is, and authors leave out some: one sign is enough.
    pub fn of(value: &Value) -> Self {
        let Value::Object(object) = value else {
            return Self::Other("a service without a description".to_owned());
        };
        match id(object) {
            Some(id) if is_image(object) => Self::Image(base_uri(id).to_owned()),
            _ => Self::Other(description(object)),
        }
    }
}

pub fn is_image(object: &Object) -> bool {
    let has_type = types(object).any(|name| name.starts_with("ImageService"));
    has_type
        || ["@context", "profile", "protocol"]
            .into_iter()
            .flat_map(|key| texts(object, key))
            .any(|text| IMAGE_API.iter().any(|sign| text.contains(sign)))
}

fn description(object: &Object) -> String {
    let keys = ["type", "@type", "profile", "@context"];
    let first = keys.into_iter().find_map(|key| texts(object, key).next());
    first.unwrap_or("a service without a type").to_owned()
}

/// The base URI of an image, also where the address of its `info.json` stands.
pub fn base_uri(uri: &str) -> &str {
    uri.strip_suffix("/info.json")
        .unwrap_or(uri)
        .trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_sign_is_enough() {
        let image = |rest: Value| {
            let mut service = rest;
            service["@id"] = json!("https://a.org/iiif/x/");
            Service::of(&service)
        };
        for service in [
            json!({"type": "ImageService3"}),
            json!({"@type": "ImageService2"}),
            json!({"@context": "http://iiif.io/api/image/2/context.json"}),
            json!({"@context": ["https://a.org/x.json", "https://iiif.io/api/image/3/context.json"]}),
            json!({"profile": "http://iiif.io/api/image/2/level1.json"}),
            json!({"profile": ["http://iiif.io/api/image/2/level2.json", {"formats": ["gif"]}]}),
            // As in the manifests of one of the replaced systems.
            json!({"profile": "https://iiif.io/api/image/1.1/compliance/#level2"}),
            json!({"profile": "http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2"}),
            json!({"protocol": "http://iiif.io/api/image"}),
        ] {
            let expected = Service::Image("https://a.org/iiif/x".to_owned());
            assert_eq!(image(service.clone()), expected, "{service}");
        }
    }

    #[test]
    fn other_services_say_what_they_are() {
        let other = |service: Value| match Service::of(&service) {
            Service::Other(text) => text,
            Service::Image(uri) => panic!("{uri} is no image"),
        };
        let login = "http://iiif.io/api/auth/1/login";
        assert_eq!(other(json!({"@id": "x", "profile": login})), login);
        let search = json!({"id": "x", "type": "SearchService2", "profile": "y"});
        assert_eq!(other(search), "SearchService2");
        assert_eq!(other(json!({"@id": "x", "@context": "z"})), "z");
        assert_eq!(other(json!({"@id": "x"})), "a service without a type");
        assert_eq!(other(json!("x")), "a service without a description");
        assert_eq!(other(json!({"type": "ImageService3"})), "ImageService3");
    }

    #[test]
    fn the_base_uri_is_what_stands_before_info_json() {
        assert_eq!(base_uri("https://a.org/x/info.json"), "https://a.org/x");
        assert_eq!(base_uri("https://a.org/x/"), "https://a.org/x");
        assert_eq!(base_uri("https://a.org/x"), "https://a.org/x");
    }
}
