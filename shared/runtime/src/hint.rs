//! What a queue message says: look at this. It never carries what a step decides on, except the
//! state that its sender had just committed, which saves a read and is not believed without the
//! condition of the commit.

use std::sync::Arc;

use domain::{Order, OrderId};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// Bytes of a state that a hint still takes along: ten hints have to fit a batch of 1 MiB.
const MAX_STATE_BYTES: usize = 65_536;

/// What to look at.
#[derive(Debug, Clone, PartialEq)]
pub enum Hint {
    /// An order, and the state that the sender left it in.
    Order(OrderId, Option<Arc<Order>>),
    /// A fact about stock: SKU and id.
    Fact(String, String),
    /// An order in a channel, which has changed there.
    Changed(Changed),
}

/// An order in a channel, which has changed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The channel.
    pub channel: String,
    /// The account's name in our paths.
    pub account: String,
    /// The channel's own id of the order.
    pub external_id: String,
    /// Since when the order is as it is now, by the channel's own time, where the channel's API has said so.
    pub as_of: Option<Timestamp>,
}

impl Changed {
    /// Our id of the order.
    pub fn id(&self) -> OrderId {
        OrderId::of(&self.channel, &self.account, &self.external_id)
    }
}

impl Hint {
    /// A hint at an order that has just been committed.
    pub fn at(order: &Arc<Order>) -> Self {
        Self::Order(order.id.clone(), Some(Arc::clone(order)))
    }

    /// The same without a state.
    pub(crate) fn unseen(&self) -> Self {
        match self {
            Self::Order(id, _) => Self::Order(id.clone(), None),
            Self::Fact(..) | Self::Changed(_) => self.clone(),
        }
    }

    /// Whether it is about the same order, or the same fact, as another.
    pub(crate) fn is_about_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Order(id, _), Self::Order(same, _)) => id == same,
            _ => self == other,
        }
    }

    /// The channel and its account from which the order is that it is about, as far as it says so.
    pub(crate) fn account(&self) -> Option<(&str, &str)> {
        match self {
            Self::Order(_, state) => {
                let source = &state.as_ref()?.source;
                Some((&source.channel, &source.account))
            }
            Self::Changed(changed) => Some((&changed.channel, &changed.account)),
            Self::Fact(..) => None,
        }
    }

    /// What it is about, for logs.
    pub fn subject(&self) -> String {
        match self {
            Self::Order(id, _) => id.to_string(),
            Self::Fact(sku, id) => format!("{sku}/{id}"),
            Self::Changed(changed) => changed.id().to_string(),
        }
    }

    /// The message's body.
    pub fn to_body(&self) -> String {
        match self {
            Self::Order(id, state) => {
                let state = state
                    .as_deref()
                    .and_then(|state| serde_json::to_string(state).ok());
                match state.filter(|state| state.len() <= MAX_STATE_BYTES) {
                    Some(state) => format!(r#"{{"order":"{id}","state":{state}}}"#),
                    None => json!({"order": id}).to_string(),
                }
            }
            Self::Fact(sku, id) => json!({"sku": sku, "fact": id}).to_string(),
            Self::Changed(changed) => json!({
                "channel": changed.channel,
                "account": changed.account,
                "external_id": changed.external_id,
                "as_of": changed.as_of,
            })
            .to_string(),
        }
    }

    /// Reads a message's body, or says why it cannot be read.
    pub fn parse(body: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Body<'a> {
            order: Option<String>,
            #[serde(borrow)]
            state: Option<&'a RawValue>,
            sku: Option<String>,
            fact: Option<String>,
            channel: Option<String>,
            account: Option<String>,
            external_id: Option<String>,
            as_of: Option<Timestamp>,
        }
        let body: Body = serde_json::from_str(body).map_err(|error| error.to_string())?;
        let changed = (body.channel, body.account, body.external_id);
        match (body.order, body.sku, body.fact, changed) {
            (Some(order), None, None, (None, None, None)) => {
                let id = OrderId::parse(&order)
                    .ok_or_else(|| format!("expected an order id at /order, found {order:?}"))?;
                // A state of another release, or of another order, is no state: the store has the truth.
                let state = body
                    .state
                    .and_then(|state| serde_json::from_str::<Order>(state.get()).ok())
                    .filter(|state| state.id == id);
                Ok(Self::Order(id, state.map(Arc::new)))
            }
            (None, Some(sku), Some(fact), (None, None, None)) => Ok(Self::Fact(sku, fact)),
            (None, None, None, (Some(channel), Some(account), Some(external_id))) => {
                Ok(Self::Changed(Changed {
                    channel,
                    account,
                    external_id,
                    as_of: body.as_of,
                }))
            }
            _ => {
                let changed = "/channel, /account and /external_id";
                Err(format!(
                    "expected either /order, or /sku and /fact, or {changed}"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_go_round_and_bad_ones_say_why() {
        let order = Hint::Order(OrderId::parse("AD4OVS4KRET6JAPB").unwrap(), None);
        let fact = Hint::Fact("TENT".into(), "F1".into());
        let changed = |as_of| {
            Hint::Changed(Changed {
                channel: "square".into(),
                account: "main".into(),
                external_id: "x/\"1".into(),
                as_of,
            })
        };
        let dated = changed(Some(Timestamp::UNIX_EPOCH));
        for hint in [order.clone(), fact, changed(None), dated] {
            assert_eq!(Hint::parse(&hint.to_body()), Ok(hint));
        }
        let odd_state = r#"{"order":"AD4OVS4KRET6JAPB","state":{"from":"another release"}}"#;
        assert_eq!(Hint::parse(odd_state), Ok(order.clone()));
        let state = include_str!("../../domain/tests/golden/order.json");
        let own = format!(r#"{{"order":"OW7SCDYSILDFZD6D","state":{state}}}"#);
        let own = Hint::parse(&own).unwrap();
        assert!(matches!(own, Hint::Order(_, Some(_))));
        assert_eq!(Hint::parse(&own.to_body()), Ok(own));
        let of_another = format!(r#"{{"order":"AD4OVS4KRET6JAPB","state":{state}}}"#);
        assert_eq!(Hint::parse(&of_another), Ok(order));
        for bad in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"order":"x"}"#,
            r#"{"order":"AD4OVS4KRET6JAPB","sku":"a","fact":"b"}"#,
            r#"{"channel":"square","account":"main"}"#,
            r#"{"order":"AD4OVS4KRET6JAPB","channel":"a","account":"b","external_id":"c"}"#,
        ] {
            assert!(Hint::parse(bad).is_err(), "{bad}");
        }
    }
}
