//! Wix is told what there is.

use channels::stock::Available;
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{body_json, header};
use wiremock::{MockBuilder, ResponseTemplate};

use crate::common::*;

const WIX_ITEMS: &str = "/stores/v3/inventory-items/query";

#[tokio::test]
async fn wix_is_told_of_what_it_counts_if_it_still_is_as_it_was_seen() {
    let world = World::new().await;
    wix(&world, Some("L1")).await;
    let items = json!([
        wix_item("1", "CUP", Some(2)),
        wix_item("2", "SAME", Some(9)),
        wix_item("3", "LOOSE", None),
        wix_item("4", "TWICE", Some(1)),
        wix_item("5", "TWICE", Some(1)),
        wix_item("6", "MANY", Some(-1)),
        wix_item("7", "FULL", Some(99_999)),
        wix_item("8", "BAD", Some(1)),
    ]);
    let skus = [
        "CUP", "SAME", "LOOSE", "TWICE", "MANY", "FULL", "BAD", "GONE",
    ];
    let query = json!({
        "filter": {"product.variantSku": {"$in": skus}, "locationId": "L1"},
        "cursorPaging": {"limit": 1_000},
    });
    let asked = said("POST", WIX_ITEMS)
        .and(header("authorization", "t"))
        .and(body_json(json!({"query": query})));
    let found = json!({"inventoryItems": items});
    world.on(asked, json_of(found), 1).await;
    let update = wix_update(&[("1", 3), ("6", 99_999), ("8", 4)]);
    let results = [
        ("1", None),
        ("8", Some("PRE_ORDER_VALIDATION")),
        ("6", None),
    ];
    world.on(update, json_of(wix_results(&results)), 1).await;
    let counts = [3, 9, 1, 1, 100_000, 100_000, 4, 1];
    let all: Vec<Available> = skus.iter().zip(counts).map(|(sku, n)| of(sku, n)).collect();
    let expected = vec![
        refused("LOOSE", "it does not count its inventory"),
        refused("TWICE", "it has several products of this SKU"),
        refused("GONE", "it has no product of this SKU"),
        refused("BAD", "it refuses it: PRE_ORDER_VALIDATION"),
    ];
    assert_eq!(world.set("wix", "7", &all).await, Ok(expected));
    world.server.verify().await;
}

#[tokio::test]
async fn wix_has_its_bad_days() {
    let world = World::new().await;
    let cup = [of("CUP", 3)];
    let found = json!({"inventoryItems": [wix_item("1", "CUP", Some(2))]});
    let told = Told {
        world: &world,
        channel: "wix",
        available: &cup,
        asks: &|| vec![(said("POST", WIX_ITEMS), found.clone())],
        says: &|| wix_update(&[("1", 3)]),
        taken: wix_results(&[("1", None)]),
    };
    wix(&world, None).await;
    told.is_told().await;
    wix(&world, None).await;
    told.is_read_whole().await;
    wix(&world, None).await;
    let coded = |code: &str| {
        let details = json!({"applicationError": {"code": code, "description": "m"}});
        ResponseTemplate::new(428).set_body_json(json!({"message": "m", "details": details}))
    };
    let changed = json_of(wix_results(&[("1", Some("INVALID_REVISION"))]));
    let silent = json_of(wix_results(&[]));
    let conflict = ResponseTemplate::new(409);
    let soon = coded("CATALOG_V3_SITE_PROVISIONING");
    for answer in [changed, conflict, soon] {
        let failure = told.answered(answer).await;
        assert!(matches!(failure, Err(Failure::Again(0, _))), "{failure:?}");
    }
    let failure = told.answered(silent).await;
    assert!(
        matches!(failure, Err(Failure::Unreadable(_))),
        "{failure:?}"
    );
    // A site of the older catalogue.
    let older = coded("CATALOG_V1_SITE_CALLING_CATALOG_V3_API");
    world.on(said("POST", WIX_ITEMS), older, 2).await;
    let why = "status 428, CATALOG_V1_SITE_CALLING_CATALOG_V3_API";
    let failure = world.set("wix", "7", &cup).await;
    assert_eq!(failure, Err(Failure::Locked(why.into())));
    // Two locations, and none is named.
    let mut other = wix_item("1", "CUP", Some(2));
    other["id"] = "2".into();
    let two = json!({"inventoryItems": [wix_item("1", "CUP", Some(2)), other]});
    world.on(said("POST", WIX_ITEMS), json_of(two), 1).await;
    let why = "it is at several locations, and the access has no \"location\"";
    let told = world.set("wix", "7", &cup).await;
    assert_eq!(told, Ok(vec![refused("CUP", why)]));
}

async fn wix(world: &World, location: Option<&str>) {
    let mut access = json!({
        "url": "@", "client_id": "app", "client_secret": "s", "instance_id": "i",
    });
    if let Some(location) = location {
        access["location"] = location.into();
    }
    world.access("wix", &access);
    let tokens = said("POST", "/oauth2/token").respond_with(token("t"));
    tokens.mount(&world.server).await;
}

fn wix_item(id: &str, sku: &str, shown: Option<i64>) -> Value {
    let mut item = json!({
        "id": id, "revision": "4", "productId": format!("P-{id}"), "variantId": format!("V-{id}"),
        "trackQuantity": shown.is_some(), "product": {"variantSku": sku},
    });
    match shown {
        Some(shown) => item["quantity"] = shown.into(),
        None => item["inStock"] = true.into(),
    }
    item
}

fn wix_update(items: &[(&str, i64)]) -> MockBuilder {
    let item = |(id, n): &(&str, i64)| json!({"inventoryItem": {"id": id, "revision": "4", "quantity": n}});
    let items: Vec<Value> = items.iter().map(item).collect();
    let body = json!({"inventoryItems": items, "reason": "MANUAL"});
    said("POST", "/stores/v3/bulk/inventory-items/update").and(body_json(body))
}

fn wix_results(results: &[(&str, Option<&str>)]) -> Value {
    let result = |(id, code): &(&str, Option<&str>)| {
        let mut of = json!({"id": id, "originalIndex": 0, "success": code.is_none()});
        if let Some(code) = code {
            of["error"] = json!({"code": code, "description": "Ada wrote"});
        }
        json!({"itemMetadata": of})
    };
    let results: Vec<Value> = results.iter().map(result).collect();
    json!({"results": results, "bulkActionMetadata": {"totalFailures": 0}})
}
