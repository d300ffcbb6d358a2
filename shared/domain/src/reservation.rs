//! Goods that are kept for somebody for a while: for a cart, for a quote.
//!
//! A reservation is held until an order takes it up, somebody gives it up, or its time is over: it ends once,
//! and what it kept goes to the order, or is anybody's again. That its time is over does not end it by
//! itself: until somebody has noted that, it can be extended and taken up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::second::required as seconds;
use serde::{Deserialize, Serialize};

use crate::allocation::{Available, allocate};
use crate::candidates::Network;
use crate::catalog::Product;
use crate::limits::MAX_RESERVED_LEVELS;
use crate::order::{Buckets, Destination, Line};
use crate::stock::{Changes, Movement, MovementKind};
use crate::{Order, OrderId, Problem, is_default};

/// Whether a reservation keeps anything, or what has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// It keeps its goods.
    Held,
    /// An order has taken it up.
    Committed,
    /// It was given up.
    Released,
    /// Its time was over.
    Expired,
}

impl ReservationStatus {
    /// Its name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Committed => "committed",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

/// Units that are kept in one share of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// Which share of the level they were taken from, and go back to.
    #[serde(default, skip_serializing_if = "is_default")]
    pub share: u8,
    /// Units.
    pub quantity: i64,
    /// Decimals of the article's quantities.
    #[serde(default, skip_serializing_if = "is_default")]
    pub decimals: u8,
}

/// Goods that are kept for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Its id, derived from what its maker calls it.
    pub id: String,
    /// Whether it is held.
    pub status: ReservationStatus,
    /// Until when.
    #[serde(with = "seconds")]
    pub held_until: Timestamp,
    /// What it keeps, or kept. Never changes.
    pub kept: Vec<Kept>,
    /// SHA-256 of the body that it was asked for with, to tell a repeat from a reused key.
    pub fingerprint: String,
    /// The order that has taken it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
}

impl Reservation {
    /// Whether it keeps its goods.
    pub fn is_held(&self) -> bool {
        self.status == ReservationStatus::Held
    }

    /// Whether it is held, and its time is over.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.is_held() && self.held_until <= now
    }

    /// What its beginning, or an end in which nobody takes it up, does to levels.
    pub fn changes(&self, kind: MovementKind, at: Timestamp) -> Changes {
        let mut changes = Changes::default();
        for kept in &self.kept {
            let movement = Movement {
                kind,
                quantity: kept.quantity,
                cause: self.id.clone(),
                at,
            };
            changes.add_to_share(&kept.sku, &kept.location, kept.share, movement);
        }
        changes
    }

    /// The SKUs that it keeps.
    pub fn skus(&self) -> BTreeSet<&str> {
        self.kept.iter().map(|kept| kept.sku.as_str()).collect()
    }

    /// The SKUs of which an order that took it up did not get all from where they were kept: those are anybody's now.
    pub fn given_back(&self, before: &Order, after: &Order) -> BTreeSet<&str> {
        let mut left: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for kept in &self.kept {
            *left.entry((&kept.sku, &kept.location)).or_default() += kept.quantity;
        }
        let given = after.fulfillments.iter().skip(before.fulfillments.len());
        for (fulfillment, &(place, units)) in
            given.flat_map(|f| f.units.iter().map(move |u| (f, u)))
        {
            let sku = after.line(place).sku.as_deref();
            let here = |(kept, _): &(&(&str, &str), &mut i64)| {
                Some(kept.0) == sku && kept.1 == fulfillment.location
            };
            if let Some((_, left)) = left.iter_mut().find(here) {
                *left -= i64::from(units);
            }
        }
        let left = left.into_iter().filter(|(_, units)| *units > 0);
        left.map(|((sku, _), _)| sku).collect()
    }
}

/// Why goods cannot be reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreserved {
    /// There are too few, of each line.
    TooFew(Vec<Problem>),
    /// They are in more places than one reservation can keep.
    TooManyPlaces,
}

