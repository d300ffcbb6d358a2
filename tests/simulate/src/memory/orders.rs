//! Orders, and who has claimed to tell of them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::decision::Decision;
use domain::order::Contact;
use domain::{Order, OrderId};
use jiff::Timestamp;
use store::{Claim, Claims, Cursor, Orders, StoreError, Story, UnreadableDelivery, key, place_of};

use super::{Memory, Row};
use crate::faults::Kind;
use crate::mutant::Mutant;

#[async_trait]
impl Orders for Memory {
    async fn load_order(&self, id: &OrderId) -> Result<Option<Arc<Order>>, StoreError> {
        self.read("GetItem", |state| state.current_order(id).cloned())
            .await
    }

    async fn load_orders(&self, ids: &[OrderId]) -> Result<Vec<Arc<Order>>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.read("BatchGetItem", |state| {
            let mut found: Vec<Arc<Order>> = ids
                .iter()
                .filter_map(|id| state.current_order(id).cloned())
                .collect();
            if state.is_off(Mutant::UnprocessedOrders) && found.len() > 1 {
                found.pop();
            }
            found
        })
        .await
    }

    async fn load_order_with_contact(
        &self,
        id: &OrderId,
    ) -> Result<(Arc<Order>, Contact), StoreError> {
        let found = self
            .read("BatchGetItem", |state| {
                let row = state.tables.row(id)?;
                Some((row.order.clone(), row.contact.clone()?))
            })
            .await?;
        found.ok_or_else(|| StoreError::Unreadable {
            key: key::order(id),
            cause: "the order or its contact is missing".into(),
        })
    }

    async fn load_story(&self, id: &OrderId) -> Result<Option<Story>, StoreError> {
        self.read("Query", |state| state.tables.row(id).map(Row::story))
            .await
    }

    async fn find_orders(&self, channel: &str, number: &str) -> Result<Vec<OrderId>, StoreError> {
        let number = number.trim_start_matches('#');
        let named = |row: &&Row| row.order.source.channel == channel && row.order.number == number;
        self.look("Query", Kind::EventualRead, |state, _| {
            let rows = state.tables.orders.iter().filter(named);
            rows.map(|row| row.order.id.clone()).collect()
        })
        .await
    }

    async fn open_orders(
        &self,
        shard: u32,
        before: Timestamp,
        _from: Option<Cursor>,
    ) -> Result<(Vec<OrderId>, Option<Cursor>), StoreError> {
        let found = self
            .look("Query", Kind::EventualRead, |state, stale| {
                state.open_orders(shard, before, stale)
            })
            .await?;
        Ok((found, None))
    }

    async fn put_decisions(&self, decisions: &[(OrderId, Decision)]) -> Result<(), StoreError> {
        if decisions.is_empty() {
            return Ok(());
        }
        self.change("BatchWriteItem", |state| state.put_decisions(decisions))
            .await
    }

    async fn decisions(&self, id: &OrderId) -> Result<Vec<Decision>, StoreError> {
        self.read("Query", |state| {
            let row = state.tables.row(id);
            row.map(|row| row.decisions.clone()).unwrap_or_default()
        })
        .await
    }

    async fn scan_orders(
        &self,
        from: Option<Cursor>,
    ) -> Result<(Vec<Order>, Option<Cursor>), StoreError> {
        let after = from.as_ref().and_then(place_of);
        let orders = self
            .look("Scan", Kind::EventualRead, |state, stale| {
                let rows = state.tables.orders.iter();
                let mut orders: Vec<Order> = rows.map(|row| row.seen(stale).clone()).collect();
                orders.sort_by_cached_key(|order| order.id.to_string());
                let left = |order: &Order| {
                    let place = (key::order(&order.id), key::ORDER.to_owned());
                    after.as_ref().is_none_or(|after| place > *after)
                };
                orders.retain(left);
                orders
            })
            .await?;
        let state = &mut *self.0.state();
        if state.is_off(Mutant::ReplayWaitsForItsNotes) {
            let now = state.now();
            let replays = state.tables.replays.iter_mut();
            replays.for_each(|replay| replay.done_at = Some(now));
        }
        Ok((orders, None))
    }

    async fn keep_unreadable(
        &self,
        _delivery: UnreadableDelivery<'_>,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change("PutItem", |state| state.tables.unreadable += 1)
            .await
    }
}

#[async_trait]
impl Claims for Memory {
    async fn claim_notice(
        &self,
        id: &OrderId,
        notice: &str,
        stale: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        self.change("PutItem", |state| {
            state.claim(id.as_str(), notice, stale, now)
        })
        .await
    }
}
