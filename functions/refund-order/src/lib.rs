//! Hands refunds to the payment provider.

mod provider;

use domain::Step;
use domain::order::{Order, RefundStatus};
use domain::refund::submitted;
use runtime::queue::{Handled, Outcome, one_by_one};
use runtime::{Clock, Function, Hint};
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
            "UPDATE_CHANNEL_QUEUE",
            "PUBLISH_EVENTS_QUEUE",
            "DEAD_LETTERS_QUEUE",
        ],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                Ok(one_by_one(
                    "refund-order",
                    &setup,
                    (store, setup.clock.clone()),
                    |step, hint| async move { take(&step.0, &step.1, hint).await },
                ))
            })
        },
    }
}

async fn take(store: &Store, clock: &Clock, hint: Hint) -> Handled {
    let Hint::Order(id, seen) = hint else {
        return Outcome::Permanent("expected a hint at an order".into()).into();
    };
    let now = clock.now();
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
    let handled = Handled::from(store.drive(&id, seen, decide).await);
    handled.and_the_rest(Step::RefundOrder)
}
