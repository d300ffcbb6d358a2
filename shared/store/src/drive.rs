//! Load, decide, commit, and again on the truth when somebody was quicker.

use std::sync::Arc;

use domain::{Order, OrderId};

use crate::{Committed, Store, StoreError};

/// How often a decision is made anew before the work is left to a later attempt.
pub const MAX_ATTEMPTS: usize = 8;

/// What came of driving an order.
#[derive(Debug)]
pub enum Driven {
    /// It has changed: what it was, and what it is.
    Changed(Arc<Order>, Arc<Order>),
    /// There was nothing to do: what it is, read from the store.
    Unchanged(Arc<Order>),
    /// There is no such order.
    Missing,
}

impl Store {
    /// Changes an order as `decide` says. `seen` is the state that the sender of a hint had just
    /// committed: deciding on it saves the read, because the commit is conditional on its version;
    /// that there is nothing to do is believed only of the store itself.
    pub async fn drive<E: From<StoreError>>(
        &self,
        id: &OrderId,
        seen: Option<Arc<Order>>,
        mut decide: impl FnMut(&Order) -> Result<Option<Order>, E>,
    ) -> Result<Driven, E> {
        if let Some(seen) = seen.filter(|seen| seen.id == *id)
            && let Ok(Some(next)) = decide(&seen)
        {
            match self.commit_order(seen.version, next).await? {
                Committed::Done(now) => return Ok(Driven::Changed(seen, now)),
                Committed::Conflict(current) => return self.redrive(current, decide).await,
            }
        }
        match self.load_order(id).await? {
            Some(current) => self.redrive(current, decide).await,
            None => Ok(Driven::Missing),
        }
    }

    async fn redrive<E: From<StoreError>>(
        &self,
        mut current: Arc<Order>,
        mut decide: impl FnMut(&Order) -> Result<Option<Order>, E>,
    ) -> Result<Driven, E> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(next) = decide(&current)? else {
                return Ok(Driven::Unchanged(current));
            };
            match self.commit_order(current.version, next).await? {
                Committed::Done(now) => return Ok(Driven::Changed(current, now)),
                Committed::Conflict(newer) => current = newer,
            }
        }
        Err(E::from(StoreError::Transient {
            operation: "PutItem (order)",
            cause: format!(
                "order {} changed {MAX_ATTEMPTS} times meanwhile",
                current.id
            ),
        }))
    }
}
