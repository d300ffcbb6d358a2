//! The orders of the small world.

use domain::decision::{Considered, Decision, Verdict};
use domain::event::{Entry, Timeline};
use domain::order::{
    Buckets, Contact, Destination, FulfillmentOrder, FulfillmentStatus, Line, LineMoney, LocatedBy,
    Order, Parcel, Payment, Refund, RefundStatus, Return, Source, Units,
};
use domain::owed::Notice;
use domain::rules::Criterion;
use domain::{Currency, Event, OrderId};

use super::at;
use crate::observed::StoredOrder;

fn line(id: &str, sku: &str, price: i64, units: Buckets) -> Line {
    Line {
        id: id.into(),
        sku: Some(sku.into()),
        intangible: false,
        decimals: 0,
        units,
        money: LineMoney {
            unit_price: price,
            discount: 1,
            tax: 7,
            extras: 301,
        },
        refunded_units: 0,
        kit: None,
    }
}

fn order(name: &str, lines: Vec<Line>, captured: i64) -> Order {
    Order {
        id: OrderId::of("api", "default", name),
        version: 0,
        open_at: None,
        source: Source {
            channel: "api".into(),
            account: "default".into(),
            external_id: name.into(),
        },
        number: name.into(),
        currency: Currency::from_code("EUR").unwrap(),
        taxes_included: true,
        placed_at: at(0),
        as_of: None,
        presentment: None,
        look_again: false,
        heeded: Vec::new(),
        deliver_by: jiff::civil::date(2027, 1, 30),
        destination: Some(Destination {
            country: "DE".into(),
            point: None,
            located_by: LocatedBy::Coordinates,
        }),
        mailed: true,
        told: false,
        lines,
        holds: Vec::new(),
        forgiven: 0,
        may_wait: false,
        reservation: None,
        fulfillments: Vec::new(),
        paid_through: None,
        payments: vec![Payment::Captured(captured)],
        refunds: Vec::new(),
        returns: Vec::new(),
        moves: Vec::new(),
        notices: Vec::new(),
        untold: Vec::new(),
        published: None,
        timeline: Timeline::default(),
    }
}

fn fulfillment(
    n: u32,
    location: &str,
    status: FulfillmentStatus,
    units: &[Units],
) -> FulfillmentOrder {
    use FulfillmentStatus::{Delivered, Shipped};
    let left = matches!(status, Shipped | Delivered);
    FulfillmentOrder {
        n,
        location: location.into(),
        units: units.to_vec(),
        status,
        ship_by: jiff::civil::date(2027, 1, 20),
        shipped_at: left.then(|| at(40)),
        short_at: None,
        unrated: false,
        parcel: left.then(|| Parcel {
            carrier: "Bike".into(),
            service: String::new(),
            tracking_number: "1".into(),
            label: None,
            cost: None,
        }),
    }
}

/// Stores an order with its history: a page of seven events as soon as there are more than 14.
fn store(mut order: Order, events: Vec<Event>) -> StoredOrder {
    order.version = events.len() as u64;
    let decisions = decisions(&order, &events);
    let entry = |(k, event): (i64, Event)| Entry {
        at: at(10 * k),
        event,
    };
    let mut entries: Vec<Entry> = (0..).zip(events).map(entry).collect();
    let mut pages = Vec::new();
    let mut first = 1;
    while entries.len() > 14 {
        let rest = entries.split_off(7);
        let entries = std::mem::replace(&mut entries, rest);
        pages.push(Timeline { first, entries });
        first += 7;
    }
    order.timeline = Timeline { first, entries };
    StoredOrder {
        contact: Contact {
            email: Some(format!("{}@example.com", order.number)),
            ..Contact::default()
        },
        order,
        pages,
        decisions,
        deliveries: Vec::new(),
    }
}

/// The records of these orders' decisions: each time one location had all that was found.
fn decisions(order: &Order, events: &[Event]) -> Vec<Decision> {
    let allocated = (1..)
        .zip(events)
        .filter_map(|(version, event)| match event {
            Event::Allocated(found, _) => Some((version, found.units(0).ok()?.try_into().ok()?)),
            _ => None,
        });
    let decision = |((of_version, units), f): ((u64, u64), &FulfillmentOrder)| Decision {
        of_version,
        first_fulfillment: f.n,
        at: at(0),
        objective: Criterion::ALL,
        currency: None,
        decimals: 0,
        wanted: units,
        sent: units,
        withheld: 0,
        most: None,
        considered: vec![Considered {
            location: f.location.clone(),
            metres: 1,
            cost: None,
            arrives: None,
            late: false,
            verdict: Verdict::Sends(units),
        }],
        others: 0,
        runner_up: None,
        gap: None,
    };
    allocated.zip(&order.fulfillments).map(decision).collect()
}

