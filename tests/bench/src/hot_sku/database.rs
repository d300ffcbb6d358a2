//! The database's own limits, in front of the embedded one and on simulated time: units per second and
//! partition, items that are in a transaction under way, and how long a call takes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use dynoxide::types::{Item, item_size};
use http::{Request, Response, StatusCode};
use local::client::{answer, read};
use local::services::Services;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// Write units that a partition gives each second.
const WRITE_UNITS: f64 = 1_000.0;
/// Read units that a partition gives each second.
const READ_UNITS: f64 = 3_000.0;
/// Seconds of units that a partition has in hand: little, so that no burst passes for what can be kept up.
const IN_HAND_S: f64 = 0.1;
/// Bytes of a write unit, and of a read unit.
const UNIT_BYTES: [usize; 2] = [1_024, 4_096];
const PREFIX: &str = "DynamoDB_20120810.";

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// A write or a transaction: a quarter each is the way there and the way back, and for the half between
    /// them its items are held.
    pub write: Duration,
    /// A read.
    pub read: Duration,
    /// A batch of messages sent.
    pub send: Duration,
}

impl Latency {
    /// Reads take half as long as writes, and messages a fourth longer.
    pub fn of_write(write: Duration) -> Self {
        Self {
            write,
            read: write / 2,
            send: write * 5 / 4,
        }
    }
}

/// What the calls came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Met {
    /// Calls to the database and to queues.
    pub calls: u64,
    /// Transactions that were written.
    pub transactions: u64,
    /// Transactions that met another one.
    pub conflicts: u64,
    /// Calls that a partition had no units left for.
    pub throttled: u64,
    /// Transactions that a condition refused.
    pub refused: u64,
    /// Write units, all partitions together.
    pub write_units: f64,
    /// Read units, all partitions together.
    pub read_units: f64,
    /// Write units of the partitions of levels.
    pub stock_units: f64,
    /// Seconds that all copies together have waited for calls, by their [`Cause`].
    pub waited_s: [f64; Cause::ALL.len()],
}

/// What copies wait for.
#[derive(Debug, Clone, Copy)]
pub enum Cause {
    /// Levels, products and orders that are read.
    Reads,
    /// Messages that are sent.
    Messages,
    /// Writes that are no transactions: why a location was chosen.
    Records,
    /// Transactions that are written.
    Commits,
    /// Transactions that meet another one.
    Conflicts,
    /// Transactions that a condition refuses.
    Refusals,
    /// Calls that a partition has no units left for.
    Throttled,
}

impl Cause {
    /// All of them, and their names.
    pub const ALL: [(Self, &str); 7] = [
        (Self::Reads, "reads"),
        (Self::Messages, "messages"),
        (Self::Records, "records"),
        (Self::Commits, "commits"),
        (Self::Conflicts, "conflicts"),
        (Self::Refusals, "refusals"),
        (Self::Throttled, "throttled"),
    ];
}

/// Units that are left to a partition, and since when.
struct Bucket {
    left: f64,
    at: Instant,
}

#[derive(Default)]
struct State {
    /// By table, partition, and whether they are write units.
    buckets: HashMap<(String, String, bool), Bucket>,
    held: HashSet<Name>,
    met: Met,
    /// When goods were last set aside, and what it had taken until then.
    sold: Option<(Instant, Met)>,
}

/// An item's table and key.
type Name = (String, String, String);

/// What the calls of all functions go through.
#[derive(Clone)]
pub struct Limited {
    services: Arc<Services>,
    latency: Latency,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Limited {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Limited")
    }
}

impl HttpClient for Limited {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Limited {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let limited = self.clone();
        HttpConnectorFuture::new(async move { answer(limited.take(read(request).await?).await) })
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]["S"].as_str().unwrap_or_default()
}

fn name(table: &Value, key: &Value) -> Name {
    let table = table.as_str().unwrap_or_default().to_owned();
    (
        table,
        text(key, "pk").to_owned(),
        text(key, "sk").to_owned(),
    )
}

/// The items that a write changes, with what is put in their place.
fn written(body: &Value) -> Vec<(Name, Option<&Value>)> {
    match body["TransactItems"].as_array() {
        None => changed(body).into_iter().collect(),
        Some(actions) => {
            let actions = actions.iter().filter_map(Value::as_object);
            let actions = actions.filter_map(|action| action.values().next());
            actions.filter_map(changed).collect()
        }
    }
}

/// The item that one action changes.
fn changed(write: &Value) -> Option<(Name, Option<&Value>)> {
    let put = write.get("Item");
    let key = put.or_else(|| write.get("Key"))?;
    Some((name(&write["TableName"], key), put))
}

