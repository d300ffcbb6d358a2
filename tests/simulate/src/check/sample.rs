//! A small world in which everything is right: an order that was found short, sent from two
//! warehouses, returned in part and refunded; one that waits; one that was cancelled; one that is
//! packed and that no tariff takes; a shelf that was counted, and goods sent from one warehouse to another.

mod orders;

use domain::OrderId;
use domain::discrepancy::{Discrepancy, DiscrepancyKind};
use domain::fact::{Count, Details, StockFact, Transfer};
use domain::inbound::Inbound;
use domain::restock::Crossing;
use domain::stock::{Level, Movement, MovementKind};
use jiff::Timestamp;

use crate::observed::{Deed, Observed, SentMail, StoredLevel};

/// Places of the orders.
pub const SENT: usize = 0;
pub const WAITS: usize = 1;
pub const CANCELLED: usize = 2;
pub const UNRATED: usize = 3;

/// Places of the levels.
pub const A_NORTH: usize = 0;
pub const B_NORTH: usize = 1;
pub const A_SOUTH: usize = 2;
pub const D_NORTH: usize = 3;

/// Places of the facts.
pub const COUNTED: usize = 4;
pub const ARRIVED: usize = 6;

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// The level that the movements add up to, the first four of seven or more on a page.
fn level(sku: &str, location: &str, movements: Vec<Movement>) -> StoredLevel {
    let sum = |kinds: &[MovementKind]| -> i64 {
        let of = movements.iter().filter(|m| kinds.contains(&m.kind));
        of.map(|m| m.quantity).sum()
    };
    use MovementKind::*;
    let gone = sum(&[Ship, Short]);
    let (on_hand, allocated) = (
        sum(&[Receive, Adjust, MovementKind::Count, TransferIn, Restock])
            - gone
            - sum(&[TransferOut]),
        sum(&[Allocate]) - sum(&[Release]) - gone,
    );
    let count = movements.len() as u64;
    let mut tail = movements;
    let mut pages = Vec::new();
    if tail.len() >= 7 {
        let rest = tail.split_off(4);
        pages.push((1, std::mem::replace(&mut tail, rest)));
    }
    StoredLevel {
        level: Level {
            sku: sku.into(),
            location: location.into(),
            share: 0,
            shares: 1,
            on_hand,
            allocated,
            reserved: 0,
            available: on_hand - allocated,
            movements: count,
            tail,
            paged: 0,
            low: None,
            outage: None,
            crossings: 0,
            rejected_at: None,
        },
        pages,
    }
}

pub fn movement(kind: MovementKind, quantity: i64, cause: &str) -> Movement {
    Movement {
        kind,
        quantity,
        cause: cause.into(),
        at: at(60),
    }
}

/// Brings goods into a world, as a fact that a level of their own has.
pub fn bring(world: &mut Observed, sku: &str, location: &str, quantity: i64) {
    let id = format!("{sku}-{location}");
    world.facts.push(fact(&id, sku, location, quantity));
    let movements = vec![movement(MovementKind::Receive, quantity, &id)];
    world.levels.push(level(sku, location, movements));
}

fn fact(id: &str, sku: &str, location: &str, quantity: i64) -> StockFact {
    StockFact {
        id: id.into(),
        sku: sku.into(),
        location: location.into(),
        kind: MovementKind::Receive,
        quantity,
        reason: String::new(),
        at: at(0),
        applied: true,
        shares: 1,
        details: None,
    }
}

/// A crossing that nobody is about to tell of.
pub fn crossing(n: u64, told: bool) -> Crossing {
    Crossing {
        n,
        told,
        asked: false,
        over: false,
        claimed_at: None,
    }
}

pub fn mail(to: &str, key: String) -> SentMail {
    SentMail {
        to: to.into(),
        key,
        undisturbed: true,
    }
}

/// So many of D that left the north for the south.
pub fn transfer(id: &str, quantity: i64) -> Transfer {
    Transfer {
        id: id.into(),
        sku: "D".into(),
        from: "north".into(),
        to: "south".into(),
        quantity,
        expected_on: None,
        sent_at: at(0),
    }
}

/// One that was counted to be missing, of five.
fn counted() -> StockFact {
    let (found, expected) = (4, 5);
    StockFact {
        kind: MovementKind::Count,
        details: Some(Details::Count(Count { found, expected })),
        ..fact("f5", "D", "north", found - expected)
    }
}

fn applied(fact: StockFact) -> StockFact {
    StockFact {
        applied: true,
        ..fact
    }
}

pub fn short(order: &str) -> Discrepancy {
    Discrepancy {
        id: "SHORT".into(),
        kind: DiscrepancyKind::ShortPick,
        sku: "A".into(),
        location: "north".into(),
        expected: 1,
        found: 0,
        cause: order.into(),
        at: at(60),
        resolved: None,
    }
}

