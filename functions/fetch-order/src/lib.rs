//! Fetches orders that a channel only says have changed, by the API of the channel's vendor, and takes them
//! in as if the channel had sent them whole. Whose word comes by a queue and not by a webhook is heard here as well.

use std::sync::Arc;

use channels::amazon::{self, Amazon};
use channels::{Channel, Unreadable};
use domain::Order;
use intake::{Failure, Intake, Refused, Told, Vendors};
use jiff::Timestamp;
use runtime::queue::{Handled, Outcome, one_by_one};
use runtime::{Changed, Clock, Emit, Function, Handler, Hint};
use serde_json::json;
use store::{Store, UnreadableDelivery};

/// Characters of a reason that is kept.
const MAX_REASON: usize = 1_000;

/// The function.
pub fn function() -> Function {
    Function {
        name: "fetch-order",
        variables: &[
            "ORDERS_TABLE",
            "REFERENCE_TABLE",
            "PLACES_TABLE",
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
                    intake: Intake::new(store.clone(), clock.clone()),
                    store,
                    vendors,
                    clock,
                };
                let take = one_by_one("fetch-order", &setup, step, |step, hint| async move {
                    step.take(hint).await
                });
                Ok(hearing(take))
            })
        },
    }
}

/// Whether and of which order a channel speaks that puts its word into a queue of ours by itself.
fn heard(body: &str) -> Option<Hint> {
    let (seller, said) = amazon::notified(body.as_bytes()).ok()??;
    Some(Hint::Changed(Changed {
        channel: Amazon.name().to_owned(),
        account: seller,
        external_id: said.external_id,
        as_of: said.as_of,
    }))
}

/// Takes such word for what `accept-order` makes of a webhook, should it be parked, too. Nothing of it is
/// believed but that there is something to ask for.
fn hearing(handler: Handler) -> Handler {
    match handler {
        Handler::Queue(take) => Handler::Queue(Arc::new(move |mut batch| {
            for delivery in batch.iter_mut().filter(|delivery| delivery.hint.is_err()) {
                if let Some(hint) = heard(&delivery.body) {
                    delivery.body = hint.to_body();
                    delivery.hint = Ok(hint);
                }
            }
            take(batch)
        })),
        other => other,
    }
}

struct Step {
    store: Store,
    intake: Intake,
    vendors: Vendors,
    clock: Clock,
}

impl Step {
    async fn take(&self, hint: Hint) -> Handled {
        let Hint::Changed(changed) = hint else {
            let why = "there is no such order in a channel: it names none";
            return Outcome::Permanent(why.into()).into();
        };
        let Some(channel) = channels::by_name(&changed.channel) else {
            return Outcome::Permanent("there is no such channel".into()).into();
        };
        match self.fetch(channel, &changed).await {
            Ok(handled) | Err(handled) => handled,
        }
    }

    async fn fetch(&self, channel: &dyn Channel, changed: &Changed) -> Result<Handled, Handled> {
        // What is known to be newer needs no fetching; what is as old may have changed within its second.
        if let Some(as_of) = changed.as_of {
            let known = self.store.load_order(&changed.id()).await?;
            if let Some(known) = known.filter(|known| known.as_of > Some(as_of)) {
                return Ok(left(Outcome::AlreadyDone, known, Vec::new()));
            }
        }
        let Changed {
            account,
            external_id,
            ..
        } = changed;
        let document = match self.vendors.order(channel, account, external_id).await {
            Ok(document) => document,
            Err(failure) => return self.failed(changed, failure, None).await,
        };
        let new = match channel.parse(&document, account) {
            Ok(new) => new,
            Err(why) => return self.failed(changed, why.into(), Some(&document)).await,
        };
        if new.source.external_id != *external_id {
            let why = Failure::Refused("it gave another order than was asked for".into());
            return self.failed(changed, why, None).await;
        }
        if is_older(new.as_of, changed.as_of) {
            // Its list is ahead of its orders.
            let why = "what the channel's API gives is older than what it has said";
            return Err(Outcome::Transient(why.into()).into());
        }
        match self.intake.take(new, &document, Told::Asked).await {
            Ok((order, emits)) => Ok(left(Outcome::Done, order, emits)),
            Err(Refused::Quantities(problems)) => {
                let why = Unreadable::Problems(problems);
                self.failed(changed, why.into(), Some(&document)).await
            }
            Err(Refused::Store(error)) => Err(error.into()),
        }
    }

    /// What a failure means for the message. What cannot be read, and what there is no access to, is kept for a
    /// person, like a delivery that cannot be read; what a mended access heals is parked, to be sent back. An order
    /// that is not there may only not be shown yet.
    async fn failed(
        &self,
        changed: &Changed,
        failure: Failure,
        document: Option<&[u8]>,
    ) -> Result<Handled, Handled> {
        let reason = failure.to_string();
        let outcome = match failure {
            Failure::Missing | Failure::Again(0, _) => Outcome::Transient(reason),
            Failure::Again(seconds, _) => Outcome::Later(seconds, reason),
            Failure::NotOurs(_) => Outcome::Ignored(reason),
            Failure::Locked(_) | Failure::Refused(_) => Outcome::Permanent(reason),
            Failure::NoAccess | Failure::Unreadable(_) => {
                self.keep(changed, &reason, document).await?;
                Outcome::Ignored("it is kept for a person".into())
            }
        };
        // Whoever stored the order at an earlier delivery may have died before he told of it.
        let left = self.store.load_order(&changed.id()).await?;
        Ok(Handled {
            left,
            ..outcome.into()
        })
    }

    async fn keep(
        &self,
        changed: &Changed,
        reason: &str,
        document: Option<&[u8]>,
    ) -> Result<(), Handled> {
        let reason: String = reason.chars().take(MAX_REASON).collect();
        let id = json!({"external_id": changed.external_id}).to_string();
        let delivery = UnreadableDelivery {
            channel: &changed.channel,
            account: &changed.account,
            topic: "fetched",
            reason: &reason,
            body: document.unwrap_or(id.as_bytes()),
        };
        Ok(self
            .store
            .keep_unreadable(delivery, self.clock.now())
            .await?)
    }
}

/// Whether a document is of before what its channel has said. Both are the channel's own times.
fn is_older(document: Option<Timestamp>, said: Option<Timestamp>) -> bool {
    matches!((document, said), (Some(document), Some(said)) if document < said)
}

fn left(outcome: Outcome, order: Arc<Order>, emits: Vec<Emit>) -> Handled {
    Handled {
        outcome,
        emits,
        left: Some(order),
        untold: Vec::new(),
    }
}
