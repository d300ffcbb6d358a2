//! Everything that can be wrong with an answer, whoever gives it; and what opens an API.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::limits::{MAX_ANSWER_BYTES, MAX_ANSWER_S, MAX_RETRY_AFTER_S};
use intake::Failure;
use serde_json::json;
use wiremock::matchers::{basic_auth, body_string_contains, header, method, path};
use wiremock::{Mock, ResponseTemplate};

use super::amazon::amazon;
use super::woocommerce::{WOO, woo};
use crate::common::*;

#[tokio::test]
async fn a_vendor_that_does_not_answer_now_is_asked_later() {
    let world = World::new().await;
    woo(&world);
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "7");
    let weary = ResponseTemplate::new(429).insert_header("retry-after", "999999");
    for (answer, seconds) in [
        (busy, 7),
        (weary, MAX_RETRY_AFTER_S),
        (ResponseTemplate::new(503), 0),
        (ResponseTemplate::new(500).set_body_string("<html>oh"), 0),
    ] {
        world.on(get(WOO), answer, 1).await;
        match world.order("woocommerce", "9301").await {
            Err(Failure::Again(after, _)) => assert_eq!(after, seconds),
            other => panic!("{other:?}"),
        }
    }
    // Broken off, or a page of something in between.
    let whole = sample("woocommerce").to_string();
    for broken in [&whole[..whole.len() / 2], "<html>", ""] {
        world
            .on(
                get(WOO),
                ResponseTemplate::new(200).set_body_string(broken),
                1,
            )
            .await;
        let document = world.order("woocommerce", "9301").await.unwrap();
        let woo = channels::by_name("woocommerce").unwrap();
        let failure = Failure::from(woo.parse(&document, "main").unwrap_err());
        assert!(matches!(failure, Failure::Again(0, _)), "{failure:?}");
    }
    let late = Duration::from_secs(MAX_ANSWER_S + 1);
    world
        .on(get(WOO), json_of(json!({})).set_delay(late), 1)
        .await;
    let failure = world.order("woocommerce", "9301").await.unwrap_err();
    assert!(failure.to_string().contains("within 10 s"), "{failure}");
    let gone = json!({"url": "http://127.0.0.1:9", "key": "k", "secret": "s"});
    world.passed.store(600, Ordering::SeqCst);
    world.access("woocommerce", &gone);
    let failure = world.order("woocommerce", "9301").await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
}

#[tokio::test]
async fn a_refusal_says_why_without_quoting() {
    let world = World::new().await;
    woo(&world);
    let refused =
        json!({"code": "woocommerce_rest_cannot_view", "message": "Sorry, ada@example.com"});
    for (status, body, why) in [
        (403, refused, "status 403, woocommerce_rest_cannot_view"),
        (400, json!({}), "status 400"),
        // A redirect could lead anywhere.
        (301, json!({}), "status 301"),
    ] {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        let answer = answer.insert_header("location", "http://169.254.169.254/");
        world.on(get(WOO), answer, 1).await;
        let failure = world.order("woocommerce", "9301").await;
        let expected = match status {
            403 => Failure::Locked(why.into()),
            _ => Failure::Refused(why.into()),
        };
        assert_eq!(failure, Err(expected));
    }
    world.on(get(WOO), ResponseTemplate::new(404), 1).await;
    assert_eq!(
        world.order("woocommerce", "9301").await,
        Err(Failure::Missing)
    );
    for access in [
        json!({"url": "@", "key": "ck"}),
        json!({"url": "http://shop.example", "key": "k", "secret": "s"}),
        json!({"url": "@", "key": "a\nb", "secret": "s"}),
        json!({"url": "nowhere", "key": "k", "secret": "s"}),
    ] {
        world.passed.fetch_add(600, Ordering::SeqCst);
        world.access("woocommerce", &access);
        let failure = world.order("woocommerce", "9302").await;
        match access["key"] == "a\nb" {
            // It is encoded, and not known there.
            true => assert_eq!(failure, Err(Failure::Missing)),
            false => assert!(
                matches!(failure, Err(Failure::Refused(_) | Failure::Locked(_))),
                "{failure:?}"
            ),
        }
    }
}

