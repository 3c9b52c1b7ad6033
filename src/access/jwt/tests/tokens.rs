//! What a token says of itself.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::*;

const PRIVATE: &str = include_str!("../../../../fixtures/keys/rsa.pem");
const PUBLIC: &str = include_str!("../../../../fixtures/keys/rsa_public.pem");

fn with_file(algorithm: JwtAlgorithm, file: &str) -> io::Result<JwtVerifier> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/");
    JwtVerifier::new(&JwtConfig {
        algorithms: vec![algorithm],
        jwks: None,
        key_file: Some(format!("{folder}{file}").into()),
        ..config("")
    })
}

fn with_secret(secret: &str) -> JwtVerifier {
    JwtVerifier::new(&JwtConfig {
        algorithms: vec![JwtAlgorithm::HS256],
        jwks: None,
        secret: Some(secret.parse().unwrap()),
        ..config("")
    })
    .unwrap()
}

fn signed(algorithm: Algorithm, key: &EncodingKey) -> String {
    encode(&Header::new(algorithm), &claims(), key).unwrap()
}

fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(PRIVATE.as_bytes()).unwrap()
}

/// A token without a signature that anybody could have made.
fn unsigned(header: &Value) -> String {
    let encoded = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", encoded(header), encoded(&claims()))
}

#[tokio::test]
async fn a_good_token_says_who_it_is_and_what_he_may() {
    let pair = Pair::new("a", 1);
    let (_service, verifier) = issuer(&[&pair]).await;
    let claims = verifier.claims(&pair.sign(&claims())).await.unwrap();
    assert_eq!(claims.subject.as_deref(), Some("somebody"));
    assert_eq!(claims.roles, ["staff".to_owned()].into());
}

#[tokio::test]
async fn every_way_of_signing_is_verified() {
    let rsa_token = signed(Algorithm::RS256, &rsa());
    let pss_token = signed(Algorithm::PS256, &rsa());
    let ec = include_bytes!("../../../../fixtures/keys/ec.pem");
    let ec_token = signed(Algorithm::ES256, &EncodingKey::from_ec_pem(ec).unwrap());
    let by_rsa = with_file(JwtAlgorithm::RS256, "rsa_public.pem").unwrap();
    let by_pss = with_file(JwtAlgorithm::PS256, "rsa_public.pem").unwrap();
    let by_ec = with_file(JwtAlgorithm::ES256, "ec_public.pem").unwrap();
    for (verifier, good) in [(&by_rsa, 0), (&by_pss, 1), (&by_ec, 2)] {
        for (which, token) in [&rsa_token, &pss_token, &ec_token].into_iter().enumerate() {
            assert_eq!(is_good(verifier, token).await, which == good, "{which}");
        }
    }
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let token = signed(
        Algorithm::HS256,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    );
    assert!(is_good(&with_secret(SECRET), &token).await);
    let other = SECRET.replace('0', "1");
    assert!(!is_good(&with_secret(&other), &token).await);
}

#[test]
fn a_file_with_another_or_a_weak_key_is_an_error() {
    for (algorithm, file) in [
        (JwtAlgorithm::RS256, "ec_public.pem"),
        (JwtAlgorithm::ES256, "rsa_public.pem"),
        (JwtAlgorithm::EdDsa, "rsa_public.pem"),
        (JwtAlgorithm::RS256, "weak_public.pem"),
        (JwtAlgorithm::HS256, "rsa_public.pem"),
        (JwtAlgorithm::RS256, "none.pem"),
    ] {
        assert!(with_file(algorithm, file).is_err(), "{algorithm:?} {file}");
    }
}

#[tokio::test]
async fn what_is_not_for_us_or_not_now_is_refused() {
    let pair = Pair::new("a", 1);
    let (_service, verifier) = issuer(&[&pair]).await;
    let now = now();
    for (name, value, is_accepted) in [
        ("iss", Some(json!("https://evil.example.org")), false),
        ("iss", Some(json!(7)), false),
        ("iss", None, false),
        ("aud", Some(json!("others")), false),
        ("aud", Some(json!(["others", AUDIENCE])), true),
        ("aud", Some(json!([])), false),
        ("aud", None, false),
        ("exp", Some(json!(now - 30)), true),
        ("exp", Some(json!(now - 90)), false),
        ("exp", Some(json!((now + 300).to_string())), false),
        ("exp", Some(json!(-1)), false),
        ("exp", None, false),
        ("nbf", Some(json!(now + 30)), true),
        ("nbf", Some(json!(now + 90)), false),
        ("nbf", Some(json!("soon")), false),
    ] {
        let token = pair.sign(&claims_with(name, value.clone()));
        assert_eq!(
            is_good(&verifier, &token).await,
            is_accepted,
            "{name}: {value:?}"
        );
    }
}

