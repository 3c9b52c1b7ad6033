//! What every store promises, and sessions with it.

use std::collections::BTreeSet;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::registry::config::RegistryConfig;
use crate::registry::postgres_server::PostgresServer;

const HOUR: Time = 3_600_000;

async fn registry(url: &str) -> Registry {
    let config = RegistryConfig {
        url: Some(url.parse().unwrap()),
        timeout_ms: 60_000,
        ..RegistryConfig::default()
    };
    Registry::open(&config).await.unwrap().unwrap()
}

/// Nothing is remembered beside the store.
const FORGETFUL: SessionConfig = SessionConfig {
    seconds: 3600,
    token_seconds: 300,
    cache_seconds: 0,
    partitioned: false,
};

fn roles(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn person(role: &str) -> Given {
    Given::Person {
        subject: Some(role.to_uppercase()),
        roles: roles(&[role]),
    }
}

fn given(session: &Session) -> BTreeSet<String> {
    let given = session.grants.values().map(|grant| match &grant.given {
        Given::Person { roles, .. } => roles.clone(),
        Given::User { .. } | Given::Nobody => BTreeSet::new(),
    });
    given.flatten().collect()
}

async fn begin(sessions: &Sessions, shown: Option<&Secret>, service: &str, role: &str) -> Secret {
    let shown = shown.map(Secret::as_str);
    let begun = sessions.begin(shown, service, person(role));
    begun.await.unwrap()
}

async fn roles_of(sessions: &Sessions, secret: &Secret) -> Option<BTreeSet<String>> {
    let session = sessions.of_cookie(secret.as_str()).await.unwrap();
    session.as_ref().map(given)
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    keeps_the_contract(None).await;
}

#[tokio::test]
async fn an_sqlite_file_keeps_the_contract() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("azulejo.db").display());
    let registry = registry(&url).await;
    keeps_the_contract(Some(&registry)).await;
    holds_on_every_node(&registry).await;
}

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let mut server = PostgresServer::start();
    let registry = registry(&server.new_database("azulejo")).await;
    keeps_the_contract(Some(&registry)).await;
    holds_on_every_node(&registry).await;
    let sessions = Sessions::new(&FORGETFUL, Some(&registry));
    let secret = begin(&sessions, None, "login", "staff").await;
    server.stop();
    sessions.of_cookie(secret.as_str()).await.unwrap_err();
    sessions.of_token(secret.as_str()).await.unwrap_err();
    sessions.end_of(secret.as_str()).await.unwrap_err();
}

async fn keeps_the_contract(registry: Option<&Registry>) {
    let sessions = Sessions::new(&FORGETFUL, registry);
    who_logs_in_is_known_until_they_log_out(&sessions).await;
    another_login_is_another_session(&sessions).await;
    tokens_are_of_their_session(&sessions).await;
    a_token_of_nobody_has_no_roles(&sessions).await;
    what_is_over_is_told_from_what_never_was(&sessions).await;
    what_is_over_for_long_is_forgotten(&sessions).await;
    tokens_are_bounded(&sessions).await;
    secrets_do_not_stand_in_for_each_other(&sessions).await;
}

async fn who_logs_in_is_known_until_they_log_out(sessions: &Sessions) {
    let secret = begin(sessions, None, "login", "staff").await;
    let session = sessions.of_cookie(secret.as_str()).await.unwrap().unwrap();
    assert_eq!(session.grants["login"].given, person("staff"));
    assert!((now() + HOUR - session.ends).abs() < 60_000);
    sessions.end_of(secret.as_str()).await.unwrap();
    assert_eq!(roles_of(sessions, &secret).await, None);
    sessions.end_of(secret.as_str()).await.unwrap();
    sessions.end_of("").await.unwrap();
}

/// Whoever planted the first cookie has nothing of what comes after.
async fn another_login_is_another_session(sessions: &Sessions) {
    let click = begin(sessions, None, "click", "reader").await;
    let ann = begin(sessions, Some(&click), "login", "staff").await;
    assert_ne!(ann, click);
    assert_eq!(roles_of(sessions, &click).await, None);
    assert_eq!(
        roles_of(sessions, &ann).await,
        Some(roles(&["reader", "staff"]))
    );
    let ben = begin(sessions, Some(&ann), "login", "guest").await;
    assert_eq!(
        roles_of(sessions, &ben).await,
        Some(roles(&["guest", "reader"]))
    );
    let planted = Secret::random();
    let victim = begin(sessions, Some(&planted), "login", "staff").await;
    assert_ne!(victim, planted);
    assert_eq!(roles_of(sessions, &planted).await, None);
}

async fn tokens_are_of_their_session(sessions: &Sessions) {
    let secret = begin(sessions, None, "login", "staff").await;
    let session = sessions.of_cookie(secret.as_str()).await.unwrap().unwrap();
    let token = sessions.token(&session).await.unwrap();
    assert_eq!(token.seconds, 300);
    let of_token = sessions.of_token(token.secret.as_str()).await.unwrap();
    assert_eq!(of_token, Some(session.clone()));
    let short = Session {
        ends: now() + 2_500,
        ..session
    };
    assert_eq!(sessions.token(&short).await.unwrap().seconds, 2);
    sessions.end_of(secret.as_str()).await.unwrap();
    let of_token = sessions.of_token(token.secret.as_str()).await.unwrap();
    assert_eq!(of_token, None);
}

async fn a_token_of_nobody_has_no_roles(sessions: &Sessions) {
    let token = sessions.token_of_nobody().await.unwrap();
    let session = sessions.of_token(token.secret.as_str()).await.unwrap();
    assert_eq!(session.unwrap().grants, BTreeMap::new());
    let another = sessions.token_of_nobody().await.unwrap();
    assert_eq!(another.secret, token.secret, "nothing more is kept");
    assert!((150..=300).contains(&another.seconds));
}

