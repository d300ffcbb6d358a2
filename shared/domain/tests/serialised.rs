//! How orders and their contacts are written: what is stored once has to be read for ever.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::*;
use domain::Quantity;
use domain::change::{Disposition, announce_return, receive_return};
use domain::delivery::Delivery;
use domain::event::{Entry, Event, Timeline};
use domain::feed::message;
use domain::fulfillment::Report;
use domain::intake::NewOrder;
use domain::order::*;
use domain::owed::{Notice, owed};
use domain::payment::{PaidThrough, Provider};
use domain::refund::{confirm, submitted};
use domain::replay::{Passed, Replay};
use domain::shipping::ship;
use domain::stock::{MovementKind, moved};
use domain::subscriber::Subscriber;
use domain::telling::Resolution;
use domain::{OrderId, Work};
use jiff::civil::date;
use serde_json::{Value, from_str, json, to_string, to_string_pretty, to_value};

/// Every field set, every variant there. A field that is added has to be added here.
fn complete() -> Order {
    let events = {
        use Event::*;
        use Notice as N;
        vec![
            Accepted,
            HoldReleased("payment".into()),
            Allocated(3.into(), 1.into()),
            AllocatedReserved(3.into(), Quantity::new(15, 1), 2.into()),
            Notified(N::Pick(1)),
            NotNotified(N::Stop(1), "bounced".into()),
            Notified(N::Confirmed),
            Notified(N::Shipped(1)),
            Notified(N::Refunded(1)),
            Notified(N::Cancelled(17)),
            Notified(N::Acknowledged),
            NotNotified(N::Sent(1), "status 422".into()),
            FulfillmentAccepted(1),
            FulfillmentRejected(2, "flood".into()),
            Packed(1, 0.into()),
            Unrated(1),
            Shipped(1, "T1".into()),
            Delivered(1),
            StockMoved(2),
            Event::Cancelled(1.into(), "changed my mind".into()),
            ReturnAnnounced(1),
            ReturnReceived(1),
            ReturnCancelled(1),
            RefundRequested(1, 500),
            RefundSubmitted(1),
            RefundPaid(1),
            RefundRefused(1, "charge_disputed".into()),
            RefundRepeated(1),
            Restated(true),
            UntoldResolved(Resolution::Again),
            UntoldResolved(Resolution::Settled),
        ]
    };
    let entries = events.into_iter().map(|event| Entry { at: now(), event });
    let holds = [
        HoldReason::UnknownSku,
        HoldReason::Totals {
            stated: 1999,
            computed: 2000,
        },
        HoldReason::Address,
        HoldReason::Payment,
        HoldReason::Test,
        HoldReason::Rejections,
        HoldReason::OutOfStock,
        HoldReason::Channel(vec![
            Difference::Currency(currency("USD")),
            Difference::Cancelled,
            Difference::Shipped,
            Difference::Lines("L".into()),
            Difference::Recipient("R".into()),
            Difference::Refunded(100),
            Difference::Paid,
        ]),
    ];
    let kinds = [
        MovementKind::Allocate,
        MovementKind::Release,
        MovementKind::Ship,
        MovementKind::Short,
        MovementKind::Receive,
        MovementKind::Adjust,
        MovementKind::Count,
        MovementKind::TransferOut,
        MovementKind::TransferIn,
        MovementKind::Restock,
        MovementKind::Quarantine,
        MovementKind::ReturnToVendor,
        MovementKind::Scrap,
        MovementKind::Reject,
        MovementKind::Reserve,
        MovementKind::Commit,
        MovementKind::Unreserve,
        MovementKind::Expire,
    ];
    let statuses = [
        FulfillmentStatus::Released,
        FulfillmentStatus::Accepted,
        FulfillmentStatus::Packed,
        FulfillmentStatus::Shipped,
        FulfillmentStatus::Delivered,
        FulfillmentStatus::Rejected,
        FulfillmentStatus::Cancelled,
    ];
    let refunds = [
        RefundStatus::Requested,
        RefundStatus::AwaitingConfirmation,
        RefundStatus::Paid,
        RefundStatus::Refused,
    ];
    Order {
        id: OrderId::of("api", "default", "4711"),
        version: 38,
        open_at: Some(now()),
        source: Source {
            channel: "api".into(),
            account: "default".into(),
            external_id: "4711".into(),
        },
        number: "1001".into(),
        currency: currency("KWD"),
        taxes_included: true,
        placed_at: now(),
        as_of: Some(now()),
        presentment: Some((2199, currency("USD"))),
        deliver_by: date(2026, 3, 14),
        destination: Some(Destination {
            country: "DE".into(),
            point: Some((525, -134)),
            located_by: LocatedBy::City,
        }),
        mailed: true,
        told: true,
        reservation: Some(NamedReservation {
            id: "R".into(),
            used: true,
        }),
        lines: vec![Line {
            id: "1".into(),
            sku: Some("A".into()),
            intangible: true,
            decimals: 1,
            units: Buckets {
                ordered: 39,
                cancelled: 1,
                backordered: 2,
                open: 3,
                allocated: 4,
                packed: 5,
                shipped: 24,
                delivered: 8,
                returned: 7,
            },
            money: LineMoney {
                unit_price: 1000,
                discount: 20,
                tax: 190,
                extras: 5,
            },
            refunded_units: 6,
            kit: Some(domain::kit::KitPart {
                line: "0".into(),
                sku: "SET".into(),
                per_kit: 2,
            }),
        }],
        forgiven: 1,
        may_wait: true,
        look_again: true,
        heeded: vec![Difference::Cancelled],
        holds: holds
            .map(|reason| Hold {
                reason,
                since: now(),
            })
            .to_vec(),
        fulfillments: (1..)
            .zip(statuses)
            .map(|(n, status)| FulfillmentOrder {
                n,
                location: "ber".into(),
                units: vec![(0, n)],
                status,
                ship_by: date(2026, 3, 5),
                shipped_at: Some(later(1)),
                short_at: Some(later(1)),
                unrated: true,
                parcel: Some(parcel("T1")),
            })
            .collect(),
        paid_through: Some(PaidThrough {
            provider: Provider::Stripe,
            account: "main".into(),
            reference: "pi_1".into(),
        }),
        payments: vec![
            Payment::Authorised(2000),
            Payment::Captured(1999),
            Payment::Refunded(1, 500),
        ],
        refunds: (1..)
            .zip(refunds)
            .map(|(n, status)| Refund {
                n,
                key: format!("key-{n}"),
                amount: 500,
                status,
                external: (status == RefundStatus::Paid).then(|| "r1".into()),
                repeats: u32::from(status == RefundStatus::Refused),
                reason: (status == RefundStatus::Refused).then(|| "status 402".into()),
            })
            .collect(),
        returns: vec![Return {
            n: 1,
            key: "key".into(),
            by_channel: true,
            units: vec![(0, 2)],
            received: true,
            cancelled: true,
        }],
        moves: kinds
            .map(|kind| Move {
                kind,
                location: "muc".into(),
                units: vec![(0, 1)],
            })
            .to_vec(),
        notices: vec![
            Notice::Pick(1),
            Notice::Stop(1),
            Notice::Confirmed,
            Notice::Shipped(1),
            Notice::Refunded(1),
            Notice::Cancelled(17),
            Notice::Acknowledged,
            Notice::Sent(1),
        ],
        untold: vec![Notice::Sent(2)],
        published: Some(16),
        timeline: Timeline {
            first: 14,
            entries: entries.collect(),
        },
    }
}

