//! Orders of more lines than one transaction holds are allocated in parts.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use domain::Order;
use domain::allocation::allocate;
use domain::limits::{
    MAX_LINES, MAX_LINES_PER_COMMIT, MAX_TAKES_PER_COMMIT, MAX_TRANSACTION_ACTIONS,
};
use domain::owed::{Notice, Work, newly_owed, owed};
use domain::stock::Changes;

/// An order of `count` lines, each of one unit of a SKU of its own.
fn long_order(count: usize) -> (Order, Vec<String>) {
    let skus: Vec<String> = (0..count).map(|n| format!("S{n}")).collect();
    let lines: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    (order(&lines), skus)
}

/// Allocates until nothing is owed; each pass has to make progress, within its bounds.
fn in_parts(mut order: Order, levels: &[(&str, &str, i64)]) -> (Order, usize) {
    let (mut available, mut passes) = (stock(levels), 0);
    while owed(&order)
        .iter()
        .any(|work| matches!(work, Work::Allocate(_)))
    {
        let mut changes = Changes::default();
        let open = |order: &Order| -> u32 { order.lines.iter().map(|l| l.units.open).sum() };
        let found = allocate(
            &order,
            &network(locations()),
            &[],
            &mut available,
            &mut changes,
            now(),
        )
        .unwrap();
        assert!(open(&found.order) < open(&order), "pass {passes}");
        assert!(changes.len() <= MAX_TAKES_PER_COMMIT);
        let waiting = found.starts_waiting.len() + found.stops_waiting.len();
        assert!(changes.len() + waiting < MAX_TRANSACTION_ACTIONS);
        assert!(!newly_owed(&order, &found.order).is_empty() || owed(&found.order).is_empty());
        (order, passes) = (found.order, passes + 1);
    }
    (order, passes)
}

#[test]
fn a_long_order_is_allocated_in_parts() {
    for (lines, parts) in [
        (MAX_LINES_PER_COMMIT, 1),
        (MAX_LINES_PER_COMMIT + 1, 2),
        (MAX_LINES, MAX_LINES.div_ceil(MAX_LINES_PER_COMMIT)),
    ] {
        let (order, skus) = long_order(lines);
        let levels: Vec<_> = skus.iter().map(|sku| (sku.as_str(), "ber", 1)).collect();
        let (order, passes) = in_parts(order, &levels);
        assert_eq!(passes, parts);
        assert!(standing(&order).iter().all(|line| line == "a1"));
        let confirmed = order.notices.iter().filter(|n| **n == Notice::Confirmed);
        assert_eq!(confirmed.count(), 1);
    }
}

#[test]
fn lines_that_nobody_can_send_do_not_keep_the_others_waiting() {
    // More than a pass looks at are to be had only where the country is not served.
    let (order, skus) = long_order(3 * MAX_LINES_PER_COMMIT);
    let mut levels: Vec<_> = skus.iter().map(|sku| (sku.as_str(), "nyc", 1)).collect();
    for level in &mut levels[2 * MAX_LINES_PER_COMMIT..] {
        level.1 = "ber";
    }
    let mut locations = locations();
    locations[0].serves = vec!["US".into()];
    let (mut order, mut available) = (order, stock(&levels));
    for _ in 0..3 {
        let mut changes = Changes::default();
        let found = allocate(
            &order,
            &network(locations.clone()),
            &[],
            &mut available,
            &mut changes,
            now(),
        );
        order = found.unwrap().order;
    }
    let stand = standing(&order);
    assert!(stand[..2 * MAX_LINES_PER_COMMIT].iter().all(|l| l == "b1"));
    assert!(stand[2 * MAX_LINES_PER_COMMIT..].iter().all(|l| l == "a1"));
    // Nor when goods come for one behind them.
    let mut later = stock(&levels);
    later.set("S80", "muc", 1);
    let found = allocate(
        &order,
        &network(locations.clone()),
        &[],
        &mut later,
        &mut Changes::default(),
        now(),
    );
    assert_eq!(standing(&found.unwrap().order)[80], "a1");
}

#[test]
fn open_lines_come_before_waiting_ones() {
    let (mut order, skus) = long_order(2 * MAX_LINES_PER_COMMIT);
    let waiting = order.lines.iter_mut().take(MAX_LINES_PER_COMMIT);
    for line in waiting {
        line.units.backordered = std::mem::take(&mut line.units.open);
    }
    let levels: Vec<_> = skus.iter().map(|sku| (sku.as_str(), "ber", 1)).collect();
    let stand = standing(&allocated(&order, &levels));
    assert!(stand[..MAX_LINES_PER_COMMIT].iter().all(|l| l == "b1"));
    assert!(stand[MAX_LINES_PER_COMMIT..].iter().all(|l| l == "a1"));
}

#[test]
fn a_part_takes_from_a_bounded_number_of_levels() {
    // Each line has to be shared by two locations: twice as many levels as lines.
    let skus: Vec<String> = (0..MAX_LINES_PER_COMMIT).map(|n| format!("S{n}")).collect();
    let lines: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 3)).collect();
    let levels: Vec<_> = skus
        .iter()
        .flat_map(|sku| [(sku.as_str(), "ber", 1), (sku.as_str(), "muc", 1)])
        .collect();
    let (order, passes) = in_parts(order(&lines), &levels);
    assert_eq!(passes, 2);
    assert!(standing(&order).iter().all(|line| line == "b1 a2"));
}
