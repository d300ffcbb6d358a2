//! The fast world: the real steps, on a model of the tables, the queues and the mail.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use domain::Step;
use domain::listing::Round;
use domain::poll::Poll;
use futures::future::{BoxFuture, join_all};
use jiff::Timestamp;
use runtime::bus::Bus;
use runtime::http::Request;
use runtime::mail::{Mail, Post, SendError};
use runtime::secrets::Vault;
use runtime::setup::StandIn;
use runtime::sqs::{Delivery, MAX_BATCH, Queues};
use runtime::{Aws, Clock, DeadLetters, Handler, Hint, Parked, Setup};
use store::{Database, Store};

use crate::ask::{Ask, Reply};
use crate::channel::{Sender, senders};
use crate::faults::{Fate, Kind};
use crate::listeners::SIGNED_WITH;
use crate::memory::Memory;
use crate::mutant::Mutant;
use crate::observed::{Observed, SentMail, StoredLevel, StoredOrder};
use crate::payments;
use crate::queues::Message;
use crate::retailer::{Retailer, TEAM};
use crate::sim::{Mailed, Sim};
use crate::vendor::{self, ToShop};
use crate::world::{Finished, World};

/// The fast world.
pub struct Fast(pub Sim);

const LOST: &str = "the simulation says so";

/// Stands in for AWS, for one instance of a function.
#[derive(Clone)]
struct Model(Sim);

impl StandIn for Model {
    fn database(&self) -> Arc<dyn Database> {
        Arc::new(Memory(self.0.clone()))
    }

    fn queues(&self) -> Arc<dyn Queues> {
        Arc::new(self.clone())
    }

    fn dead_letters(&self) -> Arc<dyn DeadLetters> {
        Arc::new(self.clone())
    }

    fn vault(&self) -> Arc<dyn Vault> {
        Arc::new(self.clone())
    }

    fn post(&self) -> Arc<dyn Post> {
        Arc::new(self.clone())
    }

    fn bus(&self) -> Arc<dyn Bus> {
        Arc::new(self.clone())
    }
}

/// Whether a secret is that of a channel's account.
fn is_of(name: &str, channel: &dyn Sender) -> bool {
    let channel_of = name.strip_prefix("simulated/");
    let channel_of = channel_of.and_then(|name| name.strip_suffix(vendor::ACCOUNT));
    channel_of.and_then(|name| name.strip_suffix('/')) == Some(channel.name())
}

#[async_trait]
impl Vault for Model {
    async fn read(&self, name: &str) -> Result<Option<String>, String> {
        match self.0.turn("GetSecretValue", Kind::Read).await {
            Fate::Refused | Fate::AnswerLost => Err(LOST.into()),
            _ => Ok(match name {
                "simulated/stripe/main" => Some(payments::WEBHOOK_SECRET.to_owned()),
                "payments-simulated/stripe/main" => Some(payments::ACCESS.to_owned()),
                // What each subscriber's events are signed with.
                name if name.starts_with("events-") => Some(SIGNED_WITH.to_owned()),
                name => match name.strip_prefix("api-") {
                    Some(name) => {
                        let by = self.0.state().shop.by;
                        is_of(name, by).then(|| by.access())
                    }
                    None => senders()
                        .find(|known| is_of(name, *known))
                        .map(Sender::secret),
                },
            }),
        }
    }
}

#[async_trait]
impl Post for Model {
    fn is_read(&self) -> bool {
        false
    }

    async fn send(&self, to: &str, _mail: &Mail, key: &str) -> Result<String, SendError> {
        let fate = self.0.turn("SendEmail", Kind::Send).await;
        let failed = || SendError::Transient(LOST.into());
        if fate == Fate::Refused {
            return Err(failed());
        }
        let mut state = self.0.state();
        let Some(task) = state.current else {
            return Err(failed());
        };
        let copies = match fate {
            Fate::Repeated => 2,
            _ => 1,
        };
        for _ in 0..copies {
            state.mails.push(Mailed {
                mail: SentMail {
                    to: to.to_owned(),
                    key: key.to_owned(),
                    undisturbed: fate == Fate::Done,
                },
                task,
            });
        }
        match fate {
            Fate::AnswerLost => Err(failed()),
            _ => Ok(String::new()),
        }
    }
}

