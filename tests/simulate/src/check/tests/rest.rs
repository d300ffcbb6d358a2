use domain::order::{Hold, HoldReason, RefundStatus};
use domain::owed::Notice;
use domain::stock::{Breakdown, Level, MovementKind};
use domain::{OrderId, Step};

use crate::check::at_rest;
use crate::check::sample::{
    A_NORTH, A_SOUTH, B_NORTH, CANCELLED, SENT, UNRATED, WAITS, at, bring, movement, short, world,
};
use crate::observed::{Deed, Observed, Parked, StoredLevel};

#[test]
fn a_world_in_which_all_is_right_is_let_be() {
    assert_eq!(at_rest(&world()), []);
    assert_eq!(at_rest(&Observed::default()), []);
}

/// What is found after one change to the good world is this rule, and no other.
#[track_caller]
pub fn breaks(rule: &str, change: impl FnOnce(&mut Observed)) {
    let mut world = world();
    change(&mut world);
    let found = at_rest(&world);
    assert!(!found.is_empty(), "nothing is found");
    for violation in found {
        assert_eq!(violation.rule, rule, "{violation:?}");
        assert!(!violation.subject.is_empty() && !violation.detail.is_empty());
    }
}

/// A change of the good world after which it is still right.
#[track_caller]
pub fn keeps(change: impl FnOnce(&mut Observed)) {
    let mut world = world();
    change(&mut world);
    assert_eq!(at_rest(&world), []);
}

#[test]
fn what_is_stored_contradicts_itself() {
    breaks("timeline-gap", |w| w.orders[SENT].pages.clear());
    breaks("timeline-gap", |w| w.orders[SENT].pages[0].first = 2);
    breaks("timeline-version", |w| w.orders[WAITS].order.version = 3);
    breaks("ledger-gap", |w| w.levels[A_NORTH].pages[0].0 = 2);
    breaks("ledger-gap", |w| w.levels[A_NORTH].level.movements += 1);
    // A page that nobody has taken out yet.
    keeps(|w| not_taken_out(&mut w.levels[A_NORTH]));
    breaks("ledger-page", |w| {
        not_taken_out(&mut w.levels[A_NORTH]);
        let page = w.levels[A_NORTH].pages.last_mut().unwrap();
        page.1[0].quantity += 1;
    });
    breaks("ledger-sum", |w| {
        let level = &mut w.levels[B_NORTH].level;
        level.on_hand += 1;
        level.available += 1;
    });
}

fn not_taken_out(stored: &mut StoredLevel) {
    let first = stored.level.movements + 1 - stored.level.tail.len() as u64;
    stored.pages.push((first, stored.level.tail[..2].to_vec()));
}

#[test]
fn something_still_has_to_be_done() {
    breaks("queue-not-empty", |w| w.queued = 1);
    let parked = |reason: Option<&str>| Parked {
        step: Step::ShipOrder,
        subject: "X".into(),
        reason: reason.map(Into::into),
    };
    breaks("parked", |w| w.parked.push(parked(None)));
    breaks("parked", |w| w.parked.push(parked(Some("timed out"))));
    keeps(|w| w.parked.push(parked(Some("there is no such order"))));
    keeps(|w| {
        w.parked
            .push(parked(Some("the message cannot be read: EOF")))
    });
    breaks("goods-not-looked-for", |w| {
        w.waiting.clear();
        let order = &mut w.orders[WAITS].order;
        order.lines[0].units.open = std::mem::take(&mut order.lines[0].units.backordered);
        order.open_at = Some(at(0));
    });
    breaks("notice-due", |w| {
        let order = &mut w.orders[WAITS].order;
        order.notices.push(Notice::Pick(1));
        order.open_at = Some(at(0));
    });
    breaks("move-due", |w| {
        // The last movement of B has not been noted.
        let level = &mut w.levels[B_NORTH].level;
        level.tail.pop();
        level.movements -= 1;
        (level.on_hand, level.allocated) = (1, 1);
        let order = &mut w.orders[SENT].order;
        order.moves.push(domain::order::Move {
            kind: MovementKind::Ship,
            location: "north".into(),
            units: vec![(1, 1)],
        });
        order.open_at = Some(at(0));
    });
    breaks("parcel-not-sent", |w| {
        let order = &mut w.orders[UNRATED].order;
        order.fulfillments[0].unrated = false;
        order.open_at = Some(at(0));
    });
    breaks("refund-not-asked", |w| {
        let order = &mut w.orders[UNRATED].order;
        order.refunds[0].status = RefundStatus::Requested;
        order.open_at = Some(at(0));
    });
}

