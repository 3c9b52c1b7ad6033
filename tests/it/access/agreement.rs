//! Whatever the rules are and whoever asks: image, `info.json`, manifest and probe give the answer that docs/access.md tells, with caches cold and warm.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::http::response::Parts;
use azulejo::access::signed::Scope;
use azulejo::config::Config;
use azulejo::http::{App, router, sign};
use http_body_util::BodyExt;
use jsonwebtoken::{EncodingKey, Header, encode};
use proptest::prelude::*;
use proptest::test_runner::Config as Settings;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::model::{ABSENT, Guest, IMAGES, ROLES, Rule, Sight, guest, rule, sight};
use super::rules::{access, folder};
use crate::server::Picture;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// Of the chart.
const SIZE: (u32, u32) = (301, 211);

const IMAGE: &str = "/iiif/3/ID/full/max/0/default.png";
const IMAGE_2: &str = "/iiif/2/ID/full/full/0/default.png";
const INFO: &str = "/iiif/3/ID/info.json";
const MANIFEST: &str = "/presentation/3/ID/manifest";
const PROBE: &str = "/access/probe/ID";
const ALL: [&str; 7] = [
    IMAGE,
    IMAGE_2,
    INFO,
    "/iiif/2/ID/info.json",
    "/presentation/2/ID/manifest",
    MANIFEST,
    PROBE,
];

fn seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs()
}

/// Besides the rules: keys, tokens and signatures, and a service, without which there is no probe.
fn toml(rules: &[Rule], is_closed: bool) -> String {
    let standing = if is_closed { "closed" } else { "open" };
    let mut toml = format!("default = '{standing}'\n");
    toml.extend(rules.iter().map(Rule::toml));
    for role in ROLES {
        toml +=
            &format!("[keys.{role}]\nsecret = 'key-of-{role}-0123456789'\nroles = ['{role}']\n");
    }
    toml += &format!("[jwt]\nalgorithms = ['HS256']\nissuer = 'us'\nsecret = '{SECRET}'\n");
    toml += &format!("[signing]\nsecrets = ['{SECRET}']\n");
    toml + "[services.desk]\nprofile = 'external'\nnetworks = ['203.0.113.0/24']\nroles = ['x']\n"
}

fn token(roles: &[&str], has_expired: bool) -> String {
    let expires = if has_expired {
        seconds() - 3600
    } else {
        seconds() + 3600
    };
    let claims = json!({"iss": "us", "exp": expires, "roles": roles});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), &claims, &key).unwrap()
}

struct World {
    config: Config,
    router: Router,
}

struct Answered {
    parts: Parts,
    body: Vec<u8>,
}

impl Answered {
    fn status(&self) -> u16 {
        self.parts.status.as_u16()
    }

    fn location(&self) -> &str {
        self.parts.headers["location"].to_str().unwrap()
    }

    /// Of the smaller side and of the larger side, in any order.
    fn longer_side(&self) -> u32 {
        let (width, height) = Picture::from_png(&self.body).size();
        width.max(height)
    }
}

impl World {
    fn new(root: &std::path::Path, rules: &[Rule], is_closed: bool) -> Self {
        let mut config = Config::default();
        config.source.root = root.to_owned();
        config.pyramids.enabled = false;
        config.access = access(&toml(rules, is_closed));
        let router = router(App::new(&config).unwrap());
        Self { config, router }
    }

