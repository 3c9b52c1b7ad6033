use std::slice;

use serde_json::json;

use super::*;

fn rules() -> Rules {
    Rules {
        most_members: 3,
        most_pages: 5000,
        spaces: vec![5, 6],
    }
}

/// That of RFC 011, with format strings that there are.
fn composite() -> Value {
    json!({
        "@type": "vocab:Composite",
        "id": "my-pdf-{:03d}",
        "space": 6,
        "origin": "https://s3-eu-west-1.amazonaws.com/bucketname/key-path/my-pdf.pdf",
        "string1": "my-id-{:03d}", "string2": "", "string3": "",
        "number1": "0", "number2": "{:03d}", "number3": "0",
        "roles": [], "family": "I",
        "text": "https://example.org/text/alto/my-pdf/my-pdf-{:-03d}.xml", "textType": "alto",
        "maxUnauthorised": -1, "originFormat": "application/pdf", "incrementSeed": 0,
    })
}

fn image() -> Value {
    json!({
        "id": "b28802068_0008.jp2", "space": 6, "origin": "https://example.org/b28802068_0008.jp2",
        "string1": "b28802068", "number1": 0, "number2": "8", "roles": [], "duration": 0, "family": "I",
        "mediaType": "image/jp2", "text": "https://example.org/alto/b28802068_0008.jp2", "maxUnauthorised": -1,
    })
}

fn with(mut object: Value, changes: Value) -> Value {
    let changes = changes.as_object().unwrap();
    for (name, value) in changes {
        object[name] = value.clone();
    }
    object
}

fn collection(members: &[Value]) -> Value {
    json!({
        "@context": "http://www.w3.org/ns/hydra/context.jsonld", "@type": "Collection", "member": members,
    })
}

fn complaints(body: &Value) -> Vec<String> {
    let complaints = submission(&rules(), body).unwrap_err();
    complaints.iter().map(ToString::to_string).collect()
}

/// Where the only complaint about a member is, and what it says.
fn complaint(member: Value) -> (String, String) {
    let mut complaints =
        submission(&rules(), &collection(slice::from_ref(&member))).expect_err(&member.to_string());
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    let complaint = complaints.remove(0);
    assert_eq!(complaint.member, Some(0));
    (complaint.field.unwrap_or_default(), complaint.reason)
}

#[test]
fn the_example_of_the_rfc_is_right() {
    let read = submission(&rules(), &collection(&[composite()])).unwrap();
    let Submission::Composites(composites) = read else {
        panic!("{read:?}")
    };
    assert_eq!(composites[0].page_id(2), "my-pdf-002");
    let read = submission(&rules(), &collection(&[image()])).unwrap();
    let Submission::Images(images) = read else {
        panic!("{read:?}")
    };
    assert_eq!(images[0].id, "b28802068_0008.jp2");
    assert_eq!(images[0].fields.numbers, [Some(0), Some(8), None]);
    let typed = with(image(), json!({"@type": "vocab:Image"}));
    assert_eq!(
        submission(&rules(), &json!({"member": [typed]})),
        Ok(Submission::Images(images)),
        "what is not said is taken for granted"
    );
}

#[test]
fn a_collection_has_members() {
    for (body, expected) in [
        (json!([]), "it is no JSON object"),
        (json!({}), "member is missing, or no list"),
        (json!({"member": {}}), "member is missing, or no list"),
        (collection(&[]), "member is empty"),
        (
            collection(&vec![composite(); 4]),
            "member has 4 elements, of 3 at most",
        ),
        (collection(&[json!(1)]), "member 0: it is no JSON object"),
        (
            with(collection(&[composite()]), json!({"@type": "Manifest"})),
            "@type is not \"Collection\"",
        ),
        (
            with(collection(&[composite()]), json!({"@context": "x"})),
            "@context is not that of Hydra",
        ),
    ] {
        assert_eq!(complaints(&body)[0], expected, "{body}");
    }
}

#[test]
fn the_context_of_hydra_has_several_spellings() {
    for scheme in ["http", "https"] {
        for extension in ["json", "jsonld"] {
            let context = format!("{scheme}://www.w3.org/ns/hydra/context.{extension}");
            let body = with(collection(&[composite()]), json!({ "@context": context }));
            assert!(submission(&rules(), &body).is_ok(), "{context}");
        }
    }
}

#[test]
fn composites_and_images_are_posted_apart() {
    let mixed = collection(&[composite(), image()]);
    assert_eq!(
        complaints(&mixed),
        ["member has 1 composites and 1 images: post them apart"]
    );
    let (field, _) = complaint(with(image(), json!({"@type": "vocab:Batch"})));
    assert_eq!(field, "@type");
}

