//! What the world outside was told is done, is done.

use domain::fact::{Details, Transfer};
use domain::inbound::Inbound;
use domain::order::{FulfillmentStatus, HoldReason, LocatedBy, Order, RefundStatus};
use domain::reservation::ReservationStatus;
use domain::stock::MovementKind;
use domain::{Event, FulfillmentOrder, OrderId};

use super::stock::Shelf;
use super::{Findings, history, money};
use crate::observed::{Deed, Observed, StoredOrder};

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    for deed in &observed.deeds {
        match deed {
            Deed::Ordered {
                id,
                lines,
                captured,
                email,
                located_by,
            } => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    ordered(stored, lines, *captured, email, found);
                    located(&stored.order, located_by, found);
                    measured(observed, &stored.order, found);
                }
            }
            Deed::Counted {
                fact,
                sku,
                location,
                quantity,
            } => {
                let shelf = || Shelf(sku, location);
                let known = observed
                    .facts
                    .iter()
                    .find(|f| f.id == *fact && f.sku == *sku);
                found.expect(known.is_some(), "fact-lost", shelf(), || {
                    format!("expected {deed:?}")
                });
                let same = known.is_none_or(|f| f.location == *location && f.quantity == *quantity);
                found.expect(same, "fact-differs", shelf(), || {
                    format!("expected {deed:?}, found {known:?}")
                });
            }
            Deed::ShelfCounted {
                fact,
                sku,
                location,
                found: counted,
                expected,
            } => {
                let mut facts = observed.facts.iter();
                let known = facts.find(|f| f.id == *fact && f.sku == *sku);
                let count = known.and_then(|known| match &known.details {
                    Some(Details::Count(count)) if known.location == *location => Some(count),
                    _ => None,
                });
                let same = count.is_some_and(|count| {
                    count.found == *counted && expected.is_none_or(|units| units == count.expected)
                });
                found.expect(same, "count-lost", Shelf(sku, location), || {
                    format!("expected {deed:?}, found {known:?}")
                });
            }
            Deed::Expected(expected) => {
                let same = |known: &&Inbound| {
                    let known = Inbound {
                        received: 0,
                        ..(*known).clone()
                    };
                    known == *expected
                };
                let known = observed.inbound.iter().any(|known| same(&known));
                found.expect(known, "purchase-line-lost", &expected.id, || {
                    format!("expected {expected:?} among {:?}", observed.inbound)
                });
            }
            Deed::TransferSent(sent) => {
                let terms = |t: &Transfer| (t.sku.clone(), t.from.clone(), t.to.clone());
                let known = departure(observed, &sent.sku, &sent.id);
                let same = |known: &Transfer| {
                    terms(known) == terms(sent) && known.quantity == sent.quantity
                };
                found.expect(known.is_some_and(same), "transfer-lost", &sent.id, || {
                    format!("expected {deed:?}, found {known:?}")
                });
            }
            Deed::TransferReceived(sku, id, quantity) => {
                let arrived = observed.facts.iter().find(|fact| {
                    let of_transfer = matches!(&fact.details,
                        Some(Details::Transfer(t)) if t.sku == *sku && t.id == *id);
                    of_transfer && fact.kind == MovementKind::TransferIn
                });
                let same = arrived.is_some_and(|fact| fact.quantity == *quantity);
                found.expect(same, "arrival-lost", id, || {
                    format!("expected {deed:?}, found {arrived:?}")
                });
            }
            Deed::DiscrepancyResolved(id) => {
                let known = observed.discrepancies.iter().find(|d| d.id == *id);
                let closed = known.is_some_and(|known| known.resolved.is_some());
                found.expect(closed, "discrepancy-not-closed", id, || {
                    format!("expected it closed, found {known:?}")
                });
            }
            Deed::Reserved { id, lines } => reserved(observed, id, lines, found),
            Deed::ReservationExtended(id) => reserved(observed, id, &[], found),
            Deed::ReservationReleased(id) => {
                let mut known = observed.reservations.iter();
                let known = known.find(|known| known.id == *id);
                let released = known.is_some_and(|r| r.status == ReservationStatus::Released);
                found.expect(released, "reservation-not-released", id, || {
                    format!("expected it released, found {known:?}")
                });
            }
            Deed::Reported {
                order,
                n,
                report,
                lines,
            } => {
                if let Some(stored) = stored(observed, order, deed, found) {
                    reported(
                        observed,
                        &stored.order,
                        (*n, report),
                        lines.as_deref(),
                        found,
                    );
                }
            }
            Deed::Cancelled(id) => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    cancelled(&stored.order, found);
                }
            }
            Deed::Released(id, hold) => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    // The channel may say something else meanwhile.
                    let again = hold == "channel";
                    let held = stored.order.holds.iter().any(|h| name(&h.reason) == hold);
                    let held = held && !again;
                    found.expect(!held, "hold-not-lifted", id, || {
                        format!("expected no hold {hold:?}, found {:?}", stored.order.holds)
                    });
                }
            }
            Deed::Resolved(id) => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    let resolved = |event: &Event| matches!(event, Event::UntoldResolved(_));
                    let noted = history::events(stored).any(resolved);
                    found.expect(noted, "resolution-lost", id, || {
                        "expected on the timeline that somebody has looked into it".into()
                    });
                }
            }
            Deed::ReturnAnnounced(id, key, n, lines) => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    announced(&stored.order, (key, *n), lines, found);
                }
            }
            Deed::ReturnReceived(id, n) => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    let received = stored.order.returns.iter().any(|r| r.n == *n && r.received);
                    found.expect(received, "return-not-received", id, || {
                        format!(
                            "expected return {n} received, found {:?}",
                            stored.order.returns
                        )
                    });
                }
            }
            Deed::ReturnCancelled(id, n) => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    let mut known = stored.order.returns.iter();
                    let cancelled = known.any(|r| r.n == *n && r.cancelled);
                    found.expect(cancelled, "return-not-cancelled", id, || {
                        let known = &stored.order.returns;
                        format!("expected return {n} cancelled, found {known:?}")
                    });
                }
            }
            Deed::ReturnedInChannel { id, key, lines } => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    let mut known = stored.order.returns.iter();
                    let known = known.find(|r| r.by_channel && r.key == *key);
                    let holds = known.is_some_and(|known| match lines {
                        // It may have been called off before.
                        Some(lines) => {
                            let late = known.cancelled && known.units.is_empty();
                            late || same_units(&stored.order, &known.units, lines)
                        }
                        None => known.cancelled,
                    });
                    found.expect(holds, "channel-return-lost", id, || {
                        let known = &stored.order.returns;
                        format!("expected return {key:?} of {lines:?}, found {known:?}")
                    });
                }
            }
            Deed::RefundRequested(id, key, n) => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    let refunds = &stored.order.refunds;
                    let known = refunds.iter().find(|r| r.n == *n);
                    let known = known.and_then(|r| r.key.strip_prefix('+')) == Some(key.as_str());
                    found.expect(known, "refund-lost", id, || {
                        format!("expected refund {n} of request {key:?}, found {refunds:?}")
                    });
                }
            }
            Deed::RefundConfirmed(id, n) => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    let refunds = &stored.order.refunds;
                    // That it is in the payment ledger, once, holds of every refund that is paid.
                    let paid =
                        |r: &domain::order::Refund| r.n == *n && r.status == RefundStatus::Paid;
                    found.expect(refunds.iter().any(paid), "refund-not-paid", id, || {
                        format!("expected refund {n} paid, found {refunds:?}")
                    });
                }
            }
            Deed::RefundRepeated(id, n) => {
                if let Some(stored) = stored(observed, id, deed, found) {
                    let repeated = |event: &Event| *event == Event::RefundRepeated(*n);
                    let known = history::events(stored).any(repeated);
                    found.expect(known, "refund-not-repeated", id, || {
                        format!("expected refund {n} to have been asked for anew")
                    });
                }
            }
            Deed::Restated { id, .. } | Deed::RefundedByChannel(id, _) => {
                stored(observed, id, deed, found);
            }
            Deed::Hinted
            | Deed::RestockChecked
            | Deed::StockReconciled
            | Deed::ListingsTold
            | Deed::Redriven
            | Deed::Settled
            | Deed::Entered(_)
            | Deed::Replayed(_) => {}
        }
    }
}

