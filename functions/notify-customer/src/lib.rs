//! Tells customers what happens to their order.

use std::sync::Arc;

use domain::Step as StepName;
use domain::order::{Contact, Order};
use domain::owed::Notice;
use messages::{Mailer, SendError};
use runtime::notice::tell;
use runtime::queue::{Handled, one_by_one};
use runtime::{Clock, Function, Hint};
use store::Store;

/// The function.
pub fn function() -> Function {
    Function {
        name: "notify-customer",
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
            "MAIL_FROM",
            "MAIL_CONFIGURATION_SET",
            "SHOP_NAME",
        ],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                let step = Step {
                    store,
                    mailer: Mailer::new(&setup),
                    shop: setup.var("SHOP_NAME"),
                    clock: setup.clock.clone(),
                };
                Ok(one_by_one(
                    "notify-customer",
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
    mailer: Mailer,
    shop: String,
    clock: Clock,
}

impl Step {
    async fn take(self: Arc<Self>, hint: Hint) -> Handled {
        tell(
            &self.store,
            &self.clock,
            hint,
            StepName::NotifyCustomer,
            |order, contact, notice| self.send(order, contact, notice),
        )
        .await
    }

    async fn send(
        &self,
        order: Arc<Order>,
        contact: Contact,
        notice: Notice,
    ) -> Result<(), SendError> {
        let Some(email) = &contact.email else {
            return Err(SendError::Permanent(
                "the customer left no e-mail address".into(),
            ));
        };
        let gone = |what: &str, n: u32| SendError::Permanent(format!("{what} {n} does not exist"));
        let (order, contact, shop) = (&order, &contact, self.shop.as_str());
        let key = format!("{}-{}", order.id, notice.key());
        let sent = match &notice {
            Notice::Confirmed => {
                let write = || messages::order_confirmation(order, contact, shop);
                self.mailer.send(email, &key, write).await
            }
            Notice::Cancelled(_) => {
                let write = || messages::cancellation_notice(order, contact, shop);
                self.mailer.send(email, &key, write).await
            }
            Notice::Shipped(n) => {
                let fulfillment = order.fulfillment(*n).map_err(|_| gone("fulfillment", *n))?;
                let write = || messages::shipping_notice(order, fulfillment, contact, shop);
                self.mailer.send(email, &key, write).await
            }
            Notice::Refunded(n) => {
                let refund = order.refunds.iter().find(|r| r.n == *n);
                let refund = refund.ok_or_else(|| gone("refund", *n))?;
                let write = || messages::refund_notice(order, refund, contact, shop);
                self.mailer.send(email, &key, write).await
            }
            Notice::Pick(_) | Notice::Stop(_) | Notice::Acknowledged | Notice::Sent(_) => {
                Err(SendError::Permanent("this is not for a customer".into()))
            }
        };
        sent.map(drop)
    }
}
