//! The shop that is told what has left, and perhaps that an order has come in: it hears of all of that, of nothing else, and of nothing twice; or a person is
//! told why not.

use domain::order::FulfillmentStatus;
use domain::owed::Notice;
use domain::{Event, FulfillmentOrder, Line};

use super::{Findings, history};
use crate::measure::thousandths_of;
use crate::observed::{Observed, Shipment, StoredOrder};
use crate::vendor::ACCOUNT;

/// Whether a notice is to a channel.
pub(super) fn is_of_channel(notice: &Notice) -> bool {
    matches!(notice, Notice::Acknowledged | Notice::Sent(_))
}

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    for stored in &observed.orders {
        let order = &stored.order;
        let source = &order.source;
        let of_shop = source.channel == observed.fetched && source.account == ACCOUNT;
        found.expect(
            order.told == of_shop,
            "channel-told-wrongly",
            &order.id,
            || {
                format!(
                    "expected that its channel is told: {of_shop}, found {}",
                    order.told
                )
            },
        );
        for f in order.fulfillments.iter().filter(|f| has_left(f)) {
            let shipments = observed.shipments.iter();
            let mut own = shipments.filter(|shipment| shipment.order == order.id);
            let knows = own.any(|shipment| is(stored, f, shipment));
            hears(stored, Notice::Sent(f.n), knows, found);
        }
        // Of what is cancelled it need not hear that it has come in.
        let gone = |line: &Line| line.units.cancelled == line.units.ordered;
        if let Some(accepted) = &observed.accepted
            && !order.lines.iter().all(gone)
        {
            let knows = accepted.contains(&order.id);
            hears(stored, Notice::Acknowledged, knows, found);
        }
    }
    for shipment in &observed.shipments {
        let same = |known: &&Shipment| *known == shipment;
        let orders = observed.orders.iter();
        let own = orders.filter(|stored| stored.order.id == shipment.order);
        let sent =
            own.flat_map(|stored| stored.order.fulfillments.iter().map(move |f| (stored, f)));
        let left = sent.filter(|(stored, f)| has_left(f) && is(stored, f, shipment));
        // The van takes several parcels under one number.
        let (left, told) = (left.count(), observed.shipments.iter().filter(same).count());
        found.expect(left > 0, "told-without-leaving", &shipment.order, || {
            format!("expected a parcel that has left: {shipment:?}")
        });
        found.expect(
            told <= left.max(1),
            "shipment-told-twice",
            &shipment.order,
            || format!("expected to be told of {left} times, found {told}: {shipment:?}"),
        );
    }
}

fn has_left(f: &FulfillmentOrder) -> bool {
    use FulfillmentStatus::{Delivered, Shipped};
    matches!(f.status, Delivered | Shipped)
}

/// Whether what a shop has heard is this parcel, with as much in it.
fn is(stored: &StoredOrder, f: &FulfillmentOrder, shipment: &Shipment) -> bool {
    // Some take nothing but letters and digits.
    let plain = |number: &str| -> String {
        let letters = number.chars().filter(char::is_ascii_alphanumeric);
        letters.collect()
    };
    let tracked = f
        .parcel
        .as_ref()
        .map(|parcel| plain(&parcel.tracking_number));
    let sent = thousandths_of(stored.order.sum_of(&f.units));
    let pieces = shipment.pieces.map(|pieces| i64::try_from(pieces * 1000));
    let as_much = pieces.is_none_or(|pieces| pieces == Ok(sent));
    tracked == Some(plain(&shipment.tracking_number)) && as_much
}

/// Once there is something to hear its channel has heard of it, or a person knows that it does not want to. `knows`: whether it has.
fn hears(stored: &StoredOrder, notice: Notice, knows: bool, found: &mut Findings) {
    let order = &stored.order;
    let told = |event: &Event| matches!(event, Event::Notified(known) if *known == notice);
    let told = history::events(stored).filter(|event| told(event)).count();
    if !order.told {
        found.expect(told == 0, "channel-told-unasked", &order.id, || {
            format!("expected nobody to be told: {notice:?}")
        });
        return;
    }
    found.expect(told <= 1, "channel-recorded-twice", &order.id, || {
        format!("expected one record that it was told: {notice:?}")
    });
    found.expect(told == 0 || knows, "recorded-untold", &order.id, || {
        format!("expected the shop to know, as it is recorded: {notice:?}")
    });
    let refused = |event: &Event| matches!(event, Event::NotNotified(known, _) if *known == notice);
    let resolved = |event: &Event| matches!(event, Event::UntoldResolved(_));
    let mut after = history::events(stored).skip_while(|event| !refused(event));
    let is_task = order.untold.contains(&notice) || after.any(resolved);
    // What is still due is another promise.
    let due = order.notices.contains(&notice);
    found.expect(
        due || told > 0 || is_task,
        "channel-not-told",
        &order.id,
        || format!("expected its channel, or a person, to hear: {notice:?}"),
    );
}
