//! What several runs measured: the least, the middle and the most.

use serde::Serialize;

/// The spread of a figure over several runs.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The middle one, or the mean of the middle two.
    pub median: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// The spread of `values`; all zero if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (values.first(), values.last()) else {
            return Self {
                min: 0.0,
                median: 0.0,
                max: 0.0,
            };
        };
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => (values[middle - 1] + values[middle]) / 2.0,
        };
        Self { min, median, max }.rounded()
    }

    /// Four digits after the point say all there is to say.
    fn rounded(self) -> Self {
        let round = |value: f64| (value * 10_000.0).round() / 10_000.0;
        Self {
            min: round(self.min),
            median: round(self.median),
            max: round(self.max),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { min, median, max } = self;
        write!(formatter, "{median:>9.2}   ({min:.2} to {max:.2})")
    }
}

/// What so many of a hundred values are not above; `sorted` from the least to the most, and not empty.
pub fn percentile(sorted: &[f64], share: usize) -> f64 {
    let place = (sorted.len() * share).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_odd_and_even_counts() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]).median, 2.0);
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).median, 2.5);
        let one = Spread::of([7.0]);
        assert_eq!((one.min, one.median, one.max), (7.0, 7.0, 7.0));
        assert_eq!(Spread::of([]).max, 0.0);
    }

    #[test]
    fn so_many_of_a_hundred_are_not_above() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        let shares = [1, 50, 99, 100].map(|share| percentile(&values, share));
        assert_eq!(shares, [2.0, 100.0, 198.0, 200.0]);
        assert_eq!(percentile(&[7.0], 1), 7.0);
    }
}
