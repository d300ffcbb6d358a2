//! Pages of ledgers: the older movements of levels, which their own items do not hold any more.
//!
//! A page is of a fixed number of the oldest movements that a level's own item holds, and so the same whoever writes it. It is
//! written before a commit and not in it: many may want to write a level at once, and a page as part of their commits would be
//! in vain with all of them but one. With the commit of whoever has written it its movements are taken out of the item, on
//! condition that no others were since they were read. Whoever dies between the two has done no harm: all who read go by the
//! numbers of movements, and the next goes on from there.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::limits::{LEDGER_OVERDUE, LEDGER_PAGE};
use domain::stock::{Level, LevelChange, Movement};
use futures::future::join_all;

use crate::item::{attribute, key, number, put_after, text, value};
use crate::levels::place_of;
use crate::{DynamoDb, Store, StoreError, key};

/// Pages of a ledger that are read at once: about a hundred movements.
pub const LEDGER_PAGES: usize = 8;

/// How often it is tried to take a page out of a level that others are writing just now. One that very many want is free
/// for a moment in five; the longer a page stays, the more each of them writes.
const MAX_TRIES: usize = 32;

/// The oldest movements that a level's own item holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPage {
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// Which share of the level.
    pub share: u8,
    /// The number of its first movement, from 1.
    pub first: u64,
    /// The movements, [`LEDGER_PAGE`] of them.
    pub movements: Vec<Movement>,
    /// What the level has noted of the page before.
    pub noted: u64,
}

impl LedgerPage {
    /// The page that is next to be moved out of a level; `None` as long as it holds too few movements for one.
    pub fn of(level: &Level) -> Option<Self> {
        let movements = level.tail.get(..LEDGER_PAGE)?.to_vec();
        Some(Self {
            sku: level.sku.clone(),
            location: level.location.clone(),
            share: level.share,
            first: level.paged() + 1,
            movements,
            noted: level.paged,
        })
    }

    /// How many movements are on pages when these are.
    pub fn last(&self) -> u64 {
        self.first - 1 + self.movements.len() as u64
    }

    /// Whether it is of a level.
    pub(crate) fn is_of(&self, change: &LevelChange) -> bool {
        (&self.sku, &self.location, self.share) == (&change.sku, &change.location, change.share)
    }

    pub(crate) fn removal(&self) -> Removal {
        // DynamoDB counts places as they were. The last comes first, so that it is the same for an emulator that does not.
        let oldest = (0..self.movements.len())
            .rev()
            .map(|n| format!("tail[{n}]"));
        let mut removal = Removal {
            clause: format!("REMOVE {}", oldest.collect::<Vec<_>>().join(", ")),
            condition: "size(tail) >= :page AND attribute_not_exists(paged)",
            values: vec![
                (":page", number(self.movements.len())),
                (":last", number(self.last())),
            ],
        };
        if self.noted > 0 {
            removal.condition = "size(tail) >= :page AND paged = :paged";
            removal.values.push((":paged", number(self.noted)));
        }
        removal
    }
}

/// How an update takes the movements of a page out of the level's own item, if no others were taken out since they were read.
pub(crate) struct Removal {
    /// What removes them.
    pub(crate) clause: String,
    pub(crate) condition: &'static str,
    /// `:last` among them: what the level is to note as `paged`.
    pub(crate) values: Vec<(&'static str, AttributeValue)>,
}

/// What came of taking a page out of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenOut {
    /// It is done.
    Done,
    /// Somebody else had taken out some before.
    Before,
    /// A transaction is changing the level just now.
    Busy,
}

/// Pages of ledgers.
#[async_trait]
pub trait Ledgers: Send + Sync {
    /// The newest movements of a SKU in a location and share under the number `before`, with their numbers, the
    /// newest first: only those on pages, which a level's own item does not hold any more. At most
    /// [`LEDGER_PAGES`] pages; none if there are none.
    async fn ledger_before(
        &self,
        sku: &str,
        location: &str,
        share: u8,
        before: u64,
    ) -> Result<Vec<(u64, Movement)>, StoreError>;

