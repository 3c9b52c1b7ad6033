//! Images of 300 megapixels.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::giants;
use crate::server::{Server, fixtures};

/// `giant.tif` and `giant.jp2`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    giants::write_tiff(&folder.path().join("giant.tif")).unwrap();
    folder
}

/// Tiles as this server encodes them.
async fn write_jp2(path: &Path) {
    let server = Server::of_fixtures();
    let mut tiles = Vec::new();
    for region in ["0,0,400,400", "100,0,400,400", "0,100,400,400"] {
        let url = format!("/iiif/3/sample-azulejo.tif/{region}/^1024,1024/0/default.jp2");
        let answer = server.get(&url).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        tiles.push(answer.body.to_vec());
    }
    giants::write_jp2(path, &tiles, true).unwrap();
}

#[tokio::test]
async fn giants_are_served() {
    let folder = folder();
    write_jp2(&folder.path().join("giant.jp2")).await;
    for name in ["giant.tif", "giant.jp2"] {
        eprintln!(
            "{name} {}",
            fs::metadata(folder.path().join(name)).unwrap().len()
        );
        let server = Server::over(folder.path());
        let information = server.json(&format!("/iiif/3/{name}/info.json")).await;
        assert_eq!(information["width"], 17_408);
        eprintln!("{information}");
        for region in ["5120,7168,512,512/512,512", "0,0,8192,8192/512,512"] {
            let picture = server
                .picture(&format!("/iiif/3/{name}/{region}/0/default.png"))
                .await;
            assert_eq!((picture.width, picture.height), (512, 512));
        }
    }
    let _ = fixtures("images");
}
