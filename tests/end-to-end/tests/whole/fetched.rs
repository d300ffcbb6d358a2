//! Orders that a channel only says have changed, and those that nobody says anything of: fetched by the API of
//! the channel's vendor.

use std::time::Duration;

use data_encoding::BASE64;
use domain::limits::{MAX_PAGES_PER_POLL, MAX_UNPOLLED_S};
use end_to_end::{PATIENCE, Shop};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use wiremock::matchers::{header, method, path, path_regex, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SQUARE_ORDER: &str = "CAISENgvlJ6jLWAzERDzjyHVybY";

fn sample(name: &str) -> Value {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// An order of Square's.
fn square_order(id: &str) -> Value {
    let mut order = sample("channels/square");
    if let Some(inner) = order.get("order") {
        order = inner.clone();
    }
    order["id"] = id.into();
    order
}

async fn access(shop: &Shop, channel: &str, access: Value) {
    local::seed::add_access(&shop.cloud, channel, "demo", &access.to_string())
        .await
        .unwrap();
}

/// An account of Square's, whose catalogue is empty.
async fn square(shop: &Shop, vendor: &MockServer) {
    let keys = json!({"url": vendor.uri(), "token": "sq", "location_ids": "L1"});
    access(shop, "square", keys).await;
    catalogue(vendor).await;
}

async fn catalogue(vendor: &MockServer) {
    let looked = Mock::given(method("POST")).and(path("/v2/catalog/batch-retrieve"));
    let nothing = ResponseTemplate::new(200).set_body_json(json!({}));
    looked.respond_with(nothing).mount(vendor).await;
}

/// Word of an order of Square's; its answer.
async fn square_says(shop: &Shop, id: &str) -> (u16, Value) {
    let body = json!({
        "merchant_id": "M", "type": "order.updated", "event_id": "e-1",
        "created_at": "2026-11-26T12:00:00Z",
        "data": {
            "type": "order_updated", "id": id,
            "object": {"order_updated": {"updated_at": "2026-11-26T12:00:00Z"}},
        },
    });
    let body = body.to_string();
    let url = "https://shop.example/hook";
    let secret = json!({"key": "demo-square-secret", "url": url}).to_string();
    local::seed::add_account(&shop.cloud, "square", "demo", &secret)
        .await
        .unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(b"demo-square-secret").unwrap();
    let mac = mac.chain_update(url).chain_update(&body).finalize();
    let signature = BASE64.encode(&mac.into_bytes());
    let headers = [("x-square-hmacsha256-signature", signature.as_str())];
    shop.send(Method::POST, "/webhooks/square/demo", &headers, body)
        .await
}

fn get(at: &str) -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path(at.to_owned()))
}

