//! The sample orders, driven from outside as shops, warehouses and people drive them: over HTTP, by
//! signed webhook and by key. Nothing here reaches past the API but the eyes that watch.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use data_encoding::BASE64;
use domain::order::{FulfillmentStatus, RefundStatus};
use domain::owed::{Notice, owed};
use domain::{Order, OrderId};
use futures::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use store::Store;

use crate::cloud::Cloud;
use crate::http_client::HttpClient;
use crate::seed::{DEMO_ACCOUNT, DEMO_KEY, store};

/// How long an order may take to its expected state.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often an order is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Between the orders' arrivals, so that one can follow them.
const APART: Duration = Duration::from_millis(120);

/// The time that every sample was placed at.
const SAMPLE_TIME: &str = "2026-11-23T09:30:00+01:00";

/// What is to happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Story {
    Ship,
    Split,
    Backorder,
    Cancel,
    Return,
    Hold,
}

/// A sample order, and the state it should come to.
#[derive(Debug, Clone, Deserialize)]
struct Script {
    file: String,
    via: String,
    account: String,
    #[serde(default)]
    key: String,
    story: Story,
    expected: String,
}

/// What became of an order.
#[derive(Debug, Clone, Serialize)]
pub struct Ending {
    /// The channel's number.
    pub number: String,
    /// Its id; empty if it was not taken.
    pub id: String,
    /// Where it came from.
    pub channel: String,
    /// The state it should come to.
    pub expected: String,
    /// The state it came to.
    pub status: String,
    /// Where its money stands.
    pub payment_status: String,
    /// Whether some of its goods are sold by measure.
    pub by_measure: bool,
    /// Whether the two states are the same.
    pub ok: bool,
    /// Why not, if not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Files of the sample orders, by the names that `events/demo.json` uses.
macro_rules! orders {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../events/", $name)))),*]
    };
}

const ORDERS: [(&str, &str); 12] = orders![
    "orders/shopify-1001-berlin.json",
    "orders/shopify-1002-seattle.json",
    "orders/shopify-1003-kyoto.json",
    "orders/shopify-1004-vienna.json",
    "orders/shopify-1005-toronto.json",
    "orders/shopify-1006-lisbon.json",
    "orders/api-2041-kuwait.json",
    "orders/api-2042-osaka.json",
    "orders/api-2043-chicago.json",
    "orders/api-2044-dubai.json",
    "orders/api-2045-unknown-sku.json",
    "orders/api-2046-luebeck.json",
];

/// Runs all sample orders; `say` hears of each event as it happens.
pub async fn run(cloud: &Cloud, say: impl Fn(&str)) -> Result<Vec<Ending>> {
    let scripts: Vec<Script> = serde_json::from_str(include_str!("../../../events/demo.json"))
        .context("events/demo.json")?;
    let address = cloud
        .http_address()
        .ok_or_else(|| anyhow!("the demo needs the HTTP port"))?;
    let stage = Stage {
        http: HttpClient::new(address),
        store: store(cloud, "demo")?,
        say: &say,
    };
    stage.subscribe().await?;
    let plays = scripts.iter().enumerate().map(|(n, script)| {
        let stage = &stage;
        async move {
            tokio::time::sleep(APART * u32::try_from(n).unwrap_or(0)).await;
            stage.play(script).await
        }
    });
    let results = join_all(plays).await;
    // The hourly look at what runs low, now.
    let restock = cloud.invoke("check-restock", json!({"now": true})).await?;
    say(&format!(
        "levels that run low or are out: {}, suppliers and team told of {}",
        restock["crossed"], restock["told"]
    ));
    cloud.idle().await;
    say(&format!(
        "events that are on a bus for other systems: {}",
        cloud.services().events.events().len()
    ));
    Ok(results)
}

struct Stage<'a, S> {
    http: HttpClient,
    store: Store,
    say: &'a S,
}

