//! On a schedule: tells the supplier and the team of every level that has fallen to its reorder
//! point, once for each time that it falls there.

use std::sync::Arc;

use domain::catalog::{Location, Product, Supplier};
use domain::restock::{Crossing, Verdict, check};
use domain::stock::Level;
use jiff::{Timestamp, ToSpan};
use messages::{Mail, Mailer, SendError};
use runtime::function::handler;
use runtime::{Clock, Error, Function};
use serde_json::{Value, json};
use store::{Claim, Store, StoreError};

/// Seconds after which a claim's holder is taken for dead: longer than the function may run.
const LEASE_S: i64 = 300;

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
                Ok(handler(step, |step, _event| step.run()))
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

/// What a run came to.
#[derive(Default)]
struct Tally {
    levels: usize,
    crossed: usize,
    told: usize,
    recovered: usize,
    failed: usize,
}

impl Step {
    /// Looks at every level. One that cannot be told of does not keep the others from it: it is
    /// tried again at the next run, and the run fails in the end, so that an alarm sees it.
    async fn run(self: Arc<Self>) -> Result<Value, Error> {
        let (locations, suppliers) = (self.store.locations().await?, self.store.suppliers().await?);
        let mut tally = Tally::default();
        let mut from = None;
        loop {
            let (levels, next) = self.store.scan_levels(from).await?;
            let skus: std::collections::BTreeSet<&str> =
                levels.iter().map(|l| l.sku.as_str()).collect();
            let skus: Vec<&str> = skus.into_iter().collect();
            let products = self.store.products(&skus).await?;
            for level in levels {
                tally.levels += 1;
                let product = products.iter().find(|p| p.sku == level.sku);
                let Some((product, reorder_point)) =
                    product.and_then(|p| Some((p, p.reorder_point?)))
                else {
                    continue;
                };
                let looked = self.look(
                    &level,
                    product,
                    reorder_point,
                    &locations,
                    &suppliers,
                    &mut tally,
                );
                if let Err(error) = looked.await {
                    tally.failed += 1;
                    tracing::error!(
                        sku = level.sku,
                        location = level.location,
                        error,
                        "cannot tell of a low level"
                    );
                }
            }
            from = next;
            if from.is_none() {
                break;
            }
        }
        if tally.failed > 0 {
            return Err(format!(
                "{} of {} levels could not be told of",
                tally.failed, tally.levels
            )
            .into());
        }
        Ok(json!({
            "levels": tally.levels,
            "crossed": tally.crossed,
            "told": tally.told,
            "recovered": tally.recovered,
        }))
    }

    async fn look(
        &self,
        level: &Level,
        product: &Product,
        reorder_point: u32,
        locations: &[Location],
        suppliers: &[Supplier],
        tally: &mut Tally,
    ) -> Result<(), String> {
        let text = |error: StoreError| error.to_string();
        let crossing = match check(level, reorder_point) {
            Verdict::Rest => return Ok(()),
            Verdict::Recovered => {
                tally.recovered += 1;
                return self
                    .store
                    .close_crossing(level)
                    .await
                    .map(drop)
                    .map_err(text);
            }
            Verdict::Crossed(crossing) => {
                tally.crossed += 1;
                if !self
                    .store
                    .open_crossing(level, &crossing)
                    .await
                    .map_err(text)?
                {
                    // Another run has noted it, and tells of it.
                    return Ok(());
                }
                crossing
            }
            Verdict::Tell(crossing) => crossing,
        };
        let location = locations.iter().find(|l| l.id == level.location);
        let location =
            location.ok_or_else(|| format!("location {} does not exist", level.location))?;
        let supplier = product
            .supplier
            .as_ref()
            .and_then(|id| suppliers.iter().find(|s| s.id == *id));
        let shop = self.shop.as_str();
        if let Some(supplier) = supplier {
            let write = || messages::restock_notice(level, product, supplier, location, shop);
            let to = &supplier.email;
            self.tell(level, &crossing, "supplier", to, write).await?;
        }
        let write = || messages::restock_notice_to_team(level, product, supplier, location, shop);
        self.tell(level, &crossing, "team", &self.team, write)
            .await?;
        self.store
            .tell_crossing(level, &crossing)
            .await
            .map_err(text)?;
        tally.told += 1;
        Ok(())
    }

    /// Sends one mail about a crossing, unless it was sent.
    async fn tell(
        &self,
        level: &Level,
        crossing: &Crossing,
        whom: &str,
        to: &str,
        write: impl FnOnce() -> Result<Mail, messages::Error>,
    ) -> Result<(), String> {
        let key = format!("restock-{}-{}-{whom}", level.location, crossing.n);
        let now = self.clock.now();
        let claim = |stale| self.store.claim_stock_notice(&level.sku, &key, stale, now);
        if let Claim::Held(since) = claim(None).await.map_err(|e| e.to_string())? {
            let expires = since
                .saturating_add(LEASE_S.seconds())
                .unwrap_or(Timestamp::MAX);
            // The crossing is not noted as told, so that the holder is at it, or has died between
            // this mail and that note. A second mail is better than none.
            if now < expires {
                return Err("another run is telling of it".into());
            }
            if claim(Some(since)).await.map_err(|e| e.to_string())? != Claim::Taken {
                return Err("another run is telling of it".into());
            }
        }
        match self
            .mailer
            .send(to, &format!("{}-{key}", level.sku), write)
            .await
        {
            Ok(_) => Ok(()),
            // It will never go; the log has it, and the others are told.
            Err(SendError::Permanent(why)) => {
                tracing::error!(sku = level.sku, whom, why, "a restock notice was refused");
                Ok(())
            }
            Err(SendError::Transient(why)) => Err(why),
        }
    }
}
