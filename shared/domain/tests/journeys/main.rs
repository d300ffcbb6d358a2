//! Whatever happens to an order in whatever order, its books balance and its work gets done.

// Clippy knows tests by their attribute, and not what they share.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod world;

use std::collections::BTreeSet;

use common::*;
use domain::intake::{NewLine, NewOrder};
use domain::order::{Order, Payment};
use domain::owed::{Notice, Step};
use proptest::prelude::*;
use proptest::sample::Index;
use world::World;

/// Something that somebody does, or that a queue delivers.
#[derive(Debug, Clone)]
enum Act {
    /// A hint of this step arrives; units there are, should it allocate, and whether it succeeds.
    Drive(Step, [u8; 6], bool),
    /// The same, for no reason: a hint came twice, or goods came.
    Wake([u8; 6]),
    /// A pick list leaves; that it did is noted later.
    Send,
    Note,
    Report(Index, u8, Vec<u8>),
    Cancel,
    ReleaseHold,
    Announce(u8, Vec<(Index, u32)>),
    CallOff(Index),
    Receive(Index, Vec<(Index, u32, u8)>),
    RefundUnits(u8, Vec<(Index, u32)>),
    RefundAmount(u8, i64),
    Confirm(Index),
}

fn act() -> impl Strategy<Value = Act> {
    let levels = || prop::array::uniform6(0..4_u8);
    let step = prop::sample::select(Step::ALL.to_vec());
    let units = || prop::collection::vec((any::<Index>(), 0..4_u32), 0..4);
    let came = prop::collection::vec((any::<Index>(), 0..4_u32, 0..4_u8), 0..4);
    let packed = prop::collection::vec(0..4_u8, 4);
    prop_oneof![
        12 => (step, levels(), prop::bool::weighted(0.8)).prop_map(|(s, l, ok)| Act::Drive(s, l, ok)),
        2 => levels().prop_map(Act::Wake),
        1 => Just(Act::Send),
        1 => Just(Act::Note),
        9 => (any::<Index>(), 0..7_u8, packed).prop_map(|(n, of, p)| Act::Report(n, of, p)),
        1 => Just(Act::Cancel),
        2 => Just(Act::ReleaseHold),
        2 => (0..4_u8, units()).prop_map(|(key, u)| Act::Announce(key, u)),
        1 => any::<Index>().prop_map(Act::CallOff),
        3 => (any::<Index>(), came).prop_map(|(n, u)| Act::Receive(n, u)),
        1 => (0..4_u8, units()).prop_map(|(key, u)| Act::RefundUnits(key, u)),
        1 => (4..8_u8, 0..3000_i64).prop_map(|(key, a)| Act::RefundAmount(key, a)),
        1 => any::<Index>().prop_map(Act::Confirm),
    ]
}

/// Two lines of the same SKU, one of another, one with nothing to ship.
fn orders() -> impl Strategy<Value = Order> {
    let paid = prop_oneof![Just(None), Just(Some(1)), Just(Some(2)), Just(Some(3))];
    let units = prop::array::uniform4(1..5_i64);
    let money = (0..500_i64, 0..500_i64, 0..500_i64);
    let flags = (any::<bool>(), any::<bool>());
    (paid, units, money, flags).prop_map(|(paid, units, (discount, tax, extras), (inc, mailed))| {
        let mut lines: Vec<NewLine> = ["A", "B", "A"]
            .iter()
            .zip(units)
            .zip([333, 1000, 250])
            .enumerate()
            .map(|(n, ((sku, units), price))| line(&n.to_string(), sku, units, price))
            .collect();
        lines.push(intangible("3", units[3], 99));
        let mut order = accept(NewOrder {
            taxes_included: inc,
            mailed,
            discount,
            tax,
            extras,
            payments: paid
                .map(|_| Payment::Captured(1_000_000))
                .into_iter()
                .collect(),
            ..new_order(lines)
        });
        // Captured: all of it, half of it, or none yet.
        let total = order.total();
        order.payments = match paid {
            None => Vec::new(),
            Some(1) => vec![Payment::Captured(total)],
            Some(2) => vec![Payment::Authorised(total), Payment::Captured(total / 2)],
            Some(_) => vec![Payment::Authorised(total)],
        };
        order
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_books_balance_and_the_order_comes_to_rest(
        order in orders(),
        acts in prop::collection::vec(act(), 0..80),
    ) {
        let mut world = World::new(order);
        for act in &acts {
            world.act(act);
        }
        world.settle();
        world.finish();
        assert!(world.allocated.values().all(|units| *units == 0), "{:?}", world.allocated);
        assert_eq!(world.order.refunded(), world.order.refunds_promised());
        let status = world.order.status();
        assert!(["delivered", "cancelled", "returned"].contains(&status), "{status}");
    }
}

/// The journeys reach what they are meant to reach: without this, a test of random changes may
/// quietly test nothing.
#[test]
fn the_journeys_go_everywhere() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let expected = BTreeSet::from([
        "a page",
        "fulfillment.accepted",
        "fulfillment.delivered",
        "fulfillment.packed",
        "fulfillment.rejected",
        "fulfillment.shipped",
        "fulfillment.unrated",
        "hold.released",
        "notice.failed",
        "notice.sent",
        "order.accepted",
        "order.allocated",
        "order.cancelled",
        "refund.paid",
        "refund.requested",
        "refund.submitted",
        "return.announced",
        "return.cancelled",
        "return.received",
        "stock.moved",
        "stop",
    ]);
    let mut seen = BTreeSet::new();
    let journey = (orders(), prop::collection::vec(act(), 0..80));
    for _ in 0..400 {
        if seen == expected {
            break;
        }
        let (order, acts) = journey.new_tree(&mut runner).unwrap().current();
        let mut world = World::new(order);
        for act in &acts {
            world.act(act);
        }
        let pages = world.pages.iter().chain([&world.order.timeline]);
        for entry in pages.flat_map(|page| &page.entries) {
            seen.insert(entry.event.name());
        }
        if !world.pages.is_empty() {
            seen.insert("a page");
        }
        for notice in &world.called_for {
            if let Notice::Stop(_) = notice {
                seen.insert("stop");
            }
        }
    }
    assert_eq!(seen, expected);
}