#[test]
fn what_waits_is_listed_and_cannot_be_had() {
    breaks("waits-unlisted", |w| w.waiting.clear());
    breaks("waits-unlisted", |w| w.waiting[0].2 += 1);
    breaks("waits-for-nothing", |w| {
        let id = w.orders[SENT].order.id.clone();
        w.waiting.push(("A".into(), id, 1));
    });
    breaks("waits-for-nothing", |w| {
        let nobody = OrderId::of("api", "default", "nobody");
        w.waiting.push(("C".into(), nobody, 1));
    });
    // Who was cancelled stays on the list until the goods come.
    keeps(|w| {
        let id = w.orders[CANCELLED].order.id.clone();
        w.waiting.push(("A".into(), id, 1));
    });
    breaks("waits-for-goods-that-are-there", |w| {
        bring(w, "C", "north", 1)
    });
    keeps(|w| {
        bring(w, "C", "north", 1);
        w.serves.push(("north".into(), vec!["FR".into()]));
    });
    keeps(|w| {
        bring(w, "C", "north", 1);
        w.safety_stock.push(("C".into(), 1));
    });
    breaks("waits-unasked", |w| w.asks_to_wait.push("C".into()));
    keeps(|w| {
        w.asks_to_wait.push("C".into());
        w.orders[WAITS].order.may_wait = true;
    });
    breaks("waits-for-goods-that-are-there", |w| {
        bring(w, "C", "north", 1);
        w.serves
            .push(("north".into(), vec!["FR".into(), "DE".into()]));
    });
    keeps(|w| {
        bring(w, "C", "north", 1);
        w.orders[WAITS].order.destination = None;
        // Nobody has said where it goes.
        let waits = w.orders[WAITS].order.id.clone();
        w.deeds
            .retain(|deed| !matches!(deed, Deed::Ordered { id, .. } if *id == waits));
    });
    keeps(|w| {
        bring(w, "C", "north", 1);
        let since = at(0);
        let reason = HoldReason::Address;
        w.orders[WAITS].order.holds.push(Hold { reason, since });
    });
}

/// Gives the order that waits for C a fulfillment order of A that was packed one short in `north`
/// at 60, and lets goods of C come in there at `second`.
fn found_short(w: &mut Observed, second: i64) {
    bring(w, "C", "north", 1);
    w.levels.last_mut().unwrap().level.tail[0].at = at(second);
    w.orders[UNRATED].order.fulfillments[0].short_at = Some(at(60));
    let line = &w.orders[WAITS].order.lines[0];
    let line = domain::Line {
        id: "2".into(),
        ..line.clone()
    };
    let order = &mut w.orders[UNRATED].order;
    order.lines.push(line);
    order.payments = vec![domain::order::Payment::Captured(3600)];
    let id = order.id.clone();
    w.waiting = vec![("C".into(), id, 1)];
    w.orders[WAITS].order.destination = None;
    w.orders[WAITS].order.lines[0].units.backordered = 0;
    w.orders[WAITS].order.lines[0].units.cancelled = 1;
    w.deeds.clear();
}

#[test]
fn a_shelf_that_was_found_short_is_believed_when_goods_have_come_in() {
    keeps(|w| found_short(w, 59));
    keeps(|w| found_short(w, 60));
    breaks("waits-for-goods-that-are-there", |w| found_short(w, 61));
    keeps(|w| {
        found_short(w, 61);
        // They are on a page: the item tells nothing any more.
        let level = w.levels.last_mut().unwrap();
        let page = std::mem::take(&mut level.level.tail);
        level.pages.push((1, page));
    });
}

