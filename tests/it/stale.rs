//! A source that cannot be reached: a server that may open no more files stands for it.

use reqwest::{Client, Response};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::process::Process;

const TOKEN: &str = "a-secret-for-this-test-of-many-characters";
const SEEN: &str = "/iiif/3/chart.png/full/20,/0/default.png";

/// A client with one connection, which is kept.
struct Reader<'a> {
    server: &'a Process,
    client: Client,
}

impl<'a> Reader<'a> {
    fn of(server: &'a Process) -> Self {
        azulejo::tls::choose();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { server, client }
    }

    async fn get(&self, path: &str) -> Response {
        let address = format!("http://{}{path}", self.server.address());
        let request = self.client.get(address).bearer_auth(TOKEN);
        request.send().await.unwrap()
    }

    /// The whole answer is read, so that the connection can be used again.
    async fn status(&self, path: &str) -> u16 {
        let answer = self.get(path).await;
        let status = answer.status().as_u16();
        answer.bytes().await.unwrap();
        status
    }
}

/// From now on it can open nothing, or as much as before.
fn limit(server: &Process, files: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(server.id()).unwrap());
    let now = rustix::process::getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: files.or(now.current),
        maximum: now.maximum,
    };
    prlimit(pid, Resource::Nofile, limit).unwrap();
}

#[tokio::test]
async fn what_is_kept_is_served_while_its_source_cannot_be_reached() {
    let server = Process::start(&[
        ("AZULEJO_CACHE__STALE_TTL", "600"),
        ("AZULEJO_ADMIN__TOKEN", TOKEN),
    ]);
    let reader = Reader::of(&server);
    let fresh = reader.get(SEEN).await.bytes().await.unwrap();
    limit(&server, Some(3));
    let stale = reader.get(SEEN).await;
    assert_eq!(stale.status(), 200);
    assert!(!stale.headers().contains_key("warning"));
    assert_eq!(stale.bytes().await.unwrap(), fresh);
    assert_eq!(reader.status("/iiif/3/png-gray.png/info.json").await, 503);
    let metrics = reader.get("/metrics").await.text().await.unwrap();
    assert!(
        metrics.contains("azulejo_source_stale_total 1\n"),
        "{metrics}"
    );
    limit(&server, None);
    assert_eq!(reader.status("/iiif/3/png-gray.png/info.json").await, 200);
}

#[tokio::test]
async fn without_the_setting_nothing_is_served_that_may_have_changed() {
    let server = Process::start(&[]);
    let reader = Reader::of(&server);
    assert_eq!(reader.status(SEEN).await, 200);
    limit(&server, Some(3));
    assert_eq!(reader.status(SEEN).await, 503);
    limit(&server, None);
    assert_eq!(reader.status(SEEN).await, 200);
}
