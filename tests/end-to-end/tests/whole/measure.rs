//! Goods that are sold by measure, over HTTP: what goes in as 5.5 comes out as 5.5, everywhere.

use domain::OrderId;
use end_to_end::{Shop, WITHOUT_BODY, document, pointers, shopify};
use serde_json::{Value, json};

/// Linen by the metre, in tenths.
const SKU: &str = "LINEN";

fn linen(change: impl FnOnce(&mut Value)) -> Value {
    let mut product = json!({
        "sku": SKU, "title": "Linen, by the metre", "decimals": 1,
        "weight_g": 215, "length_mm": 1000, "width_mm": 10, "height_mm": 10,
    });
    change(&mut product);
    json!([product])
}

async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.put("/products", linen(|_| ())).await;
    shop
}

async fn receive(shop: &Shop, name: &str, location: &str, quantity: Value) -> Value {
    let body = json!({"location": location, "kind": "receive", "quantity": quantity});
    let path = format!("/stock/{SKU}/adjustments");
    shop.post(&path, name, body.to_string()).await
}

/// An order of so much linen at 3.33 a metre.
fn order(quantity: Value) -> Value {
    let mut order = document(&[(SKU, 1)]);
    order["lines"][0]["quantity"] = quantity;
    order["lines"][0]["unit_price"] = json!("3.33");
    order
}

/// Who sends an order, and how much.
fn sends(order: &Value) -> Vec<(&str, &Value)> {
    let fulfillments = order["fulfillments"].as_array().unwrap().iter();
    let sends = fulfillments.map(|f| (f["location"].as_str().unwrap(), &f["lines"][0]["quantity"]));
    sends.collect()
}

#[tokio::test]
async fn what_goes_in_in_parts_comes_out_in_parts() {
    let shop = shop().await;
    let received = receive(&shop, "in", "hamburg", json!(10.5)).await;
    assert_eq!(received["quantity"], 10.5);
    let id = &shop.place("metres", &order(json!(5.5))).await;
    let view = shop.order(id).await;
    assert_eq!(
        (&view["status"], &view["total"]),
        (&json!("allocated"), &json!("18.32"))
    );
    assert_eq!(view["lines"][0]["units"]["allocated"], 5.5);
    assert_eq!(sends(&view), [("hamburg", &json!(5.5))]);
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    let level = &stock["levels"][0];
    assert_eq!(
        (&level["on_hand"], &level["available"]),
        (&json!(10.5), &json!(5))
    );
    let why = shop.get(&format!("/stock/{SKU}/why")).await;
    let told = why["levels"][0]["entries"][0]["text"].as_str().unwrap();
    assert_eq!(told, format!("5.5 set aside for order {id}"));
    let routing = shop.get(&format!("/orders/{id}/routing")).await;
    let decision = &routing["decisions"][0];
    assert_eq!(
        (&decision["wanted"], &decision["sent"]),
        (&json!(5.5), &json!(5.5))
    );
    assert_eq!(decision["considered"][0]["text"], "sends 5.5 of 5.5 units");
    let events = shop.get(&format!("/orders/{id}/events")).await;
    assert_eq!(events["events"][1]["text"], "allocated: 5.5 units");
    let picks = shop.mail(id, "pick-1");
    assert!(
        picks.contains("Pick 5.5 units") && picks.contains("5.5 x LINEN"),
        "{picks}"
    );
    let confirmed = shop.mail(id, "confirmed");
    assert!(
        confirmed.contains("5.5 x Article LINEN: 18.32 EUR"),
        "{confirmed}"
    );
    let atp = shop.get(&format!("/stock/{SKU}/atp")).await;
    assert_eq!(atp["quantity"], 5);

    // A picker finds less, and some of it comes back.
    let short = json!({"lines": [{"line": "L1", "quantity": 5.1}]});
    shop.report(id, 1, "packed", short.to_string()).await;
    let open = shop.get("/stock/discrepancies").await;
    let open = &open["discrepancies"][0];
    assert_eq!(
        (&open["expected"], &open["found"]),
        (&json!(0.4), &json!(0))
    );
    assert_eq!(
        open["text"],
        format!("0.4 not found when order {id} was picked")
    );
    shop.report(id, 1, "delivered", WITHOUT_BODY).await;
    let back = json!({"lines": [{"line": "L1", "quantity": "1.30"}]}).to_string();
    shop.post(&format!("/orders/{id}/returns"), "back", back)
        .await;
    shop.post(&format!("/returns/{id}-R1/received"), "", "{}")
        .await;
    let view = shop.order(id).await;
    assert_eq!(view["lines"][0]["units"]["returned"], 1.3);
    assert_eq!(view["returns"][0]["lines"][0]["quantity"], 1.3);
    let rest = json!({"lines": [{"line": "L1", "quantity": 4.2}]}).to_string();
    shop.post(&format!("/orders/{id}/refunds"), "rest", rest)
        .await;
    let amounts = shop
        .stored(id)
        .await
        .refunds
        .iter()
        .map(|r| r.amount)
        .sum::<i64>();
    assert_eq!(amounts, 1832, "all of it has gone back, to the cent");
    shop.close().await;
}

