//! A shop on a local cloud: signed orders in, reports of its warehouse, over HTTP.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use data_encoding::BASE64;
use domain::OrderId;
use domain::catalog::Location;
use domain::limits::MAX_TRANSACTION_ACTIONS;
use domain::stock::{LevelChange, Movement, MovementKind};
use futures::future::try_join_all;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use jiff::Timestamp;
use local::cloud::{Cloud, Options};
use local::http_client::HttpClient;
use local::seed::{self, DEMO_ACCOUNT, DEMO_KEY};
use serde_json::{Value, json};
use sha2::Sha256;
use store::{Commit, Store};

use super::{copies, meter};

/// The warehouse nearest to where all orders go; it has all that they ask for.
const WAREHOUSE: &str = "hamburg";
/// Units of each article in that warehouse: more than a run can sell.
const STOCK: u32 = 100_000;
/// Between two tries of a report that came before its time.
const AGAIN: Duration = Duration::from_millis(1);

const TEMPLATE: &str = include_str!("../../../../infra/template.yaml");
const ORDER: &str = include_str!("../../../../events/orders/shopify-1001-berlin.json");
const OPENING: &str = include_str!("../../../../events/retailer/stock.json");
const PRODUCTS: &str = include_str!("../../../../events/retailer/products.json");

/// What distinguishes one shop from another.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Seconds that every queue waits for a batch of ten to fill; 0: takes what there is.
    pub window: u32,
    /// Where the tables are kept; `None` keeps them in memory.
    pub data: Option<PathBuf>,
    /// Whether each AWS call is recorded.
    pub traces: bool,
    /// Whether all orders are for the same two articles.
    pub one_pair: bool,
    /// Warehouses, if more than the sample retailer has: the others are far off, and have everything too.
    pub warehouses: usize,
    /// Orders that the tables have already had.
    pub sold: u64,
}

/// A delivery of an order, as Shopify signs it.
pub struct Webhook {
    body: Bytes,
    signature: String,
}

/// A shop that is open.
pub struct Shop {
    cloud: Cloud,
    http: HttpClient,
    store: Store,
    articles: Vec<String>,
    sold: AtomicU64,
    one_pair: bool,
}

impl Shop {
    /// Brings up a cloud with the sample retailer and plenty of stock.
    pub async fn open(setting: Setting) -> Result<Self> {
        let mut options = Options::new(template(), meter::functions(setting.traces)?);
        options.http = Some(0);
        options.data = setting.data;
        let window = setting.window.to_string();
        options.parameters.insert("BatchingWindow".into(), window);
        // Waves come in tens to every queue; and more than ten have to be waited for.
        let ten = "10".into();
        options.parameters.insert("OrdersPerBatch".into(), ten);
        let cloud = Cloud::start(options).await?;
        seed::sample_retailer(&cloud).await?;
        let address = cloud.http_address().context("the cloud has no HTTP port")?;
        let shop = Self {
            http: HttpClient::new(address),
            store: seed::store(&cloud, "bench")?,
            articles: articles()?,
            sold: AtomicU64::new(setting.sold),
            one_pair: setting.one_pair,
            cloud,
        };
        shop.build_warehouses(setting.warehouses).await?;
        let receipts = shop.articles.iter().map(|sku| shop.receive(sku));
        try_join_all(receipts).await?;
        shop.cloud.idle().await;
        Ok(shop)
    }

    async fn build_warehouses(&self, count: usize) -> Result<()> {
        let known = self.store.locations().await?;
        let like = known.first().context("there is no warehouse")?;
        for n in known.len()..count {
            let location = Location {
                id: format!("far-{n}"),
                latitude: -40.0 + n as f64 / 10.0,
                longitude: 170.0,
                ..like.clone()
            };
            self.store.put_location(&location).await?;
            let received = |sku: &String| LevelChange {
                sku: sku.clone(),
                location: location.id.clone(),
                share: 0,
                shares: 0,
                movements: vec![Movement {
                    kind: MovementKind::Receive,
                    quantity: i64::from(STOCK),
                    cause: "opening".into(),
                    at: Timestamp::UNIX_EPOCH,
                }],
                kept: 0,
            };
            for articles in self.articles.chunks(MAX_TRANSACTION_ACTIONS) {
                let commit = Commit {
                    changes: articles.iter().map(received).collect(),
                    ..Commit::default()
                };
                self.store.transact(commit).await?;
            }
        }
        Ok(())
    }

