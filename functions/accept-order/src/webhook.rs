//! Deliveries of channels: checked over their very bytes, understood, and answered so that the channel
//! neither gives up nor sends for ever.

use std::slice;
use std::sync::Arc;

use channels::{Channel, Delivery, Greeting, Said, Secret, Unreadable, payments};
use domain::limits::MAX_NAME_CHARS;
use domain::payment::Provider;
use domain::{Order, OrderId, Refusal, Step, change, refund, restate};
use intake::{Refused, Told};
use runtime::http::{Answer, Request};
use runtime::{Changed, Emit, Hint};
use serde_json::json;
use store::{StoreError, UnreadableDelivery};

use crate::{Desk, receipt};

/// What is said of a hint of a channel whose orders cannot be fetched.
const TO_BE_LOOKED_UP: &str =
    "an order has changed in the channel: what it is now has to be looked up there";

/// What is said of a change of an order that never came.
const UNKNOWN: &str = "it is about an order that is not known";

/// Who proved to have sent a delivery.
enum Sender {
    /// The channel, by its signature.
    Verified,
    /// The channel, which wants to know whether anybody listens.
    Greets(Greeting),
    /// Nobody that we know.
    Unknown,
}

impl Desk {
    pub(crate) async fn take_webhook(&self, request: &Request) -> Result<Answer, Answer> {
        let (name, account) = (request.path("channel"), request.path("account"));
        // An unknown channel, an unknown account and a wrong signature get one answer: which it was is
        // nobody's business outside.
        let refused = || {
            let detail = "the signature does not match the body and an account's secret";
            Answer::problem(
                401,
                "bad-signature",
                "Not signed by an account of ours",
                detail,
            )
        };
        let channel = channels::sender(name).ok_or_else(refused)?;
        let url = request.url();
        let delivery = Delivery {
            method: request.method(),
            url: &url,
            headers: &|header| request.header(header),
            query: &|parameter| request.query(parameter),
            raw_body: &request.body,
        };
        match self.sender(channel, account, &delivery).await? {
            Sender::Unknown => return Err(refused()),
            Sender::Greets(Greeting::Text(text)) => return Ok(Answer::text(200, text)),
            Sender::Greets(Greeting::Json(json)) => return Ok(Answer::written(200, json)),
            Sender::Verified => {}
        }
        let taken = match channel.read(&delivery, account) {
            Ok(Said::Order(order)) => {
                let taken = self.intake.take(*order, &request.body, Told::Delivered);
                match taken.await {
                    Ok((order, emits)) => {
                        self.tell(&emits).await;
                        Ok(order)
                    }
                    Err(Refused::Quantities(problems)) => {
                        Err(Unreadable::Problems(problems).to_string())
                    }
                    Err(Refused::Store(error)) => return Err(error.into()),
                }
            }
            Ok(Said::Refunded(id, refund)) => {
                let now = self.clock.now();
                let order = OrderId::of(name, account, &id);
                let noted = self.change(&order, |order| restate::refunded(order, &refund, now));
                noted.await?.ok_or_else(|| UNKNOWN.to_owned())
            }
            Ok(Said::Returning(id, said)) => {
                let now = self.clock.now();
                let order = OrderId::of(name, account, &id);
                let noted = self.note(&order, |order| {
                    change::channel_return(order, &said, now).map_err(|refusal| refusal.to_string())
                });
                noted.await?
            }
            Ok(Said::Repaid(refund)) => self.repaid(name, account, &refund, &request.body).await?,
            Ok(Said::Deleted(id)) => {
                let now = self.clock.now();
                let order = OrderId::of(name, account, &id);
                let noted = self.change(&order, |order| restate::deleted(order, now));
                noted.await?.ok_or_else(|| UNKNOWN.to_owned())
            }
            Ok(Said::Changed(hints)) if can_be_fetched(channel, &hints) => {
                self.have_fetched(channel, account, hints).await?;
                return match thanks(channel) {
                    Some(thanks) => Ok(thanks),
                    None => Answer::json(200, &json!({"status": "noted"})),
                };
            }
            Ok(Said::Changed(_)) => Err(TO_BE_LOOKED_UP.to_owned()),
            Ok(Said::Nothing(reason)) => Err(reason.to_owned()),
            // It is signed: refusing it makes the shop drop its subscription. A person looks at it.
            Err(why) => Err(why.to_string()),
        };
        let reason = match taken {
            Ok(order) => {
                return match thanks(channel) {
                    Some(thanks) => Ok(thanks),
                    None => Answer::json(200, &receipt(&order)),
                };
            }
            Err(reason) => reason,
        };
        let topic = channel.topic(&delivery);
        self.keep(channel, account, topic, &reason, request).await?;
        match thanks(channel) {
            Some(thanks) => Ok(thanks),
            None => Answer::json(200, &json!({"status": "kept"})),
        }
    }

    /// Has orders fetched. Nobody else knows of it: if the hints are not on their way, the channel has to say it
    /// again. Its own time of that is not always the order's, and not passed on.
    async fn have_fetched(
        &self,
        channel: &dyn Channel,
        account: &str,
        hints: Vec<channels::Hint>,
    ) -> Result<(), Answer> {
        let emit = |hint: channels::Hint| Emit {
            step: Step::FetchOrder,
            hint: Hint::Changed(Changed {
                channel: channel.name().into(),
                account: account.into(),
                external_id: hint.external_id,
                as_of: None,
            }),
        };
        let emits: Vec<Emit> = hints.into_iter().map(emit).collect();
        self.outbox.send_all(&emits).await.map_err(|error| {
            tracing::error!(
                channel = channel.name(),
                account,
                error,
                "hints are not sent"
            );
            Answer::unavailable()
        })
    }