#[tokio::test]
async fn counts_transfers_purchases_and_reservations_are_in_the_same_measure() {
    let shop = shop().await;
    receive(&shop, "in", "hamburg", json!("4.0")).await;
    let path = |end: &str| format!("/stock/{SKU}/{end}");
    let counted = json!({"location": "hamburg", "found": 3.7}).to_string();
    let counted = shop.post(&path("counts"), "count", counted).await;
    assert_eq!(counted["quantity"], -0.3);
    assert_eq!(
        (&counted["found"], &counted["expected"]),
        (&json!(3.7), &json!(4))
    );
    let sent = json!({"from": "hamburg", "to": "newark", "quantity": 1.5}).to_string();
    let sent = shop.post(&path("transfers"), "lorry", sent).await;
    assert_eq!(sent["quantity"], 1.5);
    let id = sent["id"].as_str().unwrap();
    let arrived = path(&format!("transfers/{id}/received"));
    let arrived = shop
        .post(&arrived, "", json!({"quantity": 1.4}).to_string())
        .await;
    assert_eq!(arrived["received"], 1.4);
    let line = json!({"location": "hamburg", "quantity": 20.5, "expected_on": "2099-01-01"});
    shop.put(&path("inbound/po-1"), line).await;
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    assert_eq!(stock["inbound"][0]["quantity"], 20.5);
    let cart =
        json!({"lines": [{"sku": SKU, "quantity": 2.1}], "country": "DE", "expires_in_s": 600});
    let cart = shop.post("/reservations", "cart", cart.to_string()).await;
    let kept = cart["lines"].as_array().unwrap().iter();
    let kept: f64 = kept.map(|line| line["quantity"].as_f64().unwrap()).sum();
    assert!((kept - 2.1).abs() < 1e-9, "{cart}");
    let more =
        json!({"lines": [{"sku": SKU, "quantity": 9.5}], "country": "DE", "expires_in_s": 600});
    let (status, answer) = shop
        .try_post("/reservations", "more", more.to_string())
        .await;
    assert_eq!(status, 409);
    assert_eq!(
        answer["errors"][0]["detail"],
        "expected 9.5 available of LINEN, found 1.5"
    );
    shop.close().await;
}

