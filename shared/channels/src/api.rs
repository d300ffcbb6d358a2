//! Our own order document, as `POST /orders` takes it.

use domain::intake::{NewLine, NewOrder};
use domain::limits::MAX_NAME_CHARS;
use domain::order::{Address, Contact, Payment, Source};
use domain::payment::{PaidThrough, Provider};
use domain::{Currency, Problem};
use jiff::Timestamp;

use crate::Unreadable;
use crate::document::{self, Object, Value};
use crate::faults::Faults;

#[cfg(test)]
mod tests;

/// The name of the channel.
pub const CHANNEL: &str = "api";

/// Reads an order. `idempotency_key` is what its sender calls it; `now` is when it was placed unless
/// the document says so.
pub fn parse(
    raw_body: &[u8],
    account: &str,
    idempotency_key: &str,
    now: Timestamp,
) -> Result<NewOrder, Unreadable> {
    if !(1..=MAX_NAME_CHARS).contains(&idempotency_key.chars().count()) {
        let detail = format!("expected an Idempotency-Key of 1 to {MAX_NAME_CHARS} characters");
        return Err(Unreadable::Problems(vec![Problem::at("", detail)]));
    }
    let faults = Faults::default();
    let order = document::object(raw_body, &faults)?;
    let source = Source {
        channel: CHANNEL.into(),
        account: account.into(),
        external_id: idempotency_key.into(),
    };
    read(order, source, now, &faults)
}

/// Reads an order that names itself: the document has an `id`, which is what its sender calls it, and
/// says when it was `placed_at`; it may say when the sender last changed it (`updated_at`), and that it
/// is `cancelled`.
pub(crate) fn parse_named(
    raw_body: &[u8],
    channel: &str,
    account: &str,
) -> Result<NewOrder, Unreadable> {
    let faults = Faults::default();
    let mut order = document::object(raw_body, &faults)?;
    let id = order.require("id").and_then(|id| id.name());
    let as_of = order.take("updated_at").and_then(|time| time.timestamp());
    let cancelled = order.flag("cancelled", false);
    if !order.has("placed_at") {
        order.require("placed_at");
    }
    let source = Source {
        channel: channel.into(),
        account: account.into(),
        external_id: id.unwrap_or_default(),
    };
    let order = read(order, source, as_of.unwrap_or_default(), &faults)?;
    Ok(NewOrder {
        // Of an order that was never changed it is the time of its making.
        as_of: as_of.or(Some(order.placed_at)),
        cancelled,
        ..order
    })
}

fn read(
    mut order: Object<'_>,
    source: Source,
    now: Timestamp,
    faults: &Faults,
) -> Result<NewOrder, Unreadable> {
    let currency = order.require("currency").and_then(|code| code.currency());
    let number = order.take("number").and_then(|number| number.name());
    let placed_at = order.take("placed_at").and_then(|time| time.timestamp());
    let taxes_included = order.flag("taxes_included", true);
    let reservation = order.take("reservation").and_then(|id| id.text());
    let lines = order.require("lines").and_then(|lines| lines.lines());
    let lines = lines.unwrap_or_default().into_iter().enumerate();
    let lines: Vec<NewLine> = lines
        .map(|(n, value)| line(&value, n, currency).unwrap_or_default())
        .collect();
    let discount = order.amount("discount", currency);
    let extras = order.amount("shipping", currency);
    let tax = order.amount("tax", currency);
    let stated_total = order.take("total").and_then(|total| total.amount(currency));
    let payment = order.take("payment").and_then(|payment| payment.object());
    let (payment, paid_through) = match payment {
        Some(payment) => paid(payment, currency),
        None => (None, None),
    };
    let (contact, point) = contact(&mut order);
    let deliver_by = order.take("deliver_by").and_then(|day| day.date());
    let test = order.flag("test", false);
    order.deny_rest();
    let Some(currency) = currency else {
        return Err(faults.unreadable());
    };
    let new = NewOrder {
        number: number.unwrap_or_else(|| source.external_id.clone()),
        source,
        placed_at: placed_at.unwrap_or(now),
        currency,
        taxes_included,
        reservation,
        lines,
        lines_pointer: "/lines",
        discount,
        tax,
        extras,
        stated_total,
        payments: Vec::new(),
        paid_through,
        contact,
        address_pointer: "/shipping_address",
        point,
        located: None,
        mailed: true,
        told: false,
        awaited: false,
        deliver_by,
        test,
        cancelled: false,
        shipped: false,
        as_of: None,
        presentment: None,
        refunds: Vec::new(),
    };
    let mut new = faults.check(new, |problem| problem)?;
    if let Some((ledger_entry, amount)) = payment {
        let due = || new.stated_total.unwrap_or_else(|| total(&new));
        let amount = amount.unwrap_or_else(due);
        new.payments = (amount > 0)
            .then(|| ledger_entry(amount))
            .into_iter()
            .collect();
    }
    Ok(new)
}

