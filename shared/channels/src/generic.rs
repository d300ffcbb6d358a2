//! Any shop: our own order document ([`api`]) as a webhook by Standard Webhooks.
//!
//! The document has an `id`, the shop's own of the order, and may say `updated_at`: a later one with
//! the same `id` restates the order.

use domain::intake::NewOrder;
use jiff::Timestamp;

use crate::{Channel, Delivery, Said, Secret, Unreadable, api, standard};

/// The channel.
#[derive(Debug)]
pub struct Generic;

impl Channel for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], now: Timestamp) -> bool {
        standard::verify(delivery, secrets, now)
    }

    fn read(&self, delivery: &Delivery<'_>, account: &str) -> Result<Said, Unreadable> {
        let order = self.parse(delivery.raw_body, account)?;
        Ok(Said::Order(Box::new(order)))
    }

    fn parse(&self, document: &[u8], account: &str) -> Result<NewOrder, Unreadable> {
        api::parse_named(document, self.name(), account)
    }
}
