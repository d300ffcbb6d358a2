//! Everybody who should be told was told, by a mail that was called for, as often as is promised.

use domain::Event;
use domain::order::{FulfillmentStatus, Order, RefundStatus};
use domain::owed::Notice;

use super::{Findings, crossing, history, told};
use crate::observed::{Observed, SentMail, StoredOrder};

/// A mail about an order: the order's place, what it says, and the mail.
struct Letter<'a>(usize, Notice, &'a SentMail);

pub(super) fn check(observed: &Observed, found: &mut Findings) {
    let mut letters = Vec::with_capacity(observed.mails.len());
    for (k, mail) in observed.mails.iter().enumerate() {
        repeats(observed.mails.get(..k).unwrap_or_default(), mail, found);
        let about = |stored: &StoredOrder| notice(&stored.order, &mail.key).is_some();
        match observed.orders.iter().position(about) {
            Some(place) => {
                let stored = &observed.orders[place];
                if let Some(notice) = notice(&stored.order, &mail.key) {
                    letter(stored, &notice, mail, found);
                    letters.push(Letter(place, notice, mail));
                }
            }
            None => {
                let said = |part: &str| {
                    let mut levels = observed.levels.iter();
                    levels.any(|stored| crossing::said(&stored.level, part).is_some())
                };
                let known = crossing::parts(&mail.key).all(said);
                found.expect(known, "mail-uncalled", &mail.key, || {
                    "expected the order or the levels that called for this mail".into()
                });
            }
        }
    }
    for (place, stored) in observed.orders.iter().enumerate() {
        let of_order = |letter: &&Letter| letter.0 == place;
        records(stored, || letters.iter().filter(of_order), found);
        tells(stored, || letters.iter().filter(of_order), found);
    }
    crossing::check(observed, found);
}

/// One that is recorded never goes out again; and nobody gets another's.
fn repeats(earlier: &[SentMail], mail: &SentMail, found: &mut Findings) {
    let says = |known: &&SentMail| {
        let said = |part| crossing::parts(&known.key).any(|known| known == part);
        crossing::parts(&mail.key).any(said)
    };
    for known in earlier.iter().filter(says) {
        found.expect(!known.undisturbed, "mail-repeated", &mail.key, || {
            "expected no further mail after one that was recorded".into()
        });
        found.expect(known.to == mail.to, "mail-readdressed", &mail.key, || {
            "expected each mail of this name to go to the same address".into()
        });
    }
}

/// What a mail's key says, if it is one of this order.
fn notice(order: &Order, key: &str) -> Option<Notice> {
    let name = key.strip_prefix(order.id.as_str())?.strip_prefix('-')?;
    if name == "confirmed" {
        return Some(Notice::Confirmed);
    }
    let (what, n) = name.split_once('-')?;
    let n = n.parse().ok()?;
    Some(match what {
        "pick" => Notice::Pick(n),
        "stop" => Notice::Stop(n),
        "shipped" => Notice::Shipped(n),
        "refunded" => Notice::Refunded(n),
        "cancelled" => Notice::Cancelled(n),
        _ => return None,
    })
}

/// Whether a notice is to the customer; the others are to a warehouse.
fn to_customer(notice: &Notice) -> bool {
    !matches!(notice, Notice::Pick(_) | Notice::Stop(_))
}

fn letter(stored: &StoredOrder, notice: &Notice, mail: &SentMail, found: &mut Findings) {
    let order = &stored.order;
    let called = calls_for(stored, notice);
    found.expect(called, "mail-uncalled", &order.id, || {
        format!("expected what calls for {notice:?}")
    });
    if to_customer(notice) {
        found.expect(order.mailed, "mail-unwanted", &order.id, || {
            format!("expected no mail to the customer, {notice:?} was sent")
        });
        let right = stored.contact.email.as_ref() == Some(&mail.to);
        found.expect(right, "mail-misdirected", &order.id, || {
            format!("expected {notice:?} to go to the order's own contact")
        });
    }
}

/// Whether something in the order's history calls for a notice.
fn calls_for(stored: &StoredOrder, notice: &Notice) -> bool {
    use FulfillmentStatus::{Cancelled, Delivered, Shipped};
    let order = &stored.order;
    let fulfillment = |n: u32| order.fulfillments.iter().find(|f| f.n == n);
    match notice {
        Notice::Pick(n) => fulfillment(*n).is_some(),
        Notice::Stop(n) => fulfillment(*n).is_some_and(|f| f.status == Cancelled),
        Notice::Confirmed => history::events(stored).any(|e| history::looked_for(e).is_some()),
        Notice::Shipped(n) => {
            fulfillment(*n).is_some_and(|f| matches!(f.status, Shipped | Delivered))
        }
        // Nobody is mailed those.
        Notice::Acknowledged | Notice::Sent(_) => false,
        Notice::Refunded(n) => {
            let paid = |r: &domain::order::Refund| r.n == *n && r.status == RefundStatus::Paid;
            order.refunds.iter().any(paid)
        }
        Notice::Cancelled(version) => {
            let n = (*version as usize).checked_sub(1);
            let event = n.and_then(|n| history::events(stored).nth(n));
            matches!(event, Some(Event::Cancelled(..) | Event::Restated(true)))
        }
    }
}

