//! Levels and who waits for goods.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::OrderId;
use domain::restock::{Crossings, Round};
use domain::stock::{Breakdown, Level};
use futures::future::try_join_all;
use jiff::civil::Date;

use crate::item::{Item, attribute, item, key, number, put_after, text, value};
use crate::{DynamoDb, StoreError, Waiting, key};

/// Levels of one share of a SKU that are read by their keys: each costs a read unit, however small it is. More of them
/// are read as a whole, where a unit buys several; that is a call for each share of a SKU.
const MAX_LEVELS_ONE_BY_ONE: usize = 8;
/// Shares of SKUs that are read as a whole at the same time.
const PARTITIONS_AT_ONCE: usize = 16;

/// The key of a level: a place in a walk over all levels.
pub fn level_place(sku: &str, location: &str, share: u8) -> (String, String) {
    (key::share(sku, share), key::level(location))
}

/// Where to go on after a key.
pub fn cursor_at((pk, sk): &(String, String)) -> Item {
    key(pk, sk)
}

/// The key after which a page ended.
pub fn place_of(cursor: &Item) -> Option<(String, String)> {
    match (cursor.get("pk")?, cursor.get("sk")?) {
        (AttributeValue::S(pk), AttributeValue::S(sk)) => Some((pk.clone(), sk.clone())),
        _ => None,
    }
}

/// Levels, and who waits for goods.
#[async_trait]
pub trait Levels: Send + Sync {
    /// The levels of SKUs in locations and shares, as they are now; those that do not exist are left out.
    async fn load_levels(&self, keys: &[(&str, &str, u8)]) -> Result<Vec<Level>, StoreError>;

    /// The levels of a SKU in every location, one for each share.
    async fn levels_of(&self, sku: &str) -> Result<Vec<Level>, StoreError>;

    /// How many fulfillment orders locations have taken on a day, as far as they have taken any.
    async fn loads(&self, days: &[(&str, Date)]) -> Result<Vec<(String, Date, u32)>, StoreError>;

    /// What movements of a SKU that stand for many are made of, by the ids that they name.
    async fn load_breakdowns(&self, sku: &str, ids: &[&str]) -> Result<Vec<Breakdown>, StoreError>;

    /// The orders that wait for a SKU, the oldest first.
    async fn waiting_for(&self, sku: &str) -> Result<Vec<Waiting>, StoreError>;

    /// A page of all levels, and where to go on.
    async fn scan_levels(
        &self,
        from: Option<Item>,
    ) -> Result<(Vec<Level>, Option<Item>), StoreError>;

    /// Notes what is known of a level's crossings; `false` if something else has been noted since it was
    /// as `before`.
    async fn note_crossings(
        &self,
        sku: &str,
        location: &str,
        before: &Crossings,
        after: &Crossings,
    ) -> Result<bool, StoreError>;

    /// How far the round over all levels is in which crossings are looked for.
    async fn load_restock_round(&self) -> Result<Option<Round>, StoreError>;

    /// Goes on from that round as it was a turn before, if nobody has since; whether it is so.
    async fn save_restock_round(&self, round: &Round) -> Result<bool, StoreError>;
}

impl DynamoDb {
    /// The levels of a share of a SKU, in every location.
    async fn levels_of_share(&self, sku: &str, share: u8) -> Result<Vec<Level>, StoreError> {
        let pk = key::share(sku, share);
        let items = self.query_partition(&self.tables.stock, pk, key::LEVEL);
        items.await?.into_iter().map(value).collect()
    }
}

#[async_trait]
impl Levels for DynamoDb {
    async fn load_levels(&self, keys: &[(&str, &str, u8)]) -> Result<Vec<Level>, StoreError> {
        let mut partitions: BTreeMap<(&str, u8), BTreeSet<&str>> = BTreeMap::new();
        for (sku, location, share) in keys {
            let locations = partitions.entry((sku, *share)).or_default();
            locations.insert(location);
        }
        let (whole, few): (Vec<_>, Vec<_>) = partitions
            .into_iter()
            .partition(|(_, locations)| locations.len() > MAX_LEVELS_ONE_BY_ONE);
        let mut levels = Vec::with_capacity(keys.len());
        let one_by_one = few.into_iter().flat_map(|((sku, share), locations)| {
            let key = move |location| key(key::share(sku, share), key::level(location));
            locations.into_iter().map(key)
        });
        for keys in one_by_one.collect::<Vec<_>>().chunks(100) {
            let items = self.batch_get(&self.tables.stock, keys.to_vec()).await?;
            for item in items {
                levels.push(value(item)?);
            }
        }
        for whole in whole.chunks(PARTITIONS_AT_ONCE) {
            let reads = whole
                .iter()
                .map(|((sku, share), _)| self.levels_of_share(sku, *share));
            for (read, (_, locations)) in try_join_all(reads).await?.into_iter().zip(whole) {
                let asked = |level: &Level| locations.contains(level.location.as_str());
                levels.extend(read.into_iter().filter(asked));
            }
        }
        Ok(levels)
    }

    async fn levels_of(&self, sku: &str) -> Result<Vec<Level>, StoreError> {
        let mut levels: Vec<Level> = Vec::new();
        let (mut share, mut shares) = (0, 1);
        while share < shares {
            let of_share = self.levels_of_share(sku, share).await?;
            let counts = of_share.iter().map(|level| level.shares);
            shares = counts.fold(shares, u8::max);
            levels.extend(of_share);
            share += 1;
        }
        Ok(levels)
    }

