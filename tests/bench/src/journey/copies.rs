//! A shop that has had many orders, without running them: the tables of one that has had some, filled with copies of those.
//!
//! A copy of an order is all that it has left behind when it is at rest, under another id, another number and another id of
//! its channel: every item of its partition (the order itself, contact, pages of its timeline, records of its routing, claims),
//! written in bulk past the API; and its movements and breakdowns in the ledgers of the same levels, page by page by
//! the store's own writes. A receipt of as many units comes before them, so that the shelves are as full as they
//! were. Times and ids of lines are those of the original.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use domain::OrderId;
use domain::id::derived;
use domain::limits::LEDGER_PAGE;
use domain::stock::{Level, LevelChange, Movement, MovementKind};
use dynoxide::types::Item;
use dynoxide::{Database, ImportOptions};
use local::seed::DEMO_ACCOUNT;
use serde_json::{Value, json};
use store::{Store, Write, Written, key};

/// The channel's id of the first copy, and its number.
const FIRST: u64 = 8_000_000_000_000;

/// An order that has been run, and the items that it has left, as they are written.
struct Original {
    id: String,
    external_id: String,
    number: String,
    items: Vec<String>,
}

/// A level, and what the originals have moved there, in order.
struct Ledger {
    level: Level,
    moved: Vec<Movement>,
    /// What copies have moved, and is not written yet.
    waiting: Vec<Movement>,
}

/// Ids of originals and of breakdowns, and what they are in one round of copies.
type Names = BTreeMap<String, String>;

/// Copies all orders of a shop so often. Nothing else may write meanwhile. The id of one copy of each time.
pub async fn fill(
    database: &Database,
    store: &Store,
    [orders, stock]: [&str; 2],
    times: u64,
) -> Result<Vec<String>> {
    let originals = originals(database, store, orders).await?;
    let breakdowns = breakdowns(database, stock)?;
    let mut ledgers = ledgers(store).await?;
    database.enable_bulk_loading()?;
    let mut some = Vec::new();
    for round in 0..times {
        let mut names = Names::new();
        let mut items = Vec::new();
        for (n, original) in (0..).zip(&originals) {
            let external = FIRST + round * originals.len() as u64 + n;
            let (channel, account, _) = DEMO_ACCOUNT;
            let external_id = external.to_string();
            let id = OrderId::of(channel, account, &external_id).to_string();
            // As it is written in the order, and in the index: no other number is meant.
            let number = |number: &str| [format!("{{\"S\":\"{number}\"}}"), format!("#{number}\"")];
            let (old, new) = (number(&original.number), number(&external_id));
            for item in &original.items {
                let item = item.replace(&original.id, &id);
                let item = item.replace(&original.external_id, &external_id);
                let item = item.replace(&old[0], &new[0]).replace(&old[1], &new[1]);
                items.push(serde_json::from_str::<Item>(&item)?);
            }
            if n == 0 {
                some.push(id.clone());
            }
            names.insert(original.id.clone(), id);
        }
        database.import_items(orders, items, ImportOptions::default())?;
        let mut items = Vec::new();
        for (id, item) in &breakdowns {
            let copy = derived(&[id, &round.to_string()]);
            let named = names
                .iter()
                .fold(item.replace(id, &copy), |item, (from, to)| {
                    item.replace(from, to)
                });
            items.push(serde_json::from_str::<Item>(&named)?);
            names.insert(format!("BATCH-{id}"), format!("BATCH-{copy}"));
        }
        database.import_items(stock, items, ImportOptions::default())?;
        for ledger in &mut ledgers {
            if round == 0 {
                ledger.receive(times);
            }
            ledger.copy(&names)?;
            ledger.write(store, LEDGER_PAGE).await?;
        }
    }
    for ledger in &mut ledgers {
        ledger.write(store, 1).await?;
    }
    database.disable_bulk_loading()?;
    Ok(some)
}

/// All items of a table whose partition begins so, as they are written.
fn items(database: &Database, table: &str, prefix: &str) -> Result<Vec<Value>> {
    let (mut found, mut from) = (Vec::new(), Value::Null);
    loop {
        let mut request = json!({"TableName": table, "ConsistentRead": true});
        if !from.is_null() {
            request["ExclusiveStartKey"] = from;
        }
        let page = serde_json::to_value(database.scan(serde_json::from_value(request)?)?)?;
        let of = |item: &&Value| {
            item["pk"]["S"]
                .as_str()
                .is_some_and(|pk| pk.starts_with(prefix))
        };
        let items = page["Items"].as_array().context("a scan without items")?;
        found.extend(items.iter().filter(of).cloned());
        from = page["LastEvaluatedKey"].clone();
        if from.is_null() {
            return Ok(found);
        }
    }
}

