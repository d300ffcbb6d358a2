//! Hands refunds to the payment provider.

mod provider;

use std::sync::Arc;

use domain::order::{Order, RefundStatus};
use domain::refund::submitted;
use jiff::Timestamp;
use runtime::queue::{Handled, Outcome, one_by_one};
use runtime::{Function, Hint};
use store::{Store, StoreError};

use crate::provider::{Provider, Submission};

/// The function.
pub fn function() -> Function {
    Function {
        name: "refund-order",
        variables: &[
            "ORDERS_TABLE",
            "ALLOCATE_WAREHOUSE_QUEUE",
            "NOTIFY_WAREHOUSE_QUEUE",
            "SHIP_ORDER_QUEUE",
            "UPDATE_STOCK_QUEUE",
            "NOTIFY_CUSTOMER_QUEUE",
            "REFUND_ORDER_QUEUE",
            "DEAD_LETTERS_QUEUE",
        ],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                Ok(one_by_one(
                    "refund-order",
                    &setup,
                    store,
                    |store, hint| async move { take(store, hint).await },
                ))
            })
        },
    }
}

async fn take(store: Arc<Store>, hint: Hint) -> Handled {
    let Hint::Order(id, seen) = hint else {
        return Outcome::Permanent("expected a hint at an order".into()).into();
    };
    let now = Timestamp::now();
    // The manual provider has no effect outside, so that deciding is all there is.
    let decide = |order: &Order| -> Result<Option<Order>, StoreError> {
        let requested = |r: &&domain::order::Refund| r.status == RefundStatus::Requested;
        let Some(refund) = order.refunds.iter().find(requested) else {
            return Ok(None);
        };
        Ok(match Provider::of(order).submit() {
            Submission::AwaitsConfirmation => submitted(order, refund.n, now),
        })
    };
    store
        .drive(&id, seen.map(|seen| *seen), decide)
        .await
        .into()
}
