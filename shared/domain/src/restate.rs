//! What a channel says anew of an order that is known: each statement is of the order as a whole, and
//! the newest by the channel's own time counts.
//!
//! A fact is never refused. What the goods still allow is done; what they no longer do becomes a hold
//! for a person, who is told what the channel says. Money that the channel has given back is noted as
//! given back, and never paid out again.

use jiff::Timestamp;

use crate::change::withdraw;
use crate::event::Event;
use crate::id::derived;
use crate::intake::ChannelRefund;
use crate::limits::MAX_QUANTITY;
use crate::order::{
    Address, Contact, Difference, FulfillmentStatus, Hold, HoldReason, Line, Order, Payment,
    Refund, RefundStatus,
};
use crate::owed::{Notice, Step};

/// A statement, in the form of the order that it would make if it were the first.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// That order.
    pub order: &'a Order,
    /// Who gets it.
    pub contact: &'a Contact,
    /// What the channel has given back so far.
    pub refunds: &'a [ChannelRefund],
    /// Whether the channel says that all of it has been shipped.
    pub shipped: bool,
}

/// The order, and its names and addresses if they change, once the channel has said this; `None` if it
/// is no news. `contact` is what is known of whom it goes to.
pub fn restate(
    order: &Order,
    contact: &Contact,
    said: Statement<'_>,
    now: Timestamp,
) -> Option<(Order, Option<Contact>)> {
    let stated = said.order;
    if stated.as_of < order.as_of {
        return None;
    }
    let mut differences = Vec::new();
    let mut next_contact = None;
    let mut next = order.clone();
    if stated.currency == order.currency {
        pay(&mut next, stated);
        settle(&mut next, said.refunds);
        differences.extend(excess(&next, said.refunds));
        if is_cancelled(stated) {
            differences.extend(cancel(&mut next));
        } else {
            if !is_cancelled(order) {
                let lines = change_lines(&mut next, stated, now);
                differences.extend(lines.or_else(|| take_off(&mut next, stated)));
                let due =
                    |line: &Line| line.units.shipped + line.units.cancelled < line.units.ordered;
                let elsewhere = said.shipped && next.lines.iter().any(due);
                differences.extend(elsewhere.then_some(Difference::Shipped));
                match readdress(&mut next, contact, said) {
                    Ok(contact) => next_contact = contact,
                    Err(difference) => differences.push(difference),
                }
            }
            differences.extend(kept_money(&next));
        }
    } else {
        // None of its amounts can be compared with ours.
        differences.push(Difference::Currency(stated.currency));
    }
    note(&mut next, differences, now);
    let news = next != *order || next_contact.is_some();
    next.as_of = stated.as_of;
    if !news && next.as_of == order.as_of {
        return None;
    }
    Some((follow(order, next, news, now), next_contact))
}

/// The order once the channel has given money back; `None` if that is known.
pub fn refunded(order: &Order, refund: &ChannelRefund, now: Timestamp) -> Option<Order> {
    let mut next = order.clone();
    let refunds = std::slice::from_ref(refund);
    let before = next.refunds.len();
    settle(&mut next, refunds);
    if next == *order {
        return None;
    }
    let noted: i64 = next.refunds[before..].iter().map(|r| r.amount).sum();
    let confirmed = next.refunds.len() == before;
    if !confirmed && noted < refund.amount {
        let mut differences = held(&next);
        differences.push(Difference::Refunded(refund.amount - noted));
        note(&mut next, differences, now);
    }
    Some(follow(order, next, true, now))
}

/// The order once it is no longer in the channel; `None` if nothing is left to cancel of it.
pub fn deleted(order: &Order, now: Timestamp) -> Option<Order> {
    let mut next = order.clone();
    let mut differences = held(&next);
    let left = cancel(&mut next).filter(|difference| !differences.contains(difference));
    differences.extend(left);
    note(&mut next, differences, now);
    (next != *order).then(|| follow(order, next, true, now))
}

fn follow(order: &Order, mut next: Order, news: bool, now: Timestamp) -> Order {
    let was_paid = |n: u32| {
        let known = order.refunds.iter().find(|known| known.n == n);
        known.is_some_and(|known| known.status == RefundStatus::Paid)
    };
    let paid = |refund: &&Refund| refund.status == RefundStatus::Paid && refund.amount > 0;
    let paid = next.refunds.iter().filter(paid).map(|refund| refund.n);
    let told: Vec<u32> = paid.filter(|n| next.mailed && !was_paid(*n)).collect();
    next.notices.extend(told.into_iter().map(Notice::Refunded));
    order.advance(now, Event::Restated(news), |order| *order = next)
}

pub(crate) fn is_cancelled(order: &Order) -> bool {
    let gone = |line: &Line| line.units.cancelled == line.units.ordered;
    order.lines.iter().all(gone)
}

