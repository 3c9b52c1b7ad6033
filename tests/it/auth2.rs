//! Authorization Flow 2.0, over HTTP: group A of the requirements.

use azulejo::access::config::AccessConfig;
use azulejo::config::Config;
use azulejo::config::secret_hash::SecretHash;
use azulejo::http::{App, router};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::server::{Answer, fixtures};

pub const BASE: &str = "https://images.example.org";
pub const VIEWER: &str = "https://viewer.example.org";
const SESSION: &str = "__Host-azulejo_session";

/// As it stands in a configuration, with a user `ann` whose password is `correct horse`.
pub fn config(toml: &str) -> Config {
    let mut access: AccessConfig = toml::from_str(toml).unwrap();
    let user = json!({
        "password_hash": SecretHash::of(b"correct horse").unwrap(),
        "roles": ["staff"],
    });
    let user = serde_json::from_value(user).unwrap();
    access.users.insert("ann".to_owned(), user);
    let mut config = Config::default();
    config.source.root = fixtures("images");
    config.pyramids.enabled = false;
    config.server.public_url = Some(BASE.parse().unwrap());
    config.access = access;
    config
}

pub fn server(toml: &str) -> axum::Router {
    router(App::new(&config(toml)).unwrap())
}

const LOGIN: &str = r#"
    origins = ["https://viewer.example.org"]
    [[rules]]
    identifiers = ["chart.png"]
    roles = ["staff"]
    services = ["login"]
    [services.login]
    heading = { en = "Log in to see <this>", de = "Zum Ansehen anmelden" }
    note = "Ask at the desk."
    error_heading = { en = "Not for everyone" }
    error_note = { en = "Ask at the desk." }
    roles = ["reader"]
    [services.click]
    means = "click"
    roles = ["reader"]
    [services.room]
    profile = "kiosk"
    networks = ["192.0.2.0/24"]
    roles = ["staff"]
    [services.network]
    profile = "external"
    networks = ["203.0.113.0/24"]
    roles = ["staff"]
"#;

const IMAGE: &str = "/iiif/3/chart.png/full/50,/0/default.png";

/// The value of an attribute in a page, as a browser reads it.
pub fn attribute(page: &str, name: &str) -> Option<String> {
    let after = page.split(&format!(" {name}=\"")).nth(1)?;
    let text = after.split('"').next()?;
    let plain = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let unescape = |text: String, (escaped, plain): (&str, &str)| text.replace(escaped, plain);
    Some(plain.into_iter().fold(text.to_owned(), unescape))
}

/// The proof in the page of a form.
async fn proof(browser: &Browser, path: &str) -> String {
    let page = browser.get(path).await;
    page.assert_ok();
    let form = page.text().split("name=\"proof\"").nth(1).unwrap();
    attribute(form, "value").unwrap()
}

pub async fn log_in(browser: &Browser, name: &str, password: &str) -> Answer {
    let path = "/access/login/login";
    let proof = proof(browser, path).await;
    let fields = [("proof", &*proof), ("name", name), ("password", password)];
    browser.post(path, &fields).await
}

/// What a token service tells the viewer.
async fn message(browser: &Browser, path: &str) -> Value {
    let page = browser.get(path).await;
    page.assert_ok();
    let message = attribute(page.text(), "data-message");
    serde_json::from_str(&message.unwrap_or_else(|| panic!("{}", page.text()))).unwrap()
}

fn token_path(service: &str) -> String {
    format!("/access/{service}/token?messageId=m1&origin={VIEWER}")
}

fn assert_private(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let cors = |name: &&axum::http::HeaderName| name.as_str().starts_with("access-control-");
    assert_eq!(answer.headers.keys().find(cors), None, "{}", answer.path);
}

