//! Channels that are told how much there is of what they list.

use std::time::Duration;

use domain::limits::LISTINGS_AT_ONCE;
use end_to_end::{Shop, document};
use http::Method;
use local::seed::DEMO_KEY;
use serde_json::{Value, json};
use wiremock::matchers::{body_json, body_string_contains, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SKU: &str = "GRD-HAND-40";
const LISTED: &str = "/listings/woocommerce/demo";
const PRODUCTS: &str = "/wp-json/wc/v3/products";
const BATCH: &str = "/wp-json/wc/v3/products/batch";

/// A shop of WooCommerce's that lists this, and its API.
async fn lists(shop: &Shop, skus: &[&str]) -> MockServer {
    let vendor = MockServer::start().await;
    let access = json!({"url": vendor.uri(), "key": "ck", "secret": "cs"});
    local::seed::add_access(&shop.cloud, "woocommerce", "demo", &access.to_string())
        .await
        .unwrap();
    let listed = skus.iter().map(|sku| json!({"sku": sku}));
    shop.put(LISTED, listed.collect()).await;
    vendor
}

/// The shop is asked for these and has them, all of them out.
async fn has(vendor: &MockServer, skus: &[(u64, &str)], asked: &str) {
    let product = |(id, sku): &(u64, &str)| json!({"id": id, "sku": sku, "parent_id": 0, "manage_stock": true, "stock_quantity": 0});
    let products: Value = skus.iter().map(product).collect();
    let found = ResponseTemplate::new(200).set_body_json(products);
    let asks = Mock::given(method("GET")).and(path(PRODUCTS));
    let asks = asks.and(query_param("sku", asked)).respond_with(found);
    asks.mount(vendor).await;
}

/// The shop takes so many of one product, once.
async fn takes(vendor: &MockServer, id: u64, quantity: i64) {
    let update = json!([{"id": id, "manage_stock": true, "stock_quantity": quantity}]);
    let said = Mock::given(method("POST")).and(path(BATCH));
    let said = said.and(body_json(json!({"update": update})));
    let taken = json!({"update": [{"id": id}]});
    let taken = said.respond_with(ResponseTemplate::new(200).set_body_json(taken));
    taken.up_to_n_times(1).expect(1).mount(vendor).await;
}

async fn run(shop: &Shop) -> Value {
    shop.cloud
        .invoke("update-listings", json!({}))
        .await
        .unwrap()
}

/// What may be promised on its channel now.
async fn promised(shop: &Shop, sku: &str) -> i64 {
    let path = format!("/stock/{sku}/atp?channel=woocommerce");
    shop.get(&path).await["quantity"].as_i64().unwrap()
}

/// What the shop was told last of its first listing.
async fn told(shop: &Shop) -> Value {
    shop.get(LISTED).await["listings"][0]["told"].clone()
}

#[tokio::test]
async fn a_shop_shows_what_may_be_promised_on_its_channel() {
    let shop = Shop::open().await;
    let rules = json!([{"channel": "woocommerce", "buffer": 3}]);
    shop.put("/routing/rules", rules).await;
    let vendor = lists(&shop, &[SKU]).await;
    assert_eq!(told(&shop).await, Value::Null);
    has(&vendor, &[(11, SKU)], SKU).await;
    let first = promised(&shop, SKU).await;
    let all = shop.get(&format!("/stock/{SKU}/atp")).await["quantity"].clone();
    assert_eq!(all, first + 3);
    takes(&vendor, 11, first).await;
    let one = json!({"accounts": 1, "told": 1, "failed": 0});
    let none = json!({"accounts": 1, "told": 0, "failed": 0});
    assert_eq!(run(&shop).await, one);
    // What has not changed is not told.
    assert_eq!(run(&shop).await, none);
    shop.place("mine", &document(&[(SKU, 2)])).await;
    assert_eq!(promised(&shop, SKU).await, first - 2);
    takes(&vendor, 11, first - 2).await;
    assert_eq!(run(&shop).await, one);
    assert_eq!(told(&shop).await["quantity"], first - 2);
    // More than there is: nothing is left, and who waits gets what comes first.
    let all = u32::try_from(first + 3).unwrap();
    shop.place("all", &document(&[(SKU, all)])).await;
    // (This one shows none whatever it was told, and is not told what it shows.)
    assert_eq!(run(&shop).await, one);
    assert_eq!(told(&shop).await["quantity"], 0);
    shop.adjust(SKU, "more", "hamburg", "receive", 10).await;
    assert_eq!(promised(&shop, SKU).await, 5, "of ten");
    takes(&vendor, 11, 5).await;
    assert_eq!(run(&shop).await, one);
    vendor.verify().await;
    // Listed no more, it is told nothing.
    let bearer = format!("Bearer {DEMO_KEY}");
    let headers = [("authorization", bearer.as_str())];
    let path = format!("{LISTED}/{SKU}");
    let gone = shop.send(Method::DELETE, &path, &headers, "").await;
    assert_eq!(gone, (200, json!({"deleted": SKU})));
    shop.adjust(SKU, "again", "hamburg", "receive", 1).await;
    assert_eq!(run(&shop).await, none);
    shop.close().await;
}

#[tokio::test]
async fn a_shop_that_is_busy_is_left_alone_and_one_that_refuses_is_noted() {
    let shop = Shop::open().await;
    let vendor = lists(&shop, &[SKU, "KTL-COPPER-12"]).await;
    let asked = format!("{SKU},KTL-COPPER-12");
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "1");
    let busy = Mock::given(path(PRODUCTS)).respond_with(busy);
    busy.up_to_n_times(1).expect(1).mount(&vendor).await;
    let failed = json!({"accounts": 1, "told": 0, "failed": 1});
    assert_eq!(run(&shop).await, failed);
    // It is not asked before it wishes to be.
    let quiet = json!({"accounts": 0, "told": 0, "failed": 0});
    assert_eq!(run(&shop).await, quiet);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    // It has one of the two.
    has(&vendor, &[(11, SKU)], &asked).await;
    takes(&vendor, 11, promised(&shop, SKU).await).await;
    assert_eq!(run(&shop).await["told"], 2);
    let listed = shop.get(LISTED).await;
    let words = |n: usize| listed["listings"][n]["told"]["refused"].clone();
    assert_eq!(words(0), Value::Null);
    assert_eq!(words(1), "it has no product of this SKU");
    // Nor is it told again of what it does not have.
    assert_eq!(run(&shop).await["told"], 0);
    vendor.verify().await;
    shop.close().await;
}

