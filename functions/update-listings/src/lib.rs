//! On a schedule: tells the channels how much there is of what they list, as far as it is not what they were last
//! told. Each run tells each listing once at most, of what may be promised on its channel then.
//!
//! Accounts are told side by side, each in its own time: one that fails, is slow, or wants to be left alone does
//! not hold up another. Of one account, what its channel does not take does not keep the rest from it.

mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use channels::stock::Available;
use domain::atp::on_channel;
use domain::catalog::{Location, Product};
use domain::kit::component_skus;
use domain::limits::{LISTINGS_AT_ONCE, LOCKED_S, MAX_UNPOLLED_S};
use domain::listing::{Listing, Round, whole_ones};
use domain::rules::Rules;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use intake::{Failure, Vendors};
use jiff::{Timestamp, ToSpan};
use runtime::function::handler;
use runtime::{Clock, Error, Function};
use serde_json::{Value, json};
use store::{Store, StoreError};

/// Accounts that are told at the same time.
const AT_ONCE: usize = 16;
/// SKUs of an account that are looked at at the same time, by four reads each.
const SKUS_AT_ONCE: usize = 16;
/// How long a run begins to tell of further listings for: what is left then is for the next run.
const TELLS_FOR: Duration = Duration::from_secs(45);

/// The function.
pub fn function() -> Function {
    Function {
        name: "update-listings",
        variables: &["STOCK_TABLE", "REFERENCE_TABLE", "SECRETS_PREFIX"],
        init: |setup| {
            Box::pin(async move {
                let clock = setup.clock.clone();
                let run = Run {
                    store: setup.store(),
                    vendors: Vendors::new(setup.web.clone(), setup.accesses(), clock.clone()),
                    clock,
                };
                Ok(handler(run, |run, _| run.all()))
            })
        },
    }
}

struct Run {
    store: Store,
    vendors: Vendors,
    clock: Clock,
}

/// What promises rest on besides stock, as of the beginning of a run.
struct Ground {
    locations: Vec<Location>,
    rules: Vec<Rules>,
    started_at: Timestamp,
}

/// What came of an account's turn.
struct Turn {
    told: usize,
    /// Why it ended before its time, and whether a person has to know.
    failure: Option<(String, bool)>,
}

impl Run {
    async fn all(self: Arc<Self>) -> Result<Value, Error> {
        let started_at = self.clock.now();
        let mut rounds = self.store.rounds().await?;
        rounds.retain(|round| round.is_free(started_at));
        if rounds.is_empty() {
            return Ok(json!({"accounts": 0, "told": 0, "failed": 0}));
        }
        let ground = Ground {
            locations: self.store.locations().await?,
            rules: self.store.rules().await?,
            started_at,
        };
        // Should there be time for some of them only, they are others in each run.
        let first = usize::try_from(started_at.as_second() / 60).unwrap_or(0) % rounds.len();
        rounds.rotate_left(first);
        let accounts = rounds.len();
        let turns: Vec<Turn> = stream::iter(rounds)
            .map(|round| self.turn(round, &ground))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let told: usize = turns.iter().map(|turn| turn.told).sum();
        let failures: Vec<_> = turns.into_iter().filter_map(|turn| turn.failure).collect();
        let grave = failures.iter().filter(|(_, grave)| *grave);
        match grave.clone().next() {
            Some((first, _)) => {
                let count = grave.count();
                Err(format!("{count} accounts cannot be told, the first: {first}").into())
            }
            None => Ok(json!({"accounts": accounts, "told": told, "failed": failures.len()})),
        }
    }

    /// Tells one account of its listings.
    async fn turn(&self, round: Round, ground: &Ground) -> Turn {
        let (channel, account) = (round.channel.clone(), round.account.clone());
        let failing_since = round.failing_since;
        let mut told = 0;
        let ended = self.walk(round, ground, &mut told).await;
        let failure = ended.err().map(|failure| {
            let late = failing_since.map(|since| since.saturating_add(MAX_UNPOLLED_S.seconds()));
            let late = late.is_some_and(|late| late.is_ok_and(|late| late < self.clock.now()));
            let passing = matches!(failure, Failure::Again(..));
            // What cannot be read may quote a document.
            let why = match failure {
                Failure::Unreadable(_) => "its answer cannot be read".to_owned(),
                failure => failure.to_string(),
            };
            tracing::warn!(channel, account, why, "an account cannot be told");
            (format!("{channel}/{account}: {why}"), !passing || late)
        });
        Turn { told, failure }
    }

