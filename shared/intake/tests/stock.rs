//! How each vendor is told what there is, as its documents describe it, and what is made of its answers.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use channels::stock::{Available, Refusals};
use common::*;
use domain::limits::{LISTINGS_AT_ONCE, MAX_SETTINGS};
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{basic_auth, body_json, body_string_contains, header};
use wiremock::matchers::{query_param, query_param_contains};
use wiremock::{MockBuilder, ResponseTemplate};

const PRODUCTS: &str = "/wp-json/wc/v3/products";

fn woo(world: &World) {
    let access = json!({"url": "@", "key": "ck", "secret": "cs"});
    world.access("woocommerce", &access);
}

fn product(id: u64, sku: &str, parent: u64, managed: &Value, shown: &Value) -> Value {
    json!({
        "id": id, "sku": sku, "parent_id": parent, "manage_stock": managed, "stock_quantity": shown,
    })
}

#[tokio::test]
async fn woocommerce_is_told_by_product_and_by_the_variations_of_each() {
    let world = World::new().await;
    woo(&world);
    let found = json!([
        product(11, "CUP", 0, &json!(true), &json!(2)),
        product(12, "POT", 0, &json!(false), &json!(4)),
        product(13, "SAME", 0, &json!(true), &json!(9)),
        product(21, "TEE-S", 20, &json!("parent"), &json!(null)),
    ]);
    let asked = || {
        let asked = get(PRODUCTS).and(basic_auth("ck", "cs"));
        let asked = asked.and(query_param("sku", "CUP,POT,SAME,TEE-S,GONE"));
        let asked = asked.and(query_param("per_page", "100"));
        asked.and(query_param_contains("_fields", "stock_quantity"))
    };
    let update = |id: u64, n: i64| json!({"id": id, "manage_stock": true, "stock_quantity": n});
    let plain = json!({"update": [update(11, 3), update(12, 4)]});
    let variations = json!({"update": [update(21, 5)]});
    let error = json!({"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID."});
    let of_plain = json!({"update": [{"id": 11}, {"id": 12, "error": error}]});
    let of_tee = json!({"update": [{"id": 21, "stock_quantity": 5}]});
    let batch = format!("{PRODUCTS}/batch");
    let tees = format!("{PRODUCTS}/20/variations/batch");
    world.on(asked(), json_of(found), 1).await;
    let plain = said("POST", &batch).and(body_json(plain));
    world.on(plain, json_of(of_plain), 1).await;
    let tees = said("POST", &tees).and(body_json(variations));
    world.on(tees, json_of(of_tee), 1).await;
    let all = [
        of("CUP", 3),
        of("POT", 4),
        of("SAME", 9),
        of("TEE-S", 5),
        of("GONE", 1),
    ];
    let told = world.set("woocommerce", "7", &all).await;
    let why = "it refuses it: woocommerce_rest_product_invalid_id";
    let gone = refused("GONE", "it has no product of this SKU");
    assert_eq!(told, Ok(vec![gone, refused("POT", why)]));
    world.server.verify().await;
}

/// A shop that has so many articles, each a variation of a product of its own: as many requests, and one to find them.
async fn variations(many: usize) -> Result<Refusals, Failure> {
    let world = World::new().await;
    woo(&world);
    let numbers = 1..=u64::try_from(many).unwrap();
    let of_number = |n: u64| product(n, &format!("V-{n}"), 1_000 + n, &json!(true), &json!(0));
    let found: Value = numbers.clone().map(of_number).collect();
    world.on(get(PRODUCTS), json_of(found), 1).await;
    for n in numbers.clone() {
        let at = format!("{PRODUCTS}/{}/variations/batch", 1_000 + n);
        let answer = json_of(json!({"update": [{"id": n}]}));
        let said = said("POST", &at).respond_with(answer);
        said.mount(&world.server).await;
    }
    let all: Vec<Available> = numbers.map(|n| of(&format!("V-{n}"), 1)).collect();
    world.set("woocommerce", "7", &all).await
}

#[tokio::test]
async fn so_many_requests_are_made_at_once_and_no_more() {
    assert_eq!(variations(MAX_SETTINGS - 1).await, Ok(NOTHING));
    let why = format!("it takes more than {MAX_SETTINGS} answers to tell it");
    assert_eq!(variations(MAX_SETTINGS).await, Err(Failure::Refused(why)));
    // Nobody is asked for as many.
    for channel in channels::CHANNELS {
        let Some(stock) = channel.stock() else {
            continue;
        };
        let most = LISTINGS_AT_ONCE.min(stock.at_once());
        assert!(most > 0);
        let many = ["woocommerce", "adobe-commerce", "amazon", "tiktok"];
        if many.contains(&channel.name()) {
            assert!(most + 2 <= MAX_SETTINGS, "{}", channel.name());
        }
    }
}