/// The order of this id of the channel's, once it is there and shows this.
async fn arrived(shop: &Shop, external_id: &str, shows: impl Fn(&Value) -> bool) -> Value {
    let wait = async {
        loop {
            for id in shop.order_ids().await {
                let order = shop.order(id.as_str()).await;
                if order["external_id"] == external_id && shows(&order) {
                    return order;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

#[tokio::test]
async fn word_of_an_order_brings_the_order_and_what_it_has_become() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    square(&shop, &vendor).await;
    let mut order = square_order(SQUARE_ORDER);
    order["version"] = 1.into();
    order["updated_at"] = "2026-11-26T12:00:00.000Z".into();
    let asked =
        || get(&format!("/v2/orders/{SQUARE_ORDER}")).and(header("authorization", "Bearer sq"));
    // Busy at first: the queue asks again, no sooner than it was told.
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "1");
    let busy = asked().respond_with(busy).up_to_n_times(1).expect(1);
    busy.mount(&vendor).await;
    let given = |order: &Value| ResponseTemplate::new(200).set_body_json(json!({"order": order}));
    let first = asked()
        .respond_with(given(&order))
        .up_to_n_times(1)
        .expect(1);
    first.mount(&vendor).await;
    assert_eq!(
        square_says(&shop, SQUARE_ORDER).await,
        (200, json!({"status": "noted"}))
    );
    let stored = arrived(&shop, SQUARE_ORDER, |_| true).await;
    assert_eq!(
        (&stored["channel"], &stored["account"]),
        (&json!("square"), &json!("demo"))
    );
    // The same word again brings the same order, and another state of it what has changed.
    order["state"] = "CANCELED".into();
    order["updated_at"] = "2026-11-26T12:05:00.000Z".into();
    let next = asked().respond_with(given(&order)).expect(2);
    next.mount(&vendor).await;
    for _ in 0..2 {
        assert_eq!(square_says(&shop, SQUARE_ORDER).await.0, 200);
    }
    shop.settle().await;
    // What it has no goods for has gone out already: the rest is cancelled, and a person is told.
    let stored = arrived(&shop, SQUARE_ORDER, |order| order["status"] == "held").await;
    assert_eq!(stored["lines"][0]["units"]["cancelled"], 3);
    assert_eq!(stored["holds"][0]["name"], "channel");
    assert_eq!(shop.order_ids().await.len(), 1);
    vendor.verify().await;
    shop.close().await;
}

/// The access of an account of Amazon's, and the token that it is opened with.
async fn seller(shop: &Shop, vendor: &MockServer, id: &str) {
    let token = json!({"access_token": "lwa", "token_type": "bearer", "expires_in": 3600});
    let tokens = Mock::given(method("POST")).and(path("/token"));
    let tokens = tokens.respond_with(ResponseTemplate::new(200).set_body_json(token));
    tokens.mount(vendor).await;
    let keys = json!({
        "url": vendor.uri(), "token_url": format!("{}/token", vendor.uri()),
        "client_id": "c", "client_secret": "s", "refresh_token": "r",
    });
    local::seed::add_access(&shop.cloud, "amazon", id, &keys.to_string())
        .await
        .unwrap();
}

#[tokio::test]
async fn word_that_amazon_puts_into_a_queue_brings_the_order() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    // The account is named by the seller's id.
    seller(&shop, &vendor, "S1").await;
    let order = sample("channels/amazon");
    let id = order["orderId"].as_str().unwrap().to_owned();
    let given = ResponseTemplate::new(200).set_body_json(json!({"order": order}));
    let asked = get(&format!("/orders/2026-01-01/orders/{id}")).respond_with(given);
    asked.expect(2).mount(&vendor).await;
    let word = sample("channels/amazon-notification").to_string();
    for _ in 0..2 {
        shop.hint("amazon-notifications", word.clone());
    }
    let stored = arrived(&shop, &id, |_| true).await;
    assert_eq!(
        (&stored["channel"], &stored["account"]),
        (&json!("amazon"), &json!("S1"))
    );
    // What is about no order is parked as it came; of a seller that nobody knows, kept; and word that was parked goes back
    // as any hint does.
    shop.hint(
        "amazon-notifications",
        r#"{"NotificationType":"ANY_OFFER_CHANGED"}"#,
    );
    shop.hint("amazon-notifications", word.replace("S1", "S2"));
    let refused = "999-0000000-0000000";
    let no = ResponseTemplate::new(403).set_body_json(json!({"errors": [{"code": "FORBIDDEN"}]}));
    let asked = get(&format!("/orders/2026-01-01/orders/{refused}")).respond_with(no);
    asked.mount(&vendor).await;
    shop.hint("amazon-notifications", word.replace(&id, refused));
    shop.settle().await;
    assert_eq!(
        shop.kept().await,
        ["the account has no access to its channel's API"]
    );
    let parked = shop.get("/parked").await;
    let shown = parked["messages"].as_array().unwrap();
    let orders = shown.iter().map(|message| message["order"].is_string());
    assert_eq!(orders.filter(|known| *known).count(), 1, "{parked}");
    assert_eq!(shown.len(), 2, "{parked}");
    assert_eq!(shop.order_ids().await.len(), 1);
    shop.close_with_parked().await;
}

#[tokio::test]
async fn what_cannot_be_fetched_is_kept_and_what_a_mended_access_heals_is_parked() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    // An account without an access.
    local::seed::add_account(&shop.cloud, "bigcommerce", "demo", "hook")
        .await
        .unwrap();
    let said = r#"{"scope":"store/order/created","data":{"type":"order","id":7}}"#;
    let path = "/webhooks/bigcommerce/demo";
    let answer = shop.send(Method::POST, path, &[("x-webhook-secret", "hook")], said);
    assert_eq!(answer.await, (200, json!({"status": "noted"})));
    shop.settle().await;
    let kept = shop.kept().await;
    assert_eq!(kept, ["the account has no access to its channel's API"]);
    // What is no order, what is another one, and an access that does not open.
    square(&shop, &vendor).await;
    let mut parted = square_order("C");
    parted["line_items"][0]["quantity"] = "1.5".into();
    let answers = [
        ("A", 200, json!({"order": {"id": "A"}})),
        ("B", 200, sample("channels/square")),
        ("C", 200, json!({"order": parted})),
        ("D", 403, json!({"errors": [{"code": "FORBIDDEN"}]})),
    ];
    for (id, status, body) in answers {
        let answer = ResponseTemplate::new(status).set_body_json(body);
        let asked = get(&format!("/v2/orders/{id}")).respond_with(answer);
        asked.mount(&vendor).await;
        assert_eq!(square_says(&shop, id).await.0, 200);
    }
    shop.settle().await;
    assert_eq!(shop.order_ids().await, []);
    let kept = shop.kept().await;
    let holds = |what: &str| kept.iter().any(|reason| reason.contains(what));
    assert!(kept.len() == 3 && holds("/total_money"), "{kept:?}");
    assert!(
        holds("/line_items/0/quantity: expected a whole number, found 1.5"),
        "{kept:?}"
    );
    let mut parked = shop.parked();
    parked.sort();
    let refuses = "the channel's API refuses: ";
    let expected = [
        "it gave another order than was asked for",
        "status 403, FORBIDDEN",
    ];
    let expected = expected.map(|why| ("fetch-order".to_owned(), format!("{refuses}{why}")));
    assert_eq!(parked, expected);
    // Mended, and sent back.
    vendor.reset().await;
    catalogue(&vendor).await;
    for id in ["B", "D"] {
        let order = square_order(id);
        let given = ResponseTemplate::new(200).set_body_json(json!({"order": order}));
        let asked = get(&format!("/v2/orders/{id}")).respond_with(given);
        asked.mount(&vendor).await;
    }
    shop.post("/parked/redrive", "", r#"{"all":true}"#).await;
    for id in ["B", "D"] {
        arrived(&shop, id, |_| true).await;
    }
    shop.settle().await;
    assert_eq!(shop.parked(), []);
    shop.close().await;
}

#[tokio::test]
async fn a_poll_brings_what_nobody_has_said_and_goes_on_from_there() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    let keys = json!({"url": vendor.uri(), "key": "ck", "secret": "cs"});
    access(&shop, "woocommerce", keys).await;
    let mut order = sample("channels/woocommerce");
    let now = jiff::Timestamp::now();
    let modified = now.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    order["date_modified_gmt"] = modified.as_str().into();
    let list = || get("/wp-json/wc/v3/orders").and(query_param("orderby", "modified"));
    // A shop that is down is one that is asked again.
    let down = list().respond_with(ResponseTemplate::new(503));
    down.up_to_n_times(1).expect(1).mount(&vendor).await;
    let polled = shop.cloud.invoke("poll-channel", json!({})).await.unwrap();
    assert_eq!(polled, json!({"accounts": 1, "handed_on": 0, "failed": 1}));
    let one = json!([{"id": order["id"], "date_modified_gmt": modified}]);
    let listed = list().respond_with(ResponseTemplate::new(200).set_body_json(one));
    listed.expect(2).mount(&vendor).await;
    let given = ResponseTemplate::new(200).set_body_json(order.clone());
    let asked = get("/wp-json/wc/v3/orders/9301").respond_with(given);
    asked.expect(2).mount(&vendor).await;
    for _ in 0..2 {
        let polled = shop.cloud.invoke("poll-channel", json!({})).await.unwrap();
        assert_eq!(polled, json!({"accounts": 1, "handed_on": 1, "failed": 0}));
        shop.settle().await;
    }
    let stored = arrived(&shop, "9301", |_| true).await;
    assert_eq!(stored["total"], "86.29");
    assert_eq!(shop.order_ids().await.len(), 1);
    let poll = &shop.store.polls().await.unwrap()[0];
    assert_eq!(poll.since.as_second(), now.as_second());
    assert!(poll.polled_at.is_some() && poll.walk.is_none());
    vendor.verify().await;
    // An access that no longer opens is for a person to know.
    vendor.reset().await;
    let closed = ResponseTemplate::new(401);
    list().respond_with(closed).mount(&vendor).await;
    let failed = shop.cloud.invoke("poll-channel", json!({})).await;
    let failed = failed.map_or_else(|error| error.to_string(), |answer| answer.to_string());
    assert!(failed.contains("woocommerce/demo"), "{failed}");
    shop.close().await;
}

#[tokio::test]
async fn a_run_reads_so_many_pages_and_the_next_goes_on() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    seller(&shop, &vendor, "S1").await;
    // One page more than a run reads, each with one order, which Amazon ships itself.
    let last = MAX_PAGES_PER_POLL + 1;
    let changed = jiff::Timestamp::now().to_string();
    let page = move |request: &wiremock::Request| {
        let mut query = request.url.query_pairs();
        let named = query.find(|(name, _)| name == "paginationToken");
        let page = named.map_or(1, |(_, page)| page.parse().unwrap());
        let next = (page < last).then(|| (page + 1).to_string());
        ResponseTemplate::new(200).set_body_json(json!({
            "orders": [{"orderId": format!("1-{page}"), "lastUpdatedTime": changed}],
            "pagination": {"nextToken": next},
        }))
    };
    get("/orders/2026-01-01/orders")
        .respond_with(page)
        .expect(last as u64)
        .mount(&vendor)
        .await;
    let amazons = json!({"order": {"fulfillment": {"fulfilledBy": "AMAZON"}}});
    let given = ResponseTemplate::new(200).set_body_json(amazons);
    let any = Mock::given(method("GET")).and(path_regex("^/orders/2026-01-01/orders/1-"));
    any.respond_with(given)
        .expect(last as u64)
        .mount(&vendor)
        .await;
    for (handed_on, done) in [(MAX_PAGES_PER_POLL, false), (1, true)] {
        let polled = shop.cloud.invoke("poll-channel", json!({})).await.unwrap();
        assert_eq!(
            polled,
            json!({"accounts": 1, "handed_on": handed_on, "failed": 0})
        );
        let poll = &shop.store.polls().await.unwrap()[0];
        assert_eq!(poll.walk.is_none(), done);
    }
    shop.settle().await;
    vendor.verify().await;
    shop.close().await;
}

#[tokio::test]
async fn a_person_is_told_of_an_account_that_cannot_be_asked_for_an_hour() {
    let shop = Shop::open().await;
    let vendor = MockServer::start().await;
    seller(&shop, &vendor, "S1").await;
    let down = get("/orders/2026-01-01/orders").respond_with(ResponseTemplate::new(503));
    down.mount(&vendor).await;
    // The machine may take its time.
    for (unpolled_s, told) in [(MAX_UNPOLLED_S - 60, false), (MAX_UNPOLLED_S + 1, true)] {
        let mut poll = shop.store.polls().await.unwrap().remove(0);
        poll.polled_at = Some(jiff::Timestamp::now() - jiff::SignedDuration::from_secs(unpolled_s));
        poll.turn += 1;
        assert!(shop.store.save_poll(&poll).await.unwrap());
        let polled = shop.cloud.invoke("poll-channel", json!({})).await;
        let failed = match polled {
            Ok(answer) => answer["errorMessage"].is_string(),
            Err(_) => true,
        };
        assert_eq!(failed, told, "after {unpolled_s} s");
    }
    shop.close().await;
}
