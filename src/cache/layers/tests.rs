//! The layers together: what is kept where, what a purge leaves, what a failing layer costs.

use std::sync::atomic::Ordering;

use tokio::task::yield_now;

use super::*;
use crate::cache::guarded::Policy;
use crate::cache::scripted::Scripted;
use crate::cache::seal;

const BODY: &[u8] = b"body";
const LIMIT: Duration = Duration::from_millis(50);

fn key(image: &str, entry: &str) -> EntryKey {
    EntryKey::sample(image, entry)
}

fn guarded(layer: &Scripted, ttl: Option<Duration>) -> Guarded {
    let policy = Policy {
        limit: LIMIT,
        ttl,
        writes: 4,
    };
    Guarded::new(Box::new(layer.clone()), policy)
}

/// Without memory.
fn layers(far: &[&Scripted]) -> Layers {
    let far = far.iter().map(|layer| guarded(layer, None));
    Layers::new(None, far.collect())
}

async fn keep(layers: &Layers, key: EntryKey) {
    layers.keep(layers.ticket(key), Bytes::from_static(BODY));
    layers.settle().await;
}

async fn found_in(layers: &Layers, key: EntryKey) -> Option<&'static str> {
    let found = layers.far(key).await.ok()?;
    assert_eq!(found.body, BODY);
    Some(found.layer)
}

/// Lets the tasks that were spawned run until they wait.
async fn others_run() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_far_layer_has_the_nearer_ones_get() {
    let (disk, redis) = (Scripted::new("disk"), Scripted::new("redis"));
    let key = key("image", "entry");
    keep(&layers(&[&redis]), key).await;
    let memory = Memory::new(1 << 20, None);
    let far = vec![guarded(&disk, None), guarded(&redis, None)];
    let both = Layers::new(Some(memory), far);
    assert!(both.near(&key).is_none());
    assert_eq!(found_in(&both, key).await, Some("redis"));
    both.settle().await;
    assert!(disk.holds(&key));
    assert!(both.near(&key).is_some());
    assert_eq!(found_in(&layers(&[&disk]), key).await, Some("disk"));
}

