//! What every registry promises, whatever keeps it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use futures_util::future::{join, join_all};
use sqlx::{Any, AnyConnection, Connection, Row, Transaction};
use tempfile::TempDir;
use tokio::time::timeout;

use super::config::RegistryConfig;
use super::postgres_server::PostgresServer;
use super::url::Kind;
use super::*;
use stalling_proxy::StallingProxy;

#[path = "../../tests/common/stalling_proxy.rs"]
mod stalling_proxy;

/// Where it is known that no answer comes. Else it may take as long as it takes.
const LIMIT: Duration = Duration::from_secs(3);
const OVER_ENTRY: Over = Over {
    entry: true,
    tombstone: false,
};
const OVER_TOMBSTONE: Over = Over {
    entry: false,
    tombstone: true,
};

fn config(url: &str) -> RegistryConfig {
    RegistryConfig {
        url: Some(url.parse().unwrap()),
        timeout_ms: 60_000,
        ..RegistryConfig::default()
    }
}

fn hasty(url: &str) -> RegistryConfig {
    RegistryConfig {
        timeout_ms: LIMIT.as_millis().try_into().unwrap(),
        ..config(url)
    }
}

fn file_in(folder: &Path) -> RegistryConfig {
    config(&format!("sqlite:{}/azulejo.db", folder.display()))
}

async fn open(config: &RegistryConfig) -> Registry {
    Registry::open(config).await.unwrap().unwrap()
}

fn entry(identifier: &str, location: &str) -> NewEntry {
    NewEntry::new(identifier, location, Details::default(), "test").unwrap()
}

fn found(answer: Answer) -> Entry {
    match answer {
        Answer::Found(entry) => entry,
        other => panic!("{other:?}"),
    }
}

/// Past the registry.
async fn connect(config: &RegistryConfig) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let url = config.url.as_ref().unwrap().for_driver();
    AnyConnection::connect(&url).await.unwrap()
}

/// Locations and provenances of an identifier's former states.
async fn history(config: &RegistryConfig, identifier: &str) -> Vec<(String, String)> {
    let rows = sqlx::query(
        "SELECT location, provenance FROM registry_history WHERE identifier = $1 ORDER BY revision",
    )
    .bind(identifier)
    .fetch_all(&mut connect(config).await)
    .await
    .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn an_sqlite_file_keeps_the_contract() {
    let folder = TempDir::new().unwrap();
    keeps_the_contract(|case| {
        let folder = folder.path().join(case);
        std::fs::create_dir(&folder).unwrap();
        file_in(&folder)
    })
    .await;
}

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let server = PostgresServer::start();
    keeps_the_contract(|case| config(&server.new_database(case))).await;
}

/// Each case with a database of its own.
async fn keeps_the_contract(new: impl Fn(&str) -> RegistryConfig) {
    what_is_put_is_found(&new("found")).await;
    what_is_replaced_stays_in_the_history(&new("replaced")).await;
    what_is_not_given_stays(&new("kept")).await;
    a_location_is_its_first_page(&new("pages")).await;
    what_is_removed_leaves_a_tombstone(&new("removed")).await;
    a_restart_loses_nothing(&new("restarted")).await;
    nodes_may_start_at_once(&new("nodes")).await;
    of_many_writers_at_once_one_is_first(&new("writers")).await;
    a_chunk_is_put_whole_or_not_at_all(&new("chunk")).await;
    a_preview_writes_nothing(&new("preview")).await;
    a_list_has_pages(&new("list")).await;
    a_newer_schema_is_refused(&new("newer")).await;
    a_lost_registry_is_no_empty_one(&new("lost")).await;
}

