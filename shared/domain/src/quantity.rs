//! How many of something. Inside everything is whole units, so that nothing is ever rounded; of a product
//! that is sold by measure a unit is its smallest step. Outside, in documents and mails, it is an exact
//! decimal number: of a product with one decimal, 55 units are 5.5 (kg, or m).

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use rust_decimal::Decimal;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::MAX_DECIMALS;

/// Digits of a number that survive being taken for a float, as JSON's are. Longer ones come as text.
const SURE_DIGITS: usize = 15;
/// Characters of a quantity as text.
const MAX_CHARS: usize = 40;

/// So much of something: a decimal number of at most [`MAX_DECIMALS`] decimals. Equal quantities are
/// equal however many zeros they were written with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Quantity {
    steps: i64,
    /// As few as it takes.
    decimals: u8,
}

impl Quantity {
    /// Units of a product whose quantities have so many decimals, at most [`MAX_DECIMALS`].
    pub fn new(units: impl Into<i64>, decimals: u8) -> Self {
        let (mut steps, mut decimals) = (units.into(), decimals.min(MAX_DECIMALS));
        while decimals > 0 && steps % 10 == 0 {
            steps /= 10;
            decimals -= 1;
        }
        Self { steps, decimals }
    }

    /// Reads a decimal number: digits, at most one point, at most a minus before them.
    ///
    /// # Errors
    ///
    /// It is none, or has more than [`MAX_DECIMALS`] decimals; what was expected, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = |what: &str| {
            let shown: String = text.chars().take(MAX_CHARS).collect();
            format!("expected {what}, found {shown:?}")
        };
        let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-');
        let number = text.len() <= MAX_CHARS && text.bytes().all(plain);
        let exact = number.then(|| Decimal::from_str_exact(text).ok()).flatten();
        let exact = exact.ok_or_else(|| expected("a decimal number"))?;
        let exact = exact.normalize();
        let decimals = u8::try_from(exact.scale()).unwrap_or(u8::MAX);
        if decimals > MAX_DECIMALS {
            return Err(expected(&format!("at most {MAX_DECIMALS} decimals")));
        }
        let steps = i64::try_from(exact.mantissa());
        let steps = steps.map_err(|_| expected("a smaller number"))?;
        Ok(Self { steps, decimals })
    }

    /// How many decimals it takes to write it.
    pub fn decimals(self) -> u8 {
        self.decimals
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.steps == 0
    }

    /// Whole units of a product whose quantities have so many decimals.
    ///
    /// # Errors
    ///
    /// It has more decimals than the product; what was expected, in words.
    pub fn units(self, decimals: u8) -> Result<i64, String> {
        let decimals = decimals.min(MAX_DECIMALS);
        let more = decimals.checked_sub(self.decimals);
        let units = more.and_then(|more| self.steps.checked_mul(ten_to(more)));
        units.ok_or_else(|| match decimals {
            0 => format!("expected a whole number, found {self}"),
            1 => format!("expected at most one decimal, found {self}"),
            more => format!("expected at most {more} decimals, found {self}"),
        })
    }

    /// The same, of what has to be from `least` to `most` units.
    ///
    /// # Errors
    ///
    /// As [`units`](Self::units); or there are fewer, or more of them.
    pub fn units_within(self, decimals: u8, least: i64, most: i64) -> Result<i64, String> {
        let units = self.units(decimals)?;
        match (least..=most).contains(&units) {
            true => Ok(units),
            false => {
                let (least, most) = (Self::new(least, decimals), Self::new(most, decimals));
                Err(format!("expected {least} to {most}, found {self}"))
            }
        }
    }

    /// The same, where a count is needed that is never negative.
    ///
    /// # Errors
    ///
    /// As [`units_within`](Self::units_within).
    pub fn count(self, decimals: u8, least: u32, most: u32) -> Result<u32, String> {
        let units = self.units_within(decimals, least.into(), most.into())?;
        u32::try_from(units).map_err(|error| error.to_string())
    }

    /// What so much costs at a price for a whole one, in minor units; half a minor unit and more counts as
    /// one. The one place in which a price and a quantity are multiplied.
    pub fn cost_at(self, price: i64) -> i64 {
        let (exact, step) = (
            i128::from(price) * i128::from(self.steps),
            i128::from(ten_to(self.decimals)),
        );
        let rounded = (exact + step / 2).div_euclid(step);
        i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
    }

    /// The price of a whole one, rounded up, and the discount that makes so much cost `goods`, in minor units.
    /// Of nothing there is no price: `goods` itself.
    pub fn price_of(self, goods: i64) -> (i64, i64) {
        if self.steps < 1 {
            return (goods, 0);
        }
        let (exact, steps) = (
            i128::from(goods) * i128::from(ten_to(self.decimals)),
            i128::from(self.steps),
        );
        let price = exact.div_euclid(steps) + i128::from(exact.rem_euclid(steps) > 0);
        let price = i64::try_from(price).unwrap_or(i64::MAX);
        (price, self.cost_at(price).saturating_sub(goods))
    }
}

