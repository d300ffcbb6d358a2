//! The journey of the document's introduction, by its examples alone.

use domain::OrderId;
use domain::delivery::{Attempt, Outcome};
use jiff::Timestamp;
use local::seed;
use local::seed::add_account;
use local::services::sqs::Outgoing;
use openapi_tests::{Api, Call, READER};
use serde_json::{Value, json};

pub async fn run(api: &Api) {
    catalogue(api).await;
    listed(api).await;
    paid(api).await;
    split(api).await;
    measured(api).await;
    unpaid(api).await;
    stock(api).await;
    reserved(api).await;
    parked(api).await;
    let rehearsed = api.expect(200, Call::of("rehearseRouting", "closed")).await;
    assert!(rehearsed["orders"].as_u64() >= Some(2), "{rehearsed}");
    assert!(
        rehearsed["sent_otherwise"].as_u64() >= Some(1),
        "{rehearsed}"
    );
    let cheaper = Call::of("rehearseRouting", "cheaper").accepting("image/svg+xml");
    let picture = api.expect(200, cheaper).await;
    assert!(picture.as_str().unwrap().starts_with("<svg"), "{picture}");
    api.expect(200, Call::of("receiveWebhook", "order")).await;
    let other = Call::of("receiveWebhook", "order").with("X-Shopify-Topic", "orders/edited");
    assert_eq!(api.expect(200, other).await, json!({"status": "kept"}));
    greeted(api).await;
    add_account(&api.cloud, "bigcommerce", "demo", "agreed")
        .await
        .unwrap();
    let word = Call::of("receiveWebhook", "order")
        .with("channel", "bigcommerce")
        .with("X-Webhook-Secret", "agreed")
        .body(r#"{"scope":"store/order/updated","data":{"type":"order","id":7}}"#);
    assert_eq!(api.expect(200, word).await, json!({"status": "noted"}));
    subscribed(api).await;
}

/// Nobody is told of anything here: there are no such servers.
async fn subscribed(api: &Api) {
    for name in ["erp", "everything"] {
        let stored = api.expect(200, Call::of("putSubscriber", name)).await;
        assert!(stored["secret"].is_string(), "{stored}");
        let mut known = api.expect(200, Call::of("getSubscriber", name)).await;
        known["secret"] = stored["secret"].clone();
        assert_eq!(known, stored);
    }
    let bus = api
        .expect(200, Call::of("putSubscriber", "event_bus"))
        .await;
    assert_eq!(bus["event_bus"], true);
    let known = api.expect(200, Call::of("listSubscribers", "")).await;
    assert_eq!(known["subscribers"].as_array().unwrap().len(), 3);
    let store = seed::store(&api.cloud, "test").unwrap();
    let id = OrderId::parse("COFUGAD6MUUGAC6Z").unwrap();
    let attempt = Attempt {
        subscriber: "erp".into(),
        event: format!("{id}-E1"),
        at: Timestamp::now(),
        attempt: 1,
        outcome: Outcome::Failed,
        status: None,
        error: Some("nobody there".into()),
        duration_ms: 3,
    };
    store.log_attempts(&id, &[attempt]).await.unwrap();
    let log = api.expect(200, Call::of("listDeliveries", "erp")).await;
    assert_eq!(log["deliveries"][0]["outcome"], "failed");
    assert_eq!(
        (&log["deliveries"][1], &log["next"]),
        (&Value::Null, &Value::Null)
    );
    let none = api.expect(200, Call::of("listReplays", "erp")).await;
    assert_eq!(none["replays"], json!([]));
    let asked = api.expect(202, Call::of("replayEvents", "all")).await;
    let known = api.expect(200, Call::of("listReplays", "erp")).await;
    assert_eq!(known["replays"], json!([asked]));
    let one = Call::of("replayEvents", "order");
    assert_eq!(api.expect(202, one).await["sequence"], 1);
    for name in ["erp", "event_bus", "everything"] {
        api.expect(200, Call::of("deleteSubscriber", name)).await;
    }
}

/// Channels that ask whether anybody listens.
async fn greeted(api: &Api) {
    for (channel, secret) in [
        ("meta", r#"{"key":"k","verify_token":"t"}"#),
        ("ebay", r#"{"token":"t"}"#),
        ("woocommerce", "secret"),
    ] {
        add_account(&api.cloud, channel, "demo", secret)
            .await
            .unwrap();
    }
    let ask = |channel| {
        Call::of("greetChannel", "")
            .with("channel", channel)
            .by(None)
    };
    let meta = ask("meta")
        .with("hub.mode", "subscribe")
        .with("hub.challenge", "4711");
    let known = meta.with("hub.verify_token", "t");
    assert_eq!(api.expect(200, known).await, json!("4711"));
    let ebay = ask("ebay").with("challenge_code", "c");
    let answer = api.expect(200, ebay).await;
    assert_eq!(answer["challengeResponse"].as_str().unwrap().len(), 64);
    api.expect(401, ask("shopify")).await;
}

async fn catalogue(api: &Api) {
    for (put, list, field) in [
        ("putWarehouses", "listWarehouses", "warehouses"),
        ("putSuppliers", "listSuppliers", "suppliers"),
        ("putProducts", "listProducts", "products"),
        ("putRates", "listRates", "rates"),
        ("putRoutingRules", "listRoutingRules", "rules"),
    ] {
        let examples = api.document.operation(put).request_examples();
        for name in ["one", "list"] {
            assert_eq!(
                api.expect(200, Call::of(put, name)).await,
                json!({"stored": 1})
            );
            let known = api.expect(200, Call::of(list, "")).await;
            let known = known[field].as_array().unwrap();
            let entered = match examples[name] {
                Value::Array(several) => &several[0],
                one => one,
            };
            assert!(known.contains(entered), "{put} {name}: {known:#?}");
        }
    }
}

/// What an account lists, before its channel was told of any of it.
async fn listed(api: &Api) {
    for name in ["one", "list"] {
        let stored = api.expect(200, Call::of("putListings", name)).await;
        assert_eq!(stored, json!({"stored": 1}));
    }
    let listed = api.expect(200, Call::of("listListings", "")).await;
    let kettle = json!([{"sku": "KTL-COPPER-12", "told": null}]);
    assert_eq!(listed["listings"], kettle);
    let deleted = api.expect(200, Call::of("deleteListing", "")).await;
    assert_eq!(deleted, json!({"deleted": "KTL-COPPER-12"}));
}

async fn paid(api: &Api) {
    let look = || Call::of("placeOrder", "paid").with("dry_run", "true");
    let looked = api.expect(200, look()).await;
    assert_eq!(
        (&looked["known"], &looked["holds"]),
        (&json!(false), &json!([]))
    );
    let receipt = api.expect(201, Call::of("placeOrder", "paid")).await;
    assert_eq!(looked["order"], receipt);
    assert_eq!(api.expect(200, look()).await["known"], true);
    let documented = api.document.operation("placeOrder");
    let documented = &documented.value()["responses"]["201"]["content"]["application/json"];
    assert_eq!(receipt, documented["examples"]["paid"]["value"]);
    let again = api.expect(201, Call::of("placeOrder", "paid")).await;
    assert_eq!(again, receipt);

    let order = api.expect(200, Call::of("getOrder", "paid")).await;
    assert_eq!(order["status"], "allocated");
    assert_eq!(order["fulfillments"][0]["location"], "hamburg");
    assert_eq!(order["customer"]["email"], "mira.albrecht@example.com");
    let order = api
        .expect(200, Call::of("getOrder", "paid").by(Some(READER)))
        .await;
    assert!(order.get("customer").is_none());
    let found = api.expect(200, Call::of("findOrders", "")).await;
    assert_eq!(found["orders"][0], order);

    api.expect(200, Call::of("reportFulfillment", "accepted"))
        .await;
    let packed = api
        .expect(200, Call::of("reportFulfillment", "packed"))
        .await;
    assert_eq!(packed["status"], "packed");
    let order = api.expect(200, Call::of("getOrder", "paid")).await;
    assert_eq!(order["status"], "shipped");
    assert!(order["fulfillments"][0]["parcel"]["label"].is_string());
    let delivered = api
        .expect(200, Call::of("reportFulfillment", "delivered"))
        .await;
    assert_eq!(delivered["status"], "delivered");

    let noted = api.expect(201, Call::of("announceReturn", "return")).await;
    assert_eq!(noted["id"], "COFUGAD6MUUGAC6Z-R1");
    let order = api
        .expect(200, Call::of("receiveReturn", "inspected"))
        .await;
    assert_eq!(order["refunds"][0]["id"], "COFUGAD6MUUGAC6Z-F1");
    let order = api.expect(200, Call::of("getOrder", "paid")).await;
    assert_eq!(order["refunds"][0]["status"], "awaiting_confirmation");
    let order = api.expect(200, Call::of("confirmRefund", "")).await;
    assert_eq!(order["payment_status"], "partially_refunded");
    assert_eq!(order["refunded"], order["lines"][0]["total"]);

    let noted = api.expect(201, Call::of("requestRefund", "units")).await;
    assert_eq!(noted["id"], "COFUGAD6MUUGAC6Z-F2");
    let noted = api
        .expect(201, Call::of("requestRefund", "appeasement"))
        .await;
    assert_eq!(noted["order"]["refunds"][2]["amount"], "5.00");
    api.expect(201, Call::of("announceReturn", "another")).await;
    let order = api.expect(200, Call::of("cancelReturn", "")).await;
    assert_eq!(order["returns"][1]["status"], "cancelled");
    // It is sent all the same.
    api.expect(200, Call::of("receiveReturn", "all")).await;

    let routing = api.expect(200, Call::of("explainRouting", "paid")).await;
    let decision = &routing["decisions"][0];
    assert_eq!(decision["considered"][0]["location"], "hamburg");
    assert_eq!(decision["considered"][0]["verdict"], "sends");

    let all = api.expect(200, Call::of("listEvents", "paid")).await;
    let all = all["events"].as_array().unwrap();
    let rest = api
        .expect(200, Call::of("listEvents", "paid").with("after", "3"))
        .await;
    assert_eq!(rest["events"].as_array().unwrap(), &all[3..]);
}

async fn split(api: &Api) {
    api.expect(201, Call::of("placeOrder", "split")).await;
    let status = async |n: usize| {
        let order = api.expect(200, Call::of("getOrder", "split")).await;
        order["fulfillments"][n - 1]["status"]
            .as_str()
            .unwrap_or("missing")
            .to_owned()
    };
    let rejected = api
        .expect(200, Call::of("reportFulfillment", "rejected"))
        .await;
    assert_eq!(rejected["status"], "rejected");
    assert_eq!(status(2).await, "released");
    let packed = api
        .expect(200, Call::of("reportFulfillment", "packed-short"))
        .await;
    assert_eq!(packed["lines"][0]["quantity"], 1);
    assert_eq!(status(2).await, "shipped");
    assert_eq!(status(3).await, "released");
    let shipped = api
        .expect(200, Call::of("reportFulfillment", "shipped"))
        .await;
    assert_eq!(shipped["parcel"]["tracking_number"], "HB-4471");
    let order = api.expect(200, Call::of("getOrder", "split")).await;
    assert_eq!(order["fulfillment_status"], "fulfilled");
}

/// Goods that are sold by measure, and are in the catalogue already: to put them again changes nothing.
async fn measured(api: &Api) {
    api.expect(200, Call::of("putProducts", "measured")).await;
    let receipt = api.expect(201, Call::of("placeOrder", "measured")).await;
    assert_eq!(receipt["total"], "68.48");
    let id = receipt["id"].as_str();
    let order = api
        .expect(200, Call::of("getOrder", "paid").with("id", id))
        .await;
    assert_eq!(order["fulfillments"][0]["lines"][0]["quantity"], 2.75);
}

async fn unpaid(api: &Api) {
    api.expect(201, Call::of("placeOrder", "unpaid")).await;
    let order = api.expect(200, Call::of("getOrder", "unpaid")).await;
    assert_eq!(order["holds"][0]["name"], "payment");
    // Nobody has refused to be told of it: nothing changes.
    let version = order["version"].clone();
    let order = api.expect(200, Call::of("resolveUntold", "unpaid")).await;
    assert_eq!(order["version"], version);
    let order = api.expect(200, Call::of("releaseHold", "unpaid")).await;
    assert_eq!(order["holds"], json!([]));
    let order = api.expect(200, Call::of("cancelOrder", "unpaid")).await;
    assert_eq!(order["status"], "cancelled");
    let order = api.expect(200, Call::of("getOrder", "unpaid")).await;
    assert_eq!(order["waiting_for"], json!([]));
}

async fn reserved(api: &Api) {
    let cart = api.expect(201, Call::of("reserveStock", "cart")).await;
    assert_eq!(
        (&cart["id"], &cart["status"]),
        (&json!("XBNCA756LRDKWIAJ"), &json!("held"))
    );
    assert_eq!(
        cart["lines"],
        json!([{"sku": "GRD-HAND-40", "location": "hamburg", "quantity": 2}])
    );
    let again = api.expect(201, Call::of("reserveStock", "cart")).await;
    assert_eq!(again, cart);
    let extended = api.expect(200, Call::of("extendReservation", "cart")).await;
    assert_ne!(extended["expires_at"], cart["expires_at"]);
    let known = api.expect(200, Call::of("getReservation", "cart")).await;
    assert_eq!(known, extended);
    api.expect(201, Call::of("placeOrder", "reserved")).await;
    let order = api.expect(200, Call::of("getOrder", "reserved")).await;
    assert_eq!(
        (&order["status"], &order["reservation"]),
        (&json!("allocated"), &cart["id"])
    );
    let known = api
        .expect(200, Call::of("getReservation", "cart").by(Some(READER)))
        .await;
    assert_eq!(
        (&known["status"], &known["order"]),
        (&json!("committed"), &order["id"])
    );
    api.expect(201, Call::of("reserveStock", "quote")).await;
    for _ in 0..2 {
        let given_up = api
            .expect(200, Call::of("releaseReservation", "quote"))
            .await;
        assert_eq!(given_up["status"], "released");
    }
}

async fn stock(api: &Api) {
    let fact = api.expect(202, Call::of("adjustStock", "delivery")).await;
    api.expect(202, Call::of("adjustStock", "count")).await;
    let stock = api.expect(200, Call::of("getStock", "")).await;
    let levels = stock["levels"].as_array().unwrap();
    let hamburg = levels
        .iter()
        .find(|level| level["location"] == "hamburg")
        .unwrap();
    assert_eq!(hamburg["on_hand"], 19);
    assert_eq!(hamburg["newest_movements"][0]["cause"], fact["id"]);
    let why = api.expect(200, Call::of("explainStock", "")).await;
    let why = why["levels"].as_array().unwrap();
    let hamburg = why.iter().find(|l| l["location"] == "hamburg").unwrap();
    assert_eq!(hamburg["entries"][0]["on_hand"], 19);
    let there = Call::of("explainStock", "").with("location", "hamburg");
    let there = api.expect(200, there.with("before", "2.20.0")).await;
    assert_eq!(there["levels"][0]["entries"][0]["cause"], fact["id"]);
    let inbound = api.expect(200, Call::of("expectStock", "line")).await;
    assert_eq!(inbound["received"], 0);
    let stock = api.expect(200, Call::of("getStock", "")).await;
    assert_eq!(stock["inbound"], json!([inbound]));
    let promises = api
        .expect(200, Call::of("promiseStock", "").with("channel", "meta"))
        .await;
    assert_eq!(promises["channel"], "meta");
    let counted = api.expect(202, Call::of("countStock", "now")).await;
    assert_eq!(
        (&counted["expected"], &counted["quantity"]),
        (&json!(19), &json!(0))
    );
    let counted = api.expect(202, Call::of("countStock", "seen")).await;
    assert_eq!(counted["quantity"], -1);
    let sent = api.expect(202, Call::of("sendTransfer", "sent")).await;
    let stock = api.expect(200, Call::of("getStock", "")).await;
    assert_eq!(stock["in_transit"][0]["transfers"], json!([sent]));
    let received = api.expect(202, Call::of("receiveTransfer", "short")).await;
    assert_eq!(received["received"], 2);
    let open = api.expect(200, Call::of("listDiscrepancies", "")).await;
    let open = open["discrepancies"].as_array().unwrap();
    let is = |kind: &'static str| open.iter().find(move |d| d["kind"] == kind).unwrap();
    assert_eq!(is("count")["cause"], counted["id"]);
    assert_eq!(is("transfer")["cause"], sent["id"]);
    let closed = api
        .expect(200, Call::of("resolveDiscrepancy", "found"))
        .await;
    assert_eq!(closed["id"], is("transfer")["id"]);
}

/// Two messages that nobody can use, of the kinds that there are.
async fn parked(api: &Api) {
    let sqs = &api.cloud.services().sqs;
    let queue = sqs.queue("waybill-ship-order").unwrap();
    for body in ["no hint", r#"{"order":"AAAAAAAAAAAAAAAA"}"#] {
        let body = body.to_owned();
        let message = Outgoing {
            body,
            ..Outgoing::default()
        };
        sqs.send(&queue, message).unwrap();
    }
    api.cloud.idle().await;
    let listed = api.expect(200, Call::of("listParked", "")).await;
    assert_eq!(listed["messages"].as_array().unwrap().len(), 2);
    let one = Call::of("listParked", "").with("limit", "1");
    let one = api.expect(200, one.with("step", "ship-order")).await;
    assert_eq!(
        (one["messages"].as_array().unwrap().len(), &one["more"]),
        (1, &json!(true))
    );
    for (example, outcomes) in [
        ("some", json!(["not_found"])),
        ("step", json!(["sent", "sent"])),
        ("all", json!(["sent", "sent"])),
    ] {
        let told = api.expect(200, Call::of("redriveParked", example)).await;
        let told = told["messages"].as_array().unwrap().iter();
        let told: Vec<&Value> = told.map(|message| &message["outcome"]).collect();
        assert_eq!(json!(told), outcomes, "{example}");
    }
}