#[tokio::test]
async fn only_what_is_sold_is_listed_where_stock_is_told_of() {
    let shop = Shop::open().await;
    let (status, answer) = shop
        .try_put(LISTED, json!([{"sku": SKU}, {"sku": "NONE"}]))
        .await;
    assert_eq!(
        (status, &answer["errors"][0]["pointer"]),
        (422, &json!("/1/sku"))
    );
    let listed = json!([{"sku": SKU}]);
    for unknown in [
        "/listings/generic/demo",
        "/listings/nobody/demo",
        "/listings/shopify/a%23b",
    ] {
        let (status, _) = shop.try_put(unknown, listed.clone()).await;
        assert_eq!(status, 404, "{unknown}");
    }
    assert_eq!(shop.get(LISTED).await["listings"], json!([]));
    // An account without access is an alarm, and stops nobody else.
    shop.put("/listings/shopify/nobody", listed).await;
    let failed = shop.cloud.invoke("update-listings", json!({})).await;
    let why = failed.unwrap_err().to_string();
    assert!(why.contains("shopify/nobody"), "{why}");
    shop.close().await;
}

const ADJUSTMENTS: &str = "/v3/inventory/adjustments/absolute";

/// A shop of BigCommerce's that lists so many articles, one of each in Hamburg, and its API.
async fn lists_many(shop: &Shop, many: usize) -> MockServer {
    let vendor = MockServer::start().await;
    let access = json!({"url": vendor.uri(), "token": "t"});
    local::seed::add_access(&shop.cloud, "bigcommerce", "demo", &access.to_string())
        .await
        .unwrap();
    let skus: Vec<String> = (0..many).map(|n| format!("ART-{n:03}")).collect();
    for skus in skus.chunks(100) {
        let product = |sku: &String| {
            json!({
                "sku": sku, "title": "Article", "weight_g": 10,
                "length_mm": 10, "width_mm": 10, "height_mm": 10,
            })
        };
        shop.put("/products", skus.iter().map(product).collect())
            .await;
        let listed = skus.iter().map(|sku| json!({"sku": sku}));
        let listed = listed.collect();
        shop.put("/listings/bigcommerce/demo", listed).await;
    }
    vendor
}

