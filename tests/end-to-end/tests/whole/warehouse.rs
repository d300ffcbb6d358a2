//! What warehouses report, and what follows.

use end_to_end::{Shop, WITHOUT_BODY, document};
use serde_json::{Value, json};

fn kinds(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["type"].as_str().unwrap_or_default())
}

const WRONG_STATE: (u16, &str) = (409, "urn:waybill:problem:wrong-state");
const TOO_MUCH: (u16, &str) = (409, "urn:waybill:problem:too-much");

fn packed(units: u32) -> String {
    json!({"lines": [{"line": "L1", "quantity": units}]}).to_string()
}

#[tokio::test]
async fn what_a_picker_does_not_find_leaves_the_books_and_is_looked_for_again() {
    let shop = Shop::open().await;
    let id = &shop.place("short", &document(&[("GRD-HAND-40", 5)])).await;
    shop.report(id, 1, "packed", packed(3)).await;
    let order = shop.order(id).await;
    let first = &order["fulfillments"][0];
    assert_eq!(
        (&first["status"], &first["lines"][0]["quantity"]),
        (&json!("shipped"), &json!(3))
    );
    let hamburg = shop.level("GRD-HAND-40", "hamburg").await;
    assert_eq!(hamburg.on_hand, 55, "three have left, two were never there");
    // The books of Hamburg know of fifty-five more, and its shelf is not believed.
    let second = &order["fulfillments"][1];
    assert_eq!(
        (&second["location"], &second["lines"][0]["quantity"]),
        (&json!("newark"), &json!(2))
    );
    assert_eq!(order["status"], "partially_shipped");
    assert!(
        shop.mail(id, "shipped-1").contains('2'),
        "the customer hears of what is to come"
    );
    shop.report(id, 1, "delivered", WITHOUT_BODY).await;
    shop.deliver(id, 2).await;
    assert_eq!(shop.status(id).await, "delivered");
    shop.close().await;
}

#[tokio::test]
async fn when_the_shelf_is_empty_the_rest_goes_to_another_warehouse() {
    let shop = Shop::open().await;
    // Newark has all twelve tampers that there are; its picker finds eleven.
    let id = &shop.place("short", &document(&[("TMP-58-WAL", 12)])).await;
    shop.report(id, 1, "packed", packed(11)).await;
    let order = shop.order(id).await;
    assert_eq!(
        order["lines"][0]["units"]["backordered"], 1,
        "no warehouse has another"
    );
    assert_eq!(shop.level("TMP-58-WAL", "newark").await.on_hand, 0);
    shop.adjust("TMP-58-WAL", "found", "hamburg", "receive", 1)
        .await;
    let order = shop.order(id).await;
    assert_eq!(order["fulfillments"][1]["location"], "hamburg");
    shop.report(id, 1, "delivered", WITHOUT_BODY).await;
    shop.deliver(id, 2).await;
    assert_eq!(shop.status(id).await, "delivered");
    assert_eq!(shop.level("TMP-58-WAL", "hamburg").await.on_hand, 0);
    let mails: Vec<String> = shop.mails(id).into_iter().map(|mail| mail.0).collect();
    assert_eq!(mails.iter().filter(|mail| *mail == "confirmed").count(), 1);
    shop.close().await;
}

