//! The figures of the journey, for people and for programs.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};

use super::measured::Measured;
use super::trace::Call;
use crate::Figures;
use crate::prices::Prices;
use crate::spread::Spread;

/// Bytes that the hot order item may have: what one write unit pays for.
const MOST_ORDER_BYTES: usize = 1024;

/// What a step of an order's people set off.
pub struct Step {
    name: &'static str,
    calls: Vec<Call>,
}

impl Step {
    /// The step and the AWS calls that followed from it.
    pub fn new(name: &'static str, calls: Vec<Call>) -> Self {
        Self { name, calls }
    }
}

/// Orders whose calls were recorded one by one.
pub struct Trace {
    orders: Vec<Vec<Step>>,
}

impl Trace {
    /// The records, if they are as many calls as were counted.
    pub fn new(orders: Vec<Vec<Step>>, counted: u64) -> Result<Self> {
        let recorded: usize = orders.iter().flatten().map(|step| step.calls.len()).sum();
        ensure!(
            recorded as u64 == counted,
            "{recorded} calls were recorded and {counted} counted"
        );
        Ok(Self { orders })
    }

    fn calls(&self) -> impl Iterator<Item = &Call> {
        self.orders.iter().flatten().flat_map(|step| &step.calls)
    }

    /// The size of the hot order item at its largest.
    fn most_order_bytes(&self) -> usize {
        self.calls().map(|call| call.order_bytes).max().unwrap_or(0)
    }

    /// Calls per order, mail itself apart: the least, the middle, the most.
    fn calls_per_order(&self) -> Spread {
        let count = |order: &Vec<Step>| {
            let calls = order.iter().flat_map(|step| &step.calls);
            calls
                .filter(|call| call.operation != "ses.SendEmail")
                .count() as f64
        };
        Spread::of(self.orders.iter().map(count))
    }

    /// The order in the middle, call by call.
    fn print(&self, table: &mut String) -> std::fmt::Result {
        let mut orders: Vec<&Vec<Step>> = self.orders.iter().collect();
        orders.sort_by_key(|order| order.iter().map(|step| step.calls.len()).sum::<usize>());
        let Some(order) = orders.get(orders.len() / 2) else {
            return Ok(());
        };
        writeln!(table, "\nAWS calls of one order alone, as they came")?;
        let mut n = 0;
        for step in *order {
            writeln!(table, "  {}", step.name)?;
            for call in &step.calls {
                n += usize::from(call.operation != "ses.SendEmail");
                let (caller, operation, about) = (call.caller, &call.operation, &call.about);
                write!(table, "  {n:>3}  {caller:<20} {operation:<28}")?;
                match &call.error {
                    Some(error) => writeln!(table, "   ?    {about}   FAILED: {error}")?,
                    None => writeln!(table, " {:>5.1}  {about}", call.units)?,
                }
            }
        }
        Ok(())
    }
}

/// A figure of a run.
type Figure = fn(&Measured, &Prices) -> f64;

/// The figures, by their names in the JSON.
const FIGURES: [(&str, Figure); 9] = [
    ("orders_per_second", |run, _| run.orders_per_second()),
    ("cpu_ms_per_order", |run, _| run.cpu_ms_per_order()),
    ("aws_calls_per_order", |run, _| run.all_functions().calls),
    ("aws_calls_per_order_without_mail_steps", |run, _| {
        run.without_mail_steps().calls
    }),
    ("event_source_calls_per_order", |run, _| {
        run.event_source().calls
    }),
    ("write_units_per_order", |run, _| {
        run.all_functions().write_units
    }),
    ("write_units_per_order_without_mail_steps", |run, _| {
        run.without_mail_steps().write_units
    }),
    ("read_units_per_order", |run, _| {
        run.all_functions().read_units
    }),
    ("usd_per_million_orders", |run, prices| {
        run.bill(prices).total
    }),
];

