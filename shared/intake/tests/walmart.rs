//! Walmart's API as its documents describe it: asked, told what has left, and told what there is.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use channels::vendor::Page;
use common::*;
use domain::limits::MAX_SETTINGS;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{
    basic_auth, body_json, body_string_contains, header, header_exists, method, path, query_param,
};
use wiremock::{Mock, ResponseTemplate};

#[tokio::test]
async fn walmart_says_that_a_list_is_missing_when_nothing_is_in_it() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "id", "client_secret": "hush"});
    world.access("walmart", &access);
    let tokens = || {
        Mock::given(method("POST"))
            .and(path("/v3/token"))
            .and(basic_auth("id", "hush"))
            .and(header("wm_svc.name", "Walmart Marketplace"))
            .and(header_exists("wm_qos.correlation_id"))
            .and(body_string_contains("grant_type=client_credentials"))
    };
    let with = |token: &str| header("wm_sec.access_token", token.to_owned());
    let order = sample("walmart");
    let id = order["purchaseOrderId"].as_str().unwrap().to_owned();
    let place = format!("/v3/orders/{id}");
    let over = json!({"errors": {"error": [{"code": "UNAUTHORIZED", "severity": "ERROR"}]}});
    let over = ResponseTemplate::new(401).set_body_json(over);
    world.on(tokens(), token("old"), 1).await;
    world.on(get(&place).and(with("old")), over, 1).await;
    world.on(tokens(), token("new"), 1).await;
    let asked = || {
        get(&place)
            .and(with("new"))
            .and(basic_auth("id", "hush"))
            .and(header_exists("wm_qos.correlation_id"))
    };
    world
        .on(asked(), json_of(json!({"order": order.clone()})), 1)
        .await;
    let document = world.order("walmart", &id).await.unwrap();
    let walmart = channels::by_name("walmart").unwrap();
    let new = walmart.parse(&document, "main").unwrap();
    assert_eq!(new.source.external_id, id);
    let mut theirs = order;
    theirs["shipNode"] = json!({"type": "WFSFulfilled"});
    world
        .on(asked(), json_of(json!({"order": theirs})), 1)
        .await;
    let failure = world.order("walmart", &id).await;
    assert_eq!(failure, Err(Failure::NotOurs("Walmart ships it itself")));

    let list = || {
        get("/v3/orders")
            .and(with("new"))
            .and(query_param("lastModifiedStartDate", "2026-11-26T16:00:59Z"))
            .and(query_param("createdStartDate", "2026-06-09T16:01:00Z"))
            .and(query_param("limit", "200"))
    };
    let entry = |id: &str, dates: &[Value]| {
        let line = |date: &Value| json!({"lineNumber": "1", "statusDate": date});
        let lines: Vec<Value> = dates.iter().map(line).collect();
        json!({"purchaseOrderId": id, "orderLines": {"orderLine": lines}})
    };
    let page = |entries: &[Value], next: Value| {
        json!({"list": {
            "meta": {"totalCount": 2, "limit": 200, "nextCursor": next}, "elements": {"order": entries},
        }})
    };
    let millis = |second: i64| json!(at(second).as_millisecond());
    let next = get("/v3/orders")
        .and(query_param("soIndex", "31"))
        .and(query_param("createdEndDate", "2026-11-26T16:02:03.703Z"));
    let first = page(
        &[entry("1", &[millis(65), millis(61)])],
        json!("?limit=200&soIndex=31&createdEndDate=2026-11-26T16:02:03.703Z"),
    );
    world.on(list(), json_of(first), 1).await;
    let found = world.page("walmart", 60, "").await.unwrap();
    assert_eq!(found.orders, [hint("1", "2026-11-26T16:01:05Z")]);
    let name = found.next.unwrap();
    world
        .on(
            next,
            json_of(page(&[entry("2", &[millis(62)])], json!(null))),
            1,
        )
        .await;
    let found = world.page("walmart", 60, &name).await.unwrap();
    assert_eq!(found.orders, [hint("2", "2026-11-26T16:01:02Z")]);
    assert_eq!(found.next, None);
    // An entry that does not say since when would be a gap.
    let odd = page(&[entry("3", &[])], json!(null));
    world.on(list(), json_of(odd), 1).await;
    let failure = world.page("walmart", 60, "").await;
    assert!(
        matches!(failure, Err(Failure::Unreadable(_))),
        "{failure:?}"
    );
    // Nothing has changed; a page that is no longer there; and an address that is somebody else's.
    let missing = |code: &str| {
        let error = json!({"errors": {"error": [{"code": code, "severity": "INFO"}]}});
        ResponseTemplate::new(404).set_body_json(error)
    };
    let none = || missing("CONTENT_NOT_FOUND.GMP_ORDER_API");
    world.on(list(), none(), 1).await;
    assert_eq!(world.page("walmart", 60, "").await, Ok(Page::default()));
    world.on(get("/v3/orders"), none(), 1).await;
    let failure = world.page("walmart", 60, &name).await;
    assert_eq!(failure, Err(Failure::Missing));
    for elsewhere in [missing("URI_NOT_FOUND"), ResponseTemplate::new(404)] {
        world.on(list(), elsewhere.clone(), 1).await;
        world.on(tokens(), token("new"), 1).await;
        world.on(list(), elsewhere, 1).await;
        let failure = world.page("walmart", 60, "").await;
        assert!(matches!(failure, Err(Failure::Locked(_))), "{failure:?}");
    }
    world.server.verify().await;
}