/// Notes what the customer has paid or promised beyond what is known, and lets go of what waited for it.
fn pay(next: &mut Order, stated: &Order) {
    let captured = stated.captured() - next.captured();
    if captured > 0 {
        next.payments.push(Payment::Captured(captured));
    }
    let promised = stated.promised_payments() - next.promised_payments();
    if promised > 0 {
        next.payments.push(Payment::Authorised(promised));
    }
    if next.paid_through.is_none() {
        next.paid_through = stated.paid_through.clone();
    }
    if next.promised_payments() >= next.total() {
        next.holds.retain(|hold| hold.reason != HoldReason::Payment);
    }
}

/// Notes what the channel has given back, as far as it is known to have come in.
pub(crate) fn settle(next: &mut Order, refunds: &[ChannelRefund]) {
    for said in refunds {
        let id = Some(said.id.as_str());
        if next
            .refunds
            .iter()
            .any(|known| known.external.as_deref() == id)
        {
            continue;
        }
        // What we have asked somebody to pay back, and who did it there.
        let open = next
            .refunds
            .iter_mut()
            .find(|known| known.status != RefundStatus::Paid && known.amount == said.amount);
        if let Some(open) = open {
            open.status = RefundStatus::Paid;
            open.external = Some(said.id.clone());
            next.payments.push(Payment::Refunded(open.n, open.amount));
            continue;
        }
        let left = next.captured() - next.refunds_promised();
        let amount = said.amount.min(left);
        for (id, count) in &said.lines {
            for (place, count) in next.units_of(id, *count, "").unwrap_or_default() {
                let line = &mut next.lines[usize::from(place)];
                let unrefunded = line.units.ordered - line.refunded_units;
                line.refunded_units += count.min(unrefunded);
            }
        }
        let n = next.refunds.len() as u32 + 1;
        next.refunds.push(Refund {
            n,
            key: format!("channel-{}", said.id),
            amount,
            status: RefundStatus::Paid,
            external: Some(said.id.clone()),
            repeats: 0,
            reason: None,
        });
        next.payments.push(Payment::Refunded(n, amount));
    }
}

/// What has gone back beyond what is known to have come in.
pub(crate) fn excess(order: &Order, refunds: &[ChannelRefund]) -> Option<Difference> {
    let said = refunds.iter().map(|refund| refund.amount);
    let excess = said.fold(0, i64::saturating_add) - order.captured();
    (excess > 0).then_some(Difference::Refunded(excess))
}

/// Money that nobody gives back: it has come in after its units were cancelled here, or had come back.
fn kept_money(order: &Order) -> Option<Difference> {
    let gone = |line: &Line| line.units.cancelled + line.units.returned;
    let unrefunded = |line: &Line| gone(line) > line.refunded_units;
    let left = order.captured() - order.refunds_promised();
    (left > 0 && order.lines.iter().any(unrefunded)).then_some(Difference::Paid)
}

/// Cancels what is not packed. What is to go back for it is the channel's to decide.
fn cancel(next: &mut Order) -> Option<Difference> {
    let units = next.lines.iter().map(|line| &line.units);
    let cancellable: u32 = units.map(|u| u.open + u.backordered + u.allocated).sum();
    if cancellable > 0 {
        withdraw(next);
    }
    // Who has cancelled it does not wait for word that it has come in.
    let waits = |notice: &Notice| *notice != Notice::Acknowledged;
    next.notices.retain(waits);
    next.untold.retain(waits);
    (!is_cancelled(next)).then_some(Difference::Cancelled)
}

/// Puts other lines in the place of the known ones, unless goods of those have been taken.
fn change_lines(next: &mut Order, stated: &Order, now: Timestamp) -> Option<Difference> {
    if terms(next) == terms(stated) {
        return None;
    }
    if !is_untouched(next) {
        return Some(Difference::Lines(digest(&terms(stated))));
    }
    replace_lines(next, stated, now);
    None
}

/// Cancels the units that the channel has taken off the order's lines, which are those of the statement,
/// unless they are set aside, or further, or are on the lists of what waits for goods: then a person decides.
fn take_off(next: &mut Order, stated: &Order) -> Option<Difference> {
    let mut left = Vec::new();
    for (line, said) in next.lines.iter_mut().zip(&stated.lines) {
        let wanted = said.quantity(said.units.cancelled);
        let told = format!("{}\n{wanted}", line.id);
        let units = &mut line.units;
        // What it is counted in may have changed since.
        let Ok(wanted) = wanted.count(line.decimals, 0, MAX_QUANTITY) else {
            left.push(told);
            continue;
        };
        let more = wanted.saturating_sub(units.cancelled + units.returned);
        let open = more.min(units.open);
        units.open -= open;
        units.cancelled += open;
        if open < more {
            left.push(told);
        }
    }
    let waits = |line: &Line| line.units.open + line.units.backordered > 0;
    if !next.lines.iter().any(waits) {
        next.holds
            .retain(|hold| hold.reason != HoldReason::OutOfStock);
    }
    (!left.is_empty()).then(|| Difference::Lines(digest(&left)))
}

