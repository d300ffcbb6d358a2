//! Square's API as its documents describe it: asked, told what has left, and told what there is.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use channels::vendor::Page;
use common::*;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{
    body_json, body_partial_json, body_string_contains, header, method, path,
};
use wiremock::{Mock, MockBuilder, ResponseTemplate};

#[tokio::test]
async fn square_has_skus_in_its_catalogue_alone() {
    let world = World::new().await;
    let access = json!({"url": "@", "token": "sq", "location_ids": "L1, L2"});
    world.access("square", &access);
    let opened = || header("authorization", "Bearer sq");
    let mut order = sample("square");
    let id = order["id"].as_str().unwrap().to_owned();
    order["line_items"][1]["catalog_object_id"] = "V2".into();
    let asked = || get(&format!("/v2/orders/{id}")).and(opened());
    world
        .on(asked(), json_of(json!({"order": order.clone()})), 1)
        .await;
    let looked = Mock::given(method("POST"))
        .and(path("/v2/catalog/batch-retrieve"))
        .and(body_json(json!({"object_ids": ["CUP-STONE-4", "V2"]})));
    let variation =
        json!({"id": "V2", "type": "ITEM_VARIATION", "item_variation_data": {"sku": "GIFT"}});
    let found = json!({"objects": [variation]});
    world.on(looked, json_of(found), 1).await;
    let document = world.order("square", &id).await.unwrap();
    assert_eq!(total("square", &document).1, id);
    let square = channels::by_name("square").unwrap();
    let new = square.parse(&document, "main").unwrap();
    let skus: Vec<_> = new.lines.iter().filter_map(|l| l.sku.as_deref()).collect();
    // What has none of its own is called by its id.
    assert_eq!(skus, ["CUP-STONE-4", "GIFT"]);
    // Of what nobody has in a catalogue nothing is asked.
    order["line_items"] = json!([order["line_items"][0].take()]);
    order["line_items"][0]["catalog_object_id"] = json!(null);
    world.on(asked(), json_of(json!({"order": order})), 1).await;
    assert!(world.order("square", &id).await.is_ok());
    world.server.verify().await;
}

