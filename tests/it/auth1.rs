//! Authentication 1.0, over HTTP: group B of the requirements.

use serde_json::{Value, json};

use crate::auth2::{BASE, VIEWER, attribute, log_in, server};
use crate::browser::Browser;

const RULES: &str = r#"
    auth1 = true
    [[rules]]
    identifiers = ["chart.png"]
    roles = ["staff"]
    services = ["login"]
    [[rules]]
    identifiers = ["gif-plain.gif"]
    roles = ["staff"]
    services = ["login"]
    largest = 40
    [services.login]
    label = { en = "Log in", de = "Anmelden" }
    heading = "Restricted"
    error_heading = "Not for everyone"
"#;
const INFORMATION: &str = "/iiif/2/chart.png/info.json";
const TOKEN: &str = "/access/login/auth1/token";

#[tokio::test]
async fn b01_information_is_refused_with_all_of_it() {
    let browser = Browser::new(&server(RULES));
    let refused = browser.get(INFORMATION).await;
    assert_eq!(refused.status, 401);
    let told: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(told["@id"], format!("{BASE}/iiif/2/chart.png"));
    assert!(told["width"].is_u64());
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let given = browser.get(INFORMATION).await;
    assert_eq!(given.json(), told, "the same, but for the status");
    assert_eq!(given.header("cache-control"), Some("private, no-cache"));
    let etag = given.header("etag").unwrap().to_owned();
    browser.get("/access/login/logout").await.assert_ok();
    let again = [("if-none-match", &*etag)];
    assert_eq!(browser.get_with(INFORMATION, &again).await.status, 401);
}

#[tokio::test]
async fn b01_b07_whoever_sees_less_is_led_to_it() {
    let browser = Browser::new(&server(RULES));
    let answer = browser.get("/iiif/2/gif-plain.gif/info.json").await;
    assert_eq!(answer.status, 302);
    let smaller = format!("{BASE}/iiif/2/gif-plain.gif;max40");
    assert_eq!(
        answer.header("location"),
        Some(&*format!("{smaller}/info.json"))
    );
    let told = browser
        .get("/iiif/2/gif-plain.gif;max40/info.json")
        .await
        .json();
    assert_eq!(told["@id"], smaller);
    assert_eq!(
        told["service"][0]["profile"], "http://iiif.io/api/auth/1/login",
        "to see more"
    );
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let told = browser.get("/iiif/2/gif-plain.gif/info.json").await.json();
    assert_eq!(told["@id"], format!("{BASE}/iiif/2/gif-plain.gif"));
}

#[tokio::test]
async fn b02_b03_information_says_where_to_log_in() {
    let browser = Browser::new(&server(RULES));
    let refused = browser.get(INFORMATION).await;
    let told: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(told["@context"], "http://iiif.io/api/image/2/context.json");
    let expected = json!([{
        "@context": "http://iiif.io/api/auth/1/context.json",
        "@id": format!("{BASE}/access/login/login"),
        "profile": "http://iiif.io/api/auth/1/login",
        "label": "Log in",
        "header": "Restricted",
        "failureHeader": "Not for everyone",
        "service": [
            {"@id": format!("{BASE}/access/login/auth1/token"), "profile": "http://iiif.io/api/auth/1/token"},
            {"@id": format!("{BASE}/access/login/logout"), "profile": "http://iiif.io/api/auth/1/logout", "label": "Log out"},
        ],
    }]);
    assert_eq!(told["service"], expected);
}

#[tokio::test]
async fn b04_a_token_is_json_or_a_message() {
    let browser = Browser::new(&server(RULES));
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let answer = browser.get(TOKEN).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.json()["expiresIn"], 300);
    assert!(answer.json()["accessToken"].is_string());
    let page = browser
        .get(&format!("{TOKEN}?messageId=m1&origin={VIEWER}"))
        .await;
    page.assert_ok();
    assert_eq!(attribute(page.text(), "data-origin").unwrap(), VIEWER);
    let message = attribute(page.text(), "data-message").unwrap();
    let message: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(message["messageId"], "m1");
    assert!(message["accessToken"].is_string());
    assert_eq!(
        message.get("type"),
        None,
        "these are the words of version 2"
    );
}

#[tokio::test]
async fn b05_why_there_is_no_token() {
    let browser = Browser::new(&server(RULES));
    let answer = browser.get(TOKEN).await;
    assert_eq!(answer.status, 401);
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(told["error"], "missingCredentials");
    let page = browser
        .get(&format!("{TOKEN}?messageId=m1&origin={VIEWER}"))
        .await;
    page.assert_ok();
    let message = attribute(page.text(), "data-message").unwrap();
    let message: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(message["error"], "missingCredentials");
    let page = browser.get(&format!("{TOKEN}?messageId=m1&origin=x")).await;
    page.assert_ok();
    assert_eq!(attribute(page.text(), "data-message"), None);
}

#[tokio::test]
async fn b06_a_viewer_asks_for_information_with_a_token() {
    let server = server(RULES);
    let browser = Browser::new(&server);
    log_in(&browser, "ann", "correct horse").await.assert_ok();
    let token = browser.get(TOKEN).await.json()["accessToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let bearer = format!("Bearer {token}");
    let viewer = Browser::new(&server);
    let with_token = [("authorization", &*bearer)];
    assert_eq!(viewer.get_with(INFORMATION, &with_token).await.status, 200);
    let tile = "/iiif/2/chart.png/full/50,/0/default.png";
    assert_eq!(viewer.get_with(tile, &with_token).await.status, 401, "A16");
    browser.get("/access/login/logout").await.assert_ok();
    assert_eq!(viewer.get_with(INFORMATION, &with_token).await.status, 401);
}

#[tokio::test]
async fn without_the_setting_version_1_is_not_spoken() {
    let browser = Browser::new(&server(&RULES.replace("auth1 = true", "")));
    assert_eq!(browser.get(TOKEN).await.status, 404);
    let refused = browser.get(INFORMATION).await;
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .text()
            .starts_with("\"chart.png\" is not for everyone")
    );
    assert_eq!(browser.get("/iiif/3/chart.png/info.json").await.status, 200);
}
