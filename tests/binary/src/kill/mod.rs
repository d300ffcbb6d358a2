//! Killed with SIGKILL at random moments under load, and started again on the same directory.
//!
//! Clients send as real channels do, until they are answered, and note what they were told. A process that is killed
//! loses its queues, which are in memory here, and so every hint: its next start sweeps. Its mailbox is in memory too:
//! that a mail went out is known from the order's timeline.

mod noted;
mod stories;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use end_to_end::Dice;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{Client, Directory, PATIENCE, Request, Tables, Waybill};
use noted::Notes;
use stories::{Clerk, PRODUCTS};

/// Clients that send at once.
const CLERKS: usize = 16;
/// A mail that a killed process had claimed is sent when the claim is a minute old, and its message rests longer each
/// time that it comes too early: 154 seconds at most.
const CLAIMS_EXPIRE: Duration = Duration::from_secs(200);

/// How to kill.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often.
    pub kills: u32,
    /// What the random moments come from.
    pub seed: u64,
    /// Whether to wait, at the end, until mails that killed processes had claimed have gone out. Otherwise they are
    /// all that may be left to be done.
    pub wait_for_mail: bool,
}

/// Kills the binary as planned, and holds what is left to all rules.
pub async fn run(plan: Plan) -> Value {
    eprintln!("seed {}", plan.seed);
    let started = Instant::now();
    let directory = Directory::new("killed");
    let data = directory.join("data");
    // Its queues do not wait for more messages: more happens before a kill.
    let template = include_str!("../../../../infra/template.yaml");
    let mut hurried = template.to_owned();
    for (what, usual, here) in [
        ("all want the same shelf.", "100", "10"),
        ("to book many orders in one transaction.", "1", "0"),
    ] {
        let default = |value| format!("{what}\n    Default: {value}\n");
        let before = hurried.clone();
        hurried = hurried.replacen(&default(usual), &default(here), 1);
        assert_ne!(before, hurried);
    }
    let file = directory.join("template.yaml");
    std::fs::write(&file, hurried).unwrap();
    let start = || Waybill::start(&["--data", &data, "--template", &file]);
    let (address, announced) = watch::channel(None);
    let (opened, open) = watch::channel(true);
    let (notes, count) = (Arc::new(Notes::default()), Arc::new(AtomicU64::new(0)));
    let mut dice = Dice(plan.seed);
    // The first starts are killed too, before there is anything.
    for _ in 0..3 {
        let waybill = start();
        tokio::time::sleep(Duration::from_millis(dice.roll(150))).await;
        waybill.kill();
    }
    let waybill = start();
    let (http, _) = waybill.ready();
    let products = (0..PRODUCTS).map(stories::product).collect::<Vec<_>>();
    let put = Request::new(http::Method::PUT, "/products", json!(products));
    Client::at(http).ask(&put).await;
    // The clerks reject the same few articles everywhere: with a cool-down, these would wait for a day.
    let rules = json!([{"channel": "*", "cool_down_hours": 0}]);
    let put = Request::new(http::Method::PUT, "/routing/rules", rules);
    Client::at(http).ask(&put).await;
    waybill.kill();
    let clerks: Vec<_> = (0..CLERKS)
        .map(|_| {
            let mut client = Client::new(announced.clone());
            // Each kill may cost it a second.
            client.patience += Duration::from_secs(plan.kills.into());
            let clerk = Clerk::new(client, notes.clone(), count.clone());
            tokio::spawn(clerk.work(open.clone()))
        })
        .collect();
    let mut starting = 0;
    for _ in 0..plan.kills {
        let waybill = start();
        if dice.roll(8) == 0 {
            // While it starts.
            starting += 1;
            tokio::time::sleep(Duration::from_millis(dice.roll(200))).await;
        } else {
            let (http, _) = waybill.ready();
            address.send_replace(Some(http));
            tokio::time::sleep(Duration::from_millis(5 + dice.roll(396))).await;
        }
        waybill.kill();
        address.send_replace(None);
    }
    let waybill = start();
    let (http, aws) = waybill.ready();
    address.send_replace(Some(http));
    opened.send_replace(false);
    let mut repeats = 0;
    for clerk in clerks {
        repeats += clerk.await.unwrap();
    }
    let tables = Tables::at(aws).await;
    let loaded = started.elapsed();
    let stories = match plan.wait_for_mail {
        true => tables.rest(CLAIMS_EXPIRE).await,
        false => tables.rest_but_for_claims(PATIENCE).await,
    };
    let owing = tables.audit(&stories).await;
    let facts = notes.check(&tables.store, &stories).await;
    assert!(
        !waybill.errors().contains("panicked"),
        "{}",
        waybill.errors()
    );
    json!({
        "ok": true,
        "kills": plan.kills,
        "survived": plan.kills,
        "killed_while_starting": starting,
        "seed": plan.seed,
        "orders": stories.len(),
        "noted": facts,
        "sent_again": repeats,
        "orders_with_claimed_mail": owing,
        "load_seconds": loaded.as_secs_f64(),
        "seconds": started.elapsed().as_secs_f64(),
    })
}
