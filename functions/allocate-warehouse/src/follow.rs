//! What follows from an allocation: further work on the order, and who else hears of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::allocation::{allocate, waits_for};
use domain::limits::MAX_LINES_PER_COMMIT;
use domain::stock::Changes;
use domain::{Order, OrderId, Step as StepName};
use runtime::Emit;
use runtime::queue::{Handled, Outcome};
use store::StoreError;

use crate::Step;
use crate::view::Facts;

impl Step {
    /// What follows once orders are committed.
    pub(crate) async fn follow(
        &self,
        before: &[Arc<Order>],
        after: &[Arc<Order>],
        given_back: &[(OrderId, BTreeSet<String>)],
    ) -> Vec<(OrderId, Handled)> {
        let come = self.come_meanwhile(before, after).await;
        let mut followed = Vec::with_capacity(after.len());
        for (before, after) in before.iter().zip(after) {
            let handled = match &come {
                Ok(come) => {
                    let given_back = given_back.iter().find(|given| given.0 == after.id);
                    let given_back = given_back.map(|given| &given.1);
                    let again = come.contains(&after.id);
                    let told = self.tell_of_reservation(before, given_back).await;
                    told.map(|(emits, untold)| done(before, after, again, emits, untold))
                        .unwrap_or_else(Handled::from)
                }
                // The message comes again, and looks at what waits.
                Err(error) => Outcome::from_store(error).into(),
            };
            followed.push((after.id.clone(), handled));
        }
        followed
    }

    /// Hints at the orders that wait for what an order has given back of its reservation; and those at who waits
    /// for what it gave back earlier, if it did: whoever committed that may have died before he told them.
    pub(crate) async fn tell_of_reservation(
        &self,
        before: &Order,
        given_back: Option<&BTreeSet<String>>,
    ) -> Result<(Vec<Emit>, Vec<Emit>), StoreError> {
        let used = before.reservation.as_ref().filter(|named| named.used);
        let mut earlier = Vec::new();
        if let Some(named) = used {
            let known = self
                .store
                .load_reservations(&[&named.id])
                .await?
                .into_iter();
            earlier.extend(known.filter(|known| known.order.as_ref() == Some(&before.id)));
        }
        let earlier = earlier.iter().flat_map(|known| known.skus());
        let now = given_back.into_iter().flatten().map(String::as_str);
        Ok((
            self.tell_waiting(now).await?,
            self.tell_waiting(earlier).await?,
        ))
    }

    async fn tell_waiting(
        &self,
        skus: impl Iterator<Item = &str>,
    ) -> Result<Vec<Emit>, StoreError> {
        let mut emits = Vec::new();
        for sku in skus {
            emits.extend(Emit::to_waiting(&self.store, sku).await?);
        }
        Ok(emits)
    }

    /// The orders that now wait, and did not before, for goods that have come in meanwhile. Whoever
    /// brought them asked who waits after he had written; these were noted as waiting before this
    /// looks again: one of the two sees the other. Should this look fail, the message comes again, and
    /// looks at what waits.
    async fn come_meanwhile(
        &self,
        before: &[Arc<Order>],
        after: &[Arc<Order>],
    ) -> Result<BTreeSet<OrderId>, StoreError> {
        let begins = |(before, after): (&Arc<Order>, &Arc<Order>)| {
            let known = waits_for(before);
            let begins = waits_for(after).keys().any(|sku| !known.contains_key(sku));
            begins.then(|| Arc::clone(after))
        };
        let waiting: Vec<Arc<Order>> = before.iter().zip(after).filter_map(begins).collect();
        if waiting.is_empty() {
            return Ok(BTreeSet::new());
        }
        let facts = self.facts(&waiting).await?;
        let view = self.whole_view(&waiting, &facts).await?;
        let now = self.clock.now();
        let finds = |order: &&Arc<Order>| {
            let (mut available, mut changes) = (view.available.clone(), Changes::default());
            let Facts { network, products } = &facts;
            let found = allocate(order, network, products, &mut available, &mut changes, now);
            found.is_some()
        };
        let come = waiting.iter().filter(finds);
        Ok(come.map(|order| order.id.clone()).collect())
    }
}

/// What follows from an allocation. An order with more lines than one looks at may wait for goods
/// that are there, and so may one whose goods came in meanwhile (`again`): it is looked at again.
fn done(
    before: &Order,
    after: &Arc<Order>,
    again: bool,
    told: Vec<Emit>,
    untold: Vec<Emit>,
) -> Handled {
    let mut emits = Emit::after(before, after);
    let taken = before.fulfillments.len() < after.fulfillments.len();
    let long = after.lines.len() > MAX_LINES_PER_COMMIT && !waits_for(after).is_empty();
    if (again || taken && long)
        && !emits
            .iter()
            .any(|emit| emit.step == StepName::AllocateWarehouse)
    {
        emits.extend(Emit::each(vec![StepName::AllocateWarehouse], after));
    }
    emits.extend(told);
    Handled {
        outcome: Outcome::Done,
        emits,
        left: Some(Arc::clone(after)),
        untold,
    }
}
