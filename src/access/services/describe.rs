//! What viewers are told of services: in the words of Authorization Flow 2.0 (section 3) and of Authentication 1.0 (section 2).

use serde_json::{Map, Value, json};

use super::Services;
use super::config::{Means, Profile, ServiceConfig};
use super::texts::Texts;

/// Of version 1.0, whose descriptions each have their own.
const CONTEXT_1: &str = "http://iiif.io/api/auth/1/context.json";

impl Services {
    /// A05 to A08: the probe service of an image, with the services that may help. `base` is the server's address, `segment` the identifier as
    /// it stands in a path.
    pub fn describe(&self, base: &str, segment: &str, names: &[String]) -> Value {
        let found = names
            .iter()
            .filter_map(|name| Some((name, self.get(name)?)));
        let all: Vec<_> = found.collect();
        let mut probe = Map::new();
        let id = format!("{base}/access/probe/{segment}");
        probe.insert("id".to_owned(), json!(id));
        probe.insert("type".to_owned(), json!("AuthProbeService2"));
        if let Some((_, first)) = all.first() {
            put_trouble(&mut probe, first);
        }
        let services = all
            .iter()
            .map(|(name, service)| access(base, name, service));
        probe.insert("service".to_owned(), services.collect());
        Value::Object(probe)
    }

    /// B02, B03: the services in the words of version 1.0.
    pub fn describe_1(&self, base: &str, names: &[String]) -> Vec<Value> {
        let found = names
            .iter()
            .filter_map(|name| Some((name, self.get(name)?)));
        found.map(|(name, it)| access_1(base, name, it)).collect()
    }
}

fn access(base: &str, name: &str, service: &ServiceConfig) -> Value {
    let mut access = Map::new();
    let mut put = |key: &str, value: Value| access.insert(key.to_owned(), value);
    if service.profile != Profile::External {
        put("id", json!(format!("{base}/access/{name}/login")));
    }
    put("type", json!("AuthAccessService2"));
    put("profile", json!(service.profile));
    put("label", service.label.language_map());
    let texts = [
        ("heading", &service.heading),
        ("note", &service.note),
        ("confirmLabel", &service.confirm_label),
    ];
    for (key, texts) in texts {
        if let Some(texts) = texts {
            put(key, texts.language_map());
        }
    }
    put("service", json!(inner(base, name, service)));
    Value::Object(access)
}

/// The token service, and where a session can be ended, where that is.
fn inner(base: &str, name: &str, service: &ServiceConfig) -> Vec<Value> {
    let mut token = Map::new();
    let id = format!("{base}/access/{name}/token");
    token.insert("id".to_owned(), json!(id));
    token.insert("type".to_owned(), json!("AuthAccessTokenService2"));
    put_trouble(&mut token, service);
    let logout = json!({
        "id": format!("{base}/access/{name}/logout"),
        "type": "AuthLogoutService2",
        "label": service.logout_label.language_map(),
    });
    let logout = (service.profile != Profile::External).then_some(logout);
    [Value::Object(token)].into_iter().chain(logout).collect()
}

/// What those are told who do not get through.
fn put_trouble(description: &mut Map<String, Value>, service: &ServiceConfig) {
    let texts = [
        ("errorHeading", &service.error_heading),
        ("errorNote", &service.error_note),
    ];
    for (key, texts) in texts {
        if let Some(texts) = texts {
            description.insert(key.to_owned(), texts.language_map());
        }
    }
}

fn access_1(base: &str, name: &str, service: &ServiceConfig) -> Value {
    let mut access = Map::new();
    let mut put = |key: &str, value: Value| access.insert(key.to_owned(), value);
    put("@context", json!(CONTEXT_1));
    if service.profile != Profile::External {
        put("@id", json!(format!("{base}/access/{name}/login")));
    }
    put("profile", profile_1(pattern_1(service)));
    put("label", text_1(&service.label));
    let texts = [
        ("header", &service.heading),
        ("description", &service.note),
        ("confirmLabel", &service.confirm_label),
        ("failureHeader", &service.error_heading),
        ("failureDescription", &service.error_note),
    ];
    for (key, texts) in texts {
        if let Some(texts) = texts {
            put(key, text_1(texts));
        }
    }
    put("service", json!(inner_1(base, name, service)));
    Value::Object(access)
}

fn inner_1(base: &str, name: &str, service: &ServiceConfig) -> Vec<Value> {
    let token = json!({
        "@id": format!("{base}/access/{name}/auth1/token"),
        "profile": profile_1("token"),
    });
    let logout = json!({
        "@id": format!("{base}/access/{name}/logout"),
        "profile": profile_1("logout"),
        "label": text_1(&service.logout_label),
    });
    let logout = (service.profile != Profile::External).then_some(logout);
    [token].into_iter().chain(logout).collect()
}