#[async_trait]
impl Bus for Model {
    async fn put(&self, kind: &str, _: Timestamp, detail: &str) -> Result<(), String> {
        let fate = self.0.turn("PutEvents", Kind::Write).await;
        if fate == Fate::Refused {
            return Err(LOST.into());
        }
        let mut state = self.0.state();
        for _ in 0..1 + u32::from(fate == Fate::Repeated) {
            state.listeners.overhear(kind, detail);
        }
        match fate {
            Fate::AnswerLost => Err(LOST.into()),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Queues for Model {
    async fn send(&self, step: Step, hints: &[&Hint], delay_s: i32) -> Vec<Result<(), String>> {
        let fate = match hints {
            [_] => self.0.turn("SendMessage", Kind::Send).await,
            _ => self.0.turn("SendMessageBatch", Kind::SendBatch).await,
        };
        let mut state = self.0.state();
        let unnoticed = step == Step::FetchOrder && state.is_off(Mutant::CursorWaitsForHandOver);
        let unsent = match unnoticed || state.is_off(Mutant::UnsentHintsAreNoticed) {
            true => Ok(()),
            false => Err(LOST.to_owned()),
        };
        let sent = match fate {
            Fate::Refused => 0,
            Fate::Partly => 1,
            _ => hints.len(),
        };
        let times = match fate {
            Fate::Repeated => 2,
            _ => 1,
        };
        let silent = state.redelivered && state.is_off(Mutant::HintsAreSentAgain)
            || delay_s > 0 && state.is_off(Mutant::GoodsAreHintedAt);
        for hint in hints[..sent].iter().cycle().take(sent * times) {
            if !silent {
                state.send(step, (*hint).clone(), delay_s, String::new(), String::new());
            }
        }
        let result = |n: usize| match fate {
            Fate::AnswerLost => unsent.clone(),
            _ if n < sent => Ok(()),
            _ => unsent.clone(),
        };
        (0..hints.len()).map(result).collect()
    }

    async fn defer(&self, delivery: &Delivery, seconds: i32) -> Result<(), String> {
        let fate = self.0.turn("ChangeMessageVisibility", Kind::Write).await;
        if fate == Fate::Refused {
            return Err(LOST.into());
        }
        let mut state = self.0.state();
        let at_ms = state.now_ms + i64::from(seconds) * 1_000;
        if let Ok(number) = delivery.message.parse() {
            state.queues.show_at(number, at_ms);
        }
        match fate {
            Fate::AnswerLost => Err(LOST.into()),
            _ => Ok(()),
        }
    }

    async fn park(&self, delivery: &Delivery, step: &str, reason: &str) -> Result<(), String> {
        let fate = self.0.turn("SendMessage", Kind::Write).await;
        if fate == Fate::Refused {
            return Err(LOST.into());
        }
        let step = Step::ALL.into_iter().find(|known| known.name() == step);
        let (Some(step), Ok(hint)) = (step, &delivery.hint) else {
            return Err("an unknown step, or an unreadable hint".into());
        };
        let mut state = self.0.state();
        for _ in 0..1 + u32::from(fate == Fate::Repeated) {
            state.queues.park(step, hint, Some(reason.to_owned()));
        }
        match fate {
            Fate::AnswerLost => Err(LOST.into()),
            _ => Ok(()),
        }
    }

    async fn warm(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Milliseconds that a dead letter is hidden while somebody looks at it.
const HIDDEN_MS: i64 = 30_000;

#[async_trait]
impl DeadLetters for Model {
    async fn receive(&self, step: Step, most: usize) -> Result<Vec<Parked>, String> {
        let fate = self.0.turn("ReceiveMessage", Kind::Read).await;
        if fate == Fate::Refused {
            return Err(LOST.into());
        }
        let state = &mut *self.0.state();
        let mut hand_out = || {
            let (now_ms, since) = (state.now_ms, state.now());
            let letters = state.queues.dead_letters.iter_mut();
            let handed_out = letters
                .filter(|letter| letter.step == step && letter.visible_ms <= now_ms)
                .take(most.min(MAX_BATCH))
                .map(|letter| {
                    letter.visible_ms = now_ms + HIDDEN_MS;
                    Parked {
                        step,
                        id: letter.number.to_string(),
                        body: letter.hint.to_body(),
                        reason: letter.reason.clone(),
                        attempt: None,
                        received: 1,
                        since,
                        receipt: String::new(),
                    }
                });
            handed_out.collect()
        };
        let handed_out = hand_out();
        match fate {
            Fate::AnswerLost => Err(LOST.into()),
            // What the first answer handed out stays hidden.
            Fate::Repeated => Ok(hand_out()),
            _ => Ok(handed_out),
        }
    }

    async fn release(&self, messages: &[Parked]) {
        let release = async |message: &Parked| {
            let fate = self.0.turn("ChangeMessageVisibility", Kind::Write).await;
            if fate != Fate::Refused {
                let mut state = self.0.state();
                let letters = state.queues.dead_letters.iter_mut();
                for letter in letters.filter(|l| l.number.to_string() == message.id) {
                    letter.visible_ms = 0;
                }
            }
        };
        for some in messages.chunks(MAX_BATCH) {
            join_all(some.iter().map(release)).await;
        }
    }

    async fn send_back(&self, message: &Parked) -> Result<String, String> {
        let fate = self.0.turn("SendMessage", Kind::Send).await;
        if fate == Fate::Refused {
            return Err(LOST.into());
        }
        let hint = Hint::parse(&message.body)?;
        for _ in 0..1 + u32::from(fate == Fate::Repeated) {
            let mut state = self.0.state();
            state.send(message.step, hint.clone(), 0, String::new(), String::new());
        }
        match fate {
            Fate::AnswerLost => Err(LOST.into()),
            _ => Ok(String::new()),
        }
    }

    async fn delete(&self, message: &Parked) -> Result<(), String> {
        let fate = self.0.turn("DeleteMessage", Kind::Write).await;
        if fate == Fate::Refused {
            return Err(LOST.into());
        }
        let mut state = self.0.state();
        let letters = &mut state.queues.dead_letters;
        letters.retain(|letter| letter.number.to_string() != message.id);
        match fate {
            Fate::AnswerLost => Err(LOST.into()),
            _ => Ok(()),
        }
    }
}

/// Variables that name nothing here, but have to be set.
fn environment() -> &'static Arc<BTreeMap<String, String>> {
    static ALL: OnceLock<Arc<BTreeMap<String, String>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let functions = local::built_in::functions();
        let names = functions.iter().flat_map(|function| function.variables);
        let value = |name: &str| match name {
            "TEAM_EMAIL" => TEAM.to_owned(),
            "SECRETS_PREFIX" => "simulated/".to_owned(),
            _ => "simulated".to_owned(),
        };
        let variables = names.map(|name| ((*name).to_owned(), value(name)));
        Arc::new(variables.collect())
    })
}

impl World for Fast {
    fn sim(&self) -> &Sim {
        &self.0
    }

    fn store(&self) -> Store {
        Store::on(Arc::new(Memory(self.0.clone())))
    }

    fn setup(&self, _function: &'static str, skew_s: i64) -> Setup {
        let sim = self.0.clone();
        Setup {
            env: Arc::clone(environment()),
            clock: Clock::new(move || sim.state().now_at(skew_s)),
            aws: Aws::StandIn(Arc::new(Model(self.0.clone()))),
            web: ToShop::of(&self.0),
        }
    }

    fn furnish(&self, retailer: &Arc<Retailer>) {
        let mut state = self.0.state();
        state.tables.retailer = Arc::clone(retailer);
        state.tables.subscribers = state.listeners.subscribers();
        let now = state.now();
        let (by, account) = (retailer.vendor.name(), vendor::ACCOUNT);
        if retailer.vendor.is_polled() {
            state.tables.polls = vec![Poll::new(by, account, now)];
        }
        state.tables.listings = retailer.listings.clone();
        state.tables.rounds = vec![Round::new(by, account)];
    }

    fn batch(&self, handler: &Handler, batch: &[Message]) -> BoxFuture<'static, Finished> {
        let delivery = |message: &Message| Delivery {
            message: message.number.to_string(),
            receipt: String::new(),
            queue: String::new(),
            attempt: message.receives,
            body: message.body.clone(),
            // What a channel has put in by itself is no hint yet.
            hint: match message.body.as_str() {
                "" => Ok(message.hint.clone()),
                body => Hint::parse(body),
            },
        };
        let Handler::Queue(take) = handler else {
            return Box::pin(async { Finished::Batch(Vec::new()) });
        };
        let taken = take(batch.iter().map(delivery).collect());
        Box::pin(async move {
            let again = taken.await;
            Finished::Batch(again.iter().filter_map(|id| id.parse().ok()).collect())
        })
    }

    fn request(&self, handler: &Handler, ask: &Ask) -> BoxFuture<'static, Finished> {
        let failed = |status| {
            Finished::Reply(Reply {
                status,
                body: String::new(),
            })
        };
        let Handler::Http(take) = handler else {
            return Box::pin(async move { failed(500) });
        };
        let Ok(request) = Request::read(ask.event()) else {
            return Box::pin(async move { failed(400) });
        };
        let answered = take(request);
        Box::pin(async move {
            let answer = answered.await;
            Finished::Reply(Reply {
                status: answer.status(),
                body: answer.body().to_owned(),
            })
        })
    }

