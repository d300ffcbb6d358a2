//! Money: whole minor units of an ISO 4217 currency, exact from the text that came in to the
//! last refund.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::limits::MAX_MINOR;

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The currency of a three-letter code in upper case; `None` if ISO 4217 has no such code, or
    /// one without minor units that could be paid (gold, test codes).
    pub fn from_code(code: &str) -> Option<Self> {
        let currency = Self(iso_currency::Currency::from_code(code)?);
        currency.0.exponent().map(|_| currency)
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits behind the decimal point: 0 (JPY), 2 (EUR), 3 (KWD) or 4 (CLF).
    pub fn exponent(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(2))
    }

    /// Reads a decimal text as minor units, exactly. Zeros behind the last minor digit are allowed
    /// (channels write `10.0000`); any other digit there is refused, because rounding what somebody
    /// is charged is not for us to do.
    pub fn parse_minor(self, text: &str) -> Result<i64, String> {
        let expected = || {
            format!(
                "expected a decimal amount in {} with at most {} decimal places, found {text:?}",
                self.code(),
                self.exponent()
            )
        };
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
        if !plain || text.len() > 40 {
            return Err(expected());
        }
        let amount = Decimal::from_str_exact(text)
            .map_err(|_| expected())?
            .normalize();
        if amount.scale() > self.exponent() {
            return Err(expected());
        }
        let scale = Decimal::from(10_u64.pow(self.exponent()));
        let minor = amount
            .checked_mul(scale)
            .and_then(|minor| i64::try_from(minor).ok())
            .ok_or_else(expected)?;
        // `abs` has no answer for the least of all numbers.
        if !(-MAX_MINOR..=MAX_MINOR).contains(&minor) {
            return Err(format!(
                "expected at most {}, found {text}",
                self.format(MAX_MINOR)
            ));
        }
        Ok(minor)
    }

    /// Minor units as decimal text, without the currency: `1234` of EUR is `12.34`.
    pub fn format(self, minor: i64) -> String {
        let exponent = self.exponent() as usize;
        let digits = format!("{:0width$}", minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        let sign = if minor < 0 { "-" } else { "" };
        if exponent == 0 {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }

    /// Minor units as people read them: `12.34 EUR`.
    pub fn display(self, minor: i64) -> String {
        format!("{} {}", self.format(minor), self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "expected an ISO 4217 currency code, found {code:?}"
            ))
        })
    }
}

/// Splits `total` over `weights` by largest remainder: the parts add up to `total` exactly, and
/// none is further than one minor unit from its fair share. Ties go to the first. All weights
/// zero counts as all equal. `total` and the weights are not negative.
pub fn split(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    if weights.is_empty() {
        return Vec::new();
    }
    if sum == 0 {
        return (0..weights.len())
            .map(|k| unit_share(total, weights.len() as i64, k as i64))
            .collect();
    }
    let exact = |w: i64| i128::from(total) * i128::from(w);
    let mut parts: Vec<i64> = weights.iter().map(|w| (exact(*w) / sum) as i64).collect();
    let left = total - parts.iter().sum::<i64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&k| std::cmp::Reverse(exact(weights[k]) % sum));
    for &k in order.iter().take(left.max(0) as usize) {
        parts[k] += 1;
    }
    parts
}

/// What unit `k` (from 0) of `units` equal ones bears of `total`: [`split`] over equal weights,
/// without making the list.
pub fn unit_share(total: i64, units: i64, k: i64) -> i64 {
    total / units + i64::from(k < total % units)
}

/// What units `from..to` of `units` equal ones bear of `total`.
pub fn units_share(total: i64, units: i64, from: i64, to: i64) -> i64 {
    let upto = |k: i64| (total / units) * k + k.min(total % units);
    upto(to) - upto(from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn exponents_are_those_of_iso_4217() {
        let cases = [("JPY", 0, "1200"), ("EUR", 2, "12.00"), ("KWD", 3, "1.200")];
        for (code, exponent, shown) in cases {
            assert_eq!(currency(code).exponent(), exponent, "{code}");
            assert_eq!(currency(code).format(1200), shown);
        }
        assert_eq!(currency("CLF").exponent(), 4);
        assert_eq!(currency("EUR").format(-5), "-0.05");
        assert!(Currency::from_code("XAU").is_none());
        assert!(Currency::from_code("eur").is_none());
    }

    #[test]
    fn amounts_are_read_exactly_or_refused() {
        let eur = currency("EUR");
        assert_eq!(eur.parse_minor("238.47"), Ok(23847));
        assert_eq!(eur.parse_minor("200.0000"), Ok(20000));
        assert_eq!(eur.parse_minor("0"), Ok(0));
        assert_eq!(eur.parse_minor("-3.34"), Ok(-334));
        assert_eq!(currency("JPY").parse_minor("1200.00"), Ok(1200));
        assert_eq!(currency("KWD").parse_minor("1.234"), Ok(1234));
        for bad in [
            "",
            "1e309",
            "10.799999999999999",
            "0.001",
            "NaN",
            "1,00",
            "--1",
            "1.2.3",
            "0.99999999999999999999999999999999",
            "10.00000000000000000000000000000001",
        ] {
            assert!(eur.parse_minor(bad).is_err(), "{bad}");
        }
        let edge = eur.format(MAX_MINOR);
        assert_eq!(eur.parse_minor(&edge), Ok(MAX_MINOR));
        assert!(eur.parse_minor(&eur.format(MAX_MINOR + 1)).is_err());
        assert!(eur.parse_minor("99999999999999999999999999999").is_err());
        let least = eur.format(i64::MIN);
        assert!(eur.parse_minor(&least).is_err(), "{least}");
    }

    proptest! {
        #[test]
        fn what_is_split_adds_up(total in 0..MAX_MINOR, weights in prop::collection::vec(0..MAX_MINOR, 1..60)) {
            let parts = split(total, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            if sum > 0 {
                for (part, weight) in parts.iter().zip(&weights) {
                    let fair = i128::from(total) * i128::from(*weight);
                    prop_assert!((i128::from(*part) * sum - fair).abs() < sum);
                }
            }
        }

        #[test]
        fn units_add_up_in_any_order_of_refunds(total in 0..MAX_MINOR, units in 1..500i64, cut in 0..500i64) {
            let cut = cut.min(units);
            let one_by_one: i64 = (0..units).map(|k| unit_share(total, units, k)).sum();
            prop_assert_eq!(one_by_one, total);
            prop_assert_eq!(units_share(total, units, 0, cut) + units_share(total, units, cut, units), total);
            prop_assert_eq!(units_share(total, units, 0, cut), (0..cut).map(|k| unit_share(total, units, k)).sum::<i64>());
        }

        #[test]
        fn text_goes_round(minor in -MAX_MINOR..MAX_MINOR, code in prop::sample::select(vec!["JPY", "EUR", "KWD", "CLF"])) {
            let currency = currency(code);
            prop_assert_eq!(currency.parse_minor(&currency.format(minor)), Ok(minor));
        }
    }
}
