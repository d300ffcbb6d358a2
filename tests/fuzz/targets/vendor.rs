//! What a vendor's API answers to whatever it is asked or told: the first line is the name of a channel or a payment provider and
//! that of a page, the rest answers, one after the other, between which stands the byte 30 (a record separator).
#![no_main]

use std::sync::LazyLock;

use channels::payments::{self, Wish};
use channels::stock::Available;
use channels::updates::{Shipment, Telling, Update, What};
use channels::vendor::{self, Next};
use channels::{Channel, Secret, api};
use domain::Order;
use domain::order::{Refund, RefundStatus};
use domain::payment::Provider;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

/// Answers after which nobody asks any more: above what the steps go to.
const MOST_ANSWERS: usize = 20;
const SEPARATOR: u8 = 30;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(0);
    let Ok(head) = std::str::from_utf8(&bytes[..end]) else {
        return;
    };
    let (name, page) = head.split_once(' ').unwrap_or((head, ""));
    let body = &bytes[(end + 1).min(bytes.len())..];
    vendor::code(body);
    vendor::token(body).ok();
    if let Some(channel) = channels::by_name(name) {
        fetch(channel, page, body);
        tell(channel, body);
    }
    if let Some(provider) = Provider::named(name) {
        pay(provider, body);
    }
});

fn access() -> Secret {
    Secret::read(
        r#"{"url":"https://a.example","key":"k","app_key":"a","app_secret":"s","client_id":"c","client_secret":"s","token":"t",
            "refresh_token":"r","shop_id":"1","shop_cipher":"x","marketplace_ids":"A","seller_id":"S","location":"1",
            "location_ids":"1,2","catalog_id":"1","cms_id":"1","instance_id":"i"}"#,
    )
}

/// Goes on as long as more is asked, with one answer after the other, and from the first again; `None`: for too long.
fn ask<T>(body: &[u8], next: impl Fn(&[Vec<u8>]) -> Option<T>) -> Option<T> {
    let mut rest = body.split(|b| *b == SEPARATOR).cycle();
    let mut answers: Vec<Vec<u8>> = Vec::new();
    loop {
        let end = next(&answers);
        if end.is_some() || answers.len() == MOST_ANSWERS {
            return end;
        }
        answers.push(rest.next().unwrap_or_default().to_vec());
    }
}

fn fetch(channel: &dyn Channel, page: &str, body: &[u8]) {
    let Some(api) = channel.api() else {
        return;
    };
    let access = access();
    let order = ask(body, |answers| match api.order(&access, "1", answers) {
        Ok(Next::Ask(_)) => None,
        end => Some(end),
    });
    match order {
        Some(Ok(Next::Order(document))) => match channel.parse(&document, "main") {
            Ok(new) => fuzz::check_order(new),
            Err(why) => fuzz::check_unreadable(&why),
        },
        Some(Err(why)) => fuzz::check_unreadable(&why),
        _ => {}
    }
    for status in [200, 400, 404, 409, 429] {
        api.refusal(status, body);
    }
    if let Err(why) = api.token_in(body, Timestamp::UNIX_EPOCH) {
        fuzz::check_unreadable(&why);
    }
    if let Some(keys) = channel.keys()
        && let Err(why) = keys.key_in("k", body)
    {
        fuzz::check_unreadable(&why);
    }
    if let Some(changes) = api.changes() {
        changes.request(&access, Timestamp::UNIX_EPOCH, page);
        match changes.read(page, body) {
            Ok(page) => assert!(page.orders.iter().all(|order| order.as_of.is_some())),
            Err(why) => fuzz::check_unreadable(&why),
        }
    }
}

fn tell(channel: &dyn Channel, body: &[u8]) {
    let access = access();
    if let Some(updates) = channel.updates() {
        for what in [What::Accepted, What::Sent(shipment())] {
            let update = Update {
                order: "1".into(),
                reference: "AD4OVS4KRET6JAPB".into(),
                key: "k".into(),
                what,
            };
            told(body, |answers| updates.tell(&access, &update, answers));
        }
    }
    if let Some(stock) = channel.stock() {
        let available: Vec<Available> = ["A", "1", "GRD-HAND-40"]
            .into_iter()
            .take(stock.at_once())
            .map(|sku| Available {
                sku: sku.to_owned(),
                quantity: 7,
            })
            .collect();
        told(body, |answers| {
            stock.set(&access, "k", Timestamp::UNIX_EPOCH, &available, answers)
        });
    }
}

fn pay(provider: Provider, body: &[u8]) {
    static ORDER: LazyLock<Order> = LazyLock::new(repaid);
    let access = access();
    for again in [false, true] {
        let wish = Wish::of(&ORDER, 1, again).expect("it is asked for");
        told(body, |answers| {
            payments::of(provider).refund(&access, &wish, answers)
        });
    }
    if let Err(why) = payments::told(provider, "main", body, &ORDER, 1) {
        fuzz::check_unreadable(&why);
    }
}

fn told<T>(body: &[u8], next: impl Fn(&[Vec<u8>]) -> Result<Telling<T>, channels::Unreadable>) {
    let end = ask(body, |answers| match next(answers) {
        Ok(Telling::Ask(_)) => None,
        end => Some(end),
    });
    match end {
        Some(Ok(Telling::Refused(why) | Telling::Again(why) | Telling::Locked(why))) => {
            assert!(!why.is_empty());
        }
        Some(Err(why)) => fuzz::check_unreadable(&why),
        _ => {}
    }
}

fn shipment() -> Shipment {
    Shipment {
        n: 1,
        at: Timestamp::UNIX_EPOCH,
        carrier: "Post".into(),
        tracking_number: "T1".into(),
        lines: vec![("1".into(), 1.into())],
        alike: 0,
        completes: true,
    }
}

/// An order of which seven euros are to go back through Stripe.
fn repaid() -> Order {
    let document = br#"{"number":"1","currency":"EUR","lines":[{"sku":"CUP","title":"Cup","quantity":1,"unit_price":"7.00"}],
        "total":"7.00","shipping_address":{"name":"Ada","line1":"Kai 1","city":"Hamburg","postal_code":"20457","country":"DE"},
        "payment":{"status":"paid","provider":"stripe","account":"main","reference":"pi_1"}}"#;
    let new = api::parse(document, "default", "1", Timestamp::UNIX_EPOCH).expect("a good document");
    let (mut order, _) = new.accept(&["CUP".to_owned()].into(), Timestamp::UNIX_EPOCH);
    order.refunds.push(Refund {
        n: 1,
        key: "1".into(),
        amount: 700,
        status: RefundStatus::Requested,
        external: None,
        repeats: 0,
        reason: None,
    });
    order
}
