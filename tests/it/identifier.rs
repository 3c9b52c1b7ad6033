//! E: identifiers, and what is percent-encoded in them.

use std::fs;

use axum::http::Method;
use tempfile::TempDir;

use crate::server::{HOST, Picture, Server, VERSIONS};

/// A directory with one small picture under each of these names.
fn files(names: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in names {
        Picture::flat(4, 3, [9; 4]).store(root.path(), name);
    }
    root
}

/// Asserts that the identifier means an image of 4x3 pixels, in each kind of request.
async fn assert_found(server: &Server, segment: &str) {
    for version in VERSIONS {
        let base = format!("/iiif/{version}/{segment}");
        let document = server.json(&format!("{base}/info.json")).await;
        assert_eq!(document["width"], 4, "{segment}");
        let image = server
            .picture(&format!("{base}/full/max/0/default.png"))
            .await;
        assert_eq!(image.size(), (4, 3), "{segment}");
        assert_eq!(server.status(&base).await, 303, "{segment}");
    }
}

/// Asserts that each kind of request is refused, and nothing of the file system told.
async fn assert_refused(server: &Server, segment: &str, allowed: &[u16]) {
    for version in VERSIONS {
        for rest in ["", "/info.json", "/full/max/0/default.png"] {
            let answer = server
                .get(&format!("/iiif/{version}/{segment}{rest}"))
                .await;
            let status = answer.status.as_u16();
            assert!(allowed.contains(&status), "{segment:.100}{rest}: {status}");
            assert!(!answer.text().contains("root:"), "{segment:.100}");
            assert!(!answer.headers.contains_key("x-injected"), "{segment:.100}");
        }
    }
}

#[tokio::test]
async fn e01_it_is_decoded_exactly_once() {
    let root = files(&["a%2Fb.png"]);
    let server = Server::over(root.path());
    assert_found(&server, "a%252Fb.png").await;
    assert_refused(&server, "a%2Fb.png", &[404]).await;
    assert_refused(&server, "a%25252Fb.png", &[404]).await;
}

#[tokio::test]
async fn e02_an_encoded_slash_belongs_to_the_identifier() {
    let root = files(&["a/b.png"]);
    let server = Server::over(root.path());
    assert_found(&server, "a%2Fb.png").await;
    assert_found(&server, "a%2fb.png").await;
}

#[tokio::test]
async fn e03_e05_e06_reserved_characters() {
    let names = [
        "x?y#z",
        "[x]",
        "me@x",
        "50%",
        "-._~x",
        "(a);!$&'*+=,:b~",
        "a b",
        "c+d",
    ];
    let root = files(&names);
    let server = Server::over(root.path());
    for segment in [
        "x%3Fy%23z",
        "%5Bx%5D",
        "me%40x",
        "me@x",
        "50%25",
        "-._~x",
        "%2D%2E%5F%7E%78",
        "(a);!$&'*+=,:b~",
        "%28a%29%3B%21%24%26%27%2A%2B%3D%2C%3Ab%7E",
        "a%20b",
        "c+d",
        "c%2Bd",
    ] {
        assert_found(&server, segment).await;
    }
    assert_refused(&server, "a+b", &[404]).await;
}

#[tokio::test]
async fn e04_needless_encoding_is_harmless() {
    let server = Server::of_fixtures();
    let rows = [
        (
            3,
            "full/^10,/!0/default.png",
            "%66ull/%5E10%2C/%210/%64efault%2Epng",
        ),
        (
            3,
            "0,0,10,10/pct:50/0/gray.png",
            "0%2C0%2C10%2C10/pct%3A50/%30/gra%79.%70ng",
        ),
        (
            2,
            "pct:0,0,10,10/!9,9/0/gray.png",
            "pct%3A0,0,10,10/%219,9/%30/gray.png",
        ),
    ];
    for (version, plain, encoded) in rows {
        let plain = server
            .get(&format!("/iiif/{version}/chart.png/{plain}"))
            .await;
        plain.assert_ok();
        let encoded = server
            .get(&format!("/iiif/{version}/%63hart.png/{encoded}"))
            .await;
        assert_eq!(encoded.body, plain.body);
    }
}

