//! Smaller versions for those who do not see an image itself.

use super::rules::{folder, server};

const RULE: &str = "[[rules]]\nidentifiers = [\"open.png\"]\nlargest = 40\nroles = [\"staff\"]";

#[tokio::test]
async fn a24_a_smaller_version_has_its_own_identifier_and_information() {
    let folder = folder();
    let server = server(&folder, RULE);
    let information = server.json("/iiif/3/open.png;max40/info.json").await;
    let id = information["id"].as_str().unwrap();
    assert!(id.ends_with("/iiif/3/open.png;max40"), "{id}");
    let sides = [&information["width"], &information["height"]].map(|side| side.as_u64().unwrap());
    assert_eq!(sides.into_iter().max(), Some(40));
    let answer = server
        .get("/iiif/3/open.png;max40/full/max/0/default.png")
        .await;
    // The same for everybody.
    assert_eq!(
        answer.header("cache-control"),
        Some("public, max-age=86400")
    );
    let picture = answer.picture();
    assert_eq!([picture.size().0, picture.size().1].map(u64::from), sides);
}

#[tokio::test]
async fn a23_the_image_itself_is_refused_and_its_information_leads_to_the_smaller_one() {
    let folder = folder();
    let server = server(&folder, RULE);
    assert_eq!(
        server
            .status("/iiif/3/open.png/full/max/0/default.png")
            .await,
        401
    );
    for version in [2, 3] {
        let answer = server
            .get(&format!("/iiif/{version}/open.png/info.json"))
            .await;
        assert_eq!(answer.status, 302);
        let location = answer.header("location").unwrap();
        assert!(
            location.ends_with(&format!("/iiif/{version}/open.png;max40/info.json")),
            "{location}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn nobody_gets_more_than_the_rule_says_by_asking_for_it() {
    let folder = folder();
    let server = server(&folder, RULE);
    for larger in ["open.png;max41", "open.png;max65535", "open.png;max040"] {
        let status = server
            .status(&format!("/iiif/3/{larger}/full/max/0/default.png"))
            .await;
        assert!([401, 404].contains(&status), "{status} {larger}");
    }
    assert_eq!(
        server
            .status("/iiif/3/open.png;max20/full/max/0/default.png")
            .await,
        200,
        "less is theirs, too"
    );
}
