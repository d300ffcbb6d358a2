use domain::discrepancy::{Discrepancy, DiscrepancyKind};
use domain::fact::{Count, Details};

use super::rest::{breaks, keeps};
use crate::check::sample::{ARRIVED, COUNTED, D_NORTH, at, short, transfer};
use crate::observed::{Deed, Observed};

#[test]
fn goods_between_warehouses_are_counted_once() {
    breaks("transit-differs", |w| w.transfers.clear());
    breaks("transit-differs", |w| w.transfers[0].quantity = 2);
    breaks("transit-differs", |w| {
        // They have arrived, and are still on the road.
        w.transfers.push(transfer("t1", 3));
    });
    breaks("transit-differs", |w| {
        // They never left.
        w.transfers.push(transfer("t9", 3));
    });
    breaks("arrival-without-departure", |w| {
        let (level, fact) = (&mut w.levels[D_NORTH + 1].level, &mut w.facts[ARRIVED]);
        *fact = transfer("t9", 2).arrival(2, at(30));
        fact.applied = true;
        level.tail[0].cause = "t9".into();
        w.transfers.push(transfer("t1", 3));
        w.discrepancies.remove(1);
        w.deeds.pop();
    });
}

#[test]
fn what_comes_in_of_a_purchase_is_counted_for_it() {
    breaks("purchase-line-lost", |w| {
        let mut expected = w.inbound[0].clone();
        expected.quantity = 5;
        w.deeds.push(Deed::Expected(expected));
    });
    keeps(|w| w.deeds.push(Deed::Expected(w.inbound[0].clone())));
    breaks("receipt-uncounted", |w| w.inbound[0].received = 1);
    // The first fact is a receipt.
    let of = |w: &mut Observed, id: &str| w.facts[0].details = Some(Details::Inbound(id.into()));
    breaks("receipt-uncounted", |w| of(w, "p1"));
    breaks("receipt-uncounted", |w| of(w, "p2"));
    keeps(|w| {
        of(w, "p1");
        (w.inbound[0].sku, w.inbound[0].received) = (w.facts[0].sku.clone(), w.facts[0].quantity);
    });
}

#[test]
fn what_is_below_zero_is_noted_once() {
    let sink = |w: &mut Observed| {
        let (level, fact) = (&mut w.levels[D_NORTH].level, &mut w.facts[ARRIVED + 1]);
        level.tail[3].quantity = 2;
        (level.on_hand, level.available) = (-1, -1);
        *fact = transfer("t2", 2).departure(String::new());
        fact.applied = true;
        w.transfers[0].quantity = 2;
        w.deeds
            .retain(|deed| !matches!(deed, Deed::TransferSent(sent) if sent.id == "t2"));
        w.deeds.push(Deed::StockReconciled);
    };
    let below_zero = |movement: &str| Discrepancy {
        id: "BELOW".into(),
        kind: DiscrepancyKind::BelowZero,
        sku: "D".into(),
        found: -1,
        expected: 0,
        cause: movement.into(),
        ..short("")
    };
    breaks("below-zero-not-noted", sink);
    keeps(|w| {
        sink(w);
        w.discrepancies.push(below_zero("4"));
    });
    breaks("below-zero-not-noted", |w| {
        sink(w);
        w.discrepancies.extend([below_zero("4"), below_zero("4")]);
    });
    breaks("discrepancy-uncalled", |w| {
        w.discrepancies.push(below_zero("4"))
    });
}

/// A count whose difference is another one than what moved.
fn expects(world: &mut Observed, expected: i64) {
    let found = 4;
    world.facts[COUNTED].details = Some(Details::Count(Count { found, expected }));
    world.discrepancies[0].expected = expected;
    world
        .deeds
        .retain(|deed| !matches!(deed, Deed::ShelfCounted { .. }));
}

#[test]
fn what_differs_is_noted_and_nothing_else() {
    for place in 0..3 {
        breaks("discrepancy-not-noted", |w| {
            drop(w.discrepancies.remove(place))
        });
        breaks("discrepancy-uncalled", |w| {
            let again = w.discrepancies[place].clone();
            w.discrepancies.push(again);
        });
    }
    breaks("fact-unsound", |w| expects(w, 6));
    keeps(|w| expects(w, 5));
}

#[test]
fn a_report_on_stock_is_lost() {
    let change = |w: &mut Observed, change: &dyn Fn(&mut Deed)| w.deeds.iter_mut().for_each(change);
    for (units, said) in [(3, Some(5)), (4, Some(6))] {
        breaks("count-lost", |w| {
            change(w, &|deed| {
                if let Deed::ShelfCounted {
                    found, expected, ..
                } = deed
                {
                    (*found, *expected) = (units, said);
                }
            });
        });
    }
    breaks("transfer-lost", |w| {
        w.deeds.push(Deed::TransferSent(transfer("t2", 2)))
    });
    for (id, quantity) in [("t1", 3), ("t2", 1)] {
        breaks("arrival-lost", |w| {
            let deed = Deed::TransferReceived("D".into(), id.into(), quantity);
            w.deeds.push(deed);
        });
    }
    breaks("discrepancy-not-closed", |w| {
        w.deeds.push(Deed::DiscrepancyResolved("SHORT".into()));
    });
}