#[test]
fn every_problem_is_named_at_once() {
    let first = json!({"@type": "vocab:Composite"});
    let second = with(
        image(),
        json!({"space": 9, "origin": "ftp://x/y", "roles": ["a", "a"]}),
    );
    let expected = [
        "member has 1 composites and 1 images: post them apart",
        "member 0: id is missing, or no text",
        "member 0: space is missing, or no whole number from 0 to 4294967295",
        "member 0: origin is missing, or no text",
        "member 0: incrementSeed is missing, or no whole number from 0 to 1000000000",
        "member 1: space is 9, which there is not",
        "member 1: origin cannot be asked: the location's scheme is none of http, https, s3, gs, az and file",
        "member 1: roles has a text twice",
    ];
    assert_eq!(complaints(&collection(&[first, second])), expected);
}

#[test]
fn each_field_of_a_composite_is_checked() {
    for (change, field) in [
        (json!({"id": ""}), "id"),
        (json!({"id": 7}), "id"),
        (json!({"id": "my-pdf"}), "id"),
        (json!({"id": "my-pdf-{{}}"}), "id"),
        (json!({"id": "my-pdf-{0:D4}"}), "id"),
        (json!({"id": "my\n{}"}), "id"),
        (json!({"id": format!("{}{{}}", "a".repeat(400))}), "id"),
        (json!({"space": "6"}), "space"),
        (json!({"space": -1}), "space"),
        (json!({"space": 6.5}), "space"),
        (json!({"space": 7}), "space"),
        (json!({"id": "{:32d}".repeat(66)}), "id"),
        (json!({"id": format!("{}{{}}", "a".repeat(397))}), "id"),
        (json!({"string1": "{:32d}".repeat(600)}), "string1"),
        (json!({"number1": "92233720368547758{:02d}"}), "number1"),
        (json!({"metadata": "x".repeat(20_000)}), ""),
        (json!({"tags": ["x".repeat(20_000)]}), ""),
        (json!({"origin": ""}), "origin"),
        (json!({"origin": "a.pdf"}), "origin"),
        (json!({"origin": "file:a.pdf"}), "origin"),
        (json!({"origin": "s3://bucket/a.pdf"}), "origin"),
        (
            json!({"origin": "https://example.org/a.pdf#page=2"}),
            "origin",
        ),
        (json!({"origin": "https://example.org/a.pdf#top"}), "origin"),
        (
            json!({"origin": "https://me:secret@example.org/a"}),
            "origin",
        ),
        (json!({"string1": 1}), "string1"),
        (json!({"string2": "{"}), "string2"),
        (json!({"string3": "{:s}"}), "string3"),
        (json!({"number1": "a{}"}), "number1"),
        (json!({"number2": "{:s}"}), "number2"),
        (json!({"number3": 1.5}), "number3"),
        (json!({"number3": true}), "number3"),
        (json!({"text": "}"}), "text"),
        (json!({"roles": "a"}), "roles"),
        (json!({"roles": [1]}), "roles"),
        (json!({"tags": ["a", "a"]}), "tags"),
        (json!({"maxUnauthorised": "no"}), "maxUnauthorised"),
        (json!({"originFormat": "image/tiff"}), "originFormat"),
        (json!({"incrementSeed": "0"}), "incrementSeed"),
        (json!({"incrementSeed": -1}), "incrementSeed"),
        (json!({"incrementSeed": 1.5}), "incrementSeed"),
        (json!({"compositeId": ""}), "compositeId"),
        (json!({"compositeId": 5}), "compositeId"),
        (json!({"compositeId": "a\nb"}), "compositeId"),
    ] {
        let (found, reason) = complaint(with(composite(), change.clone()));
        assert_eq!(found, field, "{change}: {reason}");
    }
    for right in [
        json!({"number1": 7, "number2": null, "number3": "{:d}"}),
        json!({"number1": "-{}"}),
        json!({"originFormat": null, "compositeId": null}),
        json!({"compositeId": "my pdf", "incrementSeed": 1_000_000_000}),
        json!({"string1": "{{}}", "something": {"else": []}}),
    ] {
        let body = collection(&[with(composite(), right.clone())]);
        assert!(submission(&rules(), &body).is_ok(), "{right}");
    }
}

#[test]
fn a_wrong_format_string_is_shown_with_its_place() {
    let (_, reason) = complaint(with(composite(), json!({"string1": "page {:3f}"})));
    assert!(reason.ends_with("(character 9)"), "{reason}");
}