    fn delete(&self, _message: &Message) {}

    fn stored(&self) -> Observed {
        let tables = std::mem::take(&mut self.0.state().tables);
        let orders = tables.orders.into_iter().map(|row| StoredOrder {
            order: Arc::unwrap_or_clone(row.order),
            contact: row.contact.unwrap_or_default(),
            pages: row.pages,
            decisions: row.decisions,
            deliveries: row.deliveries,
        });
        let levels = tables.shelves.into_iter().map(|shelf| StoredLevel {
            level: shelf.level,
            pages: shelf.pages,
        });
        let waiting = tables.waiting.into_iter();
        Observed {
            orders: orders.collect(),
            levels: levels.collect(),
            breakdowns: tables.breakdowns,
            facts: tables.facts,
            loads: tables.loads,
            transfers: tables.transfers,
            inbound: tables.inbound,
            reservations: tables.reservations,
            discrepancies: tables.discrepancies,
            subscribers: tables.subscribers,
            replays: tables.replays,
            listings: tables.listings,
            waiting: waiting.map(|w| (w.sku, w.order, w.units)).collect(),
            ..Observed::default()
        }
    }

    fn orders(&self) -> Vec<Arc<domain::Order>> {
        let state = self.0.state();
        state
            .tables
            .orders
            .iter()
            .map(|row| row.order.clone())
            .collect()
    }
}
