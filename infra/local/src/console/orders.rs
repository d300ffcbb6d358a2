//! All orders, and one of them in full.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use domain::order::{Buckets, LineMoney, Payment};
use domain::{Event, Line, Order, OrderId, Quantity, view};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use store::Story;

use super::filters::span;
use super::{Console, Page, Shared, mail, query, traffic};

/// Orders on a page.
const LISTED: usize = 50;

/// The states of an order in the order of its life: first those in which somebody has to act.
const STATES: [&str; 10] = [
    "held",
    "backordered",
    "accepted",
    "allocated",
    "packed",
    "partially_shipped",
    "shipped",
    "delivered",
    "returned",
    "cancelled",
];

/// An order in the list.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a OrderId,
    number: &'a str,
    channel: &'a str,
    account: &'a str,
    status: &'static str,
    payment: &'static str,
    country: Option<&'a str>,
    total: String,
    placed_at: Timestamp,
    waits: Vec<String>,
}

/// A state, how many orders are in it, and where they are listed.
#[derive(Serialize)]
struct Count {
    name: &'static str,
    count: usize,
    link: String,
    chosen: bool,
}

/// Which orders are wanted.
struct Wanted {
    /// Only in this state.
    status: Option<String>,
    /// Only those that somebody may mean by this.
    text: Option<String>,
    /// Only those behind this one.
    after: Option<String>,
}

impl Wanted {
    fn of(uri: &Uri) -> Self {
        Self {
            status: query(uri, "status"),
            text: query(uri, "q"),
            after: query(uri, "after"),
        }
    }

