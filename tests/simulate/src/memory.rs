//! The fast world's database: the tables as Rust values, written as DynamoDB would write them.
//!
//! It is a model, and not believed: the same schedules run against the real store code and an
//! embedded DynamoDB, and both have to end alike.

mod tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use domain::catalog::{Account, Location, Product, Rate, Role, Supplier};
use domain::decision::Decision;
use domain::delivery::{Attempt, Delivery};
use domain::discrepancy::{Discrepancy, Resolution};
use domain::fact::{StockFact, Transfer};
use domain::geo::Point;
use domain::inbound::Inbound;
use domain::limits::MAX_BATCH_WRITES;
use domain::listing::{Listing, Round, Told};
use domain::order::Contact;
use domain::poll::Poll;
use domain::reconcile::Reconciliation;
use domain::replay::Replay;
use domain::reservation::Reservation;
use domain::restock::{self, Crossings};
use domain::rules::Rules;
use domain::stock::{Breakdown, Level, Movement};
use domain::subscriber::Subscriber;
use domain::{Order, OrderId};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use store::{
    Claim, Claims, Cursor, Database, Deliveries, Discrepancies, Facts, Inbounds, LEDGER_PAGES,
    Levels, Listings, OpenStock, Orders, Polls, PostalCode, PostalCodes, Reference, Replays,
    Reservations, StoreError, Story, Subscribers, UnreadableDelivery, Waiting, Write, Writes,
    Written, key, level_place, place_of,
};

pub use tables::{Row, Shelf, Tables};

use crate::faults::{Fate, Kind};
use crate::mutant::Mutant;
use crate::sim::{Sim, State};

/// A connection to the tables of a world.
pub struct Memory(pub Sim);

fn lost(operation: &'static str) -> StoreError {
    StoreError::Transient {
        operation,
        cause: "the simulation says so".into(),
    }
}

impl Memory {
    /// A consistent read.
    async fn read<T>(
        &self,
        operation: &'static str,
        look: impl FnOnce(&State) -> T,
    ) -> Result<T, StoreError> {
        self.look(operation, Kind::Read, |state, _| look(state))
            .await
    }

    /// A read that may be of the past.
    async fn look<T>(
        &self,
        operation: &'static str,
        kind: Kind,
        look: impl FnOnce(&State, bool) -> T,
    ) -> Result<T, StoreError> {
        match self.0.turn(operation, kind).await {
            Fate::Refused | Fate::AnswerLost => Err(lost(operation)),
            fate => Ok(look(&self.0.state(), fate == Fate::Stale)),
        }
    }

    /// A write of one item.
    async fn change<T>(
        &self,
        operation: &'static str,
        change: impl Fn(&mut State) -> T,
    ) -> Result<T, StoreError> {
        let fate = self.0.turn(operation, Kind::Write).await;
        if fate == Fate::Refused {
            return Err(lost(operation));
        }
        let state = &mut self.0.state();
        let first = change(state);
        match fate {
            Fate::AnswerLost => Err(lost(operation)),
            Fate::Repeated => Ok(change(state)),
            _ => Ok(first),
        }
    }
}

