//! What channels list, how much of it they may be told that there is, and what they were last told.
//!
//! An order of a channel names articles by our SKUs, and so does a listing: the vendor's own ids are looked up when
//! it is told, and stored nowhere.
//!
//! What a channel shows is what it was last told, as far as that is noted. While it is told something nobody knows
//! which of two it shows: so the SKUs in question are noted beforehand, and whoever goes on after a failure takes
//! what was noted of them for unknown. One goes on with an account at a time.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::catalog::Product;
use crate::is_default;
use crate::limits::{LISTINGS_LEASE_S, MAX_COUNTED, TOLD_AGAIN_S};
use crate::quantity::ten_to;

/// A SKU that an account of a channel lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The channel.
    pub channel: String,
    /// The account's name in our paths.
    pub account: String,
    /// The article, or kit.
    pub sku: String,
    /// What it was last told; `None`: nothing, or nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// What a channel was told of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How many there are, in whole ones.
    pub quantity: i64,
    /// When.
    pub at: Timestamp,
    /// Why it does not take that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Listing {
    /// A listing of which its channel was told nothing.
    pub fn new(channel: &str, account: &str, sku: &str) -> Self {
        Self {
            channel: channel.into(),
            account: account.into(),
            sku: sku.into(),
            told: None,
        }
    }

    /// Whether its channel has to be told that there are so many: it was told otherwise, or so long ago that it may
    /// have come to show something else by itself.
    pub fn is_due(&self, quantity: i64, now: Timestamp) -> bool {
        let Some(told) = &self.told else { return true };
        let again = told.at.saturating_add(TOLD_AGAIN_S.seconds());
        told.quantity != quantity || again.is_ok_and(|again| again <= now)
    }
}

/// Whole ones of a product that a channel may be told of, when so many units of each SKU may be promised on it now:
/// of a kit as many as its components are enough for. `products`: those of the kit's components.
pub fn whole_ones(product: &Product, products: &[Product], promised: impl Fn(&str) -> i64) -> i64 {
    let enough = match product.components.is_empty() {
        true => promised(&product.sku) / ten_to(product.decimals),
        false => {
            let components = product.components.iter().map(|component| {
                let known = products.iter().find(|known| known.sku == component.sku);
                let needed = known.and_then(|known| known.units(component.quantity));
                // Of what is not known there is none.
                let needed = needed.filter(|needed| *needed > 0);
                needed.map_or(0, |needed| promised(&component.sku) / i64::from(needed))
            });
            components.min().unwrap_or(0)
        }
    };
    enough.clamp(0, MAX_COUNTED)
}

/// How far the listings of an account are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The channel.
    pub channel: String,
    /// The account's name in our paths.
    pub account: String,
    /// The SKU after which to go on; empty: from the first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub after: String,
    /// The SKUs that its channel is being told of, and may show either what is noted or what it is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_doubt: Vec<String>,
    /// Nobody else goes on before: somebody is at it, or its channel wants to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Since when its channel could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// How often it has been written: of two who go on from the same place, one does.
    #[serde(default)]
    pub turn: u64,
}

impl Round {
    /// An account whose channel was told of nothing.
    pub fn new(channel: &str, account: &str) -> Self {
        Self {
            channel: channel.into(),
            account: account.into(),
            after: String::new(),
            in_doubt: Vec::new(),
            until: None,
            failing_since: None,
            turn: 0,
        }
    }

    /// Whether somebody may go on.
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    /// Somebody tells the channel of these SKUs, and will have ended in [`LISTINGS_LEASE_S`].
    pub fn tells(&self, skus: Vec<String>, now: Timestamp) -> Self {
        Self {
            in_doubt: skus,
            until: Some(later(now, LISTINGS_LEASE_S)),
            turn: self.turn + 1,
            ..self.clone()
        }
    }

    /// Nothing is in doubt; whoever goes on does so after this SKU.
    pub fn rests(&self, after: &str) -> Self {
        Self {
            after: after.to_owned(),
            in_doubt: Vec::new(),
            until: None,
            failing_since: None,
            turn: self.turn + 1,
            ..self.clone()
        }
    }