impl<S: Fn(&str)> Stage<'_, S> {
    /// Has another system hear of all that happens, by a bus: there is no other server here to be told.
    async fn subscribe(&self) -> Result<()> {
        let wish = json!({"event_bus": true}).to_string();
        let path = "/subscribers/reporting";
        self.ask(Method::PUT, path, None, wish).await.map(drop)
    }

    async fn play(&self, script: &Script) -> Ending {
        let mut result = Ending {
            number: String::new(),
            id: String::new(),
            channel: script.via.clone(),
            expected: script.expected.clone(),
            status: "not accepted".into(),
            payment_status: String::new(),
            by_measure: false,
            ok: false,
            problem: None,
        };
        match self.act(script, &mut result).await {
            Ok(()) => result.ok = result.status == result.expected,
            Err(error) => result.problem = Some(format!("{error:#}")),
        }
        result
    }

    async fn act(&self, script: &Script, result: &mut Ending) -> Result<()> {
        let receipt = self.send(script).await?;
        let id = receipt["id"].as_str().and_then(OrderId::parse);
        let id = id.ok_or_else(|| anyhow!("the order was not taken: {receipt}"))?;
        result.id = id.to_string();
        result.number = receipt["number"].as_str().unwrap_or_default().to_owned();
        let name = format!("{:>7} {:<7}", script.via, format!("#{}", result.number));
        let (mut told, started) = (0, Instant::now());
        loop {
            let story = self
                .store
                .load_story(&id)
                .await?
                .ok_or_else(|| anyhow!("order {id} is gone"))?;
            for entry in story.timeline.entries.iter().skip(told) {
                let text = entry.event.describe(story.order.currency);
                (self.say)(&format!("{name} {text}"));
                told += 1;
            }
            let order = story.order;
            result.status = order.status().to_owned();
            result.payment_status = order.payment_status().to_owned();
            result.by_measure = order.lines.iter().any(|line| line.decimals > 0);
            if order.status() == script.expected && at_rest(&order) {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                bail!(
                    "it waits for: {}",
                    domain::view::waiting_for(&order).join("; ")
                );
            }
            self.do_next(script.story, &order).await?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Sends the order in, as its channel does: webhooks twice, because that is what happens.
    async fn send(&self, script: &Script) -> Result<Value> {
        let body = ORDERS.iter().find(|(name, _)| *name == script.file);
        let body = body
            .ok_or_else(|| anyhow!("{} is not among the sample orders", script.file))?
            .1;
        // The samples are of one day; a shop writes the present.
        let body = body.replace(SAMPLE_TIME, &jiff::Timestamp::now().to_string());
        if script.via == "api" {
            return self.post("/orders", Some(&script.key), body).await;
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(DEMO_ACCOUNT.2.as_bytes())?;
        mac.update(body.as_bytes());
        let signature = BASE64.encode(&mac.finalize().into_bytes());
        let headers = [
            ("x-shopify-topic", "orders/create"),
            ("x-shopify-hmac-sha256", &signature),
        ];
        let path = format!("/webhooks/{}/{}", script.via, script.account);
        let mut receipt = Value::Null;
        for _ in 0..2 {
            let (status, answer) = self
                .http
                .send(Method::POST, &path, &headers, body.clone())
                .await?;
            if status != 200 {
                bail!("{path} answered {status}: {answer}");
            }
            receipt = answer;
        }
        Ok(receipt)
    }

    /// Does what the people of the story would do now.
    async fn do_next(&self, story: Story, order: &Order) -> Result<()> {
        let id = &order.id;
        let told = |n| !order.notices.contains(&Notice::Pick(n));
        for f in order.fulfillments.iter().filter(|f| told(f.n)) {
            let path = |report: &str| format!("/fulfillments/{id}-{}/{report}", f.n);
            match (f.status, story) {
                (FulfillmentStatus::Released, Story::Cancel) => {
                    let reason = json!({"reason": "the customer changed their mind"});
                    self.post(&format!("/orders/{id}/cancel"), None, reason.to_string())
                        .await?;
                }
                (FulfillmentStatus::Released, _) => {
                    self.post(&path("accepted"), None, String::new()).await?;
                }
                (FulfillmentStatus::Accepted, _) => {
                    self.post(&path("packed"), None, String::new()).await?;
                }
                (FulfillmentStatus::Shipped, _) => {
                    self.post(&path("delivered"), None, String::new()).await?;
                }
                _ => {}
            }
        }
        if story == Story::Return && order.status() == "delivered" && order.returns.is_empty() {
            let all = |line: &domain::Line| json!({"line": line.id, "quantity": line.quantity(line.units.delivered)});
            let lines: Vec<Value> = order.lines.iter().map(all).collect();
            let body = json!({"lines": lines}).to_string();
            self.post(&format!("/orders/{id}/returns"), Some("demo-return"), body)
                .await?;
        }
        for r in order.returns.iter().filter(|r| r.is_coming()) {
            self.post(
                &format!("/returns/{id}-R{}/received", r.n),
                None,
                String::new(),
            )
            .await?;
        }
        let awaiting = |r: &&domain::order::Refund| r.status == RefundStatus::AwaitingConfirmation;
        for r in order.refunds.iter().filter(awaiting) {
            self.post(
                &format!("/refunds/{id}-F{}/confirmed", r.n),
                None,
                String::new(),
            )
            .await?;
        }
        Ok(())
    }

    async fn post(&self, path: &str, key: Option<&str>, body: String) -> Result<Value> {
        self.ask(Method::POST, path, key, body).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: String,
    ) -> Result<Value> {
        let bearer = format!("Bearer {DEMO_KEY}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let (status, answer) = self.http.send(method, path, &headers, body.clone()).await?;
        match status {
            200..=299 => Ok(answer),
            _ => bail!("{path} answered {status}: {answer}"),
        }
    }
}

/// Nothing is owed to the order, and no money is on its way.
fn at_rest(order: &Order) -> bool {
    owed(order).is_empty() && order.refunds.iter().all(|r| r.status == RefundStatus::Paid)
}
