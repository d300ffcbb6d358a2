//! Shopify is told what there is.

use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, header};
use wiremock::{MockBuilder, ResponseTemplate};

use crate::common::*;

const GRAPHQL: &str = "/admin/api/2026-10/graphql.json";

#[tokio::test]
async fn shopify_sets_what_shows_otherwise_if_it_still_does() {
    let world = World::new().await;
    shopify(&world);
    let nodes = [
        item(1, "CUP", true, Some(2)),
        item(2, "SAME", true, Some(4)),
        item(3, "LOOSE", false, Some(4)),
        item(4, "AWAY", true, None),
        item(5, "TWICE", true, Some(1)),
        item(6, "TWICE", true, Some(1)),
        // A search finds more than it was asked for.
        item(7, "CUP-XL", true, Some(1)),
    ];
    let asked =
        graphql("inventoryItems(").and(body_string_contains(r#"sku:\"CUP\" OR sku:\"A\\\""#));
    let asked = asked.and(body_string_contains("gid://shopify/Location/4711"));
    world.on(asked, json_of(items(&nodes)), 1).await;
    let quantities = json!([{
        "inventoryItemId": "gid://shopify/InventoryItem/1",
        "locationId": "gid://shopify/Location/4711",
        "quantity": 3,
        "changeFromQuantity": 2,
    }]);
    let sets =
        graphql("inventorySetQuantities(").and(body_string_contains("@idempotent(key: $key)"));
    let sets = sets.and(body_string_contains(quantities.to_string()));
    world.on(sets, json_of(set(json!([]))), 1).await;
    let all = [
        of("CUP", 3),
        of("A\"B", 1),
        of("SAME", 4),
        of("LOOSE", 1),
        of("AWAY", 1),
        of("TWICE", 1),
    ];
    let expected = vec![
        refused("A\"B", "it has no product of this SKU"),
        refused("LOOSE", "it does not track its inventory"),
        refused("AWAY", "it is not stocked at the location"),
        refused("TWICE", "it has several products of this SKU"),
    ];
    assert_eq!(world.set("shopify", "7", &all).await, Ok(expected));
    world.server.verify().await;
}

#[tokio::test]
async fn shopify_has_its_bad_days() {
    let world = World::new().await;
    shopify(&world);
    let found = items(&[item(1, "CUP", true, Some(2))]);
    let cup = [of("CUP", 3)];
    Told {
        world: &world,
        channel: "shopify",
        available: &cup,
        asks: &|| vec![(graphql("inventoryItems("), found.clone())],
        says: &|| graphql("inventorySetQuantities("),
        taken: set(json!([])),
    }
    .is_told()
    .await;
    let again = Failure::Again(0, "it has changed meanwhile".into());
    let bad = Failure::Refused("it refuses it: INVALID_QUANTITY_TOO_HIGH".into());
    for (code, expected) in [
        ("CHANGE_FROM_QUANTITY_STALE", again),
        ("INVALID_QUANTITY_TOO_HIGH", bad),
    ] {
        let looks = graphql("inventoryItems(");
        world.on(looks, json_of(found.clone()), 1).await;
        let error = json!([{"code": code, "field": ["input"], "message": "Ada wrote"}]);
        let sets = graphql("inventorySetQuantities(");
        world.on(sets, json_of(set(error)), 1).await;
        assert_eq!(world.set("shopify", "7", &cup).await, Err(expected));
    }
    let throttled = json!({"errors": [{"message": "m", "extensions": {"code": "THROTTLED"}}]});
    world
        .on(graphql("inventoryItems("), json_of(throttled), 1)
        .await;
    let told = world.set("shopify", "7", &cup).await;
    assert_eq!(told, Err(Failure::Again(0, "THROTTLED".into())));
    // Without a location nothing is asked.
    world.access("shopify", &json!({"url": "@", "token": "shpat"}));
    world
        .passed
        .fetch_add(3_600, std::sync::atomic::Ordering::SeqCst);
    let told = world.set("shopify", "7", &cup).await;
    assert!(matches!(told, Err(Failure::Locked(_))), "{told:?}");
}

#[tokio::test]
async fn shopify_is_told_the_same_under_one_name_and_something_else_under_another() {
    let world = World::new().await;
    shopify(&world);
    let name = async |key: &str, quantity: i64| {
        let found = items(&[item(1, "CUP", true, Some(9))]);
        world
            .on(graphql("inventoryItems("), json_of(found), 1)
            .await;
        let sets = graphql("inventorySetQuantities(");
        world.on(sets, json_of(set(json!([]))), 1).await;
        let told = world.set("shopify", key, &[of("CUP", quantity)]).await;
        assert_eq!(told, Ok(NOTHING));
        let asked = world.server.received_requests().await.unwrap();
        let body: Value = asked.last().unwrap().body_json().unwrap();
        body["variables"]["key"].as_str().unwrap().to_owned()
    };
    let first = name("7", 3).await;
    assert_eq!(name("7", 3).await, first);
    assert_ne!(name("7", 4).await, first);
    assert_ne!(name("8", 3).await, first);
}

#[tokio::test]
async fn a_token_that_is_over_is_replaced_once() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "i", "client_secret": "s", "location": "1"});
    world.access("shopify", &access);
    let tokens = "/admin/oauth/access_token";
    world.on(said("POST", tokens), token("old"), 1).await;
    let closed = said("POST", GRAPHQL).and(header("x-shopify-access-token", "old"));
    world.on(closed, ResponseTemplate::new(401), 1).await;
    world.on(said("POST", tokens), token("new"), 1).await;
    let found = items(&[item(1, "CUP", true, Some(3))]);
    let open = said("POST", GRAPHQL).and(header("x-shopify-access-token", "new"));
    world.on(open, json_of(found), 1).await;
    let told = world.set("shopify", "7", &[of("CUP", 3)]).await;
    assert_eq!(told, Ok(NOTHING), "it shows that already");
    world.server.verify().await;
}

fn shopify(world: &World) {
    let access = json!({"url": "@", "token": "shpat", "location": "4711"});
    world.access("shopify", &access);
}

fn graphql(part: &str) -> MockBuilder {
    let asked = said("POST", GRAPHQL).and(header("x-shopify-access-token", "shpat"));
    asked.and(body_string_contains(part))
}

fn item(id: u64, sku: &str, tracked: bool, shown: Option<i64>) -> Value {
    let level = shown.map(|shown| json!({"quantities": [{"quantity": shown}]}));
    let id = format!("gid://shopify/InventoryItem/{id}");
    json!({"id": id, "sku": sku, "tracked": tracked, "inventoryLevel": level})
}

fn items(nodes: &[Value]) -> Value {
    json!({"data": {"inventoryItems": {"nodes": nodes}}})
}

fn set(errors: Value) -> Value {
    json!({"data": {"inventorySetQuantities": {"userErrors": errors}}})
}
