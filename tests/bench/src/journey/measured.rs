//! What one run of one variant measured, and what follows from it for one order.

use std::collections::{BTreeMap, BTreeSet};

use local::services::{Call, Tally};
use serde::Serialize;

use super::meter::Invocation;
use crate::prices::{Bill, Consumption, Prices};

/// The steps that do nothing but send mail.
const MAIL_STEPS: [&str; 2] = ["notify-customer", "notify-warehouse"];
/// Who polls the queues, in the counters.
const EVENT_SOURCE: &str = "event-source";

/// One run of one variant.
#[derive(Debug)]
pub struct Measured {
    /// Orders taken from webhook to delivered.
    pub orders: usize,
    /// Requests to the HTTP API.
    pub http_requests: usize,
    /// Time that went by.
    pub seconds: f64,
    /// Time of processors that the process used.
    pub cpu_seconds: f64,
    /// The AWS calls.
    pub calls: Vec<(Call, Tally)>,
    /// The functions' invocations.
    pub invocations: Vec<Invocation>,
}

/// AWS calls and DynamoDB units per order.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Cost {
    /// Calls, failed ones included.
    pub calls: f64,
    /// Of these, those that failed.
    pub failed: f64,
    /// DynamoDB write units.
    pub write_units: f64,
    /// DynamoDB read units.
    pub read_units: f64,
}

/// One function's invocations.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Load {
    /// Invocations per order.
    pub invocations: f64,
    /// Messages per invocation; 0 for requests.
    pub batch: f64,
    /// Mean milliseconds of one.
    pub ms: f64,
}

impl Measured {
    fn per_order(&self, count: f64) -> f64 {
        count / self.orders as f64
    }

    fn cost(&self, select: impl Fn(&Call) -> bool) -> Cost {
        let mut sum = Tally::default();
        for (_, tally) in self.calls.iter().filter(|(call, _)| select(call)) {
            sum.calls += tally.calls;
            sum.errors += tally.errors;
            sum.write_units += tally.write_units;
            sum.read_units += tally.read_units;
        }
        Cost {
            calls: self.per_order(sum.calls as f64),
            failed: self.per_order(sum.errors as f64),
            write_units: self.per_order(sum.write_units),
            read_units: self.per_order(sum.read_units),
        }
    }

    fn functions(&self) -> BTreeSet<&'static str> {
        self.invocations.iter().map(|i| i.function).collect()
    }

    /// What the functions called, the sending of mail itself apart.
    pub fn all_functions(&self) -> Cost {
        let functions = self.functions();
        self.cost(|call| functions.contains(&*call.caller) && call.service != "ses")
    }

    /// The same without the steps that send mail. What others call because of them is in it: the hints
    /// to them, and repeats after one of them was quicker.
    pub fn without_mail_steps(&self) -> Cost {
        let functions = self.functions();
        let mails = |call: &Call| MAIL_STEPS.contains(&&*call.caller);
        self.cost(|call| functions.contains(&*call.caller) && !mails(call))
    }

    /// What the event source called: receives that found something, and deletes.
    pub fn event_source(&self) -> Cost {
        self.cost(|call| &*call.caller == EVENT_SOURCE)
    }

    /// Every caller's calls by operation.
    pub fn by_caller(&self) -> BTreeMap<String, BTreeMap<String, Cost>> {
        let functions = self.functions();
        let mut callers: BTreeMap<String, BTreeMap<String, Cost>> = BTreeMap::new();
        for (call, _) in &self.calls {
            if !functions.contains(&*call.caller) && &*call.caller != EVENT_SOURCE {
                continue;
            }
            let operation = format!("{}.{}", call.service, call.operation);
            let operations = callers.entry(call.caller.to_string()).or_default();
            operations.insert(operation, self.cost(|other| other == call));
        }
        callers
    }

    /// Calls of the functions by operation.
    pub fn by_operation(&self) -> BTreeMap<String, f64> {
        let mut operations = BTreeMap::new();
        for (caller, of_caller) in self.by_caller() {
            for (operation, cost) in of_caller {
                if caller != EVENT_SOURCE {
                    *operations.entry(operation).or_default() += cost.calls;
                }
            }
        }
        operations
    }

    /// Every function's invocations.
    pub fn loads(&self) -> BTreeMap<&'static str, Load> {
        let load = |function: &'static str| {
            let own = || self.invocations.iter().filter(|i| i.function == function);
            let count = own().count() as f64;
            let messages: usize = own().map(|i| i.messages).sum();
            let seconds: f64 = own().map(|i| i.took.as_secs_f64()).sum();
            let load = Load {
                invocations: self.per_order(count),
                batch: messages as f64 / count,
                ms: seconds * 1_000.0 / count,
            };
            (function, load)
        };
        self.functions().into_iter().map(load).collect()
    }

    /// Orders per second.
    pub fn orders_per_second(&self) -> f64 {
        self.orders as f64 / self.seconds
    }

    /// Milliseconds of a processor per order, whoever drives the shop included.
    pub fn cpu_ms_per_order(&self) -> f64 {
        self.per_order(self.cpu_seconds * 1_000.0)
    }

    /// What a million such orders cost.
    pub fn bill(&self, prices: &Prices) -> Bill {
        let functions = self.functions();
        let of = |service: &'static str| {
            self.cost(|call| {
                let counts = functions.contains(&*call.caller) || &*call.caller == EVENT_SOURCE;
                counts && call.service == service
            })
        };
        let billed = |i: &Invocation| (i.took.as_secs_f64() * 1_000.0).ceil();
        prices.bill(&Consumption {
            write_units: of("dynamodb").write_units,
            read_units: of("dynamodb").read_units,
            sqs_requests: of("sqs").calls,
            sqs_most_bytes: self.invocations.iter().map(|i| i.bytes).max().unwrap_or(0),
            invocations: self.per_order(self.invocations.len() as f64),
            function_ms: self.per_order(self.invocations.iter().map(billed).sum()),
            awaited_calls: self.cost(|call| functions.contains(&*call.caller)).calls,
            http_requests: self.per_order(self.http_requests as f64),
            secret_calls: of("secretsmanager").calls,
            mails: of("ses").calls,
        })
    }
}
