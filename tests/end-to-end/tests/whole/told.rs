//! Channels that are told what becomes of the orders that they have sold.

use std::time::Duration;

use domain::OrderId;
use end_to_end::{PATIENCE, Shop, WITHOUT_BODY};
use http::Method;
use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn sample(name: &str) -> Value {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn on(verb: &str, at: &str) -> wiremock::MockBuilder {
    Mock::given(method(verb)).and(path(at.to_owned()))
}

fn json_of(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// An account whose channel's API is here, and that is told.
async fn told(shop: &Shop, channel: &str, access: Value) {
    local::seed::add_access(&shop.cloud, channel, "demo", &access.to_string())
        .await
        .unwrap();
    local::seed::tell(&shop.cloud, channel, "demo")
        .await
        .unwrap();
}

/// What has happened to an order, in words.
async fn said_of(shop: &Shop, id: &str) -> Vec<String> {
    let page = shop.get(&format!("/orders/{id}/events")).await;
    let events = page["events"].as_array().unwrap().iter();
    let text = |event: &Value| event["text"].as_str().unwrap().to_owned();
    events.map(text).collect()
}

/// Waits until an order's timeline ends with this; what it waits for then.
async fn until(shop: &Shop, id: &str, said: &str) -> Vec<String> {
    let wait = async {
        loop {
            let events = said_of(shop, id).await;
            if events.last().is_some_and(|event| event.contains(said)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "{:?}", said_of(shop, id).await);
    let waits = shop.order(id).await["waiting_for"].clone();
    serde_json::from_value(waits).unwrap()
}

const WOO: &str = "/wp-json/wc/v3/orders/9301";

/// An order of WooCommerce's that has come in and been allocated.
async fn bought(shop: &Shop, vendor: &MockServer) -> String {
    let access = json!({"url": vendor.uri(), "key": "ck", "secret": "cs"});
    told(shop, "woocommerce", access).await;
    let mut order = sample("channels/woocommerce");
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S");
    order["date_modified_gmt"] = now.to_string().into();
    let listed = json!([{"id": 9301, "date_modified_gmt": now.to_string()}]);
    let listed = on("GET", "/wp-json/wc/v3/orders").respond_with(json_of(listed));
    listed.mount(vendor).await;
    on("GET", WOO)
        .respond_with(json_of(order))
        .mount(vendor)
        .await;
    let polled = shop.cloud.invoke("poll-channel", json!({})).await.unwrap();
    assert_eq!(polled["handed_on"], 1, "{polled}");
    shop.settle().await;
    let id = OrderId::of("woocommerce", "demo", "9301").to_string();
    assert!(shop.stored(&id).await.told);
    id
}

#[tokio::test]
async fn a_shop_hears_of_each_parcel_and_a_person_of_what_it_refuses() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    let id = bought(&shop, &vendor).await;
    let says = || on("PUT", WOO).and(body_string_contains("waybill_shipment_1"));
    // Busy at first: the queue tells it again, no sooner than it was told.
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "1");
    let busy = says().respond_with(busy);
    busy.up_to_n_times(1).expect(1).mount(&vendor).await;
    let code = json!({"code": "bad_meta", "message": "Sorry, ada@example.com"});
    let refused = says().respond_with(ResponseTemplate::new(400).set_body_json(code));
    refused.up_to_n_times(1).expect(1).mount(&vendor).await;
    shop.report(&id, 1, "packed", WITHOUT_BODY).await;
    let waits = until(
        &shop,
        &id,
        "not sent: the channel's API refuses: status 400, bad_meta",
    )
    .await;
    let task = |waits: &[String]| {
        waits
            .iter()
            .any(|what| what.contains("woocommerce refuses"))
    };
    assert!(task(&waits), "{waits:?}");
    // What is on its way goes on, and the customer has heard of it.
    let order = shop.order(&id).await;
    assert_eq!(
        (&order["status"], &order["holds"]),
        (&json!("shipped"), &json!([]))
    );
    shop.mail(&id, "shipped-1");
    // Mended, and told again.
    let taken = says().respond_with(json_of(json!({"id": 9301})));
    taken.expect(1).mount(&vendor).await;
    shop.post(&format!("/orders/{id}/untold/again"), "", WITHOUT_BODY)
        .await;
    let waits = until(&shop, &id, "shipment to the channel sent").await;
    assert!(!task(&waits), "{waits:?}");
    // Said once more, it is no news.
    let version = shop.order(&id).await["version"].clone();
    for resolution in ["again", "settled"] {
        let path = format!("/orders/{id}/untold/{resolution}");
        let order = shop.post(&path, "", WITHOUT_BODY).await;
        assert_eq!(order["version"], version);
    }
    vendor.verify().await;
    shop.close().await;
}

#[tokio::test]
async fn what_a_shop_refuses_can_be_settled_otherwise() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    let id = bought(&shop, &vendor).await;
    let refused = on("PUT", WOO).respond_with(ResponseTemplate::new(409));
    refused.expect(1).mount(&vendor).await;
    shop.report(&id, 1, "packed", WITHOUT_BODY).await;
    until(&shop, &id, "refuses: status 409").await;
    shop.post(&format!("/orders/{id}/untold/settled"), "", WITHOUT_BODY)
        .await;
    let waits = until(&shop, &id, "a person has settled").await;
    assert_eq!(waits, [format!("the carrier to deliver {id}-1")]);
    shop.sweep().await;
    vendor.verify().await;
    shop.close().await;
}

#[tokio::test]
async fn meta_gets_its_acknowledgement_and_its_customer_no_mail() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    let access = json!({"url": vendor.uri(), "cms_id": "77", "token": "sys"});
    told(&shop, "meta", access).await;
    let secret = json!({"key": "demo-meta-secret", "verify_token": "t"}).to_string();
    local::seed::add_account(&shop.cloud, "meta", "demo", &secret)
        .await
        .unwrap();
    let order = sample("channels/meta");
    let external = order["id"].as_str().unwrap().to_owned();
    let id = OrderId::of("meta", "demo", &external).to_string();
    let asked = on("GET", &format!("/{external}")).and(header("authorization", "Bearer sys"));
    asked.respond_with(json_of(order)).mount(&vendor).await;
    let acknowledged = on("POST", &format!("/{external}/acknowledge_order")).and(
        body_string_contains(format!("merchant_order_reference={id}")),
    );
    let success = || json_of(json!({"success": true}));
    let acknowledged = acknowledged.respond_with(success());
    acknowledged.expect(1).mount(&vendor).await;
    let shipped = on("POST", &format!("/{external}/shipments")).and(body_string_contains(format!(
        "tracking_number%22%3A%22WB{id}01"
    )));
    let shipped = shipped.respond_with(success());
    shipped.expect(1).mount(&vendor).await;
    let said = sample("accept-order-meta");
    let answer = shop.cloud.invoke("accept-order", said).await.unwrap();
    assert_eq!(answer["body"], r#"{"status":"noted"}"#);
    shop.settle().await;
    shop.report(&id, 1, "packed", WITHOUT_BODY).await;
    shop.settle().await;
    let events = said_of(&shop, &id).await;
    let told = |what: &str| events.iter().filter(|event| event.contains(what)).count();
    assert_eq!(told("acknowledgement to the channel sent"), 1, "{events:?}");
    assert_eq!(told("shipment to the channel sent"), 1, "{events:?}");
    shop.deliver(&id, 1).await;
    let lines = r#"{"lines":[{"line":"71","quantity":1}]}"#;
    shop.post(&format!("/orders/{id}/returns"), "r1", lines)
        .await;
    shop.post(&format!("/returns/{id}-R1/received"), "", WITHOUT_BODY)
        .await;
    shop.post(&format!("/refunds/{id}-F1/confirmed"), "", WITHOUT_BODY)
        .await;
    let mails = shop.mails(&id);
    let keys: Vec<&str> = mails.iter().map(|(key, _)| key.as_str()).collect();
    assert!(keys.iter().all(|key| key.contains("pick")), "{keys:?}");
    vendor.verify().await;
    shop.close().await;
}

#[tokio::test]
async fn an_access_that_does_not_open_is_no_task_of_each_order() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    let id = bought(&shop, &vendor).await;
    let closed = on("PUT", WOO).respond_with(ResponseTemplate::new(401));
    closed.expect(1..).mount(&vendor).await;
    let path = format!("/fulfillments/{id}-1/packed");
    let (status, _) = shop.try_post(&path, "", WITHOUT_BODY).await;
    assert_eq!(status, 200);
    let wait = async {
        while vendor
            .received_requests()
            .await
            .unwrap()
            .iter()
            .all(|r| r.method != Method::PUT)
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    let waits = shop.order(&id).await["waiting_for"].clone();
    let waits: Vec<String> = serde_json::from_value(waits).unwrap();
    assert!(
        waits.contains(&"the step update-channel".to_owned()),
        "{waits:?}"
    );
    assert!(shop.stored(&id).await.untold.is_empty());
    shop.cloud.stop().await;
}
