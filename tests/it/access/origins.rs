//! Which viewers may read with a script what a cookie opens.

use axum::http::Method;

use super::rules::{folder, server};

const INFORMATION: &str = "/iiif/3/open.png/info.json";
const VIEWER: &str = "https://viewer.example.org";

#[tokio::test]
async fn only_configured_origins_may_send_cookies() {
    let folder = folder();
    let server = server(&folder, &format!("origins = [\"{VIEWER}\"]"));
    for method in [Method::GET, Method::OPTIONS] {
        let asks = async |origin: &str| {
            let headers = [("origin", origin), ("access-control-request-method", "GET")];
            let answer = server.send(method.clone(), INFORMATION, &headers).await;
            let header = |name| answer.header(name).map(str::to_owned);
            (
                header("access-control-allow-origin"),
                header("access-control-allow-credentials"),
            )
        };
        let allowed = (Some(VIEWER.to_owned()), Some("true".to_owned()));
        assert_eq!(asks(VIEWER).await, allowed, "{method}");
        for other in [
            "https://viewer.example.org.evil.com",
            "https://VIEWER.example.org",
            "http://viewer.example.org",
            "null",
        ] {
            assert_eq!(
                asks(other).await,
                (Some("*".to_owned()), None),
                "{method} {other}"
            );
        }
    }
}

#[tokio::test]
async fn what_depends_on_the_origin_says_so() {
    let folder = folder();
    let varies = async |rules: &str| {
        let answer = server(&folder, rules).get(INFORMATION).await;
        let lines = answer.headers.get_all("vary").iter();
        lines
            .map(|line| line.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(
        varies(&format!("origins = [\"{VIEWER}\"]"))
            .await
            .contains(&"Origin".to_owned())
    );
    assert_eq!(varies("").await, ["Accept"], "one cache entry for all");
}
