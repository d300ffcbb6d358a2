//! Load, decide, commit, and again on the truth when somebody was quicker.

use std::sync::Arc;

use domain::order::Contact;
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

    /// Changes an order as a statement of its channel says, and its names and addresses with it.
    pub async fn restate(
        &self,
        id: &OrderId,
        mut decide: impl FnMut(&Order, &Contact) -> Option<(Order, Option<Contact>)>,
    ) -> Result<Driven, StoreError> {
        for _ in 0..MAX_ATTEMPTS {
            let (current, contact) = self.load_order_with_contact(id).await?;
            let Some((next, contact)) = decide(&current, &contact) else {
                return Ok(Driven::Unchanged(current));
            };
            let committed = self.commit_order_and_contact(current.version, next, contact);
            if let Committed::Done(now) = committed.await? {
                return Ok(Driven::Changed(current, now));
            }
        }
        Err(too_often(id))
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
        Err(E::from(too_often(&current.id)))
    }
}

fn too_often(id: &OrderId) -> StoreError {
    StoreError::Transient {
        operation: "PutItem (order)",
        cause: format!("order {id} changed {MAX_ATTEMPTS} times meanwhile"),
    }
}
