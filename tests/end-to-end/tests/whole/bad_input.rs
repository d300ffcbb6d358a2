//! Bad input, and what it gets.

use domain::limits::{MAX_BODY_BYTES, MAX_LINES};
use end_to_end::{Answer, Shop, WITHOUT_BODY, document, shopify, sign};
use http::Method;
use local::seed::{DEMO_ACCOUNT, DEMO_KEY};
use serde_json::{Value, json};

fn problem(kind: &str) -> Value {
    json!(format!("urn:waybill:problem:{kind}"))
}

/// The JSON pointers of what is wrong.
fn pointers((status, answer): &Answer) -> Vec<String> {
    assert_eq!(
        (*status, &answer["type"]),
        (422, &problem("invalid")),
        "{answer}"
    );
    let errors = answer["errors"].as_array().unwrap().iter();
    let pointers = errors.map(|error| {
        assert_ne!(error["detail"], "", "{answer}");
        error["pointer"].as_str().unwrap().to_owned()
    });
    pointers.collect()
}

async fn nothing_is_stored(shop: &Shop) {
    assert_eq!(shop.order_ids().await, []);
    assert_eq!(shop.kept().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_webhook_without_the_right_signature_is_refused_and_leaves_no_trace() {
    let shop = Shop::open().await;
    let body = shopify().to_string();
    let right = sign(DEMO_ACCOUNT.2, body.as_bytes());
    let of_another_body = sign(DEMO_ACCOUNT.2, b"{}");
    let of_another_secret = sign("demo-shopify-secret ", body.as_bytes());
    let truncated = &right[..right.len() - 2];
    let hexadecimal: String = right.bytes().map(|b| format!("{b:02x}")).collect();
    for (account, signature) in [
        ("demo", ""),
        ("demo", "%%%"),
        ("demo", truncated),
        ("demo", &of_another_body),
        ("demo", &of_another_secret),
        ("demo", &hexadecimal),
        // Accounts that do not exist, and names that could lead elsewhere.
        ("other", &right),
        ("..", &right),
        ("demo%2F..%2Fdemo", &right),
        ("demo%00", &right),
    ] {
        let answer = shop
            .signed(account, "orders/create", signature, body.clone())
            .await;
        let given = (answer.0, &answer.1["type"]);
        assert_eq!(
            given,
            (401, &problem("bad-signature")),
            "{account} {signature:?}"
        );
    }
    // A channel that there is not, and no signature at all.
    for path in [
        "/webhooks/fax/demo",
        "/webhooks/api/default",
        "/webhooks/shopify/demo",
    ] {
        let answer = shop.send(Method::POST, path, &[], body.clone()).await;
        assert_eq!(
            (answer.0, &answer.1["type"]),
            (401, &problem("bad-signature")),
            "{path}"
        );
    }
    // A body that was changed on its way.
    let changed = body.replace("149.70", "1.70");
    assert_eq!(
        shop.signed("demo", "orders/create", &right, changed)
            .await
            .0,
        401
    );
    nothing_is_stored(&shop).await;
    // The old and the new secret are valid together.
    local::seed::add_account(&shop.cloud, "shopify", "rotated", "old")
        .await
        .unwrap();
    local::seed::add_account(&shop.cloud, "shopify", "rotated", "new")
        .await
        .unwrap();
    let mut ids = Vec::new();
    for secret in ["old", "new"] {
        let signature = sign(secret, body.as_bytes());
        let (status, answer) = shop
            .signed("rotated", "orders/create", &signature, body.clone())
            .await;
        assert_eq!(status, 200, "{secret}");
        ids.push(answer["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    shop.close().await;
}

#[tokio::test]
async fn what_is_no_json_is_refused_with_its_position() {
    let shop = Shop::open().await;
    let cases: [(&[u8], u64, u64); 6] = [
        (b"{\"lines\": [", 1, 11),
        (b"{\n  \"currency\": EUR\n}", 2, 15),
        (b"{}{}", 1, 3),
        (b"nonsense", 1, 2),
        // Text that is no UTF-8: the third byte of the second line.
        (b"{\"a\":\n \"\xff\xfe\"}", 2, 3),
        // Cut off within a character.
        (b"{\"a\": \"\xe2\x82", 1, 8),
    ];
    for (n, (body, line, column)) in cases.into_iter().enumerate() {
        let (status, answer) = shop.try_post("/orders", &format!("bad-{n}"), body).await;
        let shown = String::from_utf8_lossy(body);
        assert_eq!(
            (status, &answer["type"]),
            (400, &problem("bad-json")),
            "{shown}"
        );
        let position = (answer["line"].as_u64(), answer["column"].as_u64());
        assert_eq!(position, (Some(line), Some(column)), "{shown}: {answer}");
    }
    // Other requests read their documents in another way, and say it as well.
    let id = &shop.place("good", &document(&[("GRD-HAND-40", 1)])).await;
    for path in [
        format!("/orders/{id}/cancel"),
        format!("/orders/{id}/returns"),
        format!("/orders/{id}/refunds"),
        format!("/returns/{id}-R1/received"),
        format!("/fulfillments/{id}-1/packed"),
        "/stock/GRD-HAND-40/adjustments".into(),
    ] {
        let (status, answer) = shop.try_post(&path, "k", "{\n !}").await;
        assert_eq!(
            (status, &answer["type"]),
            (400, &problem("bad-json")),
            "{path}"
        );
        assert_eq!(
            (&answer["line"], &answer["column"]),
            (&json!(2), &json!(2)),
            "{path}"
        );
    }
    assert_eq!(shop.status(id).await, "allocated");
    shop.close().await;
}

#[tokio::test]
async fn what_is_missing_or_impossible_is_refused_with_its_json_pointer() {
    let shop = Shop::open().await;
    let change = |change: &dyn Fn(&mut Value)| {
        let mut order = document(&[("GRD-HAND-40", 1), ("BNS-HARBOUR-1K", 2)]);
        change(&mut order);
        order
    };
    let line = document(&[("GRD-HAND-40", 1)])["lines"][0].clone();
    let many = |count: usize| {
        let numbered = |n: usize| {
            let mut line = line.clone();
            line["id"] = json!(n.to_string());
            line
        };
        (0..count).map(numbered).collect::<Vec<_>>()
    };
    let cases: Vec<(&str, Value)> = vec![
        (
            "/lines/1/quantity",
            change(&|o| o["lines"][1]["quantity"] = json!(-2)),
        ),
        (
            "/lines/0/quantity",
            change(&|o| o["lines"][0]["quantity"] = json!(0)),
        ),
        (
            "/lines/0/quantity",
            change(&|o| o["lines"][0]["quantity"] = json!(1.5)),
        ),
        (
            "/lines/0/quantity",
            change(&|o| o["lines"][0]["quantity"] = json!(100_001)),
        ),
        ("/currency", change(&|o| o["currency"] = json!("XYZ"))),
        ("/currency", change(&|o| o["currency"] = Value::Null)),
        ("/lines", change(&|o| o["lines"] = json!([]))),
        (
            "/lines",
            change(&|o| o["lines"] = json!(many(MAX_LINES + 1))),
        ),
        ("/lines", change(&|o| o["lines"] = json!({}))),
        (
            "/lines/0/sku",
            change(&|o| o["lines"][0]["sku"] = json!("S".repeat(10_240))),
        ),
        (
            "/lines/0/sku",
            change(&|o| o["lines"][0]["sku"] = json!("SKU#X")),
        ),
        (
            "/lines/1/id",
            change(&|o| o["lines"][1]["id"] = json!((1_u64 << 53) + 1)),
        ),
        (
            "/number",
            change(&|o| o["number"] = json!((1_u64 << 53) + 1)),
        ),
        (
            "/lines/1/id",
            change(&|o| o["lines"][1]["id"] = json!("L1")),
        ),
        (
            "/lines/0/unit_price",
            change(&|o| o["lines"][0]["unit_price"] = json!("10.005")),
        ),
        (
            "/lines/0/unit_price",
            change(&|o| o["lines"][0]["unit_price"] = json!("-1")),
        ),
        (
            "/lines/0/unit_price",
            change(&|o| o["lines"][0]["unit_price"] = json!("a lot")),
        ),
        (
            "/shipping_address/country",
            change(&|o| o["shipping_address"]["country"] = json!("XX")),
        ),
        (
            "/shipping_address/city",
            change(&|o| o["shipping_address"]["city"] = Value::Null),
        ),
        (
            "/customer/email",
            change(&|o| o["customer"]["email"] = json!("not an address")),
        ),
        (
            "/placed_at",
            change(&|o| o["placed_at"] = json!("yesterday")),
        ),
        (
            "/payment/status",
            change(&|o| o["payment"]["status"] = json!("maybe")),
        ),
        ("/quantiti", change(&|o| o["quantiti"] = json!(1))),
    ];
    for (n, (pointer, order)) in cases.into_iter().enumerate() {
        let answer = shop
            .try_post("/orders", &format!("bad-{n}"), order.to_string())
            .await;
        assert_eq!(pointers(&answer), [pointer]);
    }
    // All that is wrong is told at once.
    let order = change(&|o| {
        o["total"] = json!("much");
        o["lines"][0]["quantity"] = json!(-1);
        o["lines"][1]["sku"] = json!("");
        o["shipping_address"]["country"] = json!("Germany");
    });
    let mut found = pointers(&shop.try_post("/orders", "all", order.to_string()).await);
    found.sort();
    let expected = [
        "/lines/0/quantity",
        "/lines/1/sku",
        "/shipping_address/country",
        "/total",
    ];
    assert_eq!(found, expected);
    // A million lines are more than a body may hold, unless there is hardly anything in each.
    let million = format!(
        r#"{{"currency":"EUR","lines":[{}1]}}"#,
        "1,".repeat(999_999)
    );
    let (status, answer) = shop.try_post("/orders", "million", million).await;
    assert_eq!((status, &answer["type"]), (413, &problem("too-large")));
    let most = format!(
        r#"{{"currency":"EUR","lines":[{}1]}}"#,
        "1,".repeat(500_000)
    );
    assert_eq!(
        pointers(&shop.try_post("/orders", "most", most).await),
        ["/lines"]
    );
    // The largest order, and the largest id, that are taken.
    let largest = change(&|o| {
        o["lines"] = json!(many(MAX_LINES));
        o["number"] = json!(1_u64 << 53);
        o["test"] = json!(true);
    });
    let id = &shop.place("largest", &largest).await;
    assert_eq!(shop.order(id).await["number"], "9007199254740992");
    assert_eq!(shop.order_ids().await.len(), 1, "nothing else is stored");
    shop.close().await;
}

#[tokio::test]
async fn other_documents_are_held_to_their_form_as_well() {
    let shop = Shop::open().await;
    let id = &shop.place("one", &document(&[("GRD-HAND-40", 2)])).await;
    let posts: [(String, Value, &[&str]); 11] = [
        (
            format!("/orders/{id}/cancel"),
            json!({"reason": ""}),
            &["/reason"],
        ),
        (
            format!("/orders/{id}/cancel"),
            json!({"why": "x"}),
            &["/why"],
        ),
        (
            format!("/orders/{id}/cancel"),
            json!({"reason": "x".repeat(501)}),
            &["/reason"],
        ),
        (format!("/orders/{id}/refunds"), json!({}), &[""]),
        (
            format!("/orders/{id}/refunds"),
            json!({"amount": "1.005"}),
            &["/amount"],
        ),
        (
            format!("/orders/{id}/returns"),
            json!({"lines": [{"line": "L1", "quantity": -1}]}),
            &["/lines/0/quantity"],
        ),
        (
            format!("/fulfillments/{id}-1/packed"),
            json!({"lines": [{"line": "L1"}]}),
            &["/lines/0"],
        ),
        (
            format!("/fulfillments/{id}-1/shipped"),
            json!({"carrier": "", "tracking_number": "1"}),
            &["/carrier"],
        ),
        (
            format!("/fulfillments/{id}-1/rejected"),
            json!({"reason": ""}),
            &["/reason"],
        ),
        (
            "/stock/GRD-HAND-40/adjustments".into(),
            json!({"location": "hamburg", "kind": "receive", "quantity": -1}),
            &["/quantity"],
        ),
        (
            "/stock/GRD-HAND-40/adjustments".into(),
            json!({"location": "atlantis", "kind": "receive", "quantity": 1}),
            &["/location"],
        ),
    ];
    for (path, body, expected) in posts {
        let answer = shop.try_post(&path, "k", body.to_string()).await;
        assert_eq!(pointers(&answer), expected, "{path} {body}");
    }
    let bearer = format!("Bearer {DEMO_KEY}");
    let warehouse = json!({
        "id": "moon base", "name": "Moon", "country": "XX", "latitude": 91.0, "longitude": 0.0,
        "time_zone": "Moon/Base", "cut_off": "12:00:00", "email": "nobody", "currency": "EUR",
    });
    let product = json!([{
        "sku": "", "title": "", "weight_g": 1, "length_mm": 1, "width_mm": 1, "height_mm": 1,
    }]);
    for (path, body, expected) in [
        (
            "/warehouses",
            warehouse,
            vec!["/id", "/country", "/latitude", "/time_zone", "/email"],
        ),
        ("/products", product, vec!["/0/sku", "/0/title"]),
    ] {
        let headers = [("authorization", bearer.as_str())];
        let answer = shop
            .send(Method::PUT, path, &headers, body.to_string())
            .await;
        assert_eq!(pointers(&answer), expected);
    }
    assert_eq!(
        shop.get("/warehouses").await["warehouses"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        shop.status(id).await,
        "allocated",
        "none of it did anything"
    );
    // Goods cannot come back to where nothing is.
    shop.deliver(id, 1).await;
    let lines = json!({"lines": [{"line": "L1", "quantity": 1}]}).to_string();
    shop.post(&format!("/orders/{id}/returns"), "rma", lines)
        .await;
    for location in ["atlantis", "hamburg#1", ""] {
        let body = json!({"location": location}).to_string();
        let answer = shop
            .try_post(&format!("/returns/{id}-R1/received"), "", body)
            .await;
        assert_eq!(pointers(&answer), ["/location"], "{location:?}");
    }
    shop.close().await;
}

#[tokio::test]
async fn a_signed_webhook_that_cannot_be_understood_is_kept_and_taken() {
    let shop = Shop::open().await;
    let no_currency = {
        let mut order = shopify();
        order["currency"] = json!("XYZ");
        order.to_string()
    };
    let no_lines = {
        let mut order = shopify();
        order["line_items"] = json!([]);
        order.to_string()
    };
    let bodies: [&[u8]; 6] = [
        b"not JSON",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        no_currency.as_bytes(),
        no_lines.as_bytes(),
    ];
    for body in bodies {
        // Twice: a repeat of it is not kept again.
        for _ in 0..2 {
            let (status, answer) = shop.webhook(body).await;
            assert_eq!((status, answer), (200, json!({"status": "kept"})));
        }
    }
    let kept = shop.kept().await;
    assert_eq!(kept.len(), bodies.len(), "{kept:?}");
    for expected in ["line 1, column", "/currency: ", "/line_items: "] {
        assert!(
            kept.iter().any(|why| why.contains(expected)),
            "{expected}: {kept:?}"
        );
    }
    // A topic that nobody asked for is kept as well.
    let body = shopify().to_string();
    let signature = sign(DEMO_ACCOUNT.2, body.as_bytes());
    let answer = shop
        .signed("demo", "orders/updated", &signature, body)
        .await;
    assert_eq!(answer, (200, json!({"status": "kept"})));
    assert_eq!(shop.kept().await.len(), bodies.len() + 1);
    assert_eq!(shop.order_ids().await, []);
    shop.close().await;
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not() {
    let shop = Shop::open().await;
    let padded = |order: Value, size: usize| {
        let mut body = order.to_string().into_bytes();
        body.resize(size, b' ');
        body
    };
    let order = document(&[("GRD-HAND-40", 1)]);
    for (name, size, expected) in [
        ("at", MAX_BODY_BYTES, 201),
        ("over", MAX_BODY_BYTES + 1, 413),
    ] {
        let (status, answer) = shop
            .try_post("/orders", name, padded(order.clone(), size))
            .await;
        assert_eq!(status, expected, "{answer}");
    }
    let mut other = shopify();
    other["id"] = json!(1);
    other["admin_graphql_api_id"] = Value::Null;
    for (order, size, expected) in [
        (shopify(), MAX_BODY_BYTES, 200),
        (other, MAX_BODY_BYTES + 1, 413),
    ] {
        let (status, answer) = shop.webhook(padded(order, size)).await;
        assert_eq!(status, expected, "{answer}");
    }
    // More than the gateway itself takes.
    let (status, _) = shop
        .try_post("/orders", "huge", vec![b' '; 11 * 1024 * 1024])
        .await;
    assert_eq!(status, 413);
    assert_eq!(shop.order_ids().await.len(), 2);
    shop.close().await;
}

#[tokio::test]
async fn an_unreadable_message_is_parked_and_its_neighbours_go_on() {
    // A second in which the queue gathers: all of it is one batch.
    let shop = Shop::open_with(|options| {
        options
            .parameters
            .insert("BatchingWindow".into(), "1".into());
    })
    .await;
    let mut ids = Vec::new();
    for n in 0..9 {
        let order = document(&[("FLT-PAPER-100", 1)]);
        ids.push(shop.store_in_silence(&format!("silent-{n}"), &order).await);
    }
    for (n, id) in ids.iter().enumerate() {
        shop.hint("allocate-warehouse", json!({"order": id}).to_string());
        if n == 4 {
            shop.hint("allocate-warehouse", "{\"order\": \"half of");
        }
    }
    shop.settle().await;
    for id in &ids {
        assert_eq!(shop.status(id).await, "allocated");
        assert!(shop.events(id).await.contains(&"notice.sent".into()));
    }
    let counters = &shop.cloud.services().counters;
    let commits = counters.total(|call| {
        &*call.caller == "allocate-warehouse" && call.operation == "TransactWriteItems"
    });
    assert_eq!(
        commits.calls, 1,
        "nine good ones in one transaction: it was one batch"
    );
    let parked = shop.parked();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].0, "allocate-warehouse");
    assert!(
        parked[0].1.starts_with("the message cannot be read"),
        "{parked:?}"
    );
    shop.close_with_parked().await;
}

#[tokio::test]
async fn every_step_parks_what_it_cannot_use() {
    let shop = Shop::open().await;
    let steps = [
        "allocate-warehouse",
        "notify-warehouse",
        "ship-order",
        "update-stock",
        "notify-customer",
        "refund-order",
    ];
    for step in steps {
        shop.hint(step, "\u{1F4A9}");
        shop.hint(step, "{}");
        shop.hint(step, r#"{"order": "../../etc"}"#);
        // Well formed, and of nothing that exists.
        shop.hint(step, r#"{"order": "AAAAAAAAAAAAAAAA"}"#);
        shop.hint(step, r#"{"sku": "NONE", "fact": "NONE"}"#);
    }
    shop.settle().await;
    let parked = shop.parked();
    for step in steps {
        let reasons: Vec<&String> = parked
            .iter()
            .filter(|p| p.0 == step)
            .map(|p| &p.1)
            .collect();
        assert_eq!(reasons.len(), 5, "{step}: {reasons:?}");
        assert!(
            reasons.iter().any(|why| *why == "there is no such order"),
            "{reasons:?}"
        );
    }
    shop.close_with_parked().await;
}

#[tokio::test]
async fn an_unknown_sku_holds_the_order_until_the_catalogue_has_it() {
    let shop = Shop::open().await;
    let id = &shop
        .place("mug", &document(&[("GRD-HAND-40", 1), ("MUG-ENAMEL", 1)]))
        .await;
    let order = shop.order(id).await;
    assert_eq!(order["status"], "held");
    assert_eq!(order["holds"][0]["name"], "unknown-sku");
    assert_eq!(order["holds"][0]["owner"], "the catalogue team");
    assert_eq!(shop.mails(id), [], "nothing is promised yet");
    let product = json!({
        "sku": "MUG-ENAMEL", "title": "Enamel mug", "weight_g": 200,
        "length_mm": 90, "width_mm": 90, "height_mm": 90,
    });
    shop.put("/products", product).await;
    shop.adjust("MUG-ENAMEL", "first", "hamburg", "receive", 1)
        .await;
    shop.post(
        &format!("/orders/{id}/holds/unknown-sku/release"),
        "",
        WITHOUT_BODY,
    )
    .await;
    assert_eq!(shop.status(id).await, "allocated");
    shop.close().await;
}

#[tokio::test]
async fn requests_that_change_something_twice_need_a_name_of_their_own() {
    let shop = Shop::open().await;
    let order = document(&[("GRD-HAND-40", 2)]);
    let id = &shop.place("mine", &order).await;
    shop.deliver(id, 1).await;
    let lines = json!({"lines": [{"line": "L1", "quantity": 1}]});
    let report = json!({"location": "hamburg", "kind": "receive", "quantity": 1});
    for (path, body) in [
        ("/orders".to_owned(), order.clone()),
        (format!("/orders/{id}/returns"), lines.clone()),
        (format!("/orders/{id}/refunds"), lines),
        ("/stock/GRD-HAND-40/adjustments".into(), report.clone()),
    ] {
        let (status, answer) = shop.try_post(&path, "", body.to_string()).await;
        let given = (status, &answer["type"]);
        assert_eq!(given, (400, &problem("no-idempotency-key")), "{path}");
        let (status, _) = shop
            .try_post(&path, &"k".repeat(129), body.to_string())
            .await;
        assert!(matches!(status, 400 | 422), "{path}: {status}");
    }
    // A name that was used for something else.
    let other = document(&[("GRD-HAND-40", 1)]).to_string();
    let (status, answer) = shop.try_post("/orders", "mine", other).await;
    assert_eq!(
        (status, &answer["type"]),
        (422, &problem("idempotency-key-reused"))
    );
    let adjustments = "/stock/GRD-HAND-40/adjustments";
    shop.post(adjustments, "pallet", report.to_string()).await;
    let other = json!({"location": "hamburg", "kind": "receive", "quantity": 2}).to_string();
    let (status, answer) = shop.try_post(adjustments, "pallet", other).await;
    assert_eq!(
        (status, &answer["type"]),
        (422, &problem("idempotency-key-reused"))
    );
    assert_eq!(shop.order_ids().await.len(), 1);
    shop.close().await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let shop = Shop::open().await;
    let none = "AAAAAAAAAAAAAAAA";
    let id = &shop.place("one", &document(&[("GRD-HAND-40", 1)])).await;
    for path in [
        format!("/orders/{none}"),
        "/orders/nonsense".into(),
        "/orders/%00".into(),
        format!("/orders/{}", "A".repeat(5000)),
        format!("/orders/{}", id.to_lowercase()),
        format!("/orders/{none}/events"),
        "/orders/..%2F..%2Fkeys/events".into(),
        "/stock/NO-SUCH-SKU".into(),
        "/stock/%23".into(),
    ] {
        let (status, answer) = shop.get_as(DEMO_KEY, &path).await;
        assert_eq!(
            (status, &answer["type"]),
            (404, &problem("not-found")),
            "{path}"
        );
    }
    let lines = json!({"lines": [{"line": "L1", "quantity": 1}]}).to_string();
    for (path, body) in [
        (format!("/orders/{none}/cancel"), ""),
        ("/orders/nonsense/cancel".into(), ""),
        (format!("/orders/{none}/holds/payment/release"), ""),
        (format!("/orders/{none}/returns"), lines.as_str()),
        (format!("/orders/{none}/refunds"), lines.as_str()),
        (format!("/returns/{id}-R1/received"), ""),
        (format!("/returns/{id}-1/received"), ""),
        (format!("/returns/{id}-R99999999999/received"), ""),
        (format!("/refunds/{id}-F1/confirmed"), ""),
        (format!("/refunds/{none}-F1/confirmed"), ""),
        (format!("/fulfillments/{id}-2/packed"), ""),
        (format!("/fulfillments/{id}-0/packed"), ""),
        (format!("/fulfillments/{id}/packed"), ""),
        (format!("/fulfillments/{none}-1/packed"), ""),
        (format!("/fulfillments/{id}-1/eaten"), ""),
    ] {
        let (status, answer) = shop.try_post(&path, "k", body).await;
        assert_eq!(
            (status, &answer["type"]),
            (404, &problem("not-found")),
            "{path}: {answer}"
        );
    }
    let report = json!({"location": "hamburg", "kind": "receive", "quantity": 1}).to_string();
    assert_eq!(
        shop.try_post("/stock/NO-SUCH-SKU/adjustments", "k", report)
            .await
            .0,
        404
    );
    // Paths and methods that no route has, and questions that leave something out.
    for (method, path, expected) in [
        (Method::GET, "/nothing/here", 404),
        (Method::POST, "/order", 404),
        (Method::DELETE, "/orders", 405),
        (Method::GET, "/webhooks/shopify/demo", 405),
        (Method::PUT, "/orders", 405),
    ] {
        let (status, answer) = shop.send(method, path, &[], WITHOUT_BODY).await;
        assert_eq!(
            (status, &answer["status"]),
            (expected, &json!(expected)),
            "{path}"
        );
    }
    assert_eq!(shop.get_as(DEMO_KEY, "/orders?channel=api").await.0, 422);
    assert_eq!(
        shop.get("/orders?channel=api&number=none").await,
        json!({"orders": []})
    );
    let after = format!("/orders/{id}/events?after=x");
    assert_eq!(shop.get_as(DEMO_KEY, &after).await.0, 422);
    assert_eq!(shop.status(id).await, "allocated");
    shop.close().await;
}