async fn what_is_put_is_found(config: &RegistryConfig) {
    let registry = open(config).await;
    registry.check().await.unwrap();
    assert_eq!(registry.find("a/b ü").await.unwrap(), Answer::Unknown);
    assert_eq!(registry.find_by_location("s3://b/k").await.unwrap(), None);
    let details = Details {
        page: Some(7),
        title: Some("A title: 'ü'".to_owned()),
        checksum: Some("sha256:00".to_owned()),
    };
    let before = SystemTime::now() - Duration::from_secs(1);
    let new = NewEntry::new("a/b ü", "s3://b/k", details, "import csv").unwrap();
    assert_eq!(registry.put(&new, Over::NOTHING).await.unwrap(), Put::New);
    let entry = found(registry.find("a/b ü").await.unwrap());
    assert_eq!(entry.identifier, "a/b ü");
    assert_eq!(entry.location, "s3://b/k");
    assert_eq!(entry.page, Some(7));
    assert_eq!(entry.title.as_deref(), Some("A title: 'ü'"));
    assert_eq!(entry.checksum.as_deref(), Some("sha256:00"));
    assert_eq!(entry.checked, None);
    assert_eq!(entry.provenance, "import csv");
    assert!(entry.created >= before && entry.created <= SystemTime::now());
    assert_eq!(registry.put(&new, Over::NOTHING).await.unwrap(), Put::Same);
    assert_eq!(registry.find("A/b ü").await.unwrap(), Answer::Unknown);
    assert_eq!(registry.find("a\0").await.unwrap(), Answer::Unknown);
}

async fn what_is_replaced_stays_in_the_history(config: &RegistryConfig) {
    let registry = open(config).await;
    registry
        .put(&entry("a", "file:1"), Over::NOTHING)
        .await
        .unwrap();
    let first = found(registry.find("a").await.unwrap());
    let details = Details {
        title: Some("t".to_owned()),
        ..Details::default()
    };
    let second = NewEntry::new("a", "file:2", details, "second").unwrap();
    let kept = registry.put(&second, Over::NOTHING).await.unwrap();
    assert_eq!(kept, Put::Kept(first.clone()));
    assert_eq!(found(registry.find("a").await.unwrap()), first);
    let replaced = registry.put(&second, OVER_ENTRY).await.unwrap();
    assert_eq!(replaced, Put::Replaced(first));
    let standing = found(registry.find("a").await.unwrap());
    assert_eq!(
        (&*standing.location, &*standing.provenance),
        ("file:2", "second")
    );
    // A title that is not given is no wish to lose it.
    registry
        .put(&entry("a", "file:3"), OVER_ENTRY)
        .await
        .unwrap();
    let standing = found(registry.find("a").await.unwrap());
    assert_eq!(standing.title.as_deref(), Some("t"));
    let old = |location: &str, provenance: &str| (location.to_owned(), provenance.to_owned());
    let expected = [old("file:1", "test"), old("file:2", "second")];
    assert_eq!(history(config, "a").await, expected);
}

async fn what_is_not_given_stays(config: &RegistryConfig) {
    let registry = open(config).await;
    let checked = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let details = Details {
        page: Some(2),
        checksum: Some("sha256:00".to_owned()),
        ..Details::default()
    };
    let mut first = NewEntry::new("a", "file:1", details, "test").unwrap();
    first.checked = checked(1000);
    registry.put(&first, Over::NOTHING).await.unwrap();
    let plain = entry("a", "file:1");
    for over in [Over::NOTHING, OVER_ENTRY] {
        assert_eq!(registry.put(&plain, over).await.unwrap(), Put::Same);
    }
    let mut seen = plain;
    for (time, over, is_taken) in [
        (2000, Over::NOTHING, false),
        (500, OVER_ENTRY, false),
        (2000, OVER_ENTRY, true),
        (2000, OVER_ENTRY, false),
    ] {
        seen.checked = checked(time);
        let put = registry.put(&seen, over).await.unwrap();
        assert_eq!(matches!(put, Put::Replaced(_)), is_taken, "{time} {over:?}");
        assert_eq!(put == Put::Same, !is_taken, "{time} {over:?}");
    }
    let standing = found(registry.find("a").await.unwrap());
    assert_eq!((standing.page, standing.checked), (Some(2), checked(2000)));
    assert_eq!(standing.checksum.as_deref(), Some("sha256:00"));
    let moved = registry.put(&entry("a", "file:2"), OVER_ENTRY).await;
    assert_eq!(moved.unwrap(), Put::Replaced(standing));
    let standing = found(registry.find("a").await.unwrap());
    assert_eq!((&*standing.location, standing.page), ("file:2", Some(2)));
    assert_eq!((standing.checksum, standing.checked), (None, None));
}

