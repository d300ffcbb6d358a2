//! What the API does not show, through the AWS services that the binary serves.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use domain::OrderId;
use domain::owed::{Notice, Work, owed};
use end_to_end::audit;
use http::Method;
use local::http_client::HttpClient;
use serde_json::{Value, json};
use store::{OpenStock, Store, Story};

/// The tables and queues of a running binary.
pub struct Tables {
    /// The store on them.
    pub store: Store,
    db: aws_sdk_dynamodb::Client,
    orders: String,
    http: HttpClient,
}

impl Tables {
    /// Those of the AWS services at an address.
    pub async fn at(address: SocketAddr) -> Self {
        // They open nothing: the services check no signature.
        let credentials = Credentials::new("local", "local", None, None, "local");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(local::services::REGION))
            .endpoint_url(format!("http://{address}"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .http_client(Builder::new().build_http())
            .build();
        let db = aws_sdk_dynamodb::Client::new(&config);
        let names = db.list_tables().send().await.unwrap().table_names.unwrap();
        let name = |end: &str| {
            names
                .iter()
                .find(|name| name.ends_with(end))
                .unwrap()
                .clone()
        };
        let tables = store::Tables {
            orders: name("orders"),
            stock: name("stock"),
            reference: name("reference"),
            places: name("places"),
        };
        Self {
            orders: tables.orders.clone(),
            store: Store::new(&config, tables),
            db,
            http: HttpClient::new(address),
        }
    }

    /// Waits until no order is owed anything, no fact is open and no queue holds a message; every order as it is then.
    pub async fn rest(&self, patience: Duration) -> Vec<Story> {
        self.rest_when(patience, |story, _| owed(&story.order).is_empty(), |_| true)
            .await
    }

    /// Waits until that is so but for mails that a killed process had claimed: they are left alone until the claim is
    /// a minute old.
    pub async fn rest_but_for_claims(&self, patience: Duration) -> Vec<Story> {
        let claims = |story: &Story, claims: &BTreeSet<String>| {
            let works = owed(&story.order);
            // One mail of a step after the other: behind a claimed one the later ones wait.
            let claimed = |work: &Work| {
                let first = works.iter().find(|first| first.step() == work.step());
                match first {
                    Some(Work::Notify(notice)) => {
                        claims.contains(&claim_of(&story.order.id, notice))
                    }
                    _ => false,
                }
            };
            works.iter().all(claimed)
        };
        self.rest_when(patience, claims, |queue| !queue.contains("-notify-"))
            .await
    }

    async fn rest_when(
        &self,
        patience: Duration,
        rests: impl Fn(&Story, &BTreeSet<String>) -> bool,
        counts: impl Fn(&str) -> bool,
    ) -> Vec<Story> {
        let started = Instant::now();
        let waiting = async || {
            let mut depths = self.depths().await;
            depths.retain(|(queue, count)| {
                *count > 0 && !queue.ends_with("dead-letters") && counts(queue)
            });
            depths
        };
        loop {
            let messages = waiting().await;
            let mut owing = Vec::new();
            if messages.is_empty() {
                let claims = self.claims().await;
                let ids = audit::order_ids(&self.db, &self.orders).await;
                let stories = audit::stories(&self.store, &ids).await;
                for Story { order, .. } in stories.iter().filter(|story| !rests(story, &claims)) {
                    owing.push(format!("{}: {:?}", order.id, owed(order)));
                }
                // What was under way meanwhile would be in a queue again by now.
                if owing.is_empty() && waiting().await.is_empty() {
                    return stories;
                }
            }
            let late = started.elapsed() > patience;
            assert!(!late, "it does not come to rest: {messages:?}, {owing:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Holds what is at rest to its rules; nothing may have been put aside for a person. How many orders are owed
    /// something nevertheless: none but those whose mails were claimed.
    pub async fn audit(&self, stories: &[Story]) -> usize {
        audit::audit_books(&self.store, stories).await;
        let owing = stories
            .iter()
            .filter(|story| !owed(&story.order).is_empty());
        let mut owing: BTreeSet<OrderId> = owing.map(|story| story.order.id.clone()).collect();
        let open = self.open_orders().await;
        // A claim may be that of a mail under way, which has been noted since the stories were read.
        let gone: Vec<OrderId> = owing.difference(&open).cloned().collect();
        for Story { order, .. } in audit::stories(&self.store, &gone).await {
            assert!(owed(&order).is_empty(), "{}: not in the index", order.id);
            owing.remove(&order.id);
        }
        assert_eq!(open, owing, "the index of open work");
        assert_eq!(
            self.open_facts().await,
            0,
            "facts in the index of open work"
        );
        for (queue, count) in self.depths().await {
            assert!(
                !queue.ends_with("dead-letters") || count == 0,
                "{queue}: {count}"
            );
        }
        owing.len()
    }

    /// Every claim on a mail to be sent about an order.
    async fn claims(&self) -> BTreeSet<String> {
        let scan = self.db.scan().table_name(&self.orders);
        let scan = scan.filter_expression("entity = :claim");
        let claim = AttributeValue::S("claim".into());
        let scan = scan
            .expression_attribute_values(":claim", claim)
            .into_paginator();
        let items = scan
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .unwrap();
        let key = |item: &HashMap<String, AttributeValue>| {
            let part = |name: &str| item[name].as_s().unwrap().clone();
            part("pk") + &part("sk")
        };
        items.iter().map(key).collect()
    }

    /// The orders in the index of open work, since whenever.
    async fn open_orders(&self) -> BTreeSet<OrderId> {
        let mut open = BTreeSet::new();
        for shard in 0..store::key::OPEN_SHARDS {
            let end = jiff::Timestamp::MAX;
            open.extend(self.store.open_orders(shard, end, None).await.unwrap().0);
        }
        open
    }

    /// How many facts are in the index of open work.
    async fn open_facts(&self) -> usize {
        let mut open = 0;
        for shard in 0..store::key::OPEN_SHARDS {
            let end = jiff::Timestamp::MAX;
            let (stock, _) = self.store.open_stock(shard, end, None).await.unwrap();
            let facts = stock
                .iter()
                .filter(|open| matches!(open, OpenStock::Fact(..)));
            open += facts.count();
        }
        open
    }

    async fn depths(&self) -> Vec<(String, u64)> {
        let answer = self.sqs("ListQueues", json!({})).await;
        let mut depths = Vec::new();
        for queue in answer["QueueUrls"].as_array().unwrap() {
            let wanted = json!({"QueueUrl": queue, "AttributeNames": ["All"]});
            let answer = self.sqs("GetQueueAttributes", wanted).await;
            let number = |name: &str| -> u64 {
                let number = answer["Attributes"][name].as_str();
                number
                    .unwrap_or_else(|| panic!("{answer}"))
                    .parse()
                    .unwrap()
            };
            let count = number("ApproximateNumberOfMessages")
                + number("ApproximateNumberOfMessagesNotVisible")
                + number("ApproximateNumberOfMessagesDelayed");
            depths.push((queue.as_str().unwrap().to_owned(), count));
        }
        depths
    }

    async fn sqs(&self, operation: &str, body: Value) -> Value {
        let target = format!("AmazonSQS.{operation}");
        let headers = [("x-amz-target", target.as_str())];
        let answer = self
            .http
            .send(Method::POST, "/", &headers, body.to_string());
        let (status, answer) = answer.await.unwrap();
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }
}

/// The key of the claim on a mail.
fn claim_of(id: &OrderId, notice: &Notice) -> String {
    store::key::order(id) + &store::key::claim(&notice.key())
}
