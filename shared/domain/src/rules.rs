//! What a retailer counts when it chooses who sends an order, by channel.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::Currency;
use crate::catalog::Cost;
use crate::is_default;
use crate::limits::{COOL_DOWN_HOURS, MAX_COST_MILLI};

/// What one choice can be better in than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Fewer shipments.
    Shipments,
    /// Less to pay to carriers.
    Cost,
    /// Fewer kilometres, all shipments together.
    Distance,
    /// A lesser sum of the locations' priorities.
    Priority,
}

impl Criterion {
    /// All of them, in the order in which they count if a retailer does not say otherwise.
    pub const ALL: [Self; 4] = [Self::Shipments, Self::Cost, Self::Distance, Self::Priority];
}

/// The name of the rules for all channels that have none of their own.
pub const ANY_CHANNEL: &str = "*";

/// A channel's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The channel, or `*` for all that have no rules of their own.
    pub channel: String,
    /// What counts, the most important first. What is not named counts after that, in the usual order.
    #[serde(default)]
    pub objective: Vec<Criterion>,
    /// The currency in which costs are compared. If it is not given, costs can be compared only where
    /// all locations have tariffs in one currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// What one of each other currency is worth in that, as decimal text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exchange: BTreeMap<String, String>,
    /// What a further shipment is taken to cost, minor units of that currency: an order is split only
    /// as far as its margin pays for it. If it is not given, as far as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment_cost: Option<i64>,
    /// Hours for which a location is not asked for a SKU that it has rejected.
    #[serde(default = "cool_down_hours")]
    pub cool_down_hours: u32,
    /// Units of each SKU that the channel is not told of, so that what it sells between two tellings is there:
    /// they are for the orders that come in meanwhile, its own too. Of goods sold by measure whole ones.
    #[serde(default, skip_serializing_if = "is_default")]
    pub buffer: u32,
}

fn cool_down_hours() -> u32 {
    COOL_DOWN_HOURS
}

static USUAL: LazyLock<Rules> = LazyLock::new(|| Rules {
    channel: ANY_CHANNEL.into(),
    objective: Vec::new(),
    currency: None,
    exchange: BTreeMap::new(),
    shipment_cost: None,
    cool_down_hours: COOL_DOWN_HOURS,
    buffer: 0,
});

impl Rules {
    /// The rules for a channel's orders: its own, else those for any channel, else the usual ones.
    pub fn of<'a>(all: &'a [Self], channel: &str) -> &'a Self {
        let named = |name: &str| all.iter().find(|rules| rules.channel == name);
        named(channel)
            .or_else(|| named(ANY_CHANNEL))
            .unwrap_or(&USUAL)
    }

    /// Everything that counts, the most important first.
    pub fn criteria(&self) -> [Criterion; 4] {
        let mut criteria = self.objective.clone();
        criteria.extend(Criterion::ALL);
        let place = |criterion: &Criterion| criteria.iter().position(|c| c == criterion);
        let mut all = Criterion::ALL;
        all.sort_by_key(place);
        all
    }

    /// An amount in thousandths of a minor unit of `into`, rounded to the next; `None` if it is not
    /// known what one is worth in the other.
    pub fn in_milli(&self, cost: Cost, into: Currency) -> Option<i64> {
        let worth = match cost.currency == into {
            true => Decimal::ONE,
            false if self.currency == Some(into) => rate(self.exchange.get(cost.currency.code())?)?,
            false => return None,
        };
        let scale = |exponent: u32| Decimal::from(10_u64.pow(exponent));
        let major = Decimal::from(cost.amount).checked_div(scale(cost.currency.exponent()))?;
        let minor = major
            .checked_mul(worth)?
            .checked_mul(scale(into.exponent()))?;
        let milli = minor.checked_mul(Decimal::from(1_000))?.round();
        i64::try_from(milli)
            .ok()
            .filter(|milli| milli.unsigned_abs() <= MAX_COST_MILLI)
    }
}

/// Reads what one of a currency is worth: a positive decimal number.
pub fn rate(text: &str) -> Option<Decimal> {
    let rate = Decimal::from_str_exact(text).ok()?;
    (rate > Decimal::ZERO && rate < Decimal::from(1_000_000_000_u64)).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            objective: vec![Criterion::Distance],
            currency: Currency::from_code("EUR"),
            exchange: [("JPY".to_owned(), "0.0061".to_owned())].into(),
            ..USUAL.clone()
        }
    }

    #[test]
    fn what_is_not_named_counts_afterwards() {
        use Criterion::*;
        assert_eq!(USUAL.criteria(), Criterion::ALL);
        let named = [Distance, Shipments, Cost, Priority];
        assert_eq!(rules().criteria(), named);
    }

    #[test]
    fn a_channels_own_rules_come_before_those_of_any() {
        let of = |channel: &str| Rules {
            channel: channel.into(),
            ..USUAL.clone()
        };
        let all = [of("*"), of("shopify")];
        assert_eq!(Rules::of(&all, "shopify").channel, "shopify");
        assert_eq!(Rules::of(&all, "api").channel, "*");
        assert_eq!(Rules::of(&[], "api"), &*USUAL);
    }

    #[test]
    fn amounts_are_compared_in_one_currency_or_not_at_all() {
        let currency = |code| Currency::from_code(code).unwrap();
        let cost = |amount, code| Cost {
            amount,
            currency: currency(code),
        };
        let eur = currency("EUR");
        assert_eq!(rules().in_milli(cost(490, "EUR"), eur), Some(490_000));
        // 800 yen at 0.0061 are 4.88 euro.
        assert_eq!(rules().in_milli(cost(800, "JPY"), eur), Some(488_000));
        assert_eq!(rules().in_milli(cost(490, "USD"), eur), None);
        assert_eq!(rules().in_milli(cost(490, "EUR"), currency("JPY")), None);
        assert_eq!(
            USUAL.in_milli(cost(490, "USD"), currency("USD")),
            Some(490_000)
        );
        for text in ["", "0", "-1", "1e3", "1,5", "1000000000"] {
            assert_eq!(rate(text), None, "{text:?}");
        }
    }
}
