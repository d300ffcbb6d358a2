//! One order at a time: stored when it is new, changed if it is still as it was.

use std::sync::Arc;

use domain::order::Contact;
use domain::{Order, OrderId};

use crate::write::{Found, Refusal, Write, Written};
use crate::{Store, StoreError};

/// What came of storing a new order.
#[derive(Debug)]
pub enum Created {
    /// It is stored.
    New,
    /// An order of that id was there; nothing has changed.
    Known(Arc<Order>),
}

/// What came of a commit.
#[derive(Debug)]
pub enum Committed {
    /// It is stored: the order as it now is.
    Done(Arc<Order>),
    /// Somebody was quicker; this is the order as it is.
    Conflict(Arc<Order>),
}

impl Store {
    /// Stores a new order with its contact, both or neither, unless it is there.
    pub async fn create_order(
        &self,
        order: &Arc<Order>,
        contact: &Contact,
    ) -> Result<Created, StoreError> {
        let writes = [
            Write::Order(0, order.clone()),
            Write::Contact(order.id.clone(), Box::new(contact.clone())),
        ];
        match self.write(&writes).await? {
            Written::Done => Ok(Created::New),
            Written::Refused(refusals) => match refusals.into_iter().next() {
                Some(Refusal::Condition(Some(Found::Order(known)))) => Ok(Created::Known(known)),
                other => Err(not_now("new order", other)),
            },
        }
    }

    /// Stores `after` if the order is still at version `before`.
    pub async fn commit_order(&self, before: u64, after: Order) -> Result<Committed, StoreError> {
        self.commit_order_and_contact(before, after, None).await
    }

    /// The same, with its names and addresses if they change with it.
    pub async fn commit_order_and_contact(
        &self,
        before: u64,
        mut after: Order,
        contact: Option<Contact>,
    ) -> Result<Committed, StoreError> {
        let id = after.id.clone();
        let page = after.timeline.take_page();
        let mut writes = vec![Write::Order(before, Arc::new(after))];
        writes.extend(page.map(|page| Write::Events(id.clone(), page)));
        writes.extend(contact.map(|contact| Write::Contact(id.clone(), Box::new(contact))));
        match self.write(&writes).await? {
            Written::Done => match writes.swap_remove(0) {
                Write::Order(_, after) => Ok(Committed::Done(after)),
                _ => Err(not_now("order", None)),
            },
            Written::Refused(refusals) => match refusals.into_iter().next() {
                Some(Refusal::Condition(Some(Found::Order(current)))) => {
                    Ok(Committed::Conflict(current))
                }
                Some(Refusal::Condition(_)) => self.conflict(&id).await,
                other => Err(not_now("order", other)),
            },
        }
    }

    /// Notes that all events of this version of an order are handed over to subscribers, if it is still as it is
    /// given.
    pub async fn publish_order(&self, order: &Order) -> Result<Committed, StoreError> {
        let after = Arc::new(order.all_published());
        let write = Write::Published(order.published, Arc::clone(&after));
        match self.write(&[write]).await? {
            Written::Done => Ok(Committed::Done(after)),
            Written::Refused(refusals) => match refusals.into_iter().next() {
                Some(Refusal::Condition(Some(Found::Order(current)))) => {
                    Ok(Committed::Conflict(current))
                }
                Some(Refusal::Condition(_)) => self.conflict(&order.id).await,
                other => Err(not_now("order", other)),
            },
        }
    }

    async fn conflict(&self, id: &OrderId) -> Result<Committed, StoreError> {
        let current = self.load_order(id).await?;
        let current = current.ok_or_else(|| StoreError::Transient {
            operation: "GetItem (order)",
            cause: format!("order {id} has vanished"),
        })?;
        Ok(Committed::Conflict(current))
    }
}

/// Another transaction was in the way: it may pass later.
fn not_now(what: &str, refusal: Option<Refusal>) -> StoreError {
    StoreError::Transient {
        operation: "TransactWriteItems",
        cause: format!("{what} cancelled: {refusal:?}"),
    }
}
