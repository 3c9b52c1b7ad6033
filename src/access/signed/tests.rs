use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_900_000_000;
const LETTER: SignedRequest<'_> = SignedRequest {
    identifier: "letters/1",
    asked: "iiif/3/full/max/0/default.jpg",
};

fn signer(secrets: &[&str]) -> Signer {
    Signer::new(&SigningConfig {
        secrets: secrets.iter().map(|text| text.parse().unwrap()).collect(),
        longest: 3600,
    })
}

fn one() -> Signer {
    signer(&["0123456789abcdef0123456789abcdef"])
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn signed(scope: Scope, expires: u64) -> String {
    one().sign(LETTER, scope, expires).unwrap()
}

#[test]
fn a_signature_is_good_until_it_expires() {
    let query = signed(Scope::Request, NOW + 60);
    let verify = |now| one().verify(LETTER, &query, now);
    assert_eq!(verify(at(NOW)), Ok(()));
    assert_eq!(verify(at(NOW + 59)), Ok(()));
    assert_eq!(verify(at(NOW + 60)), Err(SignatureError::Expired));
    assert_eq!(verify(at(NOW + 61)), Err(SignatureError::Expired));
}

/// What docs/access.md says that others can make, made with `openssl dgst -sha256 -hmac`.
#[test]
fn a_signature_has_the_documented_bytes() {
    assert_eq!(
        signed(Scope::Request, NOW),
        "expires=1900000000&signature=_agP-Xaw_iOgdnUPpxId5CYiE1mOEAvUOZjk2e3v8hI"
    );
    assert_eq!(
        signed(Scope::Image, NOW),
        "scope=image&expires=1900000000&signature=YiJly3tN6FzpPUSzniVEt6dqw7SLtwPq5LjdCb50f-Q"
    );
}

#[test]
fn no_signature_is_good_for_longer_than_allowed() {
    let verify = |expires| {
        let query = signed(Scope::Request, expires);
        one().verify(LETTER, &query, at(NOW))
    };
    assert_eq!(verify(NOW + 3600), Ok(()));
    assert_eq!(verify(NOW + 3601), Err(SignatureError::TooFar));
    assert_eq!(verify(u64::MAX), Err(SignatureError::TooFar));
}

#[test]
fn the_first_secret_signs_and_all_verify() {
    const OLD: &str = "old-old-old-old-old-old-old-old-";
    const NEW: &str = "new-new-new-new-new-new-new-new-";
    let by_old = signer(&[OLD]).sign(LETTER, Scope::Request, NOW + 1);
    let by_both = signer(&[NEW, OLD]).sign(LETTER, Scope::Request, NOW + 1);
    let (by_old, by_both) = (by_old.unwrap(), by_both.unwrap());
    let verify = |secrets: &[&str], query| signer(secrets).verify(LETTER, query, at(NOW));
    assert_eq!(verify(&[NEW, OLD], &by_old), Ok(()));
    assert_eq!(verify(&[NEW], &by_both), Ok(()));
    assert_eq!(verify(&[NEW], &by_old), Err(SignatureError::Wrong));
    assert_eq!(signer(&[]).sign(LETTER, Scope::Request, NOW), None);
    assert_eq!(verify(&[], &by_old), Err(SignatureError::Wrong));
}

#[test]
fn one_request_opens_no_other_and_an_image_all_of_its_own() {
    let other = |identifier, asked| SignedRequest { identifier, asked };
    let of_request = signed(Scope::Request, NOW + 1);
    let of_image = signed(Scope::Image, NOW + 1);
    let tile = other("letters/1", "iiif/3/0,0,9,9/max/0/default.jpg");
    assert_eq!(one().verify(tile, &of_image, at(NOW)), Ok(()));
    for (identifier, asked) in [
        ("letters/1", "iiif/3/0,0,9,9/max/0/default.jpg"),
        ("letters/1", "iiif/2/full/max/0/default.jpg"),
        ("letters/1", "iiif/3/info.json"),
        ("letters/1", "*"),
        ("letters/1i", "iif/3/full/max/0/default.jpg"),
    ] {
        let verified = one().verify(other(identifier, asked), &of_request, at(NOW));
        assert_eq!(verified, Err(SignatureError::Wrong), "{identifier} {asked}");
    }
    for identifier in [
        "Letters/1",
        "letters/1;2",
        "letters/1/",
        "letters%2F1",
        "letters/2",
        "",
    ] {
        let another = other(identifier, LETTER.asked);
        for query in [&of_request, &of_image] {
            let verified = one().verify(another, query, at(NOW));
            assert_eq!(verified, Err(SignatureError::Wrong), "{identifier}");
        }
    }
}

/// Nobody makes a signature for one image of that for one request, or the other way round.
#[test]
fn the_scope_is_signed() {
    let request = signed(Scope::Request, NOW + 1);
    let widened = format!("scope=image&{request}");
    let image = signed(Scope::Image, NOW + 1);
    let narrowed = image.replace("scope=image&", "");
    for changed in [widened, narrowed] {
        let verified = one().verify(LETTER, &changed, at(NOW));
        assert_eq!(verified, Err(SignatureError::Wrong), "{changed}");
    }
}

proptest! {
    #[test]
    fn what_is_signed_is_good_for_itself_alone(
        identifier in ".{0,20}", asked in ".{0,20}", other in ".{0,20}", left in 1..3600_u64, is_image: bool,
    ) {
        let scope = if is_image { Scope::Image } else { Scope::Request };
        let request = SignedRequest { identifier: &identifier, asked: &asked };
        let query = one().sign(request, scope, NOW + left).unwrap();
        prop_assert_eq!(one().verify(request, &query, at(NOW)), Ok(()));
        let another = SignedRequest { identifier: &other, ..request };
        prop_assert_eq!(one().verify(another, &query, at(NOW)).is_ok(), other == identifier);
        let else_asked = SignedRequest { asked: &other, ..request };
        let is_good = is_image || other == asked;
        prop_assert_eq!(one().verify(else_asked, &query, at(NOW)).is_ok(), is_good);
        // A text moved from one part to the next.
        let moved = format!("{identifier}{asked}");
        let moved = SignedRequest { identifier: &moved, asked: "" };
        let is_same = asked.is_empty();
        prop_assert_eq!(one().verify(moved, &query, at(NOW)).is_ok(), is_same);
    }

    #[test]
    fn no_changed_byte_is_good(at_byte in 0..100_usize, byte in b' '..b'~', is_image: bool) {
        let scope = if is_image { Scope::Image } else { Scope::Request };
        let query = signed(scope, NOW + 60);
        let mut changed = query.clone().into_bytes();
        let at_byte = at_byte % changed.len();
        prop_assume!(changed[at_byte] != byte);
        changed[at_byte] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assert!(one().verify(LETTER, &changed, at(NOW)).is_err(), "{}", changed);
    }

    #[test]
    fn nothing_given_is_more_than_refused(query in ".{0,200}") {
        prop_assert!(one().verify(LETTER, &query, at(NOW)).is_err());
    }
}
