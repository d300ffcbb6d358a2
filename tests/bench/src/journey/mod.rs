//! The journey of a two-line order, from a signed webhook to delivered: what it costs and how fast it goes.

mod copies;
pub mod growth;
mod measured;
pub mod meter;
mod report;
pub mod shop;
mod trace;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cpu_time::ProcessTime;
use futures::future::try_join_all;

use crate::{Arguments, Figures};
use measured::Measured;
use report::{Step, Trace};
use shop::{Setting, Shop};

/// What an order's people do: the webhook, the warehouse's report, the carrier's.
const REPORTS: [&str; 2] = ["packed", "delivered"];
/// Requests to the HTTP API in that.
const HTTP_REQUESTS: usize = 1 + REPORTS.len();
/// Orders that are under way at a time in the concurrent variants.
const CLIENTS: usize = 32;
/// Orders of one wave: five batches of ten at every queue.
const WAVE: usize = 50;
/// Orders whose AWS calls are recorded one by one: as many as fill every page of the stock ledger.
const TRACED: usize = 48;
/// How long the event source may take to count its last call.
const SETTLING: Duration = Duration::from_millis(50);

/// A way to drive orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// One at a time, each to its end: every batch has one message.
    Alone,
    /// In waves, so that queues give batches of ten.
    Batched,
    /// The same, all orders for the same two articles.
    BatchedOnePair,
    /// Many at a time, each at its own pace.
    Concurrent,
    /// The same, with the tables in files.
    ConcurrentOnFile,
}

impl Variant {
    const ALL: [Self; 5] = [
        Self::Alone,
        Self::Batched,
        Self::BatchedOnePair,
        Self::Concurrent,
        Self::ConcurrentOnFile,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Batched => "batched",
            Self::BatchedOnePair => "batched_one_pair",
            Self::Concurrent => "concurrent",
            Self::ConcurrentOnFile => "concurrent_on_file",
        }
    }

    /// Orders to warm up with, and to measure.
    fn orders(self) -> (usize, usize) {
        match self {
            Self::Alone => (12, 96),
            Self::Batched | Self::BatchedOnePair => (WAVE, 4 * WAVE),
            Self::Concurrent | Self::ConcurrentOnFile => (CLIENTS, 20 * CLIENTS),
        }
    }

    fn setting(self) -> Setting {
        Setting {
            window: u32::from(matches!(self, Self::Batched | Self::BatchedOnePair)),
            data: (self == Self::ConcurrentOnFile).then(directory),
            one_pair: self == Self::BatchedOnePair,
            traces: false,
            ..Setting::default()
        }
    }

    async fn drive(self, shop: &Shop, orders: usize) -> Result<Vec<String>> {
        match self {
            Self::Alone => waves(shop, orders, 1).await,
            Self::Batched | Self::BatchedOnePair => waves(shop, orders, WAVE).await,
            Self::Concurrent | Self::ConcurrentOnFile => concurrently(shop, orders).await,
        }
    }
}

