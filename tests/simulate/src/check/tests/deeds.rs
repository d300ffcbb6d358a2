use domain::OrderId;
use domain::order::{Hold, HoldReason};

use super::rest::{breaks, keeps};
use crate::check::sample::{CANCELLED, SENT, UNRATED, WAITS, at};
use crate::observed::{Deed, Observed};

#[test]
fn a_deed_is_lost() {
    let nobody = || OrderId::of("api", "default", "nobody");
    breaks("order-lost", |w| w.deeds.push(Deed::Cancelled(nobody())));
    let ordered = |w: &mut Observed, units, charge, captured, email: &str| {
        w.deeds.push(Deed::Ordered {
            id: w.orders[WAITS].order.id.clone(),
            lines: vec![(Some("C".into()), units, charge)],
            captured,
            email: Some(email.into()),
            located_by: "country",
        });
    };
    let email = "waits@example.com";
    keeps(|w| ordered(w, 1, 1300, 1300, email));
    breaks("order-lines-differ", |w| ordered(w, 2, 1300, 1300, email));
    breaks("order-lines-differ", |w| ordered(w, 1, 1301, 1300, email));
    breaks("order-captured-differs", |w| {
        ordered(w, 1, 1300, 1299, email)
    });
    breaks("contact-differs", |w| {
        ordered(w, 1, 1300, 1300, "else@example.com")
    });
    breaks("place-differs", |w| {
        let place = w.orders[SENT].order.destination.as_mut().unwrap();
        place.point = Some((525, 134));
    });
    breaks("line-measured-otherwise", |w| {
        ordered(w, 1, 1300, 1300, email);
        w.decimals.push(("C".into(), 1));
    });
    breaks("resolution-lost", |w| {
        let id = w.orders[WAITS].order.id.clone();
        w.deeds.push(Deed::Resolved(id));
    });
    breaks("fact-lost", |w| {
        w.deeds.push(Deed::Counted {
            fact: "f9".into(),
            sku: "A".into(),
            location: "north".into(),
            quantity: 1,
        });
    });
    breaks("fact-differs", |w| match &mut w.deeds[0] {
        Deed::Counted { quantity, .. } => *quantity += 1,
        other => panic!("{other:?}"),
    });
    let id = |w: &Observed, place: usize| w.orders[place].order.id.clone();
    breaks("hold-not-lifted", |w| {
        let (reason, since) = (HoldReason::Payment, at(0));
        w.orders[WAITS].order.holds.push(Hold { reason, since });
    });
    breaks("cancellation-lost", |w| {
        w.deeds.push(Deed::Cancelled(id(w, WAITS)))
    });
    breaks("cancellation-lost", |w| {
        w.deeds.push(Deed::Cancelled(id(w, SENT)))
    });
    for (key, units) in [("other", 1), ("rma", 2)] {
        breaks("return-lost", |w| {
            let lines = vec![("1".into(), units)];
            let id = id(w, SENT);
            w.deeds
                .push(Deed::ReturnAnnounced(id, key.into(), 1, lines));
        });
    }
    breaks("return-not-received", |w| {
        w.deeds.push(Deed::ReturnReceived(id(w, SENT), 2))
    });
    breaks("return-not-cancelled", |w| {
        w.deeds.push(Deed::ReturnCancelled(id(w, SENT), 1))
    });
    let in_channel = |w: &mut Observed, lines: Option<u32>| {
        let lines = lines.map(|units| vec![("1".to_owned(), units)]);
        let (id, key) = (id(w, SENT), "rma".to_owned());
        w.deeds.push(Deed::ReturnedInChannel { id, key, lines });
        w.orders[SENT].order.returns[0].by_channel = true;
        w.deeds
            .retain(|deed| !matches!(deed, Deed::ReturnAnnounced(..)));
    };
    breaks("channel-return-lost", |w| in_channel(w, Some(2)));
    breaks("channel-return-lost", |w| in_channel(w, None));
    breaks("channel-return-lost", |w| {
        in_channel(w, Some(1));
        w.orders[SENT].order.returns[0].by_channel = false;
    });
    breaks("refund-lost", |w| {
        w.deeds
            .push(Deed::RefundRequested(id(w, SENT), "return-1".into(), 1));
    });
    breaks("refund-not-repeated", |w| {
        w.deeds.push(Deed::RefundRepeated(id(w, SENT), 1))
    });
    breaks("refund-not-paid", |w| {
        w.deeds.push(Deed::RefundConfirmed(id(w, UNRATED), 1))
    });
}

#[test]
fn a_report_is_lost() {
    fn report(w: &mut Observed, place: usize, n: u32, report: &'static str, units: Option<u32>) {
        w.deeds.push(Deed::Reported {
            order: w.orders[place].order.id.clone(),
            n,
            report,
            lines: units.map(|units| vec![("1".into(), units)]),
        });
    }
    for what in ["shipped", "delivered", "rejected"] {
        breaks("report-lost", |w| report(w, UNRATED, 1, what, None));
    }
    breaks("report-lost", |w| report(w, UNRATED, 2, "accepted", None));
    breaks("report-lost", |w| report(w, CANCELLED, 1, "packed", None));
    keeps(|w| report(w, SENT, 1, "accepted", None));
    // Heard after the parcel was closed: it changes nothing.
    keeps(|w| report(w, UNRATED, 1, "packed", Some(1)));
    let silent = |w: &mut Observed| {
        w.deeds.retain(|deed| {
            !matches!(
                deed,
                Deed::Reported {
                    report: "packed",
                    ..
                }
            )
        });
    };
    keeps(silent);
    breaks("packed-units-differ", |w| {
        silent(w);
        report(w, UNRATED, 1, "packed", Some(1));
    });
    breaks("packed-units-differ", |w| {
        silent(w);
        report(w, SENT, 1, "packed", None);
    });
}
