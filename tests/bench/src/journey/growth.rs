//! What an order costs as orders and warehouses become many: it has to stay the same.

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Variant, measure};
use crate::prices::Prices;
use crate::{Arguments, Figures};

/// Orders of one shop, at four warehouses.
const ORDERS: [u32; 4] = [100, 1_000, 10_000, 100_000];
/// Warehouses of one shop, all of which have every article.
const WAREHOUSES: [usize; 5] = [4, 12, 50, 100, 200];
/// Orders of each shop that is measured for its warehouses.
const AT_EACH: u32 = 100;

/// Measures shops of several sizes, each by itself and from its beginning.
pub async fn run(arguments: Arguments) -> Result<Figures> {
    let prices = Prices::read()?;
    let most = arguments.orders.unwrap_or(u32::MAX);
    let by_orders = ORDERS.into_iter().filter(|orders| *orders <= most);
    let by_orders = by_orders.map(|orders| (orders, WAREHOUSES[0]));
    let by_warehouses = WAREHOUSES.map(|warehouses| (AT_EACH, warehouses));
    let mut table = String::from(
        "  orders  warehouses  calls/order  write units  read units  $ per million  CPU ms\n",
    );
    let mut rows: Vec<Value> = Vec::new();
    for (orders, warehouses) in by_orders.chain(by_warehouses) {
        let run = measure(Variant::Batched, Some(orders), warehouses).await?;
        let cost = run.all_functions();
        let dollars = run.bill(&prices).total;
        let cpu_ms = run.cpu_ms_per_order();
        writeln!(
            table,
            "{:>8}  {warehouses:>10}  {:>11.2}  {:>11.2}  {:>10.2}  {dollars:>13.2}  {cpu_ms:>6.1}",
            run.orders, cost.calls, cost.write_units, cost.read_units,
        )?;
        eprint!("growth: {}", table.lines().last().unwrap_or_default());
        eprintln!();
        rows.push(json!({
            "orders": run.orders,
            "warehouses": warehouses,
            "aws_calls_per_order": cost.calls,
            "write_units_per_order": cost.write_units,
            "read_units_per_order": cost.read_units,
            "usd_per_million_orders": dollars,
            "cpu_ms_per_order": cpu_ms,
        }));
    }
    let json = json!({"benchmark": "growth", "rows": rows});
    Ok(Figures { table, json })
}