#[tokio::test]
async fn e07_utf8_and_nothing_else() {
    let root = files(&["Überseekarte 地図.png"]);
    let server = Server::over(root.path());
    assert_found(&server, "%C3%9Cberseekarte%20%E5%9C%B0%E5%9B%B3.png").await;
    for segment in ["%FF.png", "%C3.png", "%ED%A0%80", "%C0%AF"] {
        assert_refused(&server, segment, &[400, 404]).await;
    }
}

/// Image API 3.0, section 9; with `full` for `max` in 2.1.
#[tokio::test]
async fn e08_the_encoding_table_of_the_specification() {
    let sici = "urn:sici:1046-8188(199501)13:1%3C69:FTTHBI%3E2.0.TX;2-4";
    let root = files(&[
        "ark:/12025/654xz321",
        "urn:foo:a123,456",
        sici,
        "http:/example.com/?54#a",
    ]);
    for name in ["id1", "bb157hs6068"] {
        Picture::chart().store(root.path(), name);
    }
    let server = Server::over(root.path());
    let rows = [
        ("id1/full/max/0/default.png", (301, 211)),
        ("id1/0,10,100,200/pct:50/90/default.png", (100, 50)),
        // 241x169 pixels, 50 wide is 35 high: turned by 22.5 degrees.
        ("id1/pct:10,10,80,80/50,/22.5/color.png", (60, 51)),
        ("bb157hs6068/full/max/270/gray.png", (211, 301)),
        ("ark:%2F12025%2F654xz321/full/max/0/default.png", (4, 3)),
        ("urn:foo:a123,456/full/max/0/default.png", (4, 3)),
        (
            "urn:sici:1046-8188(199501)13:1%253C69:FTTHBI%253E2.0.TX;2-4/full/max/0/default.png",
            (4, 3),
        ),
        (
            "http:%2F%2Fexample.com%2F%3F54%23a/full/max/0/default.png",
            (4, 3),
        ),
    ];
    for (path, size) in rows {
        assert_eq!(
            server.picture(&format!("/iiif/3/{path}")).await.size(),
            size,
            "{path}"
        );
        let path = path.replace("/max/", "/full/");
        assert_eq!(
            server.picture(&format!("/iiif/2/{path}")).await.size(),
            size,
            "{path}"
        );
    }
}

#[tokio::test]
async fn e09_an_unescaped_slash_is_404_unless_allowed() {
    let root = files(&["a/b.png", "a/b/c.png"]);
    let strict = Server::over(root.path());
    for segment in ["a/b.png", "a/b/c.png", "a%2Fb/c.png"] {
        assert_refused(&strict, segment, &[404]).await;
    }
    let lenient = Server::configured(root.path(), |config| config.server.unescaped_slashes = true);
    for segment in ["a/b.png", "a/b/c.png", "a%2Fb/c.png", "a%2Fb%2Fc.png"] {
        assert_found(&lenient, segment).await;
    }
    for segment in ["a/../a/b.png", "../b.png", "/a/b.png"] {
        assert_refused(&lenient, segment, &[400, 404]).await;
    }
}

#[tokio::test]
async fn e10_raw_brackets_are_refused() {
    let root = files(&["[frob]"]);
    assert_refused(&Server::over(root.path()), "[frob]", &[400, 404]).await;
}

/// H03: in links the semicolon is encoded too.
#[tokio::test]
async fn e11_addresses_carry_the_identifier_as_it_was_written() {
    let root = files(&["a/b (1);c.png"]);
    let server = Server::over(root.path());
    for (version, key) in [(2, "@id"), (3, "id")] {
        for segment in ["a%2Fb%20(1);c.png", "%61%2fb%20%281%29%3bc.png"] {
            let base = format!("http://{HOST}/iiif/{version}/{segment}");
            let path = format!("/iiif/{version}/{segment}");
            assert_eq!(server.json(&format!("{path}/info.json")).await[key], base);
            let redirect = server.get(&path).await;
            assert_eq!(
                redirect.header("location"),
                Some(format!("{base}/info.json").as_str())
            );
            let image = server.get(&format!("{path}/full/2,/0/default.png")).await;
            let canonical = image.link("canonical").unwrap();
            assert!(
                canonical.starts_with(&base.replace(';', "%3B")),
                "{canonical}"
            );
        }
    }
}