    /// The address of the list in another state, or behind another order.
    fn link(&self, status: Option<&str>, after: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let parts = [
            ("status", status),
            ("q", self.text.as_deref()),
            ("after", after),
        ];
        for (name, value) in parts {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        match query.finish() {
            query if query.is_empty() => "/".to_owned(),
            query => format!("/?{query}"),
        }
    }

    /// Whether somebody who asks for `text` may mean this order: by its number, its ids, its
    /// parcels' tracking numbers, or an article in it.
    fn means(&self, order: &Order) -> bool {
        let Some(text) = &self.text else {
            return true;
        };
        let is = |name: &str| name.eq_ignore_ascii_case(text.trim_start_matches('#'));
        let parcels = order.fulfillments.iter().filter_map(|f| f.parcel.as_ref());
        let skus = order.lines.iter().filter_map(|line| line.sku.as_deref());
        is(&order.number)
            || is(&order.source.external_id)
            // Ids of fulfillment orders, returns and refunds begin with the order's.
            || text.split('-').next().is_some_and(|id| id.eq_ignore_ascii_case(order.id.as_str()))
            || parcels.into_iter().any(|parcel| is(&parcel.tracking_number))
            || skus.into_iter().any(is)
    }
}

pub(super) async fn list(State(console): Shared, uri: Uri) -> Response {
    let page = list_page(&console, &Wanted::of(&uri)).await;
    console.show(page)
}

async fn list_page(console: &Console, wanted: &Wanted) -> Result<Page> {
    let found = console.scans.orders().await?;
    let everything = found.orders.len();
    let mut orders = found.orders;
    orders.retain(|order| wanted.means(order));
    orders.sort_by(|a, b| {
        let age = |order: &Order| Reverse(order.placed_at);
        age(a).cmp(&age(b)).then_with(|| a.id.cmp(&b.id))
    });
    let states = states(&orders, wanted);
    if let Some(status) = &wanted.status {
        orders.retain(|order| order.status() == status);
    }
    let matching = orders.len();
    let behind = |after: &String| orders.iter().position(|order| order.id.as_str() == after);
    let start = wanted.after.as_ref().and_then(behind);
    let start = start.map_or(0, |place| place + 1);
    let shown = &orders[start..matching.min(start + LISTED)];
    let older = (start + shown.len() < matching)
        .then(|| shown.last())
        .flatten();
    let status = wanted.status.as_deref();
    let facts = json!({
        "title": "Orders",
        "rows": shown.iter().map(row).collect::<Vec<_>>(),
        "states": states,
        "everything": everything,
        "matching": matching,
        "first": start + 1,
        "last": start + shown.len(),
        "q": wanted.text,
        "status": wanted.status,
        "all": wanted.link(None, None),
        "newest": (start > 0).then(|| wanted.link(status, None)),
        "older": older.map(|order| wanted.link(status, Some(order.id.as_str()))),
        "unreadable": found.unreadable.len() + found.broken.len(),
        "queues": traffic::queues(&console.cloud),
        "calls": traffic::calls(&console.cloud),
    });
    Ok(Page::new("orders.html", facts))
}

fn states(orders: &[Order], wanted: &Wanted) -> Vec<Count> {
    let mut counts: BTreeMap<(usize, &'static str), usize> = BTreeMap::new();
    for order in orders {
        let name = order.status();
        let place = STATES.iter().position(|known| *known == name);
        *counts
            .entry((place.unwrap_or(STATES.len()), name))
            .or_default() += 1;
    }
    let state = |((_, name), count)| Count {
        name,
        count,
        link: wanted.link(Some(name), None),
        chosen: wanted.status.as_deref() == Some(name),
    };
    counts.into_iter().map(state).collect()
}

fn row(order: &Order) -> Row<'_> {
    Row {
        id: &order.id,
        number: &order.number,
        channel: &order.source.channel,
        account: &order.source.account,
        status: order.status(),
        payment: order.payment_status(),
        country: order.destination.as_ref().map(|to| to.country.as_str()),
        total: order.currency.display(order.total()),
        placed_at: order.placed_at,
        waits: view::waiting_for(order),
    }
}

/// Units that stand at one place.
#[derive(Serialize)]
struct Part {
    name: &'static str,
    units: Quantity,
}

/// An entry of the timeline.
#[derive(Serialize)]
struct Entry {
    n: u64,
    at: Timestamp,
    /// Time since the entry before, if there is one and any has passed.
    later: Option<String>,
    name: &'static str,
    text: String,
    /// The mail that the entry speaks of.
    mail: Option<String>,
    /// Something went otherwise than hoped for.
    trouble: bool,
}

/// A mail about the order.
#[derive(Serialize)]
struct MailRow {
    id: String,
    sent_at: Timestamp,
    to: String,
    subject: String,
    #[serde(skip)]
    key: String,
}

pub(super) async fn one(State(console): Shared, Path(id): Path<String>) -> Response {
    let page = one_page(&console, &id).await;
    console.show(page)
}

async fn one_page(console: &Console, id: &str) -> Result<Page> {
    let missing = || Page::missing(format!("an order {id:?}"));
    let Some(parsed) = OrderId::parse(id) else {
        return Ok(missing());
    };
    let Some(story) = console.store.load_story(&parsed).await? else {
        return Ok(missing());
    };
    let Story {
        order,
        contact,
        timeline,
        ..
    } = &story;
    let mails = mails_of(console, &parsed);
    let lines = order.lines.iter().zip(0..).map(|(line, n): (_, usize)| {
        json!({
            "title": contact.titles.get(n).filter(|title| !title.is_empty()),
            "intangible": line.intangible,
            "bar": bar(std::slice::from_ref(line)),
            "parts": parts(order, &line.money),
        })
    });
    let payments = order.payments.iter().map(|payment| match payment {
        Payment::Authorised(amount) => ("authorised", order.currency.display(*amount)),
        Payment::Captured(amount) => ("captured", order.currency.display(*amount)),
        Payment::Refunded(_, amount) => ("refunded", order.currency.display(*amount)),
    });
    let facts = json!({
        "title": format!("Order {}", order.number),
        "order": view::order(order),
        "contact": contact,
        "lines": lines.collect::<Vec<_>>(),
        "bar": bar(&order.lines),
        "payments": payments.collect::<Vec<_>>(),
        "timeline": entries(order, timeline, &mails),
        "mails": mails,
    });
    Ok(Page::new("order.html", facts))
}

/// The mails about an order, oldest first.
fn mails_of(console: &Console, id: &OrderId) -> Vec<MailRow> {
    let mails = console.cloud.services().ses.mails();
    let of = |mail: crate::services::Mail| {
        let key = mail::key(&mail)?
            .strip_prefix(id.as_str())?
            .strip_prefix('-')?;
        Some(MailRow {
            key: key.to_owned(),
            to: mail.to.join(", "),
            id: mail.id,
            sent_at: mail.sent_at,
            subject: mail.subject,
        })
    };
    mails.into_iter().filter_map(of).collect()
}

fn entries(order: &Order, timeline: &domain::event::Timeline, mails: &[MailRow]) -> Vec<Entry> {
    let mut before: Option<Timestamp> = None;
    let numbered = (timeline.first..).zip(&timeline.entries);
    let entry = |(n, entry): (u64, &domain::event::Entry)| {
        let since = before.replace(entry.at);
        let seconds = since.map(|since| entry.at.as_second() - since.as_second());
        let seconds = seconds.filter(|seconds| *seconds > 0);
        let mail = match &entry.event {
            Event::Notified(notice) => mails.iter().find(|mail| mail.key == notice.key()),
            _ => None,
        };
        Entry {
            n,
            at: entry.at,
            later: seconds.map(|seconds| span(seconds.unsigned_abs())),
            name: entry.event.name(),
            text: entry.event.describe(order.currency),
            mail: mail.map(|mail| mail.id.clone()),
            trouble: matches!(
                entry.event,
                Event::NotNotified(..)
                    | Event::FulfillmentRejected(..)
                    | Event::Unrated(_)
                    | Event::Cancelled(..)
            ),
        }
    };
    numbered.map(entry).collect()
}

/// What makes a line cost more or less than its goods' price.
fn parts(order: &Order, money: &LineMoney) -> Vec<(&'static str, String)> {
    let tax = if order.taxes_included { 0 } else { money.tax };
    let parts = [
        ("discount", -money.discount),
        ("tax", tax),
        ("shipping", money.extras),
    ];
    let parts = parts.into_iter().filter(|(_, amount)| *amount != 0);
    let signed = |amount| match amount {
        1.. => format!("+{}", order.currency.format(amount)),
        _ => order.currency.format(amount),
    };
    parts.map(|(name, amount)| (name, signed(amount))).collect()
}

/// What a part of a bar is called, and how many of a line's units are in it.
type Standing = (&'static str, fn(&Buckets) -> u32);

/// Where units of some lines stand, each counted once, furthest first.
fn bar(lines: &[Line]) -> Vec<Part> {
    let parts: [Standing; 8] = [
        ("returned", |units| units.returned),
        ("delivered", |units| units.delivered - units.returned),
        ("shipped", |units| units.shipped - units.delivered),
        ("packed", |units| units.packed),
        ("allocated", |units| units.allocated),
        ("open", |units| units.open),
        ("backordered", |units| units.backordered),
        ("cancelled", |units| units.cancelled),
    ];
    let part = |(name, of): Standing| {
        let units = lines.iter().map(|line| line.quantity(of(&line.units)));
        Part {
            name,
            units: units.sum(),
        }
    };
    let parts = parts.into_iter().map(part);
    parts.filter(|part| !part.units.is_zero()).collect()
}
