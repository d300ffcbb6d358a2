//! The orders of the samples: what is read of them.

use domain::order::{HoldReason, Payment};
use jiff::Timestamp;
use serde_json::Value;

use super::{file, order};
use crate::by_name;

#[test]
fn the_orders_of_the_samples_add_up() {
    for (channel, total, lines, email) in [
        ("adobe-commerce", 10_124, 3, true),
        ("amazon", 7_780, 1, false),
        ("bigcommerce", 7_990, 2, true),
        ("ebay", 6_530, 2, false),
        ("etsy", 5_625, 2, false),
        ("generic", 7_990, 1, true),
        ("meta", 5_616, 2, false),
        ("square", 10_000, 2, true),
        ("tiktok", 7_549, 2, false),
        ("walmart", 7_046, 1, false),
        ("wix", 8_140, 2, true),
        // What is left to pay, and what the gift card has.
        ("woocommerce", 8_629, 2, true),
    ] {
        let new = order(channel);
        assert_eq!(new.lines.len(), lines, "{channel}");
        assert_eq!(new.mailed, email, "{channel}: who writes to the customer");
        assert!(
            new.contact.email.is_some() || channel == "tiktok",
            "{channel}"
        );
        assert!(new.as_of.is_some() || channel == "walmart", "{channel}");
        let known = new.skus().into_iter().map(str::to_owned).collect();
        let (order, contact) = new.accept(&known, Timestamp::UNIX_EPOCH);
        let held: Vec<&HoldReason> = order.holds.iter().map(|hold| &hold.reason).collect();
        assert_eq!((order.total(), held), (total, vec![]), "{channel}");
        assert_eq!(order.captured(), total, "{channel}: it is paid");
        let address = contact.address.unwrap();
        let whole = [&address.line1, &address.city, &address.postal_code];
        assert!(
            whole.iter().all(|field| !field.is_empty()),
            "{channel}: {address:?}"
        );
    }
}

#[test]
fn what_is_special_about_each_is_read() {
    let woo = order("woocommerce");
    assert_eq!(woo.lines[0].title, "Hand grinder – 40 mm");
    // Three for 10.00 are 3.34 each less 0.02.
    assert_eq!((woo.lines[1].unit_price, woo.lines[1].discount), (334, 2));
    let address = woo.contact.address.unwrap();
    assert_eq!(address.company, "O’Hara & Sons");
    assert_eq!(woo.contact.phone.as_deref(), Some("+49 30 5550188"));

    let adobe = order("adobe-commerce");
    let skus: Vec<_> = adobe
        .lines
        .iter()
        .filter_map(|line| line.sku.as_deref())
        .collect();
    assert_eq!(
        skus,
        ["KTL-GOOSE-09", "GIFT-SET", "COURSE"],
        "no line for a child"
    );
    assert!(adobe.lines[2].intangible);
    let shown = adobe
        .presentment
        .map(|(total, currency)| (total, currency.code()));
    assert_eq!(
        (adobe.currency.code(), shown),
        ("EUR", Some((11_136, "USD")))
    );
    assert_eq!(adobe.contact.address.unwrap().line2, "Hinterhaus");

    let ebay = order("ebay");
    let refunds: Vec<_> = ebay
        .refunds
        .iter()
        .map(|r| (r.id.as_str(), r.amount))
        .collect();
    assert_eq!(refunds, [("R1", 1_000)]);

    let tiktok = order("tiktok");
    assert!(tiktok.lines.iter().all(|line| line.quantity == 1.into()));
    let address = tiktok.contact.address.unwrap();
    assert_eq!(
        (address.city.as_str(), address.line2.as_str()),
        ("London", "")
    );

    let digital = |channel: &str| order(channel).lines[1].intangible;
    assert!(
        ["bigcommerce", "etsy", "square", "wix"]
            .into_iter()
            .all(digital)
    );
    assert_eq!(order("walmart").contact.address.unwrap().country, "US");
    assert_eq!(order("wix").contact.address.unwrap().name, "Rosa Lenz");
}

#[test]
fn an_order_is_paid_when_the_channel_says_so() {
    let cases = [
        (
            "woocommerce",
            "\"processing\"",
            "\"on-hold\"",
            "\"date_paid_gmt\": \"2026-11-23T08:30:02\",",
            "",
        ),
        ("tiktok", "\"AWAITING_SHIPMENT\"", "\"UNPAID\"", "", ""),
        ("ebay", "\"PAID\",", "\"PENDING\",", "", ""),
        ("meta", "\"CREATED\"", "\"FB_PROCESSING\"", "", ""),
        ("wix", "\"PAID\"", "\"UNPAID\"", "", ""),
        ("etsy", "\"is_paid\": true", "\"is_paid\": false", "", ""),
        ("amazon", "\"UNSHIPPED\"", "\"PENDING\"", "", ""),
    ];
    for (channel, from, to, also, then) in cases {
        let document = file(&format!("channels/{channel}")).replacen(from, to, 1);
        let document = document.replacen(also, then, 1);
        let new = by_name(channel)
            .unwrap()
            .parse(document.as_bytes(), "demo")
            .unwrap();
        let captured = |payment: &Payment| match payment {
            Payment::Captured(amount) | Payment::Authorised(amount) => *amount,
            Payment::Refunded(..) => 0,
        };
        let promised: i64 = new.payments.iter().map(captured).sum();
        assert!(
            promised < new.stated_total.unwrap(),
            "{channel}: {promised}"
        );
    }
}

#[test]
fn an_order_that_was_passed_on_without_its_times_in_utc_is_read() {
    let woo = by_name("woocommerce").unwrap();
    let whole = file("channels/woocommerce");
    let mut document: Value = serde_json::from_str(&whole).unwrap();
    let fields = document.as_object_mut().unwrap();
    let [placed, changed] = ["date_created", "date_modified"].map(|name| {
        let time = fields.remove(&format!("{name}_gmt")).unwrap();
        fields.insert(name.into(), time.clone());
        format!("{}Z", time.as_str().unwrap())
    });
    let order = woo.parse(document.to_string().as_bytes(), "demo").unwrap();
    assert_eq!(order.placed_at.to_string(), placed);
    assert_eq!(order.as_of.unwrap().to_string(), changed);
    // Without any, the one that ought to be there is asked for.
    let fields = document.as_object_mut().unwrap();
    fields.retain(|name, _| !name.starts_with("date_"));
    let none = woo
        .parse(document.to_string().as_bytes(), "demo")
        .unwrap_err();
    assert!(none.to_string().contains("/date_created_gmt"), "{none}");
}
