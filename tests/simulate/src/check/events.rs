//! What subscribers hear of orders: everything that they want, in sequence, and of nobody whom they may not know.

use domain::order::Contact;
use domain::subscriber::Subscriber;
use serde_json::Value;

use super::{Findings, history};
use crate::listeners::{LEDGER, REPORTED, REPORTS};
use crate::observed::{Heard, Observed, StoredOrder};

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    for subscriber in &observed.subscribers {
        for stored in &observed.orders {
            if stored.order.published.is_some() {
                of_order(observed, subscriber, stored, found);
            }
        }
    }
    let off = |subscriber: &&Subscriber| !subscriber.enabled;
    for gone in observed.subscribers.iter().filter(off) {
        let known = gone.id != LEDGER && gone.id != REPORTS;
        found.expect(known, "subscriber-switched-off", &gone.id, || {
            "expected it to be on: it has never said that it is gone".into()
        });
    }
    // One of them is always on.
    let fed = !observed.subscribers.is_empty();
    for stored in &observed.orders {
        let published = stored.order.published;
        found.expect(
            fed == published.is_some(),
            "fed-to-whom",
            &stored.order.id,
            || format!("expected it published if anybody listens ({fed}), found {published:?}"),
        );
        for delivery in &stored.deliveries {
            let due_at = delivery.due_at;
            found.expect(due_at.is_none(), "delivery-due", &stored.order.id, || {
                format!(
                    "expected all to be told, {} is at {due_at:?}",
                    delivery.subscriber
                )
            });
        }
    }
}

/// Whether somebody is to hear of an event of this name.
fn wants(subscriber: &str, name: &str) -> bool {
    subscriber != REPORTS || REPORTED.contains(&name)
}

fn of_order(
    observed: &Observed,
    subscriber: &Subscriber,
    stored: &StoredOrder,
    found: &mut Findings,
) {
    let id = &stored.order.id;
    let told = format!("{id} to {}", subscriber.id);
    let events = (1_usize..).zip(history::events(stored).map(|event| event.name()));
    let wanted = events.filter(|(_, name)| wants(&subscriber.id, name));
    let wanted: Vec<(String, &str)> = wanted
        .map(|(n, name)| (format!("{id}-E{n}"), name))
        .collect();
    let ours = |heard: &&Heard| {
        heard.subscriber == subscriber.id && heard.id.starts_with(&format!("{id}-"))
    };
    let heard: Vec<&Heard> = observed.heard.iter().filter(ours).collect();
    let mut first: Vec<&str> = Vec::new();
    for event in &heard {
        if !first.contains(&event.id.as_str()) {
            first.push(&event.id);
        }
        let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
        let known = wanted.iter().find(|(id, _)| *id == event.id);
        let same = known.is_some_and(|(id, name)| {
            let data = &body["data"];
            body["type"] == *name
                && data["event"]["id"] == *id
                && data["order"] == stored.order.id.as_str()
        });
        found.expect(same, "event-differs", &told, || {
            format!("expected what happened as {known:?}, found {}", event.body)
        });
        let leaked = tells_of(&event.body, &stored.contact) || !body["data"]["customer"].is_null();
        found.expect(
            !leaked || subscriber.id == REPORTS,
            "personal-data-leaked",
            &told,
            || format!("expected nothing of the customer, found {}", event.body),
        );
    }
    let sequence = wanted.iter().map(|(id, _)| id.as_str());
    let in_sequence = sequence.clone().take(first.len()).eq(first.iter().copied());
    found.expect(in_sequence, "event-out-of-sequence", &told, || {
        format!("expected {wanted:?}, each after the one before, found {first:?}")
    });
    let all = first.len() == wanted.len();
    found.expect(all || !subscriber.enabled, "event-lost", &told, || {
        format!("expected {wanted:?}, found {first:?}")
    });
}

/// Whether a text tells who bought.
fn tells_of(text: &str, contact: &Contact) -> bool {
    let address = contact.address.as_ref();
    let lines = address.map(|address| (&address.name, &address.line1));
    let of_address = lines.into_iter().flat_map(|(name, line)| [name, line]);
    let of_contact = contact.email.iter().chain(&contact.phone);
    // Shorter ones could be anything.
    let mut telling = of_contact.chain(of_address).filter(|part| part.len() > 2);
    telling.any(|part| text.contains(part.as_str()))
}
