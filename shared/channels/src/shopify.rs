//! Shopify: `orders/create` webhooks, and the same document as its Admin API wraps it.

use domain::Currency;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Address, Contact, Payment};
use jiff::Timestamp;

use self::refunds::{Moved, Shop};
use crate::document::{self, Object, Value, elements};
use crate::draft::{Draft, Names, first_of, full_name, title};
use crate::faults::Faults;
use crate::signature::hmac_sha256_base64_matches;
use crate::stock::Stock;
use crate::updates::Updates;
use crate::{Channel, Delivery, Hint, Said, Secret, Unreadable};

mod refunds;
mod returns;
mod stock;
#[cfg(test)]
mod tests;
mod updates;

/// The topic of webhooks about new orders.
const ORDERS_CREATE: &str = "orders/create";
/// The topics whose webhooks bring the whole order.
const WHOLE_ORDERS: &[&str] = &[
    ORDERS_CREATE,
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "orders/fulfilled",
    "orders/partially_fulfilled",
];
/// What Shopify calls the only variant of a product that has none.
const NO_VARIANT: &str = "Default Title";

/// The channel.
#[derive(Debug)]
pub struct Shopify;

impl Channel for Shopify {
    fn name(&self) -> &'static str {
        "shopify"
    }

    fn verify(&self, delivery: &Delivery<'_>, secrets: &[Secret], _: Timestamp) -> bool {
        header(delivery, "hmac-sha256").is_some_and(|signature| {
            hmac_sha256_base64_matches(delivery.raw_body, signature, secrets)
        })
    }

    fn topic<'d>(&self, delivery: &Delivery<'d>) -> &'d str {
        header(delivery, "topic").unwrap_or(ORDERS_CREATE)
    }

    fn read(&self, delivery: &Delivery<'_>, account: &str) -> Result<Said, Unreadable> {
        match self.topic(delivery) {
            topic if WHOLE_ORDERS.contains(&topic) => {}
            "refunds/create" => return refunds::webhook(delivery.raw_body),
            topic if topic.starts_with("returns/") => return returns::webhook(delivery.raw_body),
            "orders/edited" => return edit(delivery.raw_body),
            "orders/delete" => return deletion(delivery.raw_body),
            _ => return Ok(Said::Nothing("webhooks of this topic are not handled")),
        }
        let mut order = self.parse(delivery.raw_body, account)?;
        order.test |= header(delivery, "test") == Some("true");
        Ok(Said::Order(Box::new(order)))
    }

    fn parse(&self, raw_body: &[u8], account: &str) -> Result<NewOrder, Unreadable> {
        let faults = Faults::default();
        let mut order = document::object(raw_body, &faults)?;
        if order.has("line_items") || !order.has("order") {
            return draft(order).finish(self.name(), account, &faults, &AT_ROOT);
        }
        match order.inner("order") {
            Some(inner) => draft(inner).finish(self.name(), account, &faults, &IN_ORDER),
            None => Err(faults.unreadable()),
        }
    }

    fn updates(&self) -> Option<&dyn Updates> {
        Some(self)
    }

    fn stock(&self) -> Option<&dyn Stock> {
        Some(self)
    }

    fn orders<'a>(&self, answer: &'a [u8]) -> Result<Vec<&'a [u8]>, Unreadable> {
        elements(answer, "orders")
    }
}

/// A header by the end of its name: newer deliveries leave out the `x-`.
fn header<'d>(delivery: &Delivery<'d>, name: &str) -> Option<&'d str> {
    let [old, new] = ["x-shopify-", "shopify-"].map(|prefix| format!("{prefix}{name}"));
    delivery.header(&old).or_else(|| delivery.header(&new))
}

/// What was edited is not in it: `orders/updated` comes as well, and restates the order.
fn edit(raw_body: &[u8]) -> Result<Said, Unreadable> {
    let faults = Faults::default();
    let body = document::root(raw_body, &faults)?.object();
    let edit = body.and_then(|mut body| body.require("order_edit")?.object());
    let hint = edit.and_then(|mut edit| {
        Some(Hint {
            external_id: edit.require("order_id")?.digits()?,
            as_of: edit.take("committed_at").and_then(|time| time.timestamp()),
        })
    });
    let hint = hint.ok_or_else(|| faults.unreadable())?;
    Ok(Said::Changed(vec![hint]))
}

fn deletion(raw_body: &[u8]) -> Result<Said, Unreadable> {
    let faults = Faults::default();
    let body = document::root(raw_body, &faults)?.object();
    let id = body.and_then(|mut body| body.require("id")?.digits());
    id.map(Said::Deleted).ok_or_else(|| faults.unreadable())
}

