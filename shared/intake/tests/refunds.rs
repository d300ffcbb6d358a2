//! What payment providers are asked to pay back, as their documents describe it: once, whatever is wrong with their
//! answers.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::time::Duration;

use channels::payments::Wish;
use common::*;
use domain::Currency;
use domain::limits::{MAX_ANSWER_S, MAX_ANSWERS};
use domain::payment::{PaidThrough, Provider};
use domain::refund::{Answer, Outcome};
use intake::Failure;
use serde_json::{Value, json};
use wiremock::matchers::{body_string, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockBuilder, ResponseTemplate};

const REFUND: &str = "AD4OVS4KRET6JAPB-F1";

/// 7.00 EUR, for the first time.
fn wish() -> Wish {
    Wish {
        payment: "pi_1".into(),
        order: "AD4OVS4KRET6JAPB".into(),
        refund: REFUND.into(),
        repeats: 0,
        amount: 700,
        currency: Currency::from_code("EUR").unwrap(),
        again: false,
    }
}

fn again() -> Wish {
    Wish {
        again: true,
        ..wish()
    }
}

async fn world() -> World {
    let world = World::new().await;
    world.access("stripe", &json!({"url": "@/", "key": "sk_1"}));
    world
}

async fn refund(world: &World, wish: &Wish) -> Result<Answer, Failure> {
    let through = PaidThrough {
        provider: Provider::Stripe,
        account: "main".into(),
        reference: wish.payment.clone(),
    };
    world.vendors.refund(&through, wish).await
}

/// The request that has a wish paid.
fn pays(wish: &Wish, key: &str) -> MockBuilder {
    let (order, refund, repeats) = (&wish.order, &wish.refund, wish.repeats);
    let body = format!(
        "payment_intent=pi_1&amount={}&metadata%5Border%5D={order}&metadata%5Brefund%5D={refund}&metadata%5Brepeats%5D={repeats}",
        wish.amount
    );
    opened("POST")
        .and(header("idempotency-key", key))
        .and(body_string(body))
}

/// The request for what has gone back of the payment.
fn looks() -> MockBuilder {
    opened("GET")
        .and(query_param("payment_intent", "pi_1"))
        .and(query_param("limit", "100"))
}

fn opened(verb: &str) -> MockBuilder {
    Mock::given(method(verb))
        .and(path("/v1/refunds"))
        .and(header("authorization", "Bearer sk_1"))
        .and(header("stripe-version", "2024-06-20"))
}

/// A refund as Stripe shows it.
fn made(id: &str, status: &str) -> Value {
    json!({
        "id": id, "object": "refund", "amount": 700, "currency": "eur", "payment_intent": "pi_1", "status": status,
        "metadata": {"order": "AD4OVS4KRET6JAPB", "refund": REFUND, "repeats": "0"},
    })
}

fn list(refunds: &[Value], has_more: bool) -> ResponseTemplate {
    json_of(json!({"object": "list", "data": refunds, "has_more": has_more}))
}

fn answer(id: &str, outcome: Outcome) -> Result<Answer, Failure> {
    Ok(Answer {
        external: Some(id.into()),
        outcome,
    })
}