async fn a_location_is_its_first_page(config: &RegistryConfig) {
    let registry = open(config).await;
    let put = async |identifier: &str, page| {
        let details = Details {
            page,
            ..Details::default()
        };
        let entry = NewEntry::new(identifier, "file:1", details, "test").unwrap();
        registry.put(&entry, Over::NOTHING).await.unwrap();
    };
    put("page 2", Some(2)).await;
    assert_eq!(registry.find_by_location("file:1").await.unwrap(), None);
    put("page 1", Some(1)).await;
    let first = registry.find_by_location("file:1").await.unwrap();
    assert_eq!(first.unwrap().identifier, "page 1");
    assert!(!registry.was_removed("file:1").await.unwrap());
    registry.remove("page 1", "test").await.unwrap();
    put("whole", None).await;
    let first = registry.find_by_location("file:1").await.unwrap();
    assert_eq!(first.unwrap().identifier, "whole");
    assert!(registry.was_removed("file:1").await.unwrap());
    assert!(!registry.was_removed("file:2").await.unwrap());
}

async fn what_is_removed_leaves_a_tombstone(config: &RegistryConfig) {
    let registry = open(config).await;
    assert!(!registry.remove("a", "nobody").await.unwrap());
    registry
        .put(&entry("a", "file:1"), Over::NOTHING)
        .await
        .unwrap();
    assert!(registry.remove("a", "the librarian").await.unwrap());
    assert_eq!(registry.find("a").await.unwrap(), Answer::Gone);
    assert_eq!(registry.find_by_location("file:1").await.unwrap(), None);
    assert_eq!(registry.list(None, 10).await.unwrap(), []);
    assert!(!registry.remove("a", "again").await.unwrap());
    for over in [Over::NOTHING, OVER_ENTRY] {
        let put = registry.put(&entry("a", "file:1"), over).await.unwrap();
        assert_eq!(put, Put::Gone);
    }
    assert_eq!(registry.find("a").await.unwrap(), Answer::Gone);
    let put = registry
        .put(&entry("a", "file:1"), OVER_TOMBSTONE)
        .await
        .unwrap();
    assert_eq!(put, Put::Revived);
    assert_eq!(found(registry.find("a").await.unwrap()).location, "file:1");
    let alive = found(registry.find("a").await.unwrap());
    let put = registry.put(&entry("a", "file:2"), OVER_TOMBSTONE).await;
    assert_eq!(put.unwrap(), Put::Kept(alive), "it was not to be replaced");
    let old = |provenance: &str| ("file:1".to_owned(), provenance.to_owned());
    assert_eq!(
        history(config, "a").await,
        [old("test"), old("the librarian")]
    );
}

async fn a_restart_loses_nothing(config: &RegistryConfig) {
    let registry = open(config).await;
    registry
        .put(&entry("a", "file:1"), Over::NOTHING)
        .await
        .unwrap();
    registry
        .put(&entry("b", "file:1"), Over::NOTHING)
        .await
        .unwrap();
    registry.remove("b", "test").await.unwrap();
    drop(registry);
    let registry = open(config).await;
    assert_eq!(found(registry.find("a").await.unwrap()).location, "file:1");
    assert_eq!(registry.find("b").await.unwrap(), Answer::Gone);
}

async fn nodes_may_start_at_once(config: &RegistryConfig) {
    let registries = join_all((0..6).map(|_| open(config))).await;
    registries[0]
        .put(&entry("a", "file:1"), Over::NOTHING)
        .await
        .unwrap();
    for registry in &registries {
        assert_eq!(found(registry.find("a").await.unwrap()).location, "file:1");
        assert!(registry.find_at_once("a").is_some(), "for some seconds");
    }
    registries[1]
        .put(&entry("a", "file:2"), OVER_ENTRY)
        .await
        .unwrap();
    assert_eq!(
        registries[1].find_at_once("a"),
        None,
        "its own change is seen at once"
    );
    assert_eq!(
        found(registries[1].find("a").await.unwrap()).location,
        "file:2"
    );
}

