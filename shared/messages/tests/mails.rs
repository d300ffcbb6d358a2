//! Every message as its reader gets it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on stops"
)]

mod sample;

use domain::change::cancel;
use domain::limits::{MAX_NAME_CHARS, MAX_SKU_CHARS, MAX_STOCK_LINES, MAX_TITLE_CHARS};
use domain::order::{Contact, Order};
use domain::refund::{Request, confirm, request};
use domain::restock::Due;
use domain::shipping::{Method, choose_method, weight_g};
use domain::stock::Level;
use messages::{Mail, StockLine};
use sample::{Retailer, allocate_from, allocated, now, shipped};

const SHOP: &str = "Brindlewick";

fn method<'a>(retailer: &'a Retailer, order: &Order, n: u32) -> Option<Method<'a>> {
    let fulfillment = order.fulfillment(n).unwrap();
    choose_method(
        &retailer.rates,
        retailer.location(&fulfillment.location),
        &order.destination.as_ref().unwrap().country,
        weight_g(order, fulfillment, &retailer.products),
        fulfillment.ship_by,
        order.deliver_by,
    )
}

fn pick(retailer: &Retailer, order: &Order, contact: &Contact, method: Option<&Method>) -> Mail {
    let fulfillment = order.fulfillment(1).unwrap();
    let location = retailer.location(&fulfillment.location);
    let products = &retailer.products;
    messages::pick_list(
        order,
        fulfillment,
        contact,
        location,
        products,
        method,
        SHOP,
    )
    .unwrap()
}

/// One of each, and the variants that read differently.
fn samples() -> Vec<(&'static str, Mail)> {
    let retailer = Retailer::read();
    let mut mails = Vec::new();

    let (order, contact) = allocated(&retailer, "berlin");
    let way = method(&retailer, &order, 1).unwrap();
    mails.push(("pick", pick(&retailer, &order, &contact, Some(&way))));
    let mut urgent = order.clone();
    urgent.deliver_by = "2026-11-23".parse().unwrap();
    let late = method(&retailer, &urgent, 1).unwrap();
    mails.push(("pick-late", pick(&retailer, &urgent, &contact, Some(&late))));
    mails.push(("pick-no-tariff", pick(&retailer, &order, &contact, None)));
    let fulfillment = order.fulfillment(1).unwrap();
    let hamburg = retailer.location("hamburg");
    let stop = messages::stop_notice(&order, fulfillment, &contact, hamburg, SHOP);
    mails.push(("stop", stop.unwrap()));
    let gone = shipped(&order, 1);
    let fulfillment = gone.fulfillment(1).unwrap();
    let notice = messages::shipping_notice(&gone, fulfillment, &contact, SHOP);
    mails.push(("shipped", notice.unwrap()));

    for (name, file) in [
        ("confirmed-tax-on-top", "seattle"),
        ("confirmed-split", "lisbon"),
        ("confirmed-backordered", "chicago"),
        ("confirmed-three-decimals", "kuwait"),
        ("confirmed-no-decimals", "kyoto"),
    ] {
        let (order, contact) = allocated(&retailer, file);
        let notice = messages::order_confirmation(&order, &contact, SHOP);
        mails.push((name, notice.unwrap()));
    }

    let (order, contact) = allocated(&retailer, "lisbon");
    let first = shipped(&order, 1);
    let last = shipped(&first, 2);
    for (name, order, n) in [("shipped-first", &first, 1), ("shipped-last", &last, 2)] {
        let fulfillment = order.fulfillment(n).unwrap();
        let notice = messages::shipping_notice(order, fulfillment, &contact, SHOP);
        mails.push((name, notice.unwrap()));
    }
    let partly = cancel(&first, "test", now()).unwrap().unwrap();
    let notice = messages::cancellation_notice(&partly, &contact, SHOP);
    mails.push(("cancelled-part", notice.unwrap()));

    let (order, contact) = allocated(&retailer, "osaka");
    let cancelled = cancel(&order, "test", now()).unwrap().unwrap();
    let notice = messages::cancellation_notice(&cancelled, &contact, SHOP);
    mails.push(("cancelled", notice.unwrap()));
    let (order, contact) = allocated(&retailer, "chicago");
    let cancelled = cancel(&order, "test", now()).unwrap().unwrap();
    let notice = messages::cancellation_notice(&cancelled, &contact, SHOP);
    mails.push(("cancelled-unpaid", notice.unwrap()));

    let (order, contact) = allocated(&retailer, "dubai");
    let mut order = order;
    for (n, amount) in [(1, 1_500), (2, 4_125)] {
        let wanted = Request::Amount(amount);
        let (requested, _) = request(&order, &format!("r{n}"), &wanted, now()).unwrap();
        order = confirm(&requested.unwrap(), n, now()).unwrap().unwrap();
        let refund = &order.refunds[n as usize - 1];
        let notice = messages::refund_notice(&order, refund, &contact, SHOP);
        mails.push((
            ["refunded", "refunded-more"][n as usize - 1],
            notice.unwrap(),
        ));
    }

    mails.extend(about_stock(&retailer));
    mails
}

