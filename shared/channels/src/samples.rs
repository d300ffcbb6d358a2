//! The sample events of the channels, as they came: each is genuine, says what it says, and the order
//! that it is about adds up.

use std::fs;

use domain::intake::NewOrder;
use domain::limits::MAX_NAME_CHARS;
use domain::order::{HoldReason, Payment};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::testing::{Sent, hmac, sent};
use crate::{CHANNELS, Channel, Delivery, Greeting, Said, Secret, amazon, by_name};

/// The key of the samples by Standard Webhooks.
const STANDARD: &str = "whsec_ZGVtby1zZWNyZXQtb2YtYS1zdGFuZGFyZC13ZWJob29r";
/// When the samples were sent.
const SENT_AT: i64 = 1_795_422_600;
const RSA: &str = include_str!("../../../events/channels/rsa-public-key.pem");
// printf %s BODY | base64 -w0 | openssl dgst -sha256 -sign | base64 -w0
const MODULE_SIGNATURE: &str = "jDqLFEn75wN/k3iUvLWP/FW6qSMWDj6urlWe4OCWiJ6qovue6ii55OKJ5YCIT1W55Mzro8na0pC11uwlbeqyJu3lyG39nA00k2nJb5ZjYHmFyFFsI46AUJLI7b739UNDknwstNNiTtCK9QYnhgHugZAgN7gbNNp2vEqbH5FJH/oaR68ZakZTiT3wGjLMBeklHJu/IQ5t8FTe/5vxRxaRBr/mvJ32fML3mS4fdpYdtvusxjMrbPc6qY+sX/s1Pcd7nMTBgHKSg8IVsQbNCTZnrsOi38pMUJoXMTGLiw2iNO4xnv2tiQBeRdaKgwrRHXmwPAkEUhWRERVEEEqB1u9UbA==";
const EC: &str = include_str!("../../../events/channels/ec-public-key.pem");

fn file(name: &str) -> String {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// An account's secret, as the samples are made with it.
fn secret(channel: &str) -> String {
    let key = format!("demo-{channel}-secret");
    match channel {
        "etsy" | "generic" => STANDARD.into(),
        "wix" => RSA.into(),
        "ebay" => json!({"token": "demo-token", "demo-key": EC}).to_string(),
        "adobe-commerce" => {
            json!({"client_id": "demo-client", "/prod/keys/demo.pem": RSA}).to_string()
        }
        "meta" => json!({"key": key, "verify_token": "demo-token"}).to_string(),
        "tiktok" => json!({"key": key, "app_key": "demo-app-key"}).to_string(),
        _ => key,
    }
}

/// The sample of a channel with its secret, its headers and its body changed.
fn judged(
    channel: &dyn Channel,
    secrets: &[String],
    now: i64,
    change: impl Fn(&mut Value),
) -> bool {
    let mut event: Value =
        serde_json::from_str(&file(&format!("accept-order-{}", channel.name()))).unwrap();
    change(&mut event);
    let header = |name: &str| event["headers"][name].as_str();
    let url = format!("https://localhost{}", event["rawPath"].as_str().unwrap());
    let delivery = Delivery {
        method: "POST",
        url: &url,
        headers: &header,
        query: &|_| None,
        raw_body: event["body"].as_str().unwrap().as_bytes(),
    };
    let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::read(text)).collect();
    channel.verify(&delivery, &secrets, Timestamp::from_second(now).unwrap())
}

/// The channels that send webhooks.
fn by_webhook() -> impl Iterator<Item = &'static dyn Channel> {
    let all = CHANNELS.iter().copied();
    all.filter(|channel| channel.name() != "amazon")
}

#[test]
fn a_sample_is_genuine_by_its_own_secret_alone() {
    for channel in by_webhook() {
        let name = channel.name();
        let own = secret(name);
        let judged = |secrets: &[String], change: &dyn Fn(&mut Value)| {
            judged(channel, secrets, SENT_AT, change)
        };
        assert!(judged(&["old".into(), own.clone()], &|_| ()), "{name}");
        assert!(!judged(&[], &|_| ()), "{name}: no secret, no trust");
        for other in ["", "{}", r#"{"key":""}"#, "another", "whsec_YW5vdGhlcg=="] {
            assert!(!judged(&[other.into()], &|_| ()), "{name}: {other:?}");
        }
        let elsewhere = by_webhook().map(|other| secret(other.name()));
        for other in elsewhere.filter(|other| *other != own) {
            assert!(!judged(&[other], &|_| ()), "{name}: another shop's secret");
        }
        // What BigCommerce sends is not signed.
        if name != "bigcommerce" {
            let longer = |event: &mut Value| {
                event["body"] = format!(" {}x", event["body"].as_str().unwrap()).into();
            };
            assert!(
                !judged(std::slice::from_ref(&own), &longer),
                "{name}: another body"
            );
        }
        if name != "wix" {
            let unsigned = |event: &mut Value| event["headers"] = json!({});
            assert!(!judged(&[own], &unsigned), "{name}: no signature");
        }
    }
}