async fn of_many_writers_at_once_one_is_first(config: &RegistryConfig) {
    let nodes = [open(config).await, open(config).await];
    let put = async |number: usize, over| {
        let entry = entry("a", &format!("file:{number}"));
        nodes[number % 2].put(&entry, over).await.unwrap()
    };
    let outcomes = join_all((0..20).map(|number| put(number, Over::NOTHING))).await;
    let first = outcomes.iter().position(|put| *put == Put::New).unwrap();
    let standing = found(nodes[0].find("a").await.unwrap());
    assert_eq!(standing.location, format!("file:{first}"));
    for (number, outcome) in outcomes.into_iter().enumerate() {
        assert!(
            number == first || outcome == Put::Kept(standing.clone()),
            "{outcome:?}"
        );
    }
    let outcomes = join_all((100..120).map(|number| put(number, OVER_ENTRY))).await;
    let is_change = |put: &Put| matches!(put, Put::Replaced(_));
    assert!(outcomes.iter().all(is_change), "{outcomes:?}");
    let mut seen = history(config, "a").await;
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 20, "no state is lost");
    let removals = (0..20).map(|number| nodes[number % 2].remove("a", "test"));
    let removed = join_all(removals).await.into_iter().map(Result::unwrap);
    assert_eq!(removed.filter(|&removed| removed).count(), 1);
}

async fn a_chunk_is_put_whole_or_not_at_all(config: &RegistryConfig) {
    let registry = open(config).await;
    let chunk: Vec<_> = (0..20_000)
        .map(|number| entry(&format!("{number:05}"), "file:a"))
        .collect();
    let given_up = timeout(
        Duration::from_millis(5),
        registry.put_all(&chunk, Over::NOTHING),
    )
    .await;
    assert!(given_up.is_err(), "it takes longer");
    assert_eq!(registry.list(None, 1).await.unwrap(), []);
    let outcomes = registry
        .put_all(&chunk[..100], Over::NOTHING)
        .await
        .unwrap();
    assert_eq!(outcomes, vec![Put::New; 100]);
    let mixed = [
        entry("x", "file:1"),
        entry("00003", "file:a"),
        entry("x", "file:1"),
    ];
    let outcomes = registry.put_all(&mixed, Over::NOTHING).await.unwrap();
    assert_eq!(outcomes, [Put::New, Put::Same, Put::Same]);
}

async fn a_preview_writes_nothing(config: &RegistryConfig) {
    let registry = open(config).await;
    registry
        .put(&entry("a", "file:1"), Over::NOTHING)
        .await
        .unwrap();
    let standing = found(registry.find("a").await.unwrap());
    let entries = [
        entry("a", "file:1"),
        entry("a", "file:2"),
        entry("b", "file:2"),
    ];
    let preview = registry.preview(&entries, Over::NOTHING).await.unwrap();
    assert_eq!(preview, [Put::Same, Put::Kept(standing), Put::New]);
    assert_eq!(registry.find("b").await.unwrap(), Answer::Unknown);
}

async fn a_list_has_pages(config: &RegistryConfig) {
    let registry = open(config).await;
    for identifier in ["b", "ä", "a/2", "Z", "a", "a/10"] {
        registry
            .put(&entry(identifier, "file:1"), Over::NOTHING)
            .await
            .unwrap();
    }
    let page = async |after, limit| {
        let entries = registry.list(after, limit).await.unwrap();
        entries
            .into_iter()
            .map(|entry| entry.identifier)
            .collect::<Vec<_>>()
    };
    assert_eq!(page(None, 4).await, ["Z", "a", "a/10", "a/2"]);
    assert_eq!(page(Some("a/2"), 4).await, ["b", "ä"]);
    assert_eq!(page(Some("ä"), 4).await, Vec::<String>::new());
}

async fn a_newer_schema_is_refused(config: &RegistryConfig) {
    drop(open(config).await);
    let newer = "INSERT INTO registry_migrations (version, description, success, checksum, execution_time) \
                 SELECT 99, description, success, checksum, 0 FROM registry_migrations WHERE version = 1";
    sqlx::query(newer)
        .execute(&mut connect(config).await)
        .await
        .unwrap();
    let opened = [
        Registry::open(config).await,
        Registry::open_unchanged(config).await,
    ];
    for refused in opened.map(|opened| opened.err().unwrap()) {
        assert!(matches!(refused, RegistryError::Newer(99)), "{refused:?}");
    }
}