/// Seven of nine pocket scales can be promised in Newark: what is to be said of an article there.
fn line<'a>(
    retailer: &'a Retailer,
    level: &'a Level,
    due: Due,
    elsewhere: &'a [(String, i64)],
) -> StockLine<'a> {
    StockLine {
        due,
        level,
        product: retailer.product(&level.sku),
        supplier: Some(&retailer.suppliers[0]),
        asked: due == Due::Low,
        location: retailer.location("newark"),
        elsewhere,
    }
}

fn level(sku: &str, on_hand: i64, allocated: i64) -> Level {
    Level {
        sku: sku.into(),
        location: "newark".into(),
        on_hand,
        allocated,
        available: on_hand - allocated,
        ..Level::default()
    }
}

/// What is said of one article, and of several.
fn about_stock(retailer: &Retailer) -> Vec<(&'static str, Mail)> {
    let low = level("SCL-POCKET-2K", 9, 2);
    let gone = level("KTL-COPPER-12", 1, 3);
    let back = level("ESP-LEVER-01", 12, 0);
    let elsewhere = [("Hamburg", 12), ("Lyon", 3), ("Osaka", 2), ("Leeds", 1)];
    let elsewhere = elsewhere.map(|(name, units)| (name.to_owned(), units));
    let [one, out, again] = [
        line(retailer, &low, Due::Low, &[]),
        line(retailer, &gone, Due::Out, &elsewhere),
        line(retailer, &back, Due::Back, &[]),
    ];
    let without = StockLine {
        supplier: None,
        asked: false,
        ..one.clone()
    };
    let mut unordered = retailer.product("ESP-LEVER-01").clone();
    unordered.reorder_point = None;
    unordered.reorder_quantity = None;
    let nowhere = StockLine {
        product: &unordered,
        elsewhere: &[],
        ..out.clone()
    };
    let asked_when_out = StockLine {
        asked: true,
        ..out.clone()
    };
    let (supplier, team) = (&retailer.suppliers[0], messages::stock_notice);
    let ask = |lines: &[StockLine]| messages::restock_request(supplier, lines, SHOP).unwrap();
    let tell = |lines: &[StockLine]| team(lines, SHOP).unwrap();
    vec![
        ("restock", ask(std::slice::from_ref(&one))),
        ("restock-unsure", ask(std::slice::from_ref(&nowhere))),
        (
            "restock-several",
            ask(&[asked_when_out.clone(), one.clone()]),
        ),
        ("stock-low", tell(std::slice::from_ref(&one))),
        (
            "stock-low-no-supplier",
            tell(std::slice::from_ref(&without)),
        ),
        ("stock-out", tell(std::slice::from_ref(&out))),
        ("stock-out-nowhere", tell(std::slice::from_ref(&nowhere))),
        ("stock-back", tell(std::slice::from_ref(&again))),
        (
            "stock-several",
            tell(&[one, asked_when_out, again, without]),
        ),
    ]
}

