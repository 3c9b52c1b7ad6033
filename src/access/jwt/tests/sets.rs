//! Sets of keys that are changed, and such as should not be.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_is_signed_with_it() {
    let (old, new) = (Pair::new("old", 1), Pair::new("new", 2));
    let service = ScriptedService::start(set(&[&old])).await;
    let pace = Pace {
        pause: Duration::ZERO,
        ..Pace::of(Duration::from_secs(60))
    };
    let verifier = JwtVerifier::with_pace(&config(&service.url), pace).unwrap();
    for _ in 0..5 {
        assert!(is_good(&verifier, &old.sign(&claims())).await);
    }
    assert_eq!(service.times_asked(), 1);
    service.answers(set(&[&old, &new]));
    assert!(is_good(&verifier, &new.sign(&claims())).await);
    assert_eq!(service.times_asked(), 2);
    service.answers(set(&[&new]));
    assert!(
        is_good(&verifier, &old.sign(&claims())).await,
        "for as long as they are believed"
    );
    assert!(is_good(&verifier, &new.sign(&claims())).await);
    assert_eq!(service.times_asked(), 2);
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_forgotten_in_time() {
    let (old, new) = (Pair::new("old", 1), Pair::new("new", 2));
    let service = ScriptedService::start(set(&[&old])).await;
    let verifier = JwtVerifier::with_pace(&config(&service.url), HASTY).unwrap();
    assert!(is_good(&verifier, &old.sign(&claims())).await);
    service.answers(set(&[&new]));
    tokio::time::sleep(SOON).await;
    let refused = verifier.claims(&old.sign(&claims())).await;
    assert!(matches!(refused, Err(JwtError::UnknownKey)));
}

#[tokio::test]
async fn a_new_key_under_the_old_name_is_found() {
    let (old, new) = (Pair::new("a", 1), Pair::new("a", 2));
    let service = ScriptedService::start(set(&[&old])).await;
    let pace = Pace {
        pause: Duration::ZERO,
        ..Pace::of(Duration::from_secs(60))
    };
    let verifier = JwtVerifier::with_pace(&config(&service.url), pace).unwrap();
    assert!(is_good(&verifier, &old.sign(&claims())).await);
    service.answers(set(&[&new]));
    assert!(is_good(&verifier, &new.sign(&claims())).await);
}

/// Whoever sends tokens that nobody has signed does not make this server ask.
#[tokio::test]
async fn unknown_keys_do_not_lead_to_a_stampede() {
    let (known, unknown) = (Pair::new("known", 1), Pair::new("unknown", 2));
    let (service, verifier) = issuer(&[&known]).await;
    for _ in 0..20 {
        let refused = verifier.claims(&unknown.sign(&claims())).await;
        assert!(matches!(refused, Err(JwtError::UnknownKey)));
    }
    assert_eq!(service.times_asked(), 1, "just now");
}

#[tokio::test]
async fn all_who_come_at_once_wait_for_one_answer() {
    let pair = Pair::new("a", 1);
    let (service, verifier) = issuer(&[&pair]).await;
    service.answers(set(&[&pair]).late(Duration::from_millis(50)));
    let token = pair.sign(&claims());
    let good = join_all((0..100).map(|_| is_good(&verifier, &token))).await;
    assert!(good.into_iter().all(|is_good| is_good));
    assert_eq!(service.times_asked(), 1);
}

#[tokio::test]
async fn keys_of_other_kinds_and_for_other_ends_are_left_out() {
    let pair = Pair::new("a", 1);
    let mut for_encryption = Pair::new("b", 2).public();
    for_encryption["use"] = json!("enc");
    let mut for_signing_only = Pair::new("c", 3).public();
    for_signing_only["key_ops"] = json!(["sign"]);
    let mut of_another_algorithm = Pair::new("d", 4).public();
    of_another_algorithm["crv"] = json!("X25519");
    let keys = [
        json!({"kty": "new", "kid": "z"}),
        json!("no key"),
        for_encryption,
        for_signing_only,
        of_another_algorithm,
        pair.public(),
    ];
    let service = ScriptedService::start(Reply::json(json!({"keys": keys}))).await;
    let verifier = JwtVerifier::new(&config(&service.url)).unwrap();
    assert!(is_good(&verifier, &pair.sign(&claims())).await);
    for (id, seed) in [("b", 2), ("c", 3), ("d", 4)] {
        let token = Pair::new(id, seed).sign(&claims());
        let refused = verifier.claims(&token).await;
        assert!(matches!(refused, Err(JwtError::UnknownKey)), "{id}");
    }
}

/// What is published is not secret.
#[tokio::test]
async fn a_secret_among_public_keys_signs_nothing() {
    let oct = json!({"kty": "oct", "kid": "s", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"});
    let service = ScriptedService::start(Reply::json(json!({"keys": [oct]}))).await;
    let config = JwtConfig {
        algorithms: vec![JwtAlgorithm::HS256],
        ..config(&service.url)
    };
    let verifier = JwtVerifier::new(&config).unwrap();
    let key = EncodingKey::from_secret(b"0123456789abcdef0123456789abcdef");
    let token = encode(&Header::new(Algorithm::HS256), &claims(), &key).unwrap();
    assert!(matches!(
        verifier.claims(&token).await,
        Err(JwtError::UnknownKey)
    ));
}

/// The library that verifies reads 32 bytes of such a key, whether it has them or not.
#[tokio::test]
async fn a_key_of_the_wrong_length_does_no_harm() {
    let pair = Pair::new("a", 1);
    for x in [
        "",
        "AAAA",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISI",
    ] {
        let mut broken = pair.public();
        broken["x"] = json!(x);
        let service = ScriptedService::start(Reply::json(json!({"keys": [broken]}))).await;
        let verifier = JwtVerifier::new(&config(&service.url)).unwrap();
        let refused = verifier.claims(&pair.sign(&claims())).await;
        assert!(matches!(refused, Err(JwtError::UnknownKey)), "{x}");
    }
}
