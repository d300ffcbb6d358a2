//! What clients were told, and whether it is so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use domain::event::Event;
use domain::order::RefundStatus;
use domain::stock::MovementKind;
use end_to_end::audit::ledgers;
use store::{Store, Story};

/// Something that was answered with success.
#[derive(Debug, Clone)]
pub enum Noted {
    /// An order: its id, its channel, and its name there.
    Order(String, &'static str, String),
    /// A report on a fulfillment order.
    Report(String, u32, &'static str),
    /// A cancellation of all units.
    Cancelled(String),
    /// A return, by the name of the request.
    Return(String, String),
    /// A return that has arrived.
    Received(String, u32),
    /// A refund, by the name of the request.
    Refund(String, String),
    /// A refund that was paid.
    Paid(String, u32),
    /// A fact about stock.
    Fact {
        sku: String,
        id: String,
        location: String,
        kind: MovementKind,
        quantity: i64,
    },
}

/// All that was noted.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Vec<Noted>>);

impl Notes {
    pub fn add(&self, noted: Noted) {
        self.0.lock().unwrap().push(noted);
    }

    /// Holds the tables to it: everything is there, and exactly once. How many facts that were.
    pub async fn check(&self, store: &Store, stories: &[Story]) -> usize {
        let notes = self.0.lock().unwrap().clone();
        let by_id: BTreeMap<&str, &Story> =
            stories.iter().map(|s| (s.order.id.as_str(), s)).collect();
        let mut named = BTreeSet::new();
        let mut facts = BTreeMap::new();
        for noted in &notes {
            match noted {
                Noted::Order(id, channel, name) => {
                    let source = &by_id[id.as_str()].order.source;
                    let found = (source.channel.as_str(), source.external_id.as_str());
                    assert_eq!(found, (*channel, name.as_str()));
                    assert!(named.insert(id.as_str()), "{id} is two orders");
                }
                Noted::Fact {
                    sku,
                    id,
                    location,
                    kind,
                    quantity,
                } => {
                    facts.insert(
                        id.as_str(),
                        (sku.as_str(), location.as_str(), *kind, *quantity),
                    );
                }
                Noted::Report(id, ..)
                | Noted::Cancelled(id)
                | Noted::Return(id, _)
                | Noted::Received(id, _)
                | Noted::Refund(id, _)
                | Noted::Paid(id, _) => {
                    let times = times(by_id[id.as_str()], noted);
                    assert_eq!(times, 1, "{noted:?}: {:?}", by_id[id.as_str()].timeline);
                }
            }
        }
        assert_eq!(
            named.len(),
            stories.len(),
            "every order was told of, and no other is there"
        );
        check_stock(store, facts).await;
        notes.len()
    }
}

/// How often a fact is to be found in its order.
fn times(story: &Story, noted: &Noted) -> usize {
    let order = &story.order;
    let events = |wanted: &dyn Fn(&Event) -> bool| {
        let entries = story.timeline.entries.iter();
        entries.filter(|entry| wanted(&entry.event)).count()
    };
    match noted {
        Noted::Report(_, n, report) => events(&|event| match (*report, event) {
            ("accepted", Event::FulfillmentAccepted(found))
            | ("rejected", Event::FulfillmentRejected(found, _))
            | ("packed", Event::Packed(found, _))
            | ("shipped", Event::Shipped(found, _))
            | ("delivered", Event::Delivered(found)) => found == n,
            _ => false,
        }),
        Noted::Cancelled(_) => {
            assert!(
                order
                    .lines
                    .iter()
                    .all(|line| line.units.cancelled == line.units.ordered)
            );
            events(&|event| matches!(event, Event::Cancelled(..)))
        }
        Noted::Return(_, key) => order.returns.iter().filter(|r| r.key == *key).count(),
        Noted::Received(_, n) => events(&|event| *event == Event::ReturnReceived(*n)),
        Noted::Refund(_, key) => {
            let own = format!("+{key}");
            order.refunds.iter().filter(|r| r.key == own).count()
        }
        Noted::Paid(_, n) => {
            let paid = |r: &&domain::order::Refund| r.n == *n && r.status == RefundStatus::Paid;
            assert_eq!(order.refunds.iter().filter(paid).count(), 1);
            events(&|event| *event == Event::RefundPaid(*n))
        }
        Noted::Order(..) | Noted::Fact { .. } => unreachable!("it is no fact about one order"),
    }
}

/// Every fact about stock is in the ledger once, as is the opening stock, and nothing else came in or was counted.
async fn check_stock(store: &Store, mut facts: BTreeMap<&str, (&str, &str, MovementKind, i64)>) {
    let mut opening = BTreeSet::new();
    for (level, ledger) in ledgers(store).await {
        for movement in ledger {
            let place = (level.sku.as_str(), level.location.as_str());
            if !matches!(movement.kind, MovementKind::Receive | MovementKind::Adjust) {
                continue;
            }
            let found = (place.0, place.1, movement.kind, movement.quantity);
            match facts.remove(movement.cause.as_str()) {
                Some(expected) => assert_eq!(found, expected),
                None => {
                    let name = domain::id::derived(&["opening", place.0, place.1]);
                    assert_eq!(movement.cause, name, "{place:?}: twice, or told by nobody");
                    assert!(opening.insert(name), "{place:?}: opened twice");
                }
            }
        }
    }
    assert_eq!(facts, BTreeMap::new(), "facts that are in no ledger");
    let retailer = include_str!("../../../../events/retailer/stock.json");
    let expected: Vec<serde_json::Value> = serde_json::from_str(retailer).unwrap();
    assert_eq!(opening.len(), expected.len(), "opening stock");
}