    /// Fills the tables as if each order had come so often again; the ids of some of those. Its cloud has to be stopped.
    pub async fn copy_orders(&self, times: u64) -> Result<Vec<String>> {
        let tables = &self.cloud.template().tables;
        let table = |name: &str| {
            let table = tables.iter().find(|table| table.name.ends_with(name));
            table
                .map(|table| table.name.as_str())
                .with_context(|| format!("there is no table {name}"))
        };
        let tables = [table("orders")?, table("stock")?];
        let database = self.cloud.services().dynamodb.database();
        copies::fill(database, &self.store, tables, times).await
    }

    /// Fails unless every level agrees with its ledger.
    pub async fn reconcile(&self) -> Result<()> {
        loop {
            let event = json!({"now": true});
            let told = self.cloud.invoke("reconcile-stock", event).await?;
            ensure!(told["differences"] == 0, "the books are wrong: {told}");
            if told["done"] == true {
                return Ok(());
            }
        }
    }

    /// The cloud that it is on.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    async fn receive(&self, sku: &str) -> Result<()> {
        let body = json!({"kind": "receive", "location": WAREHOUSE, "quantity": STOCK});
        let path = format!("/stock/{sku}/adjustments");
        let (status, answer) = self.post(&path, Some("top-up"), body.to_string()).await?;
        ensure!(status == 202, "{path} answered {status}: {answer}");
        Ok(())
    }

    /// Sends the next order in, as Shopify does, and gives its id.
    pub async fn send_order(&self) -> Result<String> {
        let (status, id) = self.deliver(&self.next_webhook()?).await?;
        id.ok_or_else(|| anyhow!("the order was not taken: {status}"))
    }

    /// The webhook of the next order.
    pub fn next_webhook(&self) -> Result<Webhook> {
        let body = self.next_order()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(DEMO_ACCOUNT.2.as_bytes())?;
        mac.update(body.as_bytes());
        Ok(Webhook {
            signature: BASE64.encode(&mac.finalize().into_bytes()),
            body: body.into(),
        })
    }

    /// Delivers a webhook; the status, and the id of the order if it was taken.
    pub async fn deliver(&self, webhook: &Webhook) -> Result<(u16, Option<String>)> {
        let (channel, account, _) = DEMO_ACCOUNT;
        let headers = [
            ("x-shopify-topic", "orders/create"),
            ("x-shopify-hmac-sha256", &webhook.signature),
        ];
        let path = format!("/webhooks/{channel}/{account}");
        let sent = self
            .http
            .send(Method::POST, &path, &headers, webhook.body.clone());
        let (status, answer) = sent.await?;
        let id = answer["id"].as_str().filter(|_| status == 200);
        Ok((status, id.map(str::to_owned)))
    }

    /// Reports what the warehouse has done with an order; again when it comes before its time.
    pub async fn report(&self, order: &str, report: &str) -> Result<()> {
        let path = format!("/fulfillments/{order}-1/{report}");
        loop {
            let (status, answer) = self.post(&path, None, String::new()).await?;
            match status {
                200 => return Ok(()),
                409 => tokio::time::sleep(AGAIN).await,
                _ => return Err(anyhow!("{path} answered {status}: {answer}")),
            }
        }
    }

    async fn post(&self, path: &str, key: Option<&str>, body: String) -> Result<(u16, Value)> {
        let bearer = format!("Bearer {DEMO_KEY}");
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        self.http.send(Method::POST, path, &headers, body).await
    }

    /// An order for one unit of one article and two of another.
    fn next_order(&self) -> Result<String> {
        let n = self.sold.fetch_add(1, Ordering::Relaxed);
        let kinds = self.articles.len() as u64;
        let (first, apart) = match self.one_pair {
            true => (0, 1),
            // All pairs in turn.
            false => (n % kinds, 1 + n / kinds % (kinds - 1)),
        };
        let pair = [first, (first + apart) % kinds];
        let mut order: Value = serde_json::from_str(ORDER)?;
        let id = 7_200_000_000_000 + n;
        order["id"] = id.into();
        order["admin_graphql_api_id"] = format!("gid://shopify/Order/{id}").into();
        order["name"] = format!("#{}", 10_000 + n).into();
        order["order_number"] = (10_000 + n).into();
        for (place, article) in pair.into_iter().enumerate() {
            let line = &mut order["line_items"][place];
            let id = 17_000_000_000_000 + 2 * n + place as u64;
            line["id"] = id.into();
            line["admin_graphql_api_id"] = format!("gid://shopify/LineItem/{id}").into();
            line["sku"] = self.articles[usize::try_from(article)?].as_str().into();
        }
        Ok(order.to_string())
    }

    /// The ids of all orders, of which none may be owed anything.
    pub async fn orders_at_rest(&self) -> Result<BTreeSet<String>> {
        let (mut ids, mut from) = (BTreeSet::new(), None);
        loop {
            let (orders, next) = self.store.scan_orders(from).await?;
            for order in orders {
                let rest = domain::owed::owed(&order);
                ensure!(rest.is_empty(), "order {} is owed {rest:?}", order.id);
                ids.insert(order.id.to_string());
            }
            from = next;
            if from.is_none() {
                return Ok(ids);
            }
        }
    }

    /// Fails unless every order was delivered, nothing is owed to it, and no message was given up.
    pub async fn check(&self, orders: &[String]) -> Result<()> {
        for id in orders {
            let parsed = OrderId::parse(id).ok_or_else(|| anyhow!("{id} is no order id"))?;
            let order = self.store.load_order(&parsed).await?;
            let order = order.ok_or_else(|| anyhow!("order {id} is gone"))?;
            let rest = domain::owed::owed(&order);
            ensure!(
                order.status() == "delivered" && rest.is_empty(),
                "order {id} is {} and is owed {rest:?}",
                order.status()
            );
        }
        for (queue, depth) in self.cloud.queue_depths() {
            let messages = depth.total();
            ensure!(messages == 0, "{messages} messages are left in {queue}");
        }
        Ok(())
    }
}

