//! The full world: the real steps on AWS's own clients, which are answered by the local cloud: an
//! embedded DynamoDB, SQS, SES and Secrets Manager. Everything that is true of a request is true
//! here: how it is written, how its answer and its errors are read, and how a function's event and
//! answer are.
//!
//! The schedule is the simulator's all the same: each request waits for its turn in the gate,
//! which also lets go wrong what is to go wrong. Who is handed which message, and when, is up to
//! the simulator's own queues: what arrives at the local SQS is moved there.

mod answers;
mod call;
mod gate;
mod look;
mod past;
mod post;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use domain::Step;
use domain::catalog::Role;
use domain::listing::Round;
use domain::poll::Poll;
use futures::future::{BoxFuture, FutureExt};
use local::client::sdk_config;
use local::cloud::{provision, records};
use local::services::sqs::{self, Received};
use local::services::{ACCOUNT, REGION, Services};
use local::template::{Setting, Template};
use runtime::outbox::STEP_QUEUES;
use runtime::parked::STEP_DEAD_LETTERS;
use runtime::secrets::{ACCESS_PREFIX, PAYMENTS_PREFIX, SIGNING_PREFIX};
use runtime::{Aws, Clock, Error, Handler, Setup};
use serde_json::{Value, json};
use store::{Store, Tables};

use crate::ask::{Ask, Reply};
use crate::channel::senders;
use crate::listeners::{GONE, LEDGER, REPORTS, SIGNED_WITH};
use crate::observed::Observed;
use crate::payments;
use crate::queues::Message;
use crate::retailer::Retailer;
use crate::sim::Sim;
use crate::tape::Tape;
use crate::vendor::{self, ToShop};
use crate::world::{Finished, World};
use gate::Gate;
use past::Past;

/// The full world.
pub struct Full {
    ground: Arc<Ground>,
    aws: SdkConfig,
    store: Store,
}

/// What the requests of a world share.
struct Ground {
    sim: Sim,
    services: Arc<Services>,
    caller: Arc<str>,
    past: Mutex<Past>,
}

impl Ground {
    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names that the template gives.
struct Names {
    template: Template,
    tables: Tables,
    /// Of each step: its queue and its dead-letter queue.
    queues: BTreeMap<Step, (String, String)>,
    secrets_prefix: String,
}

fn names() -> Result<&'static Names, Error> {
    static ALL: OnceLock<Result<Names, String>> = OnceLock::new();
    let names = ALL.get_or_init(|| {
        let text = include_str!("../../../infra/template.yaml");
        let template = Template::read(text, &Setting::default());
        let template = template.map_err(|error| format!("the template: {error:#}"))?;
        let functions = template.functions.values();
        // A variable means the same in every function that has it.
        let all: BTreeMap<&String, &String> = functions.flat_map(|f| &f.environment).collect();
        let var = |name: &str| all.get(&name.to_owned()).map_or("", |value| value.as_str());
        let queue = |name| last(var(name)).to_owned();
        let queues = Step::ALL.into_iter().map(|step| {
            let n = step as usize;
            (step, (queue(STEP_QUEUES[n]), queue(STEP_DEAD_LETTERS[n])))
        });
        Ok(Names {
            tables: Tables {
                orders: var("ORDERS_TABLE").to_owned(),
                stock: var("STOCK_TABLE").to_owned(),
                reference: var("REFERENCE_TABLE").to_owned(),
                places: var("PLACES_TABLE").to_owned(),
            },
            queues: queues.collect(),
            secrets_prefix: var("SECRETS_PREFIX").to_owned(),
            template,
        })
    });
    names.as_ref().map_err(|error| error.clone().into())
}

/// A queue's name in its URL or ARN.
fn last(address: &str) -> &str {
    address.rsplit(['/', ':']).next().unwrap_or_default()
}

/// Nobody sleeps: time is the simulator's. The clients never wait for longer than their calls do.
#[derive(Debug)]
struct Never;

impl AsyncSleep for Never {
    fn sleep(&self, _duration: std::time::Duration) -> Sleep {
        Sleep::new(std::future::pending())
    }
}