#[async_trait]
impl Database for Memory {
    async fn warm(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Writes for Memory {
    async fn write(&self, writes: &[Write]) -> Result<Written, StoreError> {
        let alone = matches!(writes, [Write::Order(..) | Write::Published(..)]);
        let (operation, kind) = match alone {
            true => ("PutItem", Kind::Write),
            false => ("TransactWriteItems", Kind::Transaction),
        };
        let fate = self.0.turn(operation, kind).await;
        let state = &mut self.0.state();
        match fate {
            Fate::Refused => return Err(lost(operation)),
            Fate::Conflict => return Ok(tables::in_the_way(writes.len())),
            _ => {}
        }
        let half = fate == Fate::AnswerLost && state.is_off(Mutant::TransactionWhole);
        let written = match half {
            true => state.write(&writes[..writes.len() / 2]),
            false => state.write(writes),
        };
        match fate {
            Fate::AnswerLost => Err(lost(operation)),
            // A transaction carries a token: its repeat gives the same answer.
            Fate::Repeated if alone => Ok(state.write(writes)),
            _ => Ok(written),
        }
    }
}

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

#[async_trait]
impl Polls for Memory {
    async fn polls(&self) -> Result<Vec<Poll>, StoreError> {
        self.read("Query", |state| state.tables.polls.clone()).await
    }

    async fn begin_poll(&self, poll: &Poll) -> Result<(), StoreError> {
        self.change("PutItem", |state| {
            let same =
                |known: &Poll| (&known.channel, &known.account) == (&poll.channel, &poll.account);
            if !state.tables.polls.iter().any(same) {
                state.tables.polls.push(poll.clone());
            }
        })
        .await
    }

    async fn save_poll(&self, poll: &Poll) -> Result<bool, StoreError> {
        self.change("PutItem", |state| {
            let off = state.is_off(Mutant::CursorWaitsForHandOver);
            let same = |known: &&mut Poll| {
                (&known.channel, &known.account) == (&poll.channel, &poll.account)
                    && known.turn + 1 == poll.turn
            };
            match state.tables.polls.iter_mut().find(same) {
                Some(known) => {
                    *known = poll.clone();
                    if off {
                        // What is looked for again would hide it.
                        known.since = known
                            .since
                            .saturating_add(1.second())
                            .unwrap_or(known.since);
                        known.settled = true;
                    }
                    true
                }
                None => false,
            }
        })
        .await
    }
}

#[async_trait]
impl Listings for Memory {
    async fn rounds(&self) -> Result<Vec<Round>, StoreError> {
        self.read("Query", |state| state.tables.rounds.clone())
            .await
    }

    async fn begin_round(&self, _: &Round) -> Result<(), StoreError> {
        Err(unknown("changes of what is listed"))
    }

    async fn save_round(&self, round: &Round) -> Result<bool, StoreError> {
        self.change("PutItem", |state| {
            let any = state.is_off(Mutant::RoundIsOfTheTurnSeen);
            let in_doubt = !state.is_off(Mutant::DoubtIsNoted);
            let same = |known: &&mut Round| {
                (&known.channel, &known.account) == (&round.channel, &round.account)
                    && (any || known.turn + 1 == round.turn)
            };
            let Some(known) = state.tables.rounds.iter_mut().find(same) else {
                return false;
            };
            *known = round.clone();
            if !in_doubt {
                known.in_doubt.clear();
            }
            state.look_at_the_shop();
            true
        })
        .await
    }

    async fn listings(
        &self,
        channel: &str,
        account: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<Listing>, StoreError> {
        self.read("Query", |state| {
            let own = |of: &&Listing| of.channel == channel && of.account == account;
            let listings = state.tables.listings.iter().filter(own);
            let listings = listings.filter(|of| of.sku.as_str() > after);
            listings.take(most).cloned().collect()
        })
        .await
    }

    async fn put_listing(&self, _: &Listing) -> Result<(), StoreError> {
        Err(unknown("changes of what is listed"))
    }

    async fn delete_listing(&self, _: &str, _: &str, _: &str) -> Result<bool, StoreError> {
        Err(unknown("changes of what is listed"))
    }

    async fn note_told(
        &self,
        channel: &str,
        account: &str,
        sku: &str,
        told: Option<&Told>,
    ) -> Result<(), StoreError> {
        self.change("UpdateItem", |state| {
            let mut listings = state.tables.listings.iter_mut();
            let own = |of: &&mut Listing| {
                (&*of.channel, &*of.account, &*of.sku) == (channel, account, sku)
            };
            if let Some(listing) = listings.find(own) {
                listing.told = told.cloned();
            }
            state.look_at_the_shop();
        })
        .await
    }
}

#[async_trait]
impl Subscribers for Memory {
    async fn subscribers(&self) -> Result<Vec<Subscriber>, StoreError> {
        self.read("Query", |state| state.tables.subscribers.clone())
            .await
    }

    async fn put_subscriber(&self, subscriber: &Subscriber) -> Result<(), StoreError> {
        self.change("PutItem", |state| {
            let known = &mut state.tables.subscribers;
            known.retain(|known| known.id != subscriber.id);
            known.push(subscriber.clone());
            known.sort_by_cached_key(|known| known.id.clone());
        })
        .await
    }

    async fn delete_subscriber(&self, _: &str) -> Result<bool, StoreError> {
        Err(unknown("that a subscriber is deleted"))
    }

    async fn switch_off(&self, id: &str, url: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.change("UpdateItem", |state| {
            let mut known = state.tables.subscribers.iter_mut();
            let on = known.find(|s| s.id == id && s.url == url && s.enabled);
            let Some(on) = on else { return false };
            on.enabled = false;
            on.gone_at = Some(now);
            true
        })
        .await
    }
}

#[async_trait]
impl Deliveries for Memory {
    async fn save_delivery(&self, delivery: &Delivery) -> Result<bool, StoreError> {
        self.change("PutItem", |state| state.save_delivery(delivery))
            .await
    }

    async fn due_deliveries(
        &self,
        shard: u32,
        now: Timestamp,
        _from: Option<Cursor>,
    ) -> Result<(Vec<OrderId>, Option<Cursor>), StoreError> {
        let found = self
            .look("Query", Kind::EventualRead, |state, stale| {
                // What is due was not, a write ago.
                let none = stale || state.is_off(Mutant::DueDeliveriesAreIndexed);
                match none {
                    true => Vec::new(),
                    false => state.tables.due_deliveries(shard, now),
                }
            })
            .await?;
        Ok((found, None))
    }

    async fn log_attempts(&self, _: &OrderId, attempts: &[Attempt]) -> Result<(), StoreError> {
        for _ in attempts.chunks(MAX_BATCH_WRITES) {
            self.change("BatchWriteItem", |_| ()).await?;
        }
        Ok(())
    }

    async fn attempts(
        &self,
        _: &str,
        _: Option<&str>,
        _: i32,
    ) -> Result<Vec<(String, Attempt)>, StoreError> {
        Err(unknown("the log of a subscriber"))
    }
}

#[async_trait]
impl Replays for Memory {
    async fn replays(&self) -> Result<Vec<Replay>, StoreError> {
        self.read("Query", |state| state.tables.replays.clone())
            .await
    }

    async fn save_replay(&self, replay: &Replay) -> Result<bool, StoreError> {
        self.change("PutItem", |state| {
            let known = &mut state.tables.replays;
            let same = |known: &Replay| known.subscriber == replay.subscriber;
            let turn = known.iter().find(|known| same(known));
            if turn.map_or(0, |known| known.turn) + 1 != replay.turn {
                return false;
            }
            known.retain(|known| !same(known));
            known.push(replay.clone());
            known.sort_by_cached_key(|known| known.subscriber.clone());
            true
        })
        .await
    }
}

#[async_trait]
impl Reference for Memory {
    async fn locations(&self) -> Result<Vec<Location>, StoreError> {
        self.read("Query", |state| {
            sorted(&state.tables.retailer.locations, |location| &location.id)
        })
        .await
    }

    async fn suppliers(&self) -> Result<Vec<Supplier>, StoreError> {
        self.read("Query", |state| {
            sorted(&state.tables.retailer.suppliers, |supplier| &supplier.id)
        })
        .await
    }

    async fn rates(&self) -> Result<Vec<Rate>, StoreError> {
        self.read("Query", |state| {
            sorted(&state.tables.retailer.rates, |rate| &rate.id)
        })
        .await
    }

    async fn rules(&self) -> Result<Vec<Rules>, StoreError> {
        self.read("Query", |state| match state.is_off(Mutant::BufferIsKept) {
            true => Vec::new(),
            false => state.tables.retailer.rules.clone(),
        })
        .await
    }

    async fn products(&self, skus: &[&str]) -> Result<Vec<Product>, StoreError> {
        if skus.is_empty() {
            return Ok(Vec::new());
        }
        self.read("BatchGetItem", |state| {
            let retailer = &state.tables.retailer;
            let all = || retailer.products.iter().chain(&retailer.kits);
            let of = |sku: &&str| all().find(|product| product.sku == **sku);
            skus.iter().filter_map(of).cloned().collect()
        })
        .await
    }

    async fn list_products(
        &self,
        _after: Option<&str>,
        _limit: i32,
    ) -> Result<(Vec<Product>, Option<String>), StoreError> {
        let products = self
            .look("Scan", Kind::EventualRead, |state, _| {
                let retailer = &state.tables.retailer;
                retailer
                    .products
                    .iter()
                    .chain(&retailer.kits)
                    .cloned()
                    .collect()
            })
            .await?;
        Ok((products, None))
    }

    async fn account(&self, _: &str, _: &str) -> Result<Option<Account>, StoreError> {
        Err(unknown("accounts"))
    }

    async fn told_accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.read("Query", |state| state.tables.retailer.told.clone())
            .await
    }

    async fn role(&self, sha256: &str) -> Result<Option<Role>, StoreError> {
        // A key may be read as it was; here it always was.
        self.look("GetItem", Kind::EventualRead, |state, _| {
            let known = state.tables.retailer.key_sha256 == sha256;
            known.then_some(Role::Operator)
        })
        .await
    }

    async fn put_location(&self, _: &Location) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_supplier(&self, _: &Supplier) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_rate(&self, _: &Rate) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_rules(&self, _: &Rules) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_product(&self, _: &Product) -> Result<bool, StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_account(&self, _: &Account) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }

    async fn put_told_account(&self, _: &Account) -> Result<(), StoreError> {
        Err(unknown("changes of accounts"))
    }

    async fn put_role(&self, _: &str, _: &Role) -> Result<(), StoreError> {
        Err(unknown("changes of the catalogue"))
    }
}

#[async_trait]
impl PostalCodes for Memory {
    async fn postal_countries(&self) -> Result<BTreeSet<String>, StoreError> {
        // What was imported may be read as it was; here it always was.
        self.look("GetItem", Kind::EventualRead, |state, _| {
            let codes = state.tables.retailer.postal_codes.iter();
            codes.map(|code| code.country.clone()).collect()
        })
        .await
    }

    async fn postal_code(&self, country: &str, area: &str) -> Result<Option<Point>, StoreError> {
        self.look("GetItem", Kind::EventualRead, |state, _| {
            let mut codes = state.tables.retailer.postal_codes.iter();
            let found = codes.find(|code| code.country == country && code.area == area);
            found.map(|code| code.point)
        })
        .await
    }

    async fn put_postal_codes(&self, _: &[PostalCode]) -> Result<Vec<PostalCode>, StoreError> {
        Err(unknown("imports"))
    }

    async fn add_postal_countries(&self, _: &BTreeSet<String>) -> Result<(), StoreError> {
        Err(unknown("imports"))
    }
}

/// Items of one partition, in the order of their sort keys.
fn sorted<T: Clone>(all: &[T], id: impl Fn(&T) -> &String) -> Vec<T> {
    let mut all = all.to_vec();
    all.sort_by(|a, b| id(a).cmp(id(b)));
    all
}

/// A request that no simulated step makes: whoever makes it has to teach the model first.
fn unknown(what: &str) -> StoreError {
    StoreError::Refused {
        operation: "a request that the model does not know",
        cause: what.into(),
    }
}