#[tokio::test]
async fn woocommerce_has_its_bad_days() {
    let world = World::new().await;
    woo(&world);
    let found = json!([product(11, "CUP", 0, &json!(true), &json!(2))]);
    Told {
        world: &world,
        channel: "woocommerce",
        available: &[of("CUP", 3)],
        asks: &|| vec![(get(PRODUCTS), found.clone())],
        says: &|| said("POST", &format!("{PRODUCTS}/batch")),
        taken: json!({"update": [{"id": 11, "stock_quantity": 3}]}),
    }
    .is_told()
    .await;
    // A batch of which it does not say what became of each is not taken for told.
    world.on(get(PRODUCTS), json_of(found), 1).await;
    let batch = said("POST", &format!("{PRODUCTS}/batch"));
    world.on(batch, json_of(json!({"update": []})), 1).await;
    let told = world.set("woocommerce", "7", &[of("CUP", 3)]).await;
    assert!(matches!(told, Err(Failure::Unreadable(_))), "{told:?}");
    world.server.verify().await;
    // With nothing to ask for it would tell of everything.
    let comma = refused("A,B", "it cannot be asked for a SKU with a comma");
    let told = world.set("woocommerce", "7", &[of("A,B", 3)]).await;
    assert_eq!(told, Ok(vec![comma]));
}

#[tokio::test]
async fn what_a_vendor_breaks_off_is_said_again() {
    let world = World::new().await;
    woo(&world);
    let found = json!([product(11, "CUP", 0, &json!(true), &json!(2))]);
    Told {
        world: &world,
        channel: "woocommerce",
        available: &[of("CUP", 3)],
        asks: &|| vec![(get(PRODUCTS), found.clone())],
        says: &|| said("POST", &format!("{PRODUCTS}/batch")),
        taken: json!({"update": [{"id": 11, "stock_quantity": 3}]}),
    }
    .is_read_whole()
    .await;
}

async fn tiktok(world: &World, warehouse: Option<&str>) {
    let mut access = json!({
        "url": "@", "token_url": "@/token", "app_key": "k", "app_secret": "s",
        "refresh_token": "r", "shop_cipher": "c",
    });
    if let Some(warehouse) = warehouse {
        access["warehouse"] = warehouse.into();
    }
    world.access("tiktok", &access);
    let until = at(604_800).as_second();
    let token = json!({"access_token": "t", "access_token_expire_in": until});
    let token = json_of(json!({"code": 0, "data": token}));
    let tokens = get("/token").respond_with(token);
    tokens.mount(&world.server).await;
}

fn tiktok_sku(id: &str, sku: &str, shown: &[(&str, i64)]) -> Value {
    let shown = shown
        .iter()
        .map(|(id, n)| json!({"warehouse_id": id, "quantity": n}));
    json!({"id": id, "seller_sku": sku, "inventory": shown.collect::<Value>()})
}

fn tiktok_finds(products: Value) -> Value {
    json!({"code": 0, "data": {"total_count": 1, "products": products}})
}

const SEARCH: &str = "/product/202502/products/search";

fn tiktok_update(product: &str, skus: Value) -> MockBuilder {
    let at = format!("/product/202309/products/{product}/inventory/update");
    said("POST", &at).and(body_json(json!({"skus": skus})))
}

