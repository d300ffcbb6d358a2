//! From which day on how much of a product can be promised, and when goods are expected that orders wait for.

use std::collections::BTreeMap;

use domain::allocation::waits_for;
use domain::atp::{Basis, expected, on_channel};
use domain::catalog::{Location, Supplier};
use domain::limits::MAX_SKU_CHARS;
use domain::rules::{ANY_CHANNEL, Rules};
use domain::{Order, Problem};
use futures::future::try_join_all;
use jiff::civil::Date;
use runtime::http::{Answer, Request};
use serde_json::json;
use store::{StoreError, Waiting};

use crate::Desk;

/// SKUs that are looked at together, by four reads each.
const SKUS_AT_ONCE: usize = 16;

impl Desk {
    /// `GET /stock/{sku}/atp`
    pub(crate) async fn atp(&self, request: &Request) -> Result<Answer, Answer> {
        let sku = request.path("sku");
        let channel = request.query("channel").unwrap_or(ANY_CHANNEL);
        let country = request.query("country");
        let on = request.query("date").map(|text| {
            text.parse::<Date>().map_err(|_| {
                let detail =
                    format!("expected \"date\" to be a day as in 2026-12-24, found {text:?}");
                Answer::invalid(&[Problem::at("", detail)])
            })
        });
        let on = on.transpose()?;
        let unknown = || Answer::not_found(&format!("product {sku:?}"));
        // The database refuses keys that are too long.
        if sku.len() > MAX_SKU_CHARS {
            return Err(unknown());
        }
        let now = self.clock.now();
        let locations = self.store.locations().await?;
        let products = self.store.products(&[sku]).await?;
        let product = products.first().ok_or_else(unknown)?;
        if !product.components.is_empty() {
            let detail = "expected no kit: it has no stock of its own, its components have";
            return Err(Answer::invalid(&[Problem::at("", detail)]));
        }
        let serving = serving(&locations, country);
        let looked = self.store.prospect(sku, Some(product), &serving, now);
        let prospect = looked.await?;
        let rules = self.store.rules().await?;
        let buffer = Rules::of(&rules, channel).buffer;
        let waiting = prospect.waited_for();
        let promises = on_channel(&prospect.supply, product, waiting, buffer);
        let until = |day: Date| promises.iter().rev().find(|promise| promise.on <= day);
        let quantity = match on {
            Some(day) => until(day).map_or(0, |promise| promise.units),
            None => promises.first().map_or(0, |promise| promise.units),
        };
        let steps = promises.iter();
        let steps = steps.map(
            |promise| json!({"from": promise.on, "quantity": product.quantity(promise.units)}),
        );
        Answer::json(
            200,
            &json!({
                "sku": sku,
                "channel": channel,
                "quantity": product.quantity(quantity),
                "steps": steps.collect::<Vec<_>>(),
                "waiting": product.quantity(waiting),
                "buffer": buffer,
                "overdue": product.quantity(prospect.overdue),
            }),
        )
    }

    /// When what an order waits for is expected: the oldest orders get it first.
    pub(crate) async fn expected(
        &self,
        order: &Order,
    ) -> Result<BTreeMap<String, (Date, Basis)>, StoreError> {
        let waits = waits_for(order);
        let mut days = BTreeMap::new();
        if waits.is_empty() {
            return Ok(days);
        }
        let now = self.clock.now();
        let (locations, suppliers) = (self.store.locations().await?, self.store.suppliers().await?);
        let country = order.destination.as_ref().map(|to| to.country.as_str());
        let serving = serving(&locations, country);
        let skus: Vec<&str> = waits.keys().map(String::as_str).collect();
        let products = self.store.products(&skus).await?;
        let mut prospects = Vec::with_capacity(skus.len());
        // An order may have hundreds of lines: one after the other would take longer than a reader waits.
        for skus in skus.chunks(SKUS_AT_ONCE) {
            let looks = skus.iter().map(|sku| {
                let product = products.iter().find(|product| product.sku == *sku);
                self.store.prospect(sku, product, &serving, now)
            });
            prospects.extend(try_join_all(looks).await?);
        }
        for ((sku, units), prospect) in waits.into_iter().zip(prospects) {
            let product = products.iter().find(|product| product.sku == sku);
            let before = |w: &&Waiting| (w.placed_at, &w.order) < (order.placed_at, &order.id);
            let ahead = prospect.waiting.iter().filter(before);
            let ahead = ahead.map(|w| i64::from(w.units)).sum();
            let supplier = product.and_then(|product| product.supplier.as_ref());
            let named = |known: &&Supplier| Some(&known.id) == supplier;
            let lead_days = suppliers.iter().find(named).map(|s| s.lead_time_days);
            let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
            let first_day = product.and_then(|product| product.available_on);
            let days_known = (today, first_day);
            let supply = &prospect.supply;
            let day = expected(supply, ahead, i64::from(units), lead_days, days_known);
            days.insert(sku, day);
        }
        Ok(days)
    }
}

/// The locations that may send something to a country; all of them, if none is named.
fn serving<'a>(locations: &'a [Location], country: Option<&str>) -> Vec<&'a Location> {
    let serves = |location: &&Location| country.is_none_or(|to| location.ships_to(to));
    locations.iter().filter(serves).collect()
}
