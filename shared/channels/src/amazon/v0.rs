//! The order as Amazon's older API (v0) gives it, in several answers.

use domain::Currency;
use domain::intake::NewLine;
use domain::order::Address;

use super::{paid, ships_itself};
use crate::document::{self, MoneyShape, Object};
use crate::draft::{Draft, Names, if_any, sku, title};

pub(super) const OF_V0: Names = Names {
    lines: "/items/OrderItems",
    address: "/address/ShippingAddress",
    fields: &[
        ("/number", "/order/AmazonOrderId"),
        ("/id", "/order/AmazonOrderId"),
        ("*/id", "/OrderItemId"),
        ("*/sku", "/SellerSKU"),
        ("*/quantity", "/QuantityOrdered"),
        ("@/line1", "/AddressLine1"),
        ("@/line2", "/AddressLine2"),
        ("@/region", "/StateOrRegion"),
        ("@/postal_code", "/PostalCode"),
        ("@/country", "/CountryCode"),
    ],
};
const MONEY_OF_V0: MoneyShape = MoneyShape {
    amount: "Amount",
    currency: "CurrencyCode",
    minor: false,
};

pub(super) fn draft_of_v0(all: &mut Object<'_>) -> Option<Draft> {
    let mut order = answer(all, "order")?;
    let mut items = answer(all, "items")?;
    let total = order.total("OrderTotal", MONEY_OF_V0);
    let currency = total.map(|(currency, _)| currency);
    let total = total.map(|(_, total)| total);
    let mut extras = 0;
    let mut lines = items.lines("OrderItems", |line| {
        // What was called off stays in the list.
        let ordered = line.peek("QuantityOrdered");
        if ordered.is_some_and(|ordered| ordered.as_json() == "0") {
            return None;
        }
        let (line, extra) = line_of_v0(line, currency);
        extras += extra;
        Some(line)
    });
    // Some marketplaces' prices contain the tax, and no field says so: the total does.
    let without_tax = lines
        .iter()
        .map(NewLine::goods)
        .fold(extras, i64::saturating_add);
    let taxes_included = total == Some(without_tax);
    if answer_is_of_another(&mut order, &mut items) {
        lines.clear();
    }
    ships_itself(Some(&mut order), "FulfillmentChannel", "AFN", "MFN");
    let status = order.words("OrderStatus");
    let address = answer(all, "address").and_then(|mut answer| {
        let mut address = answer.inner("ShippingAddress")?;
        if_any(Address {
            name: address.words("Name"),
            company: address.words("CompanyName"),
            line1: address.words("AddressLine1"),
            line2: address.words("AddressLine2"),
            city: address.words("City"),
            region: address.words("StateOrRegion"),
            postal_code: address.words("PostalCode"),
            country: address.words("CountryCode"),
        })
    });
    Some(Draft {
        external_id: order.require("AmazonOrderId").and_then(|id| id.text()),
        placed_at: order
            .require("PurchaseDate")
            .and_then(|time| time.timestamp()),
        as_of: order
            .take("LastUpdateDate")
            .and_then(|time| time.timestamp()),
        currency,
        taxes_included,
        lines,
        extras,
        total,
        payments: paid(total, &status),
        email: answer(all, "buyer").and_then(|mut buyer| buyer.take("BuyerEmail")?.email()),
        address,
        unmailed: true,
        shipped: status == "Shipped",
        cancelled: status == "Canceled",
        ..Draft::default()
    })
}

/// A line, and what is charged with it for its shipping.
fn line_of_v0(mut line: Object<'_>, currency: Option<Currency>) -> (NewLine, i64) {
    let mut of = |name| line.money_in(name, MONEY_OF_V0, currency);
    let goods = of("ItemPrice");
    let off = of("PromotionDiscount");
    let extra = of("ShippingPrice") - of("ShippingDiscount") + of("ShippingTax")
        - of("ShippingDiscountTax");
    let tax = of("ItemTax") - of("PromotionDiscountTax");
    let quantity = line.units("QuantityOrdered");
    let (unit_price, rounding) = quantity.price_of(goods);
    let new = NewLine {
        id: line
            .require("OrderItemId")
            .and_then(|id| id.text())
            .unwrap_or_default(),
        sku: sku(&mut line, "SellerSKU"),
        title: title(&line.words("Title")),
        quantity,
        unit_price,
        discount: off + rounding,
        tax,
        ..NewLine::default()
    };
    (new, extra)
}

/// The members of an answer of the older API.
fn answer<'a>(all: &mut Object<'a>, name: &str) -> Option<Object<'a>> {
    let mut answer = all.inner(name)?;
    match answer.has("payload") {
        true => answer.inner("payload"),
        false => Some(answer),
    }
}

/// Whether the items are those of another order, which is a fault.
fn answer_is_of_another(order: &mut Object<'_>, items: &mut Object<'_>) -> bool {
    let of_items = items.take("AmazonOrderId");
    let of_order = order.peek("AmazonOrderId").and_then(|id| id.text());
    let differs = |id: &document::Value<'_>| id.text() != of_order;
    match of_items.filter(differs) {
        Some(id) => {
            let own = of_order.unwrap_or_default();
            id.expected::<()>(&format!("the items of order {own}"));
            true
        }
        None => false,
    }
}
