//! A flash sale: buyers of one article, a queue of their orders, and copies of the real step that take
//! batches from it, all on simulated time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use aws_types::SdkConfig;
use cpu_time::ProcessTime;
use domain::catalog::Location;
use domain::fact::StockFact;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Contact, Payment, Source};
use domain::stock::{Movement, MovementKind};
use domain::{Currency, Order, OrderId};
use futures::future::try_join_all;
use jiff::Timestamp;
use local::client::sdk_config;
use local::cloud::provision;
use local::services::Services;
use local::template::{Setting, Template};
use runtime::{Aws, Clock, Handler, Hint, Setup};
use serde_json::{Value, json};
use store::{Commit, Store, Write, Written};
use tokio::time::{Instant, sleep};

use super::database::{Latency, Limited, Met};

const STEP: &str = "allocate-warehouse";
/// When every sale begins, in seconds of the epoch.
const BEGIN_S: i64 = 1_800_000_000;
/// Between two batches of one copy: its answer, the deletion of what is done, and the next batch.
const BETWEEN: Duration = Duration::from_millis(2);
/// How long a message that failed rests.
const RESTS: Duration = Duration::from_secs(5);
/// Warehouses and where each is; they are of one size.
const WAREHOUSES: [(&str, &str, f64, f64); 3] = [
    ("hamburg", "DE", 53.5, 10.0),
    ("lyon", "FR", 45.8, 4.8),
    ("leeds", "GB", 53.8, -1.5),
];

/// What is sold, to how many, and how.
#[derive(Debug, Clone, Copy)]
pub struct Sale {
    /// Units of each article in all warehouses together.
    pub units: u32,
    /// Articles; each order is for the next of them.
    pub skus: u32,
    /// Orders, of one unit each.
    pub buyers: u32,
    /// Messages of a batch, at most.
    pub batch: usize,
    /// Copies of the step.
    pub copies: usize,
    /// How long calls take.
    pub latency: Latency,
    /// Shares that each level is split into.
    pub shares: u8,
    /// Whether buyers live near all warehouses in turn, or all near the first.
    pub everywhere: bool,
}

impl Sale {
    fn sku(&self, n: u32) -> String {
        format!("SNEAKER-{}", n % self.skus)
    }
}

/// How it went.
#[derive(Debug, Clone)]
pub struct Sold {
    /// Seconds until the last unit was sold.
    pub seconds: f64,
    /// Orders that have their unit.
    pub orders: u32,
    /// Orders that wait for one.
    pub waiting: u32,
    /// What it took to sell them.
    pub met: Met,
    /// Seconds until everybody had his answer.
    pub answered_s: f64,
    /// Units set aside that are not there.
    pub oversold: i64,
    /// Units that are there while somebody waits for one.
    pub undersold: i64,
    /// Batches handed to the step again.
    pub again: u32,
    /// Seconds that each batch took.
    pub batches: Vec<f64>,
    /// Seconds of a processor, the embedded database and what drives it included.
    pub cpu_s: f64,
}

impl Sold {
    /// Orders a second, while there was anything to sell.
    pub fn orders_per_second(&self) -> f64 {
        f64::from(self.orders) / self.seconds
    }
}

fn locations() -> Result<Vec<Location>> {
    let currency = Currency::from_code("EUR").context("EUR")?;
    let location = |(id, country, latitude, longitude): (&str, &str, f64, f64)| Location {
        id: id.into(),
        name: id.into(),
        country: country.into(),
        latitude,
        longitude,
        time_zone: "Europe/Berlin".into(),
        cut_off: jiff::civil::time(14, 0, 0, 0),
        email: format!("{id}@example.com"),
        serves: Vec::new(),
        currency,
        closed: false,
        working_days: Vec::new(),
        closed_on: Vec::new(),
        handling_days: 0,
        daily_orders: None,
        priority: 0,
    };
    Ok(WAREHOUSES.map(location).into())
}

/// An order of one unit.
fn order(n: u32, sale: &Sale, at: Timestamp) -> Result<Order> {
    let (_, country, north, east) = match sale.everywhere {
        true => WAREHOUSES[n as usize % WAREHOUSES.len()],
        false => WAREHOUSES[0],
    };
    let line = NewLine {
        id: "1".into(),
        sku: Some(sale.sku(n)),
        title: "Sneaker".into(),
        quantity: 1.into(),
        unit_price: 12_000,
        ..NewLine::default()
    };
    let new = NewOrder {
        source: Source {
            channel: "shopify".into(),
            account: "main".into(),
            external_id: format!(
                "gid://shopify/Order/{}",
                7_200_000_000_000_u64 + u64::from(n)
            ),
        },
        number: format!("#{}", 10_000 + n),
        placed_at: at,
        currency: Currency::from_code("EUR").context("EUR")?,
        taxes_included: true,
        reservation: None,
        lines: vec![line],
        lines_pointer: "/line_items",
        discount: 0,
        tax: 1_916,
        extras: 0,
        stated_total: None,
        payments: vec![Payment::Captured(12_000)],
        paid_through: None,
        contact: Contact {
            email: Some("buyer@example.com".into()),
            address: Some(Address {
                country: country.into(),
                ..Address::default()
            }),
            ..Contact::default()
        },
        address_pointer: "/shipping_address",
        point: Some((north, east)),
        located: None,
        mailed: true,
        told: false,
        awaited: false,
        deliver_by: None,
        test: false,
        cancelled: false,
        shipped: false,
        as_of: None,
        presentment: None,
        refunds: Vec::new(),
    };
    Ok(new.accept(&[sale.sku(n)].into(), at).0)
}

