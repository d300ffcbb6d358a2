//! The shop, and what its users do.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64;
use domain::id::sha256_hex;
use domain::{Order, OrderId};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use jiff::Timestamp;
use local::client::sdk_config;
use local::cloud::{Cloud, Options};
use local::http_client::HttpClient;
use local::seed::{DEMO_ACCOUNT, DEMO_KEY, sample_retailer};
use local::services::sqs::Outgoing;
use local::{built_in, seed};
use serde_json::{Value, json};
use sha2::Sha256;
use store::{Created, Store};

use crate::audit::order_ids;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// A request without a body.
pub const WITHOUT_BODY: &str = "";

/// What came back: the status, and the body if it is JSON.
pub type Answer = (u16, Value);

/// What there is of a SKU in a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Units physically there.
    pub on_hand: i64,
    /// Of these, units set aside.
    pub allocated: i64,
    /// Units that may be promised; below zero by what was promised and is not there.
    pub available: i64,
}

/// A retailer's whole system.
pub struct Shop {
    /// The cloud that it runs in.
    pub cloud: Cloud,
    /// Its tables, for what the API does not show.
    pub store: Store,
    pub(crate) http: HttpClient,
}

impl Shop {
    /// The sample retailer in a new cloud, in memory, whose queues wait for nothing.
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// The sample retailer in a cloud with other options.
    pub async fn open_with(change: impl FnOnce(&mut Options)) -> Self {
        let template = include_str!("../../../infra/template.yaml");
        let mut options = Options::new(template, built_in::functions());
        options.http = Some(0);
        options.parameters = BTreeMap::from([
            ("BatchingWindow".into(), "0".into()),
            ("OrdersPerBatch".into(), "10".into()),
        ]);
        change(&mut options);
        let cloud = Cloud::start(options).await.unwrap();
        sample_retailer(&cloud).await.unwrap();
        Self {
            http: HttpClient::new(cloud.http_address().unwrap()),
            store: seed::store(&cloud, "test").unwrap(),
            cloud,
        }
    }

