//! The order of Adobe Commerce and Magento: in the base currency, with what a cart's discounts, taxes and cards
//! make of it.

use domain::Currency;
use domain::intake::NewLine;
use domain::order::{Address, Payment};

use crate::document::Object;
use crate::draft::{Draft, full_name, if_any, sku, title};

/// Amounts in the base currency, or where the document has none in the order's.
struct Amounts {
    currency: Option<Currency>,
    base: bool,
}

impl Amounts {
    fn of(&self, object: &mut Object<'_>, name: &str) -> i64 {
        self.either(object, &format!("base_{name}"), name)
    }

    /// The amount whose names in both currencies are not alike.
    fn either(&self, object: &mut Object<'_>, base: &str, own: &str) -> i64 {
        match self.base && object.has(base) {
            true => object.signed(base, self.currency),
            false => object.signed(own, self.currency),
        }
    }
}

/// What only Adobe Commerce has. The REST API gives it among the extension attributes, and events with the order.
#[derive(Default)]
struct Extension {
    /// What gift cards, credit and points pay.
    paid: i64,
    /// Gift wrapping and cards.
    wrapping: i64,
}

impl Extension {
    fn of(object: &mut Object<'_>, amounts: &Amounts) -> Self {
        let pays = [
            "gift_cards_amount",
            "customer_balance_amount",
            "reward_currency_amount",
        ];
        let wraps = ["gw", "gw_items", "gw_card"];
        let wraps = wraps.map(|of| {
            let (base, own) = (format!("{of}_base_price"), format!("{of}_price"));
            amounts.either(object, &base, &own)
        });
        Self {
            paid: pays.iter().map(|name| amounts.of(object, name)).sum(),
            wrapping: wraps.iter().sum(),
        }
    }
}

pub(super) fn draft(mut order: Object<'_>) -> Draft {
    let shown = order
        .take("order_currency_code")
        .and_then(|code| code.currency());
    let base = order.has("base_currency_code") && order.has("base_grand_total");
    let currency = match base {
        true => order
            .take("base_currency_code")
            .and_then(|code| code.currency()),
        false => shown,
    };
    if currency.is_none() {
        order.require("order_currency_code");
    }
    let presentment = shown.map(|shown| (order.signed("grand_total", Some(shown)), shown));
    let amounts = Amounts { currency, base };
    let lines = order.lines("items", |line| new_line(line, &amounts));
    let mut attributes = order.inner("extension_attributes");
    let own = Extension::of(&mut order, &amounts);
    let more = attributes
        .as_mut()
        .map(|attributes| Extension::of(attributes, &amounts));
    let more = more.unwrap_or_default();
    let either = |own: i64, more: i64| if own == 0 { more } else { own };
    let mut of = |name: &str| amounts.of(&mut order, name);
    let shipping_discount = of("shipping_discount_amount");
    let shipping_tax = of("shipping_tax_amount");
    // What a discount takes off the tax that a price contains is added again.
    let hidden = of("discount_tax_compensation_amount");
    let hidden_shipping = of("shipping_discount_tax_compensation_amount")
        + of("shipping_discount_tax_compensation_amnt");
    let wrapping = either(own.wrapping, more.wrapping);
    let extras =
        of("shipping_amount") - shipping_discount + shipping_tax + hidden_shipping + wrapping;
    let line_discount: i64 = lines
        .iter()
        .map(|(line, rounding)| line.discount - rounding)
        .sum();
    let line_tax: i64 = lines.iter().map(|(line, _)| line.tax).sum();
    let discount = of("discount_amount").abs() - line_discount - shipping_discount;
    let tax = of("tax_amount") + hidden - line_tax - shipping_tax;
    // Gift cards, credit and points pay: the grand total is what was left to pay.
    let paid_otherwise = either(own.paid, more.paid);
    let grand_total = of("grand_total");
    let paid = of("total_paid");
    let total = grand_total + paid_otherwise;
    let state = order.take("state").and_then(|state| state.digits());
    let payments = match state.as_deref() {
        _ if paid > 0 => vec![Payment::Captured(paid + paid_otherwise)],
        Some("processing" | "complete" | "closed") => {
            vec![
                Payment::Authorised(grand_total),
                Payment::Captured(paid_otherwise),
            ]
        }
        _ => vec![Payment::Captured(paid_otherwise)],
    };
    let increment = order.take("increment_id").and_then(|id| id.digits());
    let address = order
        .inner("shipping_address")
        .or_else(|| shipping_address(attributes?));
    let billing = order.inner("billing_address");
    let mut address = address;
    let mut phone = address
        .as_mut()
        .and_then(|address| address.take("telephone")?.short_text());
    if phone.is_none() {
        phone = billing.and_then(|mut billing| billing.take("telephone")?.short_text());
    }
    Draft {
        external_id: increment
            .clone()
            .or_else(|| order.require("entity_id").and_then(|id| id.digits())),
        number: increment.unwrap_or_default(),
        placed_at: order.require("created_at").and_then(|time| time.utc()),
        as_of: order.take("updated_at").and_then(|time| time.utc()),
        currency,
        presentment,
        lines: lines.into_iter().map(|(line, _)| line).collect(),
        discount,
        tax,
        extras,
        total: Some(total),
        payments,
        email: order.take("customer_email").and_then(|email| email.email()),
        phone,
        address: address.and_then(new_address),
        shipped: state.as_deref() == Some("complete"),
        cancelled: state.as_deref() == Some("canceled"),
        ..Draft::default()
    }
}

