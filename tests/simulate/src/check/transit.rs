//! Goods between two warehouses, and what was found to be otherwise than expected.
//!
//! Each fact has its one movement, and each level is the sum of its movements: so if what has left is on
//! the road exactly until it arrives, each unit is counted once.

use domain::discrepancy::{Discrepancy, DiscrepancyKind};
use domain::fact::{Details, StockFact, Transfer};
use domain::stock::MovementKind;

use super::Findings;
use super::ledger::{movements, parts};
use super::stock::{Counters, Shelf};
use crate::observed::{Deed, Observed, StoredLevel};

/// What the movement of a fact names as its cause.
pub(super) fn cause(fact: &StockFact) -> &str {
    transfer(fact).map_or(&fact.id, |transfer| &transfer.id)
}

fn transfer(fact: &StockFact) -> Option<&Transfer> {
    match &fact.details {
        Some(Details::Transfer(transfer)) => Some(transfer),
        _ => None,
    }
}

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    let of_kind = |kind| {
        let facts = observed.facts.iter().filter(move |fact| fact.kind == kind);
        facts.filter_map(|fact| Some((fact, transfer(fact)?)))
    };
    for (arrival, transfer) in of_kind(MovementKind::TransferIn) {
        let mut departures = of_kind(MovementKind::TransferOut);
        let left = departures.any(|(_, departed)| departed == transfer);
        let to = arrival.location == transfer.to;
        found.expect(
            left && to,
            "arrival-without-departure",
            &transfer.id,
            || format!("expected goods that left for there: {arrival:?}"),
        );
    }
    for (departure, transfer) in of_kind(MovementKind::TransferOut) {
        let mut arrivals = of_kind(MovementKind::TransferIn);
        let arrived = arrivals.any(|(_, arrived)| arrived.id == transfer.id);
        let on_the_road = observed.transfers.iter().filter(|t| t.id == transfer.id);
        let on_the_road: Vec<&Transfer> = on_the_road.collect();
        let right = match arrived {
            true => on_the_road.is_empty(),
            false => on_the_road == [transfer],
        };
        let sent = departure.location == transfer.from && departure.quantity == transfer.quantity;
        found.expect(right && sent, "transit-differs", &transfer.id, || {
            format!("arrived: {arrived}; expected it on the road until then: {on_the_road:?}")
        });
    }
    for transfer in &observed.transfers {
        let mut departures = of_kind(MovementKind::TransferOut);
        let left = departures.any(|(_, departed)| departed == transfer);
        found.expect(left, "transit-differs", &transfer.id, || {
            "expected goods on the road to have left".into()
        });
    }
    every_receipt_counts_for_its_purchase(observed, found);
    every_difference_is_noted(observed, found);
    what_is_below_zero_is_noted(observed, found);
}

/// What has come in of a purchase line is the sum of what was received of it.
fn every_receipt_counts_for_its_purchase(observed: &Observed, found: &mut Findings) {
    let of = |fact: &StockFact| match &fact.details {
        Some(Details::Inbound(id)) => Some((fact.sku.clone(), id.clone())),
        _ => None,
    };
    for line in &observed.inbound {
        let name = Some((line.sku.clone(), line.id.clone()));
        let facts = observed
            .facts
            .iter()
            .filter(|fact| fact.applied && of(fact) == name);
        let received: i64 = facts.map(|fact| fact.quantity).sum();
        found.expect(
            line.received == received,
            "receipt-uncounted",
            &line.id,
            || format!("expected {received} units to have come in of {line:?}"),
        );
    }
    for fact in observed.facts.iter().filter(|fact| of(fact).is_some()) {
        let mut lines = observed.inbound.iter();
        let name = of(fact);
        let known = lines.any(|line| Some((line.sku.clone(), line.id.clone())) == name);
        found.expect(known, "receipt-uncounted", &fact.id, || {
            format!("expected the purchase line of {fact:?}")
        });
    }
}

/// The movements with which a level sank below zero, as far as it has not stood there before.
fn sank(stored: &StoredLevel) -> impl Iterator<Item = u64> {
    let mut counters = Counters::default();
    let mut movements = (1..).zip(movements(stored));
    std::iter::from_fn(move || {
        movements.find_map(|(number, movement)| {
            let before = counters.on_hand;
            counters.add(movement);
            (before >= 0 && counters.on_hand < 0).then_some(number)
        })
    })
}

