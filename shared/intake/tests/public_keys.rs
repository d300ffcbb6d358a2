//! The keys that eBay signs with, as its API gives them, and what is asked for when it does not.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use channels::{Delivery, Secret};
use common::*;
use data_encoding::BASE64;
use domain::limits::{
    KEY_BELIEVED_S, KEY_PAUSE_S, MAX_KEY_ANSWER_BYTES, MAX_KEY_ANSWER_S, MAX_RETRY_AFTER_S,
};
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{basic_auth, body_string_contains, header, method, path};
use wiremock::{MockBuilder, ResponseTemplate};

const KEY: &str = include_str!("../../../events/channels/ec-public-key.pem");
const RSA: &str = include_str!("../../../events/channels/rsa-public-key.pem");

fn access() -> Value {
    json!({"token": "t", "url": "https://oms.example/", "client_id": "c", "client_secret": "s", "api": "@/"})
}

fn tokens() -> MockBuilder {
    wiremock::Mock::given(method("POST"))
        .and(path("/identity/v1/oauth2/token"))
        .and(basic_auth("c", "s"))
        .and(body_string_contains(
            "grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope",
        ))
}

fn asked(id: &str) -> MockBuilder {
    get(&format!("/commerce/notification/v1/public_key/{id}"))
}

/// As eBay answers: the key without line breaks.
fn key() -> ResponseTemplate {
    json_of(json!({"key": KEY.replace('\n', ""), "algorithm": "ECDSA", "digest": "SHA1"}))
}

fn no_key() -> ResponseTemplate {
    let error =
        json!({"errorId": 195_001, "domain": "API_NOTIFICATION", "message": "ada@example.com"});
    ResponseTemplate::new(404).set_body_json(json!({"errors": [error]}))
}

impl World {
    async fn ebay() -> Self {
        let world = Self::new().await;
        world.access("ebay", &access());
        world.on(tokens(), token("t-1"), 1).await;
        world
    }

