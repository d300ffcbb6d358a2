//! What clients do meanwhile: each order is followed to its end by one of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::stock::MovementKind;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::noted::{Noted, Notes};
use crate::{Client, Request};

/// Products of which there is nothing until somebody waits for it: one for each story about waiting.
pub const PRODUCTS: u64 = 100;
/// A product of which receipts bring more than orders take.
const GRINDER: &str = "GRD-HAND-40";
/// Another.
const PAPER: &str = "FLT-PAPER-100";

/// The product of this number.
pub fn product(n: u64) -> Value {
    json!({
        "sku": format!("RARE-{n}"), "title": "A rare thing", "weight_g": 500,
        "length_mm": 100, "width_mm": 100, "height_mm": 100,
    })
}

/// A client at work.
pub struct Clerk {
    client: Client,
    notes: Arc<Notes>,
    /// Stories that were begun.
    count: Arc<AtomicU64>,
}

impl Clerk {
    pub fn new(client: Client, notes: Arc<Notes>, count: Arc<AtomicU64>) -> Self {
        Self {
            client,
            notes,
            count,
        }
    }

    /// Follows one order after the other until it closes; how often it had to send something again.
    pub async fn work(mut self, open: watch::Receiver<bool>) -> u64 {
        while *open.borrow() {
            let n = self.count.fetch_add(1, Ordering::Relaxed);
            match n % 6 {
                0 => self.sold_and_returned(n).await,
                1 => self.waited_for(n).await,
                2 => self.cancelled(n).await,
                3 => self.packed_short(n).await,
                4 => self.rejected(n).await,
                _ => self.stocked(n).await,
            }
        }
        self.client.repeats
    }

    async fn sold_and_returned(&mut self, n: u64) {
        let id = self.order(n, GRINDER, 2).await;
        self.allocated(&id, 1).await;
        self.report(&id, 1, "packed", json!({})).await;
        self.deliver(&id, 1).await;
        let lines = json!({"lines": [{"line": "L1", "quantity": 1}]});
        let key = format!("rma-{n}");
        self.post(format!("/orders/{id}/returns"), &key, lines)
            .await;
        self.note(Noted::Return(id.clone(), key));
        self.post(format!("/returns/{id}-R1/received"), "", json!({}))
            .await;
        self.note(Noted::Received(id.clone(), 1));
        self.confirm(&id, 1).await;
        let key = format!("sorry-{n}");
        let answer = self
            .post(
                format!("/orders/{id}/refunds"),
                &key,
                json!({"amount": "1.00"}),
            )
            .await;
        assert_eq!(answer["id"], format!("{id}-F2"));
        self.note(Noted::Refund(id.clone(), key));
        self.confirm(&id, 2).await;
    }

    /// Goods that somebody waits for arrive.
    async fn waited_for(&mut self, n: u64) {
        let (round, rare) = (n / 6 / PRODUCTS, n / 6 % PRODUCTS);
        let sku = format!("RARE-{rare}");
        let id = self.order(n, &sku, 1).await;
        let status = |order: &Value| order["status"] == "backordered";
        // The product's next round may find what an earlier one left.
        if round == 0 {
            self.client.wait_for(&format!("/orders/{id}"), status).await;
        }
        self.fact(
            &sku,
            &format!("pallet-{n}"),
            "hamburg",
            MovementKind::Receive,
            1,
        )
        .await;
        self.allocated(&id, 1).await;
        self.report(&id, 1, "packed", json!({})).await;
        self.deliver(&id, 1).await;
    }

    async fn cancelled(&mut self, n: u64) {
        let id = self.order(n, PAPER, 2).await;
        self.post(format!("/orders/{id}/cancel"), "", json!({}))
            .await;
        self.note(Noted::Cancelled(id.clone()));
        self.confirm(&id, 1).await;
    }