/// Whether a discrepancy is about a level, and this movement of it.
fn is_about(discrepancy: &Discrepancy, stored: &StoredLevel, movement: u64) -> bool {
    let level = &stored.level;
    discrepancy.sku == level.sku
        && discrepancy.location == level.location
        && discrepancy.cause == movement.to_string()
        && discrepancy.expected == 0
        && discrepancy.found < 0
}

/// Once every level was held against its ledger, each that is below zero is noted, once.
fn what_is_below_zero_is_noted(observed: &Observed, found: &mut Findings) {
    let reconciled = |deed: &Deed| matches!(deed, Deed::StockReconciled);
    if !observed.deeds.iter().any(reconciled) {
        return;
    }
    // Of several shares each may be below zero by itself: what came to one is noted as sent from another.
    let whole = |l: &&StoredLevel| l.level.share == 0 && l.level.shares == 1;
    let levels = observed.levels.iter().filter(whole);
    for stored in levels.filter(|l| l.level.on_hand < 0) {
        let Some(since) = sank(stored).last() else {
            continue;
        };
        let of_kind = |d: &&Discrepancy| d.kind == DiscrepancyKind::BelowZero;
        let discrepancies = observed.discrepancies.iter().filter(of_kind);
        let noted = discrepancies.filter(|d| is_about(d, stored, since)).count();
        let shelf = Shelf(&stored.level.sku, &stored.level.location);
        found.expect(noted == 1, "below-zero-not-noted", shelf, || {
            format!("expected one discrepancy since movement {since}, found {noted}")
        });
    }
}

/// A discrepancy that is due: kind, shelf, cause, units expected and found.
type Due<'a> = (DiscrepancyKind, Shelf<'a>, &'a str, i64, i64);

fn every_difference_is_noted(observed: &Observed, found: &mut Findings) {
    let mut due: Vec<Due> = Vec::new();
    for fact in observed.facts.iter().filter(|fact| fact.applied) {
        let (kind, expected, is) = match &fact.details {
            Some(Details::Count(count)) => (DiscrepancyKind::Count, count.expected, count.found),
            Some(Details::Transfer(transfer)) if fact.kind == MovementKind::TransferIn => {
                (DiscrepancyKind::Transfer, transfer.quantity, fact.quantity)
            }
            _ => continue,
        };
        let moves = match kind {
            DiscrepancyKind::Count => is - expected,
            _ => is,
        };
        let shelf = || Shelf(&fact.sku, &fact.location);
        found.expect(moves == fact.quantity, "fact-unsound", shelf(), || {
            format!("expected {moves} units to move by {fact:?}")
        });
        if expected != is {
            due.push((kind, shelf(), cause(fact), expected, is));
        }
    }
    for stored in &observed.levels {
        let level = &stored.level;
        for movement in movements(stored).filter(|m| m.kind == MovementKind::Short) {
            for (cause, units) in parts(observed, level, movement) {
                let shelf = Shelf(&level.sku, &level.location);
                due.push((DiscrepancyKind::ShortPick, shelf, cause, units, 0));
            }
        }
    }
    for discrepancy in &observed.discrepancies {
        if discrepancy.kind == DiscrepancyKind::BelowZero {
            let mut levels = observed.levels.iter();
            let called =
                levels.any(|stored| sank(stored).any(|sank| is_about(discrepancy, stored, sank)));
            found.expect(called, "discrepancy-uncalled", &discrepancy.id, || {
                format!("expected what shows {discrepancy:?}")
            });
            continue;
        }
        let same = |due: &Due| {
            let (kind, Shelf(sku, location), cause, expected, is) = due;
            let Discrepancy { kind: found, .. } = discrepancy;
            found == kind
                && (discrepancy.sku == *sku && discrepancy.location == *location)
                && discrepancy.cause == *cause
                && (discrepancy.expected, discrepancy.found) == (*expected, *is)
        };
        let place = due.iter().position(same);
        found.expect(
            place.is_some(),
            "discrepancy-uncalled",
            &discrepancy.id,
            || format!("expected what shows {discrepancy:?}"),
        );
        if let Some(place) = place {
            due.swap_remove(place);
        }
    }
    for (kind, shelf, cause, expected, is) in due {
        found.expect(false, "discrepancy-not-noted", shelf, || {
            format!("{kind:?} of {cause}: {expected} expected, {is} found, and nobody is told")
        });
    }
}
