//! What is kept is kept for somebody, and each reservation ends once.
//!
//! Each level is the sum of its movements: so if every reservation has the movement that began it, and one that ended it
//! unless it is held, what a level keeps is what those keep that are held.

use std::collections::BTreeMap;

use domain::Event;
use domain::order::Line;
use domain::reservation::{Kept, Reservation, ReservationStatus};
use domain::stock::MovementKind;

use super::{Findings, history, ledger};
use crate::measure::{thousandths, thousandths_of};
use crate::observed::Observed;

/// Seconds after which a reservation whose time is over has ended: its schedule is due every minute, and a
/// clock may be wrong by some seconds.
const LATE_S: i64 = 120;

/// Units that moved in one share of a level because of something: kind, SKU, location, share, cause.
type Moved<'a> = BTreeMap<(&'static str, &'a str, &'a str, u8, &'a str), i64>;

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    let moved = moved(observed);
    let mut due = Moved::new();
    for reservation in &observed.reservations {
        let id = reservation.id.as_str();
        let order = reservation.order.as_ref();
        let committed = reservation.status == ReservationStatus::Committed;
        let sound = order.is_some() == committed;
        found.expect(sound, "reservation-unsound", id, || {
            format!("expected an order exactly if it is committed: {reservation:?}")
        });
        let end = match reservation.status {
            ReservationStatus::Held => None,
            ReservationStatus::Released => Some((MovementKind::Unreserve, id)),
            ReservationStatus::Expired => Some((MovementKind::Expire, id)),
            ReservationStatus::Committed => {
                let order = order.map(|order| order.as_str());
                Some((MovementKind::Commit, order.unwrap_or_default()))
            }
        };
        for Kept {
            sku,
            location,
            share,
            quantity,
            ..
        } in &reservation.kept
        {
            for (kind, cause) in [Some((MovementKind::Reserve, id)), end]
                .into_iter()
                .flatten()
            {
                let key = (kind.name(), sku.as_str(), location.as_str(), *share, cause);
                *due.entry(key).or_default() += quantity;
            }
        }
        in_time(observed, reservation, found);
    }
    found.expect(moved == due, "reservations-differ-from-ledger", "the ledger", || {
        let missing = due.iter().filter(|(key, units)| moved.get(key) != Some(units));
        let missing: Vec<_> = missing.collect();
        let more: Vec<_> = moved.iter().filter(|(key, _)| !due.contains_key(key)).collect();
        format!("expected each begun once and ended once: missing {missing:?}, and {more:?} of nothing")
    });
    taken_up(observed, found);
}

/// What the ledger says of reservations.
fn moved(observed: &Observed) -> Moved<'_> {
    let mut moved = Moved::new();
    for stored in &observed.levels {
        let level = &stored.level;
        for movement in ledger::movements(stored) {
            use MovementKind::{Commit, Expire, Reserve, Unreserve};
            if !matches!(movement.kind, Reserve | Commit | Unreserve | Expire) {
                continue;
            }
            for (cause, units) in ledger::parts(observed, level, movement) {
                let (sku, location) = (level.sku.as_str(), level.location.as_str());
                let key = (movement.kind.name(), sku, location, level.share, cause);
                *moved.entry(key).or_default() += units;
            }
        }
    }
    moved
}

/// It does not end before its time is over, nor much later.
fn in_time(observed: &Observed, reservation: &Reservation, found: &mut Findings) {
    let (id, until) = (&reservation.id, reservation.held_until);
    let late = observed.at.as_second() > until.as_second() + LATE_S;
    let held = reservation.status == ReservationStatus::Held;
    found.expect(!(held && late), "reservation-overdue", id, || {
        format!(
            "expected it ended soon after {until}, it is {}",
            observed.at
        )
    });
    let movements = observed.levels.iter().flat_map(ledger::movements);
    let mut expired = movements.filter(|m| m.kind == MovementKind::Expire && m.cause == *id);
    let early = expired.any(|movement| movement.at.as_second() < until.as_second());
    found.expect(!early, "reservation-expired-early", id, || {
        format!("expected it to be held until {until}")
    });
}

/// An order says that it has taken up a reservation exactly if that says so.
fn taken_up(observed: &Observed, found: &mut Findings) {
    for stored in &observed.orders {
        let order = &stored.order;
        let said = history::events(stored).find_map(|event| match event {
            Event::AllocatedReserved(.., kept) => Some(thousandths_of(*kept)),
            _ => None,
        });
        let taken = observed.reservations.iter().filter(|known| {
            let committed = known.status == ReservationStatus::Committed;
            committed && known.order.as_ref() == Some(&order.id)
        });
        let taken: Vec<&Reservation> = taken.collect();
        let kept = taken.iter().flat_map(|r| &r.kept);
        let kept = kept.map(|kept| thousandths(kept.quantity, observed.decimals(&kept.sku)));
        let kept: i64 = kept.sum();
        let named = order.reservation.as_ref().map(|named| &named.id);
        let own = taken.iter().all(|taken| Some(&taken.id) == named);
        let same = own && taken.len() <= 1 && said.unwrap_or_default() == kept;
        found.expect(same, "reservation-taken-otherwise", &order.id, || {
            format!("expected {said:?} thousandths of {named:?}, found {taken:?}")
        });
        let wants = |line: &Line| line.units.cancelled < line.units.ordered;
        let held = |known: &Reservation| {
            known.status == ReservationStatus::Held && Some(&known.id) == named
        };
        // One that was made when its order had been looked at already ends by itself.
        let unlooked = said.is_none() && !order.lines.iter().any(wants);
        let left = unlooked && observed.reservations.iter().any(held);
        found.expect(!left, "reservation-left-behind", &order.id, || {
            format!("expected {named:?} given back, as all is cancelled")
        });
    }
}