#[tokio::test]
async fn an_answer_has_a_size() {
    let world = World::new().await;
    woo(&world);
    let full = ResponseTemplate::new(200).set_body_bytes(vec![b' '; MAX_ANSWER_BYTES]);
    world.on(get(WOO), full, 1).await;
    let document = world.order("woocommerce", "9301").await.unwrap();
    assert_eq!(document.len(), MAX_ANSWER_BYTES);
    let over = ResponseTemplate::new(200).set_body_bytes(vec![b' '; MAX_ANSWER_BYTES + 1]);
    world.on(get(WOO), over, 1).await;
    let failure = world.order("woocommerce", "9301").await.unwrap_err();
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
}

#[tokio::test]
async fn an_access_that_was_replaced_is_looked_up_once() {
    let world = World::new().await;
    woo(&world);
    let old = get(WOO).and(basic_auth("ck", "cs"));
    world.on(old, ResponseTemplate::new(401), 2).await;
    // It is believed for ten seconds, whatever it does not open.
    let failure = world.order("woocommerce", "9301").await;
    assert_eq!(failure, Err(Failure::Locked("status 401".into())));
    world.passed.store(60, Ordering::SeqCst);
    let next = json!({"url": "@", "key": "ck2", "secret": "cs2"});
    world.access("woocommerce", &next);
    let new = get(WOO).and(basic_auth("ck2", "cs2"));
    world.on(new, json_of(sample("woocommerce")), 1).await;
    let old = get(WOO).and(basic_auth("ck", "cs"));
    world.on(old, ResponseTemplate::new(401), 1).await;
    assert!(world.order("woocommerce", "9301").await.is_ok());
}

#[tokio::test]
async fn a_token_is_used_until_it_is_over_and_one_that_is_refused_is_replaced_once() {
    let world = World::new().await;
    amazon(&world);
    const ORDER: &str = "/orders/2026-01-01/orders/701-1";
    let tokens = || {
        Mock::given(method("POST"))
            .and(path("/auth/o2/token"))
            .and(body_string_contains("grant_type=refresh_token"))
            .and(body_string_contains("refresh_token=Atzr%7C1"))
            .and(body_string_contains("client_id=app&client_secret=hush"))
    };
    let with = |token: &str| get(ORDER).and(header("x-amz-access-token", token.to_owned()));
    let order = json_of(json!({"order": sample("amazon")}));
    world.on(tokens(), token("t-1"), 1).await;
    world.on(with("t-1"), order.clone(), 2).await;
    let document = world.order("amazon", "701-1").await.unwrap();
    let known = total("amazon", &document);
    world.passed.store(3_000, Ordering::SeqCst);
    assert_eq!(
        world.order("amazon", "701-1").await.unwrap(),
        document,
        "still good"
    );
    // Over before its time.
    let over = json!({"errors": [{"code": "Unauthorized", "message": "expired", "details": ""}]});
    world
        .on(
            with("t-1"),
            ResponseTemplate::new(403).set_body_json(over.clone()),
            1,
        )
        .await;
    world.on(tokens(), token("t-2"), 1).await;
    world.on(with("t-2"), order.clone(), 1).await;
    assert_eq!(
        total("amazon", &world.order("amazon", "701-1").await.unwrap()),
        known
    );
    // Over by its own word.
    world.passed.store(7_000, Ordering::SeqCst);
    world.on(tokens(), token("t-3"), 1).await;
    world
        .on(
            with("t-3"),
            ResponseTemplate::new(403).set_body_json(over.clone()),
            1,
        )
        .await;
    world.on(tokens(), token("t-4"), 1).await;
    world
        .on(
            with("t-4"),
            ResponseTemplate::new(403).set_body_json(over),
            1,
        )
        .await;
    let failure = world.order("amazon", "701-1").await;
    let why = "status 403, Unauthorized";
    assert_eq!(
        failure,
        Err(Failure::Locked(why.into())),
        "once, and not for ever"
    );
    // Nobody gives a token any more.
    world.passed.store(20_000, Ordering::SeqCst);
    let refused = ResponseTemplate::new(400).set_body_json(json!({"error": "invalid_grant"}));
    world.on(tokens(), refused, 1).await;
    let failure = world.order("amazon", "701-1").await;
    let why = "status 400, invalid_grant";
    assert_eq!(failure, Err(Failure::Locked(why.into())));
    world.on(tokens(), ResponseTemplate::new(503), 1).await;
    let failure = world.order("amazon", "701-1").await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
}