fn line(value: &Value<'_>, n: usize, currency: Option<Currency>) -> Option<NewLine> {
    let mut line = value.object()?;
    let new = NewLine {
        id: match line.take("id") {
            Some(id) => id.name().unwrap_or_default(),
            None => (n + 1).to_string(),
        },
        sku: line.take("sku").and_then(|sku| sku.name()),
        title: line.words("title"),
        quantity: line
            .require("quantity")
            .and_then(|quantity| quantity.units())
            .unwrap_or_default(),
        intangible: !line.flag("requires_shipping", true),
        unit_price: line
            .require("unit_price")
            .and_then(|price| price.amount(currency))
            .unwrap_or_default(),
        discount: line.amount("discount", currency),
        tax: line.amount("tax", currency),
        ..NewLine::default()
    };
    line.deny_rest();
    Some(new)
}

/// What the ledger gets, if anything, and of which amount if the document says.
type StatusAndAmount = (fn(i64) -> Payment, Option<i64>);

/// What has been paid, and through whom.
fn paid(
    mut payment: Object<'_>,
    currency: Option<Currency>,
) -> (Option<StatusAndAmount>, Option<PaidThrough>) {
    let status = payment.require("status");
    let amount = payment.take("amount").map(|amount| amount.amount(currency));
    let through = paid_through(&mut payment);
    payment.deny_rest();
    let entry = status.and_then(|status| ledger_entry(&status));
    (entry.map(|entry| (entry, amount.flatten())), through)
}

fn ledger_entry(status: &Value<'_>) -> Option<fn(i64) -> Payment> {
    match status.text()?.as_str() {
        "paid" => Some(Payment::Captured),
        "authorised" => Some(Payment::Authorised),
        "pending" => None,
        _ => status.expected("paid, authorised or pending"),
    }
}

/// The payment at a provider: all of its members, or none.
fn paid_through(payment: &mut Object<'_>) -> Option<PaidThrough> {
    if !["provider", "account", "reference"]
        .iter()
        .any(|name| payment.has(name))
    {
        return None;
    }
    let provider = payment.require("provider");
    let account = payment
        .require("account")
        .and_then(|account| account.text());
    let reference = payment.require("reference").and_then(|name| name.text());
    let named = Provider::named(&provider.as_ref()?.text()?);
    Some(PaidThrough {
        provider: named.or_else(|| provider?.expected("stripe"))?,
        account: account?,
        reference: reference?,
    })
}

type Point = (f64, f64);

fn contact(order: &mut Object<'_>) -> (Contact, Option<Point>) {
    let mut contact = Contact::default();
    let mut customer_name = None;
    if let Some(mut customer) = order.take("customer").and_then(|value| value.object()) {
        customer_name = customer.take("name").and_then(|name| name.text());
        contact.email = customer.take("email").and_then(|email| email.email());
        contact.phone = customer.take("phone").and_then(|phone| phone.short_text());
        customer.deny_rest();
    }
    let address = order.take("shipping_address");
    let Some(mut address) = address.and_then(|value| value.object()) else {
        return (contact, None);
    };
    let latitude = address.take("latitude");
    let longitude = address.take("longitude");
    let point = match (latitude, longitude) {
        (None, None) => None,
        (Some(north), Some(east)) => north.degrees(90.0).zip(east.degrees(180.0)),
        (Some(one), None) | (None, Some(one)) => one.expected("latitude and longitude together"),
    };
    contact.address = Some(Address {
        name: match customer_name {
            Some(name) if !address.has("name") => name,
            _ => required_words(&mut address, "name"),
        },
        company: address.words("company"),
        line1: required_words(&mut address, "line1"),
        line2: address.words("line2"),
        city: required_words(&mut address, "city"),
        region: address.words("region"),
        postal_code: address.words("postal_code"),
        country: required_words(&mut address, "country"),
    });
    address.deny_rest();
    (contact, point)
}

fn required_words(object: &mut Object<'_>, name: &str) -> String {
    let text = object.require(name).and_then(|value| value.text());
    text.unwrap_or_default()
}

/// What the parts of an order without problems add up to.
fn total(order: &NewOrder) -> i64 {
    let lines = order.lines.iter();
    let goods: i64 = lines
        .map(|line| {
            let tax = if order.taxes_included { 0 } else { line.tax };
            line.goods() + tax
        })
        .sum();
    let tax = if order.taxes_included { 0 } else { order.tax };
    goods - order.discount + tax + order.extras
}
