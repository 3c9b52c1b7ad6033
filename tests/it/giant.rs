//! Images of 300 megapixels, read over a network: what a tile costs, counted.

use std::path::Path;

use azulejo::route::config::RouteConfig;
use azulejo::source::remote::Secret;
use azulejo::source::remote::http::config::HttpSourceConfig;
use azulejo::source::remote::objects::config::ObjectsSourceConfig;

use crate::folder_server::FolderServer;
use crate::giants;
use crate::s3s_server::{KEY, S3sServer, SECRET};
use crate::server::Server;

const BUCKET: &str = "masters";

/// An image, and what a tile may cost: requests and KiB, if nothing is known of the image, and if it is open.
struct Cost {
    name: &'static str,
    cold: (u64, u64),
    warm: (u64, u64),
}

/// A tile of 256 pixels is about 50 kB in the TIFF, and the directories are at its end; one of 1,024 is about 600 kB in the JP2, whose tiles say only
/// with PLT markers where their levels begin.
const COSTS: [Cost; 2] = [
    Cost {
        name: "giant.tif",
        cold: (5, 450),
        warm: (1, 192),
    },
    Cost {
        name: "giant.jp2",
        cold: (4, 800),
        warm: (2, 750),
    },
];

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

/// A place that counts requests and bytes of bodies.
trait Counting {
    /// Those since the last time.
    fn take(&self) -> (u64, u64);
}

impl Counting for FolderServer {
    fn take(&self) -> (u64, u64) {
        self.take_counts()
    }
}

impl Counting for S3sServer {
    fn take(&self) -> (u64, u64) {
        self.take_counts()
    }
}

/// Milliseconds in which every origin answers: a request that is made again would count twice.
const LONG: u32 = 300_000;

/// A server over a web server.
fn over_http(origin: &FolderServer) -> Server {
    let source = HttpSourceConfig {
        url: Some(origin.url()),
        private_networks: vec!["127.0.0.0/8".parse().unwrap()],
        timeout_ms: LONG,
        ..HttpSourceConfig::default()
    };
    Server::configured("/", |config| {
        config.sources.http.insert("far".to_owned(), source);
        config.routes.push(RouteConfig::to("far"));
    })
}

/// A server over a bucket.
fn over_s3(origin: &S3sServer) -> Server {
    let source = ObjectsSourceConfig {
        url: Some(format!("s3://{BUCKET}").parse().unwrap()),
        endpoint: Some(origin.endpoint().to_owned()),
        access_key: Some(KEY.to_owned()),
        secret_key: Some(Secret::new(SECRET)),
        timeout_ms: LONG,
        ..ObjectsSourceConfig::default()
    };
    Server::configured("/", |config| {
        config.sources.objects.insert("far".to_owned(), source);
        config.routes.push(RouteConfig::to("far"));
    })
}

/// Both images cost what they may, and all answers are those of a server that has the files itself.
async fn check_costs(far: impl Fn() -> Server, origin: &impl Counting, folder: &Path) {
    let local = Server::over(folder);
    for cost in COSTS {
        let far = far();
        let get = async |region: &str| {
            let path = format!("/iiif/3/{}/{region}/0/default.png", cost.name);
            let answer = far.get(&path).await;
            assert_eq!(answer.status, 200, "{:?}", answer.body);
            assert!(answer.body == local.get(&path).await.body, "{path}");
            origin.take()
        };
        let cold = get("5120,7168,256,256/256,256").await;
        assert!(is_within(cold, cost.cold), "{}: {cold:?}", cost.name);
        let warm = get("9216,3072,256,256/256,256").await;
        assert!(is_within(warm, cost.warm), "{}: {warm:?}", cost.name);
        println!(
            "{}: cold {cold:?}, warm {warm:?} (requests, bytes)",
            cost.name
        );
        let neighbour = get("5130,7178,100,100/100,100").await;
        assert_eq!(neighbour, (0, 0), "{}", cost.name);
    }
    // The smallest level is a single tile.
    let thumbnail = "/iiif/3/giant.tif/full/136,136/0/default.png";
    far().picture(thumbnail).await;
    let thumbnail = origin.take();
    println!("smallest level, cold: {thumbnail:?}");
    assert!(is_within(thumbnail, COSTS[0].cold), "{thumbnail:?}");
}

fn is_within((requests, bytes): (u64, u64), (most_requests, most_kib): (u64, u64)) -> bool {
    requests > 0 && requests <= most_requests && bytes <= most_kib << 10
}

async fn write_giants(folder: &Path) {
    giants::write_tiff(&folder.join("giant.tif")).unwrap();
    write_jp2(&folder.join("giant.jp2")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tile_of_a_giant_on_a_web_server_costs_a_few_small_requests() {
    let folder = tempfile::tempdir().unwrap();
    write_giants(folder.path()).await;
    let origin = FolderServer::over(folder.path()).await;
    check_costs(|| over_http(&origin), &origin, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tile_of_a_giant_in_a_bucket_costs_a_few_small_requests() {
    let origin = tokio::task::block_in_place(|| S3sServer::start(&[BUCKET]));
    let folder = origin.folder().join(BUCKET);
    write_giants(&folder).await;
    check_costs(|| over_s3(&origin), &origin, &folder).await;
}