#[test]
fn each_field_of_an_image_is_checked() {
    for (change, field) in [
        (json!({"id": null}), "id"),
        (json!({"space": null}), "space"),
        (json!({"origin": null}), "origin"),
        (json!({"origin": "https://example.org/a.pdf#top"}), "origin"),
        (json!({"string1": []}), "string1"),
        (json!({"string1": "a\u{0}"}), "string1"),
        (json!({"number1": "{}"}), "number1"),
        (json!({"number1": "x"}), "number1"),
        (json!({"mediaType": 1}), "mediaType"),
        (json!({"family": "T"}), "family"),
        (json!({"roles": [null]}), "roles"),
        (json!({"maxWidth": "x"}), "maxWidth"),
        (json!({"metadata": {"a": "x".repeat(20_000)}}), ""),
    ] {
        let (found, reason) = complaint(with(image(), change.clone()));
        assert_eq!(found, field, "{change}: {reason}");
    }
    let right = with(
        image(),
        json!({"id": "a{}/b ü", "string1": "{", "number1": null}),
    );
    assert!(submission(&rules(), &collection(&[right])).is_ok());
}

#[test]
fn no_two_pages_may_have_the_same_name() {
    let same = |changes: Value| {
        let body = collection(&[composite(), with(composite(), changes)]);
        submission(&rules(), &body)
            .err()
            .map(|all| all[0].to_string())
    };
    let first = "member 1: id makes \"my-pdf-000\", as that of member 0 does";
    assert_eq!(same(json!({})).as_deref(), Some(first));
    assert_eq!(
        same(json!({"id": "my-pdf-{:0003d}"})).as_deref(),
        Some(first)
    );
    let last = "member 1: id makes \"my-pdf-4999\", as that of member 0 does";
    assert_eq!(same(json!({"incrementSeed": 4999})).as_deref(), Some(last));
    assert_eq!(same(json!({"space": 5})), None);
    assert_eq!(same(json!({"incrementSeed": 100})), None);
    assert_eq!(same(json!({"id": "my-pdf-b-{:03d}"})), None);
    let images = collection(&[image(), image()]);
    let same = "member 1: id makes \"b28802068_0008.jp2\", as that of member 0 does";
    assert_eq!(complaints(&images), [same]);
    let named = |id: &str| with(composite(), json!({"id": id, "compositeId": "c"}));
    let same = "member 1: compositeId is \"c\", as that of member 0";
    assert_eq!(
        complaints(&collection(&[named("a{}"), named("b{}")])),
        [same]
    );
}

#[test]
fn without_spaces_all_are_known() {
    let rules = Rules {
        spaces: Vec::new(),
        ..rules()
    };
    let space = |space: u64| {
        let body = collection(&[with(image(), json!({ "space": space }))]);
        submission(&rules, &body)
    };
    assert!(space(4711).is_ok());
    assert!(space(u32::MAX.into()).is_ok());
    assert!(space(1 << 40).is_err(), "no address leads there");
}

#[test]
fn what_is_put_belongs_to_its_address() {
    let put = |body: Value| super::put(&rules(), 6, "a", &body);
    let right = put(json!({"origin": "https://example.org/a", "number1": "7"})).unwrap();
    assert_eq!((right.space, right.id.as_str()), (6, "a"));
    assert_eq!(right.fields.numbers[0], Some(7));
    assert!(put(json!({"id": "a", "space": 6, "origin": "https://example.org/a#page=3"})).is_ok());
    for (body, field) in [
        (json!({}), "origin"),
        (json!({"id": "b", "origin": "https://example.org/a"}), "id"),
        (
            json!({"space": 5, "origin": "https://example.org/a"}),
            "space",
        ),
    ] {
        let complaints = put(body).unwrap_err();
        assert_eq!(complaints[0].field.as_deref(), Some(field));
    }
    assert!(put(json!([])).is_err());
    let elsewhere = super::put(
        &rules(),
        9,
        "a",
        &json!({"origin": "https://example.org/a"}),
    );
    assert_eq!(elsewhere.unwrap_err()[0].field.as_deref(), Some("space"));
}

#[test]
fn what_is_changed_need_not_be_whole() {
    let patch = |body: Value| super::patch(6, "a", &body);
    assert!(patch(json!({"string1": "x", "tags": null})).is_ok());
    assert!(patch(json!({"origin": null})).is_err());
    assert!(patch(json!({"number1": "x"})).is_err());
    let body = collection(&[json!({"id": "a", "string1": "x"}), json!({"id": "b"})]);
    let all = changes(&rules(), 6, &body).unwrap();
    assert_eq!(all[1].0, "b");
    let twice = collection(&[json!({"id": "a"}), json!({"id": "a"}), json!({"space": 5})]);
    assert_eq!(changes(&rules(), 6, &twice).unwrap_err().len(), 3);
}