/// Orders are stored under these names: if this fails, a name has changed and what is stored can
/// no longer be read. New fields need a default, and go into the golden file.
#[test]
fn the_stored_form_of_an_order_is_fixed() {
    let golden = include_str!("golden/order.json");
    let order = complete();
    let written = to_string_pretty(&order).unwrap();
    assert_eq!(written, golden.trim_end(), "found:\n{written}");
    assert_eq!(from_str::<Order>(golden).unwrap(), order);
}

#[test]
fn what_is_not_written_is_read_as_nothing() {
    let least = json!({
        "id": "AD4OVS4KRET6JAPB",
        "version": 1,
        "src": {"c": "api", "a": "default", "x": "4711"},
        "num": "1001",
        "cur": "EUR",
        "at": 1772614800,
        "by": "2026-03-14",
        "ln": [{"i": "1", "q": {"n": 1, "x": 1}, "m": {}}],
        "ev": {"f": 1, "l": [{"t": 1772614800, "e": "ac"}]},
    });
    let order: Order = serde_json::from_value(least.clone()).unwrap();
    assert_eq!(order.placed_at, now());
    assert_eq!(to_value(&order).unwrap(), least, "and written as nothing");
    let fulfillment =
        json!({"n": 1, "w": "ber", "u": [[0, 1]], "s": "released", "d": "2026-03-05"});
    let read: FulfillmentOrder = serde_json::from_value(fulfillment.clone()).unwrap();
    assert_eq!(to_value(&read).unwrap(), fulfillment);
}

