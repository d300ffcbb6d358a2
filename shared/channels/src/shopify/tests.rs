use domain::order::HoldReason;

use domain::Problem;
use domain::limits::MAX_TITLE_CHARS;

use super::*;
use crate::testing::sent;

/// A document like Shopify's, made up.
const ORDER: &str = r##"{
  "id": 6001234567890, "admin_graphql_api_id": "gid://shopify/Order/6001234567890",
  "name": "#W1042", "order_number": 1042, "currency": "EUR", "presentment_currency": "USD",
  "created_at": "2026-02-01T10:00:00+01:00", "processed_at": "2026-02-01T09:59:58+01:00",
  "email": "", "contact_email": "lin@example.com", "phone": null, "test": false,
  "cancelled_at": null, "financial_status": "paid", "taxes_included": true,
  "total_price": "59.40", "total_tax": "9.48", "total_discounts": "8.50", "total_outstanding": "0.00",
  "line_items": [
    {"id": 11, "sku": "LAMP", "title": "Lamp", "variant_title": "Blue", "quantity": 2,
     "price": "25.00", "total_discount": "0.00", "requires_shipping": true, "gift_card": false,
     "discount_allocations": [{"amount": "3.00"}, {"amount": "2.00"}], "tax_lines": [{"price": "7.18"}]},
    {"id": 12, "sku": "", "title": "Gift card", "variant_title": "Default Title", "quantity": 1,
     "price": "10.00", "total_discount": "0.50", "gift_card": true, "requires_shipping": false}],
  "shipping_lines": [{"price": "5.90", "discounted_price": "0.00",
     "discount_allocations": [{"amount": "2.00"}], "tax_lines": [{"price": "0.62"}]}],
  "shipping_address": {"first_name": "Lin", "last_name": "Example", "name": null, "company": null,
     "address1": "Hauptstr. 1", "address2": "", "city": "Berlin", "zip": "10115", "province": null,
     "country_code": "DE", "phone": "+49 30 0100", "latitude": 52.5, "longitude": 13.4}
}"##;

fn read(body: &str) -> Result<NewOrder, Unreadable> {
    Shopify.parse(body.as_bytes(), "main")
}

fn with(from: &str, to: &str) -> String {
    assert!(ORDER.contains(from), "{from}");
    ORDER.replacen(from, to, 1)
}

fn problems(body: &str) -> Vec<String> {
    match read(body) {
        Err(Unreadable::Problems(problems)) => {
            let shown = |p: Problem| format!("{}: {}", p.pointer, p.detail);
            problems.into_iter().map(shown).collect()
        }
        other => panic!("expected problems, found {other:?}"),
    }
}

#[test]
fn an_order_is_read_in_the_shops_currency() {
    let order = read(ORDER).unwrap();
    assert_eq!(order.source.external_id, "6001234567890");
    assert_eq!(order.number, "W1042");
    assert_eq!(order.placed_at.to_string(), "2026-02-01T08:59:58Z");
    assert_eq!(order.currency.code(), "EUR");
    assert_eq!(order.contact.email.as_deref(), Some("lin@example.com"));
    assert_eq!(order.contact.phone.as_deref(), Some("+49 30 0100"));
    let address = order.contact.address.as_ref().unwrap();
    assert_eq!(
        (address.name.as_str(), address.country.as_str()),
        ("Lin Example", "DE")
    );
    assert_eq!(order.point, Some((52.5, 13.4)));
    assert_eq!(order.contact.titles, ["Lamp - Blue", "Gift card"]);
    let [lamp, card] = &order.lines[..] else {
        panic!("two lines");
    };
    assert_eq!(
        (lamp.discount, lamp.tax, lamp.intangible),
        (500, 718, false)
    );
    assert_eq!(
        (card.sku.as_deref(), card.discount, card.intangible),
        (None, 50, true)
    );
    assert_eq!(order.discount, 850 - 500 - 50 - 200);
    assert_eq!(order.extras, 390, "tax is in the price");
    assert_eq!(order.tax, 948 - 718 - 62);
    assert_eq!(order.payments, [Payment::Captured(5940)]);
}