    async fn ask(&self, guest: &Guest, path: &str, copy: Option<&str>) -> Answered {
        let address: [u8; 4] = match guest.is_in_room {
            true => [192, 0, 2, 7],
            false => [198, 51, 100, 7],
        };
        let peer = ConnectInfo(SocketAddr::from((address, 50_000)));
        let mut request = Request::get(path).extension(peer).header("host", "a");
        if let Some(role) = guest.key {
            request = request.header("x-api-key", format!("key-of-{role}-0123456789"));
        }
        if let Some((roles, has_expired)) = &guest.token {
            let token = token(roles, *has_expired);
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(copy) = copy {
            request = request.header("if-none-match", copy);
        }
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answered { parts, body }
    }

    /// The query that a guest adds to all URLs of an image.
    fn query(&self, guest: &Guest, identifier: &str) -> String {
        if !guest.signs {
            return String::new();
        }
        let url = INFO.replace("ID", identifier);
        let signed = sign(&self.config, &url, Scope::Image, seconds() + 600).unwrap();
        signed[url.len()..].to_owned()
    }

    async fn check(&self, guest: &Guest, image: usize, sight: Sight, has_service: bool) {
        let identifier = IMAGES[image].replace('/', "%2F");
        let query = self.query(guest, &identifier);
        for form in ALL {
            let path = format!("{}{query}", form.replace("ID", &identifier));
            let answer = self.ask(guest, &path, None).await;
            let expected = status(form, image, sight, has_service);
            let told = if form == PROBE {
                probed(&answer)
            } else {
                answer.status()
            };
            assert_eq!(told, expected, "{path} of {guest:?}");
            match sight {
                _ if image == ABSENT => {}
                Sight::Whole if form == IMAGE => assert_eq!(answer.longer_side(), SIZE.0),
                Sight::Whole => {}
                Sight::Smaller(largest, _) if told == 302 => {
                    let mark = format!("{identifier};max{largest}/");
                    assert!(answer.location().contains(&mark), "{path}");
                }
                _ if told != 200 => self.check_copies(guest, &path, expected).await,
                _ => {}
            }
        }
        if let (Sight::Smaller(largest, refusal), true) = (sight, image != ABSENT) {
            self.check_smaller(guest, &identifier, largest, refusal)
                .await;
        }
    }

    /// Who has a copy, or says so, is told no more.
    async fn check_copies(&self, guest: &Guest, path: &str, expected: u16) {
        if !path.contains("/probe/") {
            let answer = self.ask(guest, path, Some("*")).await;
            assert_eq!(answer.status(), expected, "{path} of {guest:?}");
        }
    }

    async fn check_smaller(&self, guest: &Guest, identifier: &str, largest: u32, refusal: u16) {
        for form in ALL {
            let path = form.replace("ID", &format!("{identifier};max{largest}"));
            let answer = self.ask(guest, &path, None).await;
            assert_eq!(answer.status(), 200, "{path} of {guest:?}");
            if form == PROBE {
                assert_eq!(probed(&answer), 200, "{path}");
            }
            if [IMAGE, IMAGE_2].contains(&form) {
                assert_eq!(answer.longer_side(), largest.min(SIZE.0), "{path}");
            }
        }
        let more = format!("{identifier};max{}", largest + 1);
        let refused = self.ask(guest, &IMAGE.replace("ID", &more), None).await;
        assert_eq!(refused.status(), refusal, "{more} of {guest:?}");
    }
}

/// The status that the probe tells; its own is always 200.
fn probed(answer: &Answered) -> u16 {
    assert_eq!(answer.status(), 200);
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    u16::try_from(body["status"].as_u64().unwrap()).unwrap()
}

fn status(form: &str, image: usize, sight: Sight, has_service: bool) -> u16 {
    let is_image = [IMAGE, IMAGE_2, PROBE].contains(&form);
    let tells_services = has_service && [INFO, MANIFEST].contains(&form);
    match sight {
        // Who is refused is not told whether there is one, but by what is for everyone to read.
        Sight::Refused(401 | 403) if tells_services && image == ABSENT => 404,
        Sight::Refused(refusal) if image == ABSENT => refusal,
        _ if image == ABSENT => 404,
        Sight::Whole => 200,
        Sight::Smaller(..) | Sight::Refused(401 | 403) if tells_services => 200,
        Sight::Refused(refusal) => refusal,
        Sight::Smaller(_, refusal) if is_image => refusal,
        Sight::Smaller(..) => 302,
    }
}

proptest! {
    #![proptest_config(Settings::with_cases(40))]

    #[test]
    fn a22_all_that_is_asked_of_an_image_agrees(
        rules in prop::collection::vec(rule(), 0..4),
        is_closed: bool,
        visits in prop::collection::vec((guest(), 0..IMAGES.len()), 1..8),
    ) {
        let folder = folder();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new(folder.path(), &rules, is_closed);
            // The second time, the caches are warm.
            for (guest, image) in visits.iter().chain(&visits) {
                let (sight, rule) = sight(&rules, is_closed, guest, *image);
                let has_service = rule.is_some_and(|rule| rule.has_service);
                world.check(guest, *image, sight, has_service).await;
            }
        });
    }
}
