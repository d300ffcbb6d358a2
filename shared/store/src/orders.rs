//! Orders: store, load, commit, find.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use domain::decision::Decision;
use domain::delivery::Delivery;
use domain::event::Timeline;
use domain::order::Contact;
use domain::{Order, OrderId};
use jiff::Timestamp;

use crate::item::{Item, item, key, number, text, value};
use crate::{DynamoDb, StoreError, key};

/// Everything that an order's partition holds for people to read.
#[derive(Debug)]
pub struct Story {
    /// The order.
    pub order: Order,
    /// Its names and addresses.
    pub contact: Contact,
    /// Its whole timeline.
    pub timeline: Timeline,
    /// How far subscribers have heard of it.
    pub deliveries: Vec<Delivery>,
}

/// A delivery that was signed and could not be understood: kept for a person.
#[derive(Debug, Clone, Copy)]
pub struct UnreadableDelivery<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The account there.
    pub account: &'a str,
    /// Its topic, as the channel calls it.
    pub topic: &'a str,
    /// Why it could not be understood.
    pub reason: &'a str,
    /// The body, as it came.
    pub body: &'a [u8],
}

/// Items of one `BatchWriteItem` (DynamoDB's own limit).
const MAX_BATCH_WRITE: usize = 25;
/// Bytes of a kept body in one item: an item holds at most 400 KB.
const UNREADABLE_PART_BYTES: usize = 350_000;
/// Characters of the reason that are kept beside it: it quotes the body, which may be one long name.
const MAX_REASON_CHARS: usize = 10_000;

/// Orders, to read.
#[async_trait]
pub trait Orders: Send + Sync {
    /// The order as it is now.
    async fn load_order(&self, id: &OrderId) -> Result<Option<Arc<Order>>, StoreError>;

    /// The orders as they are now, at most 100; those that do not exist are left out.
    async fn load_orders(&self, ids: &[OrderId]) -> Result<Vec<Arc<Order>>, StoreError>;

    /// An order with its names and addresses, as they are now.
    async fn load_order_with_contact(
        &self,
        id: &OrderId,
    ) -> Result<(Arc<Order>, Contact), StoreError>;

    /// Everything about an order.
    async fn load_story(&self, id: &OrderId) -> Result<Option<Story>, StoreError>;

    /// The ids of the orders that a channel gave a number to: one, unless several of its accounts
    /// count alike.
    async fn find_orders(
        &self,
        channel: &str,
        order_number: &str,
    ) -> Result<Vec<OrderId>, StoreError>;

    /// The ids of the orders of one shard that have been owed work since `before`, oldest first,
    /// and where to go on.
    async fn open_orders(
        &self,
        shard: u32,
        before: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<OrderId>, Option<Item>), StoreError>;

    /// Keeps the records of routing decisions, before they are carried out: of one that never is, the
    /// record tells of a version that something else led to.
    async fn put_decisions(&self, decisions: &[(OrderId, Decision)]) -> Result<(), StoreError>;

    /// The records of an order's routing decisions, the oldest first.
    async fn decisions(&self, id: &OrderId) -> Result<Vec<Decision>, StoreError>;

    /// A page of all orders, in no order that says anything, and where to go on.
    async fn scan_orders(
        &self,
        from: Option<Item>,
    ) -> Result<(Vec<Order>, Option<Item>), StoreError>;