/// What the timeline says was sent, was sent; what was sent undisturbed, the timeline says.
fn records<'a, I>(stored: &StoredOrder, letters: impl Fn() -> I, found: &mut Findings)
where
    I: Iterator<Item = &'a Letter<'a>>,
{
    let order = &stored.order;
    for (k, event) in history::events(stored).enumerate() {
        // What a channel is told is another promise.
        let noted = history::noted(event).filter(|notice| !told::is_of_channel(notice));
        let Some(notice) = noted else {
            continue;
        };
        let earlier = history::events(stored).take(k).filter_map(history::noted);
        let once = !earlier.into_iter().any(|known| known == notice);
        found.expect(once, "notice-recorded-twice", &order.id, || {
            format!("expected {notice:?} to be recorded once")
        });
        let sent = !matches!(event, Event::Notified(_)) || letters().any(|l| l.1 == *notice);
        found.expect(sent, "notice-without-mail", &order.id, || {
            format!("expected a mail: {notice:?} is recorded as sent")
        });
    }
    let sent = |notice: &Notice| {
        history::events(stored).any(|event| matches!(event, Event::Notified(n) if n == notice))
    };
    for letter in letters().filter(|letter| letter.2.undisturbed) {
        // What nobody has to be told any more is no longer due, and not recorded: a confirmation
        // that a cancellation has overtaken, a pick list that the warehouse has refused.
        let overtaken = match letter.1 {
            Notice::Confirmed => was_cancelled(stored),
            Notice::Pick(n) => is(order, n, FulfillmentStatus::Rejected),
            _ => false,
        };
        found.expect(
            overtaken || sent(&letter.1),
            "mail-unrecorded",
            &order.id,
            || format!("expected {:?}, which went out, on the timeline", letter.1),
        );
    }
}

fn was_cancelled(stored: &StoredOrder) -> bool {
    let units = stored.order.lines.iter().map(|line| line.units.cancelled);
    let any = units.sum::<u32>() > 0;
    history::events(stored).any(|event| match event {
        Event::Cancelled(..) => true,
        Event::Restated(news) => *news && any,
        _ => false,
    })
}

fn is(order: &Order, n: u32, status: FulfillmentStatus) -> bool {
    let is = |f: &domain::FulfillmentOrder| f.n == n && f.status == status;
    order.fulfillments.iter().any(is)
}

/// Everybody who should hear of something has heard of it, or could not be told.
fn tells<'a, I>(stored: &StoredOrder, letters: impl Fn() -> I, found: &mut Findings)
where
    I: Iterator<Item = &'a Letter<'a>>,
{
    use FulfillmentStatus::{Cancelled, Delivered, Rejected, Shipped};
    let order = &stored.order;
    let noted = |notice: &Notice| {
        history::events(stored)
            .filter_map(history::noted)
            .any(|known| known == notice)
    };
    // What is still due is another promise.
    let mut expect = |due: bool, rule, notice: Notice| {
        let heard = !due || order.notices.contains(&notice) || noted(&notice);
        found.expect(heard, rule, &order.id, || {
            format!("expected {notice:?} on the timeline")
        });
    };
    for f in &order.fulfillments {
        let picks = !matches!(f.status, Rejected | Cancelled);
        expect(picks, "person-not-told", Notice::Pick(f.n));
        let left = matches!(f.status, Shipped | Delivered);
        expect(
            left && order.mailed,
            "person-not-told",
            Notice::Shipped(f.n),
        );
        if f.status == Cancelled {
            let pick = Notice::Pick(f.n);
            let told = noted(&pick) || letters().any(|l| l.1 == pick && l.2.undisturbed);
            expect(told, "warehouse-not-stopped", Notice::Stop(f.n));
        }
    }
    if !order.mailed {
        return;
    }
    let looked = history::events(stored).any(|event| history::looked_for(event).is_some());
    expect(
        looked && !was_cancelled(stored),
        "person-not-told",
        Notice::Confirmed,
    );
    for refund in order
        .refunds
        .iter()
        .filter(|r| r.status == RefundStatus::Paid && r.amount > 0)
    {
        expect(true, "person-not-told", Notice::Refunded(refund.n));
    }
    for (n, event) in (1..).zip(history::events(stored)) {
        let cancelled = matches!(event, Event::Cancelled(..));
        expect(cancelled, "person-not-told", Notice::Cancelled(n));
    }
}