#[test]
fn the_money_of_what_came_back_has_been_asked_back() {
    breaks("money-not-given-back", |w| {
        let order = &mut w.orders[CANCELLED].order;
        order.refunds.clear();
        order.lines[0].refunded_units = 0;
    });
    keeps(|w| {
        // A test's money was never real.
        let order = &mut w.orders[CANCELLED].order;
        order.refunds.clear();
        order.lines[0].refunded_units = 0;
        let (reason, since) = (HoldReason::Test, at(0));
        order.holds.push(Hold { reason, since });
    });
    breaks("refunds-differ-from-charge", |w| {
        w.orders[CANCELLED].order.refunds[0].amount = 1299;
    });
    breaks("refunds-differ-from-charge", |w| {
        let order = &mut w.orders[CANCELLED].order;
        order.payments = vec![domain::order::Payment::Captured(1400)];
        order.refunds[0].amount = 1400;
        w.deeds.clear();
    });
}

/// Adds a movement, and nothing that would call for it.
fn moves(w: &mut Observed, level: usize, kind: MovementKind, units: i64, cause: &str) {
    let stored = &mut w.levels[level];
    stored.level.movements += 1;
    stored.level.tail.push(movement(kind, units, cause));
    let (on_hand, allocated) = match kind {
        MovementKind::Allocate => (0, 1),
        MovementKind::Release => (0, -1),
        MovementKind::Ship | MovementKind::Short => (-1, -1),
        MovementKind::Receive | MovementKind::Adjust | MovementKind::Restock => (1, 0),
        _ => (0, 0),
    };
    stored.level.on_hand += on_hand * units;
    stored.level.allocated += allocated * units;
    stored.level.available += (on_hand - allocated) * units;
}

/// The world with its last movement of A as one that stands for others.
fn broken_down(w: &mut Observed) -> &mut Vec<(String, i64)> {
    let order = w.orders[UNRATED].order.id.to_string();
    if let Some(movement) = w.levels[A_NORTH].level.tail.last_mut() {
        movement.cause = "BATCH-b".into();
    }
    w.breakdowns.push(Breakdown {
        id: "b".into(),
        sku: "A".into(),
        location: "north".into(),
        parts: vec![(order.clone(), 1), (order, 1)],
    });
    &mut w.breakdowns[0].parts
}

#[test]
fn a_movement_of_many_is_broken_down() {
    keeps(|w| {
        broken_down(w);
    });
    // So is one of picks that fell short, of which each is noted.
    keeps(|w| {
        let level = &mut w.levels[A_NORTH];
        let pages = level.pages.iter_mut().flat_map(|(_, page)| page);
        let mut movements = level.level.tail.iter_mut().chain(pages);
        let picks = movements.find(|m| m.kind == MovementKind::Short);
        let order = std::mem::replace(&mut picks.unwrap().cause, "BATCH-s".into());
        w.breakdowns.push(Breakdown {
            id: "s".into(),
            sku: "A".into(),
            location: "north".into(),
            parts: vec![(order, 1)],
        });
    });
    breaks("breakdown-missing", |w| broken_down(w).clear());
    breaks("breakdown-missing", |w| {
        broken_down(w);
        w.breakdowns[0].location = "south".into();
    });
    breaks("breakdown-sum", |w| broken_down(w)[0].1 = 2);
    breaks("breakdown-sum", |w| {
        let parts = broken_down(w);
        (parts[0].1, parts[1].1) = (3, -1);
    });
    breaks("breakdown-of-nothing", |w| {
        broken_down(w);
        w.breakdowns.push(w.breakdowns[0].clone());
        w.breakdowns[1].id = "c".into();
    });
    breaks("ledger-held", |w| {
        let other = w.orders[SENT].order.id.to_string();
        broken_down(w)[0].0 = other;
    });
    breaks("movement-without-cause", |w| {
        broken_down(w).push(("nobody".into(), 1));
        moves(w, A_NORTH, MovementKind::Allocate, 1, "");
        let tail = &mut w.levels[A_NORTH].level;
        tail.tail.pop();
        tail.movements -= 1;
        tail.tail
            .last_mut()
            .into_iter()
            .for_each(|m| m.quantity += 1);
    });
}

