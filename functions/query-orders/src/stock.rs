//! What there is of a SKU, why, what is on the road, and where shelf and books differ.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalog::decimals_of;
use domain::fact::Transfer;
use domain::ledger::{Entry, Place, describe, newest};
use domain::limits::{MAX_NAME_CHARS, MAX_SKU_CHARS};
use domain::stock::{Breakdown, Level, Movement, whole};
use domain::{Problem, Quantity, stock_view};
use jiff::Timestamp;
use runtime::http::{Answer, Request};
use serde_json::{Value, json};

use crate::{Desk, PAGE};

impl Desk {
    pub(crate) async fn stock(&self, sku: &str) -> Result<Answer, Answer> {
        let (levels, decimals) = self.levels(sku).await?;
        let levels = whole(levels);
        let levels: Vec<Value> = levels.iter().map(|of| level(of, decimals)).collect();
        let in_transit = in_transit(&self.store.in_transit(sku).await?, decimals);
        let inbound = self.store.inbound_of(sku).await?;
        let inbound = inbound
            .iter()
            .map(|line| stock_view::inbound(line, decimals));
        let inbound: Vec<_> = inbound.collect();
        let document =
            json!({"sku": sku, "levels": levels, "in_transit": in_transit, "inbound": inbound});
        Answer::json(200, &document)
    }

    /// Discrepancies that nobody has looked into, the oldest first.
    pub(crate) async fn discrepancies(&self, after: Option<&str>) -> Result<Answer, Answer> {
        let after = after.map(|text| {
            read_after(text).ok_or_else(|| {
                let detail =
                    format!("expected \"after\" to be a \"next\" of this list, found {text:?}");
                Answer::invalid(&[Problem::at("", detail)])
            })
        });
        let (found, next) = self.store.open_discrepancies(after.transpose()?).await?;
        let skus: BTreeSet<&str> = found.iter().map(|found| found.sku.as_str()).collect();
        let skus: Vec<&str> = skus.into_iter().collect();
        let products = match skus.is_empty() {
            true => Vec::new(),
            false => self.store.products(&skus).await?,
        };
        let view = |found| stock_view::discrepancy(found, decimals_of(&products, &found.sku));
        let found: Vec<_> = found.iter().map(view).collect();
        let next = next.map(|(at, id)| format!("{}.{id}", at.as_second()));
        Answer::json(200, &json!({"discrepancies": found, "next": next}))
    }

    /// The levels of a product, by share and location, and the decimals of its quantities.
    async fn levels(&self, sku: &str) -> Result<(Vec<Level>, u8), Answer> {
        let unknown = || Answer::not_found(&format!("product {sku:?}"));
        // The database refuses keys that are too long.
        if sku.len() > MAX_SKU_CHARS {
            return Err(unknown());
        }
        let levels = self.store.levels_of(sku).await?;
        let products = self.store.products(&[sku]).await?;
        if levels.is_empty() && products.is_empty() {
            return Err(unknown());
        }
        Ok((levels, decimals_of(&products, sku)))
    }

    /// Why there is so much of a product: what happened to it, the newest first, and what each movement
    /// left, in each share by itself. For all locations the movements that are at hand; for one, page by page, all there are.
    pub(crate) async fn why(&self, request: &Request) -> Result<Answer, Answer> {
        let sku = request.path("sku");
        let (mut levels, decimals) = self.levels(sku).await?;
        let location = request.query("location");
        let before = request.query("before");
        let share = match request.query("share") {
            None => None,
            Some(text) => Some(text.parse::<u8>().map_err(|_| {
                let detail =
                    format!("expected \"share\" to be the number of a share, found {text:?}");
                Answer::invalid(&[Problem::at("", detail)])
            })?),
        };
        // A page follows in one ledger: that of the first share, if none is named.
        if let Some(share) = share.or(before.map(|_| 0)) {
            levels.retain(|level| level.share == share);
        }
        if let Some(location) = location {
            levels.retain(|level| level.location == location);
            if levels.is_empty() {
                let nothing = format!("a movement of {sku:?} in {location:?}");
                return Err(Answer::not_found(&nothing));
            }
        }
        let mut stories = Vec::with_capacity(levels.len());
        for level in &levels {
            let mut place = match before {
                Some(text) => place(text, location, level)?,
                None => Place::end(level),
            };
            let before = place.before;
            let newest = newest(level).filter(|(number, _)| *number < before);
            let mut entries = place.go_back(newest);
            if location.is_some() {
                let (location, share) = (&level.location, level.share);
                let older = self.store.ledger_before(sku, location, share, place.before);
                entries.extend(place.go_back(older.await?));
            }
            stories.push((level, entries, place));
        }
        let facts = stories.iter().flat_map(|(_, entries, _)| entries);
        let facts: BTreeSet<&str> = facts
            .filter(|entry| entry.movement.kind.is_reported())
            .map(|entry| entry.movement.cause.as_str())
            .collect();
        let facts: Vec<&str> = facts.into_iter().collect();
        let mut reasons = BTreeMap::new();
        for ids in facts.chunks(PAGE) {
            let facts = self.store.load_facts(sku, ids).await?;
            reasons.extend(facts.into_iter().map(|fact| (fact.id, fact.reason)));
        }
        let entries = stories.iter().flat_map(|(_, entries, _)| entries);
        let of_many = entries.filter_map(|entry| entry.movement.breakdown());
        let of_many: Vec<&str> = of_many.collect();
        let breakdowns = match of_many.is_empty() {
            true => Vec::new(),
            false => self.store.load_breakdowns(sku, &of_many).await?,
        };
        let stories = stories.iter().map(|(level, entries, place)| {
            let next = (!place.is_start()).then(|| place.to_string());
            let entries = entries
                .iter()
                .map(|entry| told(entry, decimals, &reasons, &breakdowns));
            let mut document = counters(level, decimals);
            if level.share > 0 {
                document["share"] = json!(level.share);
            }
            document["entries"] = entries.collect();
            document["next"] = json!(next);
            document
        });
        let stories: Vec<Value> = stories.collect();
        Answer::json(200, &json!({"sku": sku, "levels": stories}))
    }
}