/// The world.
pub fn world() -> Observed {
    use MovementKind::*;
    let orders = vec![
        orders::sent(),
        orders::waits(),
        orders::cancelled(),
        orders::unrated(),
    ];
    let ids: Vec<OrderId> = orders.iter().map(|o| o.order.id.clone()).collect();
    let [sent, cancelled, unrated] = [SENT, CANCELLED, UNRATED].map(|k| ids[k].as_str());
    let mut levels = vec![
        level(
            "A",
            "north",
            vec![
                movement(Receive, 10, "f1"),
                movement(Allocate, 3, sent),
                movement(Allocate, 1, cancelled),
                movement(Short, 1, sent),
                movement(Ship, 2, sent),
                movement(Release, 1, cancelled),
                movement(Restock, 1, sent),
                movement(Allocate, 2, unrated),
            ],
        ),
        level(
            "B",
            "north",
            vec![
                movement(Receive, 1, "f2"),
                movement(Allocate, 1, sent),
                movement(Ship, 1, sent),
            ],
        ),
        level(
            "A",
            "south",
            vec![
                movement(Receive, 1, "f3"),
                movement(Allocate, 1, sent),
                movement(Ship, 1, sent),
            ],
        ),
        level(
            "D",
            "north",
            vec![
                movement(Receive, 5, "f4"),
                movement(MovementKind::Count, -1, "f5"),
                movement(TransferOut, 3, "t1"),
                movement(TransferOut, 1, "t2"),
            ],
        ),
        level("D", "south", vec![movement(TransferIn, 2, "t1")]),
    ];
    levels[A_SOUTH].level.low = Some(crossing(1, true));
    levels[A_SOUTH].level.crossings = 1;
    let ordered = |place: usize, lines: &[(&str, u32, i64)], captured| Deed::Ordered {
        id: ids[place].clone(),
        lines: lines
            .iter()
            .map(|l| (Some(l.0.to_owned()), l.1, l.2))
            .collect(),
        captured,
        email: orders[place].contact.email.clone(),
        located_by: "country",
    };
    let counted = |fact: &str, sku: &str, location: &str, quantity| Deed::Counted {
        fact: fact.into(),
        sku: sku.into(),
        location: location.into(),
        quantity,
    };
    let reported = |place: usize, n, report, lines: Option<&[(&str, u32)]>| Deed::Reported {
        order: ids[place].clone(),
        n,
        report,
        lines: lines.map(|lines| lines.iter().map(|l| (l.0.to_owned(), l.1)).collect()),
    };
    let deeds = vec![
        counted("f1", "A", "north", 10),
        counted("f2", "B", "north", 1),
        counted("f3", "A", "south", 1),
        ordered(SENT, &[("A", 3, 3300), ("B", 1, 800)], 4100),
        ordered(WAITS, &[("C", 1, 1300)], 1300),
        ordered(CANCELLED, &[("A", 1, 1300)], 1300),
        ordered(UNRATED, &[("A", 2, 2300)], 1000),
        reported(SENT, 1, "packed", Some(&[("1", 2), ("2", 1)])),
        reported(SENT, 2, "shipped", None),
        reported(SENT, 1, "delivered", None),
        Deed::ReturnAnnounced(ids[SENT].clone(), "rma".into(), 1, vec![("1".into(), 1)]),
        Deed::ReturnReceived(ids[SENT].clone(), 1),
        Deed::RefundConfirmed(ids[SENT].clone(), 1),
        Deed::Released(ids[WAITS].clone(), "payment".into()),
        Deed::Cancelled(ids[CANCELLED].clone()),
        reported(UNRATED, 1, "accepted", None),
        reported(UNRATED, 1, "packed", None),
        Deed::RefundRequested(ids[UNRATED].clone(), "sorry".into(), 1),
        counted("f4", "D", "north", 5),
        Deed::ShelfCounted {
            fact: "f5".into(),
            sku: "D".into(),
            location: "north".into(),
            found: 4,
            expected: Some(5),
        },
        Deed::TransferSent(transfer("t1", 3)),
        Deed::TransferSent(transfer("t2", 1)),
        Deed::TransferReceived("D".into(), "t1".into(), 2),
    ];
    let (to_sent, to_cancelled) = ("sent@example.com", "cancelled@example.com");
    let mails = vec![
        mail(to_sent, format!("{sent}-confirmed")),
        mail("north@example.com", format!("{sent}-pick-1")),
        mail("south@example.com", format!("{sent}-pick-2")),
        mail(to_sent, format!("{sent}-shipped-1")),
        mail(to_sent, format!("{sent}-shipped-2")),
        mail(to_sent, format!("{sent}-refunded-1")),
        mail("north@example.com", format!("{cancelled}-pick-1")),
        mail("north@example.com", format!("{cancelled}-stop-1")),
        mail(to_cancelled, format!("{cancelled}-cancelled-4")),
        mail("north@example.com", format!("{unrated}-pick-1")),
        mail("team@example.com", "A-low-south-1".into()),
    ];
    let waiting = vec![("C".to_owned(), ids[WAITS].clone(), 1)];
    Observed {
        facts: vec![
            fact("f1", "A", "north", 10),
            fact("f2", "B", "north", 1),
            fact("f3", "A", "south", 1),
            fact("f4", "D", "north", 5),
            self::counted(),
            applied(transfer("t1", 3).departure(String::new())),
            applied(transfer("t1", 3).arrival(2, at(30))),
            applied(transfer("t2", 1).departure(String::new())),
        ],
        transfers: vec![transfer("t2", 1)],
        inbound: vec![inbound()],
        discrepancies: [
            Discrepancy::of_fact(&self::counted()),
            Discrepancy::of_fact(&transfer("t1", 3).arrival(2, at(30))),
            Some(short(sent)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        orders,
        levels,
        waiting,
        mails,
        deeds,
        ..Observed::default()
    }
}

/// A purchase line of which nothing has come in.
fn inbound() -> Inbound {
    Inbound {
        id: "p1".into(),
        sku: "C".into(),
        location: "north".into(),
        quantity: 4,
        expected_on: jiff::civil::date(2026, 1, 9),
        received: 0,
    }
}
