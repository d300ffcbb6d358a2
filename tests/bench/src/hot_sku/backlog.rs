//! A backlog of a million orders, and how long it takes under Lambda's own rules of scaling.
//!
//! How long a batch takes is measured on the real step, under the database's limits; how many run at a time is
//! a model of what Lambda's documentation says of standard queues.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::database::Latency;
use super::{Sale, hold, simulated};
use crate::{Arguments, Figures};

/// Orders of the backlog.
const BACKLOG: u64 = 1_000_000;
/// Orders that are really allocated, to measure how long batches take, and the articles that they are for.
const MEASURED: (u32, u32) = (20_000, 1_000);
const BATCH: u64 = 100;
/// Invocations that run at a time: at first, more each minute, and at most. Of the last, as many as there may be
/// messages in flight (120,000).
const SCALING: (u64, u64, u64) = (5, 300, 1_200);
/// Invocations at a time that the template allows, where nothing else is said.
const TEMPLATE: u64 = 10;
const BETWEEN_US: u64 = 2_000;

/// Microseconds until the backlog is gone, and the most invocations at a time.
fn drain(batches: &[u64], most: u64) -> (u64, u64) {
    let (first, per_minute, top) = SCALING;
    let allowed = |at_us: u64| (first + per_minute * at_us / 60_000_000).min(most).min(top);
    let mut left = BACKLOG.div_ceil(BATCH);
    let mut running: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    let (mut now, mut begun, mut peak) = (0, 0, 0);
    while left > 0 || !running.is_empty() {
        while left > 0 && (running.len() as u64) < allowed(now) {
            let took = batches[begun % batches.len()] + BETWEEN_US;
            running.push(Reverse(now + took));
            (left, begun) = (left - 1, begun + 1);
        }
        peak = peak.max(running.len() as u64);
        if let Some(Reverse(done)) = running.pop() {
            now = done;
        }
    }
    (now, peak)
}

/// Runs the benchmark.
pub async fn run(_: Arguments) -> Result<Figures> {
    tokio::task::spawn_blocking(measure).await?
}

fn measure() -> Result<Figures> {
    let mut rows = Vec::new();
    let mut table = String::new();
    // A message is parked only after it was handed out several times.
    let mut again = 0;
    for write_ms in [4, 10] {
        let sold = simulated(hold(Sale {
            units: MEASURED.0,
            skus: MEASURED.1,
            buyers: MEASURED.0,
            batch: BATCH as usize,
            copies: TEMPLATE as usize,
            shares: 1,
            latency: Latency::of_write(Duration::from_millis(write_ms)),
            everywhere: true,
        }))?;
        ensure!(
            sold.again == 0,
            "{} messages were handed out again",
            sold.again
        );
        ensure!(
            sold.orders == MEASURED.0,
            "{} orders have their goods",
            sold.orders
        );
        again += sold.again;
        let batches: Vec<u64> = sold.batches.iter().map(|s| (s * 1e6) as u64).collect();
        let mean_ms = sold.batches.iter().sum::<f64>() * 1e3 / sold.batches.len() as f64;
        for most in [u64::MAX, TEMPLATE] {
            let (took_us, peak) = drain(&batches, most);
            let minutes = took_us as f64 / 60e6;
            let rate = BACKLOG as f64 / (took_us as f64 / 1e6);
            writeln!(
                table,
                "{BACKLOG} orders, writes of {write_ms} ms, batches of {BATCH} in {mean_ms:.1} ms: {minutes:.2} minutes \
                 ({rate:.0} orders a second), {peak} invocations at a time at most"
            )?;
            rows.push(json!({
                "write_ms": write_ms,
                "batch_ms": mean_ms,
                "minutes": minutes,
                "orders_per_second": rate,
                "most_invocations": peak,
                "limited_to": (most < u64::MAX).then_some(most),
                "handed_out_again": sold.again,
            }));
        }
    }
    let json = json!({"benchmark": "backlog", "orders": BACKLOG, "minutes": rows[0]["minutes"], "parked": again, "rows": rows});
    Ok(Figures { table, json })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocations_scale_as_lambda_says() {
        // Ten thousand batches of a second each, 5 at a time and each second 5 more: 5 t + 2.5 t² of them in t seconds.
        let (took_us, peak) = drain(&[1_000_000 - BETWEEN_US], u64::MAX);
        let seconds = took_us as f64 / 1e6;
        assert!((60.0..64.0).contains(&seconds), "{seconds}");
        assert!((300..325).contains(&peak), "{peak}");
        // With five of them it is as long as it is wide.
        assert_eq!(drain(&[1_000_000 - BETWEEN_US], 5), (2_000_000_000, 5));
    }
}
