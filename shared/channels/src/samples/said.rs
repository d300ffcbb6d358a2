//! What a delivery says: which order it is about, that it is about none, or that it asks whether anybody listens.

use domain::limits::MAX_NAME_CHARS;
use serde_json::Value;

use super::{file, order, secret};
use crate::testing::{Sent, sent};
use crate::{Greeting, Said, amazon, by_name};

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

/// The delivery of a sample, to be read: who sent it is not asked.
fn delivered(channel: &str) -> Sent {
    let event: Value = serde_json::from_str(&file(&format!("accept-order-{channel}"))).unwrap();
    let mut delivery = sent(event["body"].as_str().unwrap());
    if let Some(at) = event["headers"]["webhook-timestamp"].as_str() {
        delivery = delivery.header("webhook-timestamp", at);
    }
    delivery
}
