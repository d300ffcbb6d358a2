//! Who may do what.

use end_to_end::{Shop, WITHOUT_BODY, document};
use http::Method;
use local::seed::{DEMO_ACCOUNT, DEMO_KEY, add_key};
use serde_json::json;

const READER: &str = "reader-key-4711";
const HAMBURG: &str = "hamburg-key-4712";
const NEWARK: &str = "newark-key-4713";

async fn shop_with_keys() -> Shop {
    let shop = Shop::open().await;
    for (role, key) in [
        ("reader", READER),
        ("warehouse:hamburg", HAMBURG),
        ("warehouse:newark", NEWARK),
    ] {
        add_key(&shop.cloud, role, key).await.unwrap();
    }
    shop
}

/// Every route that needs a key.
fn routes(id: &str) -> Vec<(Method, String)> {
    let cart = domain::id::derived(&["reservation", "cart"]);
    let posts = [
        "/orders".to_owned(),
        format!("/fulfillments/{id}-1/packed"),
        format!("/orders/{id}/cancel"),
        format!("/orders/{id}/returns"),
        format!("/orders/{id}/refunds"),
        format!("/orders/{id}/holds/payment/release"),
        format!("/orders/{id}/untold/again"),
        format!("/returns/{id}-R1/received"),
        format!("/returns/{id}-R1/cancelled"),
        format!("/refunds/{id}-F1/confirmed"),
        format!("/refunds/{id}-F1/again"),
        "/stock/GRD-HAND-40/adjustments".to_owned(),
        "/stock/GRD-HAND-40/counts".to_owned(),
        "/stock/GRD-HAND-40/transfers".to_owned(),
        "/stock/GRD-HAND-40/transfers/AAAAAAAAAAAAAAAA/received".to_owned(),
        "/stock/discrepancies/AAAAAAAAAAAAAAAA/resolved".to_owned(),
        "/reservations".to_owned(),
        format!("/reservations/{cart}/extended"),
        format!("/reservations/{cart}/released"),
        "/parked/redrive".to_owned(),
        "/routing/rehearsals".to_owned(),
    ];
    let puts = [
        "/warehouses",
        "/products",
        "/suppliers",
        "/rates",
        "/routing/rules",
    ];
    let inbound = "/stock/GRD-HAND-40/inbound/PO-1-1".to_owned();
    let gets = [
        format!("/orders/{id}"),
        "/orders?channel=api&number=mine".to_owned(),
        format!("/orders/{id}/events"),
        format!("/orders/{id}/routing"),
        "/stock/GRD-HAND-40".to_owned(),
        "/stock/GRD-HAND-40/why".to_owned(),
        "/stock/GRD-HAND-40/atp".to_owned(),
        "/stock/discrepancies".to_owned(),
        format!("/reservations/{cart}"),
        "/parked".to_owned(),
    ];
    let posts = posts.map(|path| (Method::POST, path)).into_iter();
    let puts = puts.map(|path| (Method::PUT, path.to_owned()));
    let gets = gets.map(|path| (Method::GET, path));
    let lists = puts.clone().map(|(_, path)| (Method::GET, path));
    let inbound = std::iter::once((Method::PUT, inbound));
    let subscribers = [
        (Method::GET, "/subscribers"),
        (Method::GET, "/subscribers/erp"),
        (Method::PUT, "/subscribers/erp"),
        (Method::DELETE, "/subscribers/erp"),
        (Method::GET, "/subscribers/erp/deliveries"),
        (Method::GET, "/subscribers/erp/replays"),
        (Method::POST, "/subscribers/erp/replays"),
    ];
    let subscribers = subscribers.map(|(method, path)| (method, path.to_owned()));
    let listings = [
        (Method::GET, "/listings/shopify/demo"),
        (Method::PUT, "/listings/shopify/demo"),
        (Method::DELETE, "/listings/shopify/demo/GRD-HAND-40"),
    ];
    let listings = listings.map(|(method, path)| (method, path.to_owned()));
    let all = posts.chain(puts).chain(inbound).chain(gets).chain(lists);
    let all = all.chain(subscribers).chain(listings);
    all.collect()
}