    /// Sends any request.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let answer = self.http.send(method, path, headers, body.into());
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        answer
            .unwrap_or_else(|_| panic!("no answer from {path}"))
            .unwrap()
    }

    /// Asks as the bearer of a key.
    pub async fn get_as(&self, key: &str, path: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        self.send(Method::GET, path, &headers, WITHOUT_BODY).await
    }

    /// Asks as the operator, and expects to be told.
    pub async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.get_as(DEMO_KEY, path).await;
        assert_eq!(status, 200, "GET {path}: {answer}");
        answer
    }

    /// Posts as the bearer of a key; `name` is the idempotency key, if not empty.
    pub async fn post_as(
        &self,
        key: &str,
        path: &str,
        name: &str,
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let bearer = format!("Bearer {key}");
        let mut headers = vec![("authorization", bearer.as_str())];
        if !name.is_empty() {
            headers.push(("idempotency-key", name));
        }
        self.send(Method::POST, path, &headers, body).await
    }

    /// Posts as the operator.
    pub async fn try_post(&self, path: &str, name: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.post_as(DEMO_KEY, path, name, body).await
    }

    /// Posts as the operator, expects success, and waits until all that follows has happened.
    pub async fn post(&self, path: &str, name: &str, body: impl Into<Vec<u8>>) -> Value {
        let (status, answer) = self.try_post(path, name, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        self.settle().await;
        answer
    }

    /// Posts as the operator for a picture.
    pub async fn picture(&self, path: &str, body: &'static str) -> String {
        let bearer = format!("Bearer {DEMO_KEY}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("accept", "image/svg+xml"),
        ];
        let picture = self.http.text(Method::POST, path, &headers, body);
        picture.await.unwrap()
    }

    /// Puts documents as the operator, and expects success.
    pub async fn put(&self, path: &str, documents: Value) {
        let (status, answer) = self.try_put(path, documents).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }

    /// Puts documents as the operator.
    pub async fn try_put(&self, path: &str, documents: Value) -> Answer {
        let bearer = format!("Bearer {DEMO_KEY}");
        let headers = [("authorization", bearer.as_str())];
        self.send(Method::PUT, path, &headers, documents.to_string())
            .await
    }

    /// Delivers a webhook as the shop of the sample retailer signs it.
    pub async fn webhook(&self, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        let signature = sign(DEMO_ACCOUNT.2, &body);
        self.signed("demo", "orders/create", &signature, body).await
    }

    /// Delivers a webhook with a signature.
    pub async fn signed(
        &self,
        account: &str,
        topic: &str,
        signature: &str,
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let headers = [
            ("x-shopify-topic", topic),
            ("x-shopify-hmac-sha256", signature),
        ];
        let path = format!("/webhooks/shopify/{account}");
        self.send(Method::POST, &path, &headers, body).await
    }

    /// Places an order through the API under an idempotency key, waits until it rests, and gives its id.
    pub async fn place(&self, name: &str, document: &Value) -> String {
        let receipt = self.post("/orders", name, document.to_string()).await;
        receipt["id"].as_str().unwrap().to_owned()
    }

    /// Stores an order as accept-order does, and tells nobody: as if it had died before its first hint.
    pub async fn store_in_silence(&self, name: &str, document: &Value) -> String {
        let body = document.to_string();
        let now = Timestamp::now();
        let mut new = channels::api::parse(body.as_bytes(), "default", name, now).unwrap();
        new.contact.fingerprint = sha256_hex(body.as_bytes());
        let skus: Vec<&str> = new.skus().into_iter().collect();
        let products = self.store.products(&skus).await.unwrap();
        let known = products.into_iter().map(|product| product.sku).collect();
        let (order, contact) = new.accept(&known, now);
        let order = Arc::new(order);
        let created = self.store.create_order(&order, &contact).await.unwrap();
        assert!(matches!(created, Created::New));
        order.id.to_string()
    }

    /// An order as the API shows it.
    pub async fn order(&self, id: &str) -> Value {
        self.get(&format!("/orders/{id}")).await
    }

    /// The status of an order.
    pub async fn status(&self, id: &str) -> String {
        self.order(id).await["status"].as_str().unwrap().to_owned()
    }

    /// An order as it is stored.
    pub async fn stored(&self, id: &str) -> Order {
        let id = OrderId::parse(id).unwrap();
        Arc::unwrap_or_clone(self.store.load_order(&id).await.unwrap().unwrap())
    }

    /// The types of an order's events, in order.
    pub async fn events(&self, id: &str) -> Vec<String> {
        let (mut types, mut after) = (Vec::new(), 0);
        loop {
            let page = self
                .get(&format!("/orders/{id}/events?after={after}"))
                .await;
            for event in page["events"].as_array().unwrap() {
                assert_eq!(event["sequence"], types.len() + 1, "a gap in {page}");
                types.push(event["type"].as_str().unwrap().to_owned());
            }
            match page["next"].as_u64() {
                Some(next) => after = next,
                None => return types,
            }
        }
    }

    /// Reports on a fulfillment order as its warehouse does, and waits until all that follows has happened.
    pub async fn report(&self, id: &str, n: u32, report: &str, body: impl Into<Vec<u8>>) -> Value {
        let path = format!("/fulfillments/{id}-{n}/{report}");
        self.post(&path, "", body).await
    }

    /// Packs a fulfillment order with all that is in it, and brings it to the customer.
    pub async fn deliver(&self, id: &str, n: u32) {
        self.report(id, n, "packed", WITHOUT_BODY).await;
        self.report(id, n, "delivered", WITHOUT_BODY).await;
    }

    /// What there is of a SKU in a location; nothing where there never was any.
    pub async fn level(&self, sku: &str, location: &str) -> Level {
        let stock = self.get(&format!("/stock/{sku}")).await;
        let levels = stock["levels"].as_array().unwrap();
        let level = levels.iter().find(|level| level["location"] == location);
        let number = |name| level.map_or(0, |level| level[name].as_i64().unwrap());
        Level {
            on_hand: number("on_hand"),
            allocated: number("allocated"),
            available: number("available") - number("shortfall"),
        }
    }

    /// Reports goods received (`receive`) or a count that differs (`adjust`).
    pub async fn adjust(&self, sku: &str, name: &str, location: &str, kind: &str, quantity: i64) {
        let report = json!({
            "location": location, "kind": kind, "quantity": quantity, "reason": "counted",
        });
        let path = format!("/stock/{sku}/adjustments");
        self.post(&path, name, report.to_string()).await;
    }

    /// The mails about an order in the order in which they went out: which notice, and to whom.
    pub fn mails(&self, id: &str) -> Vec<(String, String)> {
        let mails = self.cloud.services().ses.mails().into_iter();
        let about = mails.filter_map(|mail| {
            let notice = key_of(&mail.tags)
                .strip_prefix(&format!("{id}-"))?
                .to_owned();
            Some((notice, mail.to.join(",")))
        });
        about.collect()
    }

    /// The text of the one mail of an order's notice.
    pub fn mail(&self, id: &str, notice: &str) -> String {
        let mails = self.cloud.services().ses.mails().into_iter();
        let key = format!("{id}-{notice}");
        let mut found = mails.filter(|mail| key_of(&mail.tags) == key);
        let mail = found.next().unwrap_or_else(|| panic!("no mail {key}"));
        assert!(found.next().is_none(), "{key} was sent twice");
        assert!(mail.html.is_some_and(|html| html.contains("<html")));
        format!("{}\n{}", mail.subject, mail.text.unwrap())
    }

    /// Runs the sweeper over everything that is owed work, however young, and waits for what follows.
    pub async fn sweep(&self) -> Value {
        let wish = json!({"older_than_s": 0});
        let swept = self.cloud.invoke("sweep-orders", wish).await.unwrap();
        self.settle().await;
        swept
    }

    /// Sends a message to the queue of a step.
    pub fn hint(&self, step: &str, body: impl Into<String>) {
        let sqs = &self.cloud.services().sqs;
        let queues = sqs.queues();
        let queue = queues.iter().find(|queue| queue.name().ends_with(step));
        let outgoing = Outgoing {
            body: body.into(),
            ..Outgoing::default()
        };
        sqs.send(queue.unwrap(), outgoing).unwrap();
    }

    /// Waits until no function runs and no message waits.
    pub async fn settle(&self) {
        let idle = tokio::time::timeout(PATIENCE, self.cloud.idle());
        if idle.await.is_err() {
            panic!("it does not come to rest: {:?}", self.cloud.queue_depths());
        }
    }

    /// The messages that were put aside for a person: of which step, and why.
    pub fn parked(&self) -> Vec<(String, String)> {
        let queues = self.cloud.services().sqs.queues().into_iter();
        let messages = queues
            .filter(|queue| queue.redrive().is_none())
            .flat_map(|queue| queue.peek(1000));
        let attribute = |message: &local::services::sqs::Message, name: &str| {
            let attribute = message.attributes.get(name);
            attribute
                .and_then(|a| a.string_value.clone())
                .unwrap_or_default()
        };
        let described = messages.map(|peeked| {
            let message = &peeked.message;
            (attribute(message, "step"), attribute(message, "reason"))
        });
        described.collect()
    }

    /// The whole name of a table.
    pub fn table(&self, name: &str) -> &str {
        let tables = &self.cloud.template().tables;
        let table = tables.iter().find(|table| table.name.ends_with(name));
        &table.unwrap().name
    }

    /// A client of the database, past the API.
    pub fn db(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&sdk_config(self.cloud.services(), "test"))
    }

    /// Every item of a table.
    pub async fn items(&self, table: &str) -> Vec<HashMap<String, AttributeValue>> {
        let scan = self
            .db()
            .scan()
            .table_name(self.table(table))
            .into_paginator();
        let items = scan.items().send().collect::<Result<Vec<_>, _>>().await;
        items.unwrap()
    }

    /// The deliveries that were kept for a person: why each.
    pub async fn kept(&self) -> Vec<String> {
        let text = |value: &AttributeValue| value.as_s().unwrap().clone();
        let items = self.items("orders").await.into_iter();
        let kept = items.filter(|item| text(&item["entity"]) == "unreadable");
        kept.map(|item| text(&item["reason"])).collect()
    }

    /// The ids of all orders.
    pub async fn order_ids(&self) -> Vec<OrderId> {
        order_ids(&self.db(), self.table("orders")).await
    }

    /// Comes to rest, holds the books to their rules, and closes.
    pub async fn close(self) {
        self.settle().await;
        assert_eq!(self.parked(), [], "nothing may be left for a person");
        self.close_with_parked().await;
    }

    /// As [`close`](Self::close), for a test that has looked at what is parked.
    pub async fn close_with_parked(self) {
        self.settle().await;
        self.audit().await;
        self.cloud.stop().await;
    }
}

/// The type of a problem, by the end of its name.
pub fn problem(kind: &str) -> Value {
    json!(format!("urn:waybill:problem:{kind}"))
}

/// The JSON pointers of what is wrong with a document, which has to be refused for that.
pub fn pointers((status, answer): &Answer) -> Vec<String> {
    let given = (*status, &answer["type"]);
    assert_eq!(given, (422, &problem("invalid")), "{answer}");
    let errors = answer["errors"].as_array().unwrap().iter();
    let pointers = errors.map(|error| {
        assert_ne!(error["detail"], "", "{answer}");
        error["pointer"].as_str().unwrap().to_owned()
    });
    pointers.collect()
}

/// The tag that says which message a mail is.
pub(crate) fn key_of(tags: &[(String, String)]) -> &str {
    let tag = tags.iter().find(|(name, _)| name == "waybill-key");
    tag.map_or("", |(_, key)| key)
}

/// A body's signature as Shopify makes it.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    BASE64.encode(&mac.finalize().into_bytes())
}