/// Before it was looked up where an address is, a destination had coordinates of the channel or none.
#[test]
fn destinations_of_old_are_read_as_what_they_were() {
    for (stored, accuracy) in [
        (json!({"c": "DE"}), "country"),
        (json!({"c": "DE", "p": [525, 134]}), "coordinates"),
        (json!({"c": "DE", "p": [525, 134], "a": "z"}), "postal_code"),
        (json!({"c": "DE", "p": [525, 134], "a": "c"}), "city"),
    ] {
        let read: Destination = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(read.accuracy(), accuracy);
        assert_eq!(to_value(&read).unwrap(), stored);
    }
}

#[test]
fn what_cannot_be_an_order_is_not_read_as_one() {
    let order = to_value(complete()).unwrap();
    let read = |path: &str, value: Value| {
        let mut order = order.clone();
        *order.pointer_mut(path).unwrap() = value;
        serde_json::from_value::<Order>(order)
    };
    assert!(read("/cur", json!("KWD")).is_ok());
    for (path, value) in [
        ("/cur", json!("XYZ")),
        ("/cur", json!("kwd")),
        ("/fo/0/s", json!("lost")),
        ("/ln/0/q/n", json!(-1)),
        ("/ln/0/q/n", json!(1u64 << 32)),
        ("/by", json!("2026-02-30")),
        ("/to/a", json!("y")),
        ("/ev/l/0/e", json!("??")),
    ] {
        assert!(read(path, value.clone()).is_err(), "{path} {value}");
    }
}

/// Mails whatever is due.
fn all_told(mut order: Order) -> Order {
    for work in owed(&order) {
        if let Work::Notify(notice) = work {
            order = domain::owed::notified(&order, &notice, None, now()).unwrap();
        }
    }
    order
}

/// Two lines, from the shop to the customer and one of them back: the order after each change.
fn life() -> Vec<Order> {
    let mut new = new_order(vec![
        line("13579246801357", "TEE-BLK-M", 2, 1999),
        line("13579246801358", "MUG-350", 1, 1250),
    ]);
    new.source = Source {
        channel: "shopify".into(),
        account: "main".into(),
        external_id: "5779284918342".into(),
    };
    new.tax = 838;
    new.extras = 490;
    new.payments = vec![Payment::Captured(5738)];
    let mut states = vec![accept(new)];
    let levels = [("TEE-BLK-M", "ber", 9), ("MUG-350", "ber", 9)];
    let steps: [fn(&Order) -> Order; 11] = [
        |o| reported(&all_told(o.clone()), 1, &Report::Accepted),
        |o| reported(o, 1, &Report::Packed(None)),
        |o| ship(o, 1, parcel("NP4711000001DE"), now()).unwrap(),
        |o| moved(o, o.moves.len(), now()),
        |o| all_told(o.clone()),
        |o| reported(o, 1, &Report::Delivered),
        |o| {
            let lines = [("13579246801357".into(), 1.into())];
            announce_return(o, "rma-1", &lines, now())
                .unwrap()
                .0
                .unwrap()
        },
        |o| {
            let came = [("13579246801357".into(), 1.into(), Disposition::Restock)];
            receive_return(o, 1, "ber", &came, now()).unwrap().unwrap()
        },
        |o| moved(o, o.moves.len(), now()),
        |o| submitted(o, 1, now()).unwrap(),
        |o| all_told(confirm(o, 1, now()).unwrap().unwrap()),
    ];
    states.push(allocated(&states[0], &levels));
    for step in steps {
        let next = step(&states[states.len() - 1]);
        states.push(next);
    }
    states
}

