//! Who sent a sample: it is genuine by its own secret, and by nothing else.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{RSA, file, secret};
use crate::testing::{hmac, sent};
use crate::{CHANNELS, Channel, Delivery, Secret, by_name};

/// When the samples were sent.
const SENT_AT: i64 = 1_795_422_600;
// printf %s BODY | base64 -w0 | openssl dgst -sha256 -sign | base64 -w0
const MODULE_SIGNATURE: &str = "jDqLFEn75wN/k3iUvLWP/FW6qSMWDj6urlWe4OCWiJ6qovue6ii55OKJ5YCIT1W55Mzro8na0pC11uwlbeqyJu3lyG39nA00k2nJb5ZjYHmFyFFsI46AUJLI7b739UNDknwstNNiTtCK9QYnhgHugZAgN7gbNNp2vEqbH5FJH/oaR68ZakZTiT3wGjLMBeklHJu/IQ5t8FTe/5vxRxaRBr/mvJ32fML3mS4fdpYdtvusxjMrbPc6qY+sX/s1Pcd7nMTBgHKSg8IVsQbNCTZnrsOi38pMUJoXMTGLiw2iNO4xnv2tiQBeRdaKgwrRHXmwPAkEUhWRERVEEEqB1u9UbA==";

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
