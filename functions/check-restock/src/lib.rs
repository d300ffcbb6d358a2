//! On a schedule: tells of every level that has fallen to its reorder point, that is out, and that is
//! back, once for each time. The supplier is asked for more, and the team hears of it all; what one of
//! them has to hear of in a run is one mail. All levels are looked at once an hour, by as many runs as
//! that takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::catalog::{Location, Product, Supplier};
use domain::limits::MAX_STOCK_LINES;
use domain::offer::offered;
use domain::restock::{Crossing, Crossings, Due, Look, Round, look};
use domain::stock::{Level, whole};
use jiff::{Timestamp, ToSpan};
use messages::{Mail, Mailer, SendError, StockLine};
use runtime::function::handler;
use runtime::{Clock, Error, Function};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Store, StoreError, cursor_at, level_place, place_of};

/// Seconds that a run looks at levels for, at most: the rest is for the next one. Lambda ends it at 240, and
/// what it has to tell by then takes the time between.
const RUN_S: i64 = 180;

/// The function.
pub fn function() -> Function {
    Function {
        name: "check-restock",
        variables: &[
            "STOCK_TABLE",
            "REFERENCE_TABLE",
            "MAIL_FROM",
            "MAIL_CONFIGURATION_SET",
            "SHOP_NAME",
            "TEAM_EMAIL",
        ],
        init: |setup| {
            Box::pin(async move {
                let step = Step {
                    store: setup.store(),
                    mailer: Mailer::new(&setup),
                    shop: setup.var("SHOP_NAME"),
                    team: setup.var("TEAM_EMAIL"),
                    clock: setup.clock,
                };
                Ok(handler(step, |step, event| step.run(event)))
            })
        },
    }
}

struct Step {
    store: Store,
    mailer: Mailer,
    shop: String,
    team: String,
    clock: Clock,
}

/// What an operator may add to the schedule's event.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wish {
    /// Begin a round now, however long ago the last one began.
    now: bool,
    /// Take no longer than this.
    for_s: Option<i64>,
}

/// A run: what it knows from the beginning, what it has to tell, and what it has come to.
struct Run<'a> {
    round: Round,
    /// When it leaves the rest to the next one.
    until: Timestamp,
    locations: &'a [Location],
    suppliers: &'a [Supplier],
    /// What nobody has been told of yet.
    due: Vec<Told<'a>>,
    levels: usize,
    crossed: usize,
    told: usize,
    recovered: usize,
    failed: usize,
}

/// A level that something has to be said about, claimed by this run.
struct Told<'a> {
    level: Level,
    product: Product,
    location: &'a Location,
    supplier: Option<&'a Supplier>,
    elsewhere: Vec<(String, i64)>,
    look: Look,
}

impl Step {
    /// Goes on with the round that is under way, or begins one. A level that cannot be told of does not keep the
    /// others from it: it is tried again in the next round, and the run fails in the end, so that an alarm sees it.
    /// Runs at the same time do each other no harm: who has claimed a level tells of it, and one of them gets to
    /// say how far the round is.
    async fn run(self: Arc<Self>, event: Value) -> Result<Value, Error> {
        let wish: Wish = serde_json::from_value(event)?;
        let now = self.clock.now();
        let seconds = wish.for_s.unwrap_or(RUN_S).clamp(0, RUN_S);
        let known = self.store.load_restock_round().await?;
        let Some(round) = Round::next(known, wish.now, now) else {
            return Ok(json!({"levels": 0, "crossed": 0, "told": 0, "recovered": 0, "done": true}));
        };
        let (locations, suppliers) = (self.store.locations().await?, self.store.suppliers().await?);
        let mut run = Run {
            round,
            until: now.checked_add(seconds.seconds())?,
            locations: &locations,
            suppliers: &suppliers,
            due: Vec::new(),
            levels: 0,
            crossed: 0,
            told: 0,
            recovered: 0,
            failed: 0,
        };
        let walked = self.walk(&mut run).await;
        // What is claimed is told of, also where the walk has ended early.
        self.tell(&mut run).await;
        walked?;
        if run.failed > 0 {
            let (failed, levels) = (run.failed, run.levels);
            return Err(format!("{failed} of {levels} levels could not be told of").into());
        }
        Ok(json!({
            "levels": run.levels,
            "crossed": run.crossed,
            "told": run.told,
            "recovered": run.recovered,
            "done": run.round.done,
        }))
    }

