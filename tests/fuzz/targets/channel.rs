//! What a channel or a payment provider sends: the first line is its name, a signature and a topic, the rest the body.
#![no_main]

use channels::{Delivery, Said, Secret};
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
    if let Some(channel) = channels::sender(name) {
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
                Ok(
                    Said::Refunded(..) | Said::Returning(..) | Said::Deleted(_) | Said::Repaid(_),
                ) => {}
                Ok(Said::Nothing(why)) => assert!(!why.is_empty()),
                Err(why) => fuzz::check_unreadable(&why),
            }
        }
    }
    if let Some(channel) = channels::by_name(name) {
        match channel.orders(body) {
            Ok(orders) => {
                for order in orders.into_iter().take(3) {
                    match channel.parse(order, "main") {
                        Ok(new) => fuzz::check_order(new),
                        Err(why) => fuzz::check_unreadable(&why),
                    }
                }
            }
            Err(why) => fuzz::check_unreadable(&why),
        }
    }
});