/// A message of the queue.
struct Message {
    id: u32,
    body: String,
    receives: u32,
    visible: Instant,
}

type Backlog = Arc<Mutex<VecDeque<Message>>>;

fn lock(backlog: &Backlog) -> std::sync::MutexGuard<'_, VecDeque<Message>> {
    backlog.lock().unwrap_or_else(PoisonError::into_inner)
}

fn record(message: &Message) -> Value {
    json!({
        "messageId": message.id.to_string(),
        "receiptHandle": "-",
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": message.receives.to_string()},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:000000000000:waybill-{STEP}"),
        "awsRegion": "us-east-1",
    })
}

/// A shop before its sale.
struct Shop {
    template: Template,
    services: Arc<Services>,
    aws: SdkConfig,
    /// A way to its tables that has no limits, for setting up and looking.
    store: Store,
}

impl Shop {
    async fn open(sale: &Sale) -> Result<(Self, Backlog)> {
        let text = include_str!("../../../../infra/template.yaml");
        let template = Template::read(text, &Setting::default())?;
        let services = Services::in_memory()?;
        provision(&services, &template)?;
        let aws = sdk_config(&services, "setting-up");
        let shop = Self {
            store: setup(&template, aws.clone(), Clock::system())?.store(),
            template,
            services,
            aws,
        };
        let at = Timestamp::from_second(BEGIN_S)?;
        for location in locations()? {
            shop.store.put_location(&location).await?;
        }
        let count = WAREHOUSES.len() as u32;
        for n in 0..sale.skus * count {
            let (k, warehouse) = (n % sale.skus, n / sale.skus);
            let units = sale.units / count + u32::from(warehouse < sale.units % count);
            let received = StockFact {
                id: format!("opening-{n}"),
                sku: sale.sku(k),
                location: WAREHOUSES[warehouse as usize].0.into(),
                kind: MovementKind::Receive,
                quantity: i64::from(units),
                reason: String::new(),
                at,
                applied: false,
                details: None,
                shares: sale.shares,
            };
            let commit = Commit {
                changes: received.changes(&[]),
                ..Commit::default()
            };
            shop.store.transact(commit).await?;
        }
        let mut backlog = VecDeque::with_capacity(sale.buyers as usize);
        for n in 0..sale.buyers {
            let order = Arc::new(order(n, sale, at)?);
            let written = [Write::Order(0, Arc::clone(&order))];
            let written = shop.store.write(&written).await?;
            ensure!(matches!(written, Written::Done), "order {n} is there");
            backlog.push_back(Message {
                id: n,
                body: Hint::at(&order).to_body(),
                receives: 0,
                visible: Instant::now(),
            });
        }
        Ok((shop, Arc::new(Mutex::new(backlog))))
    }
}

fn setup(template: &Template, aws: SdkConfig, clock: Clock) -> Result<Setup> {
    let function = template.functions.get(STEP);
    let function = function.ok_or_else(|| anyhow!("the template has no {STEP}"))?;
    Ok(Setup {
        env: Arc::new(function.environment.clone()),
        clock,
        aws: Aws::Sdk(aws),
        web: Arc::new(runtime::web::Https::default()),
    })
}

/// One copy of the step: takes a batch, works on it, and takes the next. How many messages it was to be handed
/// again, and how long each batch took.
async fn work(handler: Handler, backlog: Backlog, batch: usize) -> Result<(u32, Vec<f64>)> {
    let (mut failed, mut batches) = (0, Vec::new());
    loop {
        let now = Instant::now();
        let mut taken = Vec::with_capacity(batch);
        let next = {
            let mut backlog = lock(&backlog);
            while taken.len() < batch && backlog.front().is_some_and(|m| m.visible <= now) {
                taken.extend(backlog.pop_front());
            }
            backlog.front().map(|message| message.visible)
        };
        if taken.is_empty() {
            match next {
                Some(next) => tokio::time::sleep_until(next).await,
                None => return Ok((failed, batches)),
            }
            continue;
        }
        for message in &mut taken {
            message.receives += 1;
        }
        let records: Vec<Value> = taken.iter().map(record).collect();
        let begun = Instant::now();
        let called = handler.call(json!({"Records": records})).await;
        batches.push(begun.elapsed().as_secs_f64());
        let answer = called.map_err(|error| anyhow!("{STEP}: {error}"))?;
        let again = answer["batchItemFailures"].as_array();
        let again: Vec<&str> = again
            .into_iter()
            .flatten()
            .filter_map(|failure| failure["itemIdentifier"].as_str())
            .collect();
        for mut message in taken {
            if again.contains(&&*message.id.to_string()) {
                failed += 1;
                message.visible = Instant::now() + RESTS;
                lock(&backlog).push_back(message);
            }
        }
        sleep(BETWEEN).await;
    }
}

