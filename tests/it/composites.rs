//! `/customers`, `/collections` and `/iiif-img`: the API of composites, through the router. Nobody works on what is posted here: the tests
//! say what came of it, as another node would.

use std::fs;

use axum::body::Body;
use axum::http::Method;
use azulejo::config::Config;
use azulejo::config::secret_hash::SecretHash;
use azulejo::ingest::config::CustomerConfig;
use azulejo::ingest::{AssetKey, Member, Place, Progress, Status, Store, mount};
use azulejo::page::Page;
use azulejo::queue::Lease;
use azulejo::registry::Registry;
use azulejo::registry::config::RegistryConfig;
use base64::Engine;
use serde_json::{Value, json};
use sqlx::{Connection, Row};
use tempfile::TempDir;
use uuid::Uuid;

use crate::documents::tiff;
use crate::file_server::{FileServer, Manner};
use crate::postgres_server::PostgresServer;
use crate::server::{Answer, Server, fixtures};

const QUEUE: &str = "/customers/7/queue";
const BASE: &str = "http://images.example.org";

/// A server with two customers, and another node's view of the same database.
struct Desk {
    server: Server,
    other_node: Store,
    origin: FileServer,
    folder: TempDir,
    registry: RegistryConfig,
}

fn customer(id: u32, secret: &str) -> CustomerConfig {
    CustomerConfig {
        id,
        key: format!("key-{id}"),
        secret_hash: SecretHash::of(secret.as_bytes()).unwrap().parse().unwrap(),
        spaces: vec![5, 6],
    }
}

impl Desk {
    async fn new() -> Self {
        Self::with(None, |_| {}).await
    }

    /// With a database that is there already, or else a new file.
    async fn with(url: Option<String>, change: impl FnOnce(&mut Config)) -> Self {
        let folder = TempDir::new().unwrap();
        let origin = FileServer::start(Manner::USUAL);
        let file = format!("sqlite:{}/azulejo.db", folder.path().display());
        let registry = RegistryConfig {
            url: Some(url.unwrap_or(file).parse().unwrap()),
            timeout_ms: 60_000,
            ..RegistryConfig::default()
        };
        let server = Server::opened(fixtures("images"), |config| {
            config.registry = registry.clone();
            let composites = &mut config.composites;
            composites.folder = Some(folder.path().join("composites"));
            composites.origins.hosts = vec![origin.host()];
            composites.origins.private_networks = vec!["127.0.0.0/8".parse().unwrap()];
            composites.customers = [
                ("acme".to_owned(), customer(7, "secret")),
                ("other".to_owned(), customer(8, "other secret")),
            ]
            .into();
            change(config);
        })
        .await;
        let other = Registry::open(&registry).await.unwrap().unwrap();
        Self {
            server,
            other_node: Store::new(other),
            origin,
            folder,
            registry,
        }
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = match body {
            Value::Null => Body::empty(),
            body => Body::from(body.to_string()),
        };
        self.send_as("key-7:secret", method, path, body).await
    }

    async fn send_as(&self, user: &str, method: Method, path: &str, body: Body) -> Answer {
        let basic = base64::engine::general_purpose::STANDARD.encode(user);
        let authorization = format!("Basic {basic}");
        let headers = [("authorization", authorization.as_str())];
        self.server.send_body(method, path, &headers, body).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Value::Null).await
    }

    async fn status(&self, path: &str) -> u16 {
        self.get(path).await.status.as_u16()
    }

    /// The path of the only member of a collection that is accepted.
    async fn accepted(&self, composite: Value) -> String {
        let answer = self.post(QUEUE, collection(&[composite])).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        path(&document(&answer)["members"][0]["id"])
    }

    async fn member(&self, path: &str) -> Member {
        let id = Uuid::try_parse(path.rsplit('/').next().unwrap()).unwrap();
        self.other_node.member(id).await.unwrap().unwrap()
    }

    /// Makes a member's pages, as a worker would of a TIFF with so many.
    async fn make(&self, path: &str, pages: u32) -> Member {
        let member = self.member(path).await;
        let name = format!("members/{}", member.id);
        let folder = self.folder.path().join("composites");
        fs::create_dir_all(folder.join(&name)).unwrap();
        let sizes: Vec<(u32, u32)> = (1..=pages).map(|page| (100 + page, 60)).collect();
        fs::write(folder.join(&name).join("document"), tiff(&sizes)).unwrap();
        let place = |index: u32| Place {
            location: format!("composites:{name}/document"),
            page: Page::new(index + 1).unwrap(),
            resolution: None,
            cut: None,
            width: 101 + index,
            height: 60,
        };
        let places: Vec<_> = (0..pages).map(place).collect();
        let done = self.other_node.complete(&member, &places, 2).await;
        done.unwrap().unwrap()
    }

    /// Says what came of looking at an image.
    async fn looked_at(&self, id: &str, outcome: Result<(u32, u32), &str>) {
        let key = AssetKey {
            customer: 7,
            space: 5,
            id: id.to_owned(),
        };
        let origin = self.image(id)["origin"].as_str().unwrap().to_owned();
        let place = |(width, height)| Place {
            location: origin.clone(),
            page: Page::FIRST,
            resolution: None,
            cut: None,
            width,
            height,
        };
        let place = outcome.map(place);
        let place = place.as_ref().map_err(|error| *error);
        let lease = self.lease(&key.to_string()).await;
        let said = self.other_node.ingested(lease, &key, &origin, place);
        assert!(said.await.unwrap());
    }

    /// Of the job that looks at an image.
    async fn lease(&self, subject: &str) -> Lease {
        let file = format!("sqlite:{}/azulejo.db", self.folder.path().display());
        let mut connection = sqlx::AnyConnection::connect(&file).await.unwrap();
        let asking = sqlx::query(
            "SELECT id, lease FROM jobs WHERE kind = 'asset' AND subject = $1 AND finished IS NULL",
        );
        let row = asking
            .bind(subject)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        Lease {
            job: row.get(0),
            number: row.get(1),
        }
    }

    fn image(&self, id: &str) -> Value {
        let origin = format!("{}{id}", self.origin.url());
        json!({ "id": id, "space": 5, "origin": origin, "string1": "s", "number1": 3, "tags": ["t"] })
    }
}

