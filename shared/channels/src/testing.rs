//! Deliveries made up for tests.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::vendor::Keys;
use crate::{Channel, Delivery, Greeting, Said, Secret, Unreadable};

/// A delivery.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) url: &'static str,
    pub(crate) headers: BTreeMap<&'static str, String>,
    pub(crate) query: BTreeMap<&'static str, &'static str>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn sent(body: impl AsRef<[u8]>) -> Sent {
    Sent {
        method: "POST",
        url: "https://oms.example/webhooks/c/a",
        headers: BTreeMap::new(),
        query: BTreeMap::new(),
        body: body.as_ref().to_vec(),
    }
}

/// The HMAC-SHA256 of a message.
pub(crate) fn hmac(key: &str, message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

impl Sent {
    pub(crate) fn get(self) -> Self {
        Self {
            method: "GET",
            ..self
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: &'static str) -> Self {
        self.query.insert(name, value);
        self
    }

    fn with<T>(&self, ask: impl FnOnce(&Delivery<'_>) -> T) -> T {
        let header = |name: &str| self.headers.get(name).map(String::as_str);
        let query = |name: &str| self.query.get(name).copied();
        ask(&Delivery {
            method: self.method,
            url: self.url,
            headers: &header,
            query: &query,
            raw_body: &self.body,
        })
    }

    /// Whether it is genuine by one of the secrets, at a second.
    pub(crate) fn passes_at(&self, channel: &dyn Channel, secrets: &[&str], second: i64) -> bool {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::read(text)).collect();
        let now = Timestamp::from_second(second).unwrap();
        self.with(|delivery| channel.verify(delivery, &secrets, now))
    }

    pub(crate) fn passes(&self, channel: &dyn Channel, secrets: &[&str]) -> bool {
        self.passes_at(channel, secrets, 1_700_000_000)
    }

    /// The id of the key that it names.
    pub(crate) fn named(&self, keys: &dyn Keys) -> Option<String> {
        self.with(|delivery| keys.named(delivery))
    }

    pub(crate) fn greeting(&self, channel: &dyn Channel, secrets: &[&str]) -> Option<Greeting> {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::read(text)).collect();
        self.with(|delivery| channel.greet(delivery, &secrets))
    }

    pub(crate) fn read(&self, channel: &dyn Channel) -> Result<Said, Unreadable> {
        self.with(|delivery| channel.read(delivery, "main"))
    }

    pub(crate) fn topic(&self, channel: &dyn Channel) -> String {
        self.with(|delivery| channel.topic(delivery).to_owned())
    }

    /// The only order that it hints at, and the time.
    pub(crate) fn hint(&self, channel: &dyn Channel) -> (String, String) {
        match self.read(channel) {
            Ok(Said::Changed(hints)) if hints.len() == 1 => {
                let as_of = hints[0].as_of.map(|at| at.to_string());
                (hints[0].external_id.clone(), as_of.unwrap_or_default())
            }
            other => panic!("expected a hint, found {other:?}"),
        }
    }
}