async fn what_is_over_is_told_from_what_never_was(sessions: &Sessions) {
    let before = now() - 1;
    let secret = sessions.keep(BTreeMap::new(), before, None).await.unwrap();
    let shown = sessions.show(secret.as_str()).await.unwrap();
    assert_eq!(shown, Shown::Over);
    assert_eq!(roles_of(sessions, &secret).await, None);
    let token = Secret::random();
    let session = begin(sessions, None, "login", "staff").await.name();
    let putting = sessions.store.put_token(token.name(), session, before);
    putting.await.unwrap();
    assert_eq!(sessions.of_token(token.as_str()).await.unwrap(), None);
    for never in [Secret::random().as_str(), "", "a", &"é".repeat(43)] {
        let shown = sessions.show(never).await.unwrap();
        assert_eq!(shown, Shown::Unknown);
        assert_eq!(sessions.of_token(never).await.unwrap(), None);
    }
}

async fn what_is_over_for_long_is_forgotten(sessions: &Sessions) {
    let long_ago = now() - REMEMBERED - 1;
    let old = sessions
        .keep(BTreeMap::new(), long_ago, None)
        .await
        .unwrap();
    begin(sessions, None, "login", "staff").await;
    let shown = sessions.show(old.as_str()).await.unwrap();
    assert_eq!(shown, Shown::Unknown);
}

async fn tokens_are_bounded(sessions: &Sessions) {
    let secret = begin(sessions, None, "login", "staff").await;
    let session = sessions.of_cookie(secret.as_str()).await.unwrap().unwrap();
    let tokens: Vec<Secret> = (0..=TOKENS).map(|_| Secret::random()).collect();
    for (token, later) in tokens.iter().zip(1..) {
        let ends = now() + HOUR + later * 1000;
        let putting = sessions.store.put_token(token.name(), session.name, ends);
        putting.await.unwrap();
    }
    let mut alive = Vec::new();
    for token in &tokens {
        let session = sessions.of_token(token.as_str()).await.unwrap();
        alive.push(session.is_some());
    }
    assert_eq!(alive.iter().filter(|it| **it).count(), TOKENS);
    assert!(!alive[0], "the one that ends first");
}

/// A16.
async fn secrets_do_not_stand_in_for_each_other(sessions: &Sessions) {
    let secret = begin(sessions, None, "login", "staff").await;
    let session = sessions.of_cookie(secret.as_str()).await.unwrap().unwrap();
    let token = sessions.token(&session).await.unwrap().secret;
    assert_eq!(roles_of(sessions, &token).await, None);
    let of_cookie = sessions.of_token(secret.as_str()).await.unwrap();
    assert_eq!(of_cookie, None);
    let kept = secret.name().to_string();
    assert_eq!(sessions.of_cookie(&kept).await.unwrap(), None);
}

async fn holds_on_every_node(registry: &Registry) {
    let node = |cache_seconds| {
        let config = SessionConfig {
            cache_seconds,
            ..FORGETFUL
        };
        Sessions::new(&config, Some(registry))
    };
    let [here, there, forgetful] = [3600, 3600, 1].map(node);
    let secret = begin(&here, None, "login", "staff").await;
    for node in [&here, &there, &forgetful] {
        assert_eq!(roles_of(node, &secret).await, Some(roles(&["staff"])));
    }
    here.end_of(secret.as_str()).await.unwrap();
    assert_eq!(roles_of(&here, &secret).await, None, "at once");
    assert!(roles_of(&there, &secret).await.is_some(), "for a moment");
    let other = begin(&there, Some(&secret), "click", "reader").await;
    let revived = roles_of(&there, &other).await;
    assert_eq!(revived, Some(roles(&["reader"])), "and gives nothing on");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(roles_of(&forgetful, &secret).await, None);
}

/// What was on its way while the session ended is not remembered.
#[test]
fn an_answer_from_before_a_logout_is_not_kept() {
    let known = Known::new(60);
    let session = Session {
        name: Secret::random().name(),
        grants: BTreeMap::new(),
        ends: now() + HOUR,
    };
    let removals = known.removals();
    known.forget(session.name);
    known.keep(session.name, Some(&session), removals);
    assert_eq!(known.session(session.name), None);
    known.keep(session.name, Some(&session), known.removals());
    assert_eq!(known.session(session.name), Some(Some(session)));
}

fn of(given: Given, ends: Time) -> Session {
    let grants = [("a".to_owned(), Grant { given, ends })];
    Session {
        name: Secret::random().name(),
        grants: grants.into(),
        ends,
    }
}

#[test]
fn memory_is_bounded_and_logins_are_not_lost_to_clicks() {
    let memory = memory::Memory::default();
    let login = of(person("staff"), 1);
    let clicks: Vec<_> = (2..=20_001).map(|ends| of(Given::Nobody, ends)).collect();
    memory.put(&login, None, 0);
    for click in &clicks {
        memory.put(click, None, 0);
    }
    assert_eq!(memory.get(clicks[0].name), None, "of those, it ends first");
    assert_eq!(memory.get(clicks[1].name).as_ref(), Some(&clicks[1]));
    assert_eq!(memory.get(login.name), Some(login));
}

#[test]
fn tokens_go_when_they_are_over() {
    let mut tokens = tokens::Tokens::default();
    let [session, other] = [(); 2].map(|()| Secret::random().name());
    for ends in 1..=5 {
        tokens.put(Secret::random().name(), session, ends);
    }
    tokens.put(Secret::random().name(), other, 9);
    tokens.forget(3);
    assert_eq!(tokens.len(), 3);
    tokens.remove_of(session);
    assert_eq!(tokens.len(), 1);
}