#[test]
fn a_mail_about_as_much_stock_as_may_be_is_shown_whole() {
    let retailer = Retailer::read();
    let mut product = retailer.product("SCL-POCKET-2K").clone();
    product.sku = "S".repeat(MAX_SKU_CHARS);
    product.title = "t".repeat(MAX_TITLE_CHARS);
    let mut location = retailer.location("newark").clone();
    location.name = "n".repeat(MAX_NAME_CHARS);
    let mut supplier = retailer.suppliers[0].clone();
    supplier.name = "s".repeat(MAX_NAME_CHARS);
    supplier.email = format!("{}@example.com", "s".repeat(242));
    location.email = supplier.email.clone();
    let gone = level("SCL-POCKET-2K", -1_000_000_000, 1_000_000_000);
    let elsewhere = vec![(location.name.clone(), 1_000_000_000); 200];
    let line = StockLine {
        product: &product,
        supplier: Some(&supplier),
        location: &location,
        asked: true,
        ..line(&retailer, &gone, Due::Out, &elsewhere)
    };
    let lines = vec![line; MAX_STOCK_LINES];
    for mail in [
        messages::stock_notice(&lines, SHOP).unwrap(),
        messages::restock_request(&supplier, &lines, SHOP).unwrap(),
    ] {
        assert!(mail.html.len() < 102_400, "{}", mail.html.len());
    }
}

#[test]
fn every_message_reads_as_it_should() {
    for (name, mail) in samples() {
        insta::assert_snapshot!(name, format!("{}\n\n{}", mail.subject, mail.text));
    }
}

/// What a page says, without its markup.
fn words(html: &str) -> String {
    let body = html.split_once("<body").unwrap().1;
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        let (tag, rest) = part.split_once('>').unwrap();
        // A break is a blank; a change of type is not.
        text.push_str(if tag.contains("strong") { "" } else { " " });
        text.push_str(rest);
    }
    let text = text.replace("&nbsp;", " ").replace("&#x2f;", "/");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn page_and_text_say_the_same_numbers() {
    fn numbers(text: &str) -> std::collections::BTreeSet<&str> {
        let parts = text.split(|c: char| !(c.is_alphanumeric() || "-.+".contains(c)));
        let parts = parts.map(|part| part.trim_matches(['.', '-']));
        parts
            .filter(|part| part.contains(|c: char| c.is_ascii_digit()))
            .collect()
    }
    for (name, mail) in samples() {
        // The blanks that fill up a preview, and the mail clients' own markup.
        let html = mail.html.replace("&#8199;&#847;", "");
        let html = words(&html);
        assert_eq!(numbers(&html), numbers(&mail.text), "{name}: {html}");
    }
}

#[test]
fn pages_load_nothing_and_fit_what_mail_clients_take() {
    for (
        name,
        Mail {
            subject,
            html,
            text,
        },
    ) in samples()
    {
        for loading in ["http", "<img", "<link", "<script", "url(", "@import"] {
            assert!(!html.contains(loading), "{name}: {loading}");
        }
        // Gmail cuts off what is longer.
        assert!(html.len() < 102_400, "{name}: {} bytes", html.len());
        assert!(subject.chars().count() <= 78, "{name}: {subject}");
        assert!(!subject.contains(['\n', '\r']), "{name}");
        let narrow = |line: &str| line.chars().count() <= 90;
        assert!(text.lines().all(narrow), "{name}:\n{text}");
    }
}

