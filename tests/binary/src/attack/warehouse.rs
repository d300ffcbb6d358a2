//! Two people who decide the opposite at once: exactly one of them is obeyed, and the order balances.

use serde_json::{Value, json};

use super::{CLIENTS, Site, everybody, statuses};
use crate::Request;

/// Orders that are fought over at once.
const ORDERS: usize = 8;

fn cancel(id: &str) -> Request {
    Request::post(format!("/orders/{id}/cancel"), "", "")
}

fn report(id: &str, report: &str, body: Value) -> Request {
    Request::post(format!("/fulfillments/{id}-1/{report}"), "", body)
}

/// Sends two opposite requests for each order, from half of its clients each, all at once. For each order: whether
/// everyone with the first, and whether everyone with the second was obeyed. Of one party all are answered alike.
async fn fight(
    site: &mut Site,
    ids: &[String],
    one: impl Fn(&str) -> Request,
    other: impl Fn(&str) -> Request,
) -> Vec<(bool, bool)> {
    let clients = CLIENTS / ids.len();
    // Both take turns, so that neither is always first.
    let requests = (0..clients).flat_map(|n| {
        ids.iter()
            .enumerate()
            .map(move |(place, id)| (n + place, id))
    });
    let requests = requests.map(|(turn, id)| match turn % 2 {
        0 => one(id),
        _ => other(id),
    });
    let answers = site.at_once(requests.collect()).await;
    let obeyed = |place: usize, party: usize| {
        let own = (0..clients).filter(|n| (n + place) % 2 == party);
        let statuses: Vec<u16> = own.map(|n| answers[n * ids.len() + place].0).collect();
        assert!(
            statuses.iter().all(|status| *status == statuses[0]),
            "{statuses:?}"
        );
        assert!([200, 409].contains(&statuses[0]), "{statuses:?}");
        statuses[0] == 200
    };
    let verdicts = (0..ids.len()).map(|place| (obeyed(place, 0), obeyed(place, 1)));
    let verdicts = verdicts.collect();
    site.rest().await;
    verdicts
}

/// A customer who cancels, and a team that packs.
pub async fn cancel_and_pack(site: &mut Site) -> Value {
    let ids = site.place(ORDERS, 3).await;
    let packed = |id: &str| report(id, "packed", json!({}));
    let verdicts = fight(site, &ids, cancel, packed).await;
    for (id, verdict) in ids.iter().zip(&verdicts) {
        let order = site.order(id).await;
        let units = &order["lines"][0]["units"];
        let expected = match verdict {
            (true, false) => (3, 0, "cancelled"),
            (false, true) => (0, 3, "shipped"),
            both => panic!("both or neither: {both:?}, {order}"),
        };
        let found = (
            &units["cancelled"],
            &units["shipped"],
            order["status"].as_str().unwrap(),
        );
        assert_eq!(found, (&json!(expected.0), &json!(expected.1), expected.2));
    }
    let cancelled = verdicts.iter().filter(|verdict| verdict.0).count();
    json!({"cancelled": cancelled, "shipped": ORDERS - cancelled})
}

/// A customer who cancels, and a team that finds one unit of three: whatever comes first, every unit is sent,
/// cancelled, or still to be sent by somebody else, and only one of them.
pub async fn cancel_and_pack_short(site: &mut Site) -> Value {
    let ids = site.place(ORDERS, 3).await;
    let short = |id: &str| {
        let one = json!({"lines": [{"line": "L1", "quantity": 1}]});
        report(id, "packed", one)
    };
    let verdicts = fight(site, &ids, cancel, short).await;
    let mut outcomes = [0, 0];
    for (id, verdict) in ids.iter().zip(&verdicts) {
        let order = site.order(id).await;
        let units = &order["lines"][0]["units"];
        let found = (
            units["cancelled"].as_u64().unwrap(),
            units["shipped"].as_u64().unwrap(),
        );
        match verdict {
            // All of it before anything was packed.
            (true, false) => assert_eq!(found, (3, 0), "{order}"),
            // What was not found is cancelled after the parcel was closed.
            (true, true) => assert_eq!(found, (2, 1), "{order}"),
            other => panic!("{other:?}: {order}"),
        }
        outcomes[usize::from(verdict.1)] += 1;
    }
    json!({"cancelled": outcomes[0], "packed_then_cancelled": outcomes[1]})
}

/// A team of which one refuses and another packs.
pub async fn reject_and_pack(site: &mut Site) -> Value {
    let ids = site.place(ORDERS, 3).await;
    let packed = |id: &str| report(id, "packed", json!({}));
    let rejected = |id: &str| report(id, "rejected", json!({"reason": "no"}));
    let verdicts = fight(site, &ids, packed, rejected).await;
    for (id, verdict) in ids.iter().zip(&verdicts) {
        let order = site.order(id).await;
        let fulfillments = order["fulfillments"].as_array().unwrap();
        let expected = match verdict {
            (true, false) => vec!["shipped"],
            (false, true) => vec!["rejected", "released"],
            both => panic!("both or neither: {both:?}, {order}"),
        };
        let found: Vec<&str> = fulfillments
            .iter()
            .map(|f| f["status"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{order}");
    }
    let packed = verdicts.iter().filter(|verdict| verdict.0).count();
    json!({"packed": packed, "rejected": ORDERS - packed})
}

/// One parcel, reported packed by half of the clients and shipped by own means by the others: it leaves once.
pub async fn ship_twice(site: &mut Site) -> Value {
    let id = site.place(1, 3).await.remove(0);
    let own_means = json!({"carrier": "bicycle", "tracking_number": "7"});
    let shipped = report(&id, "shipped", own_means);
    let mut requests = everybody(report(&id, "packed", json!({})));
    requests
        .iter_mut()
        .step_by(2)
        .for_each(|request| *request = shipped.clone());
    let answers = site.at_once(requests).await;
    assert_eq!(statuses(&answers), [(200, CLIENTS)].into());
    site.rest().await;
    let events = site
        .client
        .ask(&Request::get(format!("/orders/{id}/events")))
        .await;
    let events = events["events"].as_array().unwrap();
    let left = events
        .iter()
        .filter(|event| event["type"] == "fulfillment.shipped")
        .count();
    assert_eq!(left, 1, "{events:?}");
    let order = site.order(&id).await;
    assert_eq!(order["lines"][0]["units"]["shipped"], 3);
    json!({"parcels": 1, "carrier": order["fulfillments"][0]["parcel"]["carrier"]})
}
