//! Tells a warehouse's team what to pick, and when to stop.

use std::sync::Arc;

use domain::Step as StepName;
use domain::catalog::{Location, Rate};
use domain::order::{Contact, Order};
use domain::owed::Notice;
use domain::shipping::{choose_method, weight_g};
use messages::{Mailer, SendError};
use runtime::cached::Cached;
use runtime::notice::tell;
use runtime::products::Products;
use runtime::queue::{Handled, one_by_one};
use runtime::{Clock, Function, Hint};
use store::{Store, StoreError};

/// The function.
pub fn function() -> Function {
    Function {
        name: "notify-warehouse",
        variables: &[
            "ORDERS_TABLE",
            "REFERENCE_TABLE",
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
                    products: Products::new(store.clone(), setup.clock.clone()),
                    store,
                    mailer: Mailer::new(&setup),
                    shop: setup.var("SHOP_NAME"),
                    tariffs: Cached::new(setup.clock.clone()),
                    clock: setup.clock.clone(),
                };
                Ok(one_by_one(
                    "notify-warehouse",
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
    products: Products,
    mailer: Mailer,
    shop: String,
    tariffs: Cached<(Vec<Location>, Vec<Rate>)>,
    clock: Clock,
}

impl Step {
    async fn take(self: Arc<Self>, hint: Hint) -> Handled {
        tell(
            &self.store,
            &self.clock,
            hint,
            StepName::NotifyWarehouse,
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
        let passing = |error: StoreError| SendError::Transient(error.to_string());
        let (Notice::Pick(n) | Notice::Stop(n)) = notice else {
            return Err(SendError::Permanent("this is not for a warehouse".into()));
        };
        let fulfillment = order
            .fulfillment(n)
            .map_err(|e| SendError::Permanent(e.to_string()))?;
        let tariffs = self
            .tariffs
            .get(async { Ok((self.store.locations().await?, self.store.rates().await?)) });
        let tariffs = tariffs.await.map_err(passing)?;
        let (locations, rates) = (&tariffs.0, &tariffs.1);
        let location = locations.iter().find(|l| l.id == fulfillment.location);
        let location = location.ok_or_else(|| {
            SendError::Permanent(format!("location {} does not exist", fulfillment.location))
        })?;
        let key = format!("{}-{}", order.id, notice.key());
        let (to, order, contact, shop) = (&location.email, &order, &contact, self.shop.as_str());
        let sent = match notice {
            Notice::Pick(_) => {
                let skus = order.lines.iter().filter_map(|line| line.sku.as_deref());
                let skus: std::collections::BTreeSet<&str> = skus.collect();
                let products = self.products.get(skus).await.map_err(passing)?;
                let write = || {
                    let weight = weight_g(order, fulfillment, &products);
                    let method = order.destination.as_ref().and_then(|to| {
                        let leaves = fulfillment.ship_by;
                        choose_method(
                            rates,
                            location,
                            &to.country,
                            weight,
                            leaves,
                            order.deliver_by,
                        )
                    });
                    messages::pick_list(
                        order,
                        fulfillment,
                        contact,
                        location,
                        &products,
                        method.as_ref(),
                        shop,
                    )
                };
                self.mailer.send(to, &key, write).await
            }
            _ => {
                let write = || messages::stop_notice(order, fulfillment, contact, location, shop);
                self.mailer.send(to, &key, write).await
            }
        };
        sent.map(drop)
    }
}
