//! Every refusal that the document describes.

use domain::OrderId;
use domain::limits::{MAX_BODY_BYTES, MAX_SUBSCRIBERS, RETURN_WINDOW_DAYS};
use domain::{Event, Order};
use jiff::{Timestamp, ToSpan};
use local::seed;
use openapi_tests::{Api, Call, OPERATOR, Operation, READER, STRANGER};
use serde_json::{Value, json};
use store::StoreError;

pub async fn run(api: &Api) {
    for operation in api.document.operations() {
        keys(api, operation).await;
        paths(api, operation).await;
        bodies(api, operation).await;
    }
    names(api).await;
    queries(api).await;
    states(api).await;
    amounts(api).await;
    window(api).await;
    provider(api).await;
}

/// An example of an operation that has worked.
fn any(operation: Operation<'_>) -> &str {
    operation
        .request_examples()
        .into_keys()
        .next()
        .unwrap_or("")
}

/// Expects a problem of a type.
async fn refused(api: &Api, status: u16, kind: &str, call: Call<'_>) -> Value {
    let problem = api.expect(status, call).await;
    assert_eq!(problem["type"], format!("urn:waybill:problem:{kind}"));
    problem
}

async fn keys(api: &Api, operation: Operation<'_>) {
    let (id, roles) = (operation.id(), operation.roles());
    let call = || Call::of(id, any(operation));
    if roles.is_empty() {
        for (parameter, value) in [("X-Shopify-Hmac-Sha256", "bm9uZQ=="), ("account", "nobody")] {
            let call = call().with(parameter, value);
            refused(api, 401, "bad-signature", call).await;
        }
        return;
    }
    for nobody in [None, Some("no-such-key")] {
        refused(api, 401, "unauthorised", call().by(nobody)).await;
    }
    for (key, allowed) in [
        (OPERATOR, roles.contains(&"operator")),
        (READER, roles.contains(&"reader")),
        // Nothing in the examples is in its location.
        (STRANGER, false),
    ] {
        if allowed {
            let answer = api.send(call().by(Some(key))).await;
            assert!(
                ![401, 403].contains(&answer.status),
                "{id}: {}",
                answer.body
            );
        } else {
            refused(api, 403, "forbidden", call().by(Some(key))).await;
        }
    }
}

/// What the path names does not exist.
async fn paths(api: &Api, operation: Operation<'_>) {
    let (id, example) = (operation.id(), any(operation));
    if !operation
        .answers()
        .iter()
        .any(|(status, ..)| *status == "404")
    {
        return;
    }
    let kind = operation.path.split('/').nth(1).unwrap();
    let (name, unknown): (_, &[&str]) = match kind {
        "orders" => ("id", &["AAAAAAAAAAAAAAAA", "2101"]),
        "returns" => ("id", &["AAAAAAAAAAAAAAAA-R1", "COFUGAD6MUUGAC6Z-R9"]),
        "refunds" => ("id", &["AAAAAAAAAAAAAAAA-F1", "COFUGAD6MUUGAC6Z-F9"]),
        "fulfillments" => ("id", &["AAAAAAAAAAAAAAAA-1", "COFUGAD6MUUGAC6Z-9"]),
        "stock" if operation.path.starts_with("/stock/discrepancies") => {
            ("id", &["AAAAAAAAAAAAAAAA"])
        }
        "reservations" => ("id", &["AAAAAAAAAAAAAAAA"]),
        "subscribers" => ("id", &["nobody", "no/body"]),
        "listings" => ("channel", &["nobody", "generic"]),
        _ => ("sku", &["NO-SUCH-SKU"]),
    };
    for unknown in unknown {
        refused(
            api,
            404,
            "not-found",
            Call::of(id, example).with(name, *unknown),
        )
        .await;
    }
}