/// A document that each of the routes takes, or comes close to.
fn body(path: &str) -> String {
    let body = match path {
        "/orders" => document(&[("GRD-HAND-40", 1)]),
        path if path.ends_with("/adjustments") => {
            json!({"location": "hamburg", "kind": "receive", "quantity": 1})
        }
        path if path.contains("/inbound/") => {
            json!({"location": "hamburg", "quantity": 1, "expected_on": "2026-12-01"})
        }
        "/reservations" => json!({
            "lines": [{"sku": "GRD-HAND-40", "quantity": 1, "location": "hamburg"}],
            "expires_in_s": 60,
        }),
        path if path.ends_with("/extended") => json!({"expires_in_s": 60}),
        path if path.ends_with("/counts") => json!({"location": "hamburg", "found": 60}),
        path if path.ends_with("/transfers") => {
            json!({"from": "hamburg", "to": "newark", "quantity": 1})
        }
        path if path.starts_with("/stock/GRD-HAND-40/transfers/") => json!({"quantity": 1}),
        path if path.ends_with("/returns") || path.ends_with("/refunds") => {
            json!({"lines": [{"line": "L1", "quantity": 1}]})
        }
        _ => json!({}),
    };
    body.to_string()
}

#[tokio::test]
async fn without_a_valid_key_nobody_gets_anywhere() {
    let shop = shop_with_keys().await;
    let id = &shop.place("mine", &document(&[("GRD-HAND-40", 1)])).await;
    let routes = routes(id);
    // Each route of the template is tried, webhooks apart: those are signed.
    let known = shop.cloud.template().routes.iter();
    assert_eq!(
        known
            .filter(|route| !route.path.starts_with("/webhooks"))
            .count(),
        routes.len()
    );
    for (method, path) in routes {
        for headers in [
            vec![],
            vec![("authorization", "Bearer nonsense")],
            vec![("authorization", "Bearer ")],
            vec![("authorization", DEMO_KEY)],
            vec![("authorization", "Basic demo-operator-key")],
            vec![("x-api-key", "DEMO-OPERATOR-KEY")],
        ] {
            let mut headers = headers;
            headers.push(("idempotency-key", "k"));
            let answer = shop
                .send(method.clone(), &path, &headers, body(&path))
                .await;
            let given = (answer.0, answer.1["type"].as_str().unwrap());
            assert_eq!(
                given,
                (401, "urn:waybill:problem:unauthorised"),
                "{method} {path}"
            );
        }
    }
    assert_eq!(shop.order_ids().await.len(), 1);
    assert_eq!(shop.status(id).await, "allocated");
    // The header that API gateways know carries a key as well.
    let headers = [("x-api-key", DEMO_KEY)];
    let answer = shop
        .send(
            Method::GET,
            &format!("/orders/{id}"),
            &headers,
            WITHOUT_BODY,
        )
        .await;
    assert_eq!(answer.0, 200);
    shop.close().await;
}

