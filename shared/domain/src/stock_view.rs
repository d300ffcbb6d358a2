//! Stock as the API shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::discrepancy::Discrepancy;
use crate::fact::Transfer;
use crate::inbound::Inbound;
use crate::reservation::Reservation;
use crate::{OrderId, Quantity};

/// A transfer.
#[derive(Debug, Serialize)]
pub struct TransferView<'a> {
    id: &'a str,
    sku: &'a str,
    from: &'a str,
    to: &'a str,
    quantity: Quantity,
    expected_on: Option<Date>,
    sent_at: Timestamp,
    /// Units that arrived; only where they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<Quantity>,
}

/// A transfer of an article of so many decimals, and how many units of it arrived if they have.
pub fn transfer(transfer: &Transfer, received: Option<i64>, decimals: u8) -> TransferView<'_> {
    TransferView {
        id: &transfer.id,
        sku: &transfer.sku,
        from: &transfer.from,
        to: &transfer.to,
        quantity: Quantity::new(transfer.quantity, decimals),
        expected_on: transfer.expected_on,
        sent_at: transfer.sent_at,
        received: received.map(|units| Quantity::new(units, decimals)),
    }
}

/// A purchase line.
#[derive(Debug, Serialize)]
pub struct InboundView<'a> {
    id: &'a str,
    sku: &'a str,
    location: &'a str,
    quantity: Quantity,
    expected_on: Date,
    received: Quantity,
}

/// A purchase line of an article of so many decimals.
pub fn inbound(line: &Inbound, decimals: u8) -> InboundView<'_> {
    InboundView {
        id: &line.id,
        sku: &line.sku,
        location: &line.location,
        quantity: Quantity::new(line.quantity, decimals),
        expected_on: line.expected_on,
        received: Quantity::new(line.received, decimals),
    }
}

/// A reservation.
#[derive(Debug, Serialize)]
pub struct ReservationView<'a> {
    id: &'a str,
    status: &'static str,
    expires_at: Timestamp,
    lines: Vec<KeptView<'a>>,
    order: Option<&'a OrderId>,
}

#[derive(Debug, Serialize)]
struct KeptView<'a> {
    sku: &'a str,
    location: &'a str,
    quantity: Quantity,
}

/// A reservation, with what it keeps by article and warehouse.
pub fn reservation(reservation: &Reservation) -> ReservationView<'_> {
    let mut kept_in: BTreeMap<(&str, &str), Quantity> = BTreeMap::new();
    for kept in &reservation.kept {
        let sum = kept_in.entry((&kept.sku, &kept.location)).or_default();
        *sum = *sum + Quantity::new(kept.quantity, kept.decimals);
    }
    let lines = kept_in
        .into_iter()
        .map(|((sku, location), quantity)| KeptView {
            sku,
            location,
            quantity,
        });
    ReservationView {
        id: &reservation.id,
        status: reservation.status.name(),
        expires_at: reservation.held_until,
        lines: lines.collect(),
        order: reservation.order.as_ref(),
    }
}

/// A discrepancy.
#[derive(Debug, Serialize)]
pub struct DiscrepancyView<'a> {
    id: &'a str,
    kind: &'static str,
    sku: &'a str,
    location: &'a str,
    expected: Quantity,
    found: Quantity,
    cause: &'a str,
    at: Timestamp,
    text: String,
    resolved: Option<ResolutionView<'a>>,
}

#[derive(Debug, Serialize)]
struct ResolutionView<'a> {
    note: &'a str,
    at: Timestamp,
}

/// A discrepancy of an article of so many decimals, with what is different in words.
pub fn discrepancy(discrepancy: &Discrepancy, decimals: u8) -> DiscrepancyView<'_> {
    let (expected, found) = discrepancy.quantities(decimals);
    let resolved = discrepancy.resolved.as_ref();
    DiscrepancyView {
        id: &discrepancy.id,
        kind: discrepancy.kind.name(),
        sku: &discrepancy.sku,
        location: &discrepancy.location,
        expected,
        found,
        cause: &discrepancy.cause,
        at: discrepancy.at,
        text: discrepancy.describe(decimals),
        resolved: resolved.map(|resolution| ResolutionView {
            note: &resolution.note,
            at: resolution.at,
        }),
    }
}