    async fn loads(&self, days: &[(&str, Date)]) -> Result<Vec<(String, Date, u32)>, StoreError> {
        #[derive(serde::Deserialize)]
        struct Taken {
            pk: String,
            sk: Date,
            orders: u32,
        }
        let mut loads = Vec::new();
        for days in days.chunks(100) {
            let keys = days
                .iter()
                .map(|(location, day)| key(key::load(location), day.to_string()));
            let items = self.batch_get(&self.tables.stock, keys.collect()).await?;
            for item in items {
                let Taken { pk, sk, orders } = value(item)?;
                let location = pk.trim_start_matches("LOAD#").to_owned();
                loads.push((location, sk, orders));
            }
        }
        Ok(loads)
    }

    async fn load_breakdowns(&self, sku: &str, ids: &[&str]) -> Result<Vec<Breakdown>, StoreError> {
        let mut breakdowns = Vec::with_capacity(ids.len());
        for ids in ids.chunks(100) {
            let keys = ids
                .iter()
                .map(|id| key(key::breakdown(sku, id), key::ALONE));
            let items = self.batch_get(&self.tables.stock, keys.collect()).await?;
            for item in items {
                breakdowns.push(value(item)?);
            }
        }
        Ok(breakdowns)
    }

    async fn waiting_for(&self, sku: &str) -> Result<Vec<Waiting>, StoreError> {
        #[derive(serde::Deserialize)]
        struct Listed {
            sk: String,
            order: OrderId,
            #[serde(default = "one")]
            units: u32,
        }
        // Not noted in items of before it was asked for.
        fn one() -> u32 {
            1
        }
        let items = self
            .query_partition(&self.tables.stock, key::sku(sku), key::WAITING)
            .await?;
        let mut waiting = Vec::with_capacity(items.len());
        for item in items {
            let Listed { sk, order, units } = value(item)?;
            let placed_at = key::waiting_since(&sk);
            waiting.push(Waiting {
                sku: sku.to_owned(),
                placed_at: placed_at.ok_or_else(|| StoreError::Unreadable {
                    key: sk.clone(),
                    cause: "it does not say since when".into(),
                })?,
                order,
                units,
            });
        }
        Ok(waiting)
    }

    async fn scan_levels(
        &self,
        from: Option<Item>,
    ) -> Result<(Vec<Level>, Option<Item>), StoreError> {
        let page = self
            .db
            .scan()
            .table_name(&self.tables.stock)
            .filter_expression("entity = :level")
            .expression_attribute_values(":level", text("level"))
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(|error| StoreError::of("Scan (levels)", error))?;
        let levels = page.items.unwrap_or_default().into_iter().map(value);
        Ok((levels.collect::<Result<_, _>>()?, page.last_evaluated_key))
    }

    async fn note_crossings(
        &self,
        sku: &str,
        location: &str,
        before: &Crossings,
        after: &Crossings,
    ) -> Result<bool, StoreError> {
        // Each is counted when it begins, so that what is as before has not been otherwise meanwhile.
        let mut conditions = vec![match before.count {
            0 => "(attribute_not_exists(crossings) OR crossings = :before)".to_owned(),
            _ => "crossings = :before".to_owned(),
        }];
        let mut values = Item::from([
            (":before".to_owned(), number(before.count)),
            (":after".to_owned(), number(after.count)),
        ]);
        let (mut set, mut remove) = (vec!["crossings = :after".to_owned()], Vec::new());
        for (name, before, after) in [
            ("low", &before.low, &after.low),
            ("outage", &before.outage, &after.outage),
        ] {
            conditions.push(match before {
                Some(crossing) => {
                    values.insert(format!(":{name}_before"), attribute(crossing)?);
                    format!("{name} = :{name}_before")
                }
                None => format!("attribute_not_exists({name})"),
            });
            match after {
                Some(crossing) => {
                    values.insert(format!(":{name}"), attribute(crossing)?);
                    set.push(format!("{name} = :{name}"));
                }
                None => remove.push(name),
            }
        }
        let mut update = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            update += &format!(" REMOVE {}", remove.join(", "));
        }
        let written = self
            .db
            .update_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::sku(sku), key::level(location))))
            .update_expression(update)
            .condition_expression(conditions.join(" AND "))
            .set_expression_attribute_values(Some(values))
            .send()
            .await;
        let Err(error) = written else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(StoreError::of("UpdateItem (crossings)", error)),
        }
    }

    async fn load_restock_round(&self) -> Result<Option<Round>, StoreError> {
        let found = self
            .db
            .get_item()
            .table_name(&self.tables.stock)
            .set_key(Some(key(key::RESTOCK, key::ALONE)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::of("GetItem (restock)", error))?;
        found.item.map(value).transpose()
    }

    async fn save_restock_round(&self, round: &Round) -> Result<bool, StoreError> {
        let item = item(round, "restock", key::RESTOCK.into(), key::ALONE)?;
        let put = self.db.put_item().table_name(&self.tables.stock);
        let before = Some(round.turn.saturating_sub(1)).filter(|before| *before > 0);
        put_after(put.set_item(Some(item)), before, "PutItem (restock)").await
    }
}