pub fn sent() -> StoredOrder {
    let units = |ordered, delivered, returned| Buckets {
        ordered,
        shipped: ordered,
        delivered,
        returned,
        ..Buckets::default()
    };
    let lines = vec![
        line("1", "A", 1000, units(3, 2, 1)),
        line("2", "B", 500, units(1, 1, 0)),
    ];
    let mut order = order("sent", lines, 4100);
    order.lines[0].refunded_units = 1;
    let (arrived, left) = (FulfillmentStatus::Delivered, FulfillmentStatus::Shipped);
    order.fulfillments = vec![
        fulfillment(1, "north", arrived, &[(0, 2), (1, 1)]),
        fulfillment(2, "south", left, &[(0, 1)]),
    ];
    order.fulfillments[0].short_at = Some(at(40));
    order.returns = vec![Return {
        n: 1,
        key: "rma".into(),
        by_channel: false,
        units: vec![(0, 1)],
        received: true,
        cancelled: false,
    }];
    // A third of 3,300.
    order.refunds = vec![Refund {
        n: 1,
        key: "return-1".into(),
        amount: 1100,
        status: RefundStatus::Paid,
        external: None,
        repeats: 0,
        reason: None,
    }];
    order.payments.push(Payment::Refunded(1, 1100));
    use Event::*;
    let events = vec![
        Accepted,
        Allocated(4.into(), 0.into()),
        Notified(Notice::Confirmed),
        Notified(Notice::Pick(1)),
        Packed(1, 1.into()),
        Allocated(1.into(), 0.into()),
        StockMoved(1),
        Shipped(1, "1".into()),
        Notified(Notice::Pick(2)),
        Notified(Notice::Shipped(1)),
        StockMoved(1),
        Shipped(2, "1".into()),
        StockMoved(1),
        Notified(Notice::Shipped(2)),
        Delivered(1),
        ReturnAnnounced(1),
        ReturnReceived(1),
        StockMoved(1),
        RefundSubmitted(1),
        RefundPaid(1),
        Notified(Notice::Refunded(1)),
    ];
    store(order, events)
}

pub fn waits() -> StoredOrder {
    let units = Buckets {
        ordered: 1,
        backordered: 1,
        ..Buckets::default()
    };
    let mut order = order("waits", vec![line("1", "C", 1000, units)], 1300);
    order.mailed = false;
    store(
        order,
        vec![Event::Accepted, Event::Allocated(0.into(), 1.into())],
    )
}

pub fn cancelled() -> StoredOrder {
    let units = Buckets {
        ordered: 1,
        cancelled: 1,
        ..Buckets::default()
    };
    let mut order = order("cancelled", vec![line("1", "A", 1000, units)], 1300);
    order.lines[0].refunded_units = 1;
    order.fulfillments = vec![fulfillment(
        1,
        "north",
        FulfillmentStatus::Cancelled,
        &[(0, 1)],
    )];
    order.refunds = vec![Refund {
        n: 1,
        key: "cancel".into(),
        amount: 1300,
        status: RefundStatus::AwaitingConfirmation,
        external: None,
        repeats: 0,
        reason: None,
    }];
    use Event::*;
    let events = vec![
        Accepted,
        Allocated(1.into(), 0.into()),
        Notified(Notice::Pick(1)),
        Cancelled(1.into(), "no longer wanted".into()),
        StockMoved(1),
        Notified(Notice::Stop(1)),
        Notified(Notice::Cancelled(4)),
        RefundSubmitted(1),
    ];
    store(order, events)
}

pub fn unrated() -> StoredOrder {
    let units = Buckets {
        ordered: 2,
        packed: 2,
        ..Buckets::default()
    };
    let mut order = order("unrated", vec![line("1", "A", 1000, units)], 1000);
    order.mailed = false;
    let packed = fulfillment(1, "north", FulfillmentStatus::Packed, &[(0, 2)]);
    order.fulfillments = vec![FulfillmentOrder {
        unrated: true,
        ..packed
    }];
    // An appeasement.
    order.refunds = vec![Refund {
        n: 1,
        key: "+sorry".into(),
        amount: 50,
        status: RefundStatus::AwaitingConfirmation,
        external: None,
        repeats: 0,
        reason: None,
    }];
    use Event::*;
    let events = vec![
        Accepted,
        Allocated(2.into(), 0.into()),
        Notified(Notice::Pick(1)),
        FulfillmentAccepted(1),
        Packed(1, 0.into()),
        Unrated(1),
        RefundRequested(1, 50),
        RefundSubmitted(1),
    ];
    store(order, events)
}
