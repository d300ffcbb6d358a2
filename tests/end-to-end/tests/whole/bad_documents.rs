//! Documents that cannot be taken, and what they get.

use domain::limits::MAX_LINES;
use end_to_end::{Shop, WITHOUT_BODY, document, pointers, problem};
use http::Method;
use local::seed::DEMO_KEY;
use serde_json::{Value, json};

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