#[test]
fn what_is_signed_with_a_time_is_no_good_later() {
    for name in ["etsy", "generic", "walmart"] {
        let channel = by_name(name).unwrap();
        let at = |seconds| judged(channel, &[secret(name)], SENT_AT + seconds, |_| ());
        assert!(at(300) && at(-300), "{name}");
        assert!(!at(301) && !at(-301), "{name}: a replay");
    }
    let wix = by_name("wix").unwrap();
    assert!(
        !judged(wix, &[secret("wix")], 4_102_444_801, |_| ()),
        "it has expired"
    );
}

/// The order of a sample.
fn order(channel: &str) -> NewOrder {
    let channel = by_name(channel).unwrap();
    let document = file(&format!("channels/{}", channel.name()));
    match channel.parse(document.as_bytes(), "demo") {
        Ok(order) => order,
        Err(why) => panic!("{}: {why}", channel.name()),
    }
}

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

/// The delivery of a sample, to be read: who sent it is not asked.
fn delivered(channel: &str) -> Sent {
    let event: Value = serde_json::from_str(&file(&format!("accept-order-{channel}"))).unwrap();
    let mut delivery = sent(event["body"].as_str().unwrap());
    if let Some(at) = event["headers"]["webhook-timestamp"].as_str() {
        delivery = delivery.header("webhook-timestamp", at);
    }
    delivery
}

#[test]
fn a_sample_says_which_order_it_is_about() {
    for channel in ["adobe-commerce", "generic", "wix", "woocommerce"] {
        let said = delivered(channel).read(by_name(channel).unwrap()).unwrap();
        let Said::Order(said) = said else {
            panic!("{channel}: expected an order, found {said:?}");
        };
        let order = order(channel);
        assert_eq!(
            said.source.external_id, order.source.external_id,
            "{channel}"
        );
        assert_eq!(
            (said.as_of, said.stated_total),
            (order.as_of, order.stated_total),
            "{channel}"
        );
    }
    for (channel, as_of) in [
        ("bigcommerce", "2026-11-23T08:30:00Z"),
        ("ebay", "2026-11-23T08:30:00.461Z"),
        ("etsy", ""),
        ("meta", "2026-11-23T08:31:00Z"),
        ("square", "2026-11-23T08:30:00.129Z"),
        ("tiktok", "2026-11-23T08:31:00Z"),
        ("walmart", ""),
    ] {
        let hint = delivered(channel).hint(by_name(channel).unwrap());
        let id = order(channel).source.external_id;
        assert_eq!(hint, (id, as_of.to_owned()), "{channel}");
    }
    let amazon = sent(file("channels/amazon-notification"));
    let (id, as_of) = amazon.hint(by_name("amazon").unwrap());
    assert_eq!(
        (id, as_of),
        (order("amazon").source.external_id, String::new())
    );
    assert!(
        !amazon.passes(by_name("amazon").unwrap(), &["key"]),
        "it is no webhook"
    );
    let word = file("channels/amazon-notification");
    for (chars, known) in [
        (0, false),
        (1, true),
        (MAX_NAME_CHARS, true),
        (MAX_NAME_CHARS + 1, false),
    ] {
        for field in ["\"S1\"", "\"250-0000001-0000001\""] {
            let word = word.replace(field, &format!("\"{}\"", "7".repeat(chars)));
            let said = amazon::notified(word.as_bytes()).unwrap();
            assert_eq!(said.is_some(), known, "{field} of {chars}");
        }
    }
}