#[tokio::test]
async fn what_comes_of_a_refund_is_read() {
    let world = world().await;
    let with = |what: Value| {
        let mut refund = made("re_1", "succeeded");
        refund
            .as_object_mut()
            .unwrap()
            .extend(what.as_object().unwrap().clone());
        refund
    };
    let other = || Outcome::Pending(Some("other_amount".into()));
    for (made, outcome) in [
        (made("re_1", "succeeded"), Outcome::Paid),
        (made("re_1", "pending"), Outcome::Pending(None)),
        (
            made("re_1", "requires_action"),
            Outcome::Pending(Some("requires_action".into())),
        ),
        (made("re_1", "of tomorrow"), Outcome::Pending(None)),
        (
            made("re_1", "canceled"),
            Outcome::Refused("canceled".into()),
        ),
        (
            with(json!({"status": "failed", "failure_reason": "expired_or_canceled_card"})),
            Outcome::Refused("expired_or_canceled_card".into()),
        ),
        // Not what was asked: a person looks.
        (with(json!({"amount": 701})), other()),
        (with(json!({"currency": "usd"})), other()),
    ] {
        world
            .on(pays(&wish(), REFUND), json_of(made.clone()), 1)
            .await;
        assert_eq!(
            refund(&world, &wish()).await,
            answer("re_1", outcome),
            "{made}"
        );
    }
    world.server.verify().await;
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_from_a_refusal() {
    let world = world().await;
    let says = || pays(&wish(), REFUND);
    let error = |status: u16, code: &str| {
        let error =
            json!({"error": {"code": code, "message": "Ada, no", "type": "invalid_request_error"}});
        ResponseTemplate::new(status).set_body_json(error)
    };
    for (status, code) in [
        (400, "charge_already_refunded"),
        (400, "charge_disputed"),
        (400, "balance_insufficient"),
        (400, "amount_too_large"),
        (402, "card_declined"),
    ] {
        world.on(says(), error(status, code), 1).await;
        let why = format!("status {status}, {code}");
        assert_eq!(refund(&world, &wish()).await, Err(Failure::Refused(why)));
    }
    world.on(says(), error(404, "resource_missing"), 1).await;
    assert_eq!(refund(&world, &wish()).await, Err(Failure::Missing));
    // Under way, busy, broken: asked again under the same name.
    let wait = |answer: ResponseTemplate| answer.insert_header("retry-after", "7");
    for (busy, seconds) in [
        (error(409, "idempotency_key_in_use"), 0),
        (error(424, "external_dependency_failed"), 0),
        (wait(error(429, "lock_timeout")), 7),
        (error(500, "api_error"), 0),
        (ResponseTemplate::new(502).set_body_string("<html>"), 0),
        (wait(ResponseTemplate::new(503)), 7),
        (
            ResponseTemplate::new(200).set_body_string(r#"{"id": "re_1", "obj"#),
            0,
        ),
    ] {
        world.on(says(), busy, 1).await;
        match refund(&world, &wish()).await {
            Err(Failure::Again(after, _)) => assert_eq!(after, seconds),
            other => panic!("{other:?}"),
        }
    }
    let slow = json_of(made("re_1", "succeeded"));
    let slow = slow.set_delay(Duration::from_secs(MAX_ANSWER_S + 1));
    world.on(says(), slow, 1).await;
    let late = refund(&world, &wish()).await;
    assert!(matches!(late, Err(Failure::Again(0, _))), "{late:?}");
    // What opens it does not: looked up anew once.
    for status in [401, 403] {
        let times = if status == 401 { 2 } else { 1 };
        world.on(says(), ResponseTemplate::new(status), times).await;
        let locked = refund(&world, &wish()).await;
        assert!(matches!(locked, Err(Failure::Locked(_))), "{locked:?}");
    }
    // A success that says nothing may be one.
    world.on(says(), json_of(json!({"id": "re_1"})), 1).await;
    let unread = refund(&world, &wish()).await;
    assert!(matches!(unread, Err(Failure::Unreadable(_))), "{unread:?}");
    world.server.verify().await;
    let fresh = World::new().await;
    assert_eq!(refund(&fresh, &wish()).await, Err(Failure::NoAccess));
    fresh.access("stripe", &json!({"url": "@/"}));
    fresh.passed.store(60, std::sync::atomic::Ordering::SeqCst);
    let lacking = refund(&fresh, &wish()).await;
    assert!(matches!(lacking, Err(Failure::Locked(_))), "{lacking:?}");
}

#[tokio::test]
async fn who_may_have_asked_before_looks_first() {
    let world = world().await;
    let mine = |id: &str, status: &str, repeats: &str| {
        let mut refund = made(id, status);
        refund["metadata"]["repeats"] = repeats.into();
        refund
    };
    let mut others = made("re_0", "succeeded");
    others["metadata"]["refund"] = "AD4OVS4KRET6JAPB-F2".into();
    let mut by_hand = made("re_9", "succeeded");
    by_hand["metadata"] = json!({});
    // Paid: nothing is asked.
    let found = list(
        &[others.clone(), by_hand.clone(), made("re_1", "succeeded")],
        false,
    );
    world.on(looks(), found, 1).await;
    assert_eq!(
        refund(&world, &again()).await,
        answer("re_1", Outcome::Paid)
    );
    // Not there: asked, under the same name.
    let none = || list(&[others.clone(), by_hand.clone()], false);
    world.on(looks(), none(), 1).await;
    world
        .on(pays(&wish(), REFUND), json_of(made("re_1", "succeeded")), 1)
        .await;
    assert_eq!(
        refund(&world, &again()).await,
        answer("re_1", Outcome::Paid)
    );
    // It failed: that is the answer to this request, and not to the next one, which has a name of its own.
    let failed = || list(&[made("re_1", "failed")], false);
    world.on(looks(), failed(), 1).await;
    let refused = Outcome::Refused("failed".into());
    assert_eq!(refund(&world, &again()).await, answer("re_1", refused));
    let repeated = Wish {
        repeats: 1,
        ..again()
    };
    world.on(looks(), failed(), 1).await;
    let key = format!("{REFUND}-2");
    let paid = json_of(mine("re_2", "succeeded", "1"));
    world.on(pays(&repeated, &key), paid, 1).await;
    assert_eq!(
        refund(&world, &repeated).await,
        answer("re_2", Outcome::Paid)
    );
    // Whatever it was asked under, what goes back is enough.
    let both = list(
        &[mine("re_2", "failed", "1"), mine("re_1", "pending", "0")],
        false,
    );
    world.on(looks(), both, 1).await;
    assert_eq!(
        refund(&world, &repeated).await,
        answer("re_1", Outcome::Pending(None))
    );
    world.server.verify().await;
    // Half a list is no list: nothing is asked.
    let unread = list(&[json!({"id": "re_1", "status": "succeeded"})], false);
    world.on(looks(), unread, 1).await;
    let unread = refund(&world, &again()).await;
    assert!(matches!(unread, Err(Failure::Unreadable(_))), "{unread:?}");
    world.on(looks(), ResponseTemplate::new(500), 1).await;
    let broken = refund(&world, &again()).await;
    assert!(matches!(broken, Err(Failure::Again(0, _))), "{broken:?}");
}

#[tokio::test]
async fn a_long_list_is_read_to_its_end() {
    let world = world().await;
    let mut others = made("re_0", "succeeded");
    others["metadata"] = Value::Null;
    let page = |more| list(std::slice::from_ref(&others), more);
    let first = || looks().and(query_param_is_missing("starting_after"));
    let next = || looks().and(query_param("starting_after", "re_0"));
    world.on(first(), page(true), 1).await;
    world
        .on(next(), list(&[made("re_1", "succeeded")], false), 1)
        .await;
    assert_eq!(
        refund(&world, &again()).await,
        answer("re_1", Outcome::Paid)
    );
    world.server.verify().await;
    // Longer than is read: a person looks, and nothing is asked.
    world.on(first(), page(true), 1).await;
    let most = u64::try_from(MAX_ANSWERS).unwrap();
    world.on(next(), page(true), most - 1).await;
    let refused = refund(&world, &again()).await;
    assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn amounts_are_in_the_providers_minor_units() {
    let world = world().await;
    for (code, amount, asked) in [
        ("JPY", 700, "700"),
        ("KWD", 700, "700"),
        ("ISK", 700, "70000"),
        ("UGX", 700, "70000"),
        ("MGA", 700, "7"),
    ] {
        let wish = Wish {
            currency: Currency::from_code(code).unwrap(),
            amount,
            ..wish()
        };
        let mut refunded = made("re_1", "succeeded");
        refunded["currency"] = code.to_lowercase().into();
        refunded["amount"] = asked.parse::<i64>().unwrap().into();
        let field = format!("&amount={asked}&");
        let says = opened("POST").and(wiremock::matchers::body_string_contains(field));
        world.on(says, json_of(refunded), 1).await;
        assert_eq!(
            refund(&world, &wish).await,
            answer("re_1", Outcome::Paid),
            "{code}"
        );
    }
    let wish = Wish {
        currency: Currency::from_code("MGA").unwrap(),
        amount: 701,
        ..wish()
    };
    let refused = refund(&world, &wish).await;
    assert_eq!(
        refused,
        Err(Failure::Refused("no such amount in MGA".into()))
    );
    world.server.verify().await;
}
