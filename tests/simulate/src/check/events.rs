//! What subscribers hear of orders: everything that they want, in sequence, and of nobody whom they may not know.

use domain::event::Entry;
use domain::order::Contact;
use domain::subscriber::Subscriber;
use jiff::SignedDuration;
use serde_json::Value;

use super::{Findings, history};
use crate::listeners::{LEDGER, REPORTED, REPORTS};
use crate::observed::{Again, Deed, Heard, Observed, Replayed, StoredOrder};

/// Seconds after which everybody who accepts orders knows of a subscriber, and has stored what he took before.
const KNOWN_AFTER_S: i64 = 100;

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
    for stored in &observed.orders {
        let published = stored.order.published;
        let fed = match published {
            Some(_) => !observed.subscribers.is_empty(),
            None => !is_promised(observed, stored),
        };
        found.expect(fed, "fed-to-whom", &stored.order.id, || {
            format!("expected it published if anybody listens, found {published:?}")
        });
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
    for replayed in replayed(observed) {
        let mut subscribers = observed.subscribers.iter();
        let on = subscribers.find(|known| known.id == replayed.subscriber && known.enabled);
        let heard_from = |stored| Some((stored, first_again(stored, replayed)?));
        let fed = observed
            .orders
            .iter()
            .filter(|stored| stored.order.published.is_some());
        if on.is_some() {
            for (stored, first) in fed.filter_map(heard_from) {
                again(observed, stored, replayed, first, found);
            }
        }
    }
}

fn replayed(observed: &Observed) -> impl Iterator<Item = &Replayed> {
    observed.deeds.iter().filter_map(|deed| match deed {
        Deed::Replayed(replayed) => Some(replayed),
        _ => None,
    })
}

/// Whether somebody is to hear of all that has happened to an order: who was there before it; or who has asked to hear
/// again of what was part of it by then. One of them is always on.
fn is_promised(observed: &Observed, stored: &StoredOrder) -> bool {
    let entered = observed.deeds.iter().find_map(|deed| match deed {
        Deed::Entered(at) => Some(*at),
        _ => None,
    });
    let accepted = history::entries(stored).next().map(|entry| entry.at);
    let before = entered.is_none_or(|entered| {
        let known = entered + SignedDuration::from_secs(KNOWN_AFTER_S);
        accepted.is_some_and(|accepted| accepted > known)
    });
    let on = |replayed: &&Replayed| replayed.subscriber == LEDGER;
    let mut asked = replayed(observed).filter(on);
    !observed.subscribers.is_empty()
        && (before || asked.any(|replayed| first_again(stored, replayed).is_some()))
}

/// The first event of an order that somebody is to hear again. What happens after it was asked for, it hears of as
/// always.
fn first_again(stored: &StoredOrder, replayed: &Replayed) -> Option<usize> {
    let mut entries = history::entries(stored);
    let place = match &replayed.again {
        Again::Since(from) => {
            let by_then = |entry: &Entry| (*from..=replayed.at).contains(&entry.at);
            let known = history::entries(stored).any(by_then);
            entries.position(|entry| known && entry.at >= *from)
        }
        Again::From(order, first) if stored.order.id == *order => usize::try_from(first - 1)
            .ok()
            .filter(|place| *place < entries.count()),
        Again::From(..) => None,
    };
    place.map(|place| place + 1)
}

/// What was heard since it was asked for has all of an order from that event on in it, in sequence.
fn again(
    observed: &Observed,
    stored: &StoredOrder,
    replayed: &Replayed,
    first: usize,
    found: &mut Findings,
) {
    let (id, to) = (&stored.order.id, &replayed.subscriber);
    let events = (1..).zip(history::events(stored)).skip(first - 1);
    let wanted = events.filter(|(_, event)| wants(to, event.name()));
    let mut wanted = wanted.map(|(n, _)| format!("{id}-E{n}")).peekable();
    for heard in observed.heard.iter().skip(replayed.heard) {
        wanted.next_if(|wanted| heard.subscriber == *to && heard.id == *wanted);
    }
    let missing = wanted.next();
    found.expect(missing.is_none(), "not-heard-again", id, || {
        format!(
            "expected {to} to hear all again from event {first} on, found it without {missing:?}"
        )
    });
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
    let all = first.len() == wanted.len() || !is_promised(observed, stored);
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