    /// Keeps a delivery that was signed and could not be understood, once.
    async fn keep_unreadable(
        &self,
        delivery: UnreadableDelivery<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}

impl Story {
    /// How far a subscriber has heard of it, if that is noted.
    pub fn delivery(&self, subscriber: &str) -> Option<&Delivery> {
        let mut deliveries = self.deliveries.iter();
        deliveries.find(|delivery| delivery.subscriber == subscriber)
    }
}

#[async_trait]
impl Orders for DynamoDb {
    async fn load_order(&self, id: &OrderId) -> Result<Option<Arc<Order>>, StoreError> {
        let found = self
            .db
            .get_item()
            .table_name(&self.tables.orders)
            .set_key(Some(key(key::order(id), key::ORDER)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::of("GetItem (order)", error))?;
        found
            .item
            .map(value)
            .transpose()
            .map(|order| order.map(Arc::new))
    }

    async fn load_orders(&self, ids: &[OrderId]) -> Result<Vec<Arc<Order>>, StoreError> {
        let keys = ids
            .iter()
            .map(|id| key(key::order(id), key::ORDER))
            .collect();
        let items = self.batch_get(&self.tables.orders, keys).await?;
        items
            .into_iter()
            .map(|item| value(item).map(Arc::new))
            .collect()
    }

    async fn load_order_with_contact(
        &self,
        id: &OrderId,
    ) -> Result<(Arc<Order>, Contact), StoreError> {
        let pk = key::order(id);
        let keys = vec![key(&pk, key::ORDER), key(&pk, key::CONTACT)];
        let (mut order, mut contact) = (None, None);
        for item in self.batch_get(&self.tables.orders, keys).await? {
            match item.get("sk") {
                Some(AttributeValue::S(sk)) if sk == key::ORDER => {
                    order = Some(Arc::new(value(item)?))
                }
                _ => contact = Some(value(item)?),
            }
        }
        order.zip(contact).ok_or_else(|| StoreError::Unreadable {
            key: pk,
            cause: "the order or its contact is missing".into(),
        })
    }

    async fn load_story(&self, id: &OrderId) -> Result<Option<Story>, StoreError> {
        let items = self
            .query_partition(&self.tables.orders, key::order(id), "")
            .await?;
        let (mut order, mut contact, mut pages) = (None, Contact::default(), Vec::new());
        let mut deliveries = Vec::new();
        for item in items {
            let sk = match item.get("sk") {
                Some(AttributeValue::S(sk)) => sk.clone(),
                _ => continue,
            };
            if sk == key::ORDER {
                order = Some(value::<Order>(item)?);
            } else if sk == key::CONTACT {
                contact = value(item)?;
            } else if sk.starts_with(key::EVENTS) {
                pages.push(value::<Timeline>(item)?);
            } else if sk.starts_with(key::DELIVERY) {
                deliveries.push(value::<Delivery>(item)?);
            }
        }
        Ok(order.map(|order: Order| {
            let mut timeline = Timeline {
                first: 1,
                entries: Vec::new(),
            };
            pages.sort_by_key(|page| page.first);
            let entries = pages.into_iter().flat_map(|page| page.entries);
            timeline
                .entries
                .extend(entries.chain(order.timeline.entries.iter().cloned()));
            Story {
                order,
                contact,
                timeline,
                deliveries,
            }
        }))
    }

    async fn find_orders(
        &self,
        channel: &str,
        order_number: &str,
    ) -> Result<Vec<OrderId>, StoreError> {
        let found = self
            .db
            .query()
            .table_name(&self.tables.orders)
            .index_name("number")
            .key_condition_expression("#number = :number")
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":number", text(key::number(channel, order_number)))
            .limit(25)
            .send()
            .await
            .map_err(|error| StoreError::of("Query (number)", error))?;
        Ok(found.items().iter().filter_map(id_of).collect())
    }

    async fn open_orders(
        &self,
        shard: u32,
        before: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<OrderId>, Option<Item>), StoreError> {
        let (items, next) = self
            .query_open(&self.tables.orders, &shard.to_string(), before, from)
            .await?;
        Ok((items.iter().filter_map(id_of).collect(), next))
    }

    async fn put_decisions(&self, decisions: &[(OrderId, Decision)]) -> Result<(), StoreError> {
        for some in decisions.chunks(MAX_BATCH_WRITE) {
            let puts = some.iter().map(|(id, decision)| {
                let sk = key::decision(decision.of_version, &decision.outcome());
                let put = PutRequest::builder()
                    .set_item(Some(item(decision, "decision", key::order(id), sk)?))
                    .build();
                let put = put.map_err(|error| StoreError::Refused {
                    operation: "BatchWriteItem",
                    cause: error.to_string(),
                })?;
                Ok(WriteRequest::builder().put_request(put).build())
            });
            let puts = puts.collect::<Result<Vec<_>, StoreError>>()?;
            self.batch_write(&self.tables.orders, puts).await?;
        }
        Ok(())
    }

    async fn decisions(&self, id: &OrderId) -> Result<Vec<Decision>, StoreError> {
        let items = self
            .query_partition(&self.tables.orders, key::order(id), key::DECISION)
            .await?;
        items.into_iter().map(value).collect()
    }

    async fn scan_orders(
        &self,
        from: Option<Item>,
    ) -> Result<(Vec<Order>, Option<Item>), StoreError> {
        let page = self
            .db
            .scan()
            .table_name(&self.tables.orders)
            .filter_expression("entity = :order")
            .expression_attribute_values(":order", text("order"))
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|error| StoreError::of("Scan (orders)", error))?;
        let orders = page.items.unwrap_or_default().into_iter().map(value);
        Ok((orders.collect::<Result<_, _>>()?, page.last_evaluated_key))
    }