/// RFC 7519, section 4.1.3.
#[tokio::test]
async fn where_no_audience_is_configured_a_token_for_one_is_refused() {
    let pair = Pair::new("a", 1);
    let service = ScriptedService::start(set(&[&pair])).await;
    let config = JwtConfig {
        audience: Vec::new(),
        ..config(&service.url)
    };
    let verifier = JwtVerifier::new(&config).unwrap();
    assert!(is_good(&verifier, &pair.sign(&claims_with("aud", None))).await);
    assert!(!is_good(&verifier, &pair.sign(&claims())).await);
}

#[tokio::test]
async fn none_is_no_algorithm() {
    let verifier = with_file(JwtAlgorithm::RS256, "rsa_public.pem").unwrap();
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let token = unsigned(&json!({"alg": name, "typ": "JWT"}));
        assert!(!is_good(&verifier, &token).await, "{name}");
    }
    let nothing = unsigned(&json!({"typ": "JWT"}));
    assert!(!is_good(&verifier, &nothing).await);
    let stripped = unsigned(&json!({"alg": "RS256"}));
    assert!(!is_good(&verifier, &stripped).await);
}

/// The public key is known to everybody, and must not do as a secret.
#[tokio::test]
async fn a_public_key_is_no_secret() {
    let verifier = with_file(JwtAlgorithm::RS256, "rsa_public.pem").unwrap();
    assert!(is_good(&verifier, &signed(Algorithm::RS256, &rsa())).await);
    for secret in [PUBLIC, PUBLIC.trim_end()] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let token = signed(algorithm, &EncodingKey::from_secret(secret.as_bytes()));
            let refused = verifier.claims(&token).await;
            assert!(matches!(refused, Err(JwtError::Algorithm)), "{algorithm:?}");
        }
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_configured_is_refused_even_with_the_right_key() {
    let verifier = with_file(JwtAlgorithm::RS256, "rsa_public.pem").unwrap();
    for algorithm in [Algorithm::RS512, Algorithm::PS256] {
        let refused = verifier.claims(&signed(algorithm, &rsa())).await;
        assert!(matches!(refused, Err(JwtError::Algorithm)), "{algorithm:?}");
    }
}

/// Nothing in a token leads to a key.
#[tokio::test]
async fn a_token_does_not_bring_its_own_key() {
    let (pair, evil) = (Pair::new("a", 1), Pair::new("a", 66));
    let (_service, verifier) = issuer(&[&pair]).await;
    let theirs = ScriptedService::start(set(&[&evil])).await;
    for id in [
        Some("a"),
        Some("../../../dev/null"),
        Some("a' OR 1=1"),
        Some(""),
        None,
    ] {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = id.map(str::to_owned);
        header.jku = Some(theirs.url.clone());
        header.x5u = Some(theirs.url.clone());
        header.jwk = serde_json::from_value(evil.public()).unwrap();
        let token = encode(&header, &claims(), &evil.private).unwrap();
        assert!(!is_good(&verifier, &token).await, "{id:?}");
    }
    assert_eq!(theirs.times_asked(), 0);
}

/// RFC 7515, section 4.1.11.
#[tokio::test]
async fn extensions_that_are_critical_are_not_understood() {
    let pair = Pair::new("a", 1);
    let (_service, verifier) = issuer(&[&pair]).await;
    let mut header = Header::new(Algorithm::EdDSA);
    header.crit = Some(vec!["b64".to_owned()]);
    let token = encode(&header, &claims(), &pair.private).unwrap();
    let refused = verifier.claims(&token).await;
    assert!(matches!(refused, Err(JwtError::Critical)));
}

#[tokio::test]
async fn a_token_that_was_changed_or_cut_is_refused() {
    let pair = Pair::new("a", 1);
    let (_service, verifier) = issuer(&[&pair]).await;
    let token = pair.sign(&claims());
    assert!(is_good(&verifier, &token).await);
    let parts: Vec<&str> = token.split('.').collect();
    let more = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now() + 300, "roles": ["admin"]});
    let more = BASE64_URL_SAFE_NO_PAD.encode(more.to_string());
    for changed in [
        format!("{}.{more}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}.{}", parts[2]),
        format!("{token}A"),
        format!(" {token}"),
        "..".to_owned(),
        ".".to_owned(),
        String::new(),
        "x".repeat(10_000),
    ] {
        assert!(!is_good(&verifier, &changed).await, "{changed:.80}");
    }
}
