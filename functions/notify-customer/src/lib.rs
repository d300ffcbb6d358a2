//! Tells customers what happens to their order.

use std::sync::Arc;

use domain::Step as StepName;
use domain::order::{Contact, Order};
use domain::owed::Notice;
use messages::{Mailer, SendError};
use runtime::notice::tell;
use runtime::queue::{Handled, Outcome, one_by_one};
use runtime::{Function, Hint};
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
            "DEAD_LETTERS_QUEUE",
            "MAIL_FROM",
            "MAIL_CONFIGURATION_SET",
            "SHOP_NAME",
        ],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                let (from, set) = (setup.var("MAIL_FROM"), setup.var("MAIL_CONFIGURATION_SET"));
                let step = Step {
                    store,
                    mailer: Mailer::new(&setup.aws, from, set),
                    shop: setup.var("SHOP_NAME"),
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
}

impl Step {
    async fn take(self: Arc<Self>, hint: Hint) -> Handled {
        let Hint::Order(id, seen) = hint else {
            return Outcome::Permanent("expected a hint at an order".into()).into();
        };
        let seen = seen.map(|seen| *seen);
        tell(
            &self.store,
            &id,
            seen,
            StepName::NotifyCustomer,
            |order, contact, notice| self.send(order, contact, notice),
        )
        .await
    }

    async fn send(&self, order: Order, contact: Contact, notice: Notice) -> Result<(), SendError> {
        let Some(email) = &contact.email else {
            return Err(SendError::Permanent(
                "the customer left no e-mail address".into(),
            ));
        };
        let gone = |what: &str, n: u32| SendError::Permanent(format!("{what} {n} does not exist"));
        let shop = self.shop.as_str();
        let mail = match &notice {
            Notice::Confirmed => messages::order_confirmation(&order, &contact, shop),
            Notice::Cancelled(_) => messages::cancellation_notice(&order, &contact, shop),
            Notice::Shipped(n) => {
                let fulfillment = order.fulfillment(*n).map_err(|_| gone("fulfillment", *n))?;
                messages::shipping_notice(&order, fulfillment, &contact, shop)
            }
            Notice::Refunded(n) => {
                let refund = order.refunds.iter().find(|r| r.n == *n);
                let refund = refund.ok_or_else(|| gone("refund", *n))?;
                messages::refund_notice(&order, refund, &contact, shop)
            }
            Notice::Pick(_) | Notice::Stop(_) => {
                return Err(SendError::Permanent("this is not for a customer".into()));
            }
        };
        let mail = mail.map_err(|error| {
            SendError::Permanent(format!("the mail cannot be written: {error}"))
        })?;
        let key = format!("{}-{}", order.id, notice.key());
        self.mailer.send(email, &mail, &key).await.map(drop)
    }
}