/// A line, and what its discount has for the rounding of its price; `None` of a child of another line.
fn new_line(mut line: Object<'_>, amounts: &Amounts) -> Option<(NewLine, i64)> {
    let child = ["parent_item_id", "parent_item", "parent_id"]
        .iter()
        .any(|parent| line.has(parent));
    if child {
        return None;
    }
    let quantity = match line.has("qty_ordered") {
        true => line.units("qty_ordered"),
        false => line.units("qty"),
    };
    // What was given back before it left is not sent any more.
    let gone = line.units_if_any("qty_canceled") + line.units_if_any("qty_refunded");
    let cancelled = gone.min(quantity.without(line.units_if_any("qty_shipped")));
    let virtual_flag = line.take("is_virtual").and_then(|flag| flag.digits());
    let kind = line.words("product_type");
    // What the law puts on the price (recycling and the like) is no part of the row.
    let (base, own) = (
        "base_weee_tax_applied_row_amnt",
        "weee_tax_applied_row_amount",
    );
    let goods = amounts.of(&mut line, "row_total") + amounts.either(&mut line, base, own);
    let (unit_price, rounding) = quantity.price_of(goods);
    let hidden = amounts.of(&mut line, "discount_tax_compensation_amount");
    let id = line
        .take("item_id")
        .or_else(|| line.require("order_item_id"));
    let new = NewLine {
        id: id.and_then(|id| id.digits()).unwrap_or_default(),
        sku: sku(&mut line, "sku"),
        title: title(&line.words("name")),
        quantity,
        cancelled,
        intangible: virtual_flag.as_deref() == Some("1")
            || matches!(kind.as_str(), "virtual" | "downloadable"),
        unit_price,
        discount: amounts.of(&mut line, "discount_amount").abs() + rounding,
        tax: amounts.of(&mut line, "tax_amount") + hidden,
        ..NewLine::default()
    };
    Some((new, rounding))
}

