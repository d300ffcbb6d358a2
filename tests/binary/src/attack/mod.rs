//! 64 clients at once against one running binary: what may happen once happens once, and what there is of goods and
//! money is never given twice.

mod buying;
mod money;
mod stock;
mod warehouse;

use std::time::Instant;

use futures::future::LocalBoxFuture;
use local::http_client::{Answer, HttpClient};
use serde_json::{Value, json};
use store::Story;

use crate::{Client, PATIENCE, Request, Tables, Waybill, at_once};

/// Clients that act at once.
pub const CLIENTS: usize = 64;
/// A product that there is nothing of to begin with.
const SCARCE: &str = "KTL-COPPER-12";
/// A product that there is enough of in Hamburg.
const PLENTY: &str = "FLT-PAPER-100";

/// An attack by its name: what it found, having held it to its rules.
pub struct Attack {
    /// Its name.
    pub name: &'static str,
    run: fn(&mut Site) -> LocalBoxFuture<'_, Value>,
}

/// All of them.
pub const ATTACKS: [Attack; 14] = [
    Attack {
        name: "buy-the-last-ten",
        run: |site| Box::pin(buying::the_last_ten(site)),
    },
    Attack {
        name: "buy-the-last-ten-by-webhook",
        run: |site| Box::pin(buying::by_webhook(site)),
    },
    Attack {
        name: "same-order",
        run: |site| Box::pin(buying::the_same_order(site)),
    },
    Attack {
        name: "same-return",
        run: |site| Box::pin(money::the_same_return(site)),
    },
    Attack {
        name: "return-more-than-shipped",
        run: |site| Box::pin(money::more_returns(site)),
    },
    Attack {
        name: "receive-twice",
        run: |site| Box::pin(money::received_twice(site)),
    },
    Attack {
        name: "refund-everything",
        run: |site| Box::pin(money::refund_everything(site)),
    },
    Attack {
        name: "refund-in-parts",
        run: |site| Box::pin(money::refund_in_parts(site)),
    },
    Attack {
        name: "cancel-and-pack",
        run: |site| Box::pin(warehouse::cancel_and_pack(site)),
    },
    Attack {
        name: "cancel-and-pack-short",
        run: |site| Box::pin(warehouse::cancel_and_pack_short(site)),
    },
    Attack {
        name: "reject-and-pack",
        run: |site| Box::pin(warehouse::reject_and_pack(site)),
    },
    Attack {
        name: "ship-twice",
        run: |site| Box::pin(warehouse::ship_twice(site)),
    },
    Attack {
        name: "same-receipt",
        run: |site| Box::pin(stock::the_same_receipt(site)),
    },
    Attack {
        name: "count-and-buy",
        run: |site| Box::pin(stock::count_and_buy(site)),
    },
];

/// Runs one attack against a binary of its own, and holds the books to their rules when all is at rest.
pub async fn run(attack: &Attack) -> Value {
    let started = Instant::now();
    let mut site = Site::open().await;
    let mut found = (attack.run)(&mut site).await;
    site.close().await;
    found["name"] = json!(attack.name);
    found["ms"] = json!(started.elapsed().as_millis() as u64);
    found
}

/// Runs all of them, one after the other.
pub async fn run_all() -> Value {
    let started = Instant::now();
    let mut found = Vec::new();
    for attack in &ATTACKS {
        found.push(run(attack).await);
        eprintln!("{}", found[found.len() - 1]);
    }
    json!({"ok": true, "clients": CLIENTS, "attacks": found, "seconds": started.elapsed().as_secs_f64()})
}

/// A running binary, and a client that sees to things between the attacks.
struct Site {
    waybill: Waybill,
    http: std::net::SocketAddr,
    tables: Tables,
    client: Client,
}

impl Site {
    async fn open() -> Self {
        let waybill = Waybill::start(&[]);
        let (http, aws) = waybill.ready();
        Self {
            waybill,
            http,
            tables: Tables::at(aws).await,
            client: Client::at(http),
        }
    }

    /// Sends all at once, each from a client of its own.
    async fn at_once(&self, requests: Vec<Request>) -> Vec<Answer> {
        at_once(self.http, requests).await
    }

    /// Waits until nothing is owed.
    async fn rest(&self) -> Vec<Story> {
        self.tables.rest(PATIENCE).await
    }

    /// Places orders of some units of a product that there is enough of; their ids, once they are allocated.
    async fn place(&mut self, orders: usize, quantity: u32) -> Vec<String> {
        let document = end_to_end::document(&[(PLENTY, quantity)]);
        let mut ids = Vec::new();
        for n in 0..orders {
            let receipt = self
                .client
                .ask(&Request::order(&format!("order-{n}"), &document))
                .await;
            ids.push(receipt["id"].as_str().unwrap().to_owned());
        }
        self.rest().await;
        ids
    }

    /// Places one order and brings it to its customer.
    async fn deliver(&mut self, quantity: u32) -> String {
        let id = self.place(1, quantity).await.remove(0);
        for report in ["packed", "delivered"] {
            let path = format!("/fulfillments/{id}-1/{report}");
            self.client.ask(&Request::post(path, "", "")).await;
            self.rest().await;
        }
        id
    }

    async fn order(&mut self, id: &str) -> Value {
        self.client
            .ask(&Request::get(format!("/orders/{id}")))
            .await
    }

    /// What there is in Hamburg: on hand, allocated, available.
    async fn level(&mut self, sku: &str) -> (i64, i64, i64) {
        let stock = self
            .client
            .ask(&Request::get(format!("/stock/{sku}")))
            .await;
        let levels = stock["levels"].as_array().unwrap();
        let level = levels
            .iter()
            .find(|level| level["location"] == "hamburg")
            .unwrap();
        let number = |name: &str| level[name].as_i64().unwrap();
        (
            number("on_hand"),
            number("allocated"),
            number("available") - number("shortfall"),
        )
    }

    /// How many mails have gone out, as the mailbox shows them.
    async fn mails(&self) -> usize {
        let page = HttpClient::new(self.http)
            .page("/console/mail")
            .await
            .unwrap();
        page.matches("href=\"/console/mail/").count()
    }

    async fn close(self) {
        let stories = self.rest().await;
        assert_eq!(
            self.tables.audit(&stories).await,
            0,
            "orders that are owed something"
        );
        assert!(
            !self.waybill.errors().contains("panicked"),
            "{}",
            self.waybill.errors()
        );
    }
}

/// How many answers have each status.
fn statuses(answers: &[Answer]) -> std::collections::BTreeMap<u16, usize> {
    let mut statuses = std::collections::BTreeMap::new();
    for (status, _) in answers {
        *statuses.entry(*status).or_default() += 1;
    }
    statuses
}

/// Asserts that all were answered the same; that answer.
fn all_the_same(answers: &[Answer]) -> &Answer {
    let other = answers.iter().find(|answer| **answer != answers[0]);
    assert_eq!(other, None, "others were answered {:?}", answers[0]);
    &answers[0]
}

/// The same request from every client.
fn everybody(request: Request) -> Vec<Request> {
    vec![request; CLIENTS]
}