    /// Levels as they are now, each with whether the page is written that was the next when it was seen.
    async fn look_at(&self, seen: &[Level]) -> Result<Vec<(Level, bool)>, StoreError>;

    /// Writes a page where there is none; `false` if there is: it is the same.
    async fn put_page(&self, page: &LedgerPage) -> Result<bool, StoreError>;

    /// Takes the movements of a page that is written out of the level's own item, if nobody else has taken any out since
    /// they were read.
    async fn take_out(&self, page: &LedgerPage) -> Result<TakenOut, StoreError>;
}

#[async_trait]
impl Ledgers for DynamoDb {
    async fn ledger_before(
        &self,
        sku: &str,
        location: &str,
        share: u8,
        before: u64,
    ) -> Result<Vec<(u64, Movement)>, StoreError> {
        #[derive(serde::Deserialize)]
        struct Page {
            sk: String,
            movements: Vec<Movement>,
        }
        let Some(last) = before.checked_sub(1) else {
            return Ok(Vec::new());
        };
        let found = self
            .db
            .query()
            .table_name(&self.tables.stock)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(key::share(sku, share)))
            .expression_attribute_values(":first", text(key::ledger(location, 0)))
            .expression_attribute_values(":last", text(key::ledger(location, last)))
            .scan_index_forward(false)
            .limit(LEDGER_PAGES as i32)
            .send()
            .await
            .map_err(|error| StoreError::of("Query (ledger)", error))?;
        let mut movements = Vec::new();
        for item in found.items.unwrap_or_default() {
            let page: Page = value(item)?;
            let first = page.sk.rsplit('#').next().and_then(|n| n.parse().ok());
            let first: u64 = first.ok_or_else(|| StoreError::Unreadable {
                key: page.sk.clone(),
                cause: "it does not end with the number of its first movement".into(),
            })?;
            let numbered = (first..).zip(page.movements).collect::<Vec<_>>();
            let older = numbered.into_iter().rev().filter(|(n, _)| *n < before);
            movements.extend(older);
        }
        Ok(movements)
    }

    async fn look_at(&self, seen: &[Level]) -> Result<Vec<(Level, bool)>, StoreError> {
        let page = |seen: &Level| {
            let pk = key::share(&seen.sku, seen.share);
            (pk, key::ledger(&seen.location, seen.paged() + 1))
        };
        let mut looked = Vec::with_capacity(seen.len());
        // Two keys each, and a request takes a hundred.
        for some in seen.chunks(50) {
            let keys = some.iter().flat_map(|seen| {
                let (pk, sk) = page(seen);
                let level = key(&pk, key::level(&seen.location));
                [level, key(pk, sk)]
            });
            let found = self.batch_get(&self.tables.stock, keys.collect()).await?;
            let (levels, pages): (Vec<_>, Vec<_>) = found
                .into_iter()
                .partition(|item| item.get("entity") == Some(&text("level")));
            let written: Vec<_> = pages.iter().filter_map(place_of).collect();
            for level in levels {
                let level: Level = value(level)?;
                let seen = some.iter().find(|seen| level.is_same(seen));
                let written = seen.is_some_and(|seen| written.contains(&page(seen)));
                looked.push((level, written));
            }
        }
        Ok(looked)
    }

    async fn put_page(&self, page: &LedgerPage) -> Result<bool, StoreError> {
        let mut item = key(
            key::share(&page.sku, page.share),
            key::ledger(&page.location, page.first),
        );
        item.insert("entity".into(), text("ledger"));
        item.insert("schema".into(), number(1));
        item.insert("version".into(), number(1));
        item.insert("movements".into(), attribute(&page.movements)?);
        let put = self.db.put_item().table_name(&self.tables.stock);
        put_after(put.set_item(Some(item)), None, "PutItem (ledger)").await
    }

    async fn take_out(&self, page: &LedgerPage) -> Result<TakenOut, StoreError> {
        let removal = page.removal();
        let mut update = self
            .db
            .update_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(
                key::share(&page.sku, page.share),
                key::level(&page.location),
            )))
            .update_expression(format!("SET paged = :last {}", removal.clause))
            .condition_expression(removal.condition);
        for (name, value) in removal.values {
            update = update.expression_attribute_values(name, value);
        }
        let Err(error) = update.send().await else {
            return Ok(TakenOut::Done);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(TakenOut::Before),
            Some(UpdateItemError::TransactionConflictException(_)) => Ok(TakenOut::Busy),
            _ => Err(StoreError::of("UpdateItem (ledger)", error)),
        }
    }
}