/// How many units of so many decimals a whole one is.
pub(crate) fn ten_to(decimals: u8) -> i64 {
    10_i64.pow(u32::from(decimals.min(MAX_DECIMALS)))
}

impl From<i64> for Quantity {
    fn from(whole: i64) -> Self {
        Self::new(whole, 0)
    }
}

/// The nearest float: to be drawn, or written.
impl From<Quantity> for f64 {
    fn from(quantity: Quantity) -> Self {
        quantity.steps as f64 / ten_to(quantity.decimals) as f64
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let decimals = self.decimals.max(other.decimals);
        let steps = |q: Self| q.steps.saturating_mul(ten_to(decimals - q.decimals));
        Self::new(steps(self).saturating_add(steps(other)), decimals)
    }
}

impl Quantity {
    /// What is left of it without the other; nothing, if that is more.
    pub fn without(self, other: Self) -> Self {
        let less = Self {
            steps: other.steps.saturating_neg(),
            ..other
        };
        (self + less).max(Self::default())
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let steps = |q: &Self| i128::from(q.steps) * i128::from(ten_to(MAX_DECIMALS - q.decimals));
        steps(self).cmp(&steps(other))
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As people write it: `5.5`, and `5` if nothing is behind the point.
impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal::new(self.steps, u32::from(self.decimals)).fmt(formatter)
    }
}

/// A number. Few enough digits are given that every reader of JSON finds the same.
impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.decimals {
            0 => serializer.serialize_i64(self.steps),
            // The nearest float is written with the shortest text that names it: the decimals themselves.
            _ => serializer.serialize_f64((*self).into()),
        }
    }
}