/// The world with A in the north as two shares: the second has three of the units that came in, and two
/// of them are set aside for one order.
fn split(w: &mut Observed) {
    w.facts[0].shares = 2;
    let first = &mut w.levels[A_NORTH];
    let mut received = first.pages[0].1[0].clone();
    received.quantity = 3;
    first.pages[0].1[0].quantity -= 3;
    let moved = first.level.tail.pop();
    first.level.shares = 2;
    first.level.movements -= 1;
    first.level.on_hand -= 3;
    first.level.allocated -= 2;
    first.level.available -= 1;
    let second = Level {
        sku: "A".into(),
        location: "north".into(),
        share: 1,
        on_hand: 3,
        allocated: 2,
        available: 1,
        movements: 2,
        tail: [received].into_iter().chain(moved).collect(),
        ..Level::default()
    };
    w.levels.push(StoredLevel {
        level: second,
        pages: Vec::new(),
    });
}

#[test]
fn shares_are_what_is_there_together() {
    keeps(split);
    breaks("shares-allocated-negative", |w| {
        split(w);
        let order = w.orders[UNRATED].order.id.to_string();
        // Gone, and never set aside here: each share alone may look like that.
        moves(w, A_NORTH, MovementKind::Ship, 3, &order);
    });
    breaks("ledger-held", |w| {
        split(w);
        let order = w.orders[UNRATED].order.id.to_string();
        let last = w.levels.len() - 1;
        moves(w, last, MovementKind::Allocate, 1, &order);
    });
}

#[test]
fn the_ledger_differs_from_what_happened() {
    let id = |w: &Observed, place: usize| w.orders[place].order.id.to_string();
    breaks("movement-without-cause", |w| {
        moves(w, A_NORTH, MovementKind::Allocate, 1, "nobody");
    });
    breaks("movement-without-cause", |w| {
        moves(w, A_NORTH, MovementKind::Adjust, 1, "nobody");
    });
    breaks("safety-stock-promised", |w| {
        w.safety_stock.push(("A".into(), 1_000));
    });
    breaks("ledger-held", |w| {
        let id = id(w, UNRATED);
        moves(w, A_NORTH, MovementKind::Allocate, 1, &id);
    });
    breaks("ledger-shipped", |w| {
        let id = id(w, UNRATED);
        moves(w, A_NORTH, MovementKind::Ship, 1, &id);
    });
    breaks("ledger-released", |w| {
        let id = id(w, UNRATED);
        moves(w, A_NORTH, MovementKind::Release, 1, &id);
    });
    breaks("ledger-short", |w| {
        // Set aside for nothing, and not found: each alone would be noticed elsewhere.
        let id = id(w, UNRATED);
        moves(w, A_NORTH, MovementKind::Allocate, 1, &id);
        moves(w, A_NORTH, MovementKind::Short, 1, &id);
        w.discrepancies.push(short(&id));
    });
    for kind in [MovementKind::Restock, MovementKind::Scrap] {
        breaks("ledger-returned", |w| {
            let id = id(w, SENT);
            moves(w, A_SOUTH, kind, 1, &id);
        });
    }
    breaks("level-missing", |w| {
        w.levels.remove(B_NORTH);
        w.facts.remove(1);
        w.deeds.remove(1);
    });
    breaks("fact-movement", |w| {
        moves(w, B_NORTH, MovementKind::Receive, 1, "f2")
    });
    breaks("fact-movement", |w| {
        w.facts[0].quantity = 9;
        w.deeds.remove(0);
    });
    breaks("fact-movement", |w| {
        w.facts[0].applied = true;
        w.facts[0].location = "south".into();
        w.deeds.remove(0);
    });
    breaks("fact-not-applied", |w| {
        let mut fact = w.facts[0].clone();
        fact.id = "f9".into();
        fact.applied = false;
        w.facts.push(fact);
    });
}