/// All that was asked for is, or was, kept for a reservation, where that was named.
fn reserved(
    observed: &Observed,
    id: &str,
    lines: &[(String, i64, Option<String>)],
    found: &mut Findings,
) {
    let mut known = observed.reservations.iter();
    let known = known.find(|known| known.id == id);
    let whole = known.is_some_and(|known| {
        let kept = |sku: &str, location: Option<&String>| -> i64 {
            let of_sku = known.kept.iter().filter(|kept| kept.sku == sku);
            let here = of_sku.filter(|kept| location.is_none_or(|l| kept.location == *l));
            here.map(|kept| kept.quantity).sum()
        };
        lines.iter().all(|(sku, _, location)| {
            let same = |line: &&(String, i64, Option<String>)| line.0 == *sku;
            let all: i64 = lines.iter().filter(same).map(|line| line.1).sum();
            let named = lines.iter().filter(same).filter(|line| line.2 == *location);
            let named: i64 = named.map(|line| line.1).sum();
            kept(sku, None) == all && kept(sku, location.as_ref()) >= named
        })
    });
    found.expect(whole, "reservation-lost", id, || {
        format!("expected {lines:?} to be kept, found {known:?}")
    });
}

/// The transfer of a SKU that was reported to have left under this id.
fn departure<'a>(observed: &'a Observed, sku: &str, id: &str) -> Option<&'a Transfer> {
    let mut facts = observed.facts.iter();
    let fact = facts.find(|fact| fact.id == id && fact.sku == sku)?;
    match &fact.details {
        Some(Details::Transfer(t)) if fact.kind == MovementKind::TransferOut => Some(t),
        _ => None,
    }
}

