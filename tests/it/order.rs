//! O and V: the order of the steps, and the numbers.

use crate::server::{Picture, Server, VERSIONS};

#[tokio::test]
async fn o01_the_example_of_the_specification() {
    let root = tempfile::tempdir().unwrap();
    Picture::new(300, 200, |x, y| [x as u8, y as u8, 0, 255]).store(root.path(), "x");
    let server = Server::over(root.path());
    for version in VERSIONS {
        let path = format!("/iiif/{version}/x/125,15,120,140/90,/!345/gray.png");
        let picture = server.picture(&path).await;
        assert!(
            picture.width.abs_diff(114) <= 2 && picture.height.abs_diff(125) <= 2,
            "{:?}",
            picture.size()
        );
        assert_eq!(picture.channels, 2);
    }
}

/// Each step by a request of its own, over the result of the one before.
async fn step_by_step(
    version: u8,
    source: &Picture,
    [region, size, rotation, quality]: [&str; 4],
) -> Picture {
    let mut picture = source.clone();
    let mirror = if rotation.starts_with('!') { "!0" } else { "0" };
    let turn = rotation.trim_start_matches('!');
    for step in [
        format!("{region}/max/0/default.png"),
        format!("full/{size}/0/default.png"),
        format!("full/max/{mirror}/default.png"),
        format!("full/max/{turn}/default.png"),
        format!("full/max/0/{quality}.png"),
    ] {
        let root = tempfile::tempdir().unwrap();
        picture.store(root.path(), "x");
        picture = Server::over(root.path())
            .picture(&format!("/iiif/{version}/x/{step}"))
            .await;
    }
    picture
}

/// The share of black pixels that are white in the other picture, or white ones that are black: of those that were at the threshold, where
/// a difference of one becomes one of 255. The steps are stored with opacity, which is scaled by other code.
fn turned_over(one: &Picture, other: &Picture) -> f64 {
    let pairs = one.pixels.iter().zip(&other.pixels);
    let differ = pairs.filter(|(a, b)| a != b).count();
    differ as f64 / one.pixels.len() as f64
}

#[tokio::test]
async fn o02_t04_the_result_is_that_of_the_single_steps() {
    let server = Server::of_fixtures();
    let requests = [
        ["30,20,160,120", "80,60", "!90", "gray"],
        ["pct:10,10,50,70", "!50,50", "270", "gray"],
        ["pct:10,10,50,70", "!50,50", "270", "bitonal"],
        ["square", "100,37", "!180", "color"],
        ["250,150,100,100", ",40", "22.5", "default"],
        ["0,0,90,120", "pct:50", "!345", "gray"],
    ];
    for version in VERSIONS {
        for (identifier, source) in [
            ("chart.png", Picture::chart()),
            ("png-rgba.png", Picture::transparent_chart()),
        ] {
            for request in requests {
                let [region, size, rotation, quality] = request;
                let path = format!(
                    "/iiif/{version}/{identifier}/{region}/{size}/{rotation}/{quality}.png"
                );
                let at_once = server.picture(&path).await;
                let wanted = step_by_step(version, &source, request).await;
                assert_eq!(at_once.size(), wanted.size(), "{path}");
                if quality == "bitonal" {
                    let share = turned_over(&at_once, &wanted);
                    assert!(share <= 0.02, "{path}: {share}");
                    continue;
                }
                let difference = at_once.difference(&wanted);
                assert!(difference <= 1, "{path}: {difference}");
            }
        }
    }
}

#[tokio::test]
async fn v01_v04_other_spellings_of_numbers_are_refused() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for rest in [
            "+0,0,10,10/max/0",
            "0,0,1e1,10/max/0",
            "0.5,0,10,10/max/0",
            "0,0,1%2C000,10,5/max/0",
            "full/1e1,/0",
            "full/+10,/0",
            "full/10.0,/0",
            "full/pct:1e1/0",
            "full/pct:5%2C5/0",
            "full/pct:1_0/0",
            "full/max/1e1",
            "full/max/+5",
            "full/max/%D9%A3",
            "full/max/1.2.3",
            "full/pct:./0",
            "full/max/.",
        ] {
            let path = format!("/iiif/{version}/chart.png/{rest}/default.png");
            assert_eq!(server.status(&path).await, 400, "{rest}");
        }
    }
}

#[tokio::test]
async fn v02_v03_zeros_and_decimals_are_accepted() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        for (rest, same) in [
            ("pct:.5,0.50,50.0,050/max/0", "pct:0.5,0.5,50,50/max/0"),
            ("full/pct:12.50000000000000000000/0", "full/pct:12.5/0"),
            (
                "full/pct:33.33333333333333333333/0",
                "full/pct:33.3333333333/0",
            ),
            ("full/20,/022.5", "full/20,/22.50"),
            ("007,008,09,010/max/0", "7,8,9,10/max/0"),
        ] {
            let path = |rest| format!("/iiif/{version}/chart.png/{rest}/default.png");
            let answer = server.get(&path(rest)).await;
            answer.assert_ok();
            assert_eq!(answer.body, server.get(&path(same)).await.body, "{rest}");
        }
    }
}
