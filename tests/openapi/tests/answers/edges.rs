//! At the edge of every limit and form, the document and the API take and refuse the same.

use domain::limits::{MAX_SKU_CHARS, MAX_SUBSCRIBED_TYPES, MAX_URL_CHARS};
use openapi_tests::{Api, Call};
use serde_json::{Value, json};

/// A value in an example's body that is replaced, and whether it is taken then.
type Edge = (&'static str, Value, bool);

pub async fn run(api: &Api) {
    let units = || json!({"line": "1", "quantity": 1});
    let returned = json!({"line": "1", "quantity": 1, "disposition": "restock"});
    for (operation, example, edges) in [
        ("placeOrder", "paid", order()),
        ("cancelOrder", "unpaid", reasons()),
        ("reportFulfillment", "rejected", reasons()),
        ("reportFulfillment", "packed-short", lines(500, units())),
        ("reportFulfillment", "shipped", shipment()),
        ("announceReturn", "return", lines(45, units())),
        ("requestRefund", "units", lines(45, units())),
        ("receiveReturn", "inspected", lines(45, returned)),
        ("adjustStock", "delivery", delivery()),
        ("adjustStock", "count", count()),
        ("countStock", "seen", shelf()),
        ("sendTransfer", "sent", transfer()),
        ("receiveTransfer", "short", arrival()),
        ("reserveStock", "quote", reservation()),
        ("resolveDiscrepancy", "found", notes()),
        ("redriveParked", "some", redrive()),
        ("putWarehouses", "one", warehouse()),
        ("putProducts", "one", product()),
        ("putSuppliers", "one", supplier()),
        ("putRates", "one", rate()),
        ("putSubscriber", "erp", subscriber()),
    ] {
        for (n, (pointer, value, taken)) in edges.into_iter().enumerate() {
            let mut body = api.document.operation(operation).request_examples()[example].clone();
            replace(&mut body, pointer, value);
            check(api, operation, example, n, &body, pointer, taken).await;
        }
    }
    for operation in ["putWarehouses", "putProducts", "putSuppliers", "putRates"] {
        let one = api.document.operation(operation).request_examples()["one"].clone();
        for (many, taken) in [(100, true), (101, false)] {
            let list = Value::Array(vec![one.clone(); many]);
            check(api, operation, "list", many, &list, "", taken).await;
        }
    }
    api.expect(200, Call::of("deleteSubscriber", "")).await;
    pages(api).await;
}

fn subscriber() -> Vec<Edge> {
    let url = |length: usize| format!("https://erp.example/{:0>1$}", "", length - 20);
    let types = |count| json!(vec!["order.accepted"; count]);
    vec![
        ("/url", json!(url(MAX_URL_CHARS)), true),
        ("/url", json!(url(MAX_URL_CHARS + 1)), false),
        ("/url", json!(7), false),
        ("/event_bus", json!(true), false),
        ("/types", types(0), true),
        ("/types", types(MAX_SUBSCRIBED_TYPES), true),
        ("/types", types(MAX_SUBSCRIBED_TYPES + 1), false),
        ("/types/0", json!("order.lost"), false),
        ("/personal_data", json!("no"), false),
    ]
}

async fn check(
    api: &Api,
    operation: &'static str,
    example: &'static str,
    n: usize,
    body: &Value,
    pointer: &str,
    taken: bool,
) {
    let what: String = format!("{operation} {example} {pointer}: {body}")
        .chars()
        .take(2000)
        .collect();
    assert_eq!(
        api.describes(operation, body),
        taken,
        "the document, {what}"
    );
    let name = format!("edge-{example}-{n}");
    let mut call = Call::of(operation, example).body(body.to_string());
    // Only what makes something new each time needs another name.
    let named = [
        "placeOrder",
        "adjustStock",
        "countStock",
        "sendTransfer",
        "reserveStock",
    ];
    if named.contains(&operation) {
        call = call.with("Idempotency-Key", name.as_str());
    }
    let answer = api.send(call).await;
    assert_eq!(
        answer.status < 300,
        taken,
        "the API, {what}: {}",
        answer.body
    );
    assert!(taken || answer.status == 422, "{what}: {}", answer.body);
}

fn replace(body: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Array(values) => values[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
}

fn long(characters: usize) -> Value {
    "n".repeat(characters).into()
}

fn email(characters: usize) -> Value {
    format!("{}@example.com", "e".repeat(characters - 12)).into()
}

/// A text between two lengths.
fn between(pointer: &'static str, least: usize, most: usize) -> Vec<Edge> {
    let mut edges = vec![
        (pointer, long(most), true),
        (pointer, long(most + 1), false),
    ];
    if least > 0 {
        edges.push((pointer, json!(""), false));
    }
    edges
}

fn reservation() -> Vec<Edge> {
    let line = json!({"sku": "FLT-PAPER-100", "quantity": 1, "location": "hamburg"});
    let several = |n: usize| Value::Array(vec![line.clone(); n]);
    vec![
        ("/lines", several(20), true),
        ("/lines", several(21), false),
        ("/lines", several(0), false),
        ("/lines/0/quantity", json!(0), false),
        ("/lines/0/quantity", json!(100_001), false),
        ("/expires_in_s", json!(1), true),
        ("/expires_in_s", json!(0), false),
        ("/expires_in_s", json!(2_592_000), true),
        ("/expires_in_s", json!(2_592_001), false),
        ("/country", json!("de"), false),
    ]
}

fn order() -> Vec<Edge> {
    let line = |n: usize| json!({"id": n.to_string(), "sku": "FLT-PAPER-100", "quantity": 1, "unit_price": "4.20"});
    let several = |n: usize| Value::Array((0..n).map(line).collect());
    let mut edges = vec![
        ("/number", json!(9_007_199_254_740_992_u64), true),
        ("/number", json!(9_007_199_254_740_993_u64), false),
        ("/reservation", long(128), true),
        ("/reservation", long(129), false),
        ("/reservation", json!(""), false),
        ("/lines", several(500), true),
        ("/lines", several(501), false),
        ("/lines", several(0), false),
        ("/lines/0/sku", json!("A#B"), false),
        ("/lines/0/sku", json!("A\nB"), false),
        ("/lines/0/quantity", json!(100_000), true),
        ("/lines/0/quantity", json!(100_001), false),
        ("/lines/0/quantity", json!(0), false),
        ("/lines/0/quantity", json!(1.0005), false),
        ("/lines/0/quantity", json!("1.0"), true),
        ("/lines/0/quantity", json!("1.0005"), false),
        ("/lines/0/quantity", json!("one"), false),
        ("/lines/0/unit_price", json!(89), true),
        ("/lines/0/unit_price", json!("-1.00"), false),
        ("/lines/0/unit_price", json!("1e2"), false),
        ("/lines/0/unit_price", json!("89,00"), false),
        ("/lines/0/price", json!("89.00"), false),
        ("/customer/email", email(254), true),
        ("/customer/email", email(255), false),
        ("/customer/email", json!("nobody"), false),
        ("/shipping_address/latitude", json!(90), true),
        ("/shipping_address/latitude", json!(90.5), false),
        ("/shipping_address/longitude", json!(-180), true),
        ("/shipping_address/longitude", json!(-180.5), false),
        ("/shipping_address/country", json!("de"), false),
        (
            "/shipping_address",
            json!({"name": "A", "line1": "B", "city": "C"}),
            false,
        ),
        (
            "/shipping_address",
            json!({"name": "A", "line1": "B", "city": "C", "country": "DE", "latitude": 1}),
            false,
        ),
        ("/payment/status", json!("authorised"), true),
        ("/payment/status", json!("free"), false),
        ("/payment", json!({}), false),
        ("/currency", json!("eur"), false),
        ("/taxes_included", json!("yes"), false),
        ("/placed_at", json!("2026-11-23T09:30:00+01:00"), true),
        ("/placed_at", json!("2026-11-23"), false),
        ("/deliver_by", json!("2026-12-24"), true),
        ("/deliver_by", json!("2026-02-30"), false),
        ("/surprise", json!(1), false),
    ];
    edges.extend(between("/number", 1, 128));
    edges.extend(between("/lines/0/id", 1, 128));
    edges.extend(between("/lines/0/sku", 1, 64));
    edges.extend(between("/lines/0/title", 0, 150));
    edges.extend(between("/customer/phone", 0, 128));
    for field in [
        "name",
        "company",
        "line1",
        "line2",
        "city",
        "region",
        "postal_code",
    ] {
        let pointer: &'static str = format!("/shipping_address/{field}").leak();
        edges.extend(between(pointer, 0, 500));
    }
    edges
}

fn reasons() -> Vec<Edge> {
    between("/reason", 1, 500)
}

fn shipment() -> Vec<Edge> {
    let carrier = between("/carrier", 1, 128);
    carrier
        .into_iter()
        .chain(between("/tracking_number", 1, 128))
        .collect()
}

/// Lists of lines like the one that the example has.
fn lines(most: usize, one: Value) -> Vec<Edge> {
    let several = |n: usize| Value::Array(vec![one.clone(); n]);
    vec![
        ("/lines", several(most), true),
        ("/lines", several(most + 1), false),
    ]
}

fn delivery() -> Vec<Edge> {
    let mut edges = between("/reason", 0, 500);
    edges.extend([
        ("/quantity", json!(100_000), true),
        ("/quantity", json!(100_001), false),
        ("/quantity", json!(0), false),
        ("/kind", json!("ship"), false),
    ]);
    edges
}

fn count() -> Vec<Edge> {
    let mut edges = between("/reason", 1, 500);
    edges.extend([
        ("/quantity", json!(100_000), true),
        ("/quantity", json!(-100_000), true),
        ("/quantity", json!(100_001), false),
        ("/quantity", json!(-100_001), false),
        ("/quantity", json!(0), false),
        ("/reason", json!(" "), false),
    ]);
    edges
}

fn shelf() -> Vec<Edge> {
    let mut edges = between("/reason", 0, 500);
    edges.extend([
        ("/found", json!(0), true),
        ("/found", json!(-1), false),
        ("/found", json!(1_000_000_000), true),
        ("/found", json!(1_000_000_001), false),
        ("/expected", json!(-1_000_000_000), true),
        ("/expected", json!(-1_000_000_001), false),
        ("/expected", json!(1_000_000_000), true),
        ("/expected", json!(1_000_000_001), false),
        ("/expected", Value::Null, true),
        ("/quantity", json!(1), false),
    ]);
    edges
}

fn transfer() -> Vec<Edge> {
    let mut edges = between("/reason", 0, 500);
    edges.extend([
        ("/quantity", json!(100_000), true),
        ("/quantity", json!(100_001), false),
        ("/quantity", json!(0), false),
        ("/expected_on", json!("2026-02-30"), false),
        ("/expected_on", Value::Null, true),
    ]);
    edges
}

/// The transfer is received, so that only the number that was said is taken.
fn arrival() -> Vec<Edge> {
    vec![
        ("/quantity", json!(2), true),
        ("/quantity", json!(-1), false),
        ("/quantity", json!(100_001), false),
        ("/quantity", json!("2"), true),
        ("/quantity", json!("2.0005"), false),
    ]
}

fn notes() -> Vec<Edge> {
    let mut edges = between("/note", 1, 500);
    edges.push(("/note", json!(" "), false));
    edges
}

fn redrive() -> Vec<Edge> {
    let mut edges = between("/ids/0", 1, 128);
    edges.extend([
        ("/ids", json!(vec!["m"; 200]), true),
        ("/ids", json!(vec!["m"; 201]), false),
        ("/ids", json!([]), false),
        ("/ids", json!("m"), false),
        ("/step", json!("ship-order"), false),
        ("/all", json!(true), false),
    ]);
    edges
}

fn warehouse() -> Vec<Edge> {
    let mut edges = between("/id", 1, 128);
    edges.extend(between("/name", 1, 128));
    edges.extend([
        ("/id", json!("two words"), false),
        ("/country", json!("de"), false),
        ("/serves", json!(["DE", "AT"]), true),
        ("/serves", json!(["DE", "at"]), false),
        ("/serves", json!(vec!["DE"; 300]), true),
        ("/serves", json!(vec!["DE"; 301]), false),
        ("/latitude", json!(-90.5), false),
        ("/longitude", json!(180.5), false),
        ("/email", json!("nobody"), false),
        ("/email", json!("no body@example.com"), false),
        ("/email", email(254), true),
        ("/email", email(255), false),
        ("/cut_off", json!("noon"), false),
        ("/currency", json!("eur"), false),
    ]);
    edges
}

fn product() -> Vec<Edge> {
    let mut edges = between("/sku", 1, 64);
    edges.extend(between("/title", 1, 150));
    edges.extend(between("/supplier", 1, 128));
    edges.extend([
        ("/sku", json!("A#B"), false),
        ("/weight_g", json!(4_294_967_295_u64), true),
        ("/weight_g", json!(4_294_967_296_u64), false),
        ("/weight_g", json!(-1), false),
        ("/color", json!("blue"), false),
    ]);
    edges
}

fn supplier() -> Vec<Edge> {
    let mut edges = between("/id", 1, 128);
    edges.extend(between("/name", 1, 128));
    edges.extend([
        ("/email", json!("nobody"), false),
        ("/email", email(255), false),
    ]);
    edges
}

fn rate() -> Vec<Edge> {
    let mut edges = between("/id", 1, 128);
    edges.extend(between("/carrier", 1, 128));
    edges.extend(between("/service", 1, 128));
    edges.extend(between("/from", 1, 128));
    let band = json!({"max_weight_g": 1000, "price": 490});
    edges.extend([
        ("/to", json!(["de"]), false),
        ("/transit_days", json!(260), true),
        ("/transit_days", json!(261), false),
        ("/to", json!(vec!["DE"; 300]), true),
        ("/to", json!(vec!["DE"; 301]), false),
        ("/bands", json!([]), false),
        ("/bands", Value::Array(vec![band.clone(); 300]), true),
        ("/bands", Value::Array(vec![band; 301]), false),
        ("/bands/0/price", json!(-1), false),
        ("/bands/2/price", json!(1_000_000_000_000_u64), true),
        ("/bands/0/price", json!(1_000_000_000_001_u64), false),
    ]);
    edges
}

/// A page of products ends, and the next one goes on behind it.
async fn pages(api: &Api) {
    let one = api.document.operation("putProducts").request_examples()["one"].clone();
    let product = |n: usize| {
        let mut product = one.clone();
        product["sku"] = json!(format!("PAGE-{n}"));
        product
    };
    let many = Value::Array((0..100).map(product).collect());
    api.expect(200, Call::of("putProducts", "list").body(many.to_string()))
        .await;
    let (mut after, mut seen) = (None::<String>, 0);
    loop {
        let page = Call::of("listProducts", "").with("after", after.as_deref());
        let page = api.expect(200, page).await;
        seen += page["products"].as_array().unwrap().len();
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    assert!(seen > 100 && after.is_some(), "{seen}");
    let longest = "A".repeat(MAX_SKU_CHARS);
    for (after, status) in [(&longest, 200), (&format!("{longest}A"), 422)] {
        for list in ["listProducts", "listListings"] {
            let page = Call::of(list, "").with("after", after.as_str());
            api.expect(status, page).await;
        }
    }
}
