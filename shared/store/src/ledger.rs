//! Pages of ledgers: the older movements of levels, which their own items do not hold any more.
//!
//! A page is of a fixed number of the oldest movements that a level's own item holds, and so the same whoever writes it. Once
//! it is there they are taken out of the item, on condition that no others were since they were read. Whoever dies
//! between the two has done no harm: all who read go by the numbers of movements, and the next goes on from there. Neither is
//! part of a commit: many may want to write a level at once, and a page as part of their commits would be in vain with all
//! of them but one.

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::limits::{LEDGER_OVERDUE, LEDGER_PAGE};
use domain::stock::{Level, Movement};
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
    async fn look_at(&self, seen: &[&Level]) -> Result<Vec<(Level, bool)>, StoreError>;

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

    async fn look_at(&self, seen: &[&Level]) -> Result<Vec<(Level, bool)>, StoreError> {
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
        let oldest = (0..page.movements.len()).map(|n| format!("tail[{n}]"));
        let oldest = oldest.collect::<Vec<_>>().join(", ");
        let update = self
            .db
            .update_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(
                key::share(&page.sku, page.share),
                key::level(&page.location),
            )))
            .update_expression(format!("REMOVE {oldest} SET paged = :last"))
            .expression_attribute_values(":count", number(page.movements.len()))
            .expression_attribute_values(":last", number(page.last()));
        let update = match page.noted {
            0 => {
                update.condition_expression("size(tail) >= :count AND attribute_not_exists(paged)")
            }
            paged => update
                .condition_expression("size(tail) >= :count AND paged = :paged")
                .expression_attribute_values(":paged", number(paged)),
        };
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

/// Whether somebody who has changed a level looks if a page is to be moved out of it: if it held enough for one when he saw
/// it, or he has `met` others there since and cannot know.
pub(crate) fn is_due(seen: &Level, met: bool) -> bool {
    met || seen.tail.len() >= LEDGER_PAGE
}

/// Whether whoever has written the next page of a level, and not taken it out, is held for dead.
fn is_overdue(level: &Level) -> bool {
    level.tail.len() >= LEDGER_OVERDUE
}

impl Store {
    /// Moves a page out of each of some levels as they were seen. What was committed stays so: where it does not come to it, the
    /// next does it.
    pub(crate) async fn move_pages(&self, seen: &[&Level]) {
        let looked = self.look_at(seen).await;
        // What somebody is about to do is left to him, unless he has died meanwhile.
        let moves = looked.map(|levels| async move {
            let left = levels
                .iter()
                .filter(|(level, written)| !written || is_overdue(level));
            join_all(left.map(|(level, _)| self.move_page(level, false))).await
        });
        let moved = match moves {
            Ok(moves) => moves.await,
            Err(error) => vec![Err(error)],
        };
        for error in moved.into_iter().filter_map(Result::err) {
            match error.is_transient() {
                true => tracing::info!(%error, "a page of a ledger is left to the next"),
                false => tracing::error!(%error, "a page of a ledger cannot be moved"),
            }
        }
    }

    /// Moves the oldest movements that a level's own item holds to a page of its ledger, if it holds enough for one. A page that
    /// somebody has written is left to him, unless it is needed `at_once`: what stands in the way of a change does not wait for
    /// somebody who may have died. Left to the next if others keep changing the level.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn move_page(&self, level: &Level, at_once: bool) -> Result<(), StoreError> {
        let Some(page) = LedgerPage::of(level) else {
            return Ok(());
        };
        let new = self.put_page(&page).await?;
        if !(new || at_once || is_overdue(level)) {
            return Ok(());
        }
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
    fn who_has_seen_enough_for_a_page_looks() {
        assert!(!is_due(&level(11, 11), false));
        assert!(is_due(&level(12, 12), false));
        assert!(is_due(&level(5, 5), true), "it may be otherwise by now");
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