#[tokio::test]
async fn e12_nothing_outside_of_the_root_is_reached() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("root");
    let picture = Picture::flat(4, 3, [9; 4]);
    picture.store(parent.path(), "secret.png");
    picture.store(&root, "inside/x.png");
    fs::write(root.join("passwd"), "root:x:0:0").unwrap();
    let absolute = parent
        .path()
        .join("secret.png")
        .to_str()
        .unwrap()
        .replace('/', "%2F");
    let server = Server::over(&root);
    for segment in [
        "..%2Fsecret.png",
        "%2e%2e%2fsecret.png",
        "%252e%252e%252fsecret.png",
        "%2e%2e/secret.png",
        "..%5Csecret.png",
        "%5C..%5Csecret.png",
        "inside%2F..%2F..%2Fsecret.png",
        "..",
        ".",
        "%2E%2E",
        "inside%2F..%2Finside%2Fx.png",
        ".%2Finside%2Fx.png",
        "inside",
        "inside%2F",
        "%2Fetc%2Fpasswd",
        "file:%2F%2F%2Fetc%2Fpasswd",
        "C:%5Cx",
        &absolute,
        "..%00%2Fsecret.png",
        "inside%2Fx.png%00",
        "%00",
        "x%0d%0aX-Injected:%201",
        "x%0AX-Injected:1",
        "%C0%AE%C0%AE%2Fsecret.png",
        "..%c0%afsecret.png",
        "%7F",
    ] {
        assert_refused(&server, segment, &[400, 404]).await;
    }
    assert_found(&server, "inside%2Fx.png").await;
}

#[tokio::test]
async fn e12_endless_identifiers_are_refused() {
    let server = Server::of_fixtures();
    for segment in [
        "a".repeat(256),
        "a".repeat(2_000),
        "a".repeat(5_000),
        "a%2F".repeat(1_000),
        "%2E".repeat(2_000),
        format!("{}x", "..%2F".repeat(400)),
    ] {
        assert_refused(&server, &segment, &[400, 404, 414, 431]).await;
    }
}

/// A file that is no image has no content either.
#[tokio::test]
async fn e12_no_other_file_is_sent() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("passwd"), "root:x:0:0").unwrap();
    let server = Server::over(root.path());
    let answer = server.get("/iiif/3/passwd/full/max/0/default.jpg").await;
    assert!(!answer.status.is_success() && !answer.text().contains("root:"));
}

#[tokio::test]
async fn e14_a_substitute_for_the_slash() {
    let root = files(&["a/b/c.png"]);
    let server = Server::configured(root.path(), |config| {
        config.server.slash_substitute = Some("~~".to_owned());
    });
    assert_found(&server, "a~~b~~c.png").await;
    assert_found(&server, "a%2Fb%2Fc.png").await;
    for (version, key) in [(2, "@id"), (3, "id")] {
        let path = format!("/iiif/{version}/a~~b~~c.png");
        let document = server.json(&format!("{path}/info.json")).await;
        assert_eq!(document[key], format!("http://{HOST}{path}"));
    }
    for segment in ["..~~x", "~~etc~~passwd", "a~~..~~a~~b~~c.png", "~~"] {
        assert_refused(&server, segment, &[400, 404]).await;
    }
}

/// The start page names images so that the addresses work as they are, whatever their names.
#[tokio::test]
async fn e13_exposed_identifiers_are_encoded() {
    let root = files(&["plain_1.png", "a ü?#%2F;[x].png"]);
    let server = Server::over(root.path());
    let list = server
        .send(Method::GET, "/", &[("accept", "application/json")])
        .await
        .json();
    let infos: Vec<&str> = list["images"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|image| image["info"].as_str())
        .collect();
    assert_eq!(infos.len(), 2);
    assert_eq!(
        infos[1],
        format!("http://{HOST}/iiif/3/plain_1.png/info.json")
    );
    for info in infos {
        let document = server
            .json(info.strip_prefix(&format!("http://{HOST}")).unwrap())
            .await;
        assert_eq!(
            format!("{}/info.json", document["id"].as_str().unwrap()),
            info
        );
    }
}