#[tokio::test]
async fn where_no_service_is_configured_there_is_nothing() {
    let browser = Browser::new(&server(""));
    for path in ["login", "token", "logout"] {
        let answer = browser.get(&format!("/access/login/{path}")).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let browser = Browser::new(&server(LOGIN));
    for path in [
        "/access/other/login",
        "/access/network/login",
        "/access/other/token",
        "/access/x/logout",
    ] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn whoever_logs_in_sees_the_image_until_they_log_out() {
    let server = server(LOGIN);
    let browser = Browser::new(&server);
    assert_eq!(browser.get(IMAGE).await.status, 401);
    let answer = log_in(&browser, "ann", "correct horse").await;
    answer.assert_ok();
    assert_private(&answer);
    assert_eq!(browser.get(IMAGE).await.status, 200);
    let stranger = Browser::new(&server);
    assert_eq!(stranger.get(IMAGE).await.status, 401, "with a warm cache");
    browser.get("/access/login/logout").await.assert_ok();
    assert_eq!(browser.cookie(SESSION), None);
    assert_eq!(browser.get(IMAGE).await.status, 401);
}

#[tokio::test]
async fn a_wrong_password_opens_nothing() {
    let browser = Browser::new(&server(LOGIN));
    for (name, password) in [("ann", "wrong"), ("nobody", "correct horse"), ("", "")] {
        let answer = log_in(&browser, name, password).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text().contains("role=\"alert\""));
        assert_eq!(browser.cookie(SESSION), None);
    }
    let long = "x".repeat(2000);
    assert_eq!(log_in(&browser, "ann", &long).await.status, 403);
    let longer = "x".repeat(20_000);
    assert_eq!(log_in(&browser, "ann", &longer).await.status, 403);
}

#[tokio::test]
async fn the_form_is_a_page_that_nobody_frames_or_keeps() {
    let browser = Browser::new(&server(LOGIN));
    let english = browser.get("/access/login/login").await;
    assert_private(&english);
    let policy = english.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
    assert!(!policy.contains("unsafe"));
    assert_eq!(english.header("x-frame-options"), Some("DENY"));
    assert_eq!(english.header("referrer-policy"), Some("same-origin"));
    assert!(
        english
            .text()
            .contains("<h1>Log in to see &lt;this&gt;</h1>")
    );
    let german = [("accept-language", "de-AT,en;q=0.5")];
    let german = browser.get_with("/access/login/login", &german).await;
    assert!(
        german
            .text()
            .contains("<h1><span lang=\"de\">Zum Ansehen anmelden</span></h1>")
    );
    let click = browser.get("/access/click/login").await;
    assert!(!click.text().contains("type=\"password\""));
}

/// CSRF at login: nobody is logged in by a page of somebody else, as somebody else.
#[tokio::test]
async fn a_form_of_another_page_is_refused() {
    let server = server(LOGIN);
    let browser = Browser::new(&server);
    let path = "/access/login/login";
    let own = proof(&browser, path).await;
    let right = [
        ("proof", &*own),
        ("name", "ann"),
        ("password", "correct horse"),
    ];
    for headers in [
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("sec-fetch-site", "none")],
        [("origin", "https://evil.example")],
        [("origin", "http://images.example.org")],
        [("origin", "null")],
    ] {
        let answer = browser.post_with(path, &right, &headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert_eq!(browser.cookie(SESSION), None);
    }
    let other = Browser::new(&server);
    let foreign = proof(&other, path).await;
    for wrong in ["", "x", &*foreign] {
        let fields = [("proof", wrong), right[1], right[2]];
        assert_eq!(browser.post(path, &fields).await.status, 403);
    }
    browser.cookies.lock().unwrap().clear();
    assert_eq!(
        browser.post(path, &right).await.status,
        403,
        "without the cookie"
    );
    let own = proof(&browser, path).await;
    let right = [("proof", &*own), right[1], right[2]];
    let origin = [("origin", BASE)];
    assert_eq!(browser.post_with(path, &right, &origin).await.status, 200);
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_not_the_one_that_begins() {
    let server = server(LOGIN);
    let browser = Browser::new(&server);
    let planted = "A".repeat(43);
    browser
        .cookies
        .lock()
        .unwrap()
        .insert(SESSION.to_owned(), planted.clone());
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let first = browser.cookie(SESSION).unwrap();
    assert_ne!(first, planted);
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    assert_ne!(browser.cookie(SESSION).unwrap(), first);
    let old = Browser::new(&server);
    old.cookies
        .lock()
        .unwrap()
        .insert(SESSION.to_owned(), first);
    assert_eq!(old.get(IMAGE).await.status, 401);
}

#[tokio::test]
async fn attempts_are_limited_for_each_user() {
    let browser = Browser::new(&server(LOGIN));
    // Every ten seconds there is another one, which a slow machine may take.
    let mut answer = log_in(&browser, "ann", "wrong").await;
    let mut attempts = 1;
    while answer.status != 429 && attempts < 30 {
        assert_eq!(answer.status, 403);
        answer = log_in(&browser, "ann", "wrong").await;
        attempts += 1;
    }
    assert!(attempts > 10, "{attempts}");
    answer = log_in(&browser, "ann", "correct horse").await;
    assert_eq!(answer.status, 429);
    assert!(
        answer
            .header("retry-after")
            .unwrap()
            .parse::<u32>()
            .unwrap()
            >= 1
    );
    assert_eq!(log_in(&browser, "ben", "wrong").await.status, 403);
}

/// Open redirects: there is nowhere to be sent to.
#[tokio::test]
async fn no_parameter_leads_elsewhere() {
    let browser = Browser::new(&server(LOGIN));
    let evil = "https%3A%2F%2Fevil.example%2F";
    for door in [
        "/access/login/login",
        "/access/login/logout",
        "/access/room/login",
        "/access/click/login",
    ] {
        for name in [
            "redirect",
            "redirect_uri",
            "next",
            "return",
            "url",
            "continue",
            "messageId",
        ] {
            let answer = browser.get(&format!("{door}?{name}={evil}")).await;
            assert!(!answer.status.is_redirection(), "{door} {name}");
            assert_eq!(answer.header("location"), None);
            assert!(!answer.text().contains("evil.example"), "{door} {name}");
        }
    }
}

#[tokio::test]
async fn a09_the_last_page_closes_its_window() {
    let browser = Browser::new(&server(LOGIN));
    let last = log_in(&browser, "ann", "correct horse").await;
    assert!(last.text().contains("src=\"../../assets/close.js\""));
    assert!(last.text().contains("You can close this window"));
    let script = browser.get("/assets/close.js").await;
    assert!(script.text().contains("window.close()"));
    let line = last.header("set-cookie").unwrap();
    assert!(
        line.ends_with("; Path=/; HttpOnly; Secure; SameSite=None"),
        "{line}"
    );
}

#[tokio::test]
async fn a10_a_viewer_that_is_not_trusted_is_not_let_in() {
    let browser = Browser::new(&server(LOGIN));
    for (origin, status) in [(VIEWER, 200), ("https://evil.example", 403), ("x", 403)] {
        let path = format!("/access/login/login?origin={origin}");
        assert_eq!(browser.get(&path).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn a11_a12_a13_the_token_service_tells_the_viewer_and_nobody_else() {
    let browser = Browser::new(&server(LOGIN));
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let page = browser.get(&token_path("login")).await;
    page.assert_ok();
    assert_private(&page);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap();
    // Browsers compare it with every page around, and a viewer may stand in a page of another site.
    assert!(!policy.contains("frame-ancestors"));
    assert!(policy.contains("script-src 'sha256-"));
    assert_eq!(attribute(page.text(), "data-origin").unwrap(), VIEWER);
    assert!(
        page.text()
            .contains("window.parent.postMessage(JSON.parse(message), origin);")
    );
    let told = message(&browser, &token_path("login")).await;
    assert_eq!(told["type"], "AuthAccessToken2");
    assert_eq!(told["messageId"], "m1");
    assert_eq!(told["expiresIn"], 300);
    let token = told["accessToken"].as_str().unwrap();
    assert_ne!(token, browser.cookie(SESSION).unwrap());
}

#[tokio::test]
async fn a14_why_there_is_no_token() {
    let browser = Browser::new(&server(LOGIN));
    let profile = async |path: &str| message(&browser, path).await["profile"].clone();
    assert_eq!(profile(&token_path("login")).await, "missingAspect");
    let set = |value: &str| {
        let mut cookies = browser.cookies.lock().unwrap();
        cookies.insert(SESSION.to_owned(), value.to_owned());
    };
    set("x");
    assert_eq!(profile(&token_path("login")).await, "invalidAspect");
    set(&"A".repeat(43));
    assert_eq!(profile(&token_path("login")).await, "invalidAspect");
    let of_evil = "/access/login/token?messageId=m1&origin=https://evil.example";
    assert_eq!(profile(of_evil).await, "invalidOrigin");
    let no_id = format!("/access/login/token?origin={VIEWER}");
    assert_eq!(profile(&no_id).await, "invalidRequest");
    let id = "1".repeat(1025);
    let long = format!("/access/login/token?origin={VIEWER}&messageId={id}");
    assert_eq!(profile(&long).await, "invalidRequest");
    let told = message(&browser, &token_path("login")).await;
    assert_eq!(told["type"], "AuthAccessTokenError2");
    assert_eq!(told["messageId"], "m1");
    assert_eq!(told["heading"], json!({"en": ["Not for everyone"]}));
    assert_eq!(told["note"], json!({"en": ["Ask at the desk."]}));
}

/// Without an origin that can be told, nobody is told anything, and the status is 200 all the same.
#[tokio::test]
async fn a12_nothing_is_told_to_everybody() {
    let browser = Browser::new(&server(LOGIN));
    for query in [
        "",
        "?messageId=m1",
        "?messageId=m1&origin=*",
        "?messageId=m1&origin=null",
        "?messageId=m1&origin=javascript:x",
    ] {
        let page = browser.get(&format!("/access/login/token{query}")).await;
        page.assert_ok();
        assert!(!page.text().contains("<script"), "{query}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.ends_with("frame-ancestors 'none'"));
    }
}

#[tokio::test]
async fn a15_no_parameter_breaks_out_of_the_page() {
    let browser = Browser::new(&server(LOGIN));
    let hostile = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{2028}";
    let id: String = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
    for path in [
        format!("/access/login/token?messageId={id}&origin={VIEWER}"),
        format!("/access/login/token?messageId=m1&origin={id}"),
        format!("/access/login/login?origin={id}&messageId={id}"),
    ] {
        let page = browser.get(&path).await;
        assert!(!page.text().contains("alert(1)</script>"), "{path}");
        assert!(!page.text().contains("<img"), "{path}");
    }
    let told = message(
        &browser,
        &format!("/access/login/token?messageId={id}&origin={VIEWER}"),
    )
    .await;
    assert_eq!(told["messageId"], hostile, "it is echoed as it came");
}

#[tokio::test]
async fn a16_a_token_opens_no_image() {
    let server = server(LOGIN);
    let browser = Browser::new(&server);
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let told = message(&browser, &token_path("login")).await;
    let token = told["accessToken"].as_str().unwrap();
    let stranger = Browser::new(&server);
    let bearer = format!("Bearer {token}");
    let with_token = [("authorization", &*bearer)];
    assert_eq!(stranger.get_with(IMAGE, &with_token).await.status, 401);
    let as_cookie = stranger
        .cookies
        .lock()
        .unwrap()
        .insert(SESSION.to_owned(), token.to_owned());
    assert_eq!(as_cookie, None);
    assert_eq!(stranger.get(IMAGE).await.status, 401);
}

#[tokio::test]
async fn a_kiosk_opens_by_itself_where_it_stands() {
    let server = server(LOGIN);
    let inside = Browser::at(&server, [192, 0, 2, 7]);
    inside.get("/access/room/login").await.assert_ok();
    assert_eq!(inside.get(IMAGE).await.status, 200);
    let told = message(&inside, &token_path("room")).await;
    assert_eq!(told["type"], "AuthAccessToken2");
    let told = message(&inside, &token_path("login")).await;
    assert_eq!(told["profile"], "missingAspect", "that is another service");
    let outside = Browser::new(&server);
    let answer = outside.get("/access/room/login").await;
    assert_eq!(answer.status, 403);
    assert_eq!(outside.cookie(SESSION), None);
}

/// Whoever asks again and again begins one session, and a page with it as an image none.
#[tokio::test]
async fn a_kiosk_begins_a_session_for_those_who_need_one() {
    let server = server(LOGIN);
    let inside = Browser::at(&server, [192, 0, 2, 7]);
    let as_image = [("sec-fetch-dest", "image")];
    let answer = inside.get_with("/access/room/login", &as_image).await;
    assert_eq!(
        (answer.status.as_u16(), inside.cookie(SESSION)),
        (403, None)
    );
    inside.get("/access/room/login").await.assert_ok();
    let begun = inside.cookie(SESSION);
    for _ in 0..40 {
        inside.get("/access/room/login").await.assert_ok();
    }
    assert_eq!(inside.cookie(SESSION), begun);
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let other = Browser::at(&server, [192, 0, 2, 7]);
        statuses.push(other.get("/access/room/login").await.status.as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn an_external_service_needs_no_window() {
    let server = server(LOGIN);
    let inside = Browser::at(&server, [203, 0, 113, 7]);
    let told = message(&inside, &token_path("network")).await;
    assert_eq!(told["type"], "AuthAccessToken2");
    assert_eq!(
        inside.get(IMAGE).await.status,
        200,
        "what a viewer asks for, too"
    );
    let outside = Browser::new(&server);
    let told = message(&outside, &token_path("network")).await;
    assert_eq!(told["profile"], "missingAspect");
}

#[tokio::test]
async fn a_click_gives_roles_beside_those_of_a_login() {
    let server = server(LOGIN);
    let browser = Browser::new(&server);
    let path = "/access/click/login";
    let proof = proof(&browser, path).await;
    browser.post(path, &[("proof", &proof)]).await.assert_ok();
    assert_eq!(browser.get(IMAGE).await.status, 401, "a reader is no staff");
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    for service in ["click", "login"] {
        let told = message(&browser, &token_path(service)).await;
        assert_eq!(told["type"], "AuthAccessToken2", "{service}");
    }
}

#[tokio::test]
async fn a25_a_logout_ends_sessions_and_tokens_and_is_no_image() {
    let server = server(LOGIN);
    let browser = Browser::new(&server);
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let cookie = browser.cookie(SESSION).unwrap();
    let as_image = [("sec-fetch-dest", "image")];
    let answer = browser.get_with("/access/login/logout", &as_image).await;
    assert_eq!(answer.status, 403);
    assert_eq!(browser.get(IMAGE).await.status, 200);
    let answer = browser.get("/access/login/logout").await;
    answer.assert_ok();
    assert_private(&answer);
    let line = answer.header("set-cookie").unwrap();
    assert!(line.contains("Max-Age=0") && line.starts_with("__Host-azulejo_session=;"));
    let kept = Browser::new(&server);
    kept.cookies
        .lock()
        .unwrap()
        .insert(SESSION.to_owned(), cookie);
    assert_eq!(kept.get(IMAGE).await.status, 401);
    let told = message(&kept, &token_path("login")).await;
    assert_eq!(told["profile"], "invalidAspect");
}

const TIERS: &str = r#"
    [[rules]]
    identifiers = ["chart.png"]
    roles = ["staff"]
    services = ["login", "click"]
    largest = 40
    [[rules]]
    identifiers = ["gif-plain.gif"]
    roles = ["staff"]
    services = ["click"]
    refusal = "forbidden"
    [[rules]]
    identifiers = ["bmp-8bit.bmp"]
    roles = ["staff"]
    services = ["login"]
    refusal = "not_found"
    [services.login]
    label = "Log in"
    error_heading = "Not for everyone"
    error_note = "Ask at the desk."
    [services.click]
    means = "click"
    roles = ["reader"]
"#;

/// The token of somebody who is logged in.
async fn token(browser: &Browser) -> String {
    let path = format!("/access/login/token?messageId=m1&origin={VIEWER}");
    let told = message(browser, &path).await;
    told["accessToken"].as_str().unwrap().to_owned()
}

/// What the probe says to whoever has a token, as a script of a viewer asks: without cookies.
async fn probe(server: &axum::Router, identifier: &str, token: Option<&str>) -> Value {
    let viewer = Browser::new(server);
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer
        .iter()
        .map(|it| ("authorization", it.as_str()))
        .collect();
    let path = format!("/access/probe/{identifier}");
    let answer = viewer.get_with(&path, &headers).await;
    answer.assert_ok();
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

#[tokio::test]
async fn a01_a02_a03_a04_information_is_there_for_everyone_and_says_where_to_ask() {
    let browser = Browser::new(&server(TIERS));
    let answer = browser.get("/iiif/3/chart.png/info.json").await;
    let information = answer.json();
    let contexts = json!([
        "http://iiif.io/api/auth/2/context.json",
        "http://iiif.io/api/image/3/context.json",
    ]);
    assert_eq!(information["@context"], contexts);
    assert_eq!(information["id"], format!("{BASE}/iiif/3/chart.png"));
    let services = information["service"].as_array().unwrap();
    assert_eq!(services.len(), 1);
    assert_eq!(services[0]["type"], "AuthProbeService2");
    assert_eq!(services[0].get("@context"), None);
    assert_eq!(services[0]["id"], format!("{BASE}/access/probe/chart.png"));
    assert_eq!(
        services[0]["service"][0]["id"],
        format!("{BASE}/access/login/login")
    );
    assert_eq!(
        services[0]["service"][1]["id"],
        format!("{BASE}/access/click/login")
    );
    let others = browser.get("/iiif/3/bmp-24bit.bmp/info.json").await.json();
    assert_eq!(others.get("service"), None);
    assert_eq!(
        others["@context"],
        "http://iiif.io/api/image/3/context.json"
    );
}

#[tokio::test]
async fn a02_information_is_the_same_for_those_who_see_the_image() {
    let browser = Browser::new(&server(TIERS));
    let before = browser.get("/iiif/3/chart.png/info.json").await;
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let after = browser.get("/iiif/3/chart.png/info.json").await;
    assert_eq!(before.json(), after.json());
    assert_eq!(after.header("cache-control"), Some("private, no-cache"));
}

#[tokio::test]
async fn a03_where_nobody_is_to_know_nobody_is_told() {
    let browser = Browser::new(&server(TIERS));
    assert_eq!(
        browser.get("/iiif/3/bmp-8bit.bmp/info.json").await.status,
        404
    );
}

#[tokio::test]
async fn a17_a18_a22_the_probe_says_what_a_tile_says() {
    let server = server(TIERS);
    let browser = Browser::new(&server);
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let token = token(&browser).await;
    let stranger = Browser::new(&server);
    for identifier in [
        "chart.png",
        "gif-plain.gif",
        "bmp-8bit.bmp",
        "bmp-24bit.bmp",
        "chart.png;99",
        "none",
        "a%2Fnone",
        "%FF",
    ] {
        let tile = format!("/iiif/3/{identifier}/full/max/0/default.jpg");
        for _ in ["cold", "warm"] {
            let with = probe(&server, identifier, Some(&token)).await;
            assert_eq!(
                with["status"],
                browser.get(&tile).await.status.as_u16(),
                "{identifier}"
            );
            let without = probe(&server, identifier, None).await;
            assert_eq!(
                without["status"],
                stranger.get(&tile).await.status.as_u16(),
                "{identifier}"
            );
            assert_eq!(without["type"], "AuthProbeResult2");
        }
    }
    let wrong = probe(&server, "chart.png", Some("x")).await;
    assert_eq!(wrong["status"], 401);
}

#[tokio::test]
async fn a17_scripts_of_every_origin_may_ask_with_a_token() {
    let server = crate::server::Server::configured(fixtures("images"), |it| {
        it.access = config(TIERS).access
    });
    let asked = [
        ("origin", VIEWER),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];
    let answer = server
        .send(
            axum::http::Method::OPTIONS,
            "/access/probe/chart.png",
            &asked,
        )
        .await;
    answer.assert_ok();
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("authorization")
    );
}

#[tokio::test]
async fn a19_a24_the_substitute_is_an_image_that_everyone_sees() {
    let server = server(TIERS);
    let told = probe(&server, "chart.png", None).await;
    assert_eq!(told["status"], 401);
    let id = format!("{BASE}/iiif/3/chart.png;max40");
    assert_eq!(
        told["substitute"],
        json!([{"id": id, "type": "ImageService3"}])
    );
    let browser = Browser::new(&server);
    let information = browser
        .get("/iiif/3/chart.png;max40/info.json")
        .await
        .json();
    assert_eq!(information["id"], id);
    assert_eq!(
        information["width"]
            .as_u64()
            .max(information["height"].as_u64()),
        Some(40)
    );
    assert_eq!(information.get("service"), None);
    let tile = browser
        .get("/iiif/3/chart.png;max40/full/max/0/default.jpg")
        .await;
    tile.assert_ok();
    assert_eq!(probe(&server, "chart.png;max40", None).await["status"], 200);
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let told = probe(&server, "chart.png", Some(&token(&browser).await)).await;
    assert_eq!(
        (&told["status"], told.get("substitute")),
        (&json!(200), None)
    );
}

#[tokio::test]
async fn a21_who_does_not_see_it_is_told_why() {
    let server = server(TIERS);
    let told = probe(&server, "chart.png", None).await;
    assert_eq!(told["heading"], json!({"none": ["Not for everyone"]}));
    assert_eq!(told["note"], json!({"none": ["Ask at the desk."]}));
    let told = probe(&server, "gif-plain.gif", None).await;
    assert_eq!(told["status"], 403);
    assert!(told["heading"].is_object());
}

#[tokio::test]
async fn a25_a_token_is_no_good_after_the_logout() {
    let server = server(TIERS);
    let browser = Browser::new(&server);
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let token = token(&browser).await;
    assert_eq!(
        probe(&server, "chart.png", Some(&token)).await["status"],
        200
    );
    browser.get("/access/login/logout").await.assert_ok();
    assert_eq!(
        probe(&server, "chart.png", Some(&token)).await["status"],
        401
    );
}

#[tokio::test]
async fn a20_whoever_is_sent_elsewhere_is_told_where() {
    let (place, _serving) = elsewhere().await;
    let toml = format!(
        "[[rules]]\nexternal = true\n[external]\nurl = \"{place}\"\n[services.click]\nmeans = 'click'"
    );
    let told = probe(&server(&toml), "chart.png", None).await;
    assert_eq!(told["status"], 302);
    let location = json!({"id": "https://other.example/iiif/3/x", "type": "ImageService3"});
    assert_eq!(told["location"], location);
    assert_eq!(told.get("heading"), None);
}

/// A service that sends everybody to another image.
async fn elsewhere() -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answer = || async { axum::response::Redirect::temporary("https://other.example/iiif/3/x") };
    let service = axum::Router::new().fallback(answer);
    let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (url, serving)
}
