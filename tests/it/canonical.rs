//! C: the canonical URI.

use crate::server::{HOST, Picture, Server, VERSIONS, fixtures};

/// A server over `x` of 300x200 pixels and `square`, limited if asked.
fn server(max_width: Option<u32>) -> (tempfile::TempDir, Server) {
    let root = tempfile::tempdir().unwrap();
    let picture = Picture::new(300, 200, |x, y| [x as u8, y as u8, 77, 255]);
    picture.store(root.path(), "x");
    picture.cropped(0, 0, 60, 60).store(root.path(), "square");
    let server = Server::configured(root.path(), |config| config.image.max_width = max_width);
    (root, server)
}

async fn assert_canonical(server: &Server, version: u8, rows: &[(&str, &str)]) {
    for (asked, canonical) in rows {
        let answer = server.get(&format!("/iiif/{version}/{asked}")).await;
        answer.assert_ok();
        assert_eq!(
            answer.canonical(),
            format!("/iiif/{version}/{canonical}"),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn c01_c02_c03_the_canonical_form_of_version_3() {
    let (_root, server) = server(Some(600));
    assert_canonical(
        &server,
        3,
        &[
            ("x/full/max/0/default.jpg", "x/full/max/0/default.jpg"),
            (
                "x/0,0,300,200/300,/0/default.jpg",
                "x/full/max/0/default.jpg",
            ),
            (
                "x/0,0,999,999/pct:100/0/default.jpg",
                "x/full/max/0/default.jpg",
            ),
            (
                "x/pct:0,0,100,100/!999,999/0/default.jpg",
                "x/full/max/0/default.jpg",
            ),
            (
                "x/250,150,100,100/max/0/default.jpg",
                "x/250,150,50,50/max/0/default.jpg",
            ),
            (
                "x/pct:50,50,25,25/50,/0/default.jpg",
                "x/150,100,75,50/50,33/0/default.jpg",
            ),
            (
                "x/square/max/0/default.jpg",
                "x/50,0,200,200/max/0/default.jpg",
            ),
            (
                "square/square/max/0/default.jpg",
                "square/full/max/0/default.jpg",
            ),
            ("x/full/150,/0/default.jpg", "x/full/150,100/0/default.jpg"),
            ("x/full/^150,/0/default.jpg", "x/full/150,100/0/default.jpg"),
            (
                "x/full/^450,/0/default.jpg",
                "x/full/^450,300/0/default.jpg",
            ),
            ("x/full/^600,/0/default.jpg", "x/full/^max/0/default.jpg"),
            ("x/full/^max/0/default.jpg", "x/full/^max/0/default.jpg"),
            (
                "x/full/^!450,900/0/default.jpg",
                "x/full/^450,300/0/default.jpg",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn c01_c04_c05_the_canonical_form_of_version_2() {
    let (_root, server) = server(None);
    assert_canonical(
        &server,
        2,
        &[
            ("x/full/full/0/default.jpg", "x/full/full/0/default.jpg"),
            ("x/full/max/0/default.jpg", "x/full/full/0/default.jpg"),
            (
                "x/0,0,999,999/300,200/0/default.jpg",
                "x/full/full/0/default.jpg",
            ),
            (
                "x/square/full/0/default.jpg",
                "x/50,0,200,200/full/0/default.jpg",
            ),
            (
                "square/square/full/0/default.jpg",
                "square/full/full/0/default.jpg",
            ),
            ("x/full/150,100/0/default.jpg", "x/full/150,/0/default.jpg"),
            ("x/full/pct:50/0/default.jpg", "x/full/150,/0/default.jpg"),
            ("x/full/,100/0/default.jpg", "x/full/150,/0/default.jpg"),
            (
                "x/full/150,120/0/default.jpg",
                "x/full/150,120/0/default.jpg",
            ),
            ("x/full/450,/0/default.jpg", "x/full/450,/0/default.jpg"),
        ],
    )
    .await;
}

#[tokio::test]
async fn c05_max_under_limits_is_a_width_in_version_2() {
    let (_root, server) = server(Some(150));
    assert_canonical(
        &server,
        2,
        &[("x/full/max/0/default.jpg", "x/full/150,/0/default.jpg")],
    )
    .await;
    assert_canonical(
        &server,
        3,
        &[("x/full/150,/0/default.jpg", "x/full/max/0/default.jpg")],
    )
    .await;
}

#[tokio::test]
async fn c06_c07_c08_rotation_quality_and_format() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let size = if version == 2 { "50," } else { "50,35" };
        for (asked, canonical) in [
            (
                "chart.png/full/50,/360/color.jpg",
                "chart.png/full/SIZE/0/default.jpg",
            ),
            (
                "chart.png/full/50,/!360/gray.png",
                "chart.png/full/SIZE/!0/gray.png",
            ),
            (
                "chart.png/full/50,/90.0/bitonal.tif",
                "chart.png/full/SIZE/90/bitonal.tif",
            ),
            (
                "chart.png/full/50,/022.50/default.webp",
                "chart.png/full/SIZE/22.5/default.webp",
            ),
            (
                "chart.png/full/50,/.5/default.gif",
                "chart.png/full/SIZE/0.5/default.gif",
            ),
            (
                "png-gray.png/full/50,/0/gray.jpg",
                "png-gray.png/full/SIZE/0/default.jpg",
            ),
            (
                "png-gray.png/full/50,/0/color.jpg",
                "png-gray.png/full/SIZE/0/default.jpg",
            ),
        ] {
            assert_canonical(
                &server,
                version,
                &[(asked, &canonical.replace("SIZE", size))],
            )
            .await;
        }
    }
}

#[tokio::test]
async fn c09_the_canonical_request_gives_the_same() {
    let server = Server::of_fixtures();
    let requests = [
        "full/max/0/default.jpg",
        "square/50,/!360/color.png",
        "pct:10,10,33.3,20/pct:50/90.0/gray.png",
        "200,100,500,500/!70,30/22.50/bitonal.png",
        "0,0,301,1/20,/0/default.png",
        "3,5,77,31/,10/180/default.webp",
        "pct:0,0,0.1,0.1/max/0/default.png",
        "pct:33.4,1,50,50/33,44/0/default.tif",
    ];
    for version in VERSIONS {
        for identifier in [
            "chart.png",
            "tiff-pyramid-pages.tif",
            "jpeg-gray.jpg",
            "png-rgba.png",
        ] {
            for request in requests {
                let asked = server
                    .get(&format!("/iiif/{version}/{identifier}/{request}"))
                    .await;
                asked.assert_ok();
                let again = server.get(asked.canonical()).await;
                again.assert_ok();
                assert_eq!(again.canonical(), asked.canonical());
                assert_eq!(again.body, asked.body, "{}", asked.path);
            }
        }
    }
    for request in [
        "full/^max/0/default.jpg",
        "0,0,30,20/^60,/0/default.png",
        "0,0,30,7/^,9/0/default.png",
    ] {
        let server = Server::configured(fixtures("images"), |config| {
            config.image.max_width = Some(400)
        });
        let asked = server.get(&format!("/iiif/3/chart.png/{request}")).await;
        let again = server.get(asked.canonical()).await;
        assert_eq!(
            (again.canonical(), &again.body),
            (asked.canonical(), &asked.body)
        );
    }
}

#[tokio::test]
async fn c10_c11_the_link_has_no_query_and_is_no_redirect() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let path = format!("/iiif/{version}/chart.png/0,0,301,211/50,/360/color.jpg?x=1");
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 200);
        let canonical = answer.link("canonical").unwrap();
        assert!(canonical.starts_with(&format!("http://{HOST}/iiif/{version}/chart.png/full/")));
        assert!(!canonical.contains('?'));
    }
}

/// 100 wide is 67 high here: 66 is not what `100,` gives.
#[tokio::test]
async fn c12_a_width_alone_only_if_it_gives_the_same_height() {
    let (_root, server) = server(None);
    assert_canonical(
        &server,
        2,
        &[
            ("x/full/100,67/0/default.jpg", "x/full/100,/0/default.jpg"),
            ("x/full/100,66/0/default.jpg", "x/full/100,66/0/default.jpg"),
            // From the height, the width is rounded: 50 is 33 high again, 49 would be too.
            ("x/full/,33/0/default.jpg", "x/full/50,/0/default.jpg"),
        ],
    )
    .await;
}
