use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use super::*;

/// Counts what it is asked, and answers according to the identifier.
fn server() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let router = Router::new()
        .route("/locate", get(answer))
        .with_state(Arc::clone(&asked));
    let listener = runtime::handle()
        .unwrap()
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let url = format!("http://{}/locate?a=b", listener.local_addr().unwrap());
    runtime::handle()
        .unwrap()
        .spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

async fn answer(
    State(asked): State<Arc<AtomicUsize>>,
    RawQuery(query): RawQuery,
) -> (StatusCode, String) {
    asked.fetch_add(1, Ordering::Relaxed);
    let text = |status, text: &str| (status, text.to_owned());
    match query.unwrap_or_default().as_str() {
        "a=b&id=x%2Fy+%C3%BC" => text(
            StatusCode::OK,
            r#"{"location": "https://example.org/1.tif", "page": 2, "more": 1}"#,
        ),
        "a=b&id=absent" => text(StatusCode::NOT_FOUND, ""),
        "a=b&id=gone" => text(StatusCode::GONE, ""),
        "a=b&id=broken" => text(StatusCode::OK, "no JSON"),
        "a=b&id=endless" => (StatusCode::OK, " ".repeat(LONGEST + 1)),
        "a=b&id=refused" => text(StatusCode::BAD_REQUEST, ""),
        "a=b&id=elsewhere" => text(StatusCode::FOUND, ""),
        _ => text(StatusCode::INTERNAL_SERVER_ERROR, ""),
    }
}

fn resolver(url: &str, ttl: u32) -> Resolver {
    let config = ResolverConfig {
        url: url.to_owned(),
        timeout_ms: 60_000,
        ttl,
    };
    Resolver::new("test", &config).unwrap()
}

#[test]
fn answers_are_remembered_and_asked_for_once() {
    let (url, asked) = server();
    let resolver = resolver(&url, 60);
    let expected = Located {
        location: "https://example.org/1.tif".to_owned(),
        page: Page::new(2),
    };
    assert_eq!(resolver.ask_at_once("x/y ü"), None);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(resolver.ask("x/y ü").unwrap(), expected));
        }
    });
    assert_eq!(resolver.ask_at_once("x/y ü"), Some(expected.clone()));
    for _ in 0..2 {
        let absent = resolver.ask("absent");
        assert!(
            matches!(absent, Err(SourceError::NotFound(_))),
            "{absent:?}"
        );
        let gone = resolver.ask("gone");
        assert!(matches!(gone, Err(SourceError::Gone(_))), "{gone:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[test]
fn without_time_nothing_is_remembered() {
    let (url, asked) = server();
    let resolver = resolver(&url, 0);
    for _ in 0..3 {
        resolver.ask("x/y ü").unwrap();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

/// None of it means that there is no such image.
#[test]
fn whatever_else_it_says_means_that_it_cannot_be_asked() {
    let (url, _) = server();
    for key in ["broken", "endless", "elsewhere", "other"] {
        let answer = resolver(&url, 60).ask(key);
        assert!(
            matches!(answer, Err(SourceError::Unavailable(_))),
            "{key}: {answer:?}"
        );
    }
}

#[test]
fn one_that_fails_is_left_alone_for_a_while() {
    let (url, asked) = server();
    let resolver = resolver(&url, 60);
    for _ in 0..10 {
        assert!(matches!(
            resolver.ask("other"),
            Err(SourceError::Unavailable(_))
        ));
    }
    let asked = asked.load(Ordering::Relaxed);
    assert!(asked < 10, "{asked}");
}

#[test]
fn what_is_wrong_with_one_identifier_is_not_held_against_others() {
    let (url, _) = server();
    let resolver = resolver(&url, 60);
    for key in ["refused", "broken"].repeat(5) {
        let answer = resolver.ask(key);
        assert!(matches!(answer, Err(SourceError::Unavailable(_))), "{key}");
    }
    assert!(resolver.ask("x/y ü").is_ok());
}

#[test]
fn one_that_is_not_there_is_no_absent_image() {
    let answer = resolver("http://127.0.0.1:9/locate", 60).ask("x");
    assert!(
        matches!(answer, Err(SourceError::Unavailable(_))),
        "{answer:?}"
    );
}
