//! An issuer that cannot be asked for its keys: never a yes, and no lasting no.

use super::*;

async fn is_unavailable(verifier: &JwtVerifier, token: &str) -> bool {
    let result = verifier.claims(token).await;
    result.is_err_and(|error| error.is_unavailable())
}

#[tokio::test]
async fn without_keys_nobody_can_tell() {
    let pair = Pair::new("a", 1);
    let token = pair.sign(&claims());
    let good = set(&[&pair]);
    let huge = format!("{}{}", good.body, " ".repeat(300_000));
    let many = vec![pair.public(); 65];
    for (what, reply) in [
        ("an error", Reply::status(500)),
        (
            "another place",
            Reply::status(302).with("location", "/elsewhere"),
        ),
        ("nothing", Reply::status(204)),
        ("no JSON", Reply::json("<html>")),
        ("another document", Reply::json(json!({"issuer": ISSUER}))),
        ("too much", Reply::json(huge)),
        ("too many", Reply::json(json!({"keys": many}))),
    ] {
        let service = ScriptedService::start(reply).await;
        let verifier = JwtVerifier::with_pace(&config(&service.url), LASTING).unwrap();
        assert!(is_unavailable(&verifier, &token).await, "{what}");
        assert!(is_unavailable(&verifier, &token).await, "{what}");
        assert_eq!(service.times_asked(), 1, "{what}: not again at once");
    }
}

#[tokio::test]
async fn nobody_waits_for_one_that_hangs() {
    let pair = Pair::new("a", 1);
    let service = ScriptedService::start(set(&[&pair]).late(HOUR)).await;
    let hasty = JwtConfig {
        timeout_ms: 300,
        ..config(&service.url)
    };
    let verifier = JwtVerifier::with_pace(&hasty, LASTING).unwrap();
    let token = pair.sign(&claims());
    assert!(is_unavailable(&verifier, &token).await);
    let asked = service.times_asked();
    assert!(is_unavailable(&verifier, &token).await);
    assert_eq!(service.times_asked(), asked, "not again at once");
}

#[tokio::test]
async fn nobody_there_is_no_yes() {
    let url = ScriptedService::start(Reply::status(200)).await.url.clone();
    let verifier = JwtVerifier::new(&config(&url)).unwrap();
    let token = Pair::new("a", 1).sign(&claims());
    assert!(is_unavailable(&verifier, &token).await);
    let wrong_algorithm = encode(
        &Header::new(Algorithm::HS256),
        &claims(),
        &EncodingKey::from_secret(b"x"),
    );
    assert!(
        !is_unavailable(&verifier, &wrong_algorithm.unwrap()).await,
        "that can be told"
    );
}

#[tokio::test]
async fn it_is_asked_again_soon() {
    let pair = Pair::new("a", 1);
    let service = ScriptedService::start(Reply::status(503)).await;
    let verifier = JwtVerifier::with_pace(&config(&service.url), HASTY).unwrap();
    let token = pair.sign(&claims());
    assert!(is_unavailable(&verifier, &token).await);
    service.answers(set(&[&pair]));
    tokio::time::sleep(SOON).await;
    assert!(is_good(&verifier, &token).await);
}

/// One hangs; those who come with a token do not hang with it.
#[tokio::test]
async fn while_it_hangs_the_last_keys_are_used_at_once() {
    let pair = Pair::new("a", 1);
    let service = ScriptedService::start(set(&[&pair])).await;
    let pace = Pace {
        refresh: Duration::ZERO,
        grace: HOUR,
        ..HASTY
    };
    let verifier = JwtVerifier::with_pace(&config(&service.url), pace).unwrap();
    let token = pair.sign(&claims());
    assert!(is_good(&verifier, &token).await);
    service.answers(Reply::status(500));
    assert!(is_good(&verifier, &token).await);
    service.answers(set(&[&pair]).late(HOUR));
    tokio::time::sleep(SOON).await;
    let long_before_it_gives_up = Duration::from_secs(20);
    let at_once = tokio::time::timeout(long_before_it_gives_up, is_good(&verifier, &token));
    assert_eq!(at_once.await, Ok(true));
}

#[tokio::test]
async fn the_last_keys_are_good_for_a_while_but_not_for_ever() {
    let (pair, unknown) = (Pair::new("a", 1), Pair::new("b", 2));
    for grace in [HOUR, SOON] {
        let service = ScriptedService::start(set(&[&pair])).await;
        let pace = Pace {
            refresh: Duration::ZERO,
            grace,
            ..HASTY
        };
        let verifier = JwtVerifier::with_pace(&config(&service.url), pace).unwrap();
        let token = pair.sign(&claims());
        assert!(is_good(&verifier, &token).await);
        service.answers(Reply::status(500));
        tokio::time::sleep(SOON).await;
        assert_eq!(is_good(&verifier, &token).await, grace == HOUR);
        assert_eq!(service.times_asked(), 2);
        let perhaps_new = unknown.sign(&claims());
        assert!(
            is_unavailable(&verifier, &perhaps_new).await,
            "it may be a new key"
        );
    }
}