fn stored<'a>(
    observed: &'a Observed,
    id: &OrderId,
    deed: &Deed,
    found: &mut Findings,
) -> Option<&'a StoredOrder> {
    let stored = observed.orders.iter().find(|stored| stored.order.id == *id);
    found.expect(stored.is_some(), "order-lost", id, || {
        format!("expected the order of {deed:?}")
    });
    stored
}

fn ordered(
    stored: &StoredOrder,
    lines: &[(Option<String>, u32, i64)],
    captured: i64,
    email: &Option<String>,
    found: &mut Findings,
) {
    let order = &stored.order;
    let same = bought(order, lines);
    found.expect(same, "order-lines-differ", &order.id, || {
        format!(
            "expected SKU, units and charge {lines:?}, found {:?}",
            order.lines
        )
    });
    let came_in = money::came_in(order);
    // What had not come in then may have since, as the channel says.
    let total: i64 = lines.iter().map(|line| line.2).sum();
    let since = order.as_of.is_some() && came_in == total;
    // What the channel had cancelled by the time that it came in need not have been paid.
    let gone = |line: &domain::Line| line.units.cancelled == line.units.ordered;
    let unpaid = order.as_of.is_some() && came_in == 0 && order.lines.iter().all(gone);
    found.expect(
        came_in == captured || since || unpaid,
        "order-captured-differs",
        &order.id,
        || format!("expected {captured} minor units captured, found {came_in}"),
    );
    // Whom to write to is nobody's business in a report.
    found.expect(
        stored.contact.email == *email,
        "contact-differs",
        &order.id,
        || {
            let (due, is) = (email.is_some(), stored.contact.email.is_some());
            format!("expected the address that was sent (any: {due}), found another (any: {is})")
        },
    );
}

/// Whether the lines are what was bought. A kit is there as its components: in a row, each as many as
/// are in so many kits. Where there are any, what belongs to the whole order is shared out over other
/// lines than were bought, and only the sum is the same.
fn bought(order: &Order, lines: &[(Option<String>, u32, i64)]) -> bool {
    let mut left = order.lines.as_slice();
    let kits = left.iter().any(|line| line.kit.is_some());
    for (sku, units, charge) in lines {
        let Some((line, rest)) = left.split_first() else {
            return false;
        };
        let Some(kit) = &line.kit else {
            let charged = kits || money::charge(order, line) == *charge;
            if line.sku != *sku || line.units.ordered != *units || !charged {
                return false;
            }
            left = rest;
            continue;
        };
        let of_it = |l: &&domain::Line| l.kit.as_ref().is_some_and(|k| k.line == kit.line);
        let parts = left.iter().take_while(of_it).count();
        let whole = |l: &domain::Line| {
            let part = l.kit.as_ref();
            part.is_some_and(|p| {
                Some(&p.sku) == sku.as_ref() && l.units.ordered == units * p.per_kit
            })
        };
        if parts < 2 || !left[..parts].iter().all(whole) {
            return false;
        }
        left = &left[parts..];
    }
    let charges = order.lines.iter().map(|line| money::charge(order, line));
    left.is_empty() && charges.sum::<i64>() == lines.iter().map(|line| line.2).sum::<i64>()
}

/// A line is counted in what its product is measured in.
fn measured(observed: &Observed, order: &Order, found: &mut Findings) {
    for line in order.lines.iter().filter(|line| !line.intangible) {
        let expected = observed.decimals(line.sku.as_deref().unwrap_or_default());
        found.expect(
            line.decimals == expected,
            "line-measured-otherwise",
            &order.id,
            || format!("expected {expected} decimals, found {line:?}"),
        );
    }
}

