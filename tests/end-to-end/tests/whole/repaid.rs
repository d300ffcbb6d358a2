//! Refunds that a payment provider pays.

use std::time::Duration;

use domain::order::RefundStatus;
use end_to_end::{PATIENCE, Shop, WITHOUT_BODY, document};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use wiremock::matchers::{body_string_contains, header, method, path, query_param};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

/// A shop whose orders are paid through an account of Stripe's, which is here.
async fn paid_through() -> (Shop, MockServer) {
    let (shop, stripe) = (Shop::open().await, MockServer::start().await);
    let access = json!({"url": stripe.uri(), "key": "sk_1"}).to_string();
    local::seed::add_access(&shop.cloud, "stripe", "main", &access)
        .await
        .unwrap();
    (shop, stripe)
}

/// An order of 20.00 EUR that is cancelled again at once.
async fn cancelled(shop: &Shop) -> String {
    let mut order = document(&[("GRD-HAND-40", 2)]);
    order["payment"] =
        json!({"status": "paid", "provider": "stripe", "account": "main", "reference": "pi_1"});
    let id = shop.place("one", &order).await;
    shop.settle().await;
    let path = format!("/orders/{id}/cancel");
    let (status, _) = shop.try_post(&path, "", WITHOUT_BODY).await;
    assert_eq!(status, 200);
    id
}

fn pays(key: &str) -> MockBuilder {
    Mock::given(method("POST"))
        .and(path("/v1/refunds"))
        .and(header("authorization", "Bearer sk_1"))
        .and(header("idempotency-key", key))
        .and(body_string_contains("payment_intent=pi_1&amount=2000&"))
}

fn looks() -> MockBuilder {
    let looks = Mock::given(method("GET")).and(path("/v1/refunds"));
    looks.and(query_param("payment_intent", "pi_1"))
}

fn nothing() -> ResponseTemplate {
    let list = json!({"object": "list", "data": [], "has_more": false});
    ResponseTemplate::new(200).set_body_json(list)
}

fn made(status: &str) -> ResponseTemplate {
    let refund = json!({"id": "re_1", "object": "refund", "amount": 2000, "currency": "eur", "status": status});
    ResponseTemplate::new(200).set_body_json(refund)
}

async fn once(mock: MockBuilder, answer: ResponseTemplate, stripe: &MockServer) {
    let mock = mock.respond_with(answer).up_to_n_times(1).expect(1);
    mock.mount(stripe).await;
}

fn refused(code: &str) -> ResponseTemplate {
    let error =
        json!({"error": {"type": "invalid_request_error", "code": code, "message": "Ada, no"}});
    ResponseTemplate::new(400).set_body_json(error)
}

