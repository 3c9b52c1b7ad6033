//! U: the syntax of URIs, and the base URI.

use crate::server::{Server, VERSIONS};

#[tokio::test]
async fn u01_five_parameters_in_this_order() {
    let server = Server::of_fixtures();
    for version in VERSIONS {
        let path = format!("/iiif/{version}/chart.png/10,20,100,50/50,/90/gray.png");
        assert_eq!(server.picture(&path).await.size(), (25, 50));
    }
}