/// What a value takes in DynamoDB, by its published rules: text its bytes, a number a byte for two
/// digits and one more, a list or map three bytes and one for each element.
fn stored_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(number) => {
            let text = number.to_string();
            let digits = text.trim_start_matches('-').trim_end_matches('0').len();
            digits.div_ceil(2) + 1 + usize::from(text.starts_with('-'))
        }
        Value::String(text) => text.len(),
        Value::Array(list) => 3 + list.iter().map(|v| 1 + stored_bytes(v)).sum::<usize>(),
        Value::Object(map) => {
            let entries = map.iter().map(|(k, v)| 1 + k.len() + stored_bytes(v));
            3 + entries.sum::<usize>()
        }
    }
}

#[test]
fn a_two_line_order_stays_small_all_its_life() {
    let states = life();
    let last = &states[states.len() - 1];
    let end = (last.status(), last.payment_status());
    assert_eq!(end, ("delivered", "partially_refunded"));
    assert_eq!(owed(last), []);
    let sizes: Vec<(usize, usize)> = states
        .iter()
        .map(|order| {
            (
                to_string(order).unwrap().len(),
                stored_bytes(&to_value(order).unwrap()),
            )
        })
        .collect();
    println!("bytes after each change, as JSON and as stored: {sizes:?}");
    let delivered = states
        .iter()
        .position(|o| o.status() == "delivered")
        .unwrap();
    assert!(sizes[..=delivered].iter().all(|(json, _)| *json < 1000));
    assert!(sizes.iter().all(|(_, stored)| *stored < 1000));
}

#[test]
fn every_state_of_its_life_is_read_as_it_was_written() {
    for order in life().into_iter().chain([complete()]) {
        let written = to_string(&order).unwrap();
        assert_eq!(from_str::<Order>(&written).unwrap(), order);
    }
}

#[test]
fn no_contact_details_are_in_an_order() {
    let new = new_order(vec![line("1", "A", 1, 1000)]);
    let contact = to_value(&new.contact).unwrap();
    let address = contact["address"].as_object().unwrap();
    let texts = address.iter().filter(|(field, _)| *field != "country");
    let texts = texts
        .map(|(_, text)| text)
        .chain([&contact["email"], &contact["phone"]]);
    let texts: Vec<&str> = texts
        .filter_map(Value::as_str)
        .filter(|t| !t.is_empty())
        .collect();
    assert_eq!(texts.len(), 6);
    let order = accept(NewOrder {
        mailed: true,
        ..new.clone()
    });
    let order = all_told(allocated(&order, &[("A", "ber", 1)]));
    let written = to_string(&sent(&order, 1, now())).unwrap();
    for text in texts {
        assert!(!written.contains(text), "{text:?} is in {written}");
    }
}

#[test]
fn the_stored_form_of_a_contact_is_fixed() {
    let address = Address {
        name: "Ada Beispiel".into(),
        company: "Beispiel GmbH".into(),
        line1: "Lindenweg 7".into(),
        line2: "Hof".into(),
        city: "Berlin".into(),
        region: "BE".into(),
        postal_code: "10115".into(),
        country: "DE".into(),
    };
    let contact = Contact {
        email: Some("ada@example.com".into()),
        phone: Some("+49 30 5550100".into()),
        address: Some(address),
        titles: vec!["Tee".into()],
        fingerprint: "e3b0".into(),
    };
    let golden = json!({
        "email": "ada@example.com",
        "phone": "+49 30 5550100",
        "address": {
            "name": "Ada Beispiel",
            "company": "Beispiel GmbH",
            "line1": "Lindenweg 7",
            "line2": "Hof",
            "city": "Berlin",
            "region": "BE",
            "postal_code": "10115",
            "country": "DE",
        },
        "titles": ["Tee"],
        "fingerprint": "e3b0",
    });
    assert_eq!(to_value(&contact).unwrap(), golden);
    assert_eq!(serde_json::from_value::<Contact>(golden).unwrap(), contact);
    assert_eq!(from_str::<Contact>("{}").unwrap(), Contact::default());
}