/// Magento's published case: of 5.5, 3, and 10 that are out of stock, 7 are had, and 15 are not.
#[tokio::test]
async fn the_published_source_selection_comes_out() {
    let shop = shop().await;
    let source = |id: &str, latitude: f64, closed: bool| {
        json!({
            "id": id, "name": id, "country": "DE", "latitude": latitude, "longitude": 13.4,
            "time_zone": "Europe/Berlin", "cut_off": "14:00:00", "email": format!("{id}@example.com"),
            "currency": "EUR", "closed": closed,
        })
    };
    let sources = [
        source("eu-1", 52.5, false),
        source("eu-2", 51.0, false),
        source("eu-3", 52.5, true),
    ];
    shop.put("/warehouses", json!(sources)).await;
    for (source, quantity) in [("eu-1", 5.5), ("eu-2", 3.0), ("eu-3", 10.0)] {
        receive(&shop, source, source, json!(quantity)).await;
    }
    let mut linen = linen(|_| ());
    linen[0]["backorders"] = json!("ask");
    shop.put("/products", linen).await;
    let none = &shop.place("fifteen", &order(json!(15))).await;
    let held = shop.order(none).await;
    assert_eq!(
        (&held["status"], &held["holds"][0]["name"]),
        (&json!("held"), &json!("out-of-stock"))
    );
    shop.post(&format!("/orders/{none}/cancel"), "", "{}").await;
    let id = &shop.place("seven", &order(json!(7))).await;
    let view = shop.order(id).await;
    assert_eq!(sends(&view), [("eu-1", &json!(5.5)), ("eu-2", &json!(1.5))]);
    shop.close().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_where_it_stands_and_nothing_is_half_done() {
    let shop = shop().await;
    receive(&shop, "in", "hamburg", json!(3)).await;
    let whole = "GRD-HAND-40";
    // Of an order: too many decimals, too many digits, no number, nothing, less than nothing, too much.
    for quantity in [
        "5.55",
        "1.000000000000001",
        "1e309",
        "\"five\"",
        "0",
        "-0.5",
        "10000.1",
        "null",
        "[]",
    ] {
        let body = order(json!("@")).to_string().replace("\"@\"", quantity);
        let answer = shop.try_post("/orders", quantity, body).await;
        assert_eq!(pointers(&answer), ["/lines/0/quantity"], "{quantity}");
    }
    let mut halves = document(&[(whole, 1)]);
    halves["lines"][0]["quantity"] = json!(1.5);
    let answer = shop.try_post("/orders", "halves", halves.to_string()).await;
    assert_eq!(pointers(&answer), ["/lines/0/quantity"]);
    assert_eq!(
        answer.1["errors"][0]["detail"],
        "expected a whole number, found 1.5"
    );
    // Of what is reported on stock.
    for (sku, quantity) in [
        (SKU, json!(0.25)),
        (SKU, json!("x")),
        (SKU, json!(10_000.1)),
        (whole, json!(0.5)),
    ] {
        let body = json!({"location": "hamburg", "kind": "receive", "quantity": quantity});
        let path = format!("/stock/{sku}/adjustments");
        let answer = shop.try_post(&path, "bad", body.to_string()).await;
        assert_eq!(pointers(&answer), ["/quantity"], "{quantity}");
    }
    for (end, body, pointer) in [
        (
            "counts",
            json!({"location": "hamburg", "found": 1.25}),
            "/found",
        ),
        (
            "counts",
            json!({"location": "hamburg", "found": 1, "expected": 1.25}),
            "/expected",
        ),
        (
            "transfers",
            json!({"from": "hamburg", "to": "newark", "quantity": 0.05}),
            "/quantity",
        ),
    ] {
        let answer = shop
            .try_post(&format!("/stock/{SKU}/{end}"), "bad", body.to_string())
            .await;
        assert_eq!(pointers(&answer), [pointer], "{body}");
    }
    let line = json!({"location": "hamburg", "quantity": 0.05, "expected_on": "2099-01-01"});
    let answer = shop
        .try_put(&format!("/stock/{SKU}/inbound/po"), line)
        .await;
    assert_eq!(pointers(&answer), ["/quantity"]);
    let cart =
        json!({"lines": [{"sku": SKU, "quantity": 0.05}], "country": "DE", "expires_in_s": 600});
    let answer = shop
        .try_post("/reservations", "bad", cart.to_string())
        .await;
    assert_eq!(pointers(&answer), ["/lines/0/quantity"]);
    // Of what is said of an order.
    let id = &shop.place("fine", &order(json!(2.5))).await;
    let lines =
        |quantity: Value| json!({"lines": [{"line": "L1", "quantity": quantity}]}).to_string();
    for path in [
        format!("/orders/{id}/returns"),
        format!("/orders/{id}/refunds"),
        format!("/fulfillments/{id}-1/packed"),
    ] {
        for quantity in [
            json!(0.25),
            json!(-1),
            json!("x"),
            json!(1.000_000_000_000_001),
        ] {
            let answer = shop.try_post(&path, "bad", lines(quantity.clone())).await;
            assert_eq!(
                pointers(&answer),
                ["/lines/0/quantity"],
                "{path} {quantity}"
            );
        }
    }
    let more = shop
        .try_post(&format!("/orders/{id}/refunds"), "more", lines(json!(2.6)))
        .await;
    assert_eq!(
        (more.0, &more.1["detail"]),
        (409, &json!("2.6 of line \"L1\" asked, 2.5 left"))
    );
    // Of a product: its measure is for good.
    for (decimals, pointer) in [
        (json!(4), "/0/decimals"),
        (json!(0), "/0/decimals"),
        (json!(2), "/0/decimals"),
    ] {
        let answer = shop
            .try_put("/products", linen(|product| product["decimals"] = decimals))
            .await;
        assert_eq!(pointers(&answer), [pointer]);
    }
    let twice = json!([
        linen(|p| p["sku"] = json!("SILK"))[0],
        linen(|p| {
            p["sku"] = json!("SILK");
            p["decimals"] = json!(2);
        })[0]
    ]);
    let answer = shop.try_put("/products", twice).await;
    assert_eq!(pointers(&answer), ["/1/decimals"]);
    assert_eq!(
        shop.try_post(
            "/stock/SILK/counts",
            "k",
            r#"{"location":"hamburg","found":1}"#
        )
        .await
        .0,
        404
    );
    let kit = json!([{
        "sku": "CURTAIN", "title": "a kit", "weight_g": 1, "length_mm": 1, "width_mm": 1, "height_mm": 1,
        "components": [{"sku": SKU, "quantity": 2.25}],
    }]);
    assert_eq!(
        pointers(&shop.try_put("/products", kit).await),
        ["/0/components/0/quantity"]
    );
    let level = &shop.get(&format!("/stock/{SKU}")).await["levels"][0];
    assert_eq!(
        (&level["on_hand"], &level["available"]),
        (&json!(3), &json!(0.5))
    );
    assert_eq!(shop.order_ids().await, [OrderId::parse(id).unwrap()]);
    shop.close().await;
}

#[tokio::test]
async fn a_webhook_that_asks_for_half_a_piece_is_kept_for_a_person() {
    let shop = shop().await;
    let mut order = shopify();
    order["line_items"][0]["quantity"] = json!(1.5);
    let (status, answer) = shop.webhook(order.to_string()).await;
    assert_eq!((status, &answer["status"]), (200, &json!("kept")));
    let kept = shop.kept().await;
    assert_eq!(kept.len(), 1);
    assert!(
        kept[0].contains("/line_items/0/quantity: expected a whole number, found 1.5"),
        "{kept:?}"
    );
    assert_eq!(shop.order_ids().await, []);
    shop.close().await;
}
