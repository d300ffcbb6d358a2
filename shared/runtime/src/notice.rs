//! Telling people, once: claim, send, record.

use std::sync::Arc;

use domain::order::Contact;
use domain::owed::{Notice, notified};
use domain::{Order, OrderId, Step};
use jiff::{Timestamp, ToSpan};
use store::{Claim, Driven, Store, StoreError};

use crate::Emit;
use crate::clock::Clock;
use crate::mail::SendError;
use crate::queue::{Handled, Outcome};

/// Seconds after which a claim's holder is taken for dead: longer than a function may run.
const LEASE_S: i64 = 60;

/// Sends every notice that the order is owed from `step`, each once. `send` composes and sends
/// one. What the hint says of the order only names the notices: a mail cannot be taken back, so it
/// is written from what the store says after the claim. A crash between the sending and its record repeats the message after the lease: that is
/// the only window, one call wide.
pub async fn tell<F, A>(
    store: &Store,
    clock: &Clock,
    id: &OrderId,
    seen: Option<Arc<Order>>,
    step: Step,
    send: F,
) -> Handled
where
    F: Fn(Arc<Order>, Contact, Notice) -> A,
    A: Future<Output = Result<(), SendError>>,
{
    match tell_all(store, clock, id, seen, step, send).await {
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
        if let Some(order) = claim(store, clock, id, &notice).await? {
            // Whoever recorded it may have died before he told of what follows.
            emits.extend(Emit::again(&order));
            continue;
        }
        let (order, contact) = store.load_order_with_contact(id).await?;
        if !order.notices.contains(&notice) {
            continue;
        }
        let failure = match send(order.clone(), contact, notice.clone()).await {
            Ok(()) => None,
            Err(SendError::Permanent(why)) => Some(why),
            Err(SendError::Transient(why)) => return Err(Outcome::Transient(why).into()),
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
    }
    Ok(Handled {
        outcome: Outcome::Done,
        emits,
        left,
        untold: Vec::new(),
    })
}

/// `None` if the notice is ours to send, and the order as it is if it is no longer due. Somebody
/// else's claim says that it was sent, unless the order says that it is still due: then its holder is
/// at it, or has died.
async fn claim(
    store: &Store,
    clock: &Clock,
    id: &OrderId,
    notice: &Notice,
) -> Result<Option<Arc<Order>>, Handled> {
    let now = clock.now();
    let key = notice.key();
    let held = match store.claim_notice(id, &key, None, now).await? {
        Claim::Taken => return Ok(None),
        Claim::Held(since) => since,
    };
    let order = store.load_order(id).await?;
    if let Some(order) = order.filter(|order| !order.notices.contains(notice)) {
        return Ok(Some(order));
    }
    let expires = held
        .saturating_add(LEASE_S.seconds())
        .unwrap_or(Timestamp::MAX);
    if now >= expires && store.claim_notice(id, &key, Some(held), now).await? == Claim::Taken {
        return Ok(None);
    }
    let why = format!("{} is being sent by somebody else", notice.describe());
    Err(Outcome::Transient(why).into())
}

impl From<Driven> for Handled {
    fn from(driven: Driven) -> Self {
        Self::from(Ok::<_, StoreError>(driven))
    }
}
