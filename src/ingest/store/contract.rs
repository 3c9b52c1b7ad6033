//! What the store promises, whatever database keeps it.

use std::cell::Cell;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};
use tempfile::TempDir;

use super::*;
use crate::ingest::fields::Fields;
use crate::page::Page;
use crate::registry::config::RegistryConfig;
use crate::registry::postgres_server::PostgresServer;

const CUSTOMER: i64 = 7;
const ALL: Window = Window {
    page: 1,
    size: 1000,
};
const PLAIN: Order = Order {
    by: None,
    is_descending: false,
};

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let folder = TempDir::new().unwrap();
    keeps_the_contract(|case| format!("sqlite:{}/{case}.db", folder.path().display())).await;
}

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let server = PostgresServer::start();
    keeps_the_contract(|case| server.new_database(case)).await;
}

/// Each case with a database of its own.
async fn keeps_the_contract(new: impl Fn(&str) -> String) {
    what_is_accepted_is_found(&open(&new("accepted")).await).await;
    a_member_goes_through_its_states(&open(&new("states")).await).await;
    pages_become_assets(&open(&new("pages")).await).await;
    a_composite_is_replaced(&open(&new("replaced")).await).await;
    what_is_replaced_while_it_is_made_stops(&open(&new("stopped")).await).await;
    of_two_at_once_one_remains(&open(&new("race")).await).await;
    composites_without_a_name_stay_apart(&open(&new("unnamed")).await).await;
    a_batch_counts_its_assets(&open(&new("batch")).await).await;
    a_batch_is_superseded(&open(&new("superseded")).await).await;
    an_asset_is_put_changed_and_retired(&open(&new("asset")).await).await;
    an_asset_is_served_while_it_is_ingested_again(&open(&new("again")).await).await;
    files_are_kept_while_an_asset_is_delivered_from_them(&open(&new("kept")).await).await;
    files_that_a_replaced_composite_left_are_removed(&open(&new("leaving")).await).await;
    a_composite_takes_over_an_asset_that_a_batch_waits_for(&open(&new("taken")).await).await;
    what_was_found_before_it_was_asked_again_is_not_told(&open(&new("stale")).await).await;
    assets_are_listed_by_what_is_said_of_them(&open(&new("listed")).await).await;
    five_thousand_pages_are_one_change(&open(&new("large")).await).await;
}

