//! Stock: levels, facts, what is on its way, reservations, and what was found to differ.

use async_trait::async_trait;
use domain::discrepancy::{Discrepancy, Resolution};
use domain::fact::{StockFact, Transfer};
use domain::inbound::Inbound;
use domain::reconcile::Reconciliation;
use domain::reservation::Reservation;
use domain::restock::{self, Crossings};
use domain::stock::{Breakdown, Level, Movement};
use jiff::Timestamp;
use jiff::civil::Date;
use store::{
    Cursor, Discrepancies, Facts, Inbounds, LEDGER_PAGES, LedgerPage, Ledgers, Levels, OpenStock,
    Reservations, StoreError, TakenOut, Waiting, level_place, place_of,
};

use super::{Memory, unknown};
use crate::faults::Kind;
use crate::mutant::Mutant;

#[async_trait]
impl Levels for Memory {
    async fn load_levels(&self, keys: &[(&str, &str, u8)]) -> Result<Vec<Level>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.read("BatchGetItem", |state| {
            let none = state.is_off(Mutant::AllSharesAreAsked);
            let shelves = keys
                .iter()
                .filter(|(_, _, share)| !none || *share == keys[0].2)
                .filter_map(|(sku, location, share)| state.tables.shelf(sku, location, *share));
            let stale = state.is_off(Mutant::LevelsConsistent);
            let mut levels: Vec<Level> = shelves.map(|shelf| shelf.seen(stale).clone()).collect();
            if state.is_off(Mutant::UnprocessedLevels) && levels.len() > 1 {
                levels.pop();
            }
            levels
        })
        .await
    }

    async fn levels_of(&self, sku: &str) -> Result<Vec<Level>, StoreError> {
        let (mut levels, mut share, mut shares) = (Vec::new(), 0, 1);
        while share < shares {
            let of_share: Vec<Level> = self
                .read("Query", |state| {
                    let shelves = state.tables.sorted_shelves().into_iter();
                    let levels = shelves.map(|shelf| &shelf.level);
                    let levels = levels.filter(|level| level.sku == sku && level.share == share);
                    levels.cloned().collect()
                })
                .await?;
            shares = of_share
                .iter()
                .map(|level| level.shares)
                .fold(shares, u8::max);
            levels.extend(of_share);
            share += 1;
        }
        Ok(levels)
    }

    async fn loads(&self, days: &[(&str, Date)]) -> Result<Vec<(String, Date, u32)>, StoreError> {
        if days.is_empty() {
            return Ok(Vec::new());
        }
        self.read("BatchGetItem", |state| {
            let asked = |load: &&(String, Date, u32)| days.contains(&(load.0.as_str(), load.1));
            state.tables.loads.iter().filter(asked).cloned().collect()
        })
        .await
    }

    async fn load_breakdowns(&self, sku: &str, ids: &[&str]) -> Result<Vec<Breakdown>, StoreError> {
        self.read("BatchGetItem", |state| {
            let named = |b: &&Breakdown| b.sku == sku && ids.contains(&b.id.as_str());
            let breakdowns = &state.tables.breakdowns;
            breakdowns.iter().filter(named).cloned().collect()
        })
        .await
    }

    async fn waiting_for(&self, sku: &str) -> Result<Vec<Waiting>, StoreError> {
        self.read("Query", |state| match state.is_off(Mutant::WaitingTold) {
            true => Vec::new(),
            false => state.tables.waiting_for(sku),
        })
        .await
    }

    async fn scan_levels(
        &self,
        from: Option<Cursor>,
    ) -> Result<(Vec<Level>, Option<Cursor>), StoreError> {
        let after = from.as_ref().and_then(place_of);
        let levels = self
            .look("Scan", Kind::EventualRead, |state, stale| {
                let shelves = state.tables.sorted_shelves().into_iter();
                let levels = shelves.map(|shelf| shelf.seen(stale).clone());
                let left = |level: &Level| {
                    let place = level_place(&level.sku, &level.location, level.share);
                    after.as_ref().is_none_or(|after| place > *after)
                };
                levels.filter(left).collect()
            })
            .await?;
        Ok((levels, None))
    }

    async fn note_crossings(
        &self,
        sku: &str,
        location: &str,
        before: &Crossings,
        after: &Crossings,
    ) -> Result<bool, StoreError> {
        self.change("UpdateItem", |state| {
            let off = state.is_off(Mutant::CrossingsUnchanged);
            let tables = &mut state.tables;
            tables.note_crossings(sku, location, |known| off || known == before, after)
        })
        .await
    }

    async fn load_restock_round(&self) -> Result<Option<restock::Round>, StoreError> {
        self.read("GetItem", |state| state.tables.restock_round.clone())
            .await
    }

    async fn save_restock_round(&self, round: &restock::Round) -> Result<bool, StoreError> {
        self.change("PutItem", |state| {
            let known = &mut state.tables.restock_round;
            let same = known.as_ref().map_or(0, |known| known.turn) + 1 == round.turn;
            if same {
                *known = Some(round.clone());
            }
            same
        })
        .await
    }
}

