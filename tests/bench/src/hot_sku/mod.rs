//! A flash sale of one article: how fast the real step sells it under the database's own limits, and whether it
//! sells exactly what is there.
//!
//! The step is the function's own handler on AWS's own client, with the embedded database behind it. Time is
//! simulated: only calls take any. What is modelled is in [`database`]; not modelled are what Lambda and SQS
//! take between two batches (2 ms each time), cold starts, and limits of indexes.

pub mod backlog;
mod database;
mod sale;

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{Arguments, Figures};
use database::{Cause, Latency};
use sale::{Sale, Sold, hold};

/// Milliseconds that a write takes, where nothing else is said.
const WRITE_MS: u64 = 4;
/// Write units that a partition gives each second.
const UNITS_PER_SECOND: f64 = 1_000.0;
/// Buyers, if not told how many; five of six get a unit.
const BUYERS: u32 = 120_000;
/// Buyers of the variants that are there to compare with: they are slow, or many.
const FEWER: u32 = 12;

/// A way to sell.
struct Variant {
    name: &'static str,
    shares: u8,
    /// Messages of a batch.
    batch: usize,
    /// Copies of the step: as many as it takes for the most orders a second.
    copies: usize,
    write_ms: u64,
    everywhere: bool,
    /// Divides the buyers.
    fewer: u32,
}

const ONE: Variant = Variant {
    name: "one_share_batches_of_10",
    shares: 1,
    batch: 10,
    copies: 26,
    write_ms: WRITE_MS,
    everywhere: false,
    fewer: 1,
};
const MANY: Variant = Variant {
    name: "16_shares_batches_of_10",
    shares: 16,
    copies: 64,
    ..ONE
};
const VARIANTS: [Variant; 11] = [
    ONE,
    MANY,
    Variant {
        name: "one_share_one_order_a_transaction",
        batch: 1,
        fewer: FEWER,
        ..ONE
    },
    Variant {
        name: "one_share_batches_of_100",
        batch: 100,
        copies: 4,
        fewer: 2,
        ..ONE
    },
    Variant {
        name: "16_shares_batches_of_100",
        batch: 100,
        copies: 32,
        fewer: 4,
        ..MANY
    },
    Variant {
        name: "one_share_batches_of_10_buyers_everywhere",
        everywhere: true,
        fewer: FEWER,
        ..ONE
    },
    Variant {
        name: "one_share_batches_of_100_buyers_everywhere",
        batch: 100,
        copies: 4,
        everywhere: true,
        fewer: FEWER,
        ..ONE
    },
    Variant {
        name: "one_share_batches_of_10_writes_of_2_ms",
        write_ms: 2,
        fewer: FEWER,
        ..ONE
    },
    Variant {
        name: "one_share_batches_of_10_writes_of_10_ms",
        write_ms: 10,
        fewer: FEWER,
        ..ONE
    },
    Variant {
        name: "one_share_batches_of_100_writes_of_2_ms",
        batch: 100,
        copies: 4,
        write_ms: 2,
        fewer: FEWER,
        ..ONE
    },
    Variant {
        name: "one_share_batches_of_100_writes_of_10_ms",
        batch: 100,
        copies: 4,
        write_ms: 10,
        fewer: FEWER,
        ..ONE
    },
];

/// Runs something on simulated time: time passes when everybody waits for it.
fn simulated<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build()?;
    runtime.block_on(future)
}

impl Variant {
    fn hold(&self, buyers: u32) -> Result<Sold> {
        let sold = simulated(hold(Sale {
            units: buyers / 6 * 5,
            buyers,
            skus: 1,
            batch: self.batch,
            copies: self.copies,
            shares: self.shares,
            latency: Latency::of_write(Duration::from_millis(self.write_ms)),
            everywhere: self.everywhere,
        }))?;
        let (over, under) = (sold.oversold, sold.undersold);
        ensure!(
            over == 0 && under == 0,
            "{}: {over} oversold, {under} undersold",
            self.name
        );
        ensure!(
            sold.orders + sold.waiting == buyers,
            "{}: {sold:?}",
            self.name
        );
        Ok(sold)
    }

    /// Orders a second that the stock's partitions have units for, as this variant uses them.
    fn ceiling(&self, sold: &Sold) -> f64 {
        let units_per_order = sold.met.stock_units / f64::from(sold.orders);
        f64::from(self.shares) * UNITS_PER_SECOND / units_per_order
    }