const FIELDS: &[(&str, &str)] = &[
    ("/number", "/name"),
    ("@/line1", "/address1"),
    ("@/line2", "/address2"),
    ("@/region", "/province"),
    ("@/postal_code", "/zip"),
    ("@/country", "/country_code"),
];
const AT_ROOT: Names = Names {
    lines: "/line_items",
    address: "/shipping_address",
    fields: FIELDS,
};
const IN_ORDER: Names = Names {
    lines: "/order/line_items",
    address: "/order/shipping_address",
    fields: &[
        ("", "/order"),
        ("/number", "/order/name"),
        ("/id", "/order/id"),
        ("@/line1", "/address1"),
        ("@/line2", "/address2"),
        ("@/region", "/province"),
        ("@/postal_code", "/zip"),
        ("@/country", "/country_code"),
    ],
};

fn draft(mut order: Object<'_>) -> Draft {
    let external_id = exact_id(&mut order);
    let placed_at = order
        .take("processed_at")
        .or_else(|| order.require("created_at"));
    let placed_at = placed_at.and_then(|time| time.timestamp());
    // Amounts of the shop's own currency, whatever the customer saw and paid in.
    let currency = order.require("currency").and_then(|code| code.currency());
    let taxes_included = order.flag("taxes_included", false);
    let lines = order.require("line_items").and_then(|lines| lines.lines());
    let lines = lines.unwrap_or_default();
    let total = order
        .require("total_price")
        .and_then(|total| total.amount(currency));
    let shop = Shop {
        total: total.zip(currency),
        shown: total_shown(&mut order),
    };
    let refunds = order.objects("refunds").into_iter();
    let refunds: Vec<_> = refunds.map(|refund| refunds::read(refund, shop)).collect();
    let moved = Moved::of(&mut order, &refunds);
    let mut tips_are_lines = false;
    let lines: Vec<NewLine> = lines
        .iter()
        .map(|value| {
            let (line, tip) = line(value, currency, &moved).unwrap_or_default();
            tips_are_lines |= tip;
            line
        })
        .collect();
    let shipping = shipping(&mut order, currency);
    let mut extras =
        shipping.price + money_of(&mut order, "original_total_additional_fees_set", currency);
    if !order.flag("duties_included", false) {
        extras += money_of(&mut order, "original_total_duties_set", currency);
    }
    if !tips_are_lines {
        extras += order.amount("total_tip_received", currency);
    }
    if !taxes_included {
        extras += shipping.tax;
    }
    let line_discounts: i64 = lines.iter().map(|line| line.discount).sum();
    let line_taxes: i64 = lines.iter().map(|line| line.tax).sum();
    let discount = order.amount("total_discounts", currency) - line_discounts - shipping.discount;
    let tax = order.amount("total_tax", currency) - line_taxes - shipping.tax;
    let payments = payments(&mut order, total.unwrap_or(0), currency);
    let number = number(&mut order);
    let (contact, point) = contact(&mut order);
    Draft {
        external_id,
        number,
        placed_at,
        as_of: order.take("updated_at").and_then(|time| time.timestamp()),
        currency,
        presentment: shop.shown,
        taxes_included,
        lines,
        discount,
        tax,
        extras,
        total,
        payments,
        refunds,
        email: contact.email,
        phone: contact.phone,
        address: contact.address,
        point,
        test: order.flag("test", false),
        cancelled: order.has("cancelled_at"),
        shipped: order.words("fulfillment_status") == "fulfilled",
        ..Draft::default()
    }
}

/// The total that the customer saw.
fn total_shown(order: &mut Object<'_>) -> Option<(i64, Currency)> {
    let shown = order.inner("total_price_set")?.inner("presentment_money");
    let mut shown = shown?;
    let currency = shown.require("currency_code")?.currency()?;
    Some((shown.amount("amount", Some(currency)), currency))
}

/// The id. The global one is text, and so survives copies made by JavaScript, which rounds large
/// numbers.
fn exact_id(object: &mut Object<'_>) -> Option<String> {
    let id = object.require("id").and_then(|id| id.digits());
    let global = object.words("admin_graphql_api_id");
    let exact = global
        .rsplit_once('/')
        .map(|(_, digits)| digits)
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    exact.map(str::to_owned).or(id)
}

