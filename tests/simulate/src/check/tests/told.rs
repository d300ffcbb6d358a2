use domain::event::Event;
use domain::owed::Notice;
use domain::telling::Resolution;

use super::rest::{breaks, keeps};
use crate::check::sample::{SENT, WAITS, at};
use crate::observed::{Observed, Shipment};
use crate::vendor::ACCOUNT;

/// Adds an event to the order that is sent, a page being turned if it needs one.
fn happens(w: &mut Observed, event: Event) {
    let stored = &mut w.orders[SENT];
    stored.order.version += 1;
    stored.order.timeline.push(at(900), event);
    stored.pages.extend(stored.order.timeline.take_page());
}

fn hears(w: &mut Observed, pieces: u64) {
    w.shipments.push(Shipment {
        order: w.orders[SENT].order.id.clone(),
        tracking_number: "1".into(),
        pieces: Some(pieces),
    });
}

/// The order that is sent in two parcels is one of the shop's.
fn sold(w: &mut Observed) {
    w.fetched = "bigcommerce";
    let order = &mut w.orders[SENT].order;
    (order.source.channel, order.source.account) = ("bigcommerce".into(), ACCOUNT.into());
    order.told = true;
}

/// The shop has heard of both parcels.
fn told(w: &mut Observed) {
    sold(w);
    for (n, pieces) in [(1, 3), (2, 1)] {
        hears(w, pieces);
        happens(w, Event::Notified(Notice::Sent(n)));
    }
}

fn refuses(w: &mut Observed, n: u32) {
    happens(w, Event::NotNotified(Notice::Sent(n), "status 400".into()));
}

#[test]
fn a_shop_is_told_too_much_or_too_little() {
    keeps(told);
    breaks("channel-told-wrongly", |w| {
        sold(w);
        w.orders[SENT].order.told = false;
    });
    breaks("channel-told-wrongly", |w| {
        w.orders[WAITS].order.told = true
    });
    breaks("channel-told-unasked", |w| {
        happens(w, Event::Notified(Notice::Sent(1)));
    });
    breaks("channel-not-told", sold);
    breaks("shipment-told-twice", |w| {
        told(w);
        hears(w, 1);
    });
    for pieces in [2, 4] {
        breaks("told-without-leaving", |w| {
            told(w);
            hears(w, pieces);
        });
    }
    breaks("told-without-leaving", |w| {
        told(w);
        hears(w, 1);
        w.shipments[2].tracking_number = "2".into();
    });
    breaks("recorded-untold", |w| {
        told(w);
        w.shipments.pop();
    });
    breaks("channel-recorded-twice", |w| {
        told(w);
        happens(w, Event::Notified(Notice::Sent(2)));
    });
    // What it refuses is a task, until somebody has looked into it.
    let refused = |w: &mut Observed| {
        sold(w);
        hears(w, 3);
        happens(w, Event::Notified(Notice::Sent(1)));
        refuses(w, 2);
    };
    breaks("channel-not-told", refused);
    keeps(|w| {
        refused(w);
        w.orders[SENT].order.untold.push(Notice::Sent(2));
    });
    keeps(|w| {
        refused(w);
        happens(w, Event::UntoldResolved(Resolution::Settled));
    });
    // Some wait to hear that an order has come in.
    let waits = |w: &mut Observed| {
        told(w);
        w.accepted = Some(vec![w.orders[SENT].order.id.clone()]);
    };
    breaks("channel-not-told", waits);
    keeps(|w| {
        waits(w);
        happens(w, Event::Notified(Notice::Acknowledged));
    });
    breaks("recorded-untold", |w| {
        told(w);
        w.accepted = Some(Vec::new());
        happens(w, Event::Notified(Notice::Acknowledged));
    });
    breaks("notice-unwanted", |w| {
        let order = &mut w.orders[SENT].order;
        order.notices.push(Notice::Sent(2));
        order.open_at = Some(at(900));
    });
}