fn shipping_address(mut attributes: Object<'_>) -> Option<Object<'_>> {
    let assignments = attributes.objects("shipping_assignments");
    let mut first = assignments.into_iter().next()?;
    first.inner("shipping")?.inner("address")
}

fn new_address(mut address: Object<'_>) -> Option<Address> {
    let street = address.take("street");
    let street: Vec<String> = match street {
        Some(street) if street.is_list() => street
            .list()
            .unwrap_or_default()
            .iter()
            .filter_map(|line| line.text())
            .collect(),
        street => {
            let text = street.and_then(|street| street.text());
            text.unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect()
        }
    };
    let region = match address.take("region") {
        Some(region) if region.is_object() => {
            region.object().map(|mut region| region.words("region"))
        }
        region => region.and_then(|region| region.text()),
    };
    let (line1, rest) = match street.split_first() {
        Some((first, rest)) => (first.clone(), rest.join(", ")),
        None => Default::default(),
    };
    if_any(Address {
        name: full_name(&mut address, "firstname", "lastname"),
        company: address.words("company"),
        line1,
        line2: rest,
        city: address.words("city"),
        region: region.unwrap_or_default(),
        postal_code: address.words("postcode"),
        country: address.words("country_id"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::AdobeCommerce;
    use crate::Channel;
    use domain::Currency;
    use domain::intake::NewOrder;
    use serde_json::{Value, json};

    /// One lamp for 50.00, which is shipped for 4.00, with this besides; the grand total is what is left to pay.
    fn order(grand_total: &str, more: Value, of_line: Value) -> NewOrder {
        let mut order = json!({
            "increment_id": "000000071", "state": "processing", "created_at": "2026-03-04 05:06:07",
            "base_currency_code": "EUR", "order_currency_code": "EUR",
            "base_grand_total": grand_total, "grand_total": grand_total,
            "base_shipping_amount": 4, "shipping_amount": 4,
            "items": [{"item_id": 1, "sku": "LAMP", "name": "Lamp", "qty_ordered": 1,
                       "base_row_total": 50, "row_total": 50}],
        });
        let merge = |into: &mut Value, more: Value| {
            let more = more.as_object().unwrap().clone();
            into.as_object_mut().unwrap().extend(more);
        };
        merge(&mut order["items"][0], of_line);
        merge(&mut order, more);
        let document = order.to_string();
        AdobeCommerce.parse(document.as_bytes(), "main").unwrap()
    }

    /// The total that the document states, and the one that its parts come to.
    fn totals(new: NewOrder) -> (Option<i64>, i64) {
        let stated = new.stated_total;
        assert_eq!(new.currency, Currency::from_code("EUR").unwrap());
        let (order, _) = new.accept(&["LAMP".to_owned()].into(), jiff::Timestamp::UNIX_EPOCH);
        (stated, order.total())
    }

    #[test]
    fn what_cards_credit_and_points_paid_is_part_of_the_total_wherever_it_stands() {
        let paid = json!({
            "base_gift_cards_amount": 20, "gift_cards_amount": 22,
            "base_customer_balance_amount": 10, "base_reward_currency_amount": 3,
        });
        let met = (Some(5400), 5400);
        assert_eq!(totals(order("54.00", json!({}), json!({}))), met);
        assert_eq!(
            totals(order("21.00", paid.clone(), json!({}))),
            met,
            "an event"
        );
        let of_rest = json!({ "extension_attributes": paid });
        assert_eq!(totals(order("21.00", of_rest.clone(), json!({}))), met);
        let both = json!({
            "base_gift_cards_amount": 33,
            "extension_attributes": {"base_gift_cards_amount": 33},
        });
        let twice = order("21.00", both, json!({}));
        assert_eq!(totals(twice), met, "counted once");
        let new = order("21.00", of_rest, json!({}));
        assert_eq!(
            new.payments.len(),
            2,
            "what is left is authorised: {:?}",
            new.payments
        );
    }

    #[test]
    fn gift_wrapping_and_what_the_law_puts_on_the_price_are_paid_too() {
        let wrapped = json!({"extension_attributes": {
            "gw_base_price": "1.50", "gw_items_base_price": "2.00", "gw_card_base_price": "0.25"}});
        assert_eq!(
            totals(order("57.75", wrapped, json!({}))),
            (Some(5775), 5775)
        );
        let fee =
            json!({"base_weee_tax_applied_row_amnt": 1.2, "weee_tax_applied_row_amount": 1.3});
        assert_eq!(totals(order("55.20", json!({}), fee)), (Some(5520), 5520));
    }
}