#[test]
fn what_is_about_no_order_says_so() {
    for (channel, body) in [
        (
            "bigcommerce",
            r#"{"scope":"store/product/updated","data":{"id":7}}"#,
        ),
        (
            "ebay",
            r#"{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION"},"notification":{"data":{"userId":"x"}}}"#,
        ),
        (
            "etsy",
            r#"{"resource_url":"https://api.example/listings/7"}"#,
        ),
        ("meta", r#"{"object":"page","entry":[{"id":"1","time":1}]}"#),
        (
            "square",
            r#"{"type":"webhooks.test_notification","data":{"id":"x"}}"#,
        ),
        ("tiktok", r#"{"type":6,"data":{"shop":"gone"}}"#),
        (
            "walmart",
            r#"{"source":{"eventType":"INVENTORY_OOS"},"payload":{}}"#,
        ),
        (
            "amazon",
            r#"{"NotificationType":"ANY_OFFER_CHANGED","Payload":{}}"#,
        ),
    ] {
        let said = sent(body).read(by_name(channel).unwrap());
        assert!(matches!(said, Ok(Said::Nothing(_))), "{channel}: {said:?}");
    }
    let other = sent("{}").header("x-wc-webhook-topic", "product.updated");
    assert!(matches!(
        other.read(by_name("woocommerce").unwrap()),
        Ok(Said::Nothing(_))
    ));
}

#[test]
fn who_asks_whether_anybody_listens_gets_the_channels_answer() {
    let ask = |channel: &str, delivery: &Sent, secrets: &[&str]| {
        delivery.greeting(by_name(channel).unwrap(), secrets)
    };
    let text = |text: &str| Some(Greeting::Text(text.to_owned()));
    let own = secret("meta");
    let subscribe = sent("")
        .get()
        .query("hub.mode", "subscribe")
        .query("hub.challenge", "4711")
        .query("hub.verify_token", "demo-token");
    assert_eq!(ask("meta", &subscribe, &["{}", &own]), text("4711"));
    let wrong = subscribe.clone().query("hub.verify_token", "demo-toke");
    assert_eq!(ask("meta", &wrong, &[&own]), None);
    assert_eq!(ask("meta", &subscribe, &[]), None);

    let challenge = sent("").get().query("challenge", "0f-1e");
    assert_eq!(ask("adobe-commerce", &challenge, &["{}"]), text("0f-1e"));
    assert_eq!(ask("adobe-commerce", &challenge, &[]), None, "no account");

    // printf '%s' abcdemo-tokenhttps://oms.example/webhooks/c/a | sha256sum
    let code = sent("").get().query("challenge_code", "abc");
    let digest = "144b26a3c0e80ab87914433acfff40fbbf9e1089b2acde372ad4c8aa07286098";
    let answer = Greeting::Json(format!(r#"{{"challengeResponse":"{digest}"}}"#));
    assert_eq!(ask("ebay", &code, &[&secret("ebay")]), Some(answer));
    assert_eq!(ask("ebay", &code, &["{}"]), None);

    let ping = sent("webhook_id=142");
    assert_eq!(ask("woocommerce", &ping, &["secret"]), text(""));
    assert_eq!(ask("woocommerce", &ping, &[]), None, "no account");
    for body in ["webhook_id=", "webhook_id=x", "webhook_id=1&x=2", "{}"] {
        assert_eq!(ask("woocommerce", &sent(body), &["secret"]), None, "{body}");
    }
    for channel in ["shopify", "square", "generic"] {
        assert_eq!(ask(channel, &subscribe, &["secret"]), None, "{channel}");
    }
}

#[test]
fn the_webhooks_module_of_adobe_signs_the_base64_of_the_body() {
    let body = "{\"order\":{}}";
    let adobe = by_name("adobe-commerce").unwrap();
    let signed = sent(body).header("x-adobe-commerce-webhook-signature", MODULE_SIGNATURE);
    let secret = json!({"public_key": RSA}).to_string();
    assert!(signed.passes(adobe, &[&secret]));
    assert!(signed.passes(adobe, &[RSA]));
    let other =
        sent("{\"order\":[]}").header("x-adobe-commerce-webhook-signature", MODULE_SIGNATURE);
    assert!(!other.passes(adobe, &[&secret]));
    assert_eq!(adobe.thanks(), Some(r#"[{"op":"success"}]"#));
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

#[test]
fn a_signature_of_another_account_of_the_same_key_is_of_its_url() {
    let square = by_name("square").unwrap();
    let signature = |url: &str| {
        let message = format!("{url}{{}}");
        data_encoding::BASE64.encode(&hmac("k", message.as_bytes()))
    };
    let own = "https://oms.example/webhooks/c/a";
    let signed = |url: &str| sent("{}").header("x-square-hmacsha256-signature", signature(url));
    assert!(signed(own).passes(square, &["k"]));
    assert!(!signed("https://oms.example/webhooks/c/b").passes(square, &["k"]));
    let behind = r#"{"key":"k","url":"https://public.example/hook"}"#;
    assert!(signed("https://public.example/hook").passes(square, &[behind]));
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
