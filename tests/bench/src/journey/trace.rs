//! Every AWS call of a function, one by one: what it was about, what it cost, how it ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use dynoxide::types::{Item, item_size};
use serde_json::{Value, json};

/// One AWS call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function.
    pub caller: &'static str,
    /// For instance `dynamodb.PutItem`.
    pub operation: String,
    /// The items or the queue.
    pub about: String,
    /// DynamoDB units, written and read; unknown for a call that failed.
    pub units: f64,
    /// The error's name.
    pub error: Option<String>,
    /// Bytes of the largest order item among what is written, by DynamoDB's rule.
    pub order_bytes: usize,
}

static CALLS: Mutex<Vec<Call>> = Mutex::new(Vec::new());

fn calls() -> MutexGuard<'static, Vec<Call>> {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calls since the last time.
pub fn take() -> Vec<Call> {
    std::mem::take(&mut *calls())
}

/// A configuration whose clients' calls are recorded.
pub fn traced(aws: SdkConfig, caller: &'static str) -> SdkConfig {
    let Some(inner) = aws.http_client() else {
        return aws;
    };
    aws.to_builder()
        .http_client(Traced { inner, caller })
        .build()
}

#[derive(Debug)]
struct Traced {
    inner: SharedHttpClient,
    caller: &'static str,
}

impl HttpClient for Traced {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            inner: self.inner.http_connector(settings, components),
            caller: self.caller,
        })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    caller: &'static str,
}

impl HttpConnector for Connector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let caller = self.caller;
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = match target.split_once('.') {
            Some(("DynamoDB_20120810", operation)) => format!("dynamodb.{operation}"),
            Some(("AmazonSQS", operation)) => format!("sqs.{operation}"),
            Some((service, operation)) => format!("{service}.{operation}"),
            None => "ses.SendEmail".to_owned(),
        };
        let bytes = request.body().bytes().unwrap_or_default();
        let mut body: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let about = about(&operation, &body);
        let order_bytes = order_bytes(&body);
        if operation.starts_with("dynamodb.") {
            body["ReturnConsumedCapacity"] = json!("TOTAL");
            *request.body_mut() = SdkBody::from(body.to_string());
        }
        let answering = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answering.await?;
            let body: Value = serde_json::from_slice(answer.body().bytes().unwrap_or_default())
                .unwrap_or_default();
            calls().push(Call {
                caller,
                operation,
                about,
                units: units(&body["ConsumedCapacity"]),
                error: error(answer.status().as_u16(), &body),
                order_bytes,
            });
            Ok(answer)
        })
    }
}

/// Units of one table, or the sum of several.
fn units(cost: &Value) -> f64 {
    match cost {
        Value::Array(costs) => costs.iter().map(units).sum(),
        cost => cost["CapacityUnits"].as_f64().unwrap_or_default(),
    }
}

fn error(status: u16, body: &Value) -> Option<String> {
    if (200..300).contains(&status) {
        return None;
    }
    let name = body["__type"].as_str().unwrap_or("unknown");
    let name = name.rsplit('#').next().unwrap_or(name);
    let codes = body["CancellationReasons"].as_array().map(|reasons| {
        let codes = reasons.iter().filter_map(|reason| reason["Code"].as_str());
        codes
            .filter(|code| *code != "None")
            .collect::<Vec<_>>()
            .join(", ")
    });
    Some(codes.map_or_else(|| name.to_owned(), |codes| format!("{name} ({codes})")))
}

/// What a call is about: kinds of items and how many, or the queue and how many messages.
fn about(operation: &str, body: &Value) -> String {
    if let Some(url) = body["QueueUrl"].as_str() {
        let queue = url.rsplit('/').next().unwrap_or(url);
        let messages = body["Entries"].as_array().map_or(1, Vec::len);
        return format!("{messages} to {queue}");
    }
    if operation == "dynamodb.Query" {
        let values = &body["ExpressionAttributeValues"];
        let text = |name: &str| values[name]["S"].as_str().unwrap_or_default();
        return format!("all of {} {}", kind(text(":pk"), ""), text(":prefix"));
    }
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    keys(body, &mut |pk, sk| {
        *kinds.entry(kind(pk, sk)).or_default() += 1
    });
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    kinds.join(", ")
}

/// Calls `found` with the key of every item in a request.
fn keys(body: &Value, found: &mut impl FnMut(&str, &str)) {
    match body {
        Value::Object(map) => {
            if let (Some(pk), Some(sk)) = (body["pk"]["S"].as_str(), body["sk"]["S"].as_str()) {
                found(pk, sk);
                return;
            }
            map.values().for_each(|value| keys(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

/// The kind of item that a key names.
fn kind(pk: &str, sk: &str) -> String {
    let first = |text: &str| text.split('#').next().unwrap_or_default().to_lowercase();
    match (first(pk).as_str(), first(sk).as_str()) {
        (kind, "" | "-") => kind.to_owned(),
        ("order" | "sku", kind) => kind.to_owned(),
        (kind, _) => kind.to_owned(),
    }
}

/// The size of the largest order that a request writes.
fn order_bytes(body: &Value) -> usize {
    let items = body["TransactItems"].as_array().map(Vec::as_slice);
    let puts = items
        .unwrap_or_default()
        .iter()
        .map(|item| &item["Put"]["Item"]);
    puts.chain([&body["Item"]])
        .filter(|item| item["sk"]["S"] == "ORDER")
        .filter_map(|item| serde_json::from_value::<Item>(item.clone()).ok())
        .map(|item| item_size(&item))
        .max()
        .unwrap_or_default()
}