/// The template, every queue of it with the batching window that some have.
fn template() -> String {
    const SIZE: &str = "      BatchSize: 10\n";
    const WINDOW: &str = "      MaximumBatchingWindowInSeconds: {Ref: BatchingWindow}\n";
    let once = format!("{SIZE}{WINDOW}");
    TEMPLATE.replace(&once, SIZE).replace(SIZE, &once)
}

/// The articles that the warehouse has and sells by the piece, as the order wants them.
fn articles() -> Result<Vec<String>> {
    let opening: Vec<Value> =
        serde_json::from_str(OPENING).context("events/retailer/stock.json")?;
    let here = opening
        .iter()
        .filter(|level| level["location"] == WAREHOUSE);
    let products: Vec<Value> =
        serde_json::from_str(PRODUCTS).context("events/retailer/products.json")?;
    let by_measure = |sku: &str| {
        let mut products = products.iter();
        products.any(|product| product["sku"] == sku && !product["decimals"].is_null())
    };
    let articles: BTreeSet<&str> = here
        .filter_map(|level| level["sku"].as_str())
        .filter(|sku| !by_measure(sku))
        .collect();
    ensure!(
        articles.len() > 1,
        "{WAREHOUSE} has fewer than two articles"
    );
    Ok(articles.into_iter().map(str::to_owned).collect())
}