#[tokio::test]
async fn what_a_warehouse_rejects_goes_to_another_one() {
    let shop = Shop::open().await;
    let id = &shop
        .place("rejected", &document(&[("GRD-HAND-40", 2)]))
        .await;
    let before = shop.level("GRD-HAND-40", "hamburg").await;
    let reason = json!({"reason": "water damage"}).to_string();
    let rejected = shop.report(id, 1, "rejected", reason).await;
    assert_eq!(
        (&rejected["status"], &rejected["location"]),
        (&json!("rejected"), &json!("hamburg"))
    );
    let order = shop.order(id).await;
    let second = &order["fulfillments"][1];
    assert_eq!(
        (&second["status"], &second["location"]),
        (&json!("released"), &json!("newark"))
    );
    let after = shop.level("GRD-HAND-40", "hamburg").await;
    assert_eq!(
        (after.on_hand, after.allocated),
        (before.on_hand, 0),
        "back on the shelf"
    );
    assert!(
        shop.mails(id)
            .contains(&("pick-2".into(), "newark@brindlewick.test".into()))
    );
    let routing = shop.get(&format!("/orders/{id}/routing")).await;
    let decisions = routing["decisions"].as_array().unwrap();
    let told = |n: usize, k: usize| {
        let considered = &decisions[n]["considered"][k];
        format!("{} {}", considered["location"], considered["text"])
    };
    assert_eq!(decisions.len(), 2);
    assert_eq!(told(0, 0), r#""hamburg" "sends 2 of 2 units""#);
    assert_eq!(told(1, 0), r#""newark" "sends 2 of 2 units""#);
    assert_eq!(told(1, 1), r#""hamburg" "has rejected this order""#);
    // The next customer's order does not go where the goods were just refused.
    let other = shop.place("next", &document(&[("GRD-HAND-40", 1)])).await;
    assert_eq!(
        shop.order(&other).await["fulfillments"][0]["location"],
        "newark"
    );
    // Whoever refuses it last: nobody ships to Berlin then, and the goods are waited for.
    let reason = json!({"reason": "closed"}).to_string();
    shop.report(id, 2, "rejected", reason).await;
    assert_eq!(shop.status(id).await, "backordered");
    assert_eq!(shop.level("GRD-HAND-40", "newark").await.allocated, 1);
    assert_eq!(
        shop.mails(id)
            .iter()
            .filter(|mail| mail.0 == "confirmed")
            .count(),
        1
    );
    shop.close().await;
}

#[tokio::test]
async fn a_warehouse_ships_by_its_own_means_from_any_state_before() {
    let shop = Shop::open().await;
    let bicycle = json!({"carrier": "Bicycle", "tracking_number": "B-17"}).to_string();
    let id = &shop
        .place("bicycle", &document(&[("GRD-HAND-40", 2)]))
        .await;
    shop.report(id, 1, "shipped", bicycle.clone()).await;
    let order = shop.order(id).await;
    assert_eq!(
        order["fulfillments"][0]["parcel"]["tracking_number"],
        "B-17"
    );
    assert_eq!(order["status"], "shipped");
    assert_eq!(shop.level("GRD-HAND-40", "hamburg").await.on_hand, 58);
    assert!(shop.mail(id, "shipped-1").contains("B-17"));
    // Five machines of 7.8 kg are more than any tariff takes.
    let heavy = &shop.place("heavy", &document(&[("ESP-LEVER-01", 5)])).await;
    shop.report(heavy, 1, "packed", WITHOUT_BODY).await;
    let order = shop.order(heavy).await;
    assert_eq!(order["status"], "packed");
    let waits = order["waiting_for"][0].as_str().unwrap();
    assert!(waits.contains("by its own means"), "{waits}");
    assert_eq!(shop.sweep().await["orders"], 0, "nobody can do more for it");
    shop.report(heavy, 1, "shipped", bicycle).await;
    assert_eq!(shop.status(heavy).await, "shipped");
    shop.close().await;
}

#[tokio::test]
async fn an_order_that_no_warehouse_has_whole_is_split_over_the_fewest() {
    let shop = Shop::open().await;
    // Hamburg has machines and no tampers; Newark has tampers and no machines; both have grinders.
    let order = document(&[("ESP-LEVER-01", 1), ("TMP-58-WAL", 1), ("GRD-HAND-40", 1)]);
    let id = &shop.place("split", &order).await;
    let order = shop.order(id).await;
    let fulfillments = order["fulfillments"].as_array().unwrap();
    let places: Vec<(&str, usize)> = fulfillments
        .iter()
        .map(|f| {
            (
                f["location"].as_str().unwrap(),
                f["lines"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(places, [("hamburg", 2), ("newark", 1)]);
    shop.deliver(id, 2).await;
    let order = shop.order(id).await;
    assert_eq!(order["status"], "partially_shipped");
    assert_eq!(order["fulfillment_status"], "partially_fulfilled");
    assert_eq!(order["lines"][1]["units"]["delivered"], 1);
    shop.deliver(id, 1).await;
    assert_eq!(shop.status(id).await, "delivered");
    let mut mails: Vec<String> = shop.mails(id).into_iter().map(|mail| mail.0).collect();
    mails.sort();
    assert_eq!(
        mails,
        ["confirmed", "pick-1", "pick-2", "shipped-1", "shipped-2"]
    );
    shop.close().await;
}

#[tokio::test]
async fn units_of_one_line_come_from_two_warehouses_and_arrive_one_after_the_other() {
    let shop = Shop::open().await;
    // Hamburg has 42, Newark 9, Chiba does not ship to Germany.
    let id = &shop
        .place("split", &document(&[("SCL-POCKET-2K", 50)]))
        .await;
    let order = shop.order(id).await;
    let units: Vec<&Value> = order["fulfillments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["lines"][0]["quantity"])
        .collect();
    assert_eq!(units, [42, 8]);
    shop.deliver(id, 1).await;
    assert_eq!(shop.order(id).await["lines"][0]["units"]["delivered"], 42);
    shop.deliver(id, 2).await;
    assert_eq!(shop.status(id).await, "delivered");
    shop.close().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    let id = &shop
        .place(
            "states",
            &document(&[("GRD-HAND-40", 2), ("FLT-PAPER-100", 1)]),
        )
        .await;
    let own_means = json!({"carrier": "Bicycle", "tracking_number": "B-17"}).to_string();
    let reason = json!({"reason": "no"}).to_string();
    let refused = async |expected: (u16, &str), report: &str, body: String| {
        let version = shop.stored(id).await.version;
        let path = format!("/fulfillments/{id}-1/{report}");
        let answer = shop.try_post(&path, "", body.clone()).await;
        assert_eq!(kinds(&answer), expected, "{report} {body}");
        assert_eq!(shop.stored(id).await.version, version, "{report}");
    };
    let two = |first: u32, second: u32| {
        let line = |quantity| json!({"line": "L1", "quantity": quantity});
        json!({"lines": [line(first), line(second)]}).to_string()
    };
    let other = json!({"lines": [{"line": "L9", "quantity": 1}]}).to_string();
    refused(WRONG_STATE, "delivered", String::new()).await;
    refused(TOO_MUCH, "packed", packed(3)).await;
    refused(TOO_MUCH, "packed", two(1, 2)).await;
    refused(TOO_MUCH, "packed", two(u32::MAX, u32::MAX)).await;
    refused((404, "urn:waybill:problem:not-found"), "packed", other).await;
    refused(
        (422, "urn:waybill:problem:nothing-to-do"),
        "packed",
        packed(0),
    )
    .await;
    refused(
        (422, "urn:waybill:problem:nothing-to-do"),
        "packed",
        json!({"lines": []}).to_string(),
    )
    .await;
    let return_one = packed(1);
    let returns = format!("/orders/{id}/returns");
    let answer = shop.try_post(&returns, "early", return_one).await;
    assert_eq!(kinds(&answer), TOO_MUCH, "nothing has left yet");
    shop.report(id, 1, "packed", WITHOUT_BODY).await;
    refused(WRONG_STATE, "rejected", reason.clone()).await;
    shop.report(id, 1, "delivered", WITHOUT_BODY).await;
    refused(WRONG_STATE, "rejected", reason.clone()).await;
    let answer = shop
        .try_post(&format!("/orders/{id}/cancel"), "", WITHOUT_BODY)
        .await;
    assert_eq!(kinds(&answer), WRONG_STATE);
    let answer = shop.try_post(&returns, "more", packed(3)).await;
    assert_eq!(kinds(&answer), TOO_MUCH);
    shop.post(&returns, "all", packed(2)).await;
    let answer = shop.try_post(&returns, "again", packed(1)).await;
    assert_eq!(kinds(&answer), TOO_MUCH, "they are announced already");
    // What arrives may differ from what was announced, and is never more than what has left.
    let arrived = |quantity: u32| {
        let line = json!({"line": "L1", "quantity": quantity, "disposition": "restock"});
        json!({"lines": [line]}).to_string()
    };
    let received = format!("/returns/{id}-R1/received");
    let answer = shop.try_post(&received, "", arrived(3)).await;
    assert_eq!(kinds(&answer), TOO_MUCH);
    shop.post(&received, "", arrived(1)).await;
    assert_eq!(shop.order(id).await["lines"][0]["units"]["returned"], 1);
    // The states of a fulfillment order that has come to nothing.
    let rejected = &shop
        .place("rejected", &document(&[("GRD-HAND-40", 1)]))
        .await;
    shop.report(rejected, 1, "rejected", reason).await;
    for (report, body) in [
        ("accepted", String::new()),
        ("packed", String::new()),
        ("shipped", own_means),
        ("delivered", String::new()),
    ] {
        let path = format!("/fulfillments/{rejected}-1/{report}");
        assert_eq!(
            kinds(&shop.try_post(&path, "", body).await),
            WRONG_STATE,
            "{report}"
        );
    }
    shop.close().await;
}