    /// Goes through the listings of an account, from where the last run ended.
    async fn walk(
        &self,
        mut round: Round,
        ground: &Ground,
        told: &mut usize,
    ) -> Result<(), Failure> {
        let channel = channels::by_name(&round.channel).ok_or(Failure::NoAccess)?;
        let stock = channel.stock().ok_or(Failure::NoAccess)?;
        if !round.in_doubt.is_empty() {
            // Whoever was at it has ended, and nobody knows how far he came.
            self.forget(&round, &round.in_doubt).await?;
            let after = round.after.clone();
            round = round.rests(&after);
            if !self.save(&round).await? {
                return Ok(());
            }
        }
        let start = round.after.clone();
        let (mut after, mut around) = (start.clone(), start.is_empty());
        loop {
            let listings = self.page(&round, &after).await?;
            let due = self.due(&round, &listings, ground).await?;
            for batch in due.chunks(stock.at_once()) {
                if !self.clock.within(ground.started_at, TELLS_FOR) {
                    self.save(&round.rests(&after)).await?;
                    return Ok(());
                }
                let skus = batch.iter().map(|of| of.sku.clone()).collect();
                round = round.tells(skus, self.clock.now());
                if !self.save(&round).await? {
                    // Another run is at it.
                    return Ok(());
                }
                let ended = self.tell(channel, &round, batch).await;
                after = batch.last().map_or(after, |of| of.sku.clone());
                if let Err((failure, left)) = ended {
                    self.forget(&round, &left).await?;
                    let wait_s = match failure {
                        Failure::Again(wait_s, _) => wait_s,
                        Failure::NoAccess | Failure::Locked(_) => LOCKED_S,
                        _ => 0,
                    };
                    let now = self.clock.now();
                    self.save(&round.fails(&after, wait_s, now)).await?;
                    return Err(failure);
                }
                *told += batch.len();
            }
            let full = listings.len() == LISTINGS_AT_ONCE;
            let last = listings.last().map(|last| last.sku.clone());
            after = match last.filter(|last| full && !(around && *last >= start)) {
                Some(last) => last,
                None if around => break,
                // Then those up to where it began.
                None => {
                    around = true;
                    String::new()
                }
            };
            if !self.clock.within(ground.started_at, TELLS_FOR) {
                self.save(&round.rests(&after)).await?;
                return Ok(());
            }
        }
        if round.is_under_way() {
            self.save(&round.rests("")).await?;
        }
        Ok(())
    }

    async fn page(&self, round: &Round, after: &str) -> Result<Vec<Listing>, Failure> {
        let (channel, account) = (&round.channel, &round.account);
        let page = self
            .store
            .listings(channel, account, after, LISTINGS_AT_ONCE);
        page.await.map_err(passing)
    }

    /// What of these listings the channel has to be told.
    async fn due(
        &self,
        round: &Round,
        listings: &[Listing],
        ground: &Ground,
    ) -> Result<Vec<Available>, Failure> {
        let now = self.clock.now();
        let skus: Vec<&str> = listings.iter().map(|of| of.sku.as_str()).collect();
        let products = self.products(&skus).await.map_err(passing)?;
        let locations: Vec<&Location> = ground.locations.iter().collect();
        let buffer = Rules::of(&ground.rules, &round.channel).buffer;
        let plain = products.iter();
        let plain: Vec<&Product> = plain
            .filter(|product| product.components.is_empty())
            .collect();
        let mut promised: BTreeMap<&str, i64> = BTreeMap::new();
        for some in plain.chunks(SKUS_AT_ONCE) {
            let looks = some
                .iter()
                .map(|product| self.promised(product, &locations, buffer, now));
            let looked = join_all(looks).await.into_iter();
            let units = looked.collect::<Result<Vec<_>, _>>().map_err(passing)?;
            promised.extend(some.iter().map(|product| &*product.sku).zip(units));
        }
        let of = |sku: &str| promised.get(sku).copied().unwrap_or(0);
        let available = listings.iter().filter_map(|listing| {
            let product = products.iter().find(|product| product.sku == listing.sku);
            let quantity = product.map_or(0, |product| whole_ones(product, &products, of));
            listing.is_due(quantity, now).then(|| Available {
                sku: listing.sku.clone(),
                quantity,
            })
        });
        Ok(available.collect())
    }

    /// Units of a product that may be promised today on a channel with this buffer.
    async fn promised(
        &self,
        product: &Product,
        locations: &[&Location],
        buffer: u32,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let looked = self
            .store
            .prospect(&product.sku, Some(product), locations, now);
        let prospect = looked.await?;
        let waiting = prospect.waited_for();
        let promises = on_channel(&prospect.supply, product, waiting, buffer);
        Ok(promises.first().map_or(0, |promise| promise.units))
    }

    /// The products of these SKUs, and the components of kits among them.
    async fn products(&self, skus: &[&str]) -> Result<Vec<Product>, StoreError> {
        if skus.is_empty() {
            return Ok(Vec::new());
        }
        let mut products = self.store.products(skus).await?;
        let components: BTreeSet<String> = component_skus(&products)
            .filter(|sku| !skus.contains(sku))
            .map(str::to_owned)
            .collect();
        if !components.is_empty() {
            let components: Vec<&str> = components.iter().map(String::as_str).collect();
            products.extend(self.store.products(&components).await?);
        }
        Ok(products)
    }

    /// Whether it is ours to go on.
    async fn save(&self, round: &Round) -> Result<bool, Failure> {
        self.store.save_round(round).await.map_err(passing)
    }
}

fn passing(error: StoreError) -> Failure {
    Failure::Again(0, error.to_string())
}