    async fn keep_unreadable(
        &self,
        delivery: UnreadableDelivery<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let UnreadableDelivery {
            channel,
            account,
            topic,
            reason,
            body,
        } = delivery;
        let digest = domain::id::sha256_hex(body);
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        let parts = body.chunks(UNREADABLE_PART_BYTES);
        // An empty body has a part too: that it came is kept.
        let parts = parts.chain(body.is_empty().then_some(body));
        for (n, part) in parts.enumerate() {
            let mut item = key(key::unreadable(channel, account), format!("{digest}#{n}"));
            item.insert("entity".into(), text("unreadable"));
            item.insert("schema".into(), number(1));
            item.insert("version".into(), number(1));
            item.insert("at".into(), text(now.to_string()));
            item.insert("topic".into(), text(topic));
            item.insert("reason".into(), text(&*reason));
            item.insert("body".into(), AttributeValue::B(part.to_vec().into()));
            self.db
                .put_item()
                .table_name(&self.tables.orders)
                .set_item(Some(item))
                .send()
                .await
                .map_err(|error| StoreError::of("PutItem (unreadable)", error))?;
        }
        Ok(())
    }
}

impl DynamoDb {
    /// Reads items by key, at most 100, consistently; asks again for what was throttled.
    pub(crate) async fn batch_get(
        &self,
        table: &str,
        keys: Vec<Item>,
    ) -> Result<Vec<Item>, StoreError> {
        const OPERATION: &str = "BatchGetItem";
        let mut items = Vec::with_capacity(keys.len());
        let mut left = keys;
        for _ in 0..crate::drive::MAX_ATTEMPTS {
            if left.is_empty() {
                return Ok(items);
            }
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(left))
                .consistent_read(true)
                .build();
            let wanted = wanted.map_err(|error| StoreError::Refused {
                operation: OPERATION,
                cause: error.to_string(),
            })?;
            let mut found = self
                .db
                .batch_get_item()
                .request_items(table, wanted)
                .send()
                .await
                .map_err(|error| StoreError::of(OPERATION, error))?;
            items.extend(
                found
                    .responses
                    .take()
                    .and_then(|mut r| r.remove(table))
                    .unwrap_or_default(),
            );
            let unread = found
                .unprocessed_keys
                .take()
                .and_then(|mut u| u.remove(table));
            left = unread.map(|u| u.keys).unwrap_or_default();
        }
        Err(StoreError::Transient {
            operation: OPERATION,
            cause: "throttled".into(),
        })
    }

    /// Writes items, at most [`MAX_BATCH_WRITE`], each by itself; again what was throttled.
    pub(crate) async fn batch_write(
        &self,
        table: &str,
        writes: Vec<WriteRequest>,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "BatchWriteItem";
        let mut left = writes;
        for _ in 0..crate::drive::MAX_ATTEMPTS {
            if left.is_empty() {
                return Ok(());
            }
            let written = self
                .db
                .batch_write_item()
                .request_items(table, left)
                .send()
                .await
                .map_err(|error| StoreError::of(OPERATION, error))?;
            let unwritten = written.unprocessed_items.unwrap_or_default().remove(table);
            left = unwritten.unwrap_or_default();
        }
        Err(StoreError::Transient {
            operation: OPERATION,
            cause: "throttled".into(),
        })
    }

    /// All items of a partition whose sort key begins with `prefix`.
    pub(crate) async fn query_partition(
        &self,
        table: &str,
        pk: String,
        prefix: &str,
    ) -> Result<Vec<Item>, StoreError> {
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let query = self
                .db
                .query()
                .table_name(table)
                .consistent_read(true)
                .expression_attribute_values(":pk", text(&pk))
                .set_exclusive_start_key(from);
            // An empty string is no valid key value to compare with.
            let query = match prefix {
                "" => query.key_condition_expression("pk = :pk"),
                prefix => query
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":prefix", text(prefix)),
            };
            let page = query
                .send()
                .await
                .map_err(|error| StoreError::of("Query", error))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    /// A page of the index of open work.
    pub(crate) async fn query_open(
        &self,
        table: &str,
        open: &str,
        before: Timestamp,
        from: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let page = self
            .db
            .query()
            .table_name(table)
            .index_name("open")
            .key_condition_expression("#open = :open AND open_at < :before")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":open", text(open))
            .expression_attribute_values(":before", number(before.as_second()))
            .limit(100)
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|error| StoreError::of("Query (open)", error))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }
}

pub(crate) fn id_of(item: &Item) -> Option<OrderId> {
    match item.get("pk") {
        Some(AttributeValue::S(pk)) => OrderId::parse(pk.strip_prefix("ORDER#")?),
        _ => None,
    }
}