#[tokio::test(start_paused = true)]
async fn a_purged_entry_does_not_come_back_from_a_layer_that_is_still_being_purged() {
    let (disk, redis) = (Scripted::new("disk"), Scripted::new("redis"));
    let layers = layers(&[&disk, &redis]);
    let key = key("image", "entry");
    for image in [Some(key.image), None] {
        keep(&layers, key).await;
        let permits = redis.0.purges.forget_permits(usize::MAX);
        let purge = tokio::spawn({
            let layers = layers.clone();
            async move { layers.purge(image).await }
        });
        others_run().await;
        assert!(disk.holds(&key), "the farthest is purged first");
        disk.0.records.lock().unwrap().clear();
        assert_eq!(found_in(&layers, key).await, Some("redis"));
        layers.settle().await;
        redis.0.purges.add_permits(permits);
        purge.await.unwrap().unwrap();
        layers.settle().await;
        others_run().await;
        assert!(!disk.holds(&key) && !redis.holds(&key));
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_under_way_when_its_image_is_purged_leaves_nothing() {
    let disk = Scripted::new("disk");
    let layers = layers(&[&disk]);
    let key = key("image", "entry");
    let permits = disk.0.writes.forget_permits(usize::MAX);
    layers.keep(layers.ticket(key), Bytes::from_static(BODY));
    others_run().await;
    let purge = tokio::spawn({
        let layers = layers.clone();
        async move { layers.purge(Some(key.image)).await }
    });
    others_run().await;
    assert!(!purge.is_finished(), "the write comes first");
    disk.0.writes.add_permits(permits);
    purge.await.unwrap().unwrap();
    // Not even for a moment: whoever found it now would keep it.
    assert!(!disk.holds(&key));
    layers.settle().await;
    assert!(!disk.holds(&key));
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_before_a_purge_is_not_kept_after_it() {
    let disk = Scripted::new("disk");
    let layers = layers(&[&disk]);
    let key = key("image", "entry");
    let ticket = layers.ticket(key);
    layers.purge(None).await.unwrap();
    layers.keep(ticket, Bytes::from_static(BODY));
    layers.settle().await;
    assert!(!disk.holds(&key));
}

#[tokio::test(start_paused = true)]
async fn a_purge_goes_to_the_end_though_nobody_waits() {
    let disk = Scripted::new("disk");
    let layers = layers(&[&disk]);
    let key = key("image", "entry");
    keep(&layers, key).await;
    let permits = disk.0.purges.forget_permits(usize::MAX);
    let purge = tokio::time::timeout(LIMIT, layers.purge(Some(key.image)));
    assert!(purge.await.is_err());
    disk.0.purges.add_permits(permits);
    others_run().await;
    assert!(!disk.holds(&key));
    keep(&layers, key).await;
    assert!(disk.holds(&key), "afterwards it is kept again");
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_does_not_purge_is_named() {
    let (disk, redis) = (Scripted::new("disk"), Scripted::new("redis"));
    redis.0.fails.store(true, Ordering::Relaxed);
    let purged = layers(&[&disk, &redis]).purge(None).await;
    assert_eq!(purged, Err(vec!["redis"]));
}

#[tokio::test(start_paused = true)]
async fn what_other_nodes_purge_is_told_to_the_layers_unless_it_is_only_a_guess() {
    let disk = Scripted::new("disk");
    let layers = layers(&[&disk]);
    let image = key("image", "").image;
    for purge in [Purge::Image(image), Purge::Unknown, Purge::All] {
        layers.hear(purge);
        others_run().await;
    }
    assert_eq!(*disk.0.heard.lock().unwrap(), [Some(image), None]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_a_foreign_and_an_old_record_are_dropped() {
    let disk = Scripted::new("disk");
    let layers = Layers::new(None, vec![guarded(&disk, Some(Duration::from_secs(60)))]);
    let (wanted, other) = (key("image", "wanted"), key("image", "other"));
    let fresh = Entry::new(Bytes::from_static(BODY));
    let old = Entry {
        made: fresh.made - Duration::from_secs(61),
        ..fresh.clone()
    };
    let torn = seal::seal(&wanted, &fresh).slice(..seal::HEADER + 2);
    let cases = [
        (torn, 1),
        (seal::seal(&other, &fresh), 2),
        (Bytes::new(), 3),
        (seal::seal(&wanted, &old), 3),
    ];
    for (record, corrupt) in cases {
        disk.0.records.lock().unwrap().insert(wanted, record);
        assert_eq!(found_in(&layers, wanted).await, None);
        others_run().await;
        assert!(!disk.holds(&wanted));
        assert_eq!(layers.report()[0].corrupt, corrupt);
    }
    keep(&layers, wanted).await;
    assert_eq!(found_in(&layers, wanted).await, Some("disk"));
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_hangs_costs_its_time_limit_and_soon_nothing() {
    let disk = Scripted::new("disk");
    let layers = layers(&[&disk]);
    let key = key("image", "entry");
    keep(&layers, key).await;
    disk.0.hangs.store(true, Ordering::Relaxed);
    let start = Instant::now();
    for _ in 0..100 {
        assert_eq!(found_in(&layers, key).await, None);
    }
    assert_eq!(start.elapsed(), 3 * LIMIT);
    assert!(!layers.report()[0].is_up);
    disk.0.hangs.store(false, Ordering::Relaxed);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(found_in(&layers, key).await, Some("disk"));
    assert!(layers.report()[0].is_up);
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_be_written_is_bounded_and_given_up_with_the_layer() {
    let disk = Scripted::new("disk");
    let layers = layers(&[&disk]);
    disk.0.hangs.store(true, Ordering::Relaxed);
    let body = Bytes::from(vec![0; 1 << 20]);
    let start = Instant::now();
    for entry in 0..100 {
        let key = key("image", &entry.to_string());
        layers.keep(layers.ticket(key), body.clone());
    }
    layers.settle().await;
    let report = &layers.report()[0];
    assert_eq!(report.dropped, 100 - 64, "64 MiB wait");
    assert!(report.skipped > 50 && report.stored == 0, "{report:?}");
    assert!(start.elapsed() < Duration::from_secs(15));
    assert!(!report.is_up, "what takes no writes is not up");
}

#[tokio::test(start_paused = true)]
async fn larger_bodies_are_not_kept() {
    let disk = Scripted::new("disk");
    let layers = layers(&[&disk]);
    for (entry, length, is_kept) in [("a", LARGEST_BODY, true), ("b", LARGEST_BODY + 1, false)] {
        let key = key("image", entry);
        layers.keep(layers.ticket(key), vec![0; length].into());
        layers.settle().await;
        assert_eq!(disk.holds(&key), is_kept);
    }
}

#[tokio::test(start_paused = true)]
async fn another_node_is_waited_for_but_not_a_dead_one() {
    let redis = Scripted::with_leases("redis");
    let (a, b) = (layers(&[&redis]), layers(&[&redis]));
    let key = key("image", "entry");
    let Err(ticket) = a.far(key).await else {
        panic!("nobody has it");
    };
    let waits = tokio::spawn(async move { found_in(&b, key).await });
    sleep(Duration::from_millis(300)).await;
    a.keep(ticket, Bytes::from_static(BODY));
    assert_eq!(waits.await.unwrap(), Some("redis"));

    let dead = self::key("image", "dead");
    let taken = redis.0.taken.as_ref().unwrap();
    taken.lock().unwrap().insert(dead);
    let start = Instant::now();
    assert_eq!(found_in(&a, dead).await, None);
    assert!((LEASE..LEASE * 2).contains(&start.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn a_miss_asks_each_layer_once_and_the_one_that_gives_leases_twice() {
    let (disk, redis) = (Scripted::new("disk"), Scripted::with_leases("redis"));
    let layers = layers(&[&disk, &redis]);
    assert_eq!(found_in(&layers, key("image", "entry")).await, None);
    let gets = |layer: &Scripted| layer.0.gets.load(Ordering::Relaxed);
    assert_eq!((gets(&disk), gets(&redis)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_since_the_caller_looked_into_memory_is_found_there() {
    let layers = Layers::new(Some(Memory::new(1 << 20, None)), Vec::new());
    let key = key("image", "entry");
    assert!(layers.near(&key).is_none());
    keep(&layers, key).await;
    assert_eq!(found_in(&layers, key).await, Some(MEMORY));
}