    fn wait(&self, seconds: u64) {
        let seconds = i64::try_from(seconds).unwrap();
        self.passed.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The key that a delivery names, by the account's secrets.
    async fn ask(&self, id: &str, secrets: &[Value], doubt: bool) -> Answer {
        let document = json!({"kid": id, "digest": "SHA1", "signature": "AAAA"});
        let document = BASE64.encode(document.to_string().as_bytes());
        let header = |name: &str| (name == "x-ebay-signature").then_some(document.as_str());
        let delivery = Delivery {
            method: "POST",
            url: "https://oms.example/",
            headers: &header,
            query: &|_| None,
            raw_body: b"{}",
        };
        let secrets: Vec<Secret> = secrets
            .iter()
            .map(|secret| Secret::read(&secret.to_string()))
            .collect();
        let ebay = channels::by_name("ebay").unwrap();
        self.public_keys
            .get(ebay, "main", &delivery, &secrets, doubt)
            .await
    }

    async fn key(&self, id: &str) -> Answer {
        self.ask(id, &[access()], true).await
    }
}

type Answer = Result<Option<Arc<Secret>>, Failure>;

fn is_key(answer: Answer, id: &str) -> bool {
    let key = answer.unwrap();
    key.is_some_and(|key| key.part(id).is_some())
}

fn is_none(answer: Answer) -> bool {
    answer.unwrap().is_none()
}

fn is_later(answer: Answer) -> bool {
    matches!(answer, Err(Failure::Again(..)))
}

#[tokio::test]
async fn a_key_is_asked_for_once_an_hour() {
    let world = World::ebay().await;
    let opened = |token: &str| asked("k-1").and(header("authorization", format!("Bearer {token}")));
    world.on(opened("t-1"), key(), 1).await;
    assert!(is_none(world.ask("k-1", &[access()], false).await));
    assert!(is_key(world.key("k-1").await, "k-1"));
    world.wait(KEY_BELIEVED_S - 1);
    for doubt in [false, true] {
        let known = world.ask("k-1", &[access()], doubt).await;
        assert!(is_key(known, "k-1"), "without asking");
    }
    world.server.verify().await;
    // The token is over, too: it is used until a minute before.
    world.wait(1);
    assert!(is_none(world.ask("k-1", &[access()], false).await));
    world.on(tokens(), token("t-2"), 1).await;
    world.on(opened("t-2"), key(), 1).await;
    assert!(is_key(world.key("k-1").await, "k-1"));
    world.server.verify().await;
}

#[tokio::test]
async fn what_needs_no_asking_or_cannot_be_asked_for_is_not() {
    let world = World::new().await;
    world.access("ebay", &access());
    let mut typed = access();
    typed["k-1"] = KEY.into();
    let mut lacking = access();
    lacking["client_secret"] = "".into();
    for (id, secrets) in [
        ("k-1", vec![typed.clone()]),
        ("k-1", vec![access(), typed]),
        ("k-1", vec![lacking.clone()]),
        ("k-1", vec![lacking, access()]),
        ("k-1", vec![]),
        ("client_id", vec![access()]),
        ("..", vec![access()]),
        ("", vec![access()]),
    ] {
        assert!(is_none(world.ask(id, &secrets, true).await), "{id}");
    }
    assert_eq!(world.server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_token_that_is_over_before_its_time_is_replaced_once() {
    let world = World::ebay().await;
    let over = || ResponseTemplate::new(401).set_body_json(json!({"errors": [{"errorId": 1001}]}));
    world.on(asked("k-1"), over(), 1).await;
    world.on(tokens(), token("t-2"), 1).await;
    world
        .on(
            asked("k-1").and(header("authorization", "Bearer t-2")),
            key(),
            1,
        )
        .await;
    assert!(is_key(world.key("k-1").await, "k-1"));
    world.server.verify().await;
    // Whatever opens it does not: a person has to look at it, and eBay has to come again.
    world.on(asked("k-2"), over(), 2).await;
    world.on(tokens(), token("t-3"), 1).await;
    assert!(matches!(world.key("k-2").await, Err(Failure::Locked(_))));
    assert!(is_later(world.key("k-2").await), "not asked");
    world.wait(KEY_PAUSE_S);
    world.on(asked("k-2"), key(), 1).await;
    assert!(is_key(world.key("k-2").await, "k-2"));
    world.server.verify().await;
}

#[tokio::test]
async fn who_is_no_application_gets_no_token() {
    let world = World::new().await;
    world.access("ebay", &access());
    let refused = json!({"error": "invalid_client", "error_description": "client authentication"});
    let refused = ResponseTemplate::new(401).set_body_json(refused);
    world.on(tokens(), refused, 1).await;
    let why = Failure::Locked("no token: status 401, invalid_client".into());
    assert_eq!(world.key("k-1").await.unwrap_err(), why);
}

#[tokio::test]
async fn after_a_key_that_there_is_not_no_other_is_asked_for_at_once() {
    let world = World::ebay().await;
    world.on(asked("old"), key(), 1).await;
    assert!(is_key(world.key("old").await, "old"));
    world.on(asked("made-up"), no_key(), 1).await;
    assert!(is_none(world.key("made-up").await));
    world.wait(KEY_PAUSE_S - 1);
    assert!(is_none(world.key("made-up").await), "without asking");
    assert!(is_later(world.key("k-1").await));
    assert!(is_none(world.ask("k-1", &[access()], false).await));
    assert!(is_key(world.key("old").await, "old"));
    world.server.verify().await;
    world.wait(1);
    world.on(asked("k-1"), key(), 1).await;
    assert!(is_key(world.key("k-1").await, "k-1"));
    // Whoever makes ids up keeps nobody from a key that was there an hour ago.
    world.wait(KEY_BELIEVED_S);
    world.on(tokens(), token("t-2"), 1).await;
    world.on(asked("made-up"), no_key(), 1).await;
    assert!(is_none(world.key("made-up").await));
    world.on(asked("k-1"), key(), 1).await;
    assert!(is_key(world.key("k-1").await, "k-1"));
    // That one has been withdrawn.
    world.on(asked("old"), no_key(), 1).await;
    assert!(is_none(world.key("old").await));
    assert!(is_later(world.key("made-up").await));
    world.server.verify().await;
}

#[tokio::test]
async fn what_is_no_key_of_this_kind_is_none() {
    let world = World::ebay().await;
    let of = |key: &str, algorithm: &str| {
        json_of(json!({"key": key, "algorithm": algorithm, "digest": "SHA1"}))
    };
    for answer in [
        of(KEY, "RSA"),
        of(RSA, "ECDSA"),
        json_of(json!({})),
        ResponseTemplate::new(400),
        ResponseTemplate::new(410),
    ] {
        world.on(asked("k-1"), answer, 1).await;
        assert!(is_none(world.key("k-1").await));
        assert!(is_none(world.key("k-1").await), "without asking");
        assert!(is_later(world.key("k-2").await));
        world.wait(KEY_PAUSE_S);
    }
    world.server.verify().await;
}

#[tokio::test]
async fn an_api_that_does_not_answer_is_asked_again_after_a_pause() {
    let world = World::ebay().await;
    let status = ResponseTemplate::new;
    let whole = json!({"key": KEY, "algorithm": "ECDSA"}).to_string();
    let broken = status(200).set_body_string(&whole[..whole.len() / 2]);
    let late = Duration::from_secs(MAX_KEY_ANSWER_S + 1);
    let hour = u64::try_from(MAX_RETRY_AFTER_S).unwrap();
    for (answer, pause) in [
        (status(429).insert_header("retry-after", "77"), 77),
        (status(429), KEY_PAUSE_S),
        (status(500), KEY_PAUSE_S),
        (status(503), KEY_PAUSE_S),
        (broken, KEY_PAUSE_S),
        (status(200), KEY_PAUSE_S),
        (key().set_delay(late), KEY_PAUSE_S),
        // That is an hour, after which the token is over as well.
        (status(503).insert_header("retry-after", "999999"), hour),
    ] {
        world.on(asked("k-1"), answer, 1).await;
        assert!(is_later(world.key("k-1").await));
        world.wait(pause - 1);
        for id in ["k-1", "k-2"] {
            assert!(is_later(world.key(id).await), "without asking");
        }
        world.wait(1);
    }
    world.server.verify().await;
    world.on(tokens(), status(503), 1).await;
    assert!(is_later(world.key("k-1").await), "no token");
    world.server.verify().await;
}

#[tokio::test]
async fn an_answer_with_a_key_has_a_size() {
    let world = World::ebay().await;
    let padded = |bytes: usize| {
        let mut body = json!({"key": KEY, "algorithm": "ECDSA"}).to_string();
        body.push_str(&" ".repeat(bytes - body.len()));
        ResponseTemplate::new(200).set_body_string(body)
    };
    world
        .on(asked("over"), padded(MAX_KEY_ANSWER_BYTES + 1), 1)
        .await;
    assert!(is_none(world.key("over").await));
    world.wait(KEY_PAUSE_S);
    world
        .on(asked("full"), padded(MAX_KEY_ANSWER_BYTES), 1)
        .await;
    assert!(is_key(world.key("full").await, "full"));
}
