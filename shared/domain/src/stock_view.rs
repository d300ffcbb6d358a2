//! Stock as the API shows it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::discrepancy::Discrepancy;
use crate::fact::Transfer;

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