/// Bodies that no operation takes.
async fn bodies(api: &Api, operation: Operation<'_>) {
    let (id, example) = (operation.id(), any(operation));
    if operation.request_schema().is_none() {
        return;
    }
    let large = Call::of(id, example).body(vec![b' '; MAX_BODY_BYTES + 1]);
    refused(api, 413, "too-large", large).await;
    // What is signed and unreadable is kept for a person.
    if id == "receiveWebhook" {
        let answer = api.expect(200, Call::of(id, example).body("{")).await;
        assert_eq!(answer, json!({"status": "kept"}));
        return;
    }
    refused(api, 400, "bad-json", Call::of(id, example).body("{\"")).await;
    let unknown = Call::of(id, example).body(r#"{"surprise": 1}"#);
    let problem = refused(api, 422, "invalid", unknown).await;
    assert!(
        problem["errors"]
            .as_array()
            .is_some_and(|errors| !errors.is_empty())
    );
}

/// Idempotency keys that are missing or used up.
async fn names(api: &Api) {
    let header = "Idempotency-Key";
    for operation in api.document.operations() {
        let needed = operation.parameters().iter().any(|p| p["name"] == header);
        if needed {
            let call = || Call::of(operation.id(), any(operation));
            refused(api, 400, "no-idempotency-key", call().with(header, None)).await;
            let long = "k".repeat(129);
            refused(api, 422, "invalid", call().with(header, long.as_str())).await;
        }
    }
    let perhaps = Call::of("placeOrder", "paid").with("dry_run", "perhaps");
    refused(api, 422, "invalid", perhaps).await;
    let other = Call::of("placeOrder", "paid").with(header, "web-2102");
    refused(api, 422, "idempotency-key-reused", other).await;
    let other = Call::of("reserveStock", "quote").with(header, "cart-2104");
    refused(api, 422, "idempotency-key-reused", other).await;
    for (operation, example) in [
        ("adjustStock", "count"),
        ("countStock", "now"),
        ("sendTransfer", "sent"),
    ] {
        let other = Call::of(operation, example).with(header, "delivery-0815");
        refused(api, 422, "idempotency-key-reused", other).await;
    }
}

async fn queries(api: &Api) {
    for name in ["channel", "number"] {
        refused(
            api,
            422,
            "invalid",
            Call::of("findOrders", "").with(name, None),
        )
        .await;
    }
    for (name, value) in [("limit", "0"), ("limit", "201"), ("step", "pack-order")] {
        let call = Call::of("listParked", "").with(name, value);
        refused(api, 422, "invalid", call).await;
    }
    let soon = Call::of("promiseStock", "").with("date", "soon");
    api.expect(422, soon).await;
    let before = Call::of("explainStock", "").with("before", "2.20.0");
    api.expect(422, before).await;
    let after = Call::of("listEvents", "paid").with("after", "soon");
    refused(api, 422, "invalid", after).await;
    let report = Call::of("reportFulfillment", "packed").with("report", "lost");
    refused(api, 404, "not-found", report).await;
    let after = Call::of("listDiscrepancies", "").with("after", "soon");
    refused(api, 422, "invalid", after).await;
    let erp = Call::of("putSubscriber", "erp").with("id", "no/body");
    let problem = refused(api, 422, "invalid", erp).await;
    assert_eq!(problem["errors"][0]["pointer"], "/id");
    api.expect(200, Call::of("putSubscriber", "erp")).await;
    let before = Call::of("listDeliveries", "erp").with("before", "");
    refused(api, 422, "invalid", before).await;
    for url in ["http://erp.example/", "https://10.0.0.1/", "erp", ""] {
        let body = json!({"url": url}).to_string();
        let call = Call::of("putSubscriber", "erp").body(body);
        let problem = refused(api, 422, "invalid", call).await;
        assert_eq!(problem["errors"][0]["pointer"], "/url", "{url}");
    }
    let replay = |from: Value| {
        let body = json!({"from": from}).to_string();
        Call::of("replayEvents", "all").with("id", "erp").body(body)
    };
    let event = |order: &str, sequence: u64| json!({"order": order, "sequence": sequence});
    let accepted = "COFUGAD6MUUGAC6Z";
    for (from, pointer) in [
        (json!("soon"), "/from"),
        (json!("9999-01-01T00:00:00Z"), "/from"),
        (json!({"order": accepted}), "/from"),
        (event("AAAAAAAAAAAAAAAA", 1), "/from/order"),
        (event("2101", 1), "/from/order"),
        (event(accepted, 0), "/from/sequence"),
        (event(accepted, 9_999), "/from/sequence"),
    ] {
        let problem = refused(api, 422, "invalid", replay(from)).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let off = json!({"url": "https://erp.example/", "enabled": false}).to_string();
    let off = Call::of("putSubscriber", "erp").body(off);
    api.expect(200, off).await;
    let now = json!("2026-01-01T00:00:00Z");
    refused(api, 422, "invalid", replay(now)).await;
    // As many as there may be, and one more; one that is there can still be changed.
    for n in 1..=MAX_SUBSCRIBERS {
        let id = format!("erp-{n}");
        let call = Call::of("putSubscriber", "everything").with("id", id.as_str());
        match n < MAX_SUBSCRIBERS {
            true => drop(api.expect(200, call).await),
            false => drop(refused(api, 422, "invalid", call).await),
        }
    }
    api.expect(200, Call::of("putSubscriber", "erp")).await;
    for n in 0..MAX_SUBSCRIBERS {
        let id = if n == 0 {
            "erp".to_owned()
        } else {
            format!("erp-{n}")
        };
        api.expect(
            200,
            Call::of("deleteSubscriber", "").with("id", id.as_str()),
        )
        .await;
    }
    let transfer = |from, to| json!({"from": from, "to": to, "quantity": 1});
    for (operation, body, wrong) in [
        (
            "adjustStock",
            json!({"location": "nowhere", "kind": "receive", "quantity": 1}),
            "/location",
        ),
        (
            "countStock",
            json!({"location": "nowhere", "found": 1}),
            "/location",
        ),
        ("sendTransfer", transfer("nowhere", "newark"), "/from"),
        ("sendTransfer", transfer("newark", "nowhere"), "/to"),
        ("sendTransfer", transfer("newark", "newark"), "/to"),
    ] {
        let call = Call::of(operation, any(api.document.operation(operation)));
        let call = call.with("Idempotency-Key", "nowhere");
        let problem = refused(api, 422, "invalid", call.body(body.to_string())).await;
        assert_eq!(problem["errors"][0]["pointer"], wrong, "{operation}");
    }
}

async fn states(api: &Api) {
    for call in [
        Call::of("extendReservation", "cart"),
        Call::of("releaseReservation", "cart"),
    ] {
        refused(api, 409, "wrong-state", call).await;
    }
    let wanted = |units: u32| {
        let line = json!({"sku": "GRD-HAND-40", "quantity": units, "location": "hamburg"});
        let body = json!({"lines": [line], "expires_in_s": 60}).to_string();
        let call = Call::of("reserveStock", "cart").body(body);
        call.with("Idempotency-Key", "too-many")
    };
    let problem = refused(api, 409, "too-much", wanted(100_000)).await;
    assert_eq!(problem["errors"][0]["pointer"], "/lines/0");
    let more = Call::of("receiveTransfer", "short").body(r#"{"quantity": 3}"#);
    refused(api, 409, "wrong-state", more).await;
    refused(api, 409, "wrong-state", Call::of("cancelOrder", "paid")).await;
    let late = Call::of("reportFulfillment", "rejected").with("id", "COFUGAD6MUUGAC6Z-1");
    refused(api, 409, "wrong-state", late).await;
    let mut test = api.document.operation("placeOrder").request_examples()["paid"].clone();
    test["test"] = json!(true);
    let test = Call::of("placeOrder", "paid").body(test.to_string());
    let receipt = api
        .expect(201, test.with("Idempotency-Key", "test-1"))
        .await;
    let id = receipt["id"].as_str().unwrap();
    let release = Call::of("releaseHold", "")
        .with("id", id)
        .with("hold", "test");
    refused(api, 409, "wrong-state", release).await;
    let forgotten = Call::of("resolveUntold", "")
        .with("id", id)
        .with("resolution", "forgotten");
    refused(api, 404, "not-found", forgotten).await;
}

async fn amounts(api: &Api) {
    // An order of its own, allocated.
    let order = Call::of("placeOrder", "split").with("Idempotency-Key", "amounts");
    let receipt = api.expect(201, order).await;
    let id = receipt["id"].as_str().unwrap();
    let fulfillment = format!("{id}-1");
    let packed = |quantity: u32| {
        let body = json!({"lines": [{"line": "1", "quantity": quantity}]});
        let call = Call::of("reportFulfillment", "packed").with("id", fulfillment.as_str());
        call.body(body.to_string())
    };
    refused(api, 409, "too-much", packed(3)).await;
    refused(api, 422, "nothing-to-do", packed(0)).await;
    api.expect(200, packed(2)).await;

    let lines = |operation, name, quantity: u32| {
        let body = json!({"lines": [{"line": "1", "quantity": quantity}]});
        let call = Call::of(operation, "")
            .with("id", id)
            .with("Idempotency-Key", name);
        call.body(body.to_string())
    };
    for operation in ["announceReturn", "requestRefund"] {
        refused(api, 409, "too-much", lines(operation, "too-much", 3)).await;
        refused(api, 422, "nothing-to-do", lines(operation, "nothing", 0)).await;
    }
    api.expect(201, lines("announceReturn", "one", 1)).await;
    let returned = format!("{id}-R1");
    let received = |quantity: u32| {
        let line = json!({"line": "1", "quantity": quantity, "disposition": "scrap"});
        let call = Call::of("receiveReturn", "").with("id", returned.as_str());
        call.body(json!({"lines": [line]}).to_string())
    };
    refused(api, 409, "too-much", received(3)).await;
    refused(api, 422, "nothing-to-do", received(0)).await;
}

/// Time cannot be passed, so the parcels of the order are sent earlier.
async fn window(api: &Api) {
    let store = seed::store(&api.cloud, "test").unwrap();
    let id = OrderId::parse("SBMBQWLQQKMIKHIJ").unwrap();
    let now = Timestamp::now();
    let long_ago = now - (RETURN_WINDOW_DAYS * 24 + 1).hours();
    let age = |order: &Order| {
        let aged = order.advance(now, Event::StockMoved(0), |next| {
            for fulfillment in &mut next.fulfillments {
                fulfillment.shipped_at = fulfillment.shipped_at.map(|_| long_ago);
            }
        });
        Ok::<_, StoreError>(Some(aged))
    };
    store.drive(&id, None, age).await.unwrap();
    let late = Call::of("announceReturn", "return").with("id", id.as_str());
    refused(
        api,
        409,
        "window-closed",
        late.with("Idempotency-Key", "late"),
    )
    .await;
}

/// A payment provider that is not asked, since its address is none to be asked at: that is a refusal.
async fn provider(api: &Api) {
    let access = r#"{"url": "http://pay.example", "key": "k"}"#;
    let added = seed::add_access(&api.cloud, "stripe", "main", access).await;
    added.unwrap();
    let mut order = api.document.operation("placeOrder").request_examples()["paid"].clone();
    for (name, value) in [
        ("provider", "stripe"),
        ("account", "main"),
        ("reference", "pi_1"),
    ] {
        order["payment"][name] = json!(value);
    }
    let order = Call::of("placeOrder", "paid").body(order.to_string());
    let order = order.with("Idempotency-Key", "through");
    let id = api.expect(201, order).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let wish = Call::of("requestRefund", "appeasement").with("id", id.as_str());
    api.expect(201, wish).await;
    let refund = format!("{id}-F1");
    let of_refund = |operation| Call::of(operation, "").with("id", refund.as_str());
    let order = api.expect(200, of_refund("repeatRefund")).await;
    assert_eq!(order["payment"]["reference"], "pi_1");
    let shown = Call::of("getOrder", "paid").with("id", id.as_str());
    let order = api.expect(200, shown).await;
    assert_eq!(order["refunds"][0]["status"], "refused");
    assert!(order["refunds"][0]["reason"].is_string());
    // As if nobody had been told that it is to be asked again.
    let store = seed::store(&api.cloud, "test").unwrap();
    let again = |order: &Order| {
        let again = domain::refund::repeat(order, 1, Timestamp::now());
        Ok::<_, StoreError>(again.unwrap())
    };
    let id = OrderId::parse(&id).unwrap();
    store.drive(&id, None, again).await.unwrap();
    refused(api, 409, "wrong-state", of_refund("confirmRefund")).await;
    refused(api, 409, "wrong-state", Call::of("repeatRefund", "")).await;
}
