//! How much can be promised from which day on, and when what somebody waits for is expected.

use std::time::Duration;

use end_to_end::{Answer, Shop, document, pointers};
use http::Method;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use local::seed::DEMO_KEY;
use serde_json::{Value, json};

const SKU: &str = "KTL-COPPER-12";

/// So many days from today, by the calendar of the warehouse in Hamburg.
fn day(from_today: i64) -> String {
    today("Europe/Berlin")
        .saturating_add(from_today.days())
        .to_string()
}

fn today(zone: &str) -> Date {
    let zone = TimeZone::get(zone).unwrap();
    Timestamp::now().to_zoned(zone).date()
}

/// No day may end between a question and what is expected of its answer: the warehouses' days end with an hour.
async fn away_from_midnight() {
    let left_s = 3600 - Timestamp::now().as_second() % 3600;
    if left_s < 20 {
        tokio::time::sleep(Duration::from_secs(left_s.unsigned_abs())).await;
    }
}

async fn expect(shop: &Shop, id: &str, quantity: i64, from_today: i64) -> Value {
    let line = json!({"location": "hamburg", "quantity": quantity, "expected_on": day(from_today)});
    let path = format!("/stock/{SKU}/inbound/{id}");
    let (status, line) = put(shop, &path, &line).await;
    assert_eq!(status, 200, "{line}");
    line
}

async fn put(shop: &Shop, path: &str, line: &Value) -> Answer {
    let bearer = format!("Bearer {DEMO_KEY}");
    let headers = [("authorization", bearer.as_str())];
    shop.send(Method::PUT, path, &headers, line.to_string())
        .await
}

async fn steps(shop: &Shop, query: &str) -> Value {
    shop.get(&format!("/stock/{SKU}/atp{query}")).await["steps"].clone()
}

fn step(from_today: i64, quantity: i64) -> Value {
    json!({"from": day(from_today), "quantity": quantity})
}

/// The step for today, which bears the earliest day of all warehouses: that of the one in New Jersey.
fn at_once(quantity: i64) -> Value {
    json!({"from": today("America/New_York").to_string(), "quantity": quantity})
}

