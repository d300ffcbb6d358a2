//! The shop that is told how much there is: it shows what may be promised on its channel, of everything that it lists;
//! and what is noted of it is what it shows, or why not.

use domain::listing::{Listing, Round, Told};

use super::{Findings, Violation};
use crate::observed::{Deed, Observed};
use crate::retailer::BUFFER;
use crate::vendor::UNKNOWN_SKU;

/// What must hold at any moment: what is noted of the shop it shows, or it is noted as in doubt. Whoever tells it may not
/// live to note what it has taken.
pub fn shown_as_noted(
    rounds: &[Round],
    listings: &[Listing],
    shown: &[(String, i64)],
) -> Option<Violation> {
    let otherwise = |listing: &&Listing| {
        let told = listing.told.as_ref().filter(|told| told.refused.is_none());
        let mut in_doubt = rounds.iter().flat_map(|round| &round.in_doubt);
        let mut shown = shown.iter();
        let shown = shown.find(|shown| shown.0 == listing.sku);
        let shown = shown.map(|shown| shown.1);
        // What it does not list it shows none of.
        let none = |told: &Told| is_unknown(listing) && told.quantity == 0;
        told.is_some_and(|told| Some(told.quantity) != shown && !none(told))
            && !in_doubt.any(|sku| *sku == listing.sku)
    };
    let listing = listings.iter().find(otherwise)?;
    Some(Violation {
        rule: "shown-otherwise-than-noted",
        subject: listing.sku.clone(),
        detail: format!(
            "expected that to be shown, or to be in doubt: {:?}",
            listing.told
        ),
    })
}

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    let told = |deed: &Deed| matches!(deed, Deed::ListingsTold);
    if !observed.deeds.iter().any(told) {
        return;
    }
    for listing in &observed.listings {
        let sku = &listing.sku;
        let mut shown = observed.shown.iter();
        let shown = shown.find(|shown| shown.0 == *sku).map(|shown| shown.1);
        let expected = expected(observed, sku);
        let told = listing.told.as_ref();
        found.expect(
            told.map(|told| told.quantity) == Some(expected),
            "listing-not-told",
            sku,
            || format!("expected it to be noted that there are {expected}, found {told:?}"),
        );
        let refused = told.is_some_and(|told| told.refused.is_some());
        // Who keeps no listing of which there is nothing shows none of what he does not know, and says that this is right.
        let keeps_none = observed.fetched == "etsy" && expected == 0;
        let right = is_unknown(listing) && keeps_none;
        found.expect(
            refused == is_unknown(listing) || right,
            "refusal-not-noted",
            sku,
            || format!("expected a refusal where the shop does not know it, found {told:?}"),
        );
        found.expect(
            is_unknown(listing) || shown == Some(expected),
            "shop-shows-otherwise",
            sku,
            || format!("expected that it shows {expected}, found {shown:?}"),
        );
    }
}

fn is_unknown(listing: &Listing) -> bool {
    listing.sku == UNKNOWN_SKU
}

/// Whole ones that may be promised in the shop: of a kit what its parts are enough for.
fn expected(observed: &Observed, sku: &str) -> i64 {
    let mut kits = observed.kits.iter();
    if let Some((_, parts)) = kits.find(|kit| kit.0 == sku) {
        let enough = parts
            .iter()
            .map(|(sku, units)| promised(observed, sku) / units);
        return enough.min().unwrap_or(0);
    }
    promised(observed, sku) / whole(observed, sku)
}

/// Units that make a whole one.
fn whole(observed: &Observed, sku: &str) -> i64 {
    10_i64.pow(observed.decimals(sku).into())
}

/// Units that may be promised: what is there and comes today, without what is kept back in each place, what orders
/// wait for, and the buffer.
fn promised(observed: &Observed, sku: &str) -> i64 {
    let places = observed.zones.iter().map(|(location, zone)| {
        let levels = observed.levels.iter().map(|stored| &stored.level);
        let here = levels.filter(|level| level.sku == sku && level.location == *location);
        let there: i64 = here.map(|level| level.available).sum();
        let today = observed.at.in_tz(zone).ok().map(|now| now.date());
        let coming = observed.inbound.iter().filter(|line| {
            line.sku == sku && line.location == *location && today == Some(line.expected_on)
        });
        let coming = coming.map(|line| (line.quantity - line.received).max(0));
        (there + coming.sum::<i64>() - observed.kept(sku)).max(0)
    });
    let waiting = observed.waiting.iter().filter(|waiting| waiting.0 == sku);
    let waiting: i64 = waiting.map(|waiting| i64::from(waiting.2)).sum();
    let buffer = i64::from(BUFFER) * whole(observed, sku);
    (places.sum::<i64>() - waiting - buffer).max(0)
}
