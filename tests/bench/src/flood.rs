//! A flood of webhooks: how soon each is answered when a thousand come a second, whether any order is lost, and
//! whether any of those that come twice is taken twice.
//!
//! They come at their times, whether those before have been answered or not, and how long an answer takes is
//! counted from when its webhook should have been sent: so a server that falls behind cannot slow the flood
//! down and look well. Once the other steps wait until it is over, as if they had processors of their own, and once
//! all are at work on the same processors.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use futures::future::join_all;
use serde::Serialize;

use crate::journey::meter;
use crate::journey::shop::{Setting, Shop, Webhook};
use crate::spread::percentile;
use crate::{Arguments, Figures};

/// Webhooks a second.
const PER_SECOND: u32 = 1_000;
/// Webhooks, if not told how many: for half a minute.
const WEBHOOKS: u32 = 30 * PER_SECOND;
/// One of so many comes once more, right after itself.
const REPEATED: usize = 10;
/// The tightest limit of a channel's for an answer: Wix's.
const LIMIT_MS: f64 = 1_250.0;
/// How often the warm-up asks.
const WARM_UP: usize = 50;

/// An answer: how long it took, its status, and the order's id if it was taken.
type Answered = (f64, u16, Option<String>);

/// What came of a flood.
#[derive(Debug, Serialize)]
struct Flood {
    webhooks_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// Not answered well at first.
    refused: usize,
    lost: usize,
    duplicated: usize,
    rested_after_s: f64,
}

/// Floods `accept-order` with the steps behind it waiting, and then with all at work.
pub async fn run(arguments: Arguments) -> Result<Figures> {
    let webhooks = arguments.orders.unwrap_or(WEBHOOKS) as usize;
    let alone = flood_once(webhooks, true).await?;
    let together = flood_once(webhooks, false).await?;
    let table = alone.tell("the other steps waiting") + &together.tell("all steps at work");
    let mut json = serde_json::to_value(&alone)?;
    json["all_steps_at_work"] = serde_json::to_value(&together)?;
    Ok(Figures { table, json })
}

impl Flood {
    fn tell(&self, how: &str) -> String {
        let Self { p50_ms, p99_ms, .. } = self;
        let within = match *p99_ms <= LIMIT_MS {
            true => "within",
            false => "over",
        };
        format!(
            "{how}: {:.0} webhooks answered a second, half within {p50_ms:.1} ms, 99 of 100 within {p99_ms:.1} ms \
             ({within} the tightest limit, {LIMIT_MS:.0} ms), all within {:.1} ms; {} not answered well at first, \
             {} lost, {} taken twice; at rest after {:.0} s\n",
            self.webhooks_per_second,
            self.max_ms,
            self.refused,
            self.lost,
            self.duplicated,
            self.rested_after_s,
        )
    }
}

async fn flood_once(webhooks: usize, others_wait: bool) -> Result<Flood> {
    let shop = Arc::new(Shop::open(Setting::default()).await?);
    for _ in 0..WARM_UP {
        shop.send_order().await?;
    }
    shop.cloud().idle().await;
    let mut planned = Vec::with_capacity(webhooks);
    while planned.len() < webhooks {
        let webhook = Arc::new(shop.next_webhook()?);
        if planned.len() % REPEATED == 0 {
            planned.push(Arc::clone(&webhook));
        }
        planned.push(webhook);
    }
    planned.truncate(webhooks);
    let distinct = count_distinct(&planned);
    eprintln!("flood: {webhooks} webhooks, {PER_SECOND} a second, {distinct} orders");
    let held = match others_wait {
        true => Some(meter::hold_messages().await),
        false => None,
    };
    let began = Instant::now();
    let answers = flood(&shop, &planned).await?;
    let seconds = began.elapsed().as_secs_f64();
    // As a channel does with what was not answered well: once more, later.
    let mut refused = 0;
    let mut ids = BTreeSet::new();
    for (webhook, (_, status, id)) in planned.iter().zip(&answers) {
        let id = match id {
            Some(id) => id.clone(),
            None => {
                refused += 1;
                let (_, id) = shop.deliver(webhook).await?;
                id.ok_or_else(|| anyhow!("answered {status}, and not well later either"))?
            }
        };
        ids.insert(id);
    }
    drop(held);
    eprintln!("flood: over after {seconds:.1} s; waiting for its orders to come to rest");
    shop.cloud().idle().await;
    let rested = began.elapsed().as_secs_f64();
    let stored = shop.orders_at_rest().await?;
    let lost = distinct - ids.intersection(&stored).count();
    let duplicated = stored.len() + lost - WARM_UP - distinct;
    shop.cloud().stop().await;
    let mut times: Vec<f64> = answers.iter().map(|answer| answer.0).collect();
    times.sort_by(f64::total_cmp);
    let [p50, p99, most] = [50, 99, 100].map(|share| percentile(&times, share));
    ensure!(lost == 0, "{lost} orders are lost");
    ensure!(duplicated == 0, "{duplicated} orders are there twice");
    Ok(Flood {
        webhooks_per_second: webhooks as f64 / seconds,
        p50_ms: p50,
        p99_ms: p99,
        max_ms: most,
        refused,
        lost,
        duplicated,
        rested_after_s: rested,
    })
}

fn count_distinct(planned: &[Arc<Webhook>]) -> usize {
    let repeated = |pair: &&[Arc<Webhook>]| Arc::ptr_eq(&pair[0], &pair[1]);
    planned.len() - planned.windows(2).filter(repeated).count()
}

/// Sends each at its time, and gives all answers in the order of sending.
async fn flood(shop: &Arc<Shop>, planned: &[Arc<Webhook>]) -> Result<Vec<Answered>> {
    let began = Instant::now();
    let mut sent = Vec::with_capacity(planned.len());
    for (n, webhook) in planned.iter().enumerate() {
        let due = began + Duration::from_secs(1) * u32::try_from(n)? / PER_SECOND;
        tokio::time::sleep_until(due.into()).await;
        let (shop, webhook) = (Arc::clone(shop), Arc::clone(webhook));
        sent.push(tokio::spawn(async move {
            let answer = shop.deliver(&webhook).await;
            let (status, id) = answer.unwrap_or((0, None));
            (due.elapsed().as_secs_f64() * 1_000.0, status, id)
        }));
    }
    let answers = join_all(sent).await.into_iter();
    answers
        .map(|answer| answer.context("a client has died"))
        .collect()
}
