//! Stock as the API shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::OrderId;
use crate::discrepancy::Discrepancy;
use crate::fact::Transfer;
use crate::reservation::Reservation;

/// A transfer.
#[derive(Debug, Serialize)]
pub struct TransferView<'a> {
    id: &'a str,
    sku: &'a str,
    from: &'a str,
    to: &'a str,
    quantity: i64,
    expected_on: Option<Date>,
    sent_at: Timestamp,
    /// Units that arrived; only where they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<i64>,
}

/// A transfer, and how many units of it arrived if they have.
pub fn transfer(transfer: &Transfer, received: Option<i64>) -> TransferView<'_> {
    TransferView {
        id: &transfer.id,
        sku: &transfer.sku,
        from: &transfer.from,
        to: &transfer.to,
        quantity: transfer.quantity,
        expected_on: transfer.expected_on,
        sent_at: transfer.sent_at,
        received,
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
    quantity: i64,
}

/// A reservation, with what it keeps by article and warehouse.
pub fn reservation(reservation: &Reservation) -> ReservationView<'_> {
    let mut units: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for kept in &reservation.kept {
        *units.entry((&kept.sku, &kept.location)).or_default() += kept.quantity;
    }
    let lines = units
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
    expected: i64,
    found: i64,
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

/// A discrepancy, with what is different in words.
pub fn discrepancy(discrepancy: &Discrepancy) -> DiscrepancyView<'_> {
    let resolved = discrepancy.resolved.as_ref();
    DiscrepancyView {
        id: &discrepancy.id,
        kind: discrepancy.kind.name(),
        sku: &discrepancy.sku,
        location: &discrepancy.location,
        expected: discrepancy.expected,
        found: discrepancy.found,
        cause: &discrepancy.cause,
        at: discrepancy.at,
        text: discrepancy.describe(),
        resolved: resolved.map(|resolution| ResolutionView {
            note: &resolution.note,
            at: resolution.at,
        }),
    }
}