/// A line, and whether it is a tip.
fn line(value: &Value<'_>, currency: Option<Currency>, moved: &Moved) -> Option<(NewLine, bool)> {
    let mut line = value.object()?;
    let tip = ["tip", "tip_payment_gateway", "tip_payment_method"]
        .iter()
        .any(|field| line.has(field));
    let title = line.words("title");
    let variant = line.words("variant_title");
    let title = match variant.as_str() {
        "" | NO_VARIANT => title,
        variant => format!("{title} - {variant}"),
    };
    let allocated = sum(&mut line, "discount_allocations", "amount", currency);
    let own_discount = line.amount("total_discount", currency);
    let gift_card = line.flag("gift_card", false);
    let shipped = line.flag("requires_shipping", true);
    let id = exact_id(&mut line).unwrap_or_default();
    let quantity = line
        .require("quantity")
        .and_then(|quantity| quantity.units())
        .unwrap_or_default();
    let new = NewLine {
        cancelled: moved.cancelled(&id, quantity, &mut line),
        id,
        sku: Some(line.words("sku")).filter(|sku| !sku.is_empty()),
        // Two titles of a length that Shopify allows may be longer than ours; people read the start.
        title: self::title(&title),
        quantity,
        intangible: gift_card || tip || !shipped,
        unit_price: line
            .require("price")
            .and_then(|price| price.amount(currency))
            .unwrap_or_default(),
        discount: allocated.unwrap_or(own_discount),
        tax: sum(&mut line, "tax_lines", "price", currency).unwrap_or(0),
        ..NewLine::default()
    };
    Some((new, tip))
}

/// The sum of one amount of each entry of a list; `None` when there are no entries.
fn sum(
    object: &mut Object<'_>,
    list: &str,
    field: &str,
    currency: Option<Currency>,
) -> Option<i64> {
    let entries = object.take(list)?.list()?;
    let entries = entries.iter().filter_map(|entry| entry.object());
    entries
        .map(|mut entry| entry.amount(field, currency))
        .reduce(|sum, amount| sum + amount)
}

/// The shop's side of an amount in two currencies.
fn money_of(order: &mut Object<'_>, name: &str, currency: Option<Currency>) -> i64 {
    let both = order.take(name).and_then(|both| both.object());
    let shop = both.and_then(|mut both| both.take("shop_money")?.object());
    shop.map_or(0, |mut money| money.amount("amount", currency))
}

#[derive(Default)]
struct Shipping {
    /// After its discounts.
    price: i64,
    discount: i64,
    tax: i64,
}

fn shipping(order: &mut Object<'_>, currency: Option<Currency>) -> Shipping {
    let mut shipping = Shipping::default();
    let lines = order.take("shipping_lines").and_then(|lines| lines.list());
    for value in lines.unwrap_or_default() {
        let Some(mut line) = value.object() else {
            continue;
        };
        // `discounted_price` is 0.00 in some documents whose total contains the price: not used.
        let discount = sum(&mut line, "discount_allocations", "amount", currency).unwrap_or(0);
        shipping.price += line.amount("price", currency) - discount;
        shipping.discount += discount;
        shipping.tax += sum(&mut line, "tax_lines", "price", currency).unwrap_or(0);
    }
    shipping
}

fn payments(order: &mut Object<'_>, total: i64, currency: Option<Currency>) -> Vec<Payment> {
    let outstanding = order
        .take("total_outstanding")
        .and_then(|amount| amount.signed_amount(currency));
    let payment = match (order.words("financial_status").as_str(), outstanding) {
        ("paid" | "partially_refunded" | "refunded", _) => Some(Payment::Captured(total)),
        ("partially_paid", Some(outstanding)) => Some(Payment::Captured(total - outstanding)),
        ("authorized", _) => Some(Payment::Authorised(total)),
        _ => None,
    };
    payment.into_iter().collect()
}

fn number(order: &mut Object<'_>) -> String {
    let name = order.words("name");
    let number = order
        .take("order_number")
        .and_then(|number| number.digits());
    match name.trim_start_matches('#') {
        "" => number.unwrap_or_default(),
        name => name.to_owned(),
    }
}

fn contact(order: &mut Object<'_>) -> (Contact, Option<(f64, f64)>) {
    let mut email = |field| order.take(field).and_then(|email| email.email());
    let email = email("email").or_else(|| email("contact_email"));
    let phone = order.take("phone").and_then(|phone| phone.short_text());
    let address = order.take("shipping_address");
    let Some(mut address) = address.and_then(|address| address.object()) else {
        let contact = Contact {
            email,
            phone,
            ..Contact::default()
        };
        return (contact, None);
    };
    let own_phone = address.take("phone").and_then(|phone| phone.short_text());
    let latitude = address.take("latitude").and_then(|d| d.degrees(90.0));
    let longitude = address.take("longitude").and_then(|d| d.degrees(180.0));
    let contact = Contact {
        email,
        phone: own_phone.or(phone),
        address: Some(Address {
            name: first_of([
                address.words("name"),
                full_name(&mut address, "first_name", "last_name"),
            ]),
            company: address.words("company"),
            line1: address.words("address1"),
            line2: address.words("address2"),
            city: address.words("city"),
            region: first_of([address.words("province"), address.words("province_code")]),
            postal_code: address.words("zip"),
            country: address.words("country_code"),
        }),
        ..Contact::default()
    };
    (contact, latitude.zip(longitude))
}