/// Waits until the order's only refund stands so.
async fn until(shop: &Shop, id: &str, status: RefundStatus) -> Value {
    let wait = async {
        while shop.stored(id).await.refunds[0].status != status {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "{:?}", shop.stored(id).await.refunds);
    shop.order(id).await
}

#[tokio::test]
async fn a_refund_is_paid_and_its_customer_told() {
    let (shop, stripe) = paid_through().await;
    let id = cancelled_with(&shop, &stripe, made("succeeded")).await;
    let order = until(&shop, &id, RefundStatus::Paid).await;
    let refund = json!([{"id": format!("{id}-F1"), "amount": "20.00", "status": "paid", "reference": "re_1"}]);
    assert_eq!(order["refunds"], refund);
    let payment = json!({"provider": "stripe", "account": "main", "reference": "pi_1"});
    assert_eq!(
        (&order["payment"], &order["payment_status"]),
        (&payment, &json!("refunded"))
    );
    shop.settle().await;
    shop.mail(&id, "refunded-1");
    stripe.verify().await;
    shop.close().await;
}

/// What `cancelled` gives, and what Stripe answers to the refund of it.
async fn cancelled_with(shop: &Shop, stripe: &MockServer, answer: ResponseTemplate) -> String {
    let id = domain::OrderId::of("api", "default", "one").to_string();
    once(pays(&format!("{id}-F1")), answer, stripe).await;
    assert_eq!(cancelled(shop).await, id);
    id
}

#[tokio::test]
async fn what_stripe_refuses_waits_for_a_person_who_has_it_asked_again() {
    let (shop, stripe) = paid_through().await;
    let id = cancelled_with(&shop, &stripe, refused("balance_insufficient")).await;
    let order = until(&shop, &id, RefundStatus::Refused).await;
    assert_eq!(
        order["refunds"][0]["reason"],
        "status 400, balance_insufficient"
    );
    let waits = order["waiting_for"].to_string();
    assert!(
        waits.contains("why stripe does not pay back 20.00 EUR"),
        "{waits}"
    );
    shop.sweep().await;
    let refund = format!("/refunds/{id}-F1");
    once(looks(), nothing(), &stripe).await;
    once(pays(&format!("{id}-F1-2")), made("succeeded"), &stripe).await;
    shop.post(&format!("{refund}/again"), "", WITHOUT_BODY)
        .await;
    let order = until(&shop, &id, RefundStatus::Paid).await;
    assert_eq!(order["refunds"][0]["reference"], "re_1");
    let events = shop.get(&format!("/orders/{id}/events")).await.to_string();
    for name in ["refund.refused", "refund.repeated", "refund.paid"] {
        assert!(events.contains(name), "{name}: {events}");
    }
    let (status, _) = shop
        .try_post(&format!("{refund}/again"), "", WITHOUT_BODY)
        .await;
    assert_eq!(status, 409, "it is paid");
    stripe.verify().await;
    shop.close().await;
}

#[tokio::test]
async fn what_stripe_refuses_or_delays_can_be_confirmed_by_hand() {
    for answer in [refused("charge_already_refunded"), made("pending")] {
        let (shop, stripe) = paid_through().await;
        let id = cancelled_with(&shop, &stripe, answer).await;
        shop.settle().await;
        let waits = shop.order(&id).await["refunds"][0]["status"].clone();
        let waits = waits.as_str().unwrap();
        assert!(["refused", "awaiting_confirmation"].contains(&waits));
        shop.sweep().await;
        let confirmed = format!("/refunds/{id}-F1/confirmed");
        let order = shop.post(&confirmed, "", WITHOUT_BODY).await;
        assert_eq!(order["payment_status"], "refunded");
        let known = (waits == "awaiting_confirmation").then_some(json!("re_1"));
        assert_eq!(order["refunds"][0].get("reference"), known.as_ref());
        stripe.verify().await;
        shop.close().await;
    }
}

/// Stripe says by itself what has become of the order's refund.
async fn says(shop: &Shop, order: &str, status: &str) -> (u16, Value) {
    let refund = json!({
        "id": "re_1", "object": "refund", "amount": 2000, "currency": "eur", "status": status, "payment_intent": "pi_1",
        "metadata": {"order": order, "refund": format!("{order}-F1"), "repeats": "0"},
    });
    let event = json!({"type": "refund.updated", "data": {"object": refund}}).to_string();
    let now = jiff::Timestamp::now().as_second();
    let mac = Hmac::<Sha256>::new_from_slice(b"whsec_1").unwrap();
    let mac = mac
        .chain_update(format!("{now}.{event}"))
        .finalize()
        .into_bytes();
    let mac: String = mac.iter().map(|b| format!("{b:02x}")).collect();
    let signature = format!("t={now},v1={mac}");
    let headers = [("stripe-signature", signature.as_str())];
    let path = "/webhooks/stripe/main";
    let answer = shop.send(http::Method::POST, path, &headers, event).await;
    shop.settle().await;
    answer
}

#[tokio::test]
async fn stripe_says_by_itself_what_has_become_of_a_refund() {
    let (shop, stripe) = paid_through().await;
    local::seed::add_account(&shop.cloud, "stripe", "main", "whsec_1")
        .await
        .unwrap();
    let id = cancelled_with(&shop, &stripe, made("pending")).await;
    until(&shop, &id, RefundStatus::AwaitingConfirmation).await;
    assert_eq!(says(&shop, &id, "pending").await.0, 200);
    let waits = &shop.stored(&id).await.refunds[0];
    assert_eq!(waits.status, RefundStatus::AwaitingConfirmation);
    for _ in 0..2 {
        let (status, _) = says(&shop, &id, "succeeded").await;
        assert_eq!(status, 200);
    }
    let order = shop.order(&id).await;
    assert_eq!(order["refunds"][0]["status"], "paid");
    shop.mail(&id, "refunded-1");
    assert_eq!(shop.kept().await, [""; 0]);
    // That it has failed after all, and of an order that is not there: for a person.
    for (order, told) in [(&*id, "is paid"), ("AAAAAAAAAAAAAAAA", "is not known")] {
        let kept = says(&shop, order, "failed").await;
        assert_eq!(kept, (200, json!({"status": "kept"})));
        let kept = shop.kept().await;
        assert!(kept.iter().any(|why| why.contains(told)), "{kept:?}");
    }
    assert_eq!(shop.order(&id).await["refunds"][0]["status"], "paid");
    stripe.verify().await;
    shop.close().await;
}

#[tokio::test]
async fn a_busy_stripe_is_asked_later_under_the_same_name() {
    let (shop, stripe) = paid_through().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "1");
    let id = domain::OrderId::of("api", "default", "one").to_string();
    once(pays(&format!("{id}-F1")), busy, &stripe).await;
    once(looks(), nothing(), &stripe).await;
    once(pays(&format!("{id}-F1")), made("succeeded"), &stripe).await;
    assert_eq!(cancelled(&shop).await, id);
    until(&shop, &id, RefundStatus::Paid).await;
    stripe.verify().await;
    shop.close().await;
}

#[tokio::test]
async fn an_access_that_does_not_open_is_no_refusal() {
    let (shop, stripe) = paid_through().await;
    let closed = Mock::given(method("POST")).respond_with(ResponseTemplate::new(401));
    closed.expect(1..).mount(&stripe).await;
    let id = cancelled(&shop).await;
    let wait = async {
        while stripe.received_requests().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    assert_eq!(
        shop.stored(&id).await.refunds[0].status,
        RefundStatus::Requested
    );
    let waits = shop.order(&id).await["waiting_for"].clone();
    assert_eq!(waits, json!(["the step refund-order"]));
    // The money may be on its way: nobody else pays it.
    let confirmed = format!("/refunds/{id}-F1/confirmed");
    let (status, answer) = shop.try_post(&confirmed, "", WITHOUT_BODY).await;
    assert_eq!(status, 409, "{answer}");
    shop.cloud.stop().await;
}
