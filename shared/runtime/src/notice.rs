//! Telling people, and channels, once: claim, send, record.

use std::sync::Arc;

use domain::order::Contact;
use domain::owed::{Notice, notified};
use domain::{Order, OrderId, Step};
use store::{Driven, Store, StoreError};

use crate::claim::{Claimed, claim, give_up};
use crate::clock::Clock;
use crate::mail::SendError;
use crate::queue::{Handled, Outcome};
use crate::{Emit, Hint};

/// Sends every notice that the order is owed from `step`, each once. `send` composes and sends
/// one. What the hint says of the order only names the notices: a mail cannot be taken back, so it
/// is written from what the store says after the claim. A crash between the sending and its record repeats the message after the lease: that is
/// the only window, one call wide. A channel that can be asked is asked first whether it knows.
pub async fn tell<F, A>(store: &Store, clock: &Clock, hint: Hint, step: Step, send: F) -> Handled
where
    F: Fn(Arc<Order>, Contact, Notice) -> A,
    A: Future<Output = Result<(), SendError>>,
{
    let Hint::Order(id, seen) = hint else {
        return Outcome::Permanent("expected a hint at an order".into()).into();
    };
    match tell_all(store, clock, &id, seen, step, send).await {
        Ok(handled) | Err(handled) => handled,
    }
}

async fn tell_all<F, A>(
    store: &Store,
    clock: &Clock,
    id: &OrderId,
    seen: Option<Arc<Order>>,
    step: Step,
    send: F,
) -> Result<Handled, Handled>
where
    F: Fn(Arc<Order>, Contact, Notice) -> A,
    A: Future<Output = Result<(), SendError>>,
{
    let due = |order: &Order| -> Vec<Notice> {
        order
            .notices
            .iter()
            .filter(|notice| notice.step() == step)
            .cloned()
            .collect()
    };
    let seen = seen.filter(|seen| seen.id == *id && !due(seen).is_empty());
    let order = match seen {
        Some(seen) => seen,
        None => match store.load_order(id).await? {
            Some(order) => order,
            None => return Err(Outcome::Permanent("there is no such order".into()).into()),
        },
    };
    let notices = due(&order);
    if notices.is_empty() {
        return Ok(Driven::Unchanged(order).into());
    }
    let (mut emits, mut left) = (Vec::new(), None);
    for notice in notices {
        let key = notice.key();
        let is_due = |order: &Order| order.notices.contains(&notice);
        let since = match claim(store, clock, id, &key, is_due).await? {
            Claimed::Since { at, .. } => at,
            // Whoever recorded it may have died before he told of what follows.
            Claimed::Recorded(order) => {
                emits.extend(Emit::again(&order));
                continue;
            }
        };
        let (order, contact) = store.load_order_with_contact(id).await?;
        if !is_due(&order) {
            continue;
        }
        let failure = match send(order.clone(), contact, notice.clone()).await {
            Ok(()) => None,
            Err(SendError::Permanent(why)) => Some(why),
            Err(SendError::Transient(why)) => return Err(Outcome::Transient(why).into()),
            Err(SendError::Later(seconds, why)) => {
                give_up(store, id, &key, since).await;
                return Err(Outcome::Later(seconds, why).into());
            }
        };
        let now = clock.now();
        let record = |order: &Order| Ok(notified(order, &notice, failure.clone(), now));
        match store.drive::<StoreError>(id, Some(order), record).await? {
            Driven::Changed(before, after) => {
                emits.extend(Emit::after(&before, &after));
                left = Some(after);
            }
            // Recorded already: by this very write, if the client repeated it; or by somebody who may
            // have died before he told of what follows.
            Driven::Unchanged(order) => emits.extend(Emit::again(&order)),
            Driven::Missing => {}
        }
        if failure.is_some() && step == Step::UpdateChannel {
            give_up(store, id, &key, since).await;
        }
    }
    Ok(Handled {
        outcome: Outcome::Done,
        emits,
        left,
        untold: Vec::new(),
    })
}

impl From<Driven> for Handled {
    fn from(driven: Driven) -> Self {
        Self::from(Ok::<_, StoreError>(driven))
    }
}