#[test]
fn what_is_allocated_nowhere_is_spread_and_the_total_is_met() {
    // 50.00 - 5.00 + 10.00 - 0.50 + 3.90 - 1.00 = 57.40
    let order = read(&with("59.40", "57.40")).unwrap();
    let (order, _) = order.accept(&["LAMP".to_owned()].into(), jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(order.total(), 5740);
    assert!(order.holds.is_empty(), "{:?}", order.holds);
    let (held, _) = read(ORDER)
        .unwrap()
        .accept(&["LAMP".to_owned()].into(), jiff::Timestamp::UNIX_EPOCH);
    let difference = HoldReason::Totals {
        stated: 5940,
        computed: 5740,
    };
    assert_eq!(held.holds[0].reason, difference);
}

#[test]
fn tips_duties_fees_and_tax_on_top_are_extras() {
    let set = |amount| format!(r#"{{"shop_money":{{"amount":"{amount}","currency_code":"EUR"}}}}"#);
    let added = format!(
        r#"{{"total_tip_received":"1.00","original_total_duties_set":{},"original_total_additional_fees_set":{},"#,
        set("0.30"),
        set("0.07")
    );
    let extras = |body: &str| read(body).unwrap().extras;
    let body = ORDER.replacen('{', &added, 1);
    assert_eq!(extras(&body), 390 + 100 + 30 + 7);
    let on_top = body.replace("\"taxes_included\": true", "\"taxes_included\": false");
    assert_eq!(extras(&on_top), 390 + 100 + 30 + 7 + 62);
    let included = body.replacen('{', "{\"duties_included\":true,", 1);
    assert_eq!(extras(&included), 390 + 100 + 7);
    let tip_line = body.replacen(
        "\"id\": 12,",
        "\"id\": 12, \"tip_payment_method\": \"card\",",
        1,
    );
    assert_eq!(
        extras(&tip_line),
        390 + 30 + 7,
        "the tip is a line of its own"
    );
}

#[test]
fn payments_follow_the_financial_status() {
    let payments = |status: &str, outstanding: &str| {
        let body = with("\"paid\"", status).replace(
            "\"total_outstanding\": \"0.00\"",
            &format!("\"total_outstanding\": {outstanding}"),
        );
        read(&body).unwrap().payments
    };
    assert_eq!(payments("\"refunded\"", "null"), [Payment::Captured(5940)]);
    assert_eq!(
        payments("\"authorized\"", "null"),
        [Payment::Authorised(5940)]
    );
    assert_eq!(
        payments("\"partially_paid\"", "\"50.00\""),
        [Payment::Captured(940)]
    );
    assert_eq!(payments("\"partially_paid\"", "null"), []);
    assert_eq!(payments("\"partially_paid\"", "\"59.40\""), []);
    assert_eq!(
        payments("\"paid\"", "\"-1.00\""),
        [Payment::Captured(5940)],
        "overpaid"
    );
    for status in ["\"pending\"", "\"voided\"", "\"expired\"", "null"] {
        assert_eq!(payments(status, "null"), []);
    }
}

#[test]
fn ids_are_exact_whatever_became_of_the_number() {
    let id = |from: &str, to: &str| read(&with(from, to)).unwrap().source.external_id;
    let both =
        "\"id\": 6001234567890, \"admin_graphql_api_id\": \"gid://shopify/Order/6001234567890\"";
    assert_eq!(id(both, "\"id\": 820982911946154508"), "820982911946154508");
    assert_eq!(
        id(
            both,
            "\"id\": 820982911946154500, \"admin_graphql_api_id\": \"gid://shopify/Order/820982911946154508\""
        ),
        "820982911946154508"
    );
    assert_eq!(
        id(
            both,
            "\"id\": 7, \"admin_graphql_api_id\": \"gid://shopify/Order/x\""
        ),
        "7"
    );
    assert_eq!(
        problems(&with(both, "\"id\": 1e3")),
        ["/id: expected a text, found 1e3"]
    );
}

#[test]
fn addresses_may_be_missing_and_orders_cancelled_or_tests() {
    let start = ORDER.find("\"shipping_address\"").unwrap();
    let body = format!("{}\"shipping_address\": null}}", &ORDER[..start]);
    let body = body
        .replace(
            "\"cancelled_at\": null",
            "\"cancelled_at\": \"2026-02-02T00:00:00Z\"",
        )
        .replace("\"test\": false", "\"test\": true")
        .replace(
            "\"contact_email\": \"lin@example.com\"",
            "\"contact_email\": null",
        )
        .replace("\"#W1042\"", "null");
    let order = read(&body).unwrap();
    assert!(order.cancelled && order.test);
    assert_eq!(order.contact.email, None);
    assert_eq!(order.contact.address, None);
    assert_eq!(order.number, "1042");
}

#[test]
fn problems_are_told_under_shopifys_names() {
    for (from, to, expected) in [
        (
            "\"quantity\": 2",
            "\"quantity\": -1",
            "/line_items/0/quantity: expected 1 to 100000, found -1",
        ),
        (
            "\"quantity\": 2",
            "\"quantity\": 1.0005",
            "/line_items/0/quantity: expected a decimal number of at most 3 decimals, found 1.0005",
        ),
        (
            "\"DE\"",
            "null",
            "/shipping_address/country_code: expected an ISO 3166-1 alpha-2 country code, found \"\"",
        ),
        (
            "\"25.00\"",
            "\"25.001\"",
            "/line_items/0/price: expected a decimal amount in EUR with at most 2 decimal places, found \"25.001\"",
        ),
        (
            "\"2.00\"",
            "1e309",
            "/line_items/0/discount_allocations/1/amount: expected a decimal amount in EUR with at most 2 decimal places, found \"1e309\"",
        ),
        (
            "\"EUR\"",
            "\"EURO\"",
            "/currency: expected an ISO 4217 currency code, found \"EURO\"",
        ),
        ("\"total_price\"", "\"total\"", "/total_price: is missing"),
        (
            "\"id\": 11",
            "\"id\": 12",
            "/line_items/1/id: expected a different id for each line, found \"12\" twice",
        ),
        (
            "\"id\": 6001234567890",
            "\"id\": 1, \"id\": 2",
            "/id: expected once, found twice",
        ),
    ] {
        assert_eq!(problems(&with(from, to)), [expected]);
    }
    let zip = format!("\"zip\": \"{}\"", "1".repeat(501));
    let wrapped = format!("{{\"order\": {}}}", with("\"zip\": \"10115\"", &zip));
    assert_eq!(
        problems(&wrapped),
        ["/order/shipping_address/zip: expected at most 500 characters"]
    );
    let wrapped = format!(
        "{{\"order\": {}}}",
        with("\"#W1042\"", &format!("\"{}\"", "9".repeat(129)))
    );
    assert_eq!(
        problems(&wrapped),
        ["/order/name: expected 1 to 128 characters"]
    );
}

#[test]
fn a_wrapped_order_is_the_same_order() {
    let wrapped = read(&format!("{{\"order\": {ORDER}}}")).unwrap();
    let bare = read(ORDER).unwrap();
    assert_eq!(wrapped.id(), bare.id());
    assert_eq!(wrapped.lines, bare.lines);
    assert_eq!(wrapped.lines_pointer, "/order/line_items");
}

#[test]
fn documents_of_other_kinds_are_told_apart() {
    let found = problems(r#"{"id": 7}"#);
    let expected = [
        "/created_at: is missing",
        "/currency: is missing",
        "/line_items: is missing",
        "/total_price: is missing",
    ];
    assert_eq!(found, expected);
    assert_eq!(
        problems(r#"{"order": 5}"#),
        ["/order: expected an object, found 5"]
    );
    assert_eq!(problems("[1]"), [": expected an object, found a list"]);
    let nested = format!(
        "{{\"note\": {}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(problems(&nested).len(), 5, "depth is no danger");
}

#[test]
fn currencies_have_their_own_minor_units() {
    let price = |currency: &str, price: &str| {
        let line = format!(r#"{{"id":1,"quantity":1,"price":"{price}"}}"#);
        let order = read(&format!(
            r#"{{"id":1,"name":"1","created_at":"2026-01-01T00:00:00Z","currency":"{currency}","total_price":"{price}","line_items":[{line}]}}"#
        ));
        order.map(|order| (order.lines[0].unit_price, order.stated_total))
    };
    assert_eq!(price("JPY", "1200"), Ok((1200, Some(1200))));
    assert_eq!(price("JPY", "1200.00"), Ok((1200, Some(1200))));
    assert_eq!(price("KWD", "1.234"), Ok((1234, Some(1234))));
    assert!(price("EUR", "1.234").is_err());
}

#[test]
fn long_titles_are_cut_and_not_refused() {
    let long = "t".repeat(400);
    let body = with("\"Lamp\"", &format!("\"{long}\"")).replace("\"Blue\"", &format!("\"{long}\""));
    assert_eq!(
        read(&body).unwrap().lines[0].title.chars().count(),
        MAX_TITLE_CHARS
    );
}

#[test]
fn headers_are_read_with_and_without_their_x() {
    // printf '%s' '{"id":1}' | openssl dgst -sha256 -hmac 'shop secret' -binary | base64
    let signature = "94+3rHh1+7iaaE/hOq6P7kTHc0flyfxGBuTm4WBsXUk=";
    for header in ["x-shopify-hmac-sha256", "shopify-hmac-sha256"] {
        let signed = |body: &str| sent(body).header(header, signature);
        assert!(signed("{\"id\":1}").passes(&Shopify, &["new", "shop secret"]));
        assert!(!signed("{\"id\":2}").passes(&Shopify, &["shop secret"]));
    }
    assert!(!sent("{\"id\":1}").passes(&Shopify, &["shop secret"]));
    for header in ["x-shopify-topic", "shopify-topic"] {
        let delivery = sent(ORDER).header(header, "orders/updated");
        assert_eq!(delivery.topic(&Shopify), "orders/updated");
        let other = sent(ORDER).header(header, "products/update");
        assert!(matches!(other.read(&Shopify), Ok(Said::Nothing(_))));
    }
    assert_eq!(sent(ORDER).topic(&Shopify), ORDERS_CREATE);
    let test = sent(ORDER).header("x-shopify-test", "true");
    assert!(matches!(test.read(&Shopify), Ok(Said::Order(order)) if order.test));
}