/// Whether what is put is an order that goods are set aside for.
fn sells(put: Option<&Value>) -> bool {
    put.is_some_and(|item| item["sk"]["S"] == "ORDER" && item.get("fo").is_some())
}

/// The partitions that a read looks into, and how many units that takes: one for each item, as none here is
/// larger than a unit, and half as many where it may be of the past.
fn looked_into(body: &Value) -> BTreeMap<(String, String), f64> {
    let units = |consistent: &Value| if *consistent == true { 1.0 } else { 0.5 };
    let mut partitions = BTreeMap::new();
    let mut add = |table: &str, pk: &str, units: f64| {
        *partitions
            .entry((table.to_owned(), pk.to_owned()))
            .or_default() += units;
    };
    if let Some(tables) = body["RequestItems"].as_object() {
        for (table, wanted) in tables {
            for key in wanted["Keys"].as_array().into_iter().flatten() {
                add(table, text(key, "pk"), units(&wanted["ConsistentRead"]));
            }
        }
    } else {
        let table = body["TableName"].as_str().unwrap_or_default();
        let pk = match text(&body["Key"], "pk") {
            "" => text(&body["ExpressionAttributeValues"], ":pk"),
            pk => pk,
        };
        add(table, pk, units(&body["ConsistentRead"]));
    }
    partitions
}

impl Limited {
    /// In front of the services, with nothing used up.
    pub fn new(services: Arc<Services>, latency: Latency) -> Self {
        Self {
            services,
            latency,
            state: Arc::default(),
        }
    }

    /// Forgets what has been used up and met so far.
    pub fn begin(&self) {
        *self.state() = State::default();
    }

    /// When goods were last set aside, and what the calls came to until then.
    pub fn sold(&self) -> (Instant, Met) {
        self.state()
            .sold
            .unwrap_or((Instant::now(), Met::default()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, request: Request<Bytes>) -> Response<Bytes> {
        let begun = Instant::now();
        let (response, cause) = self.answer(request).await;
        let met = &mut self.state().met;
        met.calls += 1;
        met.waited_s[cause as usize] += begun.elapsed().as_secs_f64();
        response
    }

    async fn answer(&self, request: Request<Bytes>) -> (Response<Bytes>, Cause) {
        let target = request.headers().get("x-amz-target");
        let target = target.and_then(|target| target.to_str().ok());
        let Some(operation) = target.and_then(|target| target.strip_prefix(PREFIX)) else {
            sleep(self.latency.send).await;
            return (self.pass(request).await, Cause::Messages);
        };
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        match operation {
            "GetItem" | "BatchGetItem" | "Query" | "Scan" => self.read(&body, request).await,
            _ => self.write(&body, request).await,
        }
    }

    async fn pass(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.services.handle(&Arc::from("hot-sku"), request).await
    }

    async fn read(&self, body: &Value, request: Request<Bytes>) -> (Response<Bytes>, Cause) {
        sleep(self.latency.read / 2).await;
        let partitions = looked_into(body);
        let short = partitions.keys().any(|key| !self.has_left(key, false));
        let answered = match short {
            true => (self.throttled(), Cause::Throttled),
            false => {
                for (key, units) in partitions {
                    self.charge(key, false, units);
                }
                (self.pass(request).await, Cause::Reads)
            }
        };
        sleep(self.latency.read / 2).await;
        answered
    }

    async fn write(&self, body: &Value, request: Request<Bytes>) -> (Response<Bytes>, Cause) {
        let way = self.latency.write / 4;
        sleep(way).await;
        let transaction = body.get("TransactItems").is_some();
        let written = written(body);
        let answered = match self.refusal(&written) {
            Some(codes) => {
                let mut state = self.state();
                let cause = match codes.contains(&CONFLICT) {
                    true => Cause::Conflicts,
                    false => Cause::Throttled,
                };
                match cause {
                    Cause::Conflicts => state.met.conflicts += 1,
                    _ => state.met.throttled += 1,
                }
                drop(state);
                let response = match (transaction, cause) {
                    (true, _) => cancelled(&codes),
                    (false, Cause::Conflicts) => failed("TransactionConflictException"),
                    (false, _) => failed("ThrottlingException"),
                };
                (response, cause)
            }
            None => {
                let names: Vec<Name> = written.iter().map(|write| write.0.clone()).collect();
                self.state().held.extend(names.iter().cloned());
                sleep(way * 2).await;
                let response = self.pass(request).await;
                for (name, item) in &written {
                    let units = self.size(name, *item).max(1).div_ceil(UNIT_BYTES[0]);
                    let units = units as f64 * if transaction { 2.0 } else { 1.0 };
                    self.charge((name.0.clone(), name.1.clone()), true, units);
                }
                let mut state = self.state();
                for name in &names {
                    state.held.remove(name);
                }
                let cause = match (response.status(), transaction) {
                    (StatusCode::OK, true) => Cause::Commits,
                    (StatusCode::OK, false) => Cause::Records,
                    _ => Cause::Refusals,
                };
                match cause {
                    Cause::Commits => state.met.transactions += 1,
                    Cause::Refusals => state.met.refused += 1,
                    _ => {}
                }
                if response.status().is_success() && written.iter().any(|w| sells(w.1)) {
                    state.sold = Some((Instant::now(), state.met));
                }
                (response, cause)
            }
        };
        sleep(way).await;
        answered
    }

    /// What stands in the way of a write, item by item, if anything does.
    fn refusal(&self, written: &[(Name, Option<&Value>)]) -> Option<Vec<&'static str>> {
        let held = |name: &Name| self.state().held.contains(name);
        let partitions: BTreeSet<_> = written.iter().map(|w| (&w.0.0, &w.0.1)).collect();
        let short: BTreeSet<_> = partitions
            .into_iter()
            .filter(|(table, pk)| !self.has_left(&((*table).clone(), (*pk).clone()), true))
            .collect();
        let code = |(name, _): &(Name, Option<&Value>)| match name {
            name if held(name) => CONFLICT,
            (table, pk, _) if short.contains(&(table, pk)) => THROTTLED,
            _ => "None",
        };
        let codes: Vec<_> = written.iter().map(code).collect();
        codes.iter().any(|code| *code != "None").then_some(codes)
    }

    /// Bytes of an item as it is now written.
    fn size(&self, name: &Name, put: Option<&Value>) -> usize {
        let found = match put {
            Some(item) => item.clone(),
            None => {
                let (table, pk, sk) = name;
                let request =
                    json!({"TableName": table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}});
                let found = serde_json::from_value(request)
                    .ok()
                    .and_then(|request| self.services.dynamodb.database().get_item(request).ok());
                return found
                    .and_then(|found| found.item)
                    .as_ref()
                    .map_or(0, item_size);
            }
        };
        serde_json::from_value::<Item>(found)
            .as_ref()
            .map_or(0, item_size)
    }