/// Holds a sale. Has to run on a paused clock.
pub async fn hold(sale: Sale) -> Result<Sold> {
    let (shop, backlog) = Shop::open(&sale).await?;
    let limited = Limited::new(Arc::clone(&shop.services), sale.latency);
    let aws = shop.aws.to_builder().http_client(limited.clone()).build();
    let (begin, begun) = (Timestamp::from_second(BEGIN_S)?, Instant::now());
    let clock = Clock::new(move || begin.saturating_add(begun.elapsed()).unwrap_or(begin));
    let clock = clock.pausing();
    let mut copies = Vec::with_capacity(sale.copies);
    for _ in 0..sale.copies {
        let setup = setup(&shop.template, aws.clone(), clock.clone())?;
        let started = allocate_warehouse::function().start(setup).await;
        let handler = started.map_err(|error| anyhow!("{STEP}: {error}"))?;
        copies.push(work(handler, Arc::clone(&backlog), sale.batch));
    }
    limited.begin();
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let (again, batches): (Vec<u32>, Vec<Vec<f64>>) =
        try_join_all(copies).await?.into_iter().unzip();
    let (answered_s, cpu_s) = (started.elapsed().as_secs_f64(), cpu.elapsed().as_secs_f64());
    let (last, met) = limited.sold();
    let (orders, waiting) = audit(&shop.store, &sale).await?;
    let there = i64::from(sale.units) * i64::from(sale.skus);
    let set_aside = i64::from(orders);
    Ok(Sold {
        seconds: last.duration_since(started).as_secs_f64(),
        orders,
        waiting,
        met,
        answered_s,
        oversold: (set_aside - there).max(0),
        undersold: match waiting {
            0 => 0,
            _ => (there - set_aside).max(0),
        },
        again: again.into_iter().sum(),
        batches: batches.concat(),
        cpu_s,
    })
}

/// Counts who has a unit and who waits, and holds levels and ledger to it.
async fn audit(store: &Store, sale: &Sale) -> Result<(u32, u32)> {
    let at = Timestamp::from_second(BEGIN_S)?;
    let mut of_order: BTreeMap<OrderId, i64> = BTreeMap::new();
    let (mut have, mut wait) = (0, 0);
    let ids = (0..sale.buyers).map(|n| order(n, sale, at).map(|order| order.id));
    let ids: Vec<OrderId> = ids.collect::<Result<_>>()?;
    for ids in ids.chunks(100) {
        for order in store.load_orders(ids).await? {
            let units = order.lines[0].units;
            ensure!(units.open == 0, "{} was never looked at", order.id);
            have += units.allocated;
            wait += units.backordered;
            of_order.insert(order.id.clone(), i64::from(units.allocated));
        }
    }
    ensure!(
        of_order.len() == ids.len(),
        "{} orders are left",
        of_order.len()
    );
    let mut levels = Vec::new();
    for n in 0..sale.skus {
        levels.extend(store.levels_of(&sale.sku(n)).await?);
    }
    for level in levels {
        let sku = &level.sku;
        ensure!(level.available >= 0, "{} is negative", level.location);
        let mut movements = level.tail.clone();
        let mut before = level.movements + 1 - level.tail.len() as u64;
        while before > 1 {
            let page = store
                .ledger_before(sku, &level.location, level.share, before)
                .await?;
            before = page.last().context("the ledger has a gap")?.0;
            movements.extend(page.into_iter().map(|(_, movement)| movement));
        }
        ensure!(
            movements.len() as u64 == level.movements,
            "the ledger has a gap"
        );
        let sum = movements.iter().map(|m| m.kind.delta(m.quantity).available);
        ensure!(
            sum.sum::<i64>() == level.available,
            "the ledger does not add up"
        );
        let ids: Vec<&str> = movements.iter().filter_map(Movement::breakdown).collect();
        let mut parts: Vec<(String, i64)> = Vec::new();
        for breakdown in store.load_breakdowns(sku, &ids).await? {
            parts.extend(breakdown.parts);
        }
        let single = movements.into_iter().filter(|m| m.breakdown().is_none());
        let single = single.filter(|m| m.kind == MovementKind::Allocate);
        parts.extend(single.map(|m| (m.cause, m.quantity)));
        for (cause, units) in parts {
            let id = OrderId::parse(&cause).with_context(|| format!("{cause} is no order"))?;
            *of_order.entry(id).or_default() -= units;
        }
    }
    let unexplained = of_order.iter().find(|(_, units)| **units != 0);
    ensure!(unexplained.is_none(), "the ledger differs: {unexplained:?}");
    Ok((have, wait))
}