/// An account of Walmart's whose token is good.
async fn walmart(world: &World) {
    let access = json!({"url": "@", "client_id": "id", "client_secret": "s"});
    world.access("walmart", &access);
    world.on(post("/v3/token"), token("t"), 1).await;
}

/// An order of Walmart's: of each part of its lines the line, the status and the number.
fn walmarts(parts: &[(&str, &str, &str)]) -> Value {
    let line = |(line, status, number): &(&str, &str, &str)| {
        let mut part = json!({"status": status, "statusQuantity": {"amount": "1"}});
        if !number.is_empty() {
            part["trackingInfo"] = json!({"trackingNumber": number});
        }
        json!({"lineNumber": line, "orderLineStatuses": {"orderLineStatus": [part]}})
    };
    let lines: Vec<Value> = parts.iter().map(line).collect();
    json!({"order": {
        "purchaseOrderId": "25", "shippingInfo": {"methodCode": "Value"},
        "orderLines": {"orderLine": lines},
    }})
}

#[tokio::test]
async fn walmart_is_told_line_by_line_what_has_left() {
    let world = World::new().await;
    walmart(&world).await;
    let asked = |known: bool| {
        let number = if known { "NP-77" } else { "NP-7" };
        let order = walmarts(&[
            ("11", "Acknowledged", ""),
            ("12", "Shipped", number),
            // This number with another line: somebody else's parcel of the same van.
            ("13", "Shipped", "NP-77"),
            ("14", "Created", ""),
        ]);
        let asked = get("/v3/orders/25").and(header("wm_sec.access_token", "t"));
        vec![(asked, order)]
    };
    let line = |line: &str, amount: &str| {
        let tracking = json!({
            "shipDateTime": at(0).as_millisecond(), "carrierName": {"carrier": "Night Post"},
            "methodCode": "Value", "trackingNumber": "NP-77",
        });
        let status = json!({
            "status": "Shipped", "trackingInfo": tracking,
            "statusQuantity": {"unitOfMeasurement": "EACH", "amount": amount},
        });
        json!({
            "lineNumber": line, "sellerOrderId": "AD4OVS4KRET6JAPB", "intentToCancelOverride": true,
            "orderLineStatuses": {"orderLineStatus": [status]},
        })
    };
    let said = json!({"orderShipment": {"orderLines": {
        "orderLine": [line("11", "2"), line("12", "1")],
    }}});
    let ship = || post("/v3/orders/25/shipping").and(body_json(said.clone()));
    Asked {
        world: &world,
        channel: "walmart",
        update: sent("25"),
        asks: &asked,
        says: &ship,
        taken: json_of(walmarts(&[])),
    }
    .is_told()
    .await;
    // Two parcels with one number: that one is there says nothing of the other.
    let mut second = sent("25");
    shipment(&mut second).alike = 1;
    let (known, order) = asked(true).remove(0);
    world.on(known, json_of(order), 1).await;
    world.on(ship(), json_of(json!({})), 1).await;
    assert_eq!(world.tell("walmart", &second).await, Ok(()));
    // What it has not heard to have come in cannot leave: it hears of that first.
    let order = walmarts(&[("11", "Created", ""), ("12", "Acknowledged", "")]);
    world.on(get("/v3/orders/25"), json_of(order), 1).await;
    let ack = post("/v3/orders/25/acknowledge");
    world.on(ack, json_of(walmarts(&[])), 1).await;
    world.on(ship(), json_of(json!({})), 1).await;
    assert_eq!(world.tell("walmart", &sent("25")).await, Ok(()));
    world.server.verify().await;
}

