//! One at a time does what cannot be undone: a claim, with a lease in case its holder dies.

use std::sync::Arc;

use domain::{Order, OrderId};
use jiff::{Timestamp, ToSpan};
use store::{Claim, Store};

use crate::clock::Clock;
use crate::queue::{Handled, Outcome};

/// Seconds after which a claim's holder is taken for dead: longer than a function may run (the template's time-outs).
pub const LEASE_S: i64 = 60;

/// What came of claiming.
#[derive(Debug)]
pub enum Claimed {
    /// It is ours to do, since then.
    Since {
        /// The time that the claim carries.
        at: Timestamp,
        /// Whether somebody has had it before: he may have done it, and died before he noted that.
        again: bool,
    },
    /// It is no longer due: the order as it is.
    Recorded(Arc<Order>),
}

/// Claims what the order is owed under this key, unless it is no longer due. Somebody else's claim says that it was
/// done, unless the order says that it is still due: then its holder is at it, or has died.
pub async fn claim(
    store: &Store,
    clock: &Clock,
    id: &OrderId,
    key: &str,
    is_due: impl Fn(&Order) -> bool,
) -> Result<Claimed, Handled> {
    let now = clock.now();
    let held = match store.claim_notice(id, key, None, now).await? {
        Claim::Taken => {
            return Ok(Claimed::Since {
                at: now,
                again: false,
            });
        }
        Claim::Held(since) => since,
    };
    let order = store.load_order(id).await?;
    if let Some(order) = order.filter(|order| !is_due(order)) {
        return Ok(Claimed::Recorded(order));
    }
    let expires = held
        .saturating_add(LEASE_S.seconds())
        .unwrap_or(Timestamp::MAX);
    if now >= expires && store.claim_notice(id, key, Some(held), now).await? == Claim::Taken {
        return Ok(Claimed::Since {
            at: now,
            again: true,
        });
    }
    let why = format!("somebody else is at {key}");
    Err(Outcome::Transient(why).into())
}

/// Gives a claim up of which nothing is under way, so that whoever comes next need not wait for its lease: to
/// try again, after somebody's wish or because a person says so. If that fails the lease ends all the same.
pub async fn give_up(store: &Store, id: &OrderId, key: &str, since: Timestamp) {
    let over = since.saturating_sub(LEASE_S.seconds()).unwrap_or(since);
    if let Err(error) = store.claim_notice(id, key, Some(since), over).await {
        tracing::warn!(order = %id, claim = key, %error, "a claim is left to its lease");
    }
}