impl Full {
    /// A world at its beginning, with the choices that are given.
    pub fn new(tape: Tape) -> Result<Self, Error> {
        let names = names()?;
        let services = Services::in_memory()?;
        provision(&services, &names.template).map_err(|error| format!("{error:#}"))?;
        let ground = Arc::new(Ground {
            sim: Sim::new(tape, None),
            services,
            caller: "simulated".into(),
            past: Mutex::default(),
        });
        let aws = sdk_config(&ground.services, "simulated")
            .into_builder()
            .http_client(Gate(Arc::clone(&ground)))
            .sleep_impl(Never)
            // That a client repeats a request is a fate like any other.
            .retry_config(RetryConfig::disabled())
            .build();
        let store = Store::new(&aws, names.tables.clone());
        Ok(Self { ground, aws, store })
    }

    /// A message with the receipt of its delivery. One that somebody else than a step has put in has
    /// not been in a queue yet.
    fn received(&self, message: &Message) -> Option<Received> {
        let (queue, _) = names().ok()?.queues.get(&message.step)?;
        let queue = self.ground.services.sqs.queue(queue)?;
        let now = self.ground.sim.state().now();
        let (body, handle) = match message.handle.is_empty() {
            false => (message.body.clone(), message.handle.clone()),
            true => {
                // What a channel has put in by itself says what it says.
                let body = match message.body.as_str() {
                    "" => message.hint.to_body(),
                    body => body.to_owned(),
                };
                let outgoing = sqs::Outgoing {
                    body: body.clone(),
                    ..Default::default()
                };
                self.ground.services.sqs.send(&queue, outgoing).ok()?;
                let received = self.ground.receive(&queue).now_or_never()??.pop()?;
                (body, received.receipt_handle)
            }
        };
        let sent = sqs::Message {
            id: message.number.to_string(),
            body,
            md5_of_body: String::new(),
            attributes: BTreeMap::new(),
            trace_header: None,
            group: None,
            sent_at: now,
        };
        Some(Received {
            message: Arc::new(sent),
            receipt_handle: post::receipt(message.number, &handle),
            receives: message.receives,
            first_received_at: now,
            dead_letter_source: None,
        })
    }
}

/// The number of a reported message.
fn reported(failure: &Value) -> Option<u64> {
    failure["itemIdentifier"].as_str()?.parse().ok()
}

impl World for Full {
    fn sim(&self) -> &Sim {
        &self.ground.sim
    }

    fn store(&self) -> Store {
        self.store.clone()
    }

    fn setup(&self, function: &'static str, skew_s: i64) -> Setup {
        let sim = self.ground.sim.clone();
        let deployed = names()
            .ok()
            .and_then(|n| n.template.functions.get(function));
        Setup {
            env: Arc::new(
                deployed
                    .map(|deployed| deployed.environment.clone())
                    .unwrap_or_default(),
            ),
            clock: Clock::new(move || sim.state().now_at(skew_s)),
            aws: Aws::Sdk(self.aws.clone()),
            web: ToShop::of(&self.ground.sim),
        }
    }

