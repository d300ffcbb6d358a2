//! What a channel sends: the first line is the channel's name, a signature and a topic, the rest the body.
#![no_main]

use channels::updates::{Shipment, Telling, Update, What};
use channels::vendor::{self, Next};
use channels::{CHANNELS, Delivery, Said, Secret, Unreadable};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(0);
    let Ok(head) = std::str::from_utf8(&bytes[..end]) else {
        return;
    };
    let (name, rest) = head.split_once(' ').unwrap_or((head, ""));
    let (signature, topic) = rest.split_once(' ').unwrap_or((rest, ""));
    let body = &bytes[(end + 1).min(bytes.len())..];
    let header = |name: &str| match name.rsplit_once('-').map_or(name, |(_, last)| last) {
        "topic" => Some(topic),
        "timestamp" => Some("1795422600"),
        _ => Some(signature),
    };
    let query = |_: &str| Some(topic);
    let secrets = [
        "one",
        "{\"key\":\"two\",\"client_id\":\"\",\"app_key\":\"a\"}",
    ]
    .map(Secret::read);
    let now = Timestamp::from_second(1_795_422_600).unwrap_or_default();
    for channel in CHANNELS.iter().filter(|channel| channel.name() == name) {
        for method in ["GET", "POST"] {
            let delivery = Delivery {
                method,
                url: "https://oms.example/webhooks/c/a",
                headers: &header,
                query: &query,
                raw_body: body,
            };
            assert!(!channel.verify(&delivery, &[], now), "no secret, no trust");
            assert_eq!(channel.greet(&delivery, &[]), None, "no account, no answer");
            channel.verify(&delivery, &secrets, now);
            channel.greet(&delivery, &secrets);
            match channel.read(&delivery, "main") {
                Ok(Said::Order(new)) => fuzz::check_order(*new),
                Ok(Said::Changed(hints)) => assert!(!hints.is_empty()),
                Ok(Said::Refunded(..) | Said::Deleted(_) | Said::Repaid(_)) => {}
                Ok(Said::Nothing(why)) => assert!(!why.is_empty()),
                Err(why) => check(&why),
            }
        }
        if let Some(api) = channel.api() {
            let access = &secrets[1];
            // Answers of any kind, as often as it asks: it comes to an end.
            let mut answers = Vec::new();
            while let Ok(Next::Ask(_)) = api.order(access, "1", &answers) {
                assert!(answers.len() < 10, "an order has no end");
                answers.push(body.to_vec());
            }
            api.refusal(400, body);
            api.refusal(200, body);
            if let Err(why) = api.token_in(body, now) {
                check(&why);
            }
            vendor::code(body);
            if let Some(changes) = api.changes() {
                changes.request(access, now, topic);
                match changes.read(topic, body) {
                    Ok(page) => assert!(page.orders.iter().all(|order| order.as_of.is_some())),
                    Err(why) => check(&why),
                }
            }
        }
        if let Some(updates) = channel.updates() {
            let access = Secret::read(r#"{"url":"https://a.example","marketplace_ids":"A"}"#);
            for what in [What::Accepted, What::Sent(shipment(now))] {
                let update = Update {
                    order: "1".into(),
                    reference: "AD4OVS4KRET6JAPB".into(),
                    key: "k".into(),
                    what,
                };
                let mut answers = Vec::new();
                while let Ok(Telling::Ask(_)) = updates.tell(&access, &update, &answers) {
                    assert!(answers.len() < 10, "it is never told");
                    answers.push(body.to_vec());
                }
            }
        }
        match channel.orders(body) {
            Ok(orders) => {
                for order in orders.into_iter().take(3) {
                    match channel.parse(order, "main") {
                        Ok(new) => fuzz::check_order(new),
                        Err(why) => check(&why),
                    }
                }
            }
            Err(why) => check(&why),
        }
    }
});

fn shipment(at: Timestamp) -> Shipment {
    Shipment {
        n: 1,
        at,
        carrier: "Post".into(),
        tracking_number: "T1".into(),
        lines: vec![("1".into(), 1.into())],
        alike: 0,
        completes: true,
    }
}

fn check(why: &Unreadable) {
    match why {
        Unreadable::Problems(problems) => fuzz::check_problems(problems),
        Unreadable::Syntax { line, .. } => assert!(*line > 0),
    }
}