#[async_trait]
impl Ledgers for Memory {
    async fn ledger_before(
        &self,
        sku: &str,
        location: &str,
        share: u8,
        before: u64,
    ) -> Result<Vec<(u64, Movement)>, StoreError> {
        self.read("Query", |state| {
            let shelf = state.tables.shelf(sku, location, share).into_iter();
            let mut pages: Vec<_> = shelf.flat_map(|shelf| &shelf.pages).collect();
            pages.retain(|(first, _)| *first < before);
            pages.sort_by_key(|(first, _)| std::cmp::Reverse(*first));
            let numbered = |(first, page): &(u64, Vec<Movement>)| {
                let numbered: Vec<_> = (*first..).zip(page.iter().cloned()).collect();
                numbered.into_iter().rev()
            };
            let newest = pages.into_iter().take(LEDGER_PAGES).flat_map(numbered);
            newest.filter(|(number, _)| *number < before).collect()
        })
        .await
    }

    async fn look_at(&self, seen: &[Level]) -> Result<Vec<(Level, bool)>, StoreError> {
        // One request, as nobody here changes more than fifty levels at once.
        if seen.is_empty() {
            return Ok(Vec::new());
        }
        self.read("BatchGetItem", |state| {
            let looked = seen.iter().filter_map(|seen| {
                let next = seen.paged() + 1;
                let shelf = state.tables.shelf(&seen.sku, &seen.location, seen.share)?;
                let written = shelf.pages.iter().any(|known| known.0 == next);
                Some((shelf.level.clone(), written))
            });
            looked.collect()
        })
        .await
    }

    async fn put_page(&self, page: &LedgerPage) -> Result<bool, StoreError> {
        self.change("PutItem", |state| state.put_page(page)).await
    }

    async fn take_out(&self, page: &LedgerPage) -> Result<TakenOut, StoreError> {
        self.change("UpdateItem", |state| state.take_out(page))
            .await
    }
}

#[async_trait]
impl Facts for Memory {
    async fn store_fact(&self, fact: &StockFact) -> Result<Option<StockFact>, StoreError> {
        self.change("PutItem", |state| state.store_fact(fact)).await
    }

