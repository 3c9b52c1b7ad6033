//! Logins at a provider of OpenID Connect.

use serde_json::json;

use crate::auth2::{BASE, config};
use crate::browser::Browser;
use crate::oidc_provider::{OidcProvider, SECRET, Signature};
use crate::server::Answer;
use azulejo::http::{App, router};

const IMAGE: &str = "/iiif/3/chart.png/full/50,/0/default.png";
const LOGIN: &str = "/access/library/login";
const SESSION: &str = "__Host-azulejo_session";

fn server(provider: &OidcProvider) -> axum::Router {
    let toml = format!(
        "[[rules]]
        roles = ['staff']
        services = ['library']
        [services.library]
        means = 'oidc'
        roles = ['reader']
        [oidc]
        issuer = '{}'
        client_secret = '{SECRET}'
        scopes = ['profile']
        roles = 'realm.roles'
        timeout_ms = 60000",
        provider.issuer
    );
    router(App::new(&config(&toml)).unwrap())
}

/// Where somebody is sent who is to log in.
async fn sent(browser: &Browser) -> String {
    let answer = browser.get(LOGIN).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.header("location").unwrap().to_owned()
}

async fn log_in(browser: &Browser, provider: &OidcProvider) -> Answer {
    let back = provider.log_in(&sent(browser).await);
    browser.get(&back).await
}

#[tokio::test]
async fn whoever_logs_in_at_the_provider_has_the_roles_that_it_says() {
    let provider = OidcProvider::start().await;
    let browser = Browser::new(&server(&provider));
    let location = sent(&browser).await;
    let encoded: String = url::form_urlencoded::byte_serialize(BASE.as_bytes()).collect();
    assert!(location.contains(&format!(
        "redirect_uri={encoded}%2Faccess%2Flibrary%2Fcallback"
    )));
    assert!(location.contains("scope=openid+profile"));
    let answer = log_in(&browser, &provider).await;
    answer.assert_ok();
    assert!(answer.text().contains("close.js"));
    assert_eq!(browser.get(IMAGE).await.status, 200);
    assert_eq!(browser.cookie("__Host-azulejo_oidc"), None, "it is over");
    browser.get("/access/library/logout").await.assert_ok();
    assert_eq!(browser.get(IMAGE).await.status, 401);
    provider.says(json!({"realm": {"roles": ["guest"]}}));
    log_in(&browser, &provider).await.assert_ok();
    assert_eq!(browser.get(IMAGE).await.status, 401);
}

/// CSRF at login: an address to come back to is of use in the browser alone that was sent there.
#[tokio::test]
async fn another_browser_is_not_logged_in() {
    let provider = OidcProvider::start().await;
    let server = server(&provider);
    let (browser, victim) = (Browser::new(&server), Browser::new(&server));
    let back = provider.log_in(&sent(&browser).await);
    assert_eq!(victim.get(&back).await.status, 403);
    sent(&victim).await;
    assert_eq!(victim.get(&back).await.status, 403);
    assert_eq!(victim.cookie(SESSION), None);
    browser.get(&back).await.assert_ok();
    assert_eq!(browser.get(&back).await.status, 403, "once");
    for query in [
        "",
        "?code=x",
        "?state=x",
        "?error=access_denied",
        "?code=x&state=",
    ] {
        let answer = victim
            .get(&format!("/access/library/callback{query}"))
            .await;
        assert_eq!(answer.status, 403, "{query}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused() {
    let provider = OidcProvider::start().await;
    let browser = Browser::new(&server(&provider));
    for claims in [
        json!({"iss": "https://evil.example"}),
        json!({"aud": "another"}),
        json!({"exp": 1_000_000_000}),
        json!({"nonce": "another"}),
    ] {
        provider.says(claims.clone());
        assert_eq!(log_in(&browser, &provider).await.status, 403, "{claims}");
    }
    provider.says(json!({}));
    for signature in [Signature::OtherKey, Signature::Secret, Signature::None] {
        provider.signs(signature);
        assert_eq!(log_in(&browser, &provider).await.status, 403);
    }
    assert_eq!(browser.cookie(SESSION), None);
    provider.signs(Signature::Right);
    log_in(&browser, &provider).await.assert_ok();
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_found() {
    let provider = OidcProvider::start().await;
    let browser = Browser::new(&server(&provider));
    log_in(&browser, &provider).await.assert_ok();
    provider.has_a_new_key();
    assert_eq!(log_in(&browser, &provider).await.status, 403);
    log_in(&browser, &provider).await.assert_ok();
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_no_answer() {
    let provider = OidcProvider::start().await;
    let browser = Browser::new(&server(&provider));
    let location = sent(&browser).await;
    let back = provider.log_in(&location);
    provider.is_down(true);
    assert_eq!(browser.get(&back).await.status, 503);
    assert_eq!(browser.cookie(SESSION), None);
    let other = Browser::new(&server(&provider));
    assert_eq!(other.get(LOGIN).await.status, 503);
    provider.is_down(false);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    log_in(&other, &provider).await.assert_ok();
}

/// Each return asks the provider something.
#[tokio::test]
async fn returns_are_limited_for_each_address() {
    let provider = OidcProvider::start().await;
    let browser = Browser::new(&server(&provider));
    let mut statuses = Vec::new();
    for _ in 0..40 {
        let answer = browser.get("/access/library/callback?code=x&state=y").await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses[0], 403);
    assert!(statuses.contains(&429), "{statuses:?}");
}
