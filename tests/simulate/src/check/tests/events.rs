use domain::delivery::Delivery;
use domain::subscriber::Subscriber;
use jiff::Timestamp;
use serde_json::{Value, from_value, json};

use super::rest::{breaks, keeps};
use crate::check::history;
use crate::check::sample::{CANCELLED, at};
use crate::listeners::{GONE, LEDGER, REPORTED, REPORTS};
use crate::observed::{Again, Deed, Heard, Observed, Replayed};

/// What tells who bought.
const PHONE: &str = "+49 30 5550 0199";

/// Two listen and have heard of everything that they want.
fn heard(w: &mut Observed) {
    let subscriber = |id: &str| -> Subscriber {
        from_value(json!({"id": id, "url": "https://listener.example/"})).unwrap()
    };
    w.subscribers = vec![subscriber(LEDGER), subscriber(REPORTS)];
    for stored in &mut w.orders {
        stored.order.published = Some(stored.order.version);
        stored.contact.phone = Some(PHONE.into());
        let id = &stored.order.id;
        for (n, event) in (1..).zip(history::events(stored)) {
            let name = event.name();
            for to in [LEDGER, REPORTS] {
                if to == REPORTS && !REPORTED.contains(&name) {
                    continue;
                }
                let event = format!("{id}-E{n}");
                let body = json!({"type": name, "data": {"order": id, "event": {"id": event}}});
                w.heard.push(Heard {
                    subscriber: to.into(),
                    id: event,
                    body: body.to_string(),
                });
            }
        }
    }
}

/// Tells a subscriber more in the first event that it hears.
fn tell(w: &mut Observed, subscriber: &str, field: &str, value: Value) {
    let mut heard = w.heard.iter_mut();
    let first = heard.find(|heard| heard.subscriber == subscriber);
    let body = &mut first.unwrap().body;
    let mut document: Value = serde_json::from_str(body).unwrap();
    document["data"][field] = value;
    *body = document.to_string();
}

/// The ledger asks, before it has heard of so many events of all, to hear again.
fn asks(w: &mut Observed, again: Again, heard: usize) {
    w.deeds.push(Deed::Replayed(Replayed {
        subscriber: LEDGER.into(),
        again,
        at: at(1_000_000),
        heard,
    }));
}

#[test]
fn who_asks_hears_again() {
    let since = || Again::Since(Timestamp::UNIX_EPOCH);
    let all_again = |w: &mut Observed| {
        heard(w);
        let all = w.heard.clone();
        let place = all.len();
        w.heard.extend(all);
        asks(w, since(), place);
    };
    keeps(all_again);
    // One that was on its way comes in between.
    keeps(|w| {
        all_again(w);
        let stray = w.heard[3].clone();
        w.heard.insert(w.heard.len() / 2, stray);
    });
    breaks("not-heard-again", |w| {
        heard(w);
        asks(w, since(), 1);
    });
    breaks("not-heard-again", |w| {
        all_again(w);
        let place = w.heard.iter().rposition(|heard| heard.subscriber == LEDGER);
        w.heard.remove(place.unwrap());
    });
    let of_one = |w: &Observed, n| Again::From(w.orders[CANCELLED].order.id.clone(), n);
    breaks("not-heard-again", |w| {
        heard(w);
        let (one, place) = (of_one(w, 2), w.heard.len());
        asks(w, one, place);
    });
    keeps(|w| {
        heard(w);
        let (one, place) = (of_one(w, 9_999), w.heard.len());
        asks(w, one, place);
    });
}

#[test]
fn who_comes_later_hears_of_what_comes_later_and_of_what_it_asks_for() {
    let late = |w: &mut Observed| {
        heard(w);
        let id = w.orders[CANCELLED].order.id.clone();
        w.orders[CANCELLED].order.published = None;
        w.heard.retain(|heard| !heard.id.starts_with(id.as_str()));
        w.deeds.push(Deed::Entered(at(1_000_000)));
    };
    keeps(late);
    breaks("fed-to-whom", |w| {
        late(w);
        w.deeds.pop();
        w.deeds.push(Deed::Entered(Timestamp::UNIX_EPOCH));
    });
    breaks("fed-to-whom", |w| {
        late(w);
        asks(w, Again::Since(Timestamp::UNIX_EPOCH), 0);
    });
}

#[test]
fn events_are_heard_and_may_be_heard_again() {
    keeps(heard);
    keeps(|w| {
        heard(w);
        let again = w.heard.clone();
        w.heard.extend(again);
    });
    keeps(|w| {
        heard(w);
        let gone = json!({"id": GONE, "url": "https://listener.example/", "enabled": false});
        w.subscribers.push(from_value(gone).unwrap());
    });
    keeps(|w| {
        heard(w);
        tell(w, REPORTS, "customer", json!({"phone": PHONE}));
    });
}

#[test]
fn an_event_is_not_heard_as_it_should_be() {
    breaks("event-lost", |w| {
        heard(w);
        w.heard.pop();
    });
    breaks("event-out-of-sequence", |w| {
        heard(w);
        let last = w.heard.len() - 1;
        w.heard.swap(last, 0);
    });
    for (from, to) in [
        ("order.accepted", "order.allocated"),
        (r#""order":""#, r#""order":"X"#),
    ] {
        breaks("event-differs", |w| {
            heard(w);
            w.heard[0].body = w.heard[0].body.replace(from, to);
        });
    }
    for (field, value) in [
        ("text", json!(format!("call {PHONE}"))),
        ("customer", json!({})),
    ] {
        breaks("personal-data-leaked", |w| {
            heard(w);
            tell(w, LEDGER, field, value);
        });
    }
    breaks("fed-to-whom", |w| {
        let order = &mut w.orders[CANCELLED].order;
        order.published = Some(order.version);
    });
    breaks("fed-to-whom", |w| {
        heard(w);
        w.orders[CANCELLED].order.published = None;
    });
    breaks("subscriber-switched-off", |w| {
        heard(w);
        w.subscribers[0].enabled = false;
    });
    breaks("delivery-due", |w| {
        heard(w);
        let id = &w.orders[CANCELLED].order.id;
        let due = Delivery::new(id, LEDGER).refused(1, at(0));
        w.orders[CANCELLED].deliveries.push(due);
    });
}