/// Whether whoever has written the next page of a level, and not taken it out, is held for dead.
fn is_overdue(level: &Level) -> bool {
    level.tail.len() >= LEDGER_OVERDUE
}

impl Store {
    /// Writes the next page of each of some levels, as they are by now, that hold enough movements for one. Whoever asks is
    /// to take out what is returned, with what he [commits](crate::Commit::pages) next. What somebody else is about to take out is
    /// left to him, unless he must have died. Nothing depends on it: what fails is left to the next.
    pub async fn put_pages(&self, seen: &[Level]) -> Vec<LedgerPage> {
        let put = async |level: &Level| {
            let Some(page) = LedgerPage::of(level) else {
                return Ok(None);
            };
            let mine = self.put_page(&page).await? || is_overdue(level);
            Ok(mine.then_some(page))
        };
        let looked = self.look_at(seen).await;
        let pages = looked.map(|levels| async move {
            let left = levels
                .iter()
                .filter(|(level, written)| !written || is_overdue(level));
            join_all(left.map(|(level, _)| put(level))).await
        });
        let pages = match pages {
            Ok(pages) => pages.await,
            Err(error) => vec![Err(error)],
        };
        let mut mine = Vec::new();
        for page in pages {
            match page {
                Ok(page) => mine.extend(page),
                Err(error) if error.is_transient() => {
                    tracing::info!(%error, "a page of a ledger is left to the next");
                }
                Err(error) => tracing::error!(%error, "a page of a ledger cannot be written"),
            }
        }
        mine
    }

    /// Moves the oldest movements that a level's own item holds to a page of its ledger, if it holds enough for one, whoever has
    /// written that: what stands in the way of a change does not wait for somebody who may have died. Left to the next if
    /// others keep changing the level.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn move_page(&self, level: &Level) -> Result<(), StoreError> {
        let Some(page) = LedgerPage::of(level) else {
            return Ok(());
        };
        self.put_page(&page).await?;
        for _ in 0..MAX_TRIES {
            if self.take_out(&page).await? != TakenOut::Busy {
                return Ok(());
            }
        }
        tracing::info!(
            sku = page.sku,
            location = page.location,
            "everybody wants it: its page stays"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::limits::MAX_LEDGER_TAIL;
    use domain::stock::{LevelChange, MovementKind};
    use jiff::Timestamp;

    use super::*;
    use crate::room_for;

    fn movement(n: u64) -> Movement {
        Movement {
            kind: MovementKind::Receive,
            quantity: 1,
            cause: format!("box-{n}"),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn level(movements: u64, held: u64) -> Level {
        Level {
            movements,
            tail: (movements - held + 1..=movements).map(movement).collect(),
            ..Level::default()
        }
    }

    #[test]
    fn a_page_is_of_the_oldest_movements_and_of_a_fixed_number() {
        assert_eq!(LedgerPage::of(&level(11, 11)), None);
        let page = LedgerPage::of(&level(40, 12)).unwrap();
        assert_eq!(
            (page.first, page.last(), page.movements.len()),
            (29, 40, 12)
        );
        // Whoever writes it, and whatever was added meanwhile.
        let later = LedgerPage::of(&level(63, 35)).unwrap();
        assert_eq!(later, page);
    }

    #[test]
    fn what_leaves_no_room_for_a_change_is_enough_for_a_page() {
        let change = |count| LevelChange {
            sku: String::new(),
            location: String::new(),
            share: 0,
            shares: 0,
            movements: (0..count).map(movement).collect(),
            kept: 0,
        };
        assert_eq!(room_for(&change(1)), MAX_LEDGER_TAIL - 1);
        for count in 0..200 {
            assert!(room_for(&change(count)) >= LEDGER_PAGE - 1, "{count}");
        }
    }
}