/// What all runs of all variants measured.
pub fn figures(variants: &[(&'static str, Vec<Measured>)], trace: &Trace) -> Result<Figures> {
    let prices = Prices::read()?;
    let mut json = json!({
        "benchmark": "journey",
        "cores": std::thread::available_parallelism()?.get(),
        "order_item_bytes": trace.most_order_bytes(),
        "traced_calls_per_order": trace.calls_per_order(),
        "prices": prices,
    });
    let mut table = String::new();
    for (name, runs) in variants {
        let last = runs.last().context("no runs")?;
        let (details, text) = variant(name, runs, last, &prices)?;
        table.push_str(&text);
        // The variants that are told in the fields that stay.
        let suffix = match *name {
            "alone" => Some(""),
            "batched" => Some("_batched"),
            _ => None,
        };
        if let Some(suffix) = suffix {
            for (figure, _) in FIGURES {
                json[format!("{figure}{suffix}")] = details[figure]["median"].clone();
            }
        }
        json["variants"][*name] = details;
    }
    trace.print(&mut table)?;
    let most = trace.most_order_bytes();
    writeln!(table, "\nThe order's item at its largest: {most} bytes")?;
    ensure!(
        most < MOST_ORDER_BYTES,
        "{table}\nan order's item has {most} bytes: it has to stay below {MOST_ORDER_BYTES}"
    );
    Ok(Figures { table, json })
}

fn variant(
    name: &str,
    runs: &[Measured],
    last: &Measured,
    prices: &Prices,
) -> Result<(Value, String)> {
    let mut table = String::new();
    writeln!(
        table,
        "\n== {name}: {} orders, {} runs",
        last.orders,
        runs.len()
    )?;
    let mut details = json!({"orders": last.orders});
    for (figure, of) in FIGURES {
        let spread = Spread::of(runs.iter().map(|run| of(run, prices)));
        writeln!(table, "  {figure:<42} {spread}")?;
        details[figure] = json!(spread);
    }
    let bill = last.bill(prices);
    writeln!(
        table,
        "  dollars per million: {:.2} writes, {:.2} reads, {:.2} SQS, {:.2} + {:.2} + {:.2} Lambda (requests, \
         computing, waiting), {:.2} HTTP API, {:.2} secrets; mail apart {:.2}",
        bill.dynamodb_writes,
        bill.dynamodb_reads,
        bill.sqs,
        bill.lambda_requests,
        bill.lambda_seconds,
        bill.lambda_waiting,
        bill.http_api,
        bill.secrets,
        bill.mail
    )?;
    details["bill"] = json!(bill);
    let loads = last.loads();
    for (caller, operations) in last.by_caller() {
        match loads.get(caller.as_str()) {
            Some(load) => writeln!(
                table,
                "  {caller}: {:.2} invocations, {:.1} messages each, {:.2} ms",
                load.invocations, load.batch, load.ms
            )?,
            None => writeln!(table, "  {caller}")?,
        }
        for (operation, cost) in operations {
            write!(table, "    {operation:<32} {:>6.2} calls", cost.calls)?;
            if cost.write_units + cost.read_units > 0.0 {
                write!(
                    table,
                    "  {:>6.2} W {:>6.2} R",
                    cost.write_units, cost.read_units
                )?;
            }
            if cost.failed > 0.0 {
                write!(table, "  {:.2} failed", cost.failed)?;
            }
            writeln!(table)?;
        }
    }
    details["functions"] = json!(loads);
    details["calls_by_caller"] = rounded(&last.by_caller())?;
    details["calls_by_operation"] = rounded(&last.by_operation())?;
    Ok((details, table))
}

/// As JSON, with four digits after the point.
fn rounded(of: &impl Serialize) -> Result<Value> {
    fn round(value: &mut Value) {
        match value {
            Value::Object(map) => map.values_mut().for_each(round),
            Value::Number(number) => {
                if let Some(float) = number.as_f64() {
                    *value = json!((float * 10_000.0).round() / 10_000.0);
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::to_value(of)?;
    round(&mut value);
    Ok(value)
}
