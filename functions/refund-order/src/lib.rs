//! Has refunds paid: by the payment provider that the order's money came through, or by a person.

use std::sync::Arc;

use channels::payments::Wish;
use domain::Step as StepName;
use domain::limits::LOCKED_S;
use domain::order::{Order, Refund, RefundStatus};
use domain::refund::{Answer, Outcome as Refunded, answered, submitted};
use domain::{OrderId, owed};
use intake::{Failure, Vendors};
use jiff::Timestamp;
use runtime::claim::{Claimed, claim, give_up};
use runtime::queue::{Handled, Outcome, one_by_one};
use runtime::{Clock, Function, Hint};
use store::{Driven, Store, StoreError};

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
            "SECRETS_PREFIX",
        ],
        init: |setup| {
            Box::pin(async move {
                let (store, clock) = (setup.store(), setup.clock.clone());
                runtime::function::warm(&store, Some(&setup.outbox())).await;
                let vendors =
                    Vendors::new(setup.web.clone(), setup.payment_accesses(), clock.clone());
                let step = Step {
                    store,
                    vendors,
                    clock,
                };
                Ok(one_by_one(
                    "refund-order",
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

/// The refund that is next to be paid.
fn due(order: &Order) -> Option<&Refund> {
    let mut refunds = order.refunds.iter();
    refunds.find(|refund| refund.status == RefundStatus::Requested)
}

/// Its number, if a payment provider pays it.
fn asked_for(order: &Order) -> Option<u32> {
    let refund = due(order).filter(|_| order.paid_through.is_some());
    refund.map(|refund| refund.n)
}

impl Step {
    async fn take(self: Arc<Self>, hint: Hint) -> Handled {
        let Hint::Order(id, seen) = hint else {
            return Outcome::Permanent("expected a hint at an order".into()).into();
        };
        let handled = match self.pay(&id, seen).await {
            Ok(handled) | Err(handled) => handled,
        };
        handled.and_the_rest(StepName::RefundOrder)
    }

    async fn pay(&self, id: &OrderId, seen: Option<Arc<Order>>) -> Result<Handled, Handled> {
        let known = seen.as_deref().filter(|seen| seen.id == *id);
        if let Some(n) = known.and_then(asked_for) {
            return self.ask(id, n).await;
        }
        let now = self.clock.now();
        // A person has no need to be asked one at a time, so that deciding is all there is.
        let decide = |order: &Order| -> Result<Option<Order>, StoreError> {
            let refund = due(order).filter(|_| order.paid_through.is_none());
            Ok(refund.and_then(|refund| submitted(order, refund.n, now)))
        };
        match self.store.drive(id, seen, decide).await? {
            Driven::Unchanged(order) => match asked_for(&order) {
                Some(n) => self.ask(id, n).await,
                None => Ok(Driven::Unchanged(order).into()),
            },
            driven => Ok(driven.into()),
        }
    }

    /// Asks the payment provider for refund `n`, and notes what it says. What is noted of the order before is the
    /// intent; who dies after the provider has paid leaves a claim, by which whoever comes next knows that he has to
    /// look before he asks.
    async fn ask(&self, id: &OrderId, n: u32) -> Result<Handled, Handled> {
        let key = format!("refund-{n}");
        let is_due = |order: &Order| owed::owed(order).contains(&domain::Work::Refund(n));
        let (since, again) = match claim(&self.store, &self.clock, id, &key, is_due).await? {
            Claimed::Since { at, again } => (at, again),
            Claimed::Recorded(order) => return Ok(Driven::Unchanged(order).into()),
        };
        let Some(order) = self.store.load_order(id).await? else {
            return Ok(Driven::Missing.into());
        };
        let wish = Wish::of(&order, n, again);
        let (Some(through), Some(wish)) = (&order.paid_through, wish) else {
            return Ok(Driven::Unchanged(order).into());
        };
        let answer = match self.vendors.refund(through, &wish).await {
            Ok(answer) => answer,
            Err(failure) => match meaning(failure) {
                Meaning::Answer(answer) => answer,
                Meaning::Transient(why) => return Err(Outcome::Transient(why).into()),
                Meaning::Later(seconds, why) => {
                    give_up(&self.store, id, &key, since).await;
                    return Err(Outcome::Later(seconds, why).into());
                }
            },
        };
        let now: Timestamp = self.clock.now();
        let record = |order: &Order| -> Result<Option<Order>, StoreError> {
            Ok(answered(order, n, &answer, now))
        };
        let driven = self.store.drive(id, Some(order), record).await?;
        if matches!(answer.outcome, Refunded::Refused(_)) {
            // A person may have it asked anew.
            give_up(&self.store, id, &key, since).await;
        }
        Ok(driven.into())
    }
}

/// What it means that a provider has not answered as it should.
enum Meaning {
    /// It will not pay.
    Answer(Answer),
    /// Nothing is known: it is asked again, once whoever was at it has ended.
    Transient(String),
    /// It has not paid, and is asked again after so many seconds.
    Later(i64, String),
}

/// What a person has to mend in the account's access heals every order that waits for it, and is no task of each: the
/// queue's alarms ring.
fn meaning(failure: Failure) -> Meaning {
    let reason = failure.to_string();
    let refused = |why| {
        Meaning::Answer(Answer {
            external: None,
            outcome: Refunded::Refused(why),
        })
    };
    match failure {
        Failure::Again(0, why) => Meaning::Transient(why),
        Failure::Again(seconds, why) => Meaning::Later(seconds, why),
        Failure::NoAccess | Failure::Locked(_) => Meaning::Later(LOCKED_S, reason),
        Failure::Refused(why) => refused(why),
        Failure::Missing => refused("no such payment".into()),
        Failure::NotOurs(why) => refused(why.into()),
        // It may have paid all the same.
        Failure::Unreadable(_) => Meaning::Transient(reason),
    }
}
