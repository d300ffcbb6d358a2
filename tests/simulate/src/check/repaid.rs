//! What the payment provider has paid back: what the refunds of orders say, each once. So it is never more than came in:
//! that holds of the refunds.

use domain::order::{Refund, RefundStatus};

use super::Findings;
use crate::observed::{Deed, Observed, Repaid, StoredOrder};

/// Whether the money goes back by it, now or some day.
fn counts(repaid: &&Repaid) -> bool {
    repaid.status != "failed"
}

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    for stored in &observed.orders {
        for refund in &stored.order.refunds {
            pays(observed, stored, refund, found);
        }
    }
    for repaid in &observed.repaid {
        let name =
            |stored: &StoredOrder, refund: &Refund| format!("{}-F{}", stored.order.id, refund.n);
        let known = observed.orders.iter().any(|stored| {
            let mut refunds = stored.order.refunds.iter();
            refunds.any(|refund| name(stored, refund) == repaid.refund)
        });
        found.expect(known, "repaid-unasked", &repaid.refund, || {
            format!("expected a refund that {repaid:?} is of")
        });
    }
}

fn pays(observed: &Observed, stored: &StoredOrder, refund: &Refund, found: &mut Findings) {
    let order = &stored.order;
    let name = format!("{}-F{}", order.id, refund.n);
    let repaid = observed.repaid.iter().filter(counts);
    let repaid: Vec<&Repaid> = repaid.filter(|repaid| repaid.refund == name).collect();
    // What a person has confirmed of his own accord has gone back otherwise.
    let by_provider = match refund.status {
        RefundStatus::Paid | RefundStatus::AwaitingConfirmation => refund
            .external
            .as_ref()
            .filter(|_| order.paid_through.is_some()),
        RefundStatus::Requested | RefundStatus::Refused => None,
    };
    // What a person has confirmed may fail at the provider: then a person looks at both.
    let confirmed = |deed: &Deed| matches!(deed, Deed::RefundConfirmed(id, n) if *id == order.id && *n == refund.n);
    let failed = |external: &String| {
        let mut failed = observed.repaid.iter().filter(|repaid| !counts(repaid));
        failed.any(|repaid| repaid.id == *external) && observed.deeds.iter().any(confirmed)
    };
    let right = match (by_provider, repaid.as_slice()) {
        (None, []) => true,
        (Some(external), [one]) => one.id == *external && one.amount == refund.amount,
        (Some(external), []) => failed(external),
        _ => false,
    };
    found.expect(right, "refund-paid-otherwise", &order.id, || {
        format!("expected the provider to pay {refund:?}, once if at all; found {repaid:?}")
    });
    let waits = repaid.iter().all(|repaid| repaid.status == "pending");
    let noted = waits || refund.status == RefundStatus::Paid;
    found.expect(noted, "paid-unnoted", &order.id, || {
        format!("expected {refund:?} to be noted as paid: {repaid:?}")
    });
}