/// Subscribers hear of every event under its own name, and of nobody whom they may not know.
#[test]
fn what_subscribers_are_sent_has_a_name_and_says_nothing_that_people_wrote() {
    let order = complete();
    let contact = Contact {
        email: Some("ada@example.com".into()),
        ..Contact::default()
    };
    let mut names = BTreeSet::new();
    let words = ["bounced", "flood", "changed my mind"];
    let mut told = 0;
    for (n, entry) in (14..).zip(&order.timeline.entries) {
        names.insert(entry.event.name());
        let plain = to_value(message(&order, n, entry, None)).unwrap();
        let text = plain.to_string();
        assert!(!words.iter().any(|word| text.contains(word)), "{text}");
        assert!(!text.contains("ada@example.com"));
        let whole = to_value(message(&order, n, entry, Some(&contact))).unwrap();
        told += usize::from(words.iter().any(|word| whole.to_string().contains(word)));
        assert_eq!(whole["data"]["customer"]["email"], "ada@example.com");
        assert_eq!(plain["data"]["event"]["id"], format!("{}-E{n}", order.id));
        assert_eq!(whole["data"]["sequence"], n);
    }
    assert_eq!(told, words.len());
    assert_eq!(names, BTreeSet::from(Event::NAMES));
}

/// How far a subscriber has heard of an order is stored under these names.
#[test]
fn the_stored_form_of_a_delivery_is_fixed() {
    let id = OrderId::of("api", "default", "4711");
    let delivery = Delivery::new(&id, "erp")
        .taken(3)
        .refused(9, now())
        .turned();
    let written = json!({
        "order": id, "subscriber": "erp", "delivered": 3, "failed": 1, "due_at": now().as_second() + 5, "turn": 1,
    });
    assert_eq!(to_value(&delivery).unwrap(), written);
    assert_eq!(
        serde_json::from_value::<Delivery>(written).unwrap(),
        delivery
    );
    let least = json!({"order": id, "subscriber": "erp", "delivered": 0, "turn": 0});
    let new: Delivery = serde_json::from_value(least.clone()).unwrap();
    assert_eq!(
        (&new, to_value(&new).unwrap()),
        (&Delivery::new(&id, "erp"), least)
    );
    let replay = Replay::new(None, "erp", now(), now());
    let (least, second) = (to_value(&replay).unwrap(), now().as_second());
    let written = json!({"subscriber": "erp", "from": second, "asked_at": second, "turn": 1});
    assert_eq!(least, written);
    let place = ("ORDER#A".to_owned(), "ORDER".to_owned());
    let passed = |after| Passed {
        seen: 3,
        told: 2,
        after,
    };
    let on = replay.behind(passed(Some(place)), now());
    let written = json!({
        "subscriber": "erp", "from": second, "asked_at": second, "after": ["ORDER#A", "ORDER"], "seen": 3, "told": 2,
        "turn": 2,
    });
    assert_eq!(to_value(&on).unwrap(), written);
    assert_eq!(serde_json::from_value::<Replay>(written).unwrap(), on);
    let done = to_value(on.behind(passed(None), now())).unwrap();
    assert_eq!(
        (&done["done_at"], done.get("after")),
        (&json!(second), None)
    );
    let subscriber = json!({"url": "https://erp.example/"});
    let subscriber: Subscriber = serde_json::from_value(subscriber).unwrap();
    assert!(
        subscriber.enabled && !subscriber.personal_data,
        "unless it is said"
    );
}
