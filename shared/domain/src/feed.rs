//! What others are told of an order's events: over the API, and in what is sent to subscribers.

use jiff::Timestamp;
use serde::Serialize;

use crate::event::Entry;
use crate::order::{Address, Contact, Order};

/// An event of an order, for others.
#[derive(Debug, Serialize)]
pub struct EventView {
    id: String,
    sequence: u64,
    at: Timestamp,
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
}

/// The names and addresses of an order, for those who may see them.
#[derive(Debug, Serialize)]
pub struct Customer<'a> {
    email: &'a Option<String>,
    phone: &'a Option<String>,
    address: &'a Option<Address>,
}

/// What a subscriber is sent, in the form of Standard Webhooks.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    /// What has happened.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When it did.
    pub timestamp: Timestamp,
    /// Which event it is, of which order.
    pub data: Data<'a>,
}

/// An event, the order that it is of, and who bought, for those who may know.
#[derive(Debug, Serialize)]
pub struct Data<'a> {
    order: &'a str,
    channel: &'a str,
    account: &'a str,
    external_id: &'a str,
    number: &'a str,
    sequence: u64,
    event: EventView,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Customer<'a>>,
}

/// The id of an order's event: stable, and the same wherever it is told of.
pub fn event_id(order: &Order, sequence: u64) -> String {
    format!("{}-E{sequence}", order.id)
}

/// An event as the API shows it. `words`: with what somebody wrote about it.
pub fn event(order: &Order, sequence: u64, entry: &Entry, words: bool) -> EventView {
    let currency = order.currency;
    EventView {
        id: event_id(order, sequence),
        sequence,
        at: entry.at,
        kind: entry.event.name(),
        text: match words {
            true => entry.event.describe(currency),
            false => entry.event.summary(currency),
        },
    }
}

/// Names and addresses as the API shows them.
pub fn customer(contact: &Contact) -> Customer<'_> {
    Customer {
        email: &contact.email,
        phone: &contact.phone,
        address: &contact.address,
    }
}

/// What a subscriber is sent of an event. Personal data, `contact` and whatever people wrote, is in it only if
/// that is given.
pub fn message<'a>(
    order: &'a Order,
    sequence: u64,
    entry: &Entry,
    contact: Option<&'a Contact>,
) -> Message<'a> {
    Message {
        kind: entry.event.name(),
        timestamp: entry.at,
        data: Data {
            order: order.id.as_str(),
            channel: &order.source.channel,
            account: &order.source.account,
            external_id: &order.source.external_id,
            number: &order.number,
            sequence,
            event: event(order, sequence, entry, contact.is_some()),
            customer: contact.map(customer),
        },
    }
}