/// An address is looked up by what is in it, the most exact first; where nothing is sent to, it is not.
fn located(order: &Order, expected: &str, found: &mut Findings) {
    if order.lines.iter().all(|line| line.intangible) {
        return;
    }
    let to = order.destination.as_ref();
    let by = to.map(|to| match (to.point, to.located_by) {
        (None, _) => "country",
        (Some(_), LocatedBy::Coordinates) => "coordinates",
        (Some(_), LocatedBy::PostalCode) => "postal_code",
        (Some(_), LocatedBy::City) => "city",
    });
    found.expect(by == Some(expected), "place-differs", &order.id, || {
        format!("expected the place to be found by {expected}, found {to:?}")
    });
}

fn reported(
    observed: &Observed,
    order: &Order,
    (n, report): (u32, &str),
    lines: Option<&[(String, u32)]>,
    found: &mut Findings,
) {
    use FulfillmentStatus::{Delivered, Packed, Rejected, Released, Shipped};
    let known = order.fulfillments.iter().find(|f| f.n == n);
    let holds = known.is_some_and(|f| match report {
        "accepted" => f.status != Released,
        "packed" => matches!(f.status, Packed | Shipped | Delivered),
        "shipped" => matches!(f.status, Shipped | Delivered),
        "delivered" => f.status == Delivered,
        "rejected" => f.status == Rejected,
        _ => false,
    });
    found.expect(holds, "report-lost", &order.id, || {
        format!("expected fulfillment {n} {report} or further, found {known:?}")
    });
    let Some(known) = known.filter(|_| holds && report == "packed") else {
        return;
    };
    // A second report of a closed parcel is heard, and changes nothing; so is one after it has left.
    let mut others = observed.deeds.iter().filter_map(|deed| match deed {
        Deed::Reported {
            order: id,
            n: of,
            report,
            lines,
        } if *id == order.id && *of == n => Some((*report, lines.as_deref())),
        _ => None,
    });
    let said = others
        .clone()
        .any(|(report, lines)| report == "packed" && agrees(order, known, lines));
    let left = others.any(|(report, _)| report == "shipped");
    found.expect(said || left, "packed-units-differ", &order.id, || {
        format!("expected {lines:?} packed (all, if not said), found {known:?}")
    });
}

/// Whether a parcel holds what was said of it.
fn agrees(order: &Order, f: &FulfillmentOrder, lines: Option<&[(String, u32)]>) -> bool {
    match lines {
        None => f.short_at.is_none(),
        Some(lines) => same_units(order, &f.units, lines),
    }
}

/// Whether units by place are those by line id, the units of a line named twice added up.
fn same_units(order: &Order, units: &[(u16, u32)], lines: &[(String, u32)]) -> bool {
    let said = |id: &str| -> u64 {
        let same = lines.iter().filter(|(line, _)| line == id);
        same.map(|(_, count)| u64::from(*count)).sum()
    };
    let each = |&(place, count): &(u16, u32)| {
        let line = order.lines.get(usize::from(place));
        line.is_some_and(|line| said(&line.id) == u64::from(count))
    };
    let all = |counts: &mut dyn Iterator<Item = u32>| -> u64 { counts.map(u64::from).sum() };
    units.iter().all(each)
        && all(&mut units.iter().map(|u| u.1)) == all(&mut lines.iter().map(|l| l.1))
}

/// Nothing can be looked for again after a cancellation: what had not left the shelf is cancelled,
/// and a closed parcel is not opened.
fn cancelled(order: &Order, found: &mut Findings) {
    let gone = |line: &domain::Line| {
        let u = line.units;
        u.open == 0 && u.backordered == 0 && u.allocated == 0
    };
    let any = order.lines.iter().any(|line| line.units.cancelled > 0);
    let holds = any && order.lines.iter().all(gone);
    found.expect(holds, "cancellation-lost", &order.id, || {
        let lines = &order.lines;
        format!("expected all that was not packed to be cancelled, found {lines:?}")
    });
}

fn announced(order: &Order, (key, n): (&str, u32), lines: &[(String, u32)], found: &mut Findings) {
    let known = order
        .returns
        .iter()
        .find(|r| r.n == n && !r.by_channel && r.key == key);
    let holds = known.is_some_and(|r| same_units(order, &r.units, lines));
    found.expect(holds, "return-lost", &order.id, || {
        format!(
            "expected return {n} of request {key:?} with {lines:?}, found {:?}",
            order.returns
        )
    });
}

/// A hold's name in paths.
pub(super) fn name(reason: &HoldReason) -> &'static str {
    match reason {
        HoldReason::UnknownSku => "unknown-sku",
        HoldReason::Totals { .. } => "totals",
        HoldReason::Address => "address",
        HoldReason::Payment => "payment",
        HoldReason::Test => "test",
        HoldReason::Rejections => "rejections",
        HoldReason::OutOfStock => "out-of-stock",
        HoldReason::Channel(_) => "channel",
    }
}