fn collection(members: &[Value]) -> Value {
    json!({
        "@context": "http://www.w3.org/ns/hydra/context.jsonld",
        "@type": "Collection",
        "member": members,
    })
}

/// That of the RFC.
fn composite() -> Value {
    json!({
        "@type": "vocab:Composite",
        "id": "my-pdf-{:03d}",
        "space": 6,
        "origin": "https://example.org/my-pdf.pdf",
        "string1": "my-id-{:03d}",
        "string2": "",
        "string3": "",
        "number1": "0",
        "number2": "{:03d}",
        "number3": "0",
        "roles": [],
        "family": "I",
        "text": "https://example.org/text/alto/my-pdf/my-pdf-{:-03d}.xml",
        "textType": "alto",
        "maxUnauthorised": -1,
        "originFormat": "application/pdf",
        "incrementSeed": 0,
        "compositeId": "my-pdf",
    })
}

/// Of any status.
fn document(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", answer.text()))
}

fn path(url: &Value) -> String {
    let url = url.as_str().unwrap();
    url.strip_prefix(BASE)
        .unwrap_or_else(|| panic!("{url}"))
        .to_owned()
}

fn ids(listing: &Value) -> Vec<&str> {
    let members = listing["member"].as_array().unwrap().iter();
    members
        .map(|member| member["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_b_c_composites_are_accepted_and_followed_with_sqlite() {
    composites_are_accepted_and_followed(&Desk::new().await).await;
}

#[tokio::test]
async fn a_b_c_composites_are_accepted_and_followed_with_postgresql() {
    let server = PostgresServer::start();
    let url = server.new_database("composites");
    composites_are_accepted_and_followed(&Desk::with(Some(url), |_| {}).await).await;
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_503_and_never_404() {
    let server = PostgresServer::start();
    let url = server.new_database("composites");
    let desk = Desk::with(Some(url), |_| {}).await;
    assert_eq!(desk.status(QUEUE).await, 200);
    drop(server);
    for path in [
        QUEUE,
        "/customers/7/spaces/6/images/my-pdf-000",
        "/collections/00000000-0000-0000-0000-000000000000",
    ] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(document(&answer)["statusCode"], 503);
        assert!(answer.header("retry-after").is_some());
    }
    let posted = desk.post(QUEUE, collection(&[composite()])).await;
    assert_eq!(posted.status, 503);
    let image = "/iiif-img/7/6/my-pdf-000/info.json";
    assert_eq!(desk.server.status(image).await, 503);
}

async fn composites_are_accepted_and_followed(desk: &Desk) {
    let answer = desk.post(QUEUE, collection(&[composite()])).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let accepted = document(&answer);
    assert_eq!(answer.header("location"), accepted["id"].as_str());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let member = &accepted["members"][0];
    let fields: Vec<&str> = member
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(fields, ["id", "status", "created", "last_updated"]);
    assert_eq!(member["status"], "PENDING");
    assert_eq!(document(&desk.get(&path(&accepted["id"])).await), accepted);
    let at = path(&member["id"]);
    assert_eq!(document(&desk.get(&at).await), *member);

    let id = desk.member(&at).await.id;
    for (status, image_count) in [
        (Status::FetchingOrigin, None),
        (Status::Rasterizing, None),
        (Status::PushingToDlcs, Some(3)),
        (Status::BuildingDlcsRequest, None),
    ] {
        let progress = Progress {
            image_count,
            ..Progress::default()
        };
        desk.other_node
            .advance(id, status, &progress)
            .await
            .unwrap()
            .unwrap();
        let told = desk.get(&at).await.json();
        assert_eq!(told["status"], status.as_str());
        let is_counted = status as u8 >= Status::PushingToDlcs as u8;
        assert_eq!(told.get("image_count"), is_counted.then_some(&json!(3)));
    }
    desk.make(&at, 3).await;
    let done = desk.get(&at).await.json();
    assert_eq!(done["status"], "COMPLETED");
    assert_eq!(
        (&done["image_count"], &done["retired_count"]),
        (&json!(3), &json!(0))
    );
    let batches = done["dlcs_uris"].as_array().unwrap();
    assert_eq!(batches.len(), 2, "of two images at most here");
    let batch = desk.get(&path(&batches[1])).await.json();
    assert_eq!(
        (&batch["@type"], &batch["count"]),
        (&json!("vocab:Batch"), &json!(1))
    );
    assert!(batch["finished"].is_string());
    let images = desk.get(&path(&batch["images"])).await.json();
    assert_page_as_in_the_rfc(&images["member"][0], &batches[1]);
}

fn assert_page_as_in_the_rfc(image: &Value, batch: &Value) {
    let mut image = image.as_object().unwrap().clone();
    for time in ["created", "finished"] {
        let time = image.shift_remove(time).unwrap();
        assert!(time.as_str().unwrap().ends_with('Z'));
    }
    let expected = json!({
        "@context": "http://www.w3.org/ns/hydra/context.jsonld",
        "@type": "vocab:Image",
        "@id": format!("{BASE}/customers/7/spaces/6/images/my-pdf-002"),
        "id": "my-pdf-002",
        "service": format!("{BASE}/iiif-img/7/6/my-pdf-002"),
        "imageService": format!("{BASE}/iiif-img/7/6/my-pdf-002"),
        "space": 6,
        "origin": "https://example.org/my-pdf.pdf#page=3",
        "string1": "my-id-002", "string2": "", "string3": "",
        "number1": 0, "number2": 2, "number3": 0,
        "roles": [], "family": "I", "mediaType": "image/jpeg",
        "text": "https://example.org/text/alto/my-pdf/my-pdf-002.xml",
        "textType": "alto",
        "maxUnauthorised": -1,
        "width": 103, "height": 60,
        "ingesting": false, "error": "", "batch": batch,
    });
    assert_eq!(Value::Object(image), expected);
}

#[tokio::test]
async fn c_what_failed_is_422_and_says_why() {
    let desk = Desk::new().await;
    let at = desk.accepted(composite()).await;
    let id = desk.member(&at).await.id;
    desk.other_node
        .fail(id, "the origin has no such document")
        .await
        .unwrap()
        .unwrap();
    let answer = desk.get(&at).await;
    assert_eq!(answer.status, 422);
    let told = document(&answer);
    assert_eq!(told["status"], "ERROR");
    assert_eq!(told["error"], "the origin has no such document");
    assert_eq!(told["Error"], "the origin has no such document");
    let collection = at.split("/members/").next().unwrap();
    let told = desk.get(collection).await.json();
    assert_eq!(told["members"][0]["status"], "ERROR");
}

#[tokio::test]
async fn a_everything_wrong_is_told_at_once_and_nothing_is_kept() {
    let desk = Desk::new().await;
    let mut bad = composite();
    bad["id"] = json!("my-pdf-{0:D4}");
    bad["space"] = json!(9);
    let answer = desk
        .post(QUEUE, collection(&[composite(), bad, desk.image("a")]))
        .await;
    assert_eq!(answer.status, 400);
    let told = document(&answer);
    assert_eq!(told["@type"], "Error");
    assert_eq!(
        (&told["title"], &told["statusCode"]),
        (&json!("Bad Request"), &json!(400))
    );
    let errors = told["errors"].as_array().unwrap();
    let of = |index: usize| (&errors[index]["member"], &errors[index]["field"]);
    assert_eq!(errors.len(), 3, "{told}");
    assert_eq!(of(0), (&Value::Null, &json!("member")));
    assert_eq!(of(1), (&json!(1), &json!("id")));
    assert_eq!(of(2), (&json!(1), &json!("space")));
    assert!(
        errors[1]["error"]
            .as_str()
            .unwrap()
            .contains("(character 9)")
    );
    assert!(
        told["description"]
            .as_str()
            .unwrap()
            .contains("member 1: space is 9")
    );
    for wrong in [
        json!([]),
        json!({"member": []}),
        json!({"@type": "Manifest", "member": [composite()]}),
    ] {
        assert_eq!(desk.post(QUEUE, wrong).await.status, 400);
    }
    let no_json = desk
        .send_as("key-7:secret", Method::POST, QUEUE, "{".into())
        .await;
    assert_eq!(no_json.status, 400);
    let queue = desk.get(QUEUE).await.json();
    assert_eq!(queue["size"], 0, "nothing was kept");
}

#[tokio::test]
async fn a_images_become_a_batch() {
    let desk = Desk::new().await;
    let images = [desk.image("a"), desk.image("b"), desk.image("c")];
    let answer = desk
        .post("/customers/7/queue/priority", collection(&images))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let batch = document(&answer);
    assert_eq!(answer.header("location"), batch["@id"].as_str());
    assert_eq!(batch["@type"], "vocab:Batch");
    assert_eq!(
        (
            &batch["count"],
            &batch["completed"],
            &batch["errors"],
            &batch["superseded"]
        ),
        (&json!(3), &json!(0), &json!(0), &json!(false))
    );
    assert!(batch.get("finished").is_none(), "not as long as it is not");
    let queue = desk.get(QUEUE).await.json();
    assert_eq!(queue["@type"], "vocab:CustomerQueue");
    assert_eq!(
        (&queue["batchesWaiting"], &queue["imagesWaiting"]),
        (&json!(1), &json!(3))
    );
    let twice = desk
        .post(QUEUE, collection(&[desk.image("a"), desk.image("a")]))
        .await;
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn d_a_batch_and_what_it_links_to() {
    let desk = Desk::new().await;
    let images = [desk.image("b"), desk.image("a"), desk.image("c")];
    let batch = document(&desk.post(QUEUE, collection(&images)).await);
    let listed = async |link: &str| ids(&desk.get(&path(&batch[link])).await.json()).join("");
    let success =
        async || document(&desk.post(&path(&batch["test"]), Value::Null).await)["success"].clone();
    assert_eq!(listed("images").await, "bac");
    assert_eq!(listed("completedImages").await, "");
    assert_eq!(success().await, false);
    let active = desk.get("/customers/7/queue/active").await.json();
    assert_eq!(
        (&active["totalItems"], &active["member"][0]["@id"]),
        (&json!(1), &batch["@id"])
    );
    desk.looked_at("a", Ok((10, 20))).await;
    desk.looked_at("b", Err("it is no image")).await;
    assert_eq!(listed("completedImages").await, "a");
    assert_eq!(listed("errorImages").await, "b");
    assert_eq!(success().await, false);
    desk.looked_at("c", Ok((10, 20))).await;
    assert_eq!(success().await, true);
    let again = desk.post(QUEUE, collection(&[desk.image("c")])).await;
    assert_eq!(again.status, 201);
    assert_eq!(listed("images").await, "ba");
    assert_eq!(listed("assets").await, "bac");
    let now = desk.get(&path(&batch["@id"])).await.json();
    assert_eq!((&now["completed"], &now["errors"]), (&json!(3), &json!(1)));
    assert!(now["finished"].is_string());
    let recent = desk.get("/customers/7/queue/recent").await.json();
    assert_eq!(
        (&recent["totalItems"], &recent["member"][0]["@id"]),
        (&json!(1), &batch["@id"])
    );
    let all = desk
        .get("/customers/7/queue/batches?pageSize=1&page=2")
        .await
        .json();
    assert_eq!(all["member"][0]["@id"], document(&again)["@id"]);
    let error = desk.get("/customers/7/spaces/5/images/b").await.json();
    assert_eq!(error["error"], "it is no image");
}

#[tokio::test]
async fn e_an_image_is_put_changed_and_removed() {
    const AT: &str = "/customers/7/spaces/5/images/a%2Fb";
    let desk = Desk::new().await;
    let mut image = desk.image("x");
    image.as_object_mut().unwrap().shift_remove("id");
    assert_eq!(desk.status(AT).await, 404);
    let created = desk.send(Method::PUT, AT, image.clone()).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.header("location"), Some(&*format!("{BASE}{AT}")));
    let told = document(&created);
    assert_eq!(
        (&told["id"], &told["ingesting"]),
        (&json!("a/b"), &json!(true))
    );
    assert_eq!(told["imageService"], format!("{BASE}/iiif-img/7/5/a%2Fb"));
    assert_eq!(
        desk.send(Method::PUT, AT, told).await.status,
        200,
        "as it was told"
    );
    let patched = desk
        .send(Method::PATCH, AT, json!({"string1": "new", "tags": null}))
        .await;
    let told = patched.json();
    assert_eq!((&told["string1"], told.get("tags")), (&json!("new"), None));
    assert_eq!(desk.get(AT).await.json(), told);
    let reingest = desk.post(&format!("{AT}/reingest"), Value::Null).await;
    assert_eq!(reingest.status, 200);
    for wrong in [
        json!({"number1": "x"}),
        json!({"metadata": "x".repeat(20_000)}),
        json!({"id": "c"}),
        json!({"origin": null}),
    ] {
        assert_eq!(desk.send(Method::PATCH, AT, wrong).await.status, 400);
    }
    image["space"] = json!(6);
    assert_eq!(desk.send(Method::PUT, AT, image.clone()).await.status, 400);
    assert_eq!(desk.send(Method::DELETE, AT, Value::Null).await.status, 204);
    for method in [Method::GET, Method::DELETE, Method::PATCH] {
        assert_eq!(desk.send(method, AT, json!({})).await.status, 410);
    }
    assert_eq!(
        desk.server.status("/iiif-img/7/5/a%2Fb/info.json").await,
        410
    );
    image["space"] = json!(5);
    assert_eq!(
        desk.send(Method::PUT, AT, image).await.status,
        201,
        "it is there again"
    );
    let unknown = "/customers/7/spaces/9/images/a";
    assert_eq!(
        desk.send(Method::PUT, unknown, desk.image("a"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn e_a_page_is_made_again_with_its_composite_only() {
    let desk = Desk::new().await;
    let at = desk.accepted(composite()).await;
    desk.make(&at, 1).await;
    let page = "/customers/7/spaces/6/images/my-pdf-000";
    let reingest = desk.post(&format!("{page}/reingest"), Value::Null).await;
    assert_eq!(reingest.status, 400);
    let patched = desk.send(Method::PATCH, page, json!({"number3": 7})).await;
    assert_eq!(patched.json()["number3"], 7);
    assert_eq!(
        desk.server
            .status("/iiif-img/7/6/my-pdf-000/info.json")
            .await,
        200
    );
}

#[tokio::test]
async fn e_the_images_of_a_space_are_listed_and_changed() {
    const ALL: &str = "/customers/7/spaces/5/images";
    let desk = Desk::new().await;
    let mut images: Vec<Value> = ["a", "b", "c", "d"].map(|id| desk.image(id)).into();
    images[1]["string1"] = json!("x y");
    images[2]["number1"] = json!(1);
    desk.post(QUEUE, collection(&images)).await;
    let listed = async |query: &str| {
        let listing = desk.get(&format!("{ALL}?{query}")).await.json();
        (
            listing["totalItems"].as_i64().unwrap(),
            ids(&listing).join(""),
        )
    };
    assert_eq!(listed("").await, (4, "abcd".to_owned()));
    assert_eq!(listed("orderByDescending=id").await, (4, "dcba".to_owned()));
    assert_eq!(listed("orderBy=number1").await, (4, "cabd".to_owned()));
    assert_eq!(listed("page=2&pageSize=3").await, (4, "d".to_owned()));
    assert_eq!(
        listed("q=%7B%22string1%22%3A%22x%20y%22%7D").await,
        (1, "b".to_owned())
    );
    assert_eq!(
        listed("q=%7B%22string1%22%3A+%22x+y%22%7D").await,
        (1, "b".to_owned()),
        "as forms have it"
    );
    assert_eq!(
        listed("q=%7B%22string1%22:%22s%22,%22number1%22:3%7D").await,
        (2, "ad".to_owned())
    );
    let page = desk
        .get(&format!("{ALL}?orderBy=id&page=2&pageSize=1"))
        .await
        .json();
    let link = |number: u32| format!("{BASE}{ALL}?orderBy=id&page={number}&pageSize=1");
    let view = &page["view"];
    assert_eq!(view["@type"], "PartialCollectionView");
    assert_eq!(
        (&view["first"], &view["previous"]),
        (&json!(link(1)), &json!(link(1)))
    );
    assert_eq!(
        (&view["next"], &view["last"]),
        (&json!(link(3)), &json!(link(4)))
    );
    assert_eq!(view["totalPages"], 4);
    for wrong in [
        "page=0",
        "page=x",
        "pageSize=1001",
        "page=1002&pageSize=1000",
        "orderBy=secret",
        "q=x",
        "q=%7B%22tags%22%3A1%7D",
        "q=%7B%22number1%22%3A%22x%22%7D",
    ] {
        assert_eq!(desk.status(&format!("{ALL}?{wrong}")).await, 400, "{wrong}");
    }
    let changes = [
        json!({"id": "a", "string2": "new"}),
        json!({"id": "unknown", "string2": "new"}),
    ];
    let changed = desk
        .send(Method::PATCH, ALL, collection(&changes))
        .await
        .json();
    assert_eq!(ids(&changed), ["a"]);
    assert_eq!(changed["member"][0]["string2"], "new");
    let wrong = [
        json!({"id": "a", "string2": "newer"}),
        json!({"id": "b", "number1": "x"}),
    ];
    assert_eq!(
        desk.send(Method::PATCH, ALL, collection(&wrong))
            .await
            .status,
        400
    );
    let a = desk.get(&format!("{ALL}/a")).await.json();
    assert_eq!(a["string2"], "new", "all or none");
}

#[tokio::test]
async fn f_pages_are_delivered_at_all_their_addresses() {
    let desk = Desk::new().await;
    let at = desk.accepted(composite()).await;
    desk.make(&at, 3).await;
    for (address, version) in [
        ("/iiif-img/7/6/my-pdf-001", 3),
        ("/iiif-img/acme/6/my-pdf-001", 3),
        ("/iiif-img/v2/7/6/my-pdf-001", 2),
        ("/iiif-img/v3/7/6/my-pdf-001", 3),
        ("/iiif/2/7%2F6%2Fmy-pdf-001", 2),
        ("/iiif/3/7%2F6%2Fmy-pdf-001", 3),
        ("/iiif/3/acme%2F6%2Fmy-pdf-001", 3),
    ] {
        let information = desk.server.json(&format!("{address}/info.json")).await;
        let id = if version == 2 { "@id" } else { "id" };
        assert_eq!(information[id], format!("{BASE}{address}"), "{address}");
        assert_eq!(
            (&information["width"], &information["height"]),
            (&json!(102), &json!(60))
        );
        let size = if version == 2 { "full" } else { "max" };
        let picture = desk
            .server
            .picture(&format!("{address}/full/{size}/0/default.png"))
            .await;
        assert_eq!((picture.width, picture.height), (102, 60), "{address}");
        let base = desk.server.get(address).await;
        assert_eq!(base.status, 303, "{address}");
        assert_eq!(
            base.header("location"),
            Some(&*format!("{BASE}{address}/info.json"))
        );
    }
    let accept = [(
        "accept",
        "application/ld+json;profile=\"http://iiif.io/api/image/2/context.json\"",
    )];
    let path = "/iiif-img/7/6/my-pdf-001/info.json";
    let information = desk.server.send(Method::GET, path, &accept).await.json();
    assert_eq!(
        information["@context"],
        "http://iiif.io/api/image/2/context.json"
    );
    for nothing in [
        "/iiif-img/7/6/my-pdf-003/info.json",
        "/iiif-img/7/5/my-pdf-001/info.json",
        "/iiif-img/8/6/my-pdf-001/info.json",
        "/iiif-img/nobody/6/my-pdf-001/info.json",
        "/iiif-img/7/6/info.json",
        "/iiif-img/7/6/my-pdf-001/full/max/0",
        "/iiif-img/chart.png/info.json",
        "/iiif-img/a/b/chart.png/info.json",
        "/iiif/3/7%2Fsix%2Fmy-pdf-001/info.json",
    ] {
        assert_eq!(desk.server.status(nothing).await, 404, "{nothing}");
    }
    assert_eq!(desk.server.status("/iiif/3/chart.png/info.json").await, 200);
}

#[tokio::test]
async fn f_an_image_is_delivered_from_its_origin() {
    let desk = Desk::new().await;
    let chart = fs::read(fixtures("images/chart.png")).unwrap();
    desk.origin.put("/chart", &chart);
    desk.post(QUEUE, collection(&[desk.image("chart")])).await;
    let early = desk.server.get("/iiif-img/7/5/chart/info.json").await;
    assert_eq!(early.status, 404);
    assert!(early.text().contains("not ready"), "{}", early.text());
    let desk = {
        let other = Desk::new().await;
        other.origin.put("/chart", &chart);
        other.post(QUEUE, collection(&[other.image("chart")])).await;
        other.looked_at("chart", Ok((1, 1))).await;
        other
    };
    let path = "/full/max/0/default.png";
    let expected = desk
        .server
        .picture(&format!("/iiif/3/chart.png{path}"))
        .await;
    let picture = desk
        .server
        .picture(&format!("/iiif-img/7/5/chart{path}"))
        .await;
    assert_eq!(picture, expected);
}

/// A folder that is not mounted: what is known to be there is not unknown.
#[tokio::test]
async fn f_a_page_whose_document_is_out_of_reach_is_503() {
    let desk = Desk::new().await;
    let at = desk.accepted(composite()).await;
    desk.make(&at, 1).await;
    let folder = desk.folder.path().join("composites");
    assert_eq!(desk.server.status("/health/ready").await, 200);
    let away = desk.folder.path().join("away");
    fs::create_dir(&away).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        fs::rename(&path, away.join(path.file_name().unwrap())).unwrap();
    }
    let page = "/iiif-img/7/6/my-pdf-000/info.json";
    assert_eq!(desk.server.status(page).await, 503);
    assert_eq!(desk.server.status("/health/ready").await, 503);
    let registry = Registry::open(&desk.registry).await.unwrap().unwrap();
    let store = Store::new(registry);
    assert!(mount::prepare(&folder, &store).await.is_err());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing is made");
    for entry in fs::read_dir(&away).unwrap() {
        let path = entry.unwrap().path();
        fs::rename(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    assert_eq!(desk.server.status(page).await, 200);
    assert_eq!(desk.server.status("/health/ready").await, 200);
    assert!(mount::prepare(&folder, &store).await.is_ok());
}

#[tokio::test]
async fn f_the_folder_and_the_origins_are_those_of_customers_only() {
    let desk = Desk::with(None, |config| {
        config.registry.token = Some("correct-horse-battery-staple".parse().unwrap());
    })
    .await;
    desk.origin
        .put("/chart", &fs::read(fixtures("images/chart.png")).unwrap());
    let bearer = [("authorization", "Bearer correct-horse-battery-staple")];
    let put = format!("/resources?id=x&uri={}chart", desk.origin.url());
    assert_eq!(
        desk.server.send(Method::PUT, &put, &bearer).await.status,
        201
    );
    let status = desk.server.status("/iiif/3/x/info.json").await;
    assert_eq!(
        status, 503,
        "no source is configured for the registry's entries"
    );
}

#[tokio::test]
async fn g_requests_have_limits() {
    let desk = Desk::with(None, |config| {
        config.composites.max_body = 2000;
        config.composites.max_members = 2;
    })
    .await;
    let images = [desk.image("a"), desk.image("b"), desk.image("c")];
    let answer = desk.post(QUEUE, collection(&images)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("3 elements, of 2 at most"));
    let mut large = desk.image("a");
    large["string1"] = json!("x".repeat(2000));
    let answer = desk.post(QUEUE, collection(&[large])).await;
    assert_eq!(answer.status, 413);
    assert_eq!(document(&answer)["statusCode"], 413);
    let announced = [("content-length", "2001")];
    let answer = desk.server.send(Method::POST, QUEUE, &announced).await;
    assert_eq!(answer.status, 401, "who it is comes first");
}

#[tokio::test]
async fn h_only_the_customer_itself_is_answered() {
    let desk = Desk::new().await;
    let at = desk.accepted(composite()).await;
    let collection = at.split("/members/").next().unwrap().to_owned();
    let batch = desk.make(&at, 1).await.batches[0];
    let batch = format!("/customers/7/queue/batches/{batch}");
    let image = "/customers/7/spaces/6/images/my-pdf-000";
    let paths = [
        QUEUE,
        &at,
        &collection,
        &batch,
        image,
        "/customers/7/spaces/6/images",
    ];
    for path in paths {
        assert_eq!(desk.status(path).await, 200, "{path}");
        let answer = desk.server.get(path).await;
        assert_eq!(answer.status, 401, "{path}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic "), "{challenge}");
        assert_eq!(document(&answer)["@type"], "Error");
        for wrong in ["key-7:other secret", "key-7:", "key-8:secret", ":"] {
            let answer = desk.send_as(wrong, Method::GET, path, Body::empty()).await;
            assert_eq!(answer.status, 401, "{path} as {wrong}");
        }
        let other = desk.send_as("key-8:other secret", Method::GET, path, Body::empty());
        assert_eq!(other.await.status, 404, "{path}");
    }
    let of_other = batch.replace("/7/", "/8/");
    let answer = desk
        .send_as("key-8:other secret", Method::GET, &of_other, Body::empty())
        .await;
    assert_eq!(answer.status, 404);
    let posted = desk.server.send(Method::POST, QUEUE, &[]).await;
    assert_eq!(posted.status, 401);
    let browser = [
        ("authorization", "Basic a2V5LTc6c2VjcmV0"),
        ("sec-fetch-site", "cross-site"),
    ];
    let answer = desk.server.send(Method::POST, QUEUE, &browser).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    for unknown in [
        "/collections/x",
        "/collections/00000000-0000-0000-0000-000000000000",
        "/collections/x/members/y",
        "/customers/7/queue/batches/x",
        "/customers/7/queue/batches/4711",
        "/customers/acme/queue",
    ] {
        assert_eq!(desk.status(unknown).await, 404, "{unknown}");
    }
}

/// Unlike them, who is known is answered at once.
#[tokio::test]
async fn h_strangers_are_refused_before_they_queue_up() {
    let desk = Desk::new().await;
    assert_eq!(desk.status(QUEUE).await, 200);
    let strangers = (0..64).map(|number| {
        let desk = &desk;
        async move {
            let user = format!("key-7:{number}");
            desk.send_as(&user, Method::GET, QUEUE, Body::empty()).await
        }
    });
    let strangers = futures_util::future::join_all(strangers);
    let (answers, known) = futures_util::future::join(strangers, desk.status(QUEUE)).await;
    assert_eq!(known, 200);
    let busy: Vec<_> = answers.iter().filter(|each| each.status == 503).collect();
    assert!((1..64).contains(&busy.len()), "{} of 64", busy.len());
    assert!(busy.iter().all(|each| each.header("retry-after").is_some()));
    let refused = answers.iter().filter(|each| each.status == 401).count();
    assert_eq!(refused + busy.len(), 64);
}

#[tokio::test]
async fn h_403_where_the_composite_handler_has_it() {
    let desk = Desk::with(None, |config| config.composites.unauthorized = 403).await;
    let answer = desk.server.get(QUEUE).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(desk.status(QUEUE).await, 200);
}

#[tokio::test]
async fn j_a_composite_is_replaced_and_its_surplus_pages_are_gone() {
    let desk = Desk::new().await;
    let first = desk.accepted(composite()).await;
    desk.make(&first, 3).await;
    let page = |number: u32| format!("/iiif-img/7/6/my-pdf-00{number}/info.json");
    let second = desk.accepted(composite()).await;
    desk.make(&second, 2).await;
    let done = desk.get(&second).await.json();
    assert_eq!(
        (&done["image_count"], &done["retired_count"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(desk.server.status(&page(1)).await, 200);
    assert_eq!(desk.server.status(&page(2)).await, 410);
    assert_eq!(
        desk.status("/customers/7/spaces/6/images/my-pdf-002").await,
        410
    );
    let third = desk.accepted(composite()).await;
    let fourth = desk.accepted(composite()).await;
    let replaced = desk.get(&third).await;
    assert_eq!(replaced.status, 422);
    let told = document(&replaced);
    assert!(
        told["error"].as_str().unwrap().starts_with("replaced by"),
        "{told}"
    );
    assert_eq!(desk.get(&fourth).await.json()["status"], "PENDING");
    assert_eq!(desk.get(&first).await.json()["status"], "COMPLETED");
}

#[tokio::test]
async fn there_is_nothing_where_no_folder_is_configured_and_elsewhere_under_its_prefix() {
    let none = Desk::with(None, |config| config.composites.folder = None).await;
    for path in [QUEUE, "/collections/x", "/iiif-img/7/6/x/info.json"] {
        assert_eq!(none.status(path).await, 404, "{path}");
    }
    let desk = Desk::with(None, |config| {
        "/dlcs/api".clone_into(&mut config.composites.prefix)
    })
    .await;
    assert_eq!(desk.status(QUEUE).await, 404);
    let answer = desk
        .post(&format!("/dlcs/api{QUEUE}"), collection(&[composite()]))
        .await;
    assert_eq!(answer.status, 202);
    let at = path(&document(&answer)["members"][0]["id"]);
    assert!(at.starts_with("/dlcs/api/collections/"), "{at}");
    assert_eq!(desk.status(&at).await, 200);
}

/// In the order of the pages, across batches, and labelled with the string that tells them apart.
#[tokio::test]
async fn f_a_composite_and_its_batches_have_manifests() {
    let desk = Desk::new().await;
    let at = desk.accepted(composite()).await;
    let id = at.rsplit('/').next().unwrap();
    let manifest = |version: u8| format!("/presentation/{version}/composites/{id}/manifest");
    assert_eq!(desk.status(&manifest(3)).await, 404, "it is not finished");
    let member = desk.make(&at, 3).await;
    let shown = desk.server.json(&manifest(3)).await;
    assert_eq!(shown["id"], format!("{BASE}{}", manifest(3)));
    assert_eq!(shown["label"]["none"][0], "my-pdf");
    let canvases = shown["items"].as_array().unwrap();
    let labels: Vec<_> = canvases.iter().map(|it| &it["label"]["none"][0]).collect();
    assert_eq!(labels, ["my-id-000", "my-id-001", "my-id-002"]);
    for canvas in canvases {
        let service = &canvas["items"][0]["items"][0]["body"]["service"][0]["id"];
        let information = format!("{}/info.json", path(service));
        let information = desk.server.json(&information).await;
        assert_eq!(information["id"], *service);
        let sides = |it: &Value| (it["width"].clone(), it["height"].clone());
        assert_eq!(sides(&information), sides(canvas));
    }
    let older = desk.server.json(&manifest(2)).await;
    let sequence = older["sequences"][0]["canvases"].as_array().unwrap();
    assert_eq!(sequence.len(), 3);
    let batch = member.batches[1];
    let of_batch = format!("/presentation/3/batches/7/{batch}/manifest");
    let shown = desk.server.json(&of_batch).await;
    assert_eq!(shown["items"].as_array().unwrap().len(), 1);
    assert_eq!(shown["label"]["none"][0], format!("Batch {batch}"));
    for absent in [
        format!("/presentation/3/batches/8/{batch}/manifest"),
        "/presentation/3/batches/7/99999/manifest".to_owned(),
        "/presentation/3/composites/nothing/manifest".to_owned(),
    ] {
        let answer = desk.server.get(&absent).await;
        assert_eq!(answer.status, 404, "{absent}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let etag = desk.server.get(&manifest(3)).await;
    let copy = [("if-none-match", etag.header("etag").unwrap())];
    let confirmed = desk.server.send(Method::GET, &manifest(3), &copy).await;
    assert_eq!(confirmed.status, 304);
}

/// What nobody may see any page of is as if there were none, to caches and by any other sign, too.
#[tokio::test]
async fn what_has_only_closed_pages_is_not_told_of() {
    let desk = Desk::with(None, |config| {
        config.access = toml::from_str("[[rules]]\nsources = ['composites']").unwrap();
    })
    .await;
    let at = desk.accepted(composite()).await;
    let id = at.rsplit('/').next().unwrap();
    let manifest = format!("/presentation/3/composites/{id}/manifest");
    let absent = "/presentation/3/composites/nothing/manifest";
    for state in ["unfinished", "finished"] {
        for headers in [vec![], vec![("if-none-match", "*")]] {
            let closed = desk.server.send(Method::GET, &manifest, &headers).await;
            let absent = desk.server.send(Method::GET, absent, &headers).await;
            assert_eq!(closed.status, 404, "{state}");
            for name in ["etag", "cache-control", "vary"] {
                assert_eq!(closed.header(name), absent.header(name), "{state} {name}");
            }
            assert_eq!(closed.text(), absent.text(), "{state}");
        }
        if state == "unfinished" {
            desk.make(&at, 3).await;
        }
    }
}

#[tokio::test]
async fn f_a_batch_with_an_image_that_failed_is_shown_without_it_and_not_kept() {
    let desk = Desk::new().await;
    let batch = desk.post(QUEUE, collection(&[desk.image("one"), desk.image("two")]));
    let batch = document(&batch.await);
    let id = batch["@id"].as_str().unwrap().rsplit('/').next().unwrap();
    let manifest = format!("/presentation/3/batches/7/{id}/manifest");
    desk.looked_at("one", Ok((120, 80))).await;
    assert_eq!(desk.status(&manifest).await, 404, "it is not finished");
    desk.looked_at("two", Err("there is no such file")).await;
    let answer = desk.server.get(&manifest).await;
    let shown = answer.json();
    assert_eq!(shown["items"].as_array().unwrap().len(), 1);
    assert_eq!(shown["summary"]["en"][0], "1 of 2 images are shown.");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("etag"), None);
}
