use domain::Event;
use domain::order::NamedReservation;
use domain::reservation::{Kept, Reservation, ReservationStatus};
use domain::stock::MovementKind;

use super::rest::{breaks, keeps};
use crate::check::sample::{CANCELLED, UNRATED, at, bring, movement};
use crate::observed::{Deed, Observed};

fn reservation(id: &str, status: ReservationStatus, quantity: i64) -> Reservation {
    Reservation {
        id: id.into(),
        status,
        held_until: at(60),
        kept: vec![Kept {
            sku: "E".into(),
            location: "north".into(),
            share: 0,
            quantity,
            decimals: 0,
        }],
        fingerprint: String::new(),
        order: None,
    }
}

/// Nine of E, of which one is kept; two were until the time was over, and three until that was given up.
fn reserved(w: &mut Observed) {
    use MovementKind::{Expire, Reserve, Unreserve};
    bring(w, "E", "north", 9);
    let level = &mut w.levels.last_mut().unwrap().level;
    level.tail.extend([
        movement(Reserve, 2, "R2"),
        movement(Reserve, 3, "R3"),
        movement(Expire, 2, "R2"),
        movement(Unreserve, 3, "R3"),
        movement(Reserve, 1, "R1"),
    ]);
    (level.movements, level.reserved, level.available) = (6, 1, 8);
    w.reservations = vec![
        reservation("R1", ReservationStatus::Held, 1),
        reservation("R2", ReservationStatus::Expired, 2),
        reservation("R3", ReservationStatus::Released, 3),
    ];
    w.deeds.push(Deed::Reserved {
        id: "R1".into(),
        lines: vec![("E".into(), 1, Some("north".into()))],
    });
    w.deeds.push(Deed::ReservationExtended("R2".into()));
    w.deeds.push(Deed::ReservationReleased("R3".into()));
}

/// What expired was taken up by an order instead.
fn taken_up(w: &mut Observed) {
    reserved(w);
    let order = w.orders[UNRATED].order.id.clone();
    w.reservations[1].status = ReservationStatus::Committed;
    w.reservations[1].order = Some(order.clone());
    let level = &mut w.levels.last_mut().unwrap().level;
    level.tail[3] = movement(MovementKind::Commit, 2, order.as_str());
}

/// The order that has taken it up says so.
fn says_so(w: &mut Observed, kept: u32) {
    let order = &mut w.orders[UNRATED].order;
    order.reservation = Some(NamedReservation {
        id: "R2".into(),
        used: true,
    });
    for entry in &mut order.timeline.entries {
        if let Event::Allocated(found, missing) = entry.event {
            entry.event = Event::AllocatedReserved(found, missing, i64::from(kept).into());
        }
    }
}

#[test]
fn what_is_reserved_is_kept_for_somebody() {
    keeps(reserved);
    breaks("reservations-differ-from-ledger", |w| {
        reserved(w);
        w.reservations[2].kept[0].quantity = 4;
    });
    breaks("reservations-differ-from-ledger", |w| {
        // One end is not enough for two.
        reserved(w);
        w.reservations[2].status = ReservationStatus::Expired;
        w.deeds.pop();
    });
    breaks("reservations-differ-from-ledger", |w| {
        // It is kept for nobody.
        reserved(w);
        w.reservations.remove(0);
        w.deeds
            .retain(|deed| !matches!(deed, Deed::Reserved { .. }));
        for movement in &mut w.levels.last_mut().unwrap().level.tail {
            if movement.cause == "R1" {
                movement.cause = "R2".into();
            }
        }
    });
    breaks("reservation-unsound", |w| {
        reserved(w);
        w.reservations[2].order = Some(w.orders[0].order.id.clone());
    });
}

#[test]
fn a_reservation_ends_in_time() {
    keeps(|w| {
        reserved(w);
        w.at = at(60);
    });
    breaks("reservation-overdue", |w| {
        reserved(w);
        w.at = at(600);
    });
    breaks("reservation-expired-early", |w| {
        reserved(w);
        w.reservations[1].held_until = at(61);
    });
}

/// A cancelled order was to have what is kept, and its events do not say what has become of that.
fn cancelled(w: &mut Observed) {
    reserved(w);
    w.orders[CANCELLED].order.reservation = Some(NamedReservation {
        id: "R1".into(),
        used: true,
    });
}

#[test]
fn a_cancelled_order_leaves_nothing_kept() {
    breaks("reservation-left-behind", cancelled);
}

#[test]
fn an_order_says_what_it_has_taken_up() {
    keeps(|w| {
        taken_up(w);
        says_so(w, 2);
    });
    breaks("reservation-taken-otherwise", taken_up);
    breaks("reservation-taken-otherwise", |w| {
        taken_up(w);
        says_so(w, 1);
    });
    breaks("reservation-taken-otherwise", |w| {
        reserved(w);
        says_so(w, 2);
    });
    keeps(|w| {
        reserved(w);
        says_so(w, 0);
    });
}

#[test]
fn what_was_reserved_is_there() {
    breaks("reservation-lost", |w| {
        w.deeds.push(Deed::ReservationExtended("R9".into()));
    });
    for (units, location) in [(2, "north"), (1, "south")] {
        breaks("reservation-lost", |w| {
            reserved(w);
            w.deeds.push(Deed::Reserved {
                id: "R1".into(),
                lines: vec![("E".into(), units, Some(location.into()))],
            });
        });
    }
    breaks("reservation-not-released", |w| {
        reserved(w);
        w.deeds.push(Deed::ReservationReleased("R2".into()));
    });
}