#[tokio::test]
async fn tiktok_is_told_by_product_with_all_warehouses_of_a_sku() {
    let world = World::new().await;
    tiktok(&world, Some("W1")).await;
    let cup = [("W1", 2), ("W2", 7)];
    let products = json!([
        {"id": "P1", "skus": [
            tiktok_sku("11", "CUP", &cup), tiktok_sku("12", "SAME", &[("W1", 9)]),
            tiktok_sku("13", "AWAY", &[("W2", 9)]),
        ]},
        {"id": "P2", "skus": [
            tiktok_sku("21", "POT", &[("W1", 0)]), tiktok_sku("22", "BAD", &[("W1", 0)]),
            tiktok_sku("23", "TWICE", &[("W1", 0)]),
        ]},
        {"id": "P3", "skus": [tiktok_sku("31", "TWICE", &[("W1", 0)])]},
    ]);
    let skus = ["CUP", "SAME", "AWAY", "POT", "BAD", "TWICE", "GONE"];
    let asked = said("POST", SEARCH)
        .and(header("x-tts-access-token", "t"))
        .and(query_param("page_size", "100"))
        .and(body_json(
            json!({"status": "ACTIVATE", "seller_skus": skus}),
        ));
    world.on(asked, json_of(tiktok_finds(products)), 1).await;
    let of_each = |of: &[(&str, i64)]| tiktok_sku("", "", of)["inventory"].clone();
    let first = json!([{"id": "11", "inventory": of_each(&[("W1", 3), ("W2", 7)])}]);
    let done = json_of(json!({"code": 0, "message": "Success"}));
    world.on(tiktok_update("P1", first), done, 1).await;
    // More than it shows, and one that it does not take.
    let second = json!([
        {"id": "21", "inventory": of_each(&[("W1", 99_999)])},
        {"id": "22", "inventory": of_each(&[("W1", 1)])},
    ]);
    let within = json!([{"warehouse_id": "W1", "code": 12_052_531, "message": "m"}]);
    let error = json!({
        "code": 12_052_990, "message": "m", "detail": {"sku_id": "22", "extra_errors": within},
    });
    let partly = json_of(json!({"code": 0, "data": {"errors": [error]}}));
    world.on(tiktok_update("P2", second), partly, 1).await;
    let all: Vec<Available> = skus
        .iter()
        .zip([3, 9, 1, 100_000, 1, 1, 1])
        .map(|(sku, n)| of(sku, n))
        .collect();
    let expected = vec![
        refused("AWAY", "it is not in the warehouse that the access names"),
        refused("TWICE", "it has several products of this SKU"),
        refused("GONE", "it has no product of this SKU"),
        refused("BAD", "it refuses it: 12052531"),
    ];
    assert_eq!(world.set("tiktok", "7", &all).await, Ok(expected));
    world.server.verify().await;
}

