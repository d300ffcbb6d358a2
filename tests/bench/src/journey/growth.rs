//! What an order costs as orders and warehouses become many: it has to stay the same.
//!
//! A million orders take hours to run, so that most of those that a shop has had before it is measured are copies: 200 are really
//! run, everything that they have left is written again under other ids until there are as many ([`copies`](super::copies)), and then
//! 200 real orders run on top, and only they are measured. That it comes to the same is shown by a shop whose orders before
//! were all really run. All are on file, and every ledger is held against its level afterwards.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use super::measured::Measured;
use super::shop::{Setting, Shop};
use super::{Variant, WAVE, directory, forget, measure, metered, waves};
use crate::prices::Prices;
use crate::{Arguments, Figures};

/// Orders that a shop with four warehouses has had before those that are measured, and how many of these were really run.
const ORDERS: [(usize, usize); 6] = [
    (100, 100),
    (1_000, ORIGINALS),
    (10_000, ORIGINALS),
    (10_000, 10_000),
    (100_000, ORIGINALS),
    (1_000_000, ORIGINALS),
];
/// Orders that are copied.
const ORIGINALS: usize = 4 * WAVE;
/// Orders that are measured.
const MEASURED: usize = 4 * WAVE;
/// Warehouses of one shop, all of which have every article.
const WAREHOUSES: [usize; 5] = [4, 12, 50, 100, 200];
/// Orders of each shop that is measured for its warehouses.
const AT_EACH: u32 = 100;

/// Measures shops of several sizes, each by itself and from its beginning.
pub async fn run(arguments: Arguments) -> Result<Figures> {
    let most = arguments.orders.map_or(usize::MAX, |most| most as usize);
    let mut rows = Rows::new()?;
    for (before, run) in ORDERS.into_iter().filter(|(before, _)| *before <= most) {
        let measured = after(before, run, MEASURED).await?;
        let how = if run < before { "copied" } else { "run" };
        rows.add(before, how, WAREHOUSES[0], &measured)?;
    }
    for warehouses in WAREHOUSES {
        let run = measure(Variant::Batched, Some(AT_EACH), warehouses).await?;
        rows.add(WAVE, "run", warehouses, &run)?;
    }
    let json = json!({"benchmark": "growth", "rows": rows.rows});
    let table = rows.table;
    Ok(Figures { table, json })
}

/// Measures orders of a shop that has had so many before, of which so many were really run; in waves, all three.
pub async fn after(before: usize, run: usize, orders: usize) -> Result<Measured> {
    let setting = Setting {
        data: Some(directory()),
        ..Variant::Batched.setting()
    };
    let shop = Shop::open(setting.clone()).await?;
    let mut ids = waves(&shop, run, WAVE).await?;
    shop.cloud().stop().await;
    let times = (before / run - 1) as u64;
    ids.extend(shop.copy_orders(times).await?);
    drop(shop);
    // Schedules begin anew: none of them comes while orders are measured.
    let shop = Shop::open(Setting {
        sold: run as u64,
        ..setting.clone()
    })
    .await?;
    ids.extend(waves(&shop, WAVE, WAVE).await?);
    let measured = metered(Variant::Batched, &shop, orders, ids).await?;
    shop.reconcile().await?;
    shop.cloud().stop().await;
    drop(shop);
    forget(setting.data)?;
    Ok(measured)
}

/// What was measured, for people and for programs.
struct Rows {
    prices: Prices,
    table: String,
    rows: Vec<Value>,
}

impl Rows {
    fn new() -> Result<Self> {
        Ok(Self {
            prices: Prices::read()?,
            table: String::from(
                "orders before          warehouses  calls/order  write units  read units  $ per million  CPU ms\n",
            ),
            rows: Vec::new(),
        })
    }

    fn add(&mut self, before: usize, how: &str, warehouses: usize, run: &Measured) -> Result<()> {
        let cost = run.all_functions();
        let dollars = run.bill(&self.prices).total;
        let cpu_ms = run.cpu_ms_per_order();
        writeln!(
            self.table,
            "{before:>13} {how:<7} {warehouses:>11}  {:>11.2}  {:>11.2}  {:>10.2}  {dollars:>13.2}  {cpu_ms:>6.1}",
            cost.calls, cost.write_units, cost.read_units,
        )?;
        eprintln!("growth: {}", self.table.lines().last().unwrap_or_default());
        self.rows.push(json!({
            "orders_before": before,
            "before": how,
            "orders": run.orders,
            "warehouses": warehouses,
            "aws_calls_per_order": cost.calls,
            "write_units_per_order": cost.write_units,
            "read_units_per_order": cost.read_units,
            "usd_per_million_orders": dollars,
            "cpu_ms_per_order": cpu_ms,
        }));
        Ok(())
    }
}