async fn open(url: &str) -> Store {
    let config = RegistryConfig {
        url: Some(url.parse().unwrap()),
        timeout_ms: 60_000,
        ..RegistryConfig::default()
    };
    Store::new(Registry::open(&config).await.unwrap().unwrap())
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// With `page-000` and so on in space 5.
fn composite(composite_id: Option<&str>) -> Composite {
    let mut fields = object(json!({
        "@type": "vocab:Composite", "id": "page-{:03d}", "space": 5, "origin": "https://example.org/a.pdf",
        "incrementSeed": 0, "number1": "{}",
    }));
    if let Some(id) = composite_id {
        fields.insert("compositeId".to_owned(), json!(id));
    }
    Composite(fields)
}

fn place(page: u32) -> Place {
    Place {
        location: "composites:ab/a.pdf".to_owned(),
        page: Page::new(page).unwrap(),
        resolution: Some(300),
        cut: Some("crop".to_owned()),
        width: 2480,
        height: 3508 + page,
    }
}

fn places(count: u32) -> Vec<Place> {
    (1..=count).map(place).collect()
}

/// In the folder of a member.
fn places_of(member: &Member, count: u32) -> Vec<Place> {
    let location = format!("composites:members/{}/1/document", member.id);
    let at = |place| Place {
        location: location.clone(),
        ..place
    };
    places(count).into_iter().map(at).collect()
}

fn image(id: &str, fields: Value) -> NewAsset {
    let mut fields = object(fields);
    fields.insert(
        "origin".to_owned(),
        json!(format!("https://example.org/{id}")),
    );
    NewAsset {
        space: 5,
        id: id.to_owned(),
        fields: Fields::of(&fields),
        place: None,
    }
}

fn key(id: &str) -> AssetKey {
    AssetKey {
        customer: CUSTOMER,
        space: 5,
        id: id.to_owned(),
    }
}

async fn accept(store: &Store, composite: Composite) -> Member {
    let accepted = store.accept(CUSTOMER, &[composite], false).await.unwrap();
    accepted.members.into_iter().next().unwrap()
}

async fn complete(store: &Store, member: &Member, count: u32) -> Result<Member, Outdated> {
    let places = places_of(member, count);
    store.complete(member, &places, 2).await.unwrap()
}

/// The last job of a kind and subject, if it is not over.
async fn job(store: &Store, kind: &str, subject: &str) -> Option<Lease> {
    let asking = async |c: &mut AnyConnection| {
        sqlx::query("SELECT id, lease FROM jobs WHERE kind = $1 AND subject = $2 AND finished IS NULL ORDER BY id DESC LIMIT 1")
            .bind(kind)
            .bind(subject)
            .fetch_optional(c)
            .await
    };
    let row = store.database().read(asking).await.unwrap()?;
    Some(Lease {
        job: row.get(0),
        number: row.get(1),
    })
}

async fn is_discarded(store: &Store, member: &Member) -> bool {
    job(store, DISCARD, &member.id.to_string()).await.is_some()
}

/// As a worker would say it who has the job.
async fn ingested(store: &Store, id: &str, origin: &str, outcome: Result<&Place, &str>) -> bool {
    let none = Lease { job: 0, number: 0 };
    let lease = job(store, ASSET, &key(id).to_string())
        .await
        .unwrap_or(none);
    let key = key(id);
    let told = store.ingested(lease, &key, origin, outcome);
    told.await.unwrap()
}

async fn member(store: &Store, id: Uuid) -> Member {
    store.member(id).await.unwrap().unwrap()
}

async fn ids(store: &Store, filter: Filter, order: Order, window: Window) -> (i64, Vec<String>) {
    let listing = store
        .assets(CUSTOMER, &filter, order, window)
        .await
        .unwrap();
    let ids = listing.members.into_iter().map(|asset| asset.key.id);
    (listing.total, ids.collect())
}

async fn what_is_accepted_is_found(store: &Store) {
    let composites = [composite(Some("a")), composite(Some("b ü"))];
    let accepted = store.accept(CUSTOMER, &composites, false).await.unwrap();
    let found = store.collection(accepted.id).await.unwrap().unwrap();
    assert_eq!(found, accepted);
    assert_eq!(found.customer, CUSTOMER);
    assert_eq!(found.members[1].composite, composites[1]);
    assert_eq!(found.members[1].name, "b ü");
    assert_eq!(found.members[0].status, Status::Pending);
    let of_one = member(store, accepted.members[0].id).await;
    assert_eq!(of_one, accepted.members[0]);
    let unknown = Uuid::from_u128(1);
    assert_eq!(store.collection(unknown).await.unwrap(), None);
    assert_eq!(store.member(unknown).await.unwrap(), None);
    let waiting = store.waiting(CUSTOMER).await.unwrap();
    assert_eq!((waiting.composites, waiting.images), (2, 0));
}

async fn a_member_goes_through_its_states(store: &Store) {
    let id = accept(store, composite(None)).await.id;
    let advance = async |status, document: Option<&str>, image_count| {
        let progress = Progress {
            document: document.map(str::to_owned),
            image_count,
        };
        store.advance(id, status, &progress).await.unwrap()
    };
    advance(Status::FetchingOrigin, None, None).await.unwrap();
    advance(Status::Rasterizing, Some("composites:x"), None)
        .await
        .unwrap();
    advance(Status::PushingToDlcs, None, Some(3)).await.unwrap();
    advance(Status::BuildingDlcsRequest, None, None)
        .await
        .unwrap();
    let now = member(store, id).await;
    assert_eq!(now.status, Status::BuildingDlcsRequest);
    assert_eq!(now.document.as_deref(), Some("composites:x"));
    assert_eq!(now.image_count, Some(3));
    assert!(now.updated >= now.created);
    assert_eq!(store.fail(id, "no such file").await.unwrap(), Ok(()));
    let now = member(store, id).await;
    assert_eq!(now.status, Status::Error);
    assert_eq!(now.error.as_deref(), Some("no such file"));
    assert_eq!(
        advance(Status::Rasterizing, None, None).await,
        Err(Outdated)
    );
    assert_eq!(store.fail(id, "again").await.unwrap(), Err(Outdated));
    assert_eq!(complete(store, &now, 1).await, Err(Outdated));
    assert_eq!(store.asset(&key("page-000")).await.unwrap(), None);
}

async fn pages_become_assets(store: &Store) {
    let accepted = accept(store, composite(Some("a"))).await;
    assert_eq!(
        store.deliver(&key("page-002")).await.unwrap(),
        Delivery::Unknown
    );
    let done = complete(store, &accepted, 3).await.unwrap();
    assert_eq!(done.status, Status::Completed);
    assert_eq!((done.image_count, done.retired), (Some(3), Some(0)));
    assert_eq!(done.batches.len(), 2, "of two at most");
    assert_eq!(done, member(store, accepted.id).await);
    let asset = store.asset(&key("page-002")).await.unwrap().unwrap();
    assert_eq!(asset.place, Some(places_of(&accepted, 3).remove(2)));
    assert_eq!(asset.fields.numbers[0], Some(2));
    assert_eq!(asset.member, Some(accepted.id));
    assert_eq!(asset.composite.as_deref(), Some("a"));
    assert_eq!(asset.batch, Some(done.batches[1]));
    assert!(!asset.is_ingesting());
    let expected = Delivery::At {
        location: format!("composites:members/{}/1/document", accepted.id),
        page: Page::new(3).unwrap(),
    };
    assert_eq!(store.deliver(&key("page-002")).await.unwrap(), expected);
    let batch = store
        .batch(CUSTOMER, done.batches[0])
        .await
        .unwrap()
        .unwrap();
    assert_eq!((batch.count, batch.completed, batch.errors), (2, 2, 0));
    assert!(batch.finished.is_some() && !batch.is_superseded);
    assert_eq!(store.batch(8, done.batches[0]).await.unwrap(), None);
    // Once more, as after a crash before the queue was told.
    assert_eq!(complete(store, &accepted, 3).await, Err(Outdated));
    let of_batch = ids(store, Filter::Batch(batch.id), PLAIN, ALL).await;
    assert_eq!(
        of_batch,
        (2, vec!["page-000".to_owned(), "page-001".to_owned()])
    );
}

async fn a_composite_is_replaced(store: &Store) {
    let first = accept(store, composite(Some("a"))).await;
    complete(store, &first, 3).await.unwrap();
    let second = accept(store, composite(Some("a"))).await;
    let of_third = store.deliver(&key("page-002")).await.unwrap();
    assert!(
        matches!(of_third, Delivery::At { .. }),
        "until it is replaced"
    );
    let done = complete(store, &second, 2).await.unwrap();
    assert_eq!((done.image_count, done.retired), (Some(2), Some(1)));
    assert_eq!(
        store.deliver(&key("page-002")).await.unwrap(),
        Delivery::Gone
    );
    assert!(matches!(
        store.deliver(&key("page-001")).await.unwrap(),
        Delivery::At { .. }
    ));
    let old = member(store, first.id).await;
    assert_eq!(old.status, Status::Completed);
    let batch = store
        .batch(CUSTOMER, old.batches[0])
        .await
        .unwrap()
        .unwrap();
    assert!(batch.is_superseded);
    let third = accept(store, composite(Some("a"))).await;
    let done = complete(store, &third, 4).await.unwrap();
    assert_eq!(done.retired, Some(0));
    assert!(matches!(
        store.deliver(&key("page-002")).await.unwrap(),
        Delivery::At { .. }
    ));
    let elsewhere = store
        .accept(8, &[composite(Some("a"))], false)
        .await
        .unwrap();
    complete(store, &elsewhere.members[0], 1).await.unwrap();
    let (total, _) = ids(
        store,
        Filter::Space {
            space: 5,
            conditions: Vec::new(),
        },
        PLAIN,
        ALL,
    )
    .await;
    assert_eq!(total, 4, "of the other customer, nothing is replaced");
}

async fn what_is_replaced_while_it_is_made_stops(store: &Store) {
    let first = accept(store, composite(Some("a"))).await;
    let second = accept(store, composite(Some("a"))).await;
    let old = member(store, first.id).await;
    assert_eq!(old.status, Status::Error);
    assert!(old.error.unwrap().contains(&second.id.to_string()));
    let advanced = store
        .advance(first.id, Status::Rasterizing, &Progress::default())
        .await;
    assert_eq!(advanced.unwrap(), Err(Outdated));
    assert_eq!(complete(store, &first, 3).await, Err(Outdated));
    complete(store, &second, 2).await.unwrap();
}

async fn of_two_at_once_one_remains(store: &Store) {
    let accepting = (0..8).map(|_| accept(store, composite(Some("a"))));
    let members = futures_util::future::join_all(accepting).await;
    let completing = members.iter().map(|member| complete(store, member, 2));
    let done = futures_util::future::join_all(completing).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    let mut statuses = Vec::new();
    for each in &members {
        statuses.push(member(store, each.id).await.status);
    }
    let of = |status| statuses.iter().filter(|each| **each == status).count();
    assert_eq!((of(Status::Completed), of(Status::Error)), (1, 7));
}

async fn composites_without_a_name_stay_apart(store: &Store) {
    let first = accept(store, composite(None)).await;
    let second = accept(store, composite(None)).await;
    complete(store, &first, 3).await.unwrap();
    let done = complete(store, &second, 2).await.unwrap();
    assert_eq!(
        done.retired,
        Some(0),
        "the third page stays that of the first"
    );
    let third = store.asset(&key("page-002")).await.unwrap().unwrap();
    assert_eq!((third.member, third.is_retired), (Some(first.id), false));
}

async fn a_batch_counts_its_assets(store: &Store) {
    let images = [
        image("b", json!({})),
        image("a", json!({})),
        image("c", json!({})),
    ];
    let batch = store.submit(CUSTOMER, &images, true).await.unwrap();
    assert_eq!((batch.count, batch.completed, batch.errors), (3, 0, 0));
    assert_eq!(batch.finished, None);
    assert_eq!(store.deliver(&key("a")).await.unwrap(), Delivery::NotReady);
    let waiting = store.waiting(CUSTOMER).await.unwrap();
    assert_eq!((waiting.batches, waiting.images), (1, 3));
    let active = store.batches(CUSTOMER, Which::Active, ALL).await.unwrap();
    assert_eq!(
        (active.total, &active.members[..]),
        (1, &[batch.clone()][..])
    );
    let done = |id: &'static str, error: Option<&'static str>| async move {
        let place = place(1);
        let outcome = error.map_or(Ok(&place), Err);
        let origin = format!("https://example.org/{id}");
        ingested(store, id, &origin, outcome).await
    };
    assert!(done("a", None).await);
    assert!(done("b", Some("no image")).await);
    assert!(!done("b", None).await, "it is finished already");
    let now = store.batch(CUSTOMER, batch.id).await.unwrap().unwrap();
    assert_eq!((now.completed, now.errors, now.finished), (2, 1, None));
    assert!(done("c", None).await);
    let now = store.batch(CUSTOMER, batch.id).await.unwrap().unwrap();
    assert_eq!((now.completed, now.errors), (3, 1));
    assert!(now.finished.is_some());
    let of = async |filter| ids(store, filter, PLAIN, ALL).await.1.join("");
    assert_eq!(of(Filter::Batch(batch.id)).await, "bac");
    assert_eq!(of(Filter::Submitted(batch.id)).await, "bac");
    assert_eq!(of(Filter::Completed(batch.id)).await, "ac");
    assert_eq!(of(Filter::Failed(batch.id)).await, "b");
    let recent = store.batches(CUSTOMER, Which::Recent, ALL).await.unwrap();
    assert_eq!(recent.members, [now]);
    let others = store.batches(8, Which::All, ALL).await.unwrap();
    assert_eq!((others.total, others.members), (0, Vec::new()));
    assert_eq!(store.waiting(CUSTOMER).await.unwrap(), Waiting::default());
}

async fn a_batch_is_superseded(store: &Store) {
    let images = [image("a", json!({})), image("b", json!({}))];
    let first = store.submit(CUSTOMER, &images, false).await.unwrap();
    let second = store.submit(CUSTOMER, &images[..1], false).await.unwrap();
    let now = store.batch(CUSTOMER, first.id).await.unwrap().unwrap();
    assert_eq!((now.completed, now.is_superseded), (1, false));
    store.put(CUSTOMER, &images[1]).await.unwrap();
    let now = store.batch(CUSTOMER, first.id).await.unwrap().unwrap();
    assert_eq!((now.completed, now.errors, now.is_superseded), (2, 0, true));
    assert!(now.finished.is_some());
    let of = async |filter| ids(store, filter, PLAIN, ALL).await.1.join("");
    assert_eq!(of(Filter::Batch(first.id)).await, "");
    assert_eq!(of(Filter::Submitted(first.id)).await, "ab");
    assert_eq!(of(Filter::Batch(second.id)).await, "a");
    let window = Window { page: 2, size: 1 };
    let listed = store.batches(CUSTOMER, Which::All, window).await.unwrap();
    assert_eq!((listed.total, listed.members[0].id), (2, second.id));
}

async fn an_asset_is_put_changed_and_retired(store: &Store) {
    let new = image("a", json!({"string1": "x", "number1": 3, "roles": ["r"]}));
    assert!(store.put(CUSTOMER, &new).await.unwrap());
    assert!(!store.put(CUSTOMER, &new).await.unwrap());
    let asset = store.asset(&key("a")).await.unwrap().unwrap();
    assert_eq!(asset.fields, new.fields);
    assert!(asset.is_ingesting());
    let origin = &asset.fields.origin;
    assert!(!ingested(store, "a", "https://example.org/other", Ok(&place(1))).await);
    assert!(ingested(store, "a", origin, Ok(&place(1))).await);
    let patch = async |change| {
        let changes = [(key("a"), object(change)), (key("unknown"), Map::new())];
        let mut changed = store.patch(&changes).await.unwrap().unwrap();
        assert_eq!(changed.len(), 1);
        changed.remove(0)
    };
    let changed = patch(json!({"string1": "y", "roles": null})).await;
    assert_eq!(changed.fields.strings[0].as_deref(), Some("y"));
    assert_eq!(changed.fields.numbers[0], Some(3));
    assert!(changed.fields.others.is_empty() && !changed.is_ingesting());
    assert_eq!(store.asset(&key("a")).await.unwrap(), Some(changed));
    let long = json!("x".repeat(10_000));
    let longer = patch(json!({"metadata": long})).await;
    let too_long = [(key("a"), object(json!({"number1": 4, "more": long})))];
    assert_eq!(store.patch(&too_long).await.unwrap(), Err(TooLong));
    assert_eq!(store.asset(&key("a")).await.unwrap(), Some(longer));
    let moved = patch(json!({"origin": "https://example.org/b"})).await;
    assert!(moved.is_ingesting() && moved.place.is_some());
    assert!(store.retire(&key("a")).await.unwrap());
    assert!(!store.retire(&key("a")).await.unwrap());
    assert_eq!(store.deliver(&key("a")).await.unwrap(), Delivery::Gone);
    assert!(
        store
            .patch(&[(key("a"), Map::new())])
            .await
            .unwrap()
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.reingest(&key("a")).await.unwrap(), None);
    assert!(!ingested(store, "a", "https://example.org/b", Ok(&place(1))).await);
    assert!(store.put(CUSTOMER, &new).await.unwrap(), "it is new again");
    assert_eq!(store.deliver(&key("a")).await.unwrap(), Delivery::NotReady);
}

async fn an_asset_is_served_while_it_is_ingested_again(store: &Store) {
    let new = image("a", json!({}));
    store.put(CUSTOMER, &new).await.unwrap();
    let origin = &new.fields.origin;
    let found = Place {
        location: origin.clone(),
        ..place(1)
    };
    ingested(store, "a", origin, Ok(&found)).await;
    let served = store.deliver(&key("a")).await.unwrap();
    assert!(matches!(served, Delivery::At { .. }));
    let again = store.reingest(&key("a")).await.unwrap().unwrap();
    assert!(again.is_ingesting());
    assert_eq!(store.deliver(&key("a")).await.unwrap(), served);
    ingested(store, "a", origin, Err("it is away")).await;
    let asset = store.asset(&key("a")).await.unwrap().unwrap();
    assert_eq!(asset.error.as_deref(), Some("it is away"));
    assert_eq!(store.deliver(&key("a")).await.unwrap(), served);
    let origin = "https://example.org/elsewhere";
    let moved = [(key("a"), object(json!({"origin": origin})))];
    store.patch(&moved).await.unwrap().unwrap();
    assert_eq!(store.deliver(&key("a")).await.unwrap(), served);
    assert!(ingested(store, "a", origin, Err("it is away")).await);
    let delivered = store.deliver(&key("a")).await.unwrap();
    assert_eq!(delivered, Delivery::NotReady, "that was another image");
    let asset = store.asset(&key("a")).await.unwrap().unwrap();
    assert_eq!(asset.place, None);
    let page = accept(store, composite(Some("a"))).await;
    complete(store, &page, 1).await.unwrap();
    let page = store.reingest(&key("page-000")).await.unwrap().unwrap();
    assert!(
        !page.is_ingesting(),
        "its composite is posted again for that"
    );
}

async fn files_are_kept_while_an_asset_is_delivered_from_them(store: &Store) {
    let first = accept(store, composite(Some("a"))).await;
    assert!(store.is_needed(first.id).await.unwrap(), "it is being made");
    complete(store, &first, 3).await.unwrap();
    let moved = image("page-000", json!({}));
    store.put(CUSTOMER, &moved).await.unwrap();
    let second = accept(store, composite(Some("a"))).await;
    for id in ["page-001", "page-002"] {
        store.retire(&key(id)).await.unwrap();
    }
    assert!(
        is_discarded(store, &first).await,
        "later, if it is not needed"
    );
    assert!(
        store.is_needed(first.id).await.unwrap(),
        "until the first is found"
    );
    let lease = job(store, DISCARD, &first.id.to_string()).await.unwrap();
    store.queue().finish(lease, None).await.unwrap();
    ingested(store, "page-000", &moved.fields.origin, Ok(&place(1))).await;
    assert!(is_discarded(store, &first).await);
    assert!(!store.is_needed(first.id).await.unwrap());
    store
        .fail(second.id, "no such file")
        .await
        .unwrap()
        .unwrap();
    assert!(!store.is_needed(second.id).await.unwrap());
    assert!(!store.is_needed(Uuid::from_u128(1)).await.unwrap());
}

/// Of this composite, or of another one with the same pages.
async fn files_that_a_replaced_composite_left_are_removed(store: &Store) {
    let first = accept(store, composite(Some("a"))).await;
    let progress = Progress {
        document: Some(places_of(&first, 1)[0].location.clone()),
        image_count: None,
    };
    let advanced = store.advance(first.id, Status::Rasterizing, &progress);
    advanced.await.unwrap().unwrap();
    complete(store, &first, 1).await.unwrap();
    store.retire(&key("page-000")).await.unwrap();
    let lease = job(store, DISCARD, &first.id.to_string()).await.unwrap();
    // As if it had been kept by an Azulejo that did not see this.
    store.queue().finish(lease, None).await.unwrap();
    let second = accept(store, composite(Some("a"))).await;
    complete(store, &second, 2).await.unwrap();
    assert!(is_discarded(store, &first).await && !is_discarded(store, &second).await);
    let other = accept(store, composite(Some("b"))).await;
    complete(store, &other, 2).await.unwrap();
    assert!(is_discarded(store, &second).await && !is_discarded(store, &other).await);
    assert!(!store.is_needed(second.id).await.unwrap());
}

async fn a_composite_takes_over_an_asset_that_a_batch_waits_for(store: &Store) {
    let images = [image("page-000", json!({}))];
    let batch = store.submit(CUSTOMER, &images, false).await.unwrap();
    let page = accept(store, composite(Some("a"))).await;
    let subject = key("page-000").to_string();
    assert!(job(store, ASSET, &subject).await.is_some());
    complete(store, &page, 3).await.unwrap();
    let now = store.batch(CUSTOMER, batch.id).await.unwrap().unwrap();
    assert!(now.finished.is_some() && now.is_superseded, "{now:?}");
    assert_eq!(job(store, ASSET, &subject).await, None);
    assert_eq!(store.waiting(CUSTOMER).await.unwrap(), Waiting::default());
}

async fn what_was_found_before_it_was_asked_again_is_not_told(store: &Store) {
    let new = image("a", json!({}));
    store.put(CUSTOMER, &new).await.unwrap();
    let first = store.queue().claim().await.unwrap().unwrap();
    store.reingest(&key("a")).await.unwrap();
    let origin = &new.fields.origin;
    let told = async |lease, outcome| store.ingested(lease, &key("a"), origin, outcome).await;
    assert!(!told(first.lease, Err("it is away")).await.unwrap());
    let second = store.queue().claim().await.unwrap().unwrap();
    assert!(told(second.lease, Ok(&place(1))).await.unwrap());
    let asset = store.asset(&key("a")).await.unwrap().unwrap();
    assert_eq!((asset.error, asset.place), (None, Some(place(1))));
}

/// PostgreSQL chooses one of those who wait for each other.
#[tokio::test]
async fn a_change_that_was_in_the_way_of_another_is_made_once_more() {
    let server = PostgresServer::start();
    let store = open(&server.new_database("conflict")).await;
    for state in ["40P01", "40001"] {
        let attempts = Cell::new(0);
        let change = || {
            let is_first = attempts.replace(attempts.get() + 1) == 0;
            store.database().write(async move |c| {
                if is_first {
                    let conflict = format!("DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$");
                    sqlx::raw_sql(AssertSqlSafe(conflict)).execute(c).await?;
                }
                Ok(())
            })
        };
        once_more_if_in_the_way(change).await.unwrap();
        assert_eq!(attempts.get(), 2);
    }
}

async fn assets_are_listed_by_what_is_said_of_them(store: &Store) {
    for (id, string1, number1) in [("a", "x", 3), ("b", "y", 2), ("c", "x", 1), ("d", "x", 3)] {
        let new = image(id, json!({"string1": string1, "number1": number1}));
        store.put(CUSTOMER, &new).await.unwrap();
    }
    store.retire(&key("d")).await.unwrap();
    let of = async |conditions, order, window| {
        let filter = Filter::Space {
            space: 5,
            conditions,
        };
        let (total, ids) = ids(store, filter, order, window).await;
        (total, ids.join(""))
    };
    let field = |name| Field::named(name).unwrap();
    let by = |name, is_descending| Order {
        by: Some(field(name)),
        is_descending,
    };
    let some = |total, ids: &str| (total, ids.to_owned());
    assert_eq!(of(Vec::new(), PLAIN, ALL).await, some(3, "abc"));
    assert_eq!(
        of(Vec::new(), by("number1", false), ALL).await,
        some(3, "cba")
    );
    assert_eq!(of(Vec::new(), by("id", true), ALL).await, some(3, "cba"));
    let window = Window { page: 2, size: 2 };
    assert_eq!(of(Vec::new(), PLAIN, window).await, some(3, "c"));
    let text = Condition::Text(field("string1"), "x".to_owned());
    assert_eq!(of(vec![text.clone()], PLAIN, ALL).await, some(2, "ac"));
    let number = Condition::Number(field("number1"), 3);
    assert_eq!(of(vec![text, number], PLAIN, ALL).await, some(1, "a"));
    for unknown in ["", "fields", "retired", "id; DROP TABLE ingest_assets"] {
        assert_eq!(Field::named(unknown), None, "{unknown}");
    }
}

async fn five_thousand_pages_are_one_change(store: &Store) {
    let accepted = accept(store, composite(Some("a"))).await;
    let done = store.complete(&accepted, &places(5000), 100).await.unwrap();
    assert_eq!(done.unwrap().batches.len(), 50);
}