/// Chooses what is kept for what would be ordered, all of it or nothing: as for an order, except for lines
/// that name a location, which has to have all of them. `places`: what each line of the request names; the
/// lines of the order, kits taken apart, are called after their places in the request. Takes it from `available`.
pub fn choose(
    order: &Order,
    places: &[Option<String>],
    network: &Network,
    products: &[Product],
    available: &Available,
    now: Timestamp,
) -> Result<Vec<Kept>, Unreserved> {
    let kept = choose_from(order, places, network, products, available.clone(), now);
    match kept {
        Ok(kept) if kept.len() > MAX_RESERVED_LEVELS => {
            let one_each = available.of_one_share_each();
            let kept = choose_from(order, places, network, products, one_each, now);
            let few = kept.ok().filter(|kept| kept.len() <= MAX_RESERVED_LEVELS);
            few.ok_or(Unreserved::TooManyPlaces)
        }
        Ok(kept) => Ok(kept),
        Err(problems) => Err(Unreserved::TooFew(problems)),
    }
}

fn choose_from(
    order: &Order,
    places: &[Option<String>],
    network: &Network,
    products: &[Product],
    mut available: Available,
    now: Timestamp,
) -> Result<Vec<Kept>, Vec<Problem>> {
    // What it will bring is not known, so that no margin bounds the number of its shipments.
    let products: Vec<Product> = products
        .iter()
        .map(|product| Product {
            unit_cost: None,
            ..product.clone()
        })
        .collect();
    let mut changes = Changes::default();
    let mut found = vec![0; order.lines.len()];
    // Those that name a location leave it to nobody else.
    let named: BTreeSet<&String> = places.iter().flatten().collect();
    for location in named.into_iter().map(Some).chain([None]) {
        let mut part = order.clone();
        for line in &mut part.lines {
            if place_of(line, places) != location {
                line.units = Buckets::default();
            }
        }
        let mut network = network.clone();
        if let Some(location) = location {
            network.locations.retain(|known| known.id == *location);
            for known in &mut network.locations {
                known.serves.clear();
                part.destination = Some(Destination {
                    country: known.country.clone(),
                    point: None,
                    located_by: Default::default(),
                });
            }
        }
        let plan = allocate(
            &part,
            &network,
            &products,
            &mut available,
            &mut changes,
            now,
        );
        let lines = plan.iter().flat_map(|plan| &plan.order.lines);
        for (found, line) in found.iter_mut().zip(lines) {
            *found += line.units.allocated;
        }
    }
    let problems = order.lines.iter().zip(found).filter_map(|(line, found)| {
        let wanted = line.units.ordered;
        let sku = line.sku.as_deref().unwrap_or_default();
        let pointer = format!("/lines/{}", request_line(line));
        let detail = format!(
            "expected {} available of {sku}, found {}",
            line.quantity(wanted),
            line.quantity(found)
        );
        (found < wanted).then(|| Problem::at(pointer, detail))
    });
    let problems: Vec<Problem> = problems.collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let decimals_of = |sku: &str| {
        let of = |line: &&Line| line.sku.as_deref() == Some(sku);
        let line = order.lines.iter().find(of);
        line.map_or(0, |line| line.decimals)
    };
    let kept = changes.into_vec().into_iter().map(|change| Kept {
        decimals: decimals_of(&change.sku),
        quantity: change.movements.iter().map(|m| m.quantity).sum(),
        sku: change.sku,
        location: change.location,
        share: change.share,
    });
    Ok(kept.collect())
}

/// What a line is called in the request.
fn request_line(line: &Line) -> &str {
    line.kit.as_ref().map_or(&line.id, |kit| &kit.line)
}

/// The location that a line of the request names.
fn place_of<'a>(line: &Line, places: &'a [Option<String>]) -> Option<&'a String> {
    let n: usize = request_line(line).parse().ok()?;
    places.get(n)?.as_ref()
}
