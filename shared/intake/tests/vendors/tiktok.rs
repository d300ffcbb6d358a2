//! TikTok Shop's API.

use std::sync::atomic::Ordering;

use channels::vendor::Page;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header, method, path, query_param, query_param_contains};
use wiremock::{Mock, ResponseTemplate};

use crate::common::*;

#[tokio::test]
async fn tiktok_is_asked_with_a_signature_and_says_by_codes_what_is_wrong() {
    let world = World::new().await;
    let access = json!({
        "url": "@", "token_url": "@/api/v2/token/refresh", "app_key": "29a39d",
        "app_secret": "hush", "refresh_token": "TTP_r", "shop_cipher": "ROW_c",
    });
    world.access("tiktok", &access);
    let tokens = || {
        get("/api/v2/token/refresh")
            .and(query_param("app_key", "29a39d"))
            .and(query_param("app_secret", "hush"))
            .and(query_param("refresh_token", "TTP_r"))
            .and(query_param("grant_type", "refresh_token"))
    };
    let order = sample("tiktok");
    let id = order["id"].as_str().unwrap().to_owned();
    let with = |token: &str| {
        get("/order/202309/orders")
            .and(query_param("ids", id.as_str()))
            .and(query_param("shop_cipher", "ROW_c"))
            .and(query_param("app_key", "29a39d"))
            .and(header("content-type", "application/json"))
            .and(header("x-tts-access-token", token.to_owned()))
            .and(query_param_contains("sign", ""))
    };
    let said = |data: Value| json_of(json!({"code": 0, "message": "Success", "data": data}));
    let code = |status: u16, code: i64| {
        let body = json!({"code": code, "message": "Ada wrote", "request_id": "1"});
        ResponseTemplate::new(status).set_body_json(body)
    };
    world.on(tokens(), tiktok_token("t-1", 604_800), 1).await;
    let signed = with("t-1").and(query_param("timestamp", at(0).as_second().to_string()));
    world.on(signed, said(json!({"orders": [order]})), 1).await;
    let document = world.order("tiktok", &id).await.unwrap();
    assert_eq!(total("tiktok", &document), (7549, id.clone()));
    // Over before its time, as it says with success.
    world.on(with("t-1"), code(200, 105_002), 1).await;
    world.on(tokens(), tiktok_token("t-2", 604_800), 1).await;
    let none = said(json!({"orders": []}));
    world.on(with("t-2"), none, 1).await;
    assert_eq!(world.order("tiktok", &id).await, Err(Failure::Missing));
    let mut tiktoks = order.clone();
    tiktoks["fulfillment_type"] = "FULFILLMENT_BY_TIKTOK".into();
    let answer = said(json!({"orders": [tiktoks]}));
    world.on(with("t-2"), answer, 1).await;
    let why = Failure::NotOurs("TikTok ships it itself");
    assert_eq!(world.order("tiktok", &id).await, Err(why));
    let busy = code(429, 36_009_002).insert_header("retry-after", "7");
    for (answer, seconds) in [(busy, 7), (code(200, 36_009_003), 0), (code(503, 1), 0)] {
        world.on(with("t-2"), answer, 1).await;
        match world.order("tiktok", &id).await {
            Err(Failure::Again(after, _)) => assert_eq!(after, seconds),
            other => panic!("{other:?}"),
        }
    }
    world.on(with("t-2"), code(200, 21_008_111), 1).await;
    assert_eq!(world.order("tiktok", &id).await, Err(Failure::Missing));
    world.on(with("t-2"), code(200, 11_050_001), 1).await;
    let why = "status 200, 11050001";
    let failure = world.order("tiktok", &id).await;
    assert_eq!(failure, Err(Failure::Refused(why.into())));
    // The seller has taken the grant back.
    world.on(with("t-2"), code(401, 105_005), 1).await;
    world.on(tokens(), code(200, 36_004_004), 1).await;
    let why = "status 200, 36004004";
    let failure = world.order("tiktok", &id).await;
    assert_eq!(failure, Err(Failure::Locked(why.into())));
    world.server.verify().await;
    // A list names its pages, and may have no orders to show.
    world.passed.store(700_000, Ordering::SeqCst);
    world.on(tokens(), tiktok_token("t-3", 1_400_000), 1).await;
    let list = || {
        Mock::given(method("POST"))
            .and(path("/order/202309/orders/search"))
            .and(header("x-tts-access-token", "t-3"))
            .and(query_param("sort_field", "update_time"))
            .and(query_param("page_size", "100"))
            .and(body_json(json!({"update_time_ge": at(60).as_second()})))
    };
    let next = list().and(query_param("page_token", "6As/8p="));
    world.on(next, said(json!({"total_count": 1})), 1).await;
    let entry = json!({"id": id, "update_time": at(65).as_second()});
    let first = json!({"orders": [entry], "next_page_token": "6As/8p=", "total_count": 1});
    world.on(list(), said(first), 1).await;
    let page = world.page("tiktok", 60, "").await.unwrap();
    assert_eq!(page.orders, [hint(&id, "2026-11-26T16:01:05Z")]);
    assert_eq!(page.next.as_deref(), Some("6As/8p="));
    let page = world.page("tiktok", 60, "6As/8p=").await;
    assert_eq!(page, Ok(Page::default()));
    let odd = json!({"orders": [{"id": id, "update_time": null}]});
    world.on(list(), said(odd), 1).await;
    let odd = world.page("tiktok", 60, "").await;
    assert!(matches!(odd, Err(Failure::Unreadable(_))), "{odd:?}");
    world.server.verify().await;
}

/// A token of TikTok Shop's, which says until when it is good.
fn tiktok_token(token: &str, until: i64) -> ResponseTemplate {
    let until = at(until).as_second();
    json_of(json!({"code": 0, "data": {"access_token": token, "access_token_expire_in": until}}))
}