#[test]
fn what_strangers_write_stays_text() {
    let retailer = Retailer::read();
    let (mut order, mut contact) = allocated(&retailer, "berlin");
    let hostile =
        "<script>alert('1')</script> & \"Co\"\r\nBcc: all@example.com\n\nPICK\n[ ] 99 x GOLD";
    order.number = hostile.into();
    order.lines[0].id = hostile.into();
    contact.titles = vec![hostile.into(); order.lines.len()];
    contact.phone = Some(hostile.into());
    let address = contact.address.as_mut().unwrap();
    address.name = hostile.into();
    address.line1 = "{{ shop }} {% raw %}".into();
    let order = shipped(&order, 1);
    let fulfillment = order.fulfillment(1).unwrap();
    let way = method(&retailer, &order, 1);
    let mails = [
        pick(&retailer, &order, &contact, way.as_ref()),
        messages::order_confirmation(&order, &contact, SHOP).unwrap(),
        messages::shipping_notice(&order, fulfillment, &contact, SHOP).unwrap(),
    ];
    for Mail {
        subject,
        html,
        text,
    } in mails
    {
        assert!(!html.contains("<script"), "{html}");
        assert!(
            html.contains("&lt;script&gt;alert(&#x27;1&#x27;)&lt;"),
            "{html}"
        );
        assert!(
            html.contains("{{ shop }} {% raw %}"),
            "not a template of ours"
        );
        assert!(
            text.contains("<script>alert('1')</script> & \"Co\""),
            "{text}"
        );
        let forged = |line: &str| line.starts_with("Bcc:") || line.starts_with("[ ] 99");
        assert!(!text.lines().any(forged), "{text}");
        assert!(!subject.contains(char::is_control), "{subject:?}");
    }
}

#[test]
fn what_is_missing_is_said_or_left_out() {
    let retailer = Retailer::read();
    let (mut order, _) = allocated(&retailer, "berlin");
    order.lines[0].sku = None;
    let nobody = Contact::default();
    let bare = pick(&retailer, &order, &nobody, None);
    assert!(
        bare.text.contains("The order has no address"),
        "{}",
        bare.text
    );
    assert!(bare.text.contains("1 x no SKU"), "{}", bare.text);
    assert!(bare.text.contains("Weight:      not known for every item"));
    let order = shipped(&order, 1);
    let fulfillment = order.fulfillment(1).unwrap();
    for mail in [
        messages::order_confirmation(&order, &nobody, SHOP).unwrap(),
        messages::shipping_notice(&order, fulfillment, &nobody, SHOP).unwrap(),
    ] {
        assert!(mail.text.contains("\nHello,\n"), "{}", mail.text);
        assert!(!mail.text.contains("WHERE IT GOES"));
    }
}

#[test]
fn an_order_served_in_part_says_what_follows() {
    let retailer = Retailer::read();
    let demo: Vec<sample::Demo> = sample::read("demo.json");
    let berlin = demo.iter().find(|d| d.file.contains("berlin")).unwrap();
    let mut new = sample::parse(berlin);
    new.lines[1].quantity = 1000.into();
    let (mut order, contact) = retailer.accept(new);
    order.holds.clear();
    let order = allocate_from(&retailer, order);
    let later = order.lines[1].units.backordered;
    assert!(later > 1 && later < 1000);
    let mail = messages::order_confirmation(&order, &contact, SHOP).unwrap();
    assert!(
        mail.text
            .contains(&format!("({later} of them follow later)")),
        "{}",
        mail.text
    );
    assert!(mail.text.contains("Arrives by:") && mail.text.contains("Follows later:"));
    let order = shipped(&order, 1);
    let fulfillment = order.fulfillment(1).unwrap();
    let mail = messages::shipping_notice(&order, fulfillment, &contact, SHOP).unwrap();
    assert!(
        mail.text
            .contains(&format!("{later} of them not in stock yet")),
        "{}",
        mail.text
    );
}

/// Writes every sample as a page, to look at.
#[test]
#[ignore = "writes files: cargo test -p messages --test mails -- --ignored"]
fn write_the_pages() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("mails");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, mail) in samples() {
        std::fs::write(folder.join(format!("{name}.html")), mail.html).unwrap();
    }
    println!("{}", folder.display());
}
