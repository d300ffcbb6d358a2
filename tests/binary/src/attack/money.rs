//! Returns and refunds: nothing comes back that was not sent, and no cent goes back that did not come in.

use std::collections::BTreeSet;

use domain::order::RefundStatus;
use serde_json::{Value, json};

use super::{CLIENTS, PLENTY, Site, everybody, statuses};
use crate::Request;

fn announce(id: &str, key: &str, quantity: u32) -> Request {
    let lines = json!({"lines": [{"line": "L1", "quantity": quantity}]});
    Request::post(format!("/orders/{id}/returns"), key, lines)
}

fn refund(id: &str, key: &str, amount: &str) -> Request {
    Request::post(
        format!("/orders/{id}/refunds"),
        key,
        json!({"amount": amount}),
    )
}

/// One return, announced 64 times at once under one key.
pub async fn the_same_return(site: &mut Site) -> Value {
    let id = site.deliver(3).await;
    let answers = site.at_once(everybody(announce(&id, "rma", 2))).await;
    assert_eq!(statuses(&answers), [(201, CLIENTS)].into());
    let made: BTreeSet<&str> = answers
        .iter()
        .map(|(_, a)| a["id"].as_str().unwrap())
        .collect();
    assert_eq!(made, [format!("{id}-R1").as_str()].into());
    assert_eq!(
        site.order(&id).await["returns"].as_array().unwrap().len(),
        1
    );
    json!({"returns": 1})
}

/// 64 returns of one unit each, of ten units that were shipped: ten are taken.
pub async fn more_returns(site: &mut Site) -> Value {
    let id = site.deliver(10).await;
    let requests = (0..CLIENTS).map(|n| announce(&id, &format!("rma-{n}"), 1));
    let answers = site.at_once(requests.collect()).await;
    assert_eq!(statuses(&answers), [(201, 10), (409, CLIENTS - 10)].into());
    assert_eq!(
        site.order(&id).await["returns"].as_array().unwrap().len(),
        10
    );
    json!({"taken": 10, "refused": CLIENTS - 10})
}

/// One return that arrives 64 times at once: the shelf gains it once, and one refund is asked for.
pub async fn received_twice(site: &mut Site) -> Value {
    let id = site.deliver(3).await;
    site.client.ask(&announce(&id, "rma", 3)).await;
    let before = site.level(PLENTY).await;
    let received = Request::post(format!("/returns/{id}-R1/received"), "", "");
    let answers = site.at_once(everybody(received)).await;
    assert_eq!(statuses(&answers), [(200, CLIENTS)].into());
    site.rest().await;
    assert_eq!(
        site.level(PLENTY).await,
        (before.0 + 3, before.1, before.2 + 3)
    );
    let order = site.order(&id).await;
    assert_eq!(order["lines"][0]["units"]["returned"], 3);
    assert_eq!(order["refunds"].as_array().unwrap().len(), 1);
    json!({"restocked": 3, "refunds": 1})
}

/// The whole amount, 64 times at once: under one key first, then under 64.
pub async fn refund_everything(site: &mut Site) -> Value {
    let ids = site.place(2, 10).await;
    let answers = site
        .at_once(everybody(refund(&ids[0], "sorry", "100.00")))
        .await;
    assert_eq!(statuses(&answers), [(201, CLIENTS)].into());
    let requests = (0..CLIENTS).map(|n| refund(&ids[1], &format!("sorry-{n}"), "100.00"));
    let answers = site.at_once(requests.collect()).await;
    assert_eq!(statuses(&answers), [(201, 1), (409, CLIENTS - 1)].into());
    for id in &ids {
        site.rest().await;
        let order = site.order(id).await;
        assert_eq!(order["refunds"].as_array().unwrap().len(), 1);
        confirm(site, id, 1).await;
        let order = site.order(id).await;
        assert_eq!(
            (&order["captured"], &order["refunded"]),
            (&json!("100.00"), &json!("100.00"))
        );
    }
    json!({"captured": "100.00", "refunded": "100.00"})
}

/// 64 wishes of 7.77 each, of 100.00 that were captured: twelve are taken, and all of them are paid once.
pub async fn refund_in_parts(site: &mut Site) -> Value {
    let id = site.place(1, 10).await.remove(0);
    let requests = (0..CLIENTS).map(|n| refund(&id, &format!("sorry-{n}"), "7.77"));
    let answers = site.at_once(requests.collect()).await;
    assert_eq!(statuses(&answers), [(201, 12), (409, CLIENTS - 12)].into());
    site.rest().await;
    for n in 1..=12 {
        confirm(site, &id, n).await;
    }
    let order = site.order(&id).await;
    assert_eq!(order["refunded"], "93.24");
    // The rest to the minor unit, and not one more.
    let one_more = site.client.send(&refund(&id, "too-much", "6.77")).await;
    assert_eq!(one_more.0, 409, "{}", one_more.1);
    site.client.ask(&refund(&id, "rest", "6.76")).await;
    site.rest().await;
    confirm(site, &id, 13).await;
    assert_eq!(site.order(&id).await["refunded"], "100.00");
    json!({"taken": 13, "refunded": "100.00"})
}

/// Confirms a refund from every client at once: it is paid once.
async fn confirm(site: &mut Site, id: &str, n: u32) {
    let path = format!("/refunds/{id}-F{n}/confirmed");
    let answers = site.at_once(everybody(Request::post(path, "", ""))).await;
    assert_eq!(statuses(&answers), [(200, CLIENTS)].into());
    let stories = site.rest().await;
    let story = stories
        .iter()
        .find(|story| story.order.id.as_str() == id)
        .unwrap();
    let paid = |r: &&domain::order::Refund| r.status == RefundStatus::Paid;
    let paid: i64 = story
        .order
        .refunds
        .iter()
        .filter(paid)
        .map(|r| r.amount)
        .sum();
    assert_eq!(
        story.order.refunded(),
        paid,
        "each refund once in the ledger"
    );
    assert!(paid <= story.order.captured());
}