    async fn load_facts(&self, sku: &str, ids: &[&str]) -> Result<Vec<StockFact>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.read("BatchGetItem", |state| {
            let facts = state.tables.facts.iter();
            let named = facts.filter(|f| f.sku == sku && ids.contains(&f.id.as_str()));
            named.cloned().collect()
        })
        .await
    }

    async fn load_fact(&self, sku: &str, id: &str) -> Result<Option<StockFact>, StoreError> {
        self.read("GetItem", |state| {
            let facts = &state.tables.facts;
            facts.iter().find(|f| f.sku == sku && f.id == id).cloned()
        })
        .await
    }

    async fn in_transit(&self, sku: &str) -> Result<Vec<Transfer>, StoreError> {
        self.read("Query", |state| {
            let transfers = state.tables.transfers.iter();
            let mut of_sku: Vec<_> = transfers.filter(|t| t.sku == sku).cloned().collect();
            of_sku.sort_by(|a, b| a.id.cmp(&b.id));
            of_sku
        })
        .await
    }

    async fn open_stock(
        &self,
        shard: u32,
        before: Timestamp,
        _from: Option<Cursor>,
    ) -> Result<(Vec<OpenStock>, Option<Cursor>), StoreError> {
        let found = self
            .look("Query", Kind::EventualRead, |state, _| {
                state.open_stock(shard, before)
            })
            .await?;
        Ok((found, None))
    }
}

#[async_trait]
impl Inbounds for Memory {
    async fn put_inbound(&self, inbound: &Inbound) -> Result<Inbound, StoreError> {
        self.change("UpdateItem", |state| state.tables.put_inbound(inbound))
            .await
    }

    async fn inbound_of(&self, sku: &str) -> Result<Vec<Inbound>, StoreError> {
        self.read("Query", |state| {
            let inbound = state.tables.inbound.iter().filter(|line| line.sku == sku);
            inbound.cloned().collect()
        })
        .await
    }
}

#[async_trait]
impl Reservations for Memory {
    async fn load_reservations(&self, ids: &[&str]) -> Result<Vec<Reservation>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.read("BatchGetItem", |state| {
            let known = ids.iter().filter_map(|id| state.tables.reservation(id));
            known.cloned().collect()
        })
        .await
    }

    async fn extend_reservation(
        &self,
        id: &str,
        until: Timestamp,
    ) -> Result<Option<Reservation>, StoreError> {
        self.change("UpdateItem", |state| {
            state.tables.extend_reservation(id, until)
        })
        .await
    }

    async fn due_reservations(
        &self,
        shard: u32,
        now: Timestamp,
        _from: Option<Cursor>,
    ) -> Result<(Vec<String>, Option<Cursor>), StoreError> {
        let found = self
            .look("Query", Kind::EventualRead, |state, _| {
                state.tables.due_reservations(shard, now)
            })
            .await?;
        Ok((found, None))
    }
}

#[async_trait]
impl Discrepancies for Memory {
    async fn open_discrepancies(
        &self,
        _after: Option<(Timestamp, String)>,
    ) -> Result<(Vec<Discrepancy>, Option<(Timestamp, String)>), StoreError> {
        Err(unknown("the list of discrepancies"))
    }

    async fn note_discrepancy(&self, found: &Discrepancy) -> Result<bool, StoreError> {
        self.change("PutItem", |state| state.note_discrepancy(found))
            .await
    }

    async fn load_reconciliation(&self) -> Result<Option<Reconciliation>, StoreError> {
        self.read("GetItem", |state| state.tables.reconciliation.clone())
            .await
    }

    async fn store_reconciliation(
        &self,
        before: u64,
        after: &Reconciliation,
    ) -> Result<bool, StoreError> {
        self.change("PutItem", |state| {
            let known = &mut state.tables.reconciliation;
            let same = known.as_ref().map_or(0, |known| known.version) == before;
            if same {
                *known = Some(after.clone());
            }
            same
        })
        .await
    }

    async fn resolve_discrepancy(
        &self,
        id: &str,
        resolution: &Resolution,
    ) -> Result<Option<Discrepancy>, StoreError> {
        self.change("UpdateItem", |state| {
            let known = state.tables.discrepancies.iter_mut();
            let found = known.into_iter().find(|found| found.id == id)?;
            found.resolved.get_or_insert_with(|| resolution.clone());
            Some(found.clone())
        })
        .await
    }
}