    /// Its channel could not be told. Nothing is in doubt, since nothing is believed of it any more; whoever goes on does so
    /// after this SKU, so that what comes after it has its turn, and in so many seconds at the earliest.
    pub fn fails(&self, after: &str, wait_s: i64, now: Timestamp) -> Self {
        Self {
            until: (wait_s > 0).then(|| later(now, wait_s)),
            failing_since: self.failing_since.or(Some(now)),
            ..self.rests(after)
        }
    }

    /// Whether there is something to note when a walk has come to its end.
    pub fn is_under_way(&self) -> bool {
        !self.after.is_empty() || self.until.is_some() || self.failing_since.is_some()
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(seconds.seconds()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Component;
    use crate::quantity::Quantity;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    fn product(sku: &str, decimals: u8, components: &[(&str, Quantity)]) -> Product {
        let component = |(sku, quantity): &(&str, Quantity)| Component {
            sku: (*sku).into(),
            quantity: *quantity,
        };
        Product {
            sku: sku.into(),
            decimals,
            components: components.iter().map(component).collect(),
            ..Product::default()
        }
    }

    #[test]
    fn a_channel_is_told_of_what_differs_and_of_all_again_after_a_while() {
        let mut listing = Listing::new("shopify", "main", "CUP");
        assert!(listing.is_due(0, at(0)), "of nothing, too");
        listing.told = Some(Told {
            quantity: 4,
            at: at(0),
            refused: None,
        });
        assert!(!listing.is_due(4, at(TOLD_AGAIN_S - 1)));
        assert!(listing.is_due(4, at(TOLD_AGAIN_S)));
        assert!(listing.is_due(3, at(1)));
    }

    #[test]
    fn only_whole_ones_are_told_of_and_of_a_kit_what_its_parts_are_enough_for() {
        let promised = |sku: &str| match sku {
            "CUP" => 7,
            "POT" => 25,
            _ => 0,
        };
        let (cup, pot) = (product("CUP", 0, &[]), product("POT", 1, &[]));
        assert_eq!(whole_ones(&cup, &[], promised), 7);
        assert_eq!(whole_ones(&pot, &[], promised), 2, "of 2.5");
        let parts = [("CUP", 2.into()), ("POT", Quantity::new(5, 1))];
        let kit = product("SET", 0, &parts);
        let known = [cup.clone(), pot.clone()];
        assert_eq!(whole_ones(&kit, &known, promised), 3, "seven cups");
        assert_eq!(whole_ones(&kit, &known[..1], promised), 0);
        assert_eq!(whole_ones(&cup, &[], |_| -3), 0);
        assert_eq!(whole_ones(&cup, &[], |_| MAX_COUNTED), MAX_COUNTED);
        assert_eq!(whole_ones(&cup, &[], |_| MAX_COUNTED + 1), MAX_COUNTED);
    }

    #[test]
    fn one_at_a_time_goes_on_with_an_account() {
        let round = Round::new("shopify", "main");
        assert!(round.is_free(at(0)));
        let told = round.tells(vec!["CUP".into()], at(0));
        assert!(!told.is_free(at(LISTINGS_LEASE_S - 1)));
        assert!(
            told.is_free(at(LISTINGS_LEASE_S)),
            "who was at it has ended"
        );
        assert_eq!((told.turn, told.in_doubt.len()), (1, 1));
        let rests = told.rests("CUP");
        assert!(rests.is_free(at(1)) && rests.in_doubt.is_empty());
        assert_eq!((rests.turn, rests.after.as_str()), (2, "CUP"));
        let busy = told.fails("", 7, at(1));
        assert!(!busy.is_free(at(7)) && busy.is_free(at(8)));
        assert_eq!(busy.fails("", 0, at(9)).failing_since, Some(at(1)));
        assert!(busy.is_under_way() && !busy.rests("").is_under_way());
    }
}