#[tokio::test]
async fn a_reader_reads_and_sees_no_customer() {
    let shop = shop_with_keys().await;
    let id = &shop.place("mine", &document(&[("GRD-HAND-40", 1)])).await;
    let cart = body("/reservations");
    shop.post("/reservations", "cart", cart).await;
    for (method, path) in routes(id) {
        let bearer = format!("Bearer {READER}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
        let (status, answer) = shop
            .send(method.clone(), &path, &headers, body(&path))
            .await;
        let operators = path == "/parked" || path.starts_with("/subscribers");
        let reads = method == Method::GET && !operators;
        let expected = if reads { 200 } else { 403 };
        assert_eq!(status, expected, "{method} {path}: {answer}");
        let text = answer.to_string();
        for personal in ["Ada Quist", "ada.quist", "Oderberger", "5550 0199", "10435"] {
            assert!(!text.contains(personal), "{path} tells a reader {personal}");
        }
    }
    let order = shop.order(id).await;
    assert_eq!(order["status"], "allocated");
    assert_eq!(
        order["customer"]["address"]["name"], "Ada Quist",
        "an operator is told"
    );
    shop.close().await;
}

#[tokio::test]
async fn a_warehouse_reports_on_its_own_fulfillment_orders_and_stock_alone() {
    let shop = shop_with_keys().await;
    let id = &shop.place("mine", &document(&[("GRD-HAND-40", 1)])).await;
    let packed = format!("/fulfillments/{id}-1/packed");
    let (status, answer) = shop.post_as(NEWARK, &packed, "", WITHOUT_BODY).await;
    assert_eq!(
        (status, &answer["type"]),
        (403, &json!("urn:waybill:problem:forbidden"))
    );
    assert_eq!(shop.status(id).await, "allocated");
    let (status, answer) = shop.post_as(HAMBURG, &packed, "", WITHOUT_BODY).await;
    assert_eq!((status, &answer["status"]), (200, &json!("packed")));
    shop.settle().await;
    let adjustments = "/stock/GRD-HAND-40/adjustments";
    for (key, expected) in [(NEWARK, 403), (READER, 403), (HAMBURG, 202)] {
        let answer = shop
            .post_as(key, adjustments, "pallet", body(adjustments))
            .await;
        assert_eq!(answer.0, expected, "{key}");
    }
    shop.settle().await;
    assert_eq!(
        shop.level("GRD-HAND-40", "hamburg").await.on_hand,
        60,
        "one left, one came"
    );
    let counts = "/stock/GRD-HAND-40/counts";
    for (key, expected) in [(NEWARK, 403), (READER, 403), (HAMBURG, 202)] {
        let answer = shop.post_as(key, counts, "shelf", body(counts)).await;
        assert_eq!(answer.0, expected, "{key}");
    }
    // Who sends says that it left, who gets it that it came.
    let transfers = "/stock/GRD-HAND-40/transfers";
    let mut id_of_transfer = String::new();
    for (key, expected) in [(NEWARK, 403), (READER, 403), (HAMBURG, 202)] {
        let (status, answer) = shop.post_as(key, transfers, "lorry", body(transfers)).await;
        assert_eq!(status, expected, "{key}");
        id_of_transfer = answer["id"].as_str().unwrap_or_default().to_owned();
    }
    let received = format!("{transfers}/{id_of_transfer}/received");
    for (key, expected) in [(HAMBURG, 403), (READER, 403), (NEWARK, 202)] {
        let answer = shop.post_as(key, &received, "", body(&received)).await;
        assert_eq!(answer.0, expected, "{key}");
    }
    shop.settle().await;
    // Of everything else, a warehouse's key opens nothing.
    for (method, path) in routes(id) {
        let own = ["/adjustments", "/counts", "/transfers", "/received"];
        let own = path.starts_with("/stock/GRD") && own.iter().any(|end| path.ends_with(end));
        if path.starts_with("/fulfillments") || own {
            continue;
        }
        let bearer = format!("Bearer {HAMBURG}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
        let (status, answer) = shop
            .send(method.clone(), &path, &headers, body(&path))
            .await;
        assert_eq!(status, 403, "{method} {path}: {answer}");
    }
    shop.close().await;
}

#[tokio::test]
async fn no_secret_is_stored_in_the_clear_and_no_personal_data_is_in_a_message() {
    let shop = shop_with_keys().await;
    shop.place("mine", &document(&[("GRD-HAND-40", 1)])).await;
    for table in ["orders", "stock", "reference"] {
        let items = shop.items(table).await;
        assert!(!items.is_empty());
        let text = format!("{items:?}");
        for secret in [DEMO_KEY, READER, HAMBURG, NEWARK, DEMO_ACCOUNT.2] {
            assert!(!text.contains(secret), "{secret} is in {table}");
        }
    }
    // The order's hot item, which hints carry along, tells nobody who the customer is.
    let orders = shop.items("orders").await;
    let hot = orders
        .iter()
        .find(|item| item["sk"].as_s().unwrap() == "ORDER");
    let hot = format!("{:?}", hot.unwrap());
    for personal in ["Ada", "ada.quist", "Oderberger", "5550 0199", "10435"] {
        assert!(!hot.contains(personal), "{personal} is in {hot}");
    }
    shop.close().await;
}