    fn furnish(&self, retailer: &Arc<Retailer>) {
        let subscribers = self.ground.sim.state().listeners.subscribers();
        // Whoever may be entered later has what events are signed with.
        let signed = [LEDGER, REPORTS, GONE];
        let put = async {
            for location in &retailer.locations {
                self.store.put_location(location).await?;
            }
            for supplier in &retailer.suppliers {
                self.store.put_supplier(supplier).await?;
            }
            for rate in &retailer.rates {
                self.store.put_rate(rate).await?;
            }
            for product in retailer.products.iter().chain(&retailer.kits) {
                self.store.put_product(product).await?;
            }
            for code in &retailer.postal_codes {
                self.store
                    .put_postal_codes(std::slice::from_ref(code))
                    .await?;
                let countries = [code.country.clone()].into();
                self.store.add_postal_countries(&countries).await?;
            }
            let (by, account) = (retailer.vendor.name(), vendor::ACCOUNT);
            let now = self.ground.sim.state().now();
            if retailer.vendor.is_polled() {
                let poll = Poll::new(by, account, now);
                self.store.begin_poll(&poll).await?;
            }
            for rules in &retailer.rules {
                self.store.put_rules(rules).await?;
            }
            for listing in &retailer.listings {
                self.store.put_listing(listing).await?;
            }
            self.store.begin_round(&Round::new(by, account)).await?;
            for account in &retailer.told {
                self.store.put_told_account(account).await?;
            }
            for subscriber in &subscribers {
                self.store.put_subscriber(subscriber).await?;
            }
            let key = &retailer.key_sha256;
            self.store.put_role(key, &Role::Operator).await
        };
        let put = put.now_or_never();
        self.ground.must(
            put.is_some_and(|put| put.is_ok()),
            "the retailer is not stored",
        );
        let prefix = names().map_or("", |names| &names.secrets_prefix);
        let secrets = &self.ground.services.secrets;
        for sender in senders() {
            let name = format!("{prefix}{}/{}", sender.name(), vendor::ACCOUNT);
            secrets.put(&name, sender.secret());
        }
        for subscriber in signed {
            let name = format!("{SIGNING_PREFIX}{prefix}{subscriber}");
            secrets.put(&name, SIGNED_WITH);
        }
        let shop = format!("{prefix}{}/{}", retailer.vendor.name(), vendor::ACCOUNT);
        let access = retailer.vendor.access();
        secrets.put(&format!("{ACCESS_PREFIX}{shop}"), &access);
        let (provider, account) = payments::ACCOUNT;
        let payments = format!("{prefix}{provider}/{account}");
        secrets.put(&payments, payments::WEBHOOK_SECRET);
        secrets.put(&format!("{PAYMENTS_PREFIX}{payments}"), payments::ACCESS);
    }

    fn batch(&self, handler: &Handler, batch: &[Message]) -> BoxFuture<'static, Finished> {
        let received: Vec<Received> = batch.iter().filter_map(|m| self.received(m)).collect();
        let whole = received.len() == batch.len();
        self.ground.must(whole, "a message cannot be received");
        let queue = batch.first().and_then(|message| {
            let names = names().ok()?;
            Some(names.queues.get(&message.step)?.0.as_str())
        });
        let arn = format!(
            "arn:aws:sqs:{REGION}:{ACCOUNT}:{}",
            queue.unwrap_or_default()
        );
        let event = json!({"Records": records(&arn, &received)});
        let all = batch.iter().map(|message| message.number).collect();
        let handler = handler.clone();
        Box::pin(async move {
            let Ok(answer) = handler.call(event).await else {
                return Finished::Batch(all);
            };
            let failures = answer["batchItemFailures"].as_array();
            let again = failures.into_iter().flatten().filter_map(reported);
            Finished::Batch(again.collect())
        })
    }

    fn request(&self, handler: &Handler, ask: &Ask) -> BoxFuture<'static, Finished> {
        let event = serde_json::to_value(ask.event());
        let handler = handler.clone();
        Box::pin(async move {
            let answer = match event {
                Ok(event) => handler.call(event).await.ok(),
                Err(_) => None,
            };
            let answer = answer.unwrap_or_default();
            Finished::Reply(Reply {
                status: answer["statusCode"].as_i64().unwrap_or(500),
                body: answer["body"].as_str().unwrap_or_default().to_owned(),
            })
        })
    }

    fn delete(&self, message: &Message) {
        let queue = names().ok().and_then(|names| {
            let (queue, _) = names.queues.get(&message.step)?;
            self.ground.services.sqs.queue(queue)
        });
        if let Some(queue) = queue.filter(|_| !message.handle.is_empty()) {
            let deleted = self.ground.services.sqs.delete(&queue, &message.handle);
            self.ground
                .must(deleted.is_ok(), "a message is not deleted");
        }
    }

    fn stored(&self) -> Observed {
        self.ground.stored().unwrap_or_default()
    }

    fn orders(&self) -> Vec<Arc<domain::Order>> {
        let orders = self.ground.orders().unwrap_or_default();
        orders.into_iter().map(Arc::new).collect()
    }
}