#[tokio::test]
async fn what_is_on_its_way_is_promised_from_its_day_on() {
    away_from_midnight().await;
    let shop = Shop::open().await;
    assert_eq!(steps(&shop, "").await, json!([at_once(0)]));
    shop.adjust(SKU, "first", "hamburg", "receive", 2).await;
    expect(&shop, "PO-1-1", 6, 9).await;
    expect(&shop, "PO-2-1", 4, 20).await;
    let all = json!([at_once(2), step(9, 8), step(20, 12)]);
    assert_eq!(steps(&shop, "").await, all);
    let on = shop
        .get(&format!("/stock/{SKU}/atp?date={}", day(10)))
        .await;
    assert_eq!(on["quantity"], 8);
    // Orders take what is there, and wait for the rest: who waits is served first.
    let early = &shop.place("early", &document(&[(SKU, 4)])).await;
    let late = &shop.place("late", &document(&[(SKU, 5)])).await;
    let promises = shop.get(&format!("/stock/{SKU}/atp")).await;
    assert_eq!(promises["waiting"], 7);
    assert_eq!(promises["steps"], json!([at_once(0), step(20, 3)]));
    let expected = async |id: &str| shop.order(id).await["lines"][0]["expected"].clone();
    let supply = |from_today| json!({"date": day(from_today), "basis": "supply"});
    assert_eq!(expected(early).await, supply(9));
    assert_eq!(expected(late).await, supply(20));
    // A channel is told of fewer.
    let rules = json!([{"channel": "meta", "buffer": 2}]);
    shop.put("/routing/rules", rules).await;
    assert_eq!(
        steps(&shop, "?channel=meta").await,
        json!([at_once(0), step(20, 1)])
    );
    // The first line comes in, but for one: what has come counts once.
    let come =
        json!({"location": "hamburg", "kind": "receive", "quantity": 5, "inbound": "PO-1-1"});
    let path = format!("/stock/{SKU}/adjustments");
    for _ in 0..2 {
        shop.post(&path, "pallet", come.to_string()).await;
    }
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    assert_eq!(stock["inbound"][0]["received"], 5);
    assert_eq!(
        shop.order(early).await["lines"][0]["units"]["backordered"],
        0
    );
    assert_eq!(
        shop.order(late).await["lines"][0]["units"]["backordered"],
        2
    );
    assert_eq!(steps(&shop, "").await, json!([at_once(0), step(20, 3)]));
    // It is later than thought, and smaller.
    let line = expect(&shop, "PO-2-1", 1, 30).await;
    assert_eq!(
        (&line["received"], &line["quantity"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(expected(late).await, supply(30), "one of each");
    // Nothing that would do is on its way: the supplier's lead time.
    expect(&shop, "PO-2-1", 0, 30).await;
    assert_eq!(expected(late).await["basis"], "lead_time");
    // What should have come is no promise.
    expect(&shop, "PO-3-1", 9, -1).await;
    let promises = shop.get(&format!("/stock/{SKU}/atp")).await;
    assert_eq!(
        (&promises["overdue"], &promises["quantity"]),
        (&json!(9), &json!(0))
    );
    shop.close().await;
}

#[tokio::test]
async fn a_purchase_line_that_cannot_be_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let refused = async |path: &str, line: Value| {
        let answer = put(&shop, path, &line).await;
        pointers(&answer)
    };
    let path = format!("/stock/{SKU}/inbound/PO-1-1");
    let line = |location: &str, quantity: i64| json!({"location": location, "quantity": quantity, "expected_on": day(1)});
    let at = |pointer: &str| vec![pointer.to_owned()];
    assert_eq!(refused(&path, line("nowhere", 1)).await, at("/location"));
    assert_eq!(refused(&path, line("hamburg", -1)).await, at("/quantity"));
    assert_eq!(
        refused(&path, line("hamburg", 100_001)).await,
        at("/quantity")
    );
    let named = format!("/stock/{SKU}/inbound/PO%231");
    assert_eq!(refused(&named, line("hamburg", 1)).await, at(""));
    let long = format!("/stock/{SKU}/inbound/{}", "x".repeat(129));
    assert_eq!(refused(&long, line("hamburg", 1)).await, at(""));
    let unknown = put(&shop, "/stock/NOTHING/inbound/PO-1-1", &line("hamburg", 1)).await;
    assert_eq!(unknown.0, 404);
    let most = put(&shop, &path, &line("hamburg", 100_000)).await;
    assert_eq!(most.0, 200);
    // Goods of a line that nobody knows, or that were only found.
    let come = async |inbound: &str, location: &str, kind: &str| {
        let come = json!({"location": location, "kind": kind, "quantity": 1, "inbound": inbound, "reason": "x"});
        let path = format!("/stock/{SKU}/adjustments");
        let answer = shop.try_post(&path, inbound, come.to_string()).await;
        pointers(&answer)
    };
    assert_eq!(come("PO-9-9", "hamburg", "receive").await, at("/inbound"));
    assert_eq!(come("PO-1-1", "hamburg", "adjust").await, at("/inbound"));
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    assert_eq!(
        (&stock["levels"], &stock["inbound"][0]["received"]),
        (&json!([]), &json!(0))
    );
    let (status, answer) = shop
        .get_as(DEMO_KEY, &format!("/stock/{SKU}/atp?date=soon"))
        .await;
    assert_eq!(status, 422, "{answer}");
    let kit = shop.get_as(DEMO_KEY, "/stock/SET-POUROVER/atp").await;
    assert_eq!(pointers(&kit), [""], "its components have stock");
    // They have come in elsewhere than was thought: a fact, that counts.
    let come = json!({"location": "newark", "kind": "receive", "quantity": 1, "inbound": "PO-1-1"});
    let path = format!("/stock/{SKU}/adjustments");
    shop.post(&path, "elsewhere", come.to_string()).await;
    let stock = shop.get(&format!("/stock/{SKU}")).await;
    assert_eq!(stock["inbound"][0]["received"], 1);
    assert_eq!(shop.level(SKU, "newark").await.on_hand, 1);
    shop.close().await;
}