/// Where a reader says that he wants to read on.
fn place(text: &str, location: Option<&str>, level: &Level) -> Result<Place, Answer> {
    let invalid = |detail: String| Answer::invalid(&[Problem::at("", detail)]);
    if location.is_none() {
        let detail = "expected the query parameter \"location\" beside \"before\"".to_owned();
        return Err(invalid(detail));
    }
    let place = Place::parse(text).filter(|place| place.before <= level.movements + 1);
    place.ok_or_else(|| {
        let detail = format!("expected \"before\" to be a \"next\" of this list, found {text:?}");
        invalid(detail)
    })
}

/// Where a reader of the discrepancies says that he wants to read on: `{second}.{id}`.
fn read_after(text: &str) -> Option<(Timestamp, String)> {
    let (at, id) = text.split_once('.')?;
    let at = Timestamp::from_second(at.parse().ok()?).ok()?;
    let possible = !id.is_empty() && id.len() <= MAX_NAME_CHARS;
    possible.then(|| (at, id.to_owned()))
}

/// What is on the road, by where it goes.
fn in_transit(transfers: &[Transfer], decimals: u8) -> Vec<Value> {
    let mut by_location: BTreeMap<&str, Vec<&Transfer>> = BTreeMap::new();
    for transfer in transfers {
        by_location.entry(&transfer.to).or_default().push(transfer);
    }
    let document = |(location, transfers): (&str, Vec<&Transfer>)| {
        let views = transfers
            .iter()
            .map(|t| stock_view::transfer(t, None, decimals));
        json!({
            "location": location,
            "quantity": Quantity::new(transfers.iter().map(|t| t.quantity).sum::<i64>(), decimals),
            "transfers": views.collect::<Vec<_>>(),
        })
    };
    by_location.into_iter().map(document).collect()
}

fn told(
    entry: &Entry,
    decimals: u8,
    reasons: &BTreeMap<String, String>,
    breakdowns: &[Breakdown],
) -> Value {
    let of = |units: i64| Quantity::new(units, decimals);
    let movement = &entry.movement;
    let reason = reasons.get(&movement.cause);
    let reason = reason
        .filter(|_| movement.kind.is_reported())
        .map(String::as_str);
    let id = movement.breakdown();
    let breakdown = id.and_then(|id| breakdowns.iter().find(|breakdown| breakdown.id == id));
    let mut document = json!({
        "number": entry.number,
        "at": movement.at,
        "kind": movement.kind.name(),
        "quantity": of(movement.quantity),
        "cause": movement.cause,
        "on_hand": of(entry.on_hand),
        "allocated": of(entry.allocated),
        "reserved": of(entry.reserved),
        "text": describe(movement, decimals, reason, breakdown),
    });
    if let Some(breakdown) = breakdown {
        let part = |(cause, units): &(String, i64)| json!({"cause": cause, "quantity": of(*units)});
        document["parts"] = breakdown.parts.iter().map(part).collect();
    }
    document
}

fn level(level: &Level, decimals: u8) -> Value {
    let movement = |m: &Movement| {
        let quantity = Quantity::new(m.quantity, decimals);
        json!({"kind": m.kind.name(), "quantity": quantity, "cause": m.cause, "at": m.at})
    };
    let mut document = counters(level, decimals);
    document["newest_movements"] = level.tail.iter().map(movement).collect();
    document
}

fn counters(level: &Level, decimals: u8) -> Value {
    let of = |units: i64| Quantity::new(units, decimals);
    json!({
        "location": level.location,
        "on_hand": of(level.on_hand),
        "allocated": of(level.allocated),
        "reserved": of(level.reserved),
        "available": of(level.available.max(0)),
        // What was promised and is not there: to be resolved by a person.
        "shortfall": of((-level.available).max(0)),
        "movements": level.movements,
    })
}
