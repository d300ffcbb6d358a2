//! Sends packed parcels off: the cheapest tariff that keeps the promise, a tracking number, a label.

use std::sync::Arc;

use domain::Step as StepName;
use domain::catalog::{Location, Product, Rate};
use domain::order::{FulfillmentStatus, Order, Parcel};
use domain::shipping::{choose_method, leave_unrated, ship, ship_by, weight_g};
use jiff::Timestamp;
use runtime::cached::Cached;
use runtime::products::Products;
use runtime::queue::{Handled, Outcome, one_by_one};
use runtime::{Clock, Function, Hint};
use store::{Store, StoreError};

/// The function.
pub fn function() -> Function {
    Function {
        name: "ship-order",
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
        ],
        init: |setup| {
            Box::pin(async move {
                let store = setup.store();
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                let step = Step {
                    products: Products::new(store.clone(), setup.clock.clone()),
                    store,
                    tariffs: Cached::new(setup.clock.clone()),
                    clock: setup.clock.clone(),
                };
                Ok(one_by_one(
                    "ship-order",
                    &setup,
                    step,
                    |step, hint| async move { step.take(hint).await.unwrap_or_else(Handled::from) },
                ))
            })
        },
    }
}

struct Step {
    store: Store,
    products: Products,
    tariffs: Cached<(Vec<Location>, Vec<Rate>)>,
    clock: Clock,
}

impl Step {
    async fn take(self: Arc<Self>, hint: Hint) -> Result<Handled, StoreError> {
        let Hint::Order(id, seen) = hint else {
            return Ok(Outcome::Permanent("expected a hint at an order".into()).into());
        };
        let order = match seen {
            Some(seen) => Some(seen),
            None => self.store.load_order(&id).await?,
        };
        let Some(order) = order else {
            return Ok(Outcome::Permanent("there is no such order".into()).into());
        };
        let tariffs = self
            .tariffs
            .get(async {
                Ok::<_, StoreError>((self.store.locations().await?, self.store.rates().await?))
            })
            .await?;
        // What an order's lines weigh does not depend on which state of it this is.
        let skus: std::collections::BTreeSet<&str> = order
            .lines
            .iter()
            .filter_map(|line| line.sku.as_deref())
            .collect();
        let products = self.products.get(skus).await?;
        let now = self.clock.now();
        let decide = |order: &Order| Ok(decide(order, &tariffs.0, &tariffs.1, &products, now));
        let handled = Handled::from(self.store.drive(&id, Some(order), decide).await);
        Ok(handled.and_the_rest(StepName::ShipOrder))
    }
}

/// Sends off the first packed fulfillment order that still is to go.
fn decide(
    order: &Order,
    locations: &[Location],
    rates: &[Rate],
    products: &[Product],
    now: Timestamp,
) -> Option<Order> {
    let packed =
        |f: &&domain::FulfillmentOrder| f.status == FulfillmentStatus::Packed && !f.unrated;
    let fulfillment = order.fulfillments.iter().find(packed)?;
    let n = fulfillment.n;
    let method = order.destination.as_ref().and_then(|destination| {
        let location = locations.iter().find(|l| l.id == fulfillment.location)?;
        let weight = weight_g(order, fulfillment, products);
        let leaves = ship_by(location, now);
        let method = choose_method(
            rates,
            location,
            &destination.country,
            weight,
            leaves,
            order.deliver_by,
        )?;
        Some((method, location.currency))
    });
    let Some((method, currency)) = method else {
        return leave_unrated(order, n, now);
    };
    let parcel = Parcel {
        carrier: method.rate.carrier.clone(),
        service: method.rate.service.clone(),
        // Derived from what it names: asked twice, it is the same label and the same number.
        tracking_number: format!("WB{}{n:02}", order.id),
        label: Some(format!("labels/{}-{n}", order.id)),
        cost: Some((method.price, currency)),
    };
    ship(order, n, parcel, now)
}