async fn originals(database: &Database, store: &Store, table: &str) -> Result<Vec<Original>> {
    let mut partitions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in items(database, table, "ORDER#")? {
        let pk = item["pk"]["S"].as_str().unwrap_or_default().to_owned();
        partitions.entry(pk).or_default().push(item.to_string());
    }
    let (mut originals, mut from) = (Vec::new(), None);
    loop {
        let (orders, next) = store.scan_orders(from).await?;
        originals.extend(orders.into_iter().map(|order| {
            Original {
                items: partitions
                    .remove(&key::order(&order.id))
                    .unwrap_or_default(),
                external_id: order.source.external_id.clone(),
                number: order.number.trim_start_matches('#').to_owned(),
                id: order.id.to_string(),
            }
        }));
        from = next;
        if from.is_none() {
            return Ok(originals);
        }
    }
}

/// The breakdowns, by their ids.
fn breakdowns(database: &Database, table: &str) -> Result<Vec<(String, String)>> {
    let items = items(database, table, "SKU#")?.into_iter();
    let breakdowns = items.filter(|item| item["entity"]["S"] == "breakdown");
    let named = breakdowns.map(|item| {
        let id = item["id"]["S"]
            .as_str()
            .context("a breakdown without an id")?;
        Ok((id.to_owned(), item.to_string()))
    });
    named.collect()
}

/// The levels that orders have moved.
async fn ledgers(store: &Store) -> Result<Vec<Ledger>> {
    let (mut ledgers, mut from) = (Vec::new(), None);
    loop {
        let (levels, next) = store.scan_levels(from).await?;
        for level in levels {
            let mut movements: Vec<Movement> = level.tail.iter().rev().cloned().collect();
            while (movements.len() as u64) < level.movements {
                let before = level.movements + 1 - movements.len() as u64;
                let (sku, place) = (&level.sku, &level.location);
                let page = store.ledger_before(sku, place, level.share, before).await?;
                ensure!(!page.is_empty(), "the ledger of {sku} has a gap");
                movements.extend(page.into_iter().map(|(_, movement)| movement));
            }
            movements.reverse();
            // Whoever reports is no order.
            movements.retain(|movement| !movement.kind.is_reported());
            if !movements.is_empty() {
                ledgers.push(Ledger {
                    level,
                    moved: movements,
                    waiting: Vec::new(),
                });
            }
        }
        from = next;
        if from.is_none() {
            return Ok(ledgers);
        }
    }
}

impl Ledger {
    /// As many units come in as copies will take away.
    fn receive(&mut self, times: u64) {
        let shipped = self.moved.iter().map(|m| m.kind.delta(m.quantity).on_hand);
        let shipped: i64 = shipped.sum();
        self.waiting
            .extend(self.moved.first().map(|first| Movement {
                kind: MovementKind::Receive,
                quantity: -shipped * times as i64,
                cause: "copies".into(),
                at: first.at,
            }));
    }

    /// Adds what a round of copies has moved.
    fn copy(&mut self, names: &Names) -> Result<()> {
        for movement in &self.moved {
            let cause = names.get(&movement.cause);
            let cause = cause.with_context(|| format!("{} is no order", movement.cause))?;
            self.waiting.push(Movement {
                cause: cause.clone(),
                ..movement.clone()
            });
        }
        Ok(())
    }

    /// Writes what waits, a page after the other, as long as there are so many movements.
    async fn write(&mut self, store: &Store, least: usize) -> Result<()> {
        while self.waiting.len() >= least {
            let count = self.waiting.len().min(LEDGER_PAGE);
            let level = &mut self.level;
            let change = LevelChange {
                sku: level.sku.clone(),
                location: level.location.clone(),
                share: level.share,
                shares: 0,
                movements: self.waiting.drain(..count).collect(),
                kept: 0,
            };
            level.movements += count as u64;
            level.tail.extend_from_slice(&change.movements);
            let written = store.write(&[Write::Level(change, None)]).await?;
            ensure!(
                matches!(written, Written::Done),
                "{} moves meanwhile",
                level.sku
            );
            if level.tail.len() >= LEDGER_PAGE {
                store.move_page(level).await?;
                level.tail.drain(..LEDGER_PAGE);
                level.paged = level.paged();
            }
        }
        Ok(())
    }
}