#[tokio::test]
async fn square_is_searched_by_its_locations() {
    let world = World::new().await;
    let access = json!({"url": "@", "token": "sq", "location_ids": "L1, L2"});
    world.access("square", &access);
    let search = |cursor: Option<&str>| {
        let mut body = json!({
            "location_ids": ["L1", "L2"], "limit": 200,
            "query": {
                "filter": {
                    "date_time_filter": {"updated_at": {"start_at": "2026-11-26T16:01:00Z"}},
                    "state_filter": {"states": ["OPEN", "COMPLETED", "CANCELED"]},
                },
                "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
            },
        });
        if let Some(cursor) = cursor {
            body["cursor"] = cursor.into();
        }
        let search = Mock::given(method("POST")).and(path("/v2/orders/search"));
        search
            .and(header("authorization", "Bearer sq"))
            .and(body_json(body))
    };
    let entry =
        |id: &str| json!({"id": id, "updated_at": "2026-11-26T16:01:05.5Z", "state": "OPEN"});
    let first = json!({"orders": [entry("A")], "cursor": "c/1"});
    world.on(search(None), json_of(first), 1).await;
    let last = json!({"orders": [entry("B")]});
    world.on(search(Some("c/1")), json_of(last), 1).await;
    let page = world.page("square", 60, "").await.unwrap();
    assert_eq!(page.orders, [hint("A", "2026-11-26T16:01:05.5Z")]);
    assert_eq!(page.next.as_deref(), Some("c/1"));
    let page = world.page("square", 60, "c/1").await.unwrap();
    assert_eq!((page.orders.len(), page.next), (1, None));
    // Nothing has changed, and half of an answer.
    world.on(search(None), json_of(json!({})), 1).await;
    assert_eq!(world.page("square", 60, "").await, Ok(Page::default()));
    let cut = ResponseTemplate::new(200).set_body_string(r#"{"orders":[{"id":"A","#);
    world.on(search(None), cut, 1).await;
    let failure = world.page("square", 60, "").await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    world.server.verify().await;
}

/// An order of Square's with these fulfillments.
fn squares(fulfillments: &[Value]) -> Value {
    json!({"order": {
        "id": "SQ", "location_id": "L1", "version": 4, "state": "OPEN", "fulfillments": fulfillments,
    }})
}

fn fulfillment(uid: &str, state: &str, number: &str, lines: &[(&str, &str)]) -> Value {
    let entry = |(line, n): &(&str, &str)| json!({"line_item_uid": line, "quantity": n});
    let entries: Vec<Value> = lines.iter().map(entry).collect();
    json!({
        "uid": uid, "type": "SHIPMENT", "state": state, "entries": entries,
        "shipment_details": {"recipient": {"display_name": "Zoe"}, "tracking_number": number},
    })
}

#[tokio::test]
async fn square_has_its_fulfillments_completed() {
    let world = World::new().await;
    let access = json!({"url": "@", "token": "sq", "location_ids": "L1"});
    world.access("square", &access);
    const AT: &str = "/v2/orders/SQ";
    let asked = |known: bool| {
        let state = if known { "COMPLETED" } else { "PROPOSED" };
        let order = squares(&[
            fulfillment("f0", "COMPLETED", "NP-7", &[]),
            fulfillment("f1", state, "NP-77", &[]),
            fulfillment("f2", "CANCELED", "", &[]),
        ]);
        vec![(get(AT).and(header("authorization", "Bearer sq")), order)]
    };
    let put = |uid: &str| {
        let said = json!({
            "location_id": "L1", "version": 4, "fulfillments": [{
                "uid": uid, "state": "COMPLETED",
                "shipment_details": {"carrier": "Night Post", "tracking_number": "NP-77"},
            }],
        });
        let put = Mock::given(method("PUT")).and(path(AT));
        put.and(body_partial_json(json!({"order": said})))
    };
    Asked {
        world: &world,
        channel: "square",
        update: sent("SQ"),
        asks: &asked,
        says: &|| put("f1"),
        taken: json_of(squares(&[])),
    }
    .is_told()
    .await;
    world.server.reset().await;
    // The same under one name, and another version under another.
    let mut keys = Vec::new();
    for version in [4, 4, 5] {
        let mut order = squares(&[fulfillment("f1", "RESERVED", "", &[])]);
        order["order"]["version"] = version.into();
        world.on(get(AT), json_of(order), 1).await;
        let put = Mock::given(method("PUT")).and(path(AT));
        world.on(put, json_of(json!({})), 1).await;
        assert_eq!(world.tell("square", &sent("SQ")).await, Ok(()));
        let asked = world.server.received_requests().await.unwrap();
        let body: Value = asked.last().unwrap().body_json().unwrap();
        keys.push(body["idempotency_key"].as_str().unwrap().to_owned());
    }
    assert!(keys[0] == keys[1] && keys[1] != keys[2], "{keys:?}");
    // Somebody was faster.
    let (looks, order) = asked(false).remove(0);
    world.on(looks, json_of(order), 1).await;
    let stale =
        json!({"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "VERSION_MISMATCH"}]});
    let stale = status(400).set_body_json(stale);
    world.on(put("f1"), stale, 1).await;
    let failure = world.tell("square", &sent("SQ")).await;
    assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    world.server.verify().await;
}

#[tokio::test]
async fn square_is_told_of_what_has_left_as_a_whole() {
    let world = World::new().await;
    let access = json!({"url": "@", "token": "sq", "location_ids": "L1"});
    world.access("square", &access);
    let mut first = sent("SQ");
    shipment(&mut first).completes = false;
    let whole = fulfillment("f1", "PROPOSED", "", &[("11", "2"), ("12", "1.0")]);
    let more = fulfillment("f2", "PROPOSED", "", &[("11", "1"), ("13", "1")]);
    let order = squares(&[whole, more.clone()]);
    world.on(get("/v2/orders/SQ"), json_of(order), 1).await;
    let put = Mock::given(method("PUT")).and(body_string_contains("\"f1\""));
    world.on(put, json_of(json!({})), 1).await;
    assert_eq!(world.tell("square", &first).await, Ok(()));
    let asked = world.server.received_requests().await.unwrap();
    let body = String::from_utf8(asked.last().unwrap().body.clone()).unwrap();
    assert!(!body.contains("\"f2\""), "{body}");
    // Some of it is still here; all of the order is in it; it is taken away; and nobody may change it.
    let mut closed = squares(&[fulfillment("f1", "PROPOSED", "", &[])]);
    closed["order"]["version"] = json!(null);
    for (update, order) in [
        (&first, squares(&[more])),
        (&first, squares(&[fulfillment("f1", "PROPOSED", "", &[])])),
        (
            &sent("SQ"),
            squares(&[fulfillment("f1", "FAILED", "", &[])]),
        ),
        (&sent("SQ"), closed),
    ] {
        world.on(get("/v2/orders/SQ"), json_of(order), 1).await;
        let part = world.tell("square", update).await;
        assert!(matches!(part, Err(Failure::Refused(_))), "{part:?}");
    }
    world.server.verify().await;
}

fn variation(id: &str, sku: &str) -> Value {
    json!({"type": "ITEM_VARIATION", "id": id, "item_variation_data": {"sku": sku}})
}

fn searched(skus: &Value, cursor: Option<&str>) -> MockBuilder {
    let set = json!({"attribute_name": "sku", "attribute_values": skus});
    let mut body = json!({"object_types": ["ITEM_VARIATION"], "query": {"set_query": set}});
    if let Some(cursor) = cursor {
        body["cursor"] = cursor.into();
    }
    let search = said("POST", "/v2/catalog/search").and(header("authorization", "Bearer sq"));
    search.and(body_json(body))
}

#[tokio::test]
async fn square_is_told_of_counts_at_one_location() {
    let world = World::new().await;
    let access = json!({"url": "@", "token": "sq", "location_ids": "L1, L2"});
    world.access("square", &access);
    let count = |id: &str, quantity: &str| {
        json!({"type": "PHYSICAL_COUNT", "physical_count": {
            "catalog_object_id": id, "location_id": "L1", "state": "IN_STOCK", "quantity": quantity,
            "occurred_at": "2026-11-26T15:59:55Z",
        }})
    };
    let counts = |changes: Value| {
        let body = json!({"changes": changes, "ignore_unchanged_counts": false});
        let said = said("POST", "/v2/inventory/changes/batch-create");
        said.and(body_partial_json(body))
    };
    let found = json!({"objects": [variation("V1", "CUP"), variation("V9", "cup")]});
    let cup = json!(["CUP"]);
    let told = Told {
        world: &world,
        channel: "square",
        available: &[of("CUP", 3)],
        asks: &|| vec![(searched(&cup, None), found.clone())],
        says: &|| counts(json!([count("V1", "3")])),
        taken: json!({"counts": [], "changes": []}),
    };
    told.is_told().await;
    told.is_read_whole().await;
    let skus = json!(["CUP", "TWICE", "GONE", "POT"]);
    let first =
        json!({"objects": [variation("V1", "CUP"), variation("V2", "TWICE")], "cursor": "c"});
    world.on(searched(&skus, None), json_of(first), 1).await;
    let second = json!({"objects": [variation("V3", "TWICE"), variation("V4", "POT")]});
    let more = searched(&skus, Some("c"));
    world.on(more, json_of(second), 1).await;
    let two = counts(json!([count("V1", "3"), count("V4", "0")]));
    world.on(two, json_of(json!({})), 1).await;
    let all = [of("CUP", 3), of("TWICE", 1), of("GONE", 1), of("POT", 0)];
    let expected = vec![
        refused("TWICE", "it has several products of this SKU"),
        refused("GONE", "it has no product of this SKU"),
    ];
    assert_eq!(world.set("square", "7", &all).await, Ok(expected));
    // Nothing that it knows: nothing is said.
    let gone = json!(["GONE"]);
    world.on(searched(&gone, None), json_of(json!({})), 1).await;
    let expected = vec![refused("GONE", "it has no product of this SKU")];
    let told = world.set("square", "7", &[of("GONE", 1)]).await;
    assert_eq!(told, Ok(expected));
    world.server.verify().await;
}