#[tokio::test]
async fn walmart_waits_for_its_orders_to_be_acknowledged() {
    let world = World::new().await;
    walmart(&world).await;
    let channel = channels::by_name("walmart").unwrap();
    assert!(channel.updates().unwrap().waits());
    let asked = |known: bool| {
        let status = if known { "Acknowledged" } else { "Created" };
        let order = walmarts(&[("11", "Cancelled", ""), ("12", status, "")]);
        vec![(get("/v3/orders/25"), order)]
    };
    let ack = || post("/v3/orders/25/acknowledge").and(header("content-length", "0"));
    Asked {
        world: &world,
        channel: "walmart",
        update: accepted("25"),
        asks: &asked,
        says: &ack,
        taken: json_of(walmarts(&[])),
    }
    .is_told()
    .await;
    let cancelled = walmarts(&[("11", "Cancelled", "")]);
    world.on(get("/v3/orders/25"), json_of(cancelled), 1).await;
    let gone = world.tell("walmart", &accepted("25")).await;
    assert!(matches!(gone, Err(Failure::Refused(_))), "{gone:?}");
}

#[tokio::test]
async fn walmart_is_told_of_one_item_after_the_other() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "id", "client_secret": "s", "ship_node": "721"});
    world.access("walmart", &access);
    world.on(said("POST", "/v3/token"), token("t"), 1).await;
    let item = |sku: &str, n: i64| {
        let quantity = json!({"unit": "EACH", "amount": n});
        let said = said("PUT", "/v3/inventory").and(query_param("sku", sku.to_owned()));
        let said = said.and(query_param("shipNode", "721"));
        let said = said.and(header("wm_sec.access_token", "t"));
        said.and(body_json(json!({"sku": sku, "quantity": quantity})))
    };
    let taken = |sku: &str, n: i64| json!({"sku": sku, "quantity": {"unit": "EACH", "amount": n}});
    let told = Told {
        world: &world,
        channel: "walmart",
        available: &[of("CUP", 3)],
        asks: &Vec::new,
        says: &|| item("CUP", 3),
        taken: taken("CUP", 3),
    };
    told.is_told().await;
    told.is_read_whole().await;
    let two = [of("CUP", 3), of("A&B", 0)];
    world.on(item("CUP", 3), json_of(taken("CUP", 3)), 2).await;
    world.on(item("A&B", 0), json_of(taken("A&B", 0)), 1).await;
    assert_eq!(world.set("walmart", "7", &two).await, Ok(NOTHING));
    // It has no such item: whoever tells it says the rest by itself.
    let code = json!({"errors": {"error": [{"code": "CONTENT_NOT_FOUND.GMP_INVENTORY_API"}]}});
    let missing = ResponseTemplate::new(404).set_body_json(code);
    world.on(item("A&B", 0), missing, 1).await;
    let gone = world.set("walmart", "7", &two).await;
    assert_eq!(gone, Err(Failure::Missing));
    world.server.verify().await;
    let walmart = channels::by_name("walmart").unwrap();
    assert!(walmart.stock().unwrap().at_once() <= MAX_SETTINGS);
}
