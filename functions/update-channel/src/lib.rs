//! Tells channels what becomes of the orders that they have sold: that an order has come in, and what of it
//! has left.

use std::sync::Arc;

use channels::updates::Update;
use domain::Step as StepName;
use domain::limits::LOCKED_S;
use domain::order::Order;
use domain::owed::Notice;
use intake::{Failure, Vendors};
use runtime::mail::SendError;
use runtime::notice::tell;
use runtime::queue::{Handled, one_by_one};
use runtime::{Clock, Function, Hint};
use store::Store;

/// The function.
pub fn function() -> Function {
    Function {
        name: "update-channel",
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
            "SECRETS_PREFIX",
        ],
        init: |setup| {
            Box::pin(async move {
                let (store, clock) = (setup.store(), setup.clock.clone());
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                let vendors = Vendors::new(setup.web.clone(), setup.accesses(), clock.clone());
                let step = Step {
                    store,
                    vendors,
                    clock,
                };
                Ok(one_by_one(
                    "update-channel",
                    &setup,
                    step,
                    |step, hint| async move { step.take(hint).await },
                ))
            })
        },
    }
}

struct Step {
    store: Store,
    vendors: Vendors,
    clock: Clock,
}

impl Step {
    async fn take(self: Arc<Self>, hint: Hint) -> Handled {
        tell(
            &self.store,
            &self.clock,
            hint,
            StepName::UpdateChannel,
            |order, _, notice| self.send(order, notice),
        )
        .await
    }

    async fn send(&self, order: Arc<Order>, notice: Notice) -> Result<(), SendError> {
        let Some(update) = Update::of(&order, &notice) else {
            // Of a kit only a part has left: whatever makes it whole is told of.
            return Ok(());
        };
        let channel = channels::by_name(&order.source.channel);
        let channel =
            channel.ok_or_else(|| SendError::Permanent("there is no such channel".into()))?;
        let told = self.vendors.tell(channel, &order.source.account, &update);
        told.await.map_err(meaning)
    }
}

/// What a failure means. What a person has to mend in the channel's own administration heals every order that
/// waits for it, and is no task of each: the queue's alarms ring. Its reason is kept with the order, which has
/// room for no word of the vendor's but its codes.
fn meaning(failure: Failure) -> SendError {
    let reason = failure.to_string();
    match failure {
        Failure::Again(0, _) => SendError::Transient(reason),
        Failure::Again(seconds, _) => SendError::Later(seconds, reason),
        Failure::NoAccess | Failure::Locked(_) => SendError::Later(LOCKED_S, reason),
        Failure::Missing | Failure::NotOurs(_) | Failure::Refused(_) => {
            SendError::Permanent(reason)
        }
        Failure::Unreadable(_) => {
            SendError::Permanent("what the channel's API says is not what its documents say".into())
        }
    }
}
