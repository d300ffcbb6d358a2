use domain::event::{Entry, Event};
use domain::order::FulfillmentStatus;
use domain::owed::Notice;

use super::rest::{breaks, keeps};
use crate::check::sample::{A_SOUTH, CANCELLED, SENT, UNRATED, WAITS, at};
use crate::observed::{Observed, SentMail};

/// Adds an event to an order of at most 13.
fn happens(world: &mut Observed, place: usize, event: Event) {
    let order = &mut world.orders[place].order;
    order.version += 1;
    order.timeline.entries.push(Entry { at: at(900), event });
}

/// Sends a mail again, or one that there was not.
fn send(w: &mut Observed, to: &str, key: String, undisturbed: bool) {
    let to = to.into();
    w.mails.push(SentMail {
        to,
        key,
        undisturbed,
    });
}

#[test]
fn a_mail_goes_out_that_should_not() {
    let north = "north@example.com";
    let key =
        |w: &Observed, place: usize, name: &str| format!("{}-{name}", w.orders[place].order.id);
    for undisturbed in [false, true] {
        breaks("mail-repeated", |w| {
            let key = key(w, SENT, "pick-1");
            send(w, north, key, undisturbed);
        });
        breaks("mail-repeated", |w| {
            let key = "A-low-south-1".into();
            send(w, "team@example.com", key, undisturbed);
        });
    }
    // The crash between the mail and its record.
    keeps(|w| {
        w.mails[1].undisturbed = false;
        let key = key(w, SENT, "pick-1");
        send(w, north, key, true);
    });
    breaks("mail-readdressed", |w| {
        w.mails[1].undisturbed = false;
        let key = key(w, SENT, "pick-1");
        send(w, "south@example.com", key, true);
    });
    for name in ["pick-3", "stop-1", "cancelled-2", "refunded-2", "welcome"] {
        breaks("mail-uncalled", |w| {
            let key = key(w, SENT, name);
            send(w, "sent@example.com", key, false);
        });
    }
    for name in [
        "A-low-south-2",
        "A-gone-south-1",
        "X-low-south-1",
        "A-out-south-1_A-low-north-1",
    ] {
        breaks("mail-uncalled", |w| send(w, north, name.into(), true));
    }
    breaks("mail-unwanted", |w| {
        let key = key(w, WAITS, "confirmed");
        send(w, "waits@example.com", key, false);
    });
    breaks("mail-misdirected", |w| {
        w.mails[0].to = "else@example.com".into()
    });
}

#[test]
fn somebody_was_not_told() {
    breaks("notice-without-mail", |w| drop(w.mails.remove(0)));
    keeps(|w| {
        // Refused for good: that is noted, and the order goes on.
        w.mails.pop();
        w.levels[A_SOUTH].level.low = None;
        w.mails.pop();
        let failed = Event::NotNotified(Notice::Pick(1), "no such address".into());
        w.orders[UNRATED].order.timeline.entries[2].event = failed;
    });
    breaks("notice-recorded-twice", |w| {
        happens(w, UNRATED, Event::Notified(Notice::Pick(1)));
    });
    breaks("mail-unrecorded", |w| {
        // It was recorded as failed, and had gone out undisturbed.
        let failed = Event::NotNotified(Notice::Pick(1), "why".into());
        w.orders[UNRATED].order.timeline.entries[2].event = failed;
    });
    breaks("person-not-told", |w| {
        w.orders[SENT]
            .order
            .timeline
            .entries
            .last_mut()
            .unwrap()
            .event = Event::StockMoved(0);
        w.mails.retain(|mail| !mail.key.ends_with("refunded-1"));
    });
    let forget = |w: &mut Observed, n: usize, name: &str| {
        w.orders[CANCELLED].order.timeline.entries[n - 1].event = Event::StockMoved(0);
        w.mails.retain(|mail| !mail.key.ends_with(name));
    };
    breaks("person-not-told", |w| forget(w, 7, "cancelled-4"));
    breaks("warehouse-not-stopped", |w| forget(w, 6, "stop-1"));
    keeps(|w| {
        // A pick list that the cancellation was quicker than has not to be called back.
        forget(w, 3, "never");
        let cancelled = w.orders[CANCELLED].order.id.to_string();
        w.mails
            .retain(|m| !m.key.starts_with(&cancelled) || m.key.ends_with("cancelled-4"));
        w.orders[CANCELLED].order.timeline.entries[5].event = Event::StockMoved(0);
    });
    breaks("person-not-told", |w| {
        let order = &mut w.orders[UNRATED].order;
        assert_eq!(order.fulfillments[0].status, FulfillmentStatus::Packed);
        order.timeline.entries[2].event = Event::StockMoved(0);
        let pick = format!("{}-pick-1", order.id);
        w.mails.retain(|mail| mail.key != pick);
    });
}