/// As when a volume is not mounted, or the database is another one.
async fn a_lost_registry_is_no_empty_one(config: &RegistryConfig) {
    let careful = RegistryConfig {
        create: false,
        ..config.clone()
    };
    let is_file = config.url.as_ref().unwrap().kind() == Kind::Sqlite;
    let missing = || config.url.as_ref().unwrap().missing_file();
    for _ in 0..2 {
        for opened in [
            Registry::open(&careful).await,
            Registry::open_unchanged(config).await,
        ] {
            match opened.err().unwrap() {
                RegistryError::Missing(file) => assert_eq!(Some(&*file), missing()),
                RegistryError::Empty => assert!(!is_file),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(missing().is_some(), is_file, "none is made");
    }
    drop(open(config).await);
    open(&careful).await.check().await.unwrap();
    let unchanged = Registry::open_unchanged(config).await.unwrap().unwrap();
    assert_eq!(unchanged.find("a").await.unwrap(), Answer::Unknown);
}

/// When the moment has passed in which nobody asks.
async fn soon(registry: &Registry, identifier: &str) -> Answer {
    for _ in 0..400 {
        if let Ok(answer) = registry.find(identifier).await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come back")
}

#[tokio::test]
async fn a_server_that_is_gone_is_no_answer_and_comes_back() {
    let mut server = PostgresServer::start();
    let registry = open(&hasty(&server.new_database("azulejo"))).await;
    registry
        .put(&entry("a", "file:1"), Over::NOTHING)
        .await
        .unwrap();
    server.stop();
    registry.find("a").await.unwrap_err();
    let error = registry.find("unknown").await.unwrap_err();
    assert!(matches!(error, RegistryError::TooSlow(LIMIT)), "{error:?}");
    server.start_again();
    assert_eq!(found(soon(&registry, "a").await).location, "file:1");
    assert_eq!(soon(&registry, "unknown").await, Answer::Unknown);
    server.stop();
    join_all((0..3).map(|_| registry.find("b"))).await;
    // Of those who come in the pauses, one tries.
    let errors = join_all((0..20).map(|_| registry.find("b"))).await;
    let is_refused = |answer: &&_| matches!(answer, Err(RegistryError::Silent));
    assert!(errors.iter().filter(is_refused).count() > 10, "{errors:?}");
    server.start_again();
    assert_eq!(soon(&registry, "b").await, Answer::Unknown);
}

/// Nobody else is answered until it ends.
async fn lock(connection: &mut AnyConnection) -> Transaction<'_, Any> {
    let mut transaction = connection.begin().await.unwrap();
    let lock = sqlx::query("LOCK TABLE registry_entries IN ACCESS EXCLUSIVE MODE");
    lock.execute(&mut *transaction).await.unwrap();
    transaction
}

#[tokio::test]
async fn a_server_that_hangs_is_no_answer_and_comes_back() {
    let server = PostgresServer::start();
    let config = hasty(&server.new_database("azulejo"));
    let registry = open(&config).await;
    let mut other = connect(&config).await;
    let transaction = lock(&mut other).await;
    // More than there are connections: none is left behind waiting.
    let askings = join_all((0..20).map(|_| registry.find("a"))).await;
    for asking in askings {
        let error = asking.unwrap_err();
        assert!(matches!(error, RegistryError::TooSlow(LIMIT)), "{error:?}");
    }
    transaction.rollback().await.unwrap();
    assert_eq!(soon(&registry, "a").await, Answer::Unknown);
}

/// As after the loss of a router or of a server whose address another one takes.
#[tokio::test]
async fn connections_that_nothing_comes_through_are_not_used_again() {
    let server = PostgresServer::start();
    let proxy = StallingProxy::to(server.port).await;
    let direct = server.new_database("azulejo");
    let url = direct.replace(&format!(":{}/", server.port), &format!(":{}/", proxy.port));
    let registry = open(&hasty(&url)).await;
    let ask_all = async |prefix: &str| {
        let identifiers = (0..20).map(|number| format!("{prefix}{number}"));
        let asking = identifiers.map(async |identifier| registry.find(&identifier).await);
        join_all(asking).await
    };
    assert!(ask_all("a").await.iter().all(Result::is_ok));
    // While they are asked: eight questions are under way.
    let mut other = connect(&config(&direct)).await;
    let transaction = lock(&mut other).await;
    let stall = async {
        tokio::time::sleep(LIMIT / 2).await;
        proxy.stall();
    };
    let (answers, ()) = join(ask_all("b"), stall).await;
    assert!(answers.iter().all(Result::is_err));
    transaction.rollback().await.unwrap();
    assert_eq!(soon(&registry, "c").await, Answer::Unknown);
    assert!(ask_all("d").await.iter().all(Result::is_ok));
}

/// Another node writes, and more wait for it here than there are connections.
#[tokio::test]
async fn who_asks_does_not_wait_for_those_who_write() {
    let folder = TempDir::new().unwrap();
    let server = PostgresServer::start();
    for config in [
        file_in(folder.path()),
        config(&server.new_database("azulejo")),
    ] {
        let registry = open(&config).await;
        let first = entry("a", "file:1");
        registry.put(&first, Over::NOTHING).await.unwrap();
        let mut other = connect(&config).await;
        let mut transaction = other.begin().await.unwrap();
        let change = sqlx::query("UPDATE registry_entries SET revision = 7");
        change.execute(&mut *transaction).await.unwrap();
        let second = entry("a", "file:2");
        let puts = join_all((0..20).map(|_| registry.put(&second, OVER_ENTRY)));
        let asking = async {
            tokio::time::sleep(LIMIT / 3).await;
            for number in 0..20 {
                let answer = registry.find(&format!("unknown {number}")).await;
                assert_eq!(answer.unwrap(), Answer::Unknown);
            }
            transaction.rollback().await.unwrap();
        };
        let (puts, ()) = join(puts, asking).await;
        assert!(puts.iter().all(Result::is_ok), "{puts:?}");
    }
}

#[tokio::test]
async fn a_file_is_opened_as_it_should_be() {
    let folder = TempDir::new().unwrap();
    let config = file_in(folder.path());
    assert_eq!(config.url.as_ref().unwrap().kind(), Kind::Sqlite);
    let registry = open(&config).await;
    let database = &registry.0.database;
    let ask = async |pragma: &'static str| {
        let asking = database.read(async |c| sqlx::query(pragma).fetch_one(c).await);
        asking.await.unwrap()
    };
    assert_eq!(ask("PRAGMA journal_mode").await.get::<String, _>(0), "wal");
    assert_eq!(ask("PRAGMA synchronous").await.get::<i64, _>(0), 2, "FULL");
    let patience = ask("PRAGMA busy_timeout").await.get::<i64, _>(0);
    assert_eq!(
        patience, 10_000,
        "milliseconds, as long as a write may take"
    );
}

#[tokio::test]
async fn what_is_no_registry_is_not_opened() {
    let folder = TempDir::new().unwrap();
    let absent = file_in(&folder.path().join("absent"));
    let error = Registry::open(&absent).await.err().unwrap();
    assert!(matches!(error, RegistryError::NotMade(..)), "{error:?}");
    let config = file_in(folder.path());
    std::fs::write(
        folder.path().join("azulejo.db"),
        "no database ".repeat(1000),
    )
    .unwrap();
    assert!(Registry::open(&config).await.is_err());
    let none = Registry::open(&RegistryConfig::default()).await.unwrap();
    assert!(none.is_none());
}

/// Handlers of HTTP requests await it on any thread.
#[test]
fn what_it_does_can_be_done_on_any_thread() {
    fn check(_: impl Send) {}
    fn all(registry: &Registry) {
        check(registry.find("a"));
        check(registry.find_by_location("file:a"));
        check(registry.put_all(&[], Over::NOTHING));
        check(registry.remove("a", "test"));
        check(registry.list(None, 1));
        check(registry.check());
    }
    let _ = all;
}