/// Measures all variants as often as asked for.
pub async fn run(arguments: Arguments) -> Result<Figures> {
    let trace = trace_orders().await.context("tracing")?;
    let mut variants: Vec<(&'static str, Vec<Measured>)> = Vec::new();
    for variant in Variant::ALL {
        let mut runs = Vec::new();
        for run in 1..=arguments.runs {
            let name = variant.name();
            let measured = measure(variant, arguments.orders, 0).await.context(name)?;
            eprintln!(
                "journey: {name}, run {run} of {}: {:.1} orders per second",
                arguments.runs,
                measured.orders_per_second()
            );
            runs.push(measured);
        }
        variants.push((variant.name(), runs));
    }
    report::figures(&variants, &trace)
}

/// One run; `warehouses`: how many there are, if more than the sample retailer's.
async fn measure(variant: Variant, orders: Option<u32>, warehouses: usize) -> Result<Measured> {
    let setting = Setting {
        warehouses,
        ..variant.setting()
    };
    let data = setting.data.clone();
    let shop = Shop::open(setting).await?;
    let (warm_up, enough) = variant.orders();
    let asked = orders.map_or(enough, |orders| orders as usize);
    let ids = variant.drive(&shop, warm_up).await?;
    let measured = metered(variant, &shop, asked, ids).await?;
    shop.cloud().stop().await;
    drop(shop);
    forget(data)?;
    Ok(measured)
}

/// Drives orders with everything metered; they and those `before` have to be delivered in the end.
async fn metered(
    variant: Variant,
    shop: &Shop,
    orders: usize,
    mut before: Vec<String>,
) -> Result<Measured> {
    shop.cloud().idle().await;
    tokio::time::sleep(SETTLING).await;
    let counters = &shop.cloud().services().counters;
    meter::take();
    counters.reset();
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let driven = variant.drive(shop, orders).await?;
    shop.cloud().idle().await;
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu.elapsed());
    tokio::time::sleep(SETTLING).await;
    let orders = driven.len();
    let measured = Measured {
        orders,
        http_requests: orders * HTTP_REQUESTS,
        seconds,
        cpu_seconds: cpu.as_secs_f64(),
        calls: counters.snapshot(),
        invocations: meter::take(),
    };
    before.extend(driven);
    shop.check(&before).await?;
    Ok(measured)
}

/// Takes away the files of a shop.
fn forget(data: Option<PathBuf>) -> Result<()> {
    if let Some(data) = data {
        std::fs::remove_dir_all(&data).with_context(|| data.display().to_string())?;
    }
    Ok(())
}

/// Where a shop may keep its files.
fn directory() -> PathBuf {
    std::env::temp_dir().join(format!("waybill-bench-{}", std::process::id()))
}

/// Every step of all orders of a wave, before any takes the next.
async fn waves(shop: &Shop, orders: usize, size: usize) -> Result<Vec<String>> {
    let mut all = Vec::with_capacity(orders);
    while all.len() < orders {
        let wave = try_join_all((0..size).map(|_| shop.send_order())).await?;
        shop.cloud().idle().await;
        for report in REPORTS {
            try_join_all(wave.iter().map(|order| shop.report(order, report))).await?;
            shop.cloud().idle().await;
        }
        all.extend(wave);
    }
    Ok(all)
}

/// Many orders at a time: each is packed when its pick list was mailed, and delivered when it was shipped.
async fn concurrently(shop: &Shop, orders: usize) -> Result<Vec<String>> {
    let begun = AtomicUsize::new(0);
    let client = || async {
        let mut own = Vec::new();
        while begun.fetch_add(1, Ordering::Relaxed) < orders {
            let order = shop.send_order().await?;
            for (step, report) in ["notify-warehouse", "ship-order"].iter().zip(REPORTS) {
                meter::dealt_with(step, &order).await;
                shop.report(&order, report).await?;
            }
            own.push(order);
        }
        Ok::<_, anyhow::Error>(own)
    };
    let own = try_join_all((0..CLIENTS).map(|_| client())).await?;
    Ok(own.into_iter().flatten().collect())
}

/// Records each AWS call of some orders, one order at a time, and holds the records against the counters.
async fn trace_orders() -> Result<Trace> {
    let traces = true;
    let shop = Shop::open(Setting {
        traces,
        ..Setting::default()
    })
    .await?;
    let mut ids = waves(&shop, 12, 1).await?;
    shop.cloud().idle().await;
    let counters = &shop.cloud().services().counters;
    meter::take();
    trace::take();
    counters.reset();
    let mut orders = Vec::with_capacity(TRACED);
    for _ in 0..TRACED {
        let mut steps = Vec::new();
        let id = shop.send_order().await?;
        shop.cloud().idle().await;
        steps.push(Step::new("webhook", trace::take()));
        for report in REPORTS {
            shop.report(&id, report).await?;
            shop.cloud().idle().await;
            steps.push(Step::new(report, trace::take()));
        }
        ids.push(id);
        orders.push(steps);
    }
    shop.check(&ids).await?;
    let functions = &shop.cloud().template().functions;
    let counted = counters
        .total(|call| functions.contains_key(&*call.caller))
        .calls;
    shop.cloud().stop().await;
    Trace::new(orders, counted)
}
