//! Telling people, and channels, once: claim, send, record.

use std::sync::Arc;

use domain::order::Contact;
use domain::owed::{Notice, notified};
use domain::{Order, OrderId, Step};
use jiff::{Timestamp, ToSpan};
use store::{Claim, Driven, Store, StoreError};

use crate::clock::Clock;
use crate::mail::SendError;
use crate::queue::{Handled, Outcome};
use crate::{Emit, Hint};

/// Seconds after which a claim's holder is taken for dead: longer than a function may run (the template's time-outs).
pub const LEASE_S: i64 = 60;

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
        let since = match claim(store, clock, id, &notice).await? {
            Claimed::Since(since) => since,
            // Whoever recorded it may have died before he told of what follows.
            Claimed::Recorded(order) => {
                emits.extend(Emit::again(&order));
                continue;
            }
        };
        let (order, contact) = store.load_order_with_contact(id).await?;
        if !order.notices.contains(&notice) {
            continue;
        }
        let failure = match send(order.clone(), contact, notice.clone()).await {
            Ok(()) => None,
            Err(SendError::Permanent(why)) => Some(why),
            Err(SendError::Transient(why)) => return Err(Outcome::Transient(why).into()),
            Err(SendError::Later(seconds, why)) => {
                give_up(store, id, &notice, since).await;
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
            give_up(store, id, &notice, since).await;
        }
    }
    Ok(Handled {
        outcome: Outcome::Done,
        emits,
        left,
        untold: Vec::new(),
    })
}

/// What came of claiming a notice.
enum Claimed {
    /// It is ours to send, since then.
    Since(Timestamp),
    /// It is no longer due: the order as it is.
    Recorded(Arc<Order>),
}

/// Gives a claim up of which nothing was sent, so that whoever comes next need not wait for its lease: to
/// be sent again, after somebody's wish or because a person says so. If that fails the lease ends all the same.
async fn give_up(store: &Store, id: &OrderId, notice: &Notice, since: Timestamp) {
    let over = since.saturating_sub(LEASE_S.seconds()).unwrap_or(since);
    let key = notice.key();
    if let Err(error) = store.claim_notice(id, &key, Some(since), over).await {
        tracing::warn!(order = %id, notice = key, %error, "a claim is left to its lease");
    }
}

/// Claims a notice, unless it is no longer due. Somebody else's claim says that it was sent, unless the order says that it is still due: then its holder is
/// at it, or has died.
async fn claim(
    store: &Store,
    clock: &Clock,
    id: &OrderId,
    notice: &Notice,
) -> Result<Claimed, Handled> {
    let now = clock.now();
    let key = notice.key();
    let held = match store.claim_notice(id, &key, None, now).await? {
        Claim::Taken => return Ok(Claimed::Since(now)),
        Claim::Held(since) => since,
    };
    let order = store.load_order(id).await?;
    if let Some(order) = order.filter(|order| !order.notices.contains(notice)) {
        return Ok(Claimed::Recorded(order));
    }
    let expires = held
        .saturating_add(LEASE_S.seconds())
        .unwrap_or(Timestamp::MAX);
    if now >= expires && store.claim_notice(id, &key, Some(held), now).await? == Claim::Taken {
        return Ok(Claimed::Since(now));
    }
    let why = format!("{} is being sent by somebody else", notice.describe());
    Err(Outcome::Transient(why).into())
}

impl From<Driven> for Handled {
    fn from(driven: Driven) -> Self {
        Self::from(Ok::<_, StoreError>(driven))
    }
}
