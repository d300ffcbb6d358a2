//! Receipts and counts: a physical fact is taken once, whatever else is going on.

use serde_json::{Value, json};

use super::{CLIENTS, SCARCE, Site, all_the_same, everybody, statuses};
use crate::Request;

/// One receipt, reported 64 times at once under one key.
pub async fn the_same_receipt(site: &mut Site) -> Value {
    let receipt = Request::stock(SCARCE, "pallet", "hamburg", "receive", 7);
    let answers = site.at_once(everybody(receipt)).await;
    assert_eq!(all_the_same(&answers).0, 202);
    let path = format!("/stock/{SCARCE}");
    site.client
        .wait_for(&path, |stock| stock["levels"][0]["on_hand"] == 7)
        .await;
    site.rest().await;
    assert_eq!(site.level(SCARCE).await, (7, 0, 7));
    json!({"on_hand": 7})
}

/// Receipts of two units, counts that find one less, and orders of one unit, all at once: 42 come in, 21 are missing,
/// and 22 buyers share the 21 that there are. Nobody waits for what is there.
pub async fn count_and_buy(site: &mut Site) -> Value {
    let document = end_to_end::document(&[(SCARCE, 1)]);
    let request = |n: usize| match n % 3 {
        0 => Request::order(&format!("order-{n}"), &document),
        1 => Request::stock(SCARCE, &format!("pallet-{n}"), "hamburg", "receive", 2),
        _ => Request::stock(SCARCE, &format!("count-{n}"), "hamburg", "adjust", -1),
    };
    let answers = site.at_once((0..CLIENTS).map(request).collect()).await;
    assert_eq!(statuses(&answers), [(201, 22), (202, 42)].into());
    let stories = site.rest().await;
    let (mut allocated, mut waiting) = (0, 0);
    for story in &stories {
        allocated += story.order.lines[0].units.allocated;
        waiting += story.order.lines[0].units.backordered;
    }
    let level = site.level(SCARCE).await;
    assert_eq!(level.0, 21);
    // A count can come after the units it misses were promised: then one more has been promised than there is.
    assert_eq!(allocated + waiting, 22);
    assert_eq!(level.1, i64::from(allocated));
    assert_eq!(level.2, 21 - i64::from(allocated));
    json!({"on_hand": level.0, "allocated": allocated, "backordered": waiting})
}
