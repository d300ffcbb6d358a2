//! Clients as real channels are: they send again until they are answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use end_to_end::sign;
use http::Method;
use local::http_client::{Answer, HttpClient};
use local::seed::{DEMO_ACCOUNT, DEMO_KEY};
use serde_json::Value;
use tokio::sync::{Barrier, watch};

use crate::PATIENCE;

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a client waits before it tries again.
const PAUSE: Duration = Duration::from_millis(20);

/// A request of the operator, or a webhook of the sample retailer's shop.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Request {
    /// Any request of the operator.
    pub fn new(method: Method, path: impl Into<String>, body: impl ToString) -> Self {
        Self {
            method,
            path: path.into(),
            headers: vec![("authorization", format!("Bearer {DEMO_KEY}"))],
            body: body.to_string(),
        }
    }

    /// A question.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, "")
    }

    /// A post, with an idempotency key if that is not empty.
    pub fn post(path: impl Into<String>, key: &str, body: impl ToString) -> Self {
        let mut request = Self::new(Method::POST, path, body);
        if !key.is_empty() {
            request.headers.push(("idempotency-key", key.to_owned()));
        }
        request
    }

    /// An order of our own API.
    pub fn order(key: &str, document: &Value) -> Self {
        Self::post("/orders", key, document)
    }

    /// A webhook, signed.
    pub fn webhook(document: &Value) -> Self {
        let (channel, account, secret) = DEMO_ACCOUNT;
        let body = document.to_string();
        let headers = vec![
            ("x-shopify-topic", "orders/create".to_owned()),
            ("x-shopify-hmac-sha256", sign(secret, body.as_bytes())),
        ];
        Self {
            method: Method::POST,
            path: format!("/webhooks/{channel}/{account}"),
            headers,
            body,
        }
    }

    /// Goods received (`receive`) or a count that differs (`adjust`).
    pub fn stock(sku: &str, key: &str, location: &str, kind: &str, quantity: i64) -> Self {
        let report = serde_json::json!({
            "location": location, "kind": kind, "quantity": quantity, "reason": "counted",
        });
        Self::post(format!("/stock/{sku}/adjustments"), key, report)
    }
}

/// A client that follows the binary from start to start.
#[derive(Debug, Clone)]
pub struct Client {
    address: watch::Receiver<Option<SocketAddr>>,
    http: Option<(SocketAddr, HttpClient)>,
    /// How often it had to send something again.
    pub repeats: u64,
    /// How long it tries.
    pub patience: Duration,
}

impl Client {
    /// A client of whatever address is announced.
    pub fn new(address: watch::Receiver<Option<SocketAddr>>) -> Self {
        Self {
            address,
            http: None,
            repeats: 0,
            patience: PATIENCE,
        }
    }

    /// A client of one address.
    pub fn at(address: SocketAddr) -> Self {
        let (_, receiver) = watch::channel(Some(address));
        Self::new(receiver)
    }

    /// Sends once; nothing if there was no answer.
    pub async fn try_send(&mut self, request: &Request) -> Option<Answer> {
        let address = (*self.address.borrow())?;
        let known = self.http.take().filter(|(known, _)| *known == address);
        let (_, http) = self
            .http
            .insert(known.unwrap_or_else(|| (address, HttpClient::new(address))));
        let headers: Vec<(&str, &str)> = request
            .headers
            .iter()
            .map(|(n, v)| (*n, v.as_str()))
            .collect();
        let sent = http.send(
            request.method.clone(),
            &request.path,
            &headers,
            request.body.clone(),
        );
        tokio::time::timeout(ANSWER, sent).await.ok()?.ok()
    }

    /// Sends until there is an answer that is not the server's failure.
    pub async fn send(&mut self, request: &Request) -> Answer {
        let started = Instant::now();
        loop {
            match self.try_send(request).await {
                Some(answer) if answer.0 < 500 => return answer,
                last => assert!(started.elapsed() < self.patience, "{request:?}: {last:?}"),
            }
            self.repeats += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends until it is taken.
    pub async fn ask(&mut self, request: &Request) -> Value {
        let (status, answer) = self.send(request).await;
        assert!(
            (200..300).contains(&status),
            "{request:?}: {status} {answer}"
        );
        answer
    }

    /// Asks for something until it is as wanted.
    pub async fn wait_for(&mut self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let answer = self.ask(&Request::get(path)).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(
                started.elapsed() < self.patience,
                "{path} stays at {answer}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Sends every request from a client of its own, all at once. A client that is told to try again does.
pub async fn at_once(address: SocketAddr, requests: Vec<Request>) -> Vec<Answer> {
    let barrier = Arc::new(Barrier::new(requests.len()));
    let clients: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let barrier = barrier.clone();
            tokio::spawn(async move {
                let mut client = Client::at(address);
                // The connection is opened before.
                client.ask(&Request::get("/warehouses")).await;
                barrier.wait().await;
                client.send(&request).await
            })
        })
        .collect();
    let answers = futures::future::join_all(clients).await;
    answers.into_iter().map(Result::unwrap).collect()
}
