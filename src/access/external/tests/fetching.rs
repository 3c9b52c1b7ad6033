//! How often the service is asked, and what is remembered.

use futures_util::future::join_all;

use super::*;

fn yes() -> Verdict {
    Verdict::Allow(Shown::default())
}

async fn service(reply: Reply, cache_seconds: u32) -> (ScriptedService, External) {
    let service = ScriptedService::start(reply).await;
    let external = external(&ExternalConfig {
        cache_seconds,
        ..config(&service.url)
    });
    (service, external)
}

#[tokio::test]
async fn an_answer_holds_for_the_image_and_who_asks() {
    let (service, external) = service(Reply::status(204), 60).await;
    let tile = Asked {
        request: "full/max/0/default.jpg",
        ..Asked::of("x")
    };
    for asked in [Asked::of("x"), tile, Asked::of("x").with("accept", "a/b")] {
        assert_eq!(asked.of_service(&external).await, yes());
    }
    assert_eq!(service.times_asked(), 1);
    let elsewhere = Asked {
        address: Some([192, 0, 2, 2].into()),
        ..Asked::of("x")
    };
    let others = [
        Asked::of("y"),
        elsewhere,
        Asked::of("x").with("cookie", "a=1"),
        Asked::of("x").with("cookie", "a=2"),
        Asked::of("x").with("authorization", "a=1"),
        Asked::of("x").with("cookie", ""),
        Asked::of("x").with("cookie", "a=1").with("cookie", "a=2"),
    ];
    for (count, asked) in others.into_iter().enumerate() {
        assert_eq!(asked.of_service(&external).await, yes());
        assert_eq!(service.times_asked(), count + 2);
    }
}

#[tokio::test]
async fn a_no_is_remembered_too_and_neither_outlasts_its_time() {
    let no = Verdict::Refuse(Refusal::Forbidden);
    for (first, then) in [(403, 204), (204, 403)] {
        let verdicts = [first, then].map(|status| if status == 204 { yes() } else { no.clone() });
        for cache_seconds in [3600, 1] {
            let (service, external) = service(Reply::status(first), cache_seconds).await;
            let ask = async || Asked::of("x").of_service(&external).await;
            assert_eq!(ask().await, verdicts[0]);
            service.answers(Reply::status(then));
            tokio::time::sleep(Duration::from_millis(1_050)).await;
            let expected = &verdicts[usize::from(cache_seconds == 1)];
            assert_eq!(ask().await, *expected, "{cache_seconds} s");
        }
    }
}

#[tokio::test]
async fn without_a_cache_it_is_asked_each_time() {
    let (service, external) = service(Reply::status(204), 0).await;
    assert_eq!(Asked::of("x").of_service(&external).await, yes());
    service.answers(Reply::status(403));
    let refused = Asked::of("x").of_service(&external).await;
    assert_eq!(refused, Verdict::Refuse(Refusal::Forbidden));
    assert_eq!(service.times_asked(), 2);
}

#[tokio::test]
async fn that_nobody_knows_is_not_remembered() {
    let (service, external) = service(Reply::status(500), 60).await;
    let ask = async || Asked::of("x").of_service(&external).await;
    assert_eq!(ask().await, Verdict::Unavailable);
    service.answers(Reply::status(204));
    assert_eq!(ask().await, yes());
}

#[tokio::test]
async fn equal_questions_are_one() {
    let late = Reply::status(204).late(Duration::from_millis(100));
    for cache_seconds in [0, 60] {
        let (service, external) = service(late.clone(), cache_seconds).await;
        let asked = Asked::of("x");
        let verdicts = join_all((0..100).map(|_| asked.of_service(&external))).await;
        assert!(verdicts.into_iter().all(|verdict| verdict == yes()));
        assert_eq!(service.times_asked(), 1);
    }
}

