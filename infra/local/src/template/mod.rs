//! What the deployment template says, read for this machine.

mod intrinsics;
mod properties;
mod read;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// Everything that the local cloud brings up.
#[derive(Debug)]
pub struct Template {
    /// Tables.
    pub tables: Vec<Table>,
    /// Queues, dead-letter queues among them.
    pub queues: Vec<Queue>,
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    /// Which queue invokes which function.
    pub mappings: Vec<Mapping>,
    /// Which request invokes which function.
    pub routes: Vec<Route>,
    /// What invokes functions by the clock.
    pub schedules: Vec<Schedule>,
}

/// A DynamoDB table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The `CreateTable` request.
    pub create: Value,
    /// The attribute that says when an item expires.
    pub expires_by: Option<String>,
}

/// An SQS queue.
#[derive(Debug)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its attributes by SQS's names.
    pub attributes: BTreeMap<String, String>,
}

/// A Lambda function.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name of its folder, for instance `accept-order`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
}

/// A queue that invokes a function.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The queue's name.
    pub queue: String,
    /// The function's name.
    pub function: String,
    /// Most messages in one event.
    pub batch_size: usize,
    /// How long to wait for a batch to fill.
    pub window: Duration,
    /// Most invocations at a time.
    pub max_concurrency: usize,
    /// Whether the function's answer says which messages failed.
    pub reports_failures: bool,
}

/// A route of the HTTP API.
#[derive(Debug, Clone)]
pub struct Route {
    /// As in the template, for instance `POST /orders/{id}/cancel`.
    pub key: String,
    /// The HTTP method; `ANY` for all.
    pub method: String,
    /// The path, with parameters in braces.
    pub path: String,
    /// The function's name.
    pub function: String,
}

/// A schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The function's name.
    pub function: String,
    /// The time from one invocation to the next.
    pub every: Duration,
    /// The event.
    pub input: Value,
}

/// What the template leaves open.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The stack's name, which names are built from.
    pub stack: String,
    /// Where queues are reached.
    pub endpoint: String,
    /// Parameters that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            stack: "waybill".to_owned(),
            endpoint: "http://localhost:4566".to_owned(),
            parameters: BTreeMap::new(),
        }
    }
}