/// Exactly: from a number of at most 15 digits, or from text.
impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    fn visit_i64<E: Error>(self, whole: i64) -> Result<Quantity, E> {
        Ok(whole.into())
    }

    fn visit_u64<E: Error>(self, whole: u64) -> Result<Quantity, E> {
        self.visit_str(&whole.to_string())
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<Quantity, E> {
        // The shortest text of a float is what was written, if that was short enough.
        let text = format!("{float}");
        match text.bytes().filter(u8::is_ascii_digit).count() <= SURE_DIGITS {
            true => self.visit_str(&text),
            false => Err(E::custom(format!(
                "expected at most {SURE_DIGITS} digits in a number, found {text}: send it as text"
            ))),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Quantity, E> {
        Quantity::parse(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<Quantity, serde_json::Error> {
        serde_json::from_str(json)
    }

    fn units(json: &str, decimals: u8) -> Result<i64, String> {
        let quantity = read(json).map_err(|error| error.to_string())?;
        quantity.units(decimals)
    }

    #[test]
    fn what_is_given_is_read_exactly() {
        assert_eq!(units("5.5", 1), Ok(55));
        assert_eq!(units("\"5.500\"", 1), Ok(55));
        assert_eq!(units("0.1", 3), Ok(100));
        assert_eq!(units("-2", 3), Ok(-2000));
        assert_eq!(units("3", 0), Ok(3));
        assert_eq!(units("3.0", 0), Ok(3));
        assert_eq!(units("1e2", 0), Ok(100));
        for step in 0..1000 {
            let text = format!("99999.{step:03}");
            assert_eq!(units(&text, 3), Ok(99_999_000 + step));
        }
    }

    #[test]
    fn what_is_left_is_never_less_than_nothing() {
        let without = |all: &str, other: &str| {
            let [all, other] = [all, other].map(|text| Quantity::parse(text).unwrap());
            all.without(other).to_string()
        };
        assert_eq!(without("3", "1"), "2");
        assert_eq!(without("2.5", "0.25"), "2.25");
        assert_eq!(without("1", "1.000"), "0");
        assert_eq!(without("1", "2"), "0");
    }

    #[test]
    fn what_the_product_cannot_have_is_refused() {
        let refused = |json, decimals| units(json, decimals).unwrap_err();
        assert_eq!(refused("5.5", 0), "expected a whole number, found 5.5");
        assert_eq!(
            refused("5.55", 1),
            "expected at most one decimal, found 5.55"
        );
        assert_eq!(
            refused("5.555", 2),
            "expected at most 2 decimals, found 5.555"
        );
        assert!(refused("5.5555", 3).starts_with("expected at most 3 decimals, found \"5.5555\""));
        let huge = "expected a smaller number, found \"18446744073709551615\"";
        assert!(refused("18446744073709551615", 0).starts_with(huge));
        let many = "expected at most 15 digits in a number, found 1.234567890123456";
        assert!(refused("1.234567890123456", 3).starts_with(many));
        let most = i64::MAX.to_string();
        assert!(refused(&most, 3).starts_with("expected at most 3 decimals"));
        for no_number in [
            "\"five\"",
            "\"\"",
            "1e309",
            "true",
            "null",
            "\"1e3\"",
            "[1]",
            "\"1_000\"",
            "\"+1\"",
            "\"1.\u{0}\"",
            "\"-\"",
            "\".\"",
            "1e-9",
            "\"1 \"",
        ] {
            assert!(read(no_number).is_err(), "{no_number}");
        }
    }

    #[test]
    fn what_is_too_little_or_too_much_is_told_in_the_products_own_measure() {
        let within = |text: &str| Quantity::parse(text).unwrap().units_within(1, 1, 1000);
        assert_eq!(within("0.1"), Ok(1));
        assert_eq!(within("100"), Ok(1000));
        let refused = |found| Err(format!("expected 0.1 to 100, found {found}"));
        assert_eq!(within("0"), refused("0"));
        assert_eq!(within("-0.1"), refused("-0.1"));
        assert_eq!(within("100.1"), refused("100.1"));
    }

    #[test]
    fn the_published_sum_of_what_two_sources_have_adds_up() {
        let of = |text| Quantity::parse(text).unwrap();
        assert_eq!(of("5.5") + of("1.5"), 7.into());
        assert!(of("5.5") + of("3") < 15.into());
        assert_eq!(
            [of("0.001"), of("2"), of("0.1")]
                .into_iter()
                .sum::<Quantity>(),
            of("2.101")
        );
    }

    #[test]
    fn half_a_minor_unit_counts_as_one() {
        let cost = |text: &str, price| Quantity::parse(text).unwrap().cost_at(price);
        assert_eq!(cost("3", 1999), 5997);
        assert_eq!(cost("5.5", 199), 1095, "1094.5");
        assert_eq!(cost("0.001", 499), 0);
        assert_eq!(cost("0.001", 500), 1);
        assert_eq!(cost("1.25", 3), 4, "3.75");
        assert_eq!(cost("0", 3), 0);
        assert_eq!(cost("100000", i64::MAX), i64::MAX);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(units in -999_999_999_999_i64..999_999_999_999, decimals in 0..=MAX_DECIMALS) {
            let quantity = Quantity::new(units, decimals);
            let json = serde_json::to_string(&quantity).unwrap();
            prop_assert_eq!(&json, &quantity.to_string());
            prop_assert_eq!(read(&json).unwrap(), quantity);
            prop_assert_eq!(read(&json).unwrap().units(decimals), Ok(units));
            prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
        }

        #[test]
        fn a_price_and_its_rounding_give_back_what_the_goods_cost(
            goods in 0_i64..1_000_000_000_000, units in 1_i64..100_000, decimals in 0..=MAX_DECIMALS,
        ) {
            let quantity = Quantity::new(units, decimals);
            let (price, rounding) = quantity.price_of(goods);
            prop_assert!(rounding >= 0);
            prop_assert_eq!(quantity.cost_at(price) - rounding, goods);
        }
    }
}