#[tokio::test]
async fn nobody_waits_for_ever_and_a_service_that_is_down_is_left_alone() {
    let service = ScriptedService::start(Reply::status(204).late(HOUR)).await;
    let external = external(&ExternalConfig {
        timeout_ms: 500,
        ..config(&service.url)
    });
    for name in ["a", "b", "c"] {
        let verdict = Asked::of(name).of_service(&external).await;
        assert_eq!(verdict, Verdict::Unavailable);
    }
    // At once: of those who come in the pauses, one tries.
    let names: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let asked = names.iter().map(|name| Asked::of(name));
    let verdicts = asked.map(async |asked| asked.of_service(&external).await);
    for verdict in join_all(verdicts).await {
        assert_eq!(verdict, Verdict::Unavailable);
    }
    assert!(service.times_asked() < 50, "{}", service.times_asked());
    service.answers(Reply::status(204));
    while Asked::of("a").of_service(&external).await != yes() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Nobody keeps it from others by asking for what it cannot answer.
#[tokio::test]
async fn one_bad_question_does_not_close_it_to_others() {
    let (service, external) = service(Reply::status(500), 60).await;
    for name in ["a", "b", "c", "d", "e"] {
        let verdict = Asked::of(name).of_service(&external).await;
        assert_eq!(verdict, Verdict::Unavailable);
    }
    service.answers(Reply::status(204));
    assert_eq!(Asked::of("x").of_service(&external).await, yes());
}

#[tokio::test]
async fn nobody_there_is_no_yes() {
    let url = ScriptedService::start(Reply::status(204)).await.url.clone();
    let external = external(&config(&url));
    let verdict = Asked::of("x").of_service(&external).await;
    assert_eq!(verdict, Verdict::Unavailable);
}

#[tokio::test]
async fn only_so_many_questions_are_put_at_a_time() {
    let service = ScriptedService::start(Reply::status(204).late(HOUR)).await;
    let external = external(&ExternalConfig {
        in_flight: 1,
        ..config(&service.url)
    });
    let first = tokio::spawn({
        let external = external.clone();
        async move { Asked::of("a").of_service(&external).await }
    });
    while service.times_asked() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let asked = ["b", "c", "d", "e", "f"].map(Asked::of);
    let others = join_all(asked.iter().map(|asked| asked.of_service(&external)));
    let soon = tokio::time::timeout(Duration::from_millis(300), others);
    assert!(soon.await.is_err(), "they wait");
    assert_eq!(service.times_asked(), 1);
    first.abort();
}

/// As long as they would for an answer. It has not failed, for all that is known.
#[tokio::test]
async fn nobody_waits_for_a_place_for_ever() {
    let service = ScriptedService::start(Reply::status(204)).await;
    let hasty = external(&ExternalConfig {
        in_flight: 1,
        timeout_ms: 100,
        ..config(&service.url)
    });
    let place = hasty.0.places.acquire().await.unwrap();
    let asked = ["a", "b", "c", "d", "e"].map(Asked::of);
    let verdicts = join_all(asked.iter().map(|asked| asked.of_service(&hasty))).await;
    assert_eq!(verdicts, vec![Verdict::Unavailable; asked.len()]);
    assert_eq!(service.times_asked(), 0);
    assert!(hasty.0.breaker.is_closed());
    drop(place);
}

#[test]
fn what_is_remembered_is_bounded_in_bytes() {
    let verdicts = verdicts(Duration::from_secs(60)).unwrap();
    let redaction = (Region::Full, HexColor::BLACK);
    let large = Verdict::Allow(Shown {
        redactions: vec![redaction; 1000],
        ..Shown::default()
    });
    let each = u64::from(large.bytes());
    assert!(each >= 1000 * size_of_val(&redaction) as u64);
    for index in 0..2 * REMEMBERED / each {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&index.to_be_bytes());
        verdicts.insert(key, large.clone());
    }
    verdicts.run_pending_tasks();
    assert!(verdicts.weighted_size() <= REMEMBERED);
    assert!(verdicts.entry_count() > 0);
}
