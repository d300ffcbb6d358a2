//! What is wrong with an order is told with its place, and brings no reader down.

use jiff::Timestamp;

use super::file;
use crate::testing::sent;
use crate::{CHANNELS, Said, by_name};

#[test]
fn a_contradiction_is_told_with_its_place() {
    for (channel, from, to, pointer) in [
        (
            "ebay",
            "\"USD\"\n      },\n      \"quantity\": 1",
            "\"EUR\"\n      },\n      \"quantity\": 1",
            "/lineItems/0/lineItemCost",
        ),
        (
            "square",
            "\"amount\": 6100",
            "\"amount\": 61.5",
            "/line_items/0/gross_sales_money/amount",
        ),
        (
            "etsy",
            "\"divisor\": 100",
            "\"divisor\": 0",
            "/grandtotal/amount",
        ),
        (
            "woocommerce",
            "\"total\": \"63.00\"",
            "\"total\": 1e309",
            "/line_items/0/total",
        ),
        (
            "adobe-commerce",
            "\"qty_ordered\": 1",
            "\"qty_ordered\": -1.5",
            "/items/0/qty_ordered",
        ),
        (
            "bigcommerce",
            "Mon, 23 Nov 2026 08:30:00 +0000",
            "yesterday",
            "/date_created",
        ),
        (
            "meta",
            "\"country\": \"US\"",
            "\"country\": \"USA\"",
            "/shipping_address/country",
        ),
        (
            "tiktok",
            "\"GB\"",
            "\"UK-X\"",
            "/recipient_address/region_code",
        ),
        (
            "amazon",
            "\"MERCHANT\"",
            "\"AMAZON\"",
            "/fulfillment/fulfilledBy",
        ),
        ("generic", "\"placed_at\"", "\"placedat\"", "/placed_at"),
        ("wix", "\"createdDate\"", "\"created\"", "/createdDate"),
        (
            "walmart",
            "\"amount\": \"1\"",
            "\"amount\": \"0\"",
            "/orderLines/orderLine/0/orderLineQuantity/amount",
        ),
    ] {
        let document = file(&format!("channels/{channel}"));
        assert!(document.contains(from), "{channel}: {from}");
        let document = document.replacen(from, to, 1);
        let read = by_name(channel).unwrap().parse(document.as_bytes(), "demo");
        let why = read.unwrap_err().to_string();
        assert!(why.contains(&format!("{pointer}: ")), "{channel}: {why}");
    }
}

#[test]
fn numbers_that_no_order_has_are_refused_and_never_too_much_to_add_up() {
    for channel in CHANNELS
        .iter()
        .filter(|channel| channel.name() != "shopify")
    {
        let document = file(&format!("channels/{}", channel.name()));
        let mut documents = Vec::new();
        for huge in [
            "-9223372036854775808",
            "9223372036854775807",
            "4294967295",
            "999999999999",
        ] {
            // Every number of the sample in its turn, and all of them at once.
            let mut all = String::new();
            let mut rest = document.as_str();
            while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
                let digits = rest[at..].find(|c: char| !c.is_ascii_digit());
                let end = at + digits.unwrap_or(rest.len() - at);
                let before = document.len() - rest.len();
                let (head, tail) = (&document[..before + at], &document[before + end..]);
                documents.push(format!("{head}{huge}{tail}"));
                all += &rest[..at];
                all += huge;
                rest = &rest[end..];
            }
            documents.push(all + rest);
        }
        for changed in documents {
            if let Ok(new) = channel.parse(changed.as_bytes(), "main") {
                let known = new.skus().into_iter().map(str::to_owned).collect();
                let (order, _) = new.accept(&known, Timestamp::UNIX_EPOCH);
                assert!(order.total() >= 0, "{}: {changed}", channel.name());
            }
        }
    }
}

#[test]
fn no_document_brings_a_reader_down() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_order = format!(
        "{{\"order\":{}{}}}",
        "{\"order\":".repeat(10_000),
        "1".to_owned() + &"}".repeat(10_000)
    );
    let bodies: [&[u8]; 7] = [
        b"",
        b"null",
        b"\xff\xfe{}",
        b"{\"id\":1e309,\"items\":-1}",
        b"{\"data\":{\"data\":{}}}",
        deep.as_bytes(),
        deep_order.as_bytes(),
    ];
    for channel in CHANNELS {
        for body in bodies {
            assert!(channel.parse(body, "main").is_err(), "{}", channel.name());
            let said = sent(body).read(*channel);
            assert!(!matches!(said, Ok(Said::Order(_))), "{}", channel.name());
        }
    }
}