    /// Looks at levels until the round or the time is over, or somebody else goes on with the round. How far it is
    /// is noted behind each page: a run that dies repeats one. What it had claimed by then and not told of is told of
    /// by whoever comes upon it after the claim has run out.
    async fn walk(&self, run: &mut Run<'_>) -> Result<(), StoreError> {
        loop {
            let from = run.round.after.as_ref().map(cursor_at);
            let (levels, next) = self.store.scan_levels(from).await?;
            let next = next.as_ref().and_then(place_of);
            let mut in_time = self.look_at(levels, run).await?;
            if in_time {
                run.round.done = next.is_none();
                run.round.after = next;
                in_time = self.clock.now() < run.until;
            }
            run.round.turn += 1;
            let ours = self.store.save_restock_round(&run.round).await?;
            run.round.done &= ours;
            if run.round.done || !in_time || !ours {
                return Ok(());
            }
        }
    }

    /// Looks at the levels of a page; whether at all of them before the time was over.
    async fn look_at(&self, levels: Vec<Level>, run: &mut Run<'_>) -> Result<bool, StoreError> {
        let skus: BTreeSet<&str> = levels.iter().map(|level| level.sku.as_str()).collect();
        let skus: Vec<&str> = skus.into_iter().collect();
        let products = self.store.products(&skus).await?;
        // What the first share says of crossings goes for all of them.
        let mut levels = levels
            .into_iter()
            .filter(|level| level.share == 0)
            .peekable();
        while let Some(level) = levels.next() {
            run.levels += 1;
            run.round.levels += 1;
            if let Some(product) = products.iter().find(|p| p.sku == level.sku) {
                let looked = match self.whole(level.clone()).await {
                    Ok(level) => self.look(&level, product, run).await,
                    Err(error) => Err(error.to_string()),
                };
                if let Err(error) = looked {
                    run.fail(&level, &error);
                }
                if run.due.len() >= MAX_STOCK_LINES {
                    self.tell(run).await;
                }
            }
            if levels.peek().is_some() && self.clock.now() >= run.until {
                run.round.after = Some(level_place(&level.sku, &level.location, level.share));
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The first share of a level with what all of them have.
    async fn whole(&self, mut level: Level) -> Result<Level, StoreError> {
        let others = 1..level.shares;
        let keys: Vec<(&str, &str, u8)> = others
            .map(|share| (level.sku.as_str(), level.location.as_str(), share))
            .collect();
        let others = match keys.is_empty() {
            true => Vec::new(),
            false => self.store.load_levels(&keys).await?,
        };
        others.into_iter().for_each(|other| level.add_share(other));
        Ok(level)
    }

    /// Notes what has happened to a level, and that this run tells of it.
    async fn look(
        &self,
        level: &Level,
        product: &Product,
        run: &mut Run<'_>,
    ) -> Result<(), String> {
        let text = |error: StoreError| error.to_string();
        let before = Crossings::of(level);
        let point = product.reorder_point;
        let point = point.and_then(|point| product.units(point));
        let kept_back = product.safety_stock_in(&level.location);
        let look = look(level, point, kept_back, self.clock.now());
        if look.held {
            return Err("another run is telling of it".into());
        }
        let location = run.locations.iter().find(|l| l.id == level.location);
        let location =
            location.ok_or_else(|| format!("location {} does not exist", level.location))?;
        let elsewhere = match look.due.contains(&Due::Out) {
            true => self
                .elsewhere(level, product, run.locations)
                .await
                .map_err(text)?,
            false => Vec::new(),
        };
        if look.claimed != before {
            let (sku, place) = (&level.sku, &level.location);
            let noted = self
                .store
                .note_crossings(sku, place, &before, &look.claimed);
            if !noted.await.map_err(text)? {
                // Another run is at it, and tells of it.
                return Ok(());
            }
            run.crossed += usize::from(look.claimed.count > before.count);
            run.recovered += usize::from(before.low.is_some() && look.claimed.low.is_none());
        }
        if !look.due.is_empty() {
            let supplier = product.supplier.as_ref();
            run.due.push(Told {
                level: level.clone(),
                product: product.clone(),
                location,
                supplier: supplier.and_then(|id| run.suppliers.iter().find(|s| s.id == *id)),
                elsewhere,
                look,
            });
        }
        Ok(())
    }

    /// The other warehouses that have some of what is out, the most first.
    async fn elsewhere(
        &self,
        level: &Level,
        product: &Product,
        locations: &[Location],
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let levels = whole(self.store.levels_of(&level.sku).await?).into_iter();
        let now = self.clock.now();
        let mut others: Vec<_> = levels
            .filter(|other| other.location != level.location)
            .filter_map(|other| {
                let location = locations.iter().find(|l| l.id == other.location)?;
                let offered = offered(other.available, Some(product), location, now);
                (offered > 0).then(|| (location.name.clone(), offered))
            })
            .collect();
        others.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(others)
    }

    /// Asks the suppliers and tells the team of all that is due, and notes who has been told.
    async fn tell(&self, run: &mut Run<'_>) {
        let due = std::mem::take(&mut run.due);
        // Suppliers who could not be asked, and why.
        let mut refused: BTreeMap<&str, String> = BTreeMap::new();
        for supplier in run.suppliers {
            let of = |told: &&Told| told.to_ask() == Some(supplier);
            let (lines, names): (Vec<_>, Vec<_>) = due
                .iter()
                .filter(of)
                .map(|told| (told.line(Due::Low), told.name("restock", told.low())))
                .unzip();
            let write = || messages::restock_request(supplier, &lines, &self.shop);
            if let Err(why) = self.send(&supplier.email, &names, write).await {
                refused.insert(&supplier.id, why);
            }
        }
        // The team does not hear that a supplier is asked who could not be.
        let refused = |told: &Told| refused.get(told.to_ask()?.id.as_str());
        let (mut lines, mut names) = (Vec::new(), Vec::new());
        for told in &due {
            for due in told.to_team() {
                if due == Due::Low && refused(told).is_some() {
                    continue;
                }
                lines.push(told.line(due));
                names.push(match due {
                    Due::Low => told.name("low", told.low()),
                    Due::Out => told.name("out", told.outage()),
                    Due::Back => told.name("back", told.outage()),
                });
            }
        }
        let write = || messages::stock_notice(&lines, &self.shop);
        let heard = self.send(&self.team, &names, write).await;
        for told in &due {
            let asked = refused(told);
            let claimed = &told.look.claimed;
            let after = claimed.clone();
            let after = after.noted(&told.look.due, asked.is_none(), heard.is_ok());
            let (sku, place) = (&told.level.sku, &told.level.location);
            let noted = self.store.note_crossings(sku, place, claimed, &after).await;
            // If it is not as it was, another run has found the level recovered.
            let noted = noted.map_err(|error| error.to_string());
            match (asked, &heard, &noted) {
                (None, Ok(()), Ok(_)) => run.told += 1,
                (Some(why), ..) | (_, Err(why), _) | (.., Err(why)) => run.fail(&told.level, why),
            }
        }
    }

    /// Sends a mail that says what `names` name, if there is anything to say. One that will never go is
    /// done with: the log has it, and the others are told.
    async fn send(
        &self,
        to: &str,
        names: &[String],
        write: impl FnOnce() -> Result<Mail, messages::Error>,
    ) -> Result<(), String> {
        if names.is_empty() {
            return Ok(());
        }
        // As a tag, SES takes the beginning of it.
        let key = names.join("_");
        match self.mailer.send(to, &key, write).await {
            Ok(_) => Ok(()),
            Err(SendError::Permanent(why)) => {
                tracing::error!(key, why, "a notice about stock was refused");
                Ok(())
            }
            Err(SendError::Transient(why) | SendError::Later(_, why)) => Err(why),
        }
    }
}

impl Run<'_> {
    fn fail(&mut self, level: &Level, error: &str) {
        self.failed += 1;
        let (sku, location) = (&level.sku, &level.location);
        tracing::error!(sku, location, error, "cannot tell of a level");
    }
}

impl Told<'_> {
    fn low(&self) -> Option<&Crossing> {
        self.look.claimed.low.as_ref()
    }

    fn outage(&self) -> Option<&Crossing> {
        self.look.claimed.outage.as_ref()
    }

    /// Who has still to be asked for more.
    fn to_ask(&self) -> Option<&Supplier> {
        let due = self.look.due.contains(&Due::Low);
        let asks = due && self.low().is_some_and(|low| !low.asked);
        self.supplier.filter(|_| asks)
    }

    /// What the team has to hear: of what is out not that it is low. An outage that is older than the
    /// low level says nothing of it: it had ended, and nobody could be told.
    fn to_team(&self) -> impl Iterator<Item = Due> {
        let since = self.low().map_or(0, |low| low.n);
        let mut outage = self.outage().into_iter();
        let out = outage.any(|outage| !outage.over && outage.n >= since);
        let due = self.look.due.iter().copied();
        due.filter(move |due| *due != Due::Low || !out)
    }

    fn line(&self, due: Due) -> StockLine<'_> {
        StockLine {
            due,
            level: &self.level,
            product: &self.product,
            supplier: self.supplier,
            asked: self.look.due.contains(&Due::Low),
            location: self.location,
            elsewhere: &self.elsewhere,
        }
    }

    /// What a mail calls what it says of this level.
    fn name(&self, what: &str, crossing: Option<&Crossing>) -> String {
        let n = crossing.map_or(0, |crossing| crossing.n);
        format!("{}-{what}-{}-{n}", self.level.sku, self.level.location)
    }
}