    fn figures(&self, sold: &Sold) -> Value {
        let per_order = |count: f64| count / f64::from(sold.orders);
        let met = &sold.met;
        let batches = f64::from(sold.orders) / self.batch as f64;
        let mut waits = json!({});
        for (cause, name) in Cause::ALL {
            waits[name] = json!(met.waited_s[cause as usize] * 1_000.0 / batches);
        }
        // What is left of the time of all copies: between two batches, and pauses.
        let rest = sold.seconds * self.copies as f64 - met.waited_s.iter().sum::<f64>();
        waits["pauses"] = json!(rest * 1_000.0 / batches);
        let ceiling = self.ceiling(sold);
        json!({
            "shares": self.shares,
            "batch": self.batch,
            "copies": self.copies,
            "write_ms": self.write_ms,
            "orders": sold.orders,
            "orders_per_second": sold.orders_per_second(),
            "ceiling": ceiling,
            "of_ceiling": sold.orders_per_second() / ceiling,
            "calls_per_order": per_order(met.calls as f64),
            "transactions_per_order": per_order(met.transactions as f64),
            "stock_units_per_transaction": met.stock_units / met.transactions as f64,
            "write_units_per_order": per_order(met.write_units),
            "read_units_per_order": per_order(met.read_units),
            "conflicts_per_order": per_order(met.conflicts as f64),
            "throttled_per_order": per_order(met.throttled as f64),
            "refused_per_order": per_order(met.refused as f64),
            "handed_out_again": sold.again,
            "ms_of_a_copy_per_full_batch": waits,
            "seconds_to_sell": sold.seconds,
            "seconds_to_answer_all": sold.answered_s,
            "cpu_ms_per_order": sold.cpu_s * 1_000.0 / f64::from(sold.orders + sold.waiting),
            "oversold": sold.oversold,
            "undersold": sold.undersold,
        })
    }
}

/// Runs the benchmark.
pub async fn run(arguments: Arguments) -> Result<Figures> {
    // A runtime of its own, since its clock stands still.
    tokio::task::spawn_blocking(move || measure(&arguments)).await?
}

fn measure(arguments: &Arguments) -> Result<Figures> {
    let buyers = arguments.orders.unwrap_or(BUYERS);
    let mut table = String::from(
        "  orders/s  of ceiling  calls  transactions  W on stock/tx  W/order  R/order  conflicts  throttled  CPU ms\n",
    );
    let mut json = json!({"benchmark": "hot-sku", "buyers": buyers, "variants": {}});
    let (mut oversold, mut undersold) = (0, 0);
    for variant in &VARIANTS {
        let sold = variant.hold((buyers / variant.fewer).max(60))?;
        (oversold, undersold) = (oversold + sold.oversold, undersold + sold.undersold);
        let figures = variant.figures(&sold);
        let number = |name: &str| figures[name].as_f64().unwrap_or_default();
        writeln!(
            table,
            "{:>10.0}  {:>9.0}%  {:>5.2}  {:>12.3}  {:>13.2}  {:>7.2}  {:>7.2}  {:>9.3}  {:>9.3}  {:>6.2}  {} x{}",
            number("orders_per_second"),
            number("of_ceiling") * 100.0,
            number("calls_per_order"),
            number("transactions_per_order"),
            number("stock_units_per_transaction"),
            number("write_units_per_order"),
            number("read_units_per_order"),
            number("conflicts_per_order"),
            number("throttled_per_order"),
            number("cpu_ms_per_order"),
            variant.name,
            variant.copies,
        )?;
        eprint!("hot-sku: {}", table.lines().last().unwrap_or_default());
        eprintln!();
        json["variants"][variant.name] = figures;
    }
    let of = |variant: &Variant, figure: &str| json["variants"][variant.name][figure].clone();
    let stay = [
        ("orders_per_second_one_share", of(&ONE, "orders_per_second")),
        (
            "orders_per_second_16_shares",
            of(&MANY, "orders_per_second"),
        ),
        ("transactions_per_order", of(&ONE, "transactions_per_order")),
        ("oversold", json!(oversold)),
        ("undersold", json!(undersold)),
    ];
    for (name, value) in stay {
        json[name] = value;
    }
    Ok(Figures { table, json })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sale that a test has time for: nothing is sold twice, nothing is left, and it is not slow. Of 16 shares in three
    /// warehouses each has 20 units: it is nothing but the end of a sale, when everybody looks everywhere.
    #[test]
    fn a_small_sale_sells_what_there_is() {
        for (variant, floor) in [(&ONE, 1_000.0), (&VARIANTS[3], 3_000.0), (&MANY, 1_000.0)] {
            let sold = variant.hold(1_200).unwrap();
            assert_eq!(
                (sold.orders, sold.waiting),
                (1_000, 200),
                "{}",
                variant.name
            );
            let rate = sold.orders_per_second();
            assert!(rate > floor, "{}: {rate} orders a second", variant.name);
            let per_order = sold.met.transactions as f64 / 1_000.0;
            assert!(
                per_order < 0.2,
                "{}: {per_order} transactions",
                variant.name
            );
        }
    }
}