#[tokio::test]
async fn tiktok_has_its_bad_days() {
    let world = World::new().await;
    let products = json!([{"id": "P1", "skus": [tiktok_sku("11", "CUP", &[("W1", 2)])]}]);
    let update = || {
        tiktok_update(
            "P1",
            json!([{"id": "11", "inventory": [{"warehouse_id": "W1", "quantity": 3}]}]),
        )
    };
    let told = Told {
        world: &world,
        channel: "tiktok",
        available: &[of("CUP", 3)],
        asks: &|| vec![(said("POST", SEARCH), tiktok_finds(products.clone()))],
        says: &update,
        taken: json!({"code": 0, "message": "Success", "data": {}}),
    };
    tiktok(&world, None).await;
    told.is_told().await;
    tiktok(&world, None).await;
    told.is_read_whole().await;
    tiktok(&world, None).await;
    // Several warehouses, and none is named.
    let two = json!([{"id": "P1", "skus": [tiktok_sku("11", "CUP", &[("W1", 2), ("W2", 2)])]}]);
    world
        .on(said("POST", SEARCH), json_of(tiktok_finds(two)), 1)
        .await;
    let why = "it is in several warehouses, and the access has no \"warehouse\"";
    let refusal = world.set("tiktok", "7", &[of("CUP", 3)]).await;
    assert_eq!(refusal, Ok(vec![refused("CUP", why)]));
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

const WIX_ITEMS: &str = "/stores/v3/inventory-items/query";

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

const GRAPHQL: &str = "/admin/api/2026-10/graphql.json";

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

const ADJUSTMENTS: &str = "/v3/inventory/adjustments/absolute";

#[tokio::test]
async fn bigcommerce_takes_all_or_nothing() {
    let world = World::new().await;
    world.access("bigcommerce", &json!({"url": "@", "token": "t"}));
    let body = json!({
        "reason": "Waybill",
        "items": [
            {"location_id": 1, "sku": "CUP", "quantity": 3},
            {"location_id": 1, "sku": "POT", "quantity": 0},
        ],
    });
    Told {
        world: &world,
        channel: "bigcommerce",
        available: &[of("CUP", 3), of("POT", 0)],
        asks: &Vec::new,
        says: &|| {
            let said = said("PUT", ADJUSTMENTS).and(header("x-auth-token", "t"));
            said.and(body_json(body.clone()))
        },
        taken: json!({"transaction_id": "2c1a"}),
    }
    .is_told()
    .await;
    let elsewhere = json!({"url": "@", "token": "t", "location": "12"});
    world.access("bigcommerce", &elsewhere);
    world
        .passed
        .fetch_add(3_600, std::sync::atomic::Ordering::SeqCst);
    let said = said("PUT", ADJUSTMENTS).and(body_string_contains(r#""location_id":12"#));
    world.on(said, json_of(json!({})), 1).await;
    let told = world.set("bigcommerce", "7", &[of("CUP", 3)]).await;
    assert_eq!(told, Ok(NOTHING));
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

const ITEMS: &str = "/listings/2021-08-01/items/A1SELLER";

#[tokio::test]
async fn amazon_is_told_of_one_listing_after_the_other() {
    let world = World::new().await;
    let access = json!({
        "url": "@", "token_url": "@/token", "client_id": "i", "client_secret": "s",
        "refresh_token": "r", "seller_id": "A1SELLER", "marketplace_ids": "M1, M2",
    });
    world.access("amazon", &access);
    world.on(said("POST", "/token"), token("t"), 1).await;
    let of_cup = || {
        let value = json!([{"fulfillment_channel_code": "DEFAULT", "quantity": 3}]);
        let patch = json!({
            "op": "merge", "path": "/attributes/fulfillment_availability", "value": value,
        });
        let said = said("PATCH", &format!("{ITEMS}/CUP")).and(query_param("marketplaceIds", "M1"));
        let said = said.and(header("x-amz-access-token", "t"));
        said.and(body_json(
            json!({"productType": "PRODUCT", "patches": [patch]}),
        ))
    };
    let accepted = json!({"sku": "CUP", "status": "ACCEPTED", "submissionId": "1", "issues": []});
    Told {
        world: &world,
        channel: "amazon",
        available: &[of("CUP", 3)],
        asks: &Vec::new,
        says: &of_cup,
        taken: accepted.clone(),
    }
    .is_told()
    .await;
    world.on(of_cup(), json_of(accepted), 1).await;
    let invalid = json!({
        "sku": "A B", "status": "INVALID", "submissionId": "2",
        "issues": [{"code": "4000003", "message": "Ada", "severity": "ERROR"}],
    });
    let other = said("PATCH", &format!("{ITEMS}/A%20B"));
    world.on(other, json_of(invalid), 1).await;
    let told = world
        .set("amazon", "7", &[of("CUP", 3), of("A B", 1)])
        .await;
    assert_eq!(told, Ok(vec![refused("A B", "it refuses it: 4000003")]));
    world.server.verify().await;
}

#[tokio::test]
async fn ebay_says_of_each_what_became_of_it() {
    let world = World::new().await;
    let access = json!({"url": "@", "client_id": "i", "client_secret": "s", "refresh_token": "r"});
    world.access("ebay", &access);
    let tokens = "/identity/v1/oauth2/token";
    world.on(said("POST", tokens), token("t"), 1).await;
    let body = json!({"requests": [
        {"sku": "CUP", "shipToLocationAvailability": {"quantity": 3}},
        {"sku": "POT", "shipToLocationAvailability": {"quantity": 0}},
    ]});
    let says = || {
        let said = said("POST", "/sell/inventory/v1/bulk_update_price_quantity");
        said.and(header("authorization", "Bearer t"))
            .and(body_json(body.clone()))
    };
    let two = [of("CUP", 3), of("POT", 0)];
    let answer = |of_pot: Value| json!({"responses": [{"sku": "CUP", "statusCode": 200, "errors": []}, of_pot]});
    Told {
        world: &world,
        channel: "ebay",
        available: &two,
        asks: &Vec::new,
        says: &says,
        taken: answer(json!({"sku": "POT", "statusCode": 200})),
    }
    .is_told()
    .await;
    let errors = json!([{"errorId": 25702, "message": "Ada"}]);
    let bad = json!({"sku": "POT", "statusCode": 404, "errors": errors});
    world.on(says(), json_of(answer(bad)), 1).await;
    let told = world.set("ebay", "7", &two).await;
    assert_eq!(told, Ok(vec![refused("POT", "it refuses it: 25702")]));
    let busy = json!({"sku": "POT", "statusCode": 500, "errors": []});
    world.on(says(), json_of(answer(busy)), 1).await;
    let told = world.set("ebay", "7", &two).await;
    assert!(matches!(told, Err(Failure::Again(0, _))), "{told:?}");
    // Of one it says nothing.
    world
        .on(
            says(),
            json_of(answer(json!({"sku": "ELSE", "statusCode": 200}))),
            1,
        )
        .await;
    let told = world.set("ebay", "7", &two).await;
    assert!(matches!(told, Err(Failure::Unreadable(_))), "{told:?}");
}

#[tokio::test]
async fn meta_updates_items_and_makes_none() {
    let world = World::new().await;
    let access = json!({"url": "@", "cms_id": "1", "token": "t", "catalog_id": "88"});
    world.access("meta", &access);
    let body = json!({"item_type": "PRODUCT_ITEM", "allow_upsert": false, "requests": [
        {"method": "UPDATE", "data": {"id": "CUP", "quantity_to_sell_on_facebook": 3}},
        {"method": "UPDATE", "data": {"id": "POT", "quantity_to_sell_on_facebook": 0}},
    ]});
    let says = || {
        let said = said("POST", "/88/items_batch").and(header("authorization", "Bearer t"));
        said.and(body_json(body.clone()))
    };
    let two = [of("CUP", 3), of("POT", 0)];
    Told {
        world: &world,
        channel: "meta",
        available: &two,
        asks: &Vec::new,
        says: &says,
        taken: json!({"handles": ["h1"]}),
    }
    .is_told()
    .await;
    let status = json!([
        {"retailer_id": "CUP", "errors": [], "warnings": [{"message": "m"}]},
        {"retailer_id": "POT", "errors": [{"message": "Ada"}], "warnings": []},
    ]);
    let answer = json!({"handles": [], "validation_status": status});
    world.on(says(), json_of(answer), 1).await;
    let told = world.set("meta", "7", &two).await;
    assert_eq!(told, Ok(vec![refused("POT", "it refuses it")]));
    world.on(says(), json_of(json!({})), 1).await;
    let told = world.set("meta", "7", &two).await;
    assert!(matches!(told, Err(Failure::Unreadable(_))), "{told:?}");
}

const INVENTORY: &str = "/rest/V1/inventory";

#[tokio::test]
async fn magento_can_sell_as_many_as_there_are_whatever_its_own_orders_wait_for() {
    let world = World::new().await;
    let access = json!({"url": "@", "token": "t", "source": "north", "stock": "2"});
    world.access("adobe-commerce", &access);
    let salable = |sku: &str| get(&format!("{INVENTORY}/get-product-salable-quantity/{sku}/2"));
    let looks = || {
        let name = |group: u8, part: &str| {
            format!("searchCriteria[filter_groups][{group}][filters][0][{part}]")
        };
        let looks =
            get(&format!("{INVENTORY}/source-items")).and(header("authorization", "Bearer t"));
        let looks = looks.and(query_param(name(0, "condition_type"), "in"));
        looks.and(query_param(name(1, "value"), "north"))
    };
    let item = |sku: &str, quantity: Value| json!({"sku": sku, "source_code": "north", "quantity": quantity, "status": 1});
    // Seven are there, of which two of its own orders wait for: five can be sold, and three are to be.
    let items = json!([
        item("CUP", json!(7)),
        item("POT", json!("4.0000")),
        item("SAME", json!(9))
    ]);
    world
        .on(
            looks(),
            json_of(json!({"items": items, "total_count": 3})),
            1,
        )
        .await;
    for (sku, can_be_sold) in [("CUP", "5"), ("POT", "4"), ("SAME", "6.0")] {
        let answer = ResponseTemplate::new(200).set_body_string(can_be_sold);
        world.on(salable(sku), answer, 1).await;
    }
    let body = json!({"sourceItems": [item("CUP", json!(5)), json!({
        "sku": "POT", "source_code": "north", "quantity": 0, "status": 0,
    })]});
    let said = said("POST", &format!("{INVENTORY}/source-items")).and(body_json(body));
    world.on(said, json_of(json!([])), 1).await;
    let all = [of("CUP", 3), of("POT", 0), of("SAME", 6), of("GONE", 1)];
    let told = world.set("adobe-commerce", "7", &all).await;
    assert_eq!(
        told,
        Ok(vec![refused("GONE", "it has no product of this SKU")])
    );
    world.server.verify().await;
}

#[tokio::test]
async fn magento_has_its_bad_days() {
    let world = World::new().await;
    world.access("adobe-commerce", &json!({"url": "@", "token": "t"}));
    let at = |path: &str| get(&format!("{INVENTORY}/{path}"));
    let items = json!([{"sku": "CUP", "source_code": "default", "quantity": 2, "status": 1}]);
    Told {
        world: &world,
        channel: "adobe-commerce",
        available: &[of("CUP", 3)],
        asks: &|| {
            let found = json!({"items": items});
            let salable = at("get-product-salable-quantity/CUP/1");
            vec![(at("source-items"), found), (salable, json!(2))]
        },
        says: &|| said("POST", &format!("{INVENTORY}/source-items")),
        taken: json!([]),
    }
    .is_told()
    .await;
}