fn pattern_1(service: &ServiceConfig) -> &'static str {
    match (service.profile, service.means) {
        (Profile::Active, Means::Click) => "clickthrough",
        (Profile::Active, Means::Login | Means::Oidc) => "login",
        (Profile::Kiosk, _) => "kiosk",
        (Profile::External, _) => "external",
    }
}

fn profile_1(name: &str) -> Value {
    json!(format!("http://iiif.io/api/auth/1/{name}"))
}

/// Version 1.0 has one language.
fn text_1(texts: &Texts) -> Value {
    json!(texts.best("").1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::config::AccessConfig;

    const BASE: &str = "https://a.example/iiif";

    fn services() -> Services {
        let config: AccessConfig = toml::from_str(
            "[services.login]
            label = { en = 'Log in', de = 'Anmelden' }
            heading = 'Restricted'
            note = 'For members.'
            confirm_label = 'Go on'
            error_heading = 'No'
            error_note = 'Ask.'
            [services.click]
            means = 'click'
            [services.room]
            profile = 'kiosk'
            networks = ['192.0.2.0/24']
            [services.network]
            profile = 'external'
            networks = ['192.0.2.0/24']",
        )
        .unwrap();
        Services::new(&config, None).unwrap().unwrap()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a05_a06_a07_a08_a25_services_are_nested_as_the_specification_has_them() {
        let described = services().describe(BASE, "x%2Fy", &names(&["login"]));
        let expected = json!({
            "id": "https://a.example/iiif/access/probe/x%2Fy",
            "type": "AuthProbeService2",
            "errorHeading": {"none": ["No"]},
            "errorNote": {"none": ["Ask."]},
            "service": [{
                "id": "https://a.example/iiif/access/login/login",
                "type": "AuthAccessService2",
                "profile": "active",
                "label": {"de": ["Anmelden"], "en": ["Log in"]},
                "heading": {"none": ["Restricted"]},
                "note": {"none": ["For members."]},
                "confirmLabel": {"none": ["Go on"]},
                "service": [{
                    "id": "https://a.example/iiif/access/login/token",
                    "type": "AuthAccessTokenService2",
                    "errorHeading": {"none": ["No"]},
                    "errorNote": {"none": ["Ask."]},
                }, {
                    "id": "https://a.example/iiif/access/login/logout",
                    "type": "AuthLogoutService2",
                    "label": {"en": ["Log out"]},
                }],
            }],
        });
        assert_eq!(described, expected);
    }

    #[test]
    fn a07_an_external_service_has_no_address_and_no_logout() {
        let described = services().describe(BASE, "x", &names(&["network", "room", "gone"]));
        let services = described["service"].as_array().unwrap();
        assert_eq!(services.len(), 2);
        assert_eq!(services[0]["profile"], "external");
        assert_eq!(services[0].get("id"), None);
        assert_eq!(services[0]["service"].as_array().unwrap().len(), 1);
        assert_eq!(services[1]["profile"], "kiosk");
        assert!(services[1]["id"].is_string());
        assert_eq!(described.get("errorHeading"), None);
    }

    #[test]
    fn b02_b03_version_1_has_its_own_words() {
        let described = services().describe_1(BASE, &names(&["login"]));
        let expected = json!([{
            "@context": "http://iiif.io/api/auth/1/context.json",
            "@id": "https://a.example/iiif/access/login/login",
            "profile": "http://iiif.io/api/auth/1/login",
            "label": "Log in",
            "header": "Restricted",
            "description": "For members.",
            "confirmLabel": "Go on",
            "failureHeader": "No",
            "failureDescription": "Ask.",
            "service": [{
                "@id": "https://a.example/iiif/access/login/auth1/token",
                "profile": "http://iiif.io/api/auth/1/token",
            }, {
                "@id": "https://a.example/iiif/access/login/logout",
                "profile": "http://iiif.io/api/auth/1/logout",
                "label": "Log out",
            }],
        }]);
        assert_eq!(json!(described), expected);
        let all = services().describe_1(BASE, &names(&["click", "room", "network"]));
        let profiles: Vec<_> = all
            .iter()
            .map(|it| it["profile"].as_str().unwrap())
            .collect();
        let expected = ["clickthrough", "kiosk", "external"]
            .map(|it| format!("http://iiif.io/api/auth/1/{it}"));
        assert_eq!(profiles, expected);
    }
}
