//! What the simulator knows by itself of goods that are sold by measure: it shares no code with the steps.

use domain::Quantity;

/// Decimals that everything is compared in.
const FINEST: u8 = 3;

/// Units as a document writes them: of one decimal, 3 are `0.3` and 10 are `1.0`.
pub fn shown(units: i64, decimals: u8) -> String {
    let (step, digits) = (ten_to(decimals), usize::from(decimals));
    let (sign, units) = (if units < 0 { "-" } else { "" }, units.abs());
    match digits {
        0 => format!("{sign}{units}"),
        digits => format!("{sign}{}.{:0digits$}", units / step, units % step),
    }
}

/// What units cost at a price for a whole one: half a minor unit counts as one.
pub fn cost(price: i64, units: i64, decimals: u8) -> i64 {
    let step = ten_to(decimals);
    (2 * price * units + step) / (2 * step)
}

/// Units of so many decimals in thousandths.
pub fn thousandths(units: i64, decimals: u8) -> i64 {
    units * ten_to(FINEST.saturating_sub(decimals))
}

/// A quantity that is stored in thousandths; less than nothing, if it has smaller parts.
pub fn thousandths_of(quantity: Quantity) -> i64 {
    quantity.units(FINEST).unwrap_or(-1)
}

fn ten_to(decimals: u8) -> i64 {
    (0..decimals).fold(1, |step, _| step * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_written_and_priced_by_their_decimals() {
        let written = [(3, 1), (10, 1), (-25, 2), (7, 0), (1_005, 3)].map(|(n, d)| shown(n, d));
        assert_eq!(written, ["0.3", "1.0", "-0.25", "7", "1.005"]);
        assert_eq!(
            [
                cost(1299, 1, 1),
                cost(5, 1, 1),
                cost(4, 1, 1),
                cost(3, 2, 0)
            ],
            [130, 1, 0, 6]
        );
        assert_eq!([thousandths(5, 1), thousandths(5, 0)], [500, 5000]);
    }
}
