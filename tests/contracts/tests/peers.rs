//! Webhooks that implementations of others have signed, and judged: our checks say the same of each.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeMap;
use std::{env, fs};

use ::channels::{Delivery, Secret, sender, standard};
use jiff::Timestamp;
use serde::Deserialize;

/// Channels, and payment providers, that the peers sign for.
const CHANNELS: usize = 9;

/// A delivery that a peer has made.
#[derive(Deserialize)]
struct Signed {
    channel: String,
    /// The secret as our account holds it.
    secret: String,
    headers: BTreeMap<String, String>,
    body: String,
    /// Whether it is as it was signed, with this secret.
    genuine: bool,
}

#[test]
#[ignore = "tests/contracts/peers/run makes the deliveries, and then runs this"]
fn our_checks_agree_with_those_of_others() {
    let path = env::var("PEERS").unwrap();
    let deliveries: Vec<Signed> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut judged: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut ours_too = 0;
    for signed in &deliveries {
        let channel = sender(&signed.channel).unwrap();
        let header = |name: &str| signed.headers.get(name).map(String::as_str);
        let delivery = Delivery {
            method: "POST",
            url: "https://oms.example/webhooks/c/a",
            headers: &header,
            query: &|_| None,
            raw_body: signed.body.as_bytes(),
        };
        let secrets = ["another", &signed.secret].map(Secret::read);
        let passes = channel.verify(&delivery, &secrets, Timestamp::now());
        let (name, body) = (&signed.channel, &signed.body);
        assert_eq!(passes, signed.genuine, "{name}: {body}");
        // What we send ourselves is signed as they sign it.
        if let (true, "generic") = (signed.genuine, name.as_str()) {
            let at = header("webhook-timestamp").unwrap().parse().unwrap();
            let at = Timestamp::from_second(at).unwrap();
            let id = header("webhook-id").unwrap();
            let ours = standard::sign(&secrets[1..], id, at, body.as_bytes());
            assert_eq!(ours.as_deref(), header("webhook-signature"), "{body}");
            ours_too += 1;
        }
        judged.entry(name).or_default()[usize::from(passes)] += 1;
    }
    for (channel, [refused, passed]) in &judged {
        println!("{channel}: {passed} passed, {refused} refused");
        assert!(*passed > 0 && *refused > 0);
    }
    assert_eq!(judged.len(), CHANNELS);
    assert!(ours_too > 0);
}
