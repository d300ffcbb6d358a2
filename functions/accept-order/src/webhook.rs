//! Deliveries of channels: checked over their very bytes, understood, and answered so that the channel
//! neither gives up nor sends for ever.

use std::sync::Arc;

use channels::{Channel, Delivery, Greeting, Said, Secret, Unreadable};
use domain::limits::MAX_NAME_CHARS;
use domain::restate::{self, Statement};
use domain::{Order, OrderId};
use runtime::http::{Answer, Request};
use serde_json::json;
use store::{StoreError, UnreadableDelivery};

use crate::{Accepted, Desk, Measured, receipt};

/// What is said of a hint.
const TO_BE_FETCHED: &str =
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
        let channel = channels::by_name(name).ok_or_else(refused)?;
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
            Ok(Said::Order(order)) => match self.measured(*order).await? {
                Ok(order) => Ok(self.take_statement(order, request).await?),
                Err(problems) => Err(Unreadable::Problems(problems).to_string()),
            },
            Ok(Said::Refunded(id, refund)) => {
                let now = self.clock.now();
                let order = OrderId::of(name, account, &id);
                let noted = self.change(&order, |order| restate::refunded(order, &refund, now));
                noted.await?.ok_or_else(|| UNKNOWN.to_owned())
            }
            Ok(Said::Deleted(id)) => {
                let now = self.clock.now();
                let order = OrderId::of(name, account, &id);
                let noted = self.change(&order, |order| restate::deleted(order, now));
                noted.await?.ok_or_else(|| UNKNOWN.to_owned())
            }
            Ok(Said::Changed(_)) => Err(TO_BE_FETCHED.to_owned()),
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

    /// Takes an order in as the channel states it, be it new or known.
    async fn take_statement(&self, new: Measured, request: &Request) -> Result<Arc<Order>, Answer> {
        let now = self.clock.now();
        let (refunds, shipped) = (new.new.refunds.clone(), new.new.shipped);
        let (known, stated, contact) = match self.store_order(new, &request.body, now).await? {
            Accepted::Stored(order) => return Ok(order),
            Accepted::Reused(known, stated, contact) => (known, stated, contact),
        };
        let statement = Statement {
            order: &stated,
            contact: &contact,
            refunds: &refunds,
            shipped,
        };
        let driven = self.store.restate(&known.id, |order, contact| {
            restate::restate(order, contact, statement, now)
        });
        Ok(self.outbox.tell(driven.await?).await.unwrap_or(known))
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
            let is_post = delivery.method == "POST";
            if is_post && channel.verify(delivery, &secrets, self.clock.now()) {
                return Ok(Sender::Verified);
            }
        }
        Ok(Sender::Unknown)
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

/// The channel's own answer to what was taken in.
fn thanks(channel: &dyn Channel) -> Option<Answer> {
    let thanks = channel.thanks()?;
    Some(Answer::written(200, thanks.to_owned()))
}