    /// Notes what a payment provider says of a refund, if that is news; or why a person has to look at it.
    async fn repaid(
        &self,
        provider: &str,
        account: &str,
        refund: &str,
        raw_body: &[u8],
    ) -> Result<Result<Arc<Order>, String>, Answer> {
        let known = Provider::named(provider).zip(OrderId::parse_part(refund, "F"));
        let Some((provider, (id, n))) = known else {
            return Ok(Err(UNKNOWN.to_owned()));
        };
        let now = self.clock.now();
        let noted = self.note(&id, |order| {
            let told = payments::told(provider, account, raw_body, order, n);
            match told.map_err(|why| why.to_string())? {
                Some((repeats, answer)) => refund::told(order, n, repeats, &answer, now),
                None => Err(Refusal::NotFound(format!(
                    "this payment, or refund {refund},"
                ))),
            }
            .map_err(|refusal| refusal.to_string())
        });
        noted.await
    }

    /// Notes in an order what is said of it, if that is news; or why a person has to look at it.
    async fn note(
        &self,
        id: &OrderId,
        decide: impl Fn(&Order) -> Result<Option<Order>, String>,
    ) -> Result<Result<Arc<Order>, String>, Answer> {
        let mut doubt = None;
        let noted = self.change(id, |order| match decide(order) {
            Ok(next) => {
                doubt = None;
                next
            }
            Err(why) => {
                doubt = Some(why);
                None
            }
        });
        let order = noted.await?;
        Ok(match (order, doubt) {
            (_, Some(why)) => Err(why),
            (Some(order), None) => Ok(order),
            (None, None) => Err(UNKNOWN.to_owned()),
        })
    }

    /// Changes an order that is known; `None` if there is no such order.
    async fn change(
        &self,
        id: &OrderId,
        mut decide: impl FnMut(&Order) -> Option<Order>,
    ) -> Result<Option<Arc<Order>>, Answer> {
        let driven = self.store.drive(id, None, |order| Ok(decide(order)));
        let driven = driven
            .await
            .map_err(|error: StoreError| Answer::from(error))?;
        Ok(self.outbox.tell(driven).await)
    }

    /// Who sent it. One that we remember no secret for that matches is looked up again: the secret may
    /// have been replaced meanwhile.
    async fn sender(
        &self,
        channel: &dyn Channel,
        account: &str,
        delivery: &Delivery<'_>,
    ) -> Result<Sender, Answer> {
        // The names of secrets and keys have an end.
        if !(1..=MAX_NAME_CHARS).contains(&account.len())
            || !account
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        {
            return Ok(Sender::Unknown);
        }
        let name = format!("{}/{account}", channel.name());
        for doubt in [false, true] {
            let secrets = self.secrets.get(&name, doubt).await.map_err(|error| {
                tracing::error!(
                    channel = channel.name(),
                    account,
                    error,
                    "the secret cannot be had"
                );
                Answer::unavailable()
            })?;
            let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::read(text)).collect();
            if let Some(greeting) = channel.greet(delivery, &secrets) {
                return Ok(Sender::Greets(greeting));
            }
            let genuine = self.is_genuine(channel, account, delivery, &secrets, doubt);
            if delivery.method == "POST" && genuine.await? {
                return Ok(Sender::Verified);
            }
        }
        Ok(Sender::Unknown)
    }

    /// Whether it is from the holder of one of the secrets, or of a key that the channel's API knows by the name
    /// that the delivery gives it.
    async fn is_genuine(
        &self,
        channel: &dyn Channel,
        account: &str,
        delivery: &Delivery<'_>,
        secrets: &[Secret],
        doubt: bool,
    ) -> Result<bool, Answer> {
        let now = self.clock.now();
        if channel.verify(delivery, secrets, now) {
            return Ok(true);
        }
        let key = self
            .public_keys
            .get(channel, account, delivery, secrets, doubt);
        let key = key.await.map_err(|error| {
            let channel = channel.name();
            tracing::error!(channel, account, %error, "a public key cannot be had");
            Answer::unavailable()
        })?;
        Ok(key.is_some_and(|key| channel.verify(delivery, slice::from_ref(&*key), now)))
    }

    async fn keep(
        &self,
        channel: &dyn Channel,
        account: &str,
        topic: &str,
        reason: &str,
        request: &Request,
    ) -> Result<(), Answer> {
        let channel = channel.name();
        tracing::warn!(channel, account, topic, "a delivery is kept for a person");
        let delivery = UnreadableDelivery {
            channel,
            account,
            topic,
            reason,
            body: &request.body,
        };
        Ok(self
            .store
            .keep_unreadable(delivery, self.clock.now())
            .await?)
    }
}

/// Whether a channel's orders can be fetched, and these can be named in a message.
fn can_be_fetched(channel: &dyn Channel, hints: &[channels::Hint]) -> bool {
    let mut ids = hints.iter().map(|hint| hint.external_id.len());
    channel.api().is_some() && ids.all(|length| length <= MAX_NAME_CHARS)
}

/// The channel's own answer to what was taken in.
fn thanks(channel: &dyn Channel) -> Option<Answer> {
    let thanks = channel.thanks()?;
    Some(Answer::written(200, thanks.to_owned()))
}