/// What the shop was told, request by request: how many listings, and the first of them.
async fn said(vendor: &MockServer) -> Vec<(usize, String)> {
    let asked = vendor.received_requests().await.unwrap();
    let items = asked.iter().map(|request| {
        let body: Value = request.body_json().unwrap();
        let items = body["items"].as_array().unwrap().clone();
        (items.len(), items[0]["sku"].as_str().unwrap().to_owned())
    });
    items.collect()
}

#[tokio::test]
async fn what_a_shop_fails_at_does_not_keep_the_rest_from_its_turn() {
    let shop = Shop::open().await;
    let vendor = lists_many(&shop, LISTINGS_AT_ONCE + 1).await;
    let down = Mock::given(path(ADJUSTMENTS)).respond_with(ResponseTemplate::new(503));
    down.up_to_n_times(1).mount(&vendor).await;
    let taken = json!({"transaction_id": "1"});
    let taken = ResponseTemplate::new(200).set_body_json(taken);
    let taken = Mock::given(path(ADJUSTMENTS)).respond_with(taken);
    taken.mount(&vendor).await;
    assert_eq!(run(&shop).await["failed"], 1);
    // The next run begins behind what failed, and comes to that at its end.
    assert_eq!(run(&shop).await["told"], LISTINGS_AT_ONCE + 1);
    assert_eq!(run(&shop).await["told"], 0);
    let first = |n: usize, sku: &str| (n, sku.to_owned());
    let expected = [
        first(100, "ART-000"),
        first(1, "ART-100"),
        first(100, "ART-000"),
    ];
    assert_eq!(said(&vendor).await, expected);
    let page = shop.get("/listings/bigcommerce/demo").await;
    assert_eq!(page["next"], "ART-099");
    let rest = shop.get("/listings/bigcommerce/demo?after=ART-099").await;
    assert_eq!(rest["listings"][0]["told"]["quantity"], 0);
    assert_eq!(rest["next"], Value::Null);
    shop.close().await;
}

#[tokio::test]
async fn one_of_many_that_a_shop_does_not_take_is_found_and_noted() {
    let shop = Shop::open().await;
    let vendor = lists_many(&shop, 10).await;
    let refusal = ResponseTemplate::new(422).set_body_json(json!({"code": "sku_not_found"}));
    let wrong = Mock::given(path(ADJUSTMENTS)).and(body_string_contains("ART-006"));
    wrong.respond_with(refusal).mount(&vendor).await;
    let taken = ResponseTemplate::new(200).set_body_json(json!({"transaction_id": "1"}));
    let taken = Mock::given(path(ADJUSTMENTS)).respond_with(taken);
    taken.with_priority(9).mount(&vendor).await;
    assert_eq!(run(&shop).await["told"], 10);
    let listed = shop.get("/listings/bigcommerce/demo").await;
    for listing in listed["listings"].as_array().unwrap() {
        let refused = &listing["told"]["refused"];
        match listing["sku"] == "ART-006" {
            true => assert_eq!(refused, "status 422, sku_not_found"),
            false => assert_eq!(refused, &Value::Null),
        }
    }
    // Ten, five of them, five, and then the five down to the one.
    let parts: Vec<usize> = said(&vendor).await.into_iter().map(|of| of.0).collect();
    assert_eq!(parts, [10, 5, 5, 2, 1, 1, 3]);
    assert_eq!(run(&shop).await["told"], 0, "it is not asked for ever");
    shop.close().await;
}