    async fn packed_short(&mut self, n: u64) {
        let id = self.order(n, PAPER, 3).await;
        self.allocated(&id, 1).await;
        self.report(
            &id,
            1,
            "packed",
            json!({"lines": [{"line": "L1", "quantity": 2}]}),
        )
        .await;
        self.allocated(&id, 2).await;
        self.report(&id, 2, "packed", json!({})).await;
        self.deliver(&id, 2).await;
        self.deliver(&id, 1).await;
    }

    async fn rejected(&mut self, n: u64) {
        let id = self.order(n, GRINDER, 1).await;
        self.allocated(&id, 1).await;
        self.report(&id, 1, "accepted", json!({})).await;
        self.report(&id, 1, "rejected", json!({"reason": "the roof leaks"}))
            .await;
        self.allocated(&id, 2).await;
        self.report(
            &id,
            2,
            "shipped",
            json!({"carrier": "bicycle", "tracking_number": "7"}),
        )
        .await;
        self.deliver(&id, 2).await;
    }

    /// Goods arrive, somebody counts, and a shop sends an order.
    async fn stocked(&mut self, n: u64) {
        for location in ["hamburg", "newark"] {
            for (sku, units) in [(GRINDER, 8), (PAPER, 12)] {
                let key = format!("pallet-{n}-{location}");
                self.fact(sku, &key, location, MovementKind::Receive, units)
                    .await;
            }
        }
        self.fact(
            GRINDER,
            &format!("count-{n}"),
            "hamburg",
            MovementKind::Adjust,
            -1,
        )
        .await;
        let mut document = end_to_end::shopify();
        document["admin_graphql_api_id"] = json!(format!("gid://shopify/Order/{n}"));
        let receipt = self.client.ask(&Request::webhook(&document)).await;
        let id = receipt["id"].as_str().unwrap().to_owned();
        self.note(Noted::Order(id.clone(), "shopify", n.to_string()));
    }

    async fn order(&mut self, n: u64, sku: &str, quantity: u32) -> String {
        let key = format!("order-{n}");
        let document = end_to_end::document(&[(sku, quantity)]);
        let receipt = self.client.ask(&Request::order(&key, &document)).await;
        let id = receipt["id"].as_str().unwrap().to_owned();
        self.note(Noted::Order(id.clone(), "api", key));
        id
    }

    /// Waits until the order has a fulfillment order of this number.
    async fn allocated(&mut self, id: &str, n: usize) {
        let there = |order: &Value| {
            order["fulfillments"]
                .as_array()
                .is_some_and(|f| f.len() >= n)
        };
        self.client.wait_for(&format!("/orders/{id}"), there).await;
    }

    async fn deliver(&mut self, id: &str, n: usize) {
        let shipped = |order: &Value| order["fulfillments"][n - 1]["status"] == "shipped";
        self.client
            .wait_for(&format!("/orders/{id}"), shipped)
            .await;
        self.report(id, n, "delivered", json!({})).await;
    }

    async fn report(&mut self, id: &str, n: usize, report: &'static str, body: Value) {
        self.post(format!("/fulfillments/{id}-{n}/{report}"), "", body)
            .await;
        self.note(Noted::Report(id.to_owned(), n as u32, report));
    }

    async fn confirm(&mut self, id: &str, n: u32) {
        self.post(format!("/refunds/{id}-F{n}/confirmed"), "", json!({}))
            .await;
        self.note(Noted::Paid(id.to_owned(), n));
    }

    async fn fact(
        &mut self,
        sku: &str,
        key: &str,
        location: &str,
        kind: MovementKind,
        quantity: i64,
    ) {
        let taken = self
            .client
            .ask(&Request::stock(sku, key, location, kind.name(), quantity))
            .await;
        let id = taken["id"].as_str().unwrap().to_owned();
        self.note(Noted::Fact {
            sku: sku.to_owned(),
            id,
            location: location.to_owned(),
            kind,
            quantity,
        });
    }

    async fn post(&mut self, path: String, key: &str, body: Value) -> Value {
        self.client.ask(&Request::post(path, key, body)).await
    }

    fn note(&self, noted: Noted) {
        self.notes.add(noted);
    }
}