    fn has_left(&self, key: &(String, String), write: bool) -> bool {
        let key = (key.0.clone(), key.1.clone(), write);
        match self.state().buckets.get_mut(&key) {
            Some(bucket) => {
                bucket.fill(write);
                bucket.left > 0.0
            }
            None => true,
        }
    }

    fn charge(&self, key: (String, String), write: bool, units: f64) {
        let state = &mut *self.state();
        let levels = key.1.starts_with("SKU#") && !key.1.contains("#BATCH#");
        let bucket = state.buckets.entry((key.0, key.1, write));
        let bucket = bucket.or_insert_with(|| Bucket {
            left: per_second(write) * IN_HAND_S,
            at: Instant::now(),
        });
        bucket.fill(write);
        bucket.left -= units;
        let met = &mut state.met;
        match write {
            true => met.write_units += units,
            false => met.read_units += units,
        }
        if write && levels {
            met.stock_units += units;
        }
    }

    fn throttled(&self) -> Response<Bytes> {
        self.state().met.throttled += 1;
        failed("ThrottlingException")
    }
}

fn per_second(write: bool) -> f64 {
    match write {
        true => WRITE_UNITS,
        false => READ_UNITS,
    }
}

impl Bucket {
    fn fill(&mut self, write: bool) {
        let now = Instant::now();
        let more = per_second(write) * now.duration_since(self.at).as_secs_f64();
        self.left = (self.left + more).min(per_second(write) * IN_HAND_S);
        self.at = now;
    }
}

const CONFLICT: &str = "TransactionConflict";
const THROTTLED: &str = "ThrottlingError";

fn failed(name: &str) -> Response<Bytes> {
    let name = format!("com.amazonaws.dynamodb.v20120810#{name}");
    refused(json!({"__type": name, "message": "Rate exceeded"}))
}

fn cancelled(codes: &[&str]) -> Response<Bytes> {
    let reasons: Vec<Value> = codes.iter().map(|code| json!({"Code": code})).collect();
    refused(json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons": reasons,
        "Message": format!("Transaction cancelled [{}]", codes.join(", ")),
    }))
}

fn refused(body: Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