/// What is sold, and at which prices.
fn terms(order: &Order) -> Vec<String> {
    let line = |line: &Line| {
        let money = &line.money;
        let numbers = [money.unit_price, money.discount, money.tax, money.extras];
        let numbers = numbers.map(|number| number.to_string()).join(",");
        let (id, sku) = (&line.id, line.sku.as_deref().unwrap_or_default());
        let ordered = line.quantity(line.units.ordered);
        format!("{id}\n{sku}\n{ordered}\n{numbers}")
    };
    let included = order.taxes_included.to_string();
    let lines = order.lines.iter().map(line);
    std::iter::once(included).chain(lines).collect()
}

fn digest(parts: &[String]) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    derived(&parts)
}

/// Whether nothing has happened to its goods yet.
fn is_untouched(order: &Order) -> bool {
    let waits = |line: &Line| {
        let units = &line.units;
        units.open + units.backordered + units.cancelled == units.ordered
    };
    order.lines.iter().all(waits)
        && order.fulfillments.is_empty()
        && order.moves.is_empty()
        && order.returns.is_empty()
        && order.refunds.is_empty()
}

/// Puts the stated lines in the place of the known ones, and the doubts about them.
fn replace_lines(next: &mut Order, stated: &Order, now: Timestamp) {
    next.lines = stated.lines.clone();
    next.taxes_included = stated.taxes_included;
    next.presentment = stated.presentment;
    let of_lines = |reason: &HoldReason| match reason {
        HoldReason::UnknownSku
        | HoldReason::Totals { .. }
        | HoldReason::Payment
        | HoldReason::OutOfStock => true,
        HoldReason::Address
        | HoldReason::Test
        | HoldReason::Rejections
        | HoldReason::Channel(_) => false,
    };
    next.holds.retain(|hold| !of_lines(&hold.reason));
    let doubts = stated.holds.iter().map(|hold| hold.reason.clone());
    let doubts = doubts.filter(|reason| of_lines(reason) && *reason != HoldReason::Payment);
    next.holds
        .extend(doubts.map(|reason| Hold { reason, since: now }));
    if next.promised_payments() < next.total() {
        next.holds.push(Hold {
            reason: HoldReason::Payment,
            since: now,
        });
    }
}

/// Sends it to whom and where the channel says, unless a parcel is closed. Goods that are set aside stay
/// where they are.
fn readdress(
    next: &mut Order,
    contact: &Contact,
    said: Statement<'_>,
) -> Result<Option<Contact>, Difference> {
    let recipient = |contact: &Contact| {
        let Contact {
            email,
            phone,
            address,
            ..
        } = contact;
        (email.clone(), phone.clone(), address.clone())
    };
    if recipient(contact) == recipient(said.contact) {
        return Ok(None);
    }
    use FulfillmentStatus::*;
    let open = next.fulfillments.iter().all(|f| match f.status {
        Released | Accepted | Rejected | Cancelled => true,
        Packed | Shipped | Delivered => false,
    });
    if !open {
        let (email, phone, address) = recipient(said.contact);
        let Address {
            name,
            company,
            line1,
            line2,
            city,
            region,
            postal_code,
            country,
        } = address.unwrap_or_default();
        let (email, phone) = (email.unwrap_or_default(), phone.unwrap_or_default());
        let parts = [
            email,
            phone,
            name,
            company,
            line1,
            line2,
            city,
            region,
            postal_code,
            country,
        ];
        return Err(Difference::Recipient(digest(&parts)));
    }
    next.destination = said.order.destination.clone();
    next.mailed = said.order.mailed;
    if !next.mailed {
        next.notices
            .retain(|notice| notice.step() != Step::NotifyCustomer);
    }
    if next.destination.is_some() {
        next.holds.retain(|hold| hold.reason != HoldReason::Address);
    }
    let titles = match next.lines.len() == said.contact.titles.len() {
        true => said.contact.titles.clone(),
        false => contact.titles.clone(),
    };
    Ok(Some(Contact {
        titles,
        fingerprint: contact.fingerprint.clone(),
        ..said.contact.clone()
    }))
}

/// What is kept for a person of what the channel has said so far.
fn held(order: &Order) -> Vec<Difference> {
    let of_channel = |hold: &Hold| match &hold.reason {
        HoldReason::Channel(differences) => Some(differences.clone()),
        _ => None,
    };
    order.holds.iter().find_map(of_channel).unwrap_or_default()
}

/// Keeps what could not be followed for a person, once, and lets go of what the channel no longer says.
fn note(next: &mut Order, mut differences: Vec<Difference>, now: Timestamp) {
    differences.retain(|difference| !next.heeded.contains(difference));
    if held(next) == differences {
        return;
    }
    next.holds
        .retain(|hold| !matches!(hold.reason, HoldReason::Channel(_)));
    if !differences.is_empty() {
        next.holds.push(Hold {
            reason: HoldReason::Channel(differences),
            since: now,
        });
    }
}
