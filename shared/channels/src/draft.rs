//! An order while it is read: what every channel's reader ends with.

use domain::intake::{ChannelRefund, NewLine, NewOrder};
use domain::limits::MAX_TITLE_CHARS;
use domain::order::{Address, Contact, Payment, Source};
use domain::{Currency, Problem};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::Unreadable;
use crate::document::Object;
use crate::faults::Faults;

/// The fields of an order as far as they are read; amounts in minor units. The defaults are what a
/// channel that says nothing of them means.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) external_id: Option<String>,
    /// Empty: people call it by its id.
    pub(crate) number: String,
    pub(crate) placed_at: Option<Timestamp>,
    pub(crate) as_of: Option<Timestamp>,
    pub(crate) currency: Option<Currency>,
    pub(crate) taxes_included: bool,
    pub(crate) lines: Vec<NewLine>,
    /// Below zero the document contradicts itself: the total then differs, and the order is held.
    pub(crate) discount: i64,
    /// As the discount.
    pub(crate) tax: i64,
    /// As the discount; what is left below zero is a discount.
    pub(crate) extras: i64,
    pub(crate) total: Option<i64>,
    pub(crate) presentment: Option<(i64, Currency)>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) refunds: Vec<ChannelRefund>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) address: Option<Address>,
    pub(crate) point: Option<(f64, f64)>,
    pub(crate) deliver_by: Option<Date>,
    /// The channel writes to the customer itself, and does not want us to.
    pub(crate) unmailed: bool,
    pub(crate) test: bool,
    pub(crate) cancelled: bool,
    /// All of it has been shipped, whoever did.
    pub(crate) shipped: bool,
}

/// What a channel calls the fields, as JSON pointers.
pub(crate) struct Names {
    /// The list of lines.
    pub(crate) lines: &'static str,
    /// The address.
    pub(crate) address: &'static str,
    /// Ours and theirs: of the order, of a line (`*/sku`) and of the address (`@/line1`).
    pub(crate) fields: &'static [(&'static str, &'static str)],
}

impl Names {
    fn rename(&self, problem: Problem) -> Problem {
        let theirs = |ours: &str| {
            let known = self.fields.iter().find(|(known, _)| *known == ours);
            known.map(|(_, theirs)| *theirs)
        };
        let pointer = problem.pointer.as_str();
        let below = |upper: &'static str| pointer.strip_prefix(upper).map(|rest| (upper, rest));
        let renamed = match (below(self.lines), below(self.address)) {
            (Some((upper, rest)), _) if !upper.is_empty() => {
                let field = rest[rest.len().min(1)..].find('/').map(|n| n + 1);
                field.and_then(|n| {
                    let theirs = theirs(&format!("*{}", &rest[n..]))?;
                    Some(format!("{upper}{}{theirs}", &rest[..n]))
                })
            }
            (_, Some((upper, rest))) if !upper.is_empty() => {
                theirs(&format!("@{rest}")).map(|theirs| format!("{upper}{theirs}"))
            }
            _ => theirs(pointer).map(str::to_owned),
        };
        match renamed {
            Some(pointer) => Problem::at(pointer, problem.detail),
            None => problem,
        }
    }
}

impl Draft {
    /// The order, if nothing is wrong with it.
    pub(crate) fn finish(
        self,
        channel: &str,
        account: &str,
        faults: &Faults,
        names: &Names,
    ) -> Result<NewOrder, Unreadable> {
        let (Some(external_id), Some(placed_at), Some(currency)) =
            (self.external_id, self.placed_at, self.currency)
        else {
            return Err(faults.unreadable());
        };
        let new = NewOrder {
            number: match self.number.as_str() {
                "" => external_id.clone(),
                _ => self.number,
            },
            source: Source {
                channel: channel.into(),
                account: account.into(),
                external_id,
            },
            placed_at,
            as_of: self.as_of,
            currency,
            presentment: self.presentment.filter(|shown| shown.1 != currency),
            taxes_included: self.taxes_included,
            reservation: None,
            lines: self.lines,
            lines_pointer: names.lines,
            discount: self.discount.saturating_sub(self.extras.min(0)).max(0),
            tax: self.tax.max(0),
            extras: self.extras.max(0),
            stated_total: self.total,
            paid_through: None,
            payments: self.payments.into_iter().filter(counts).collect(),
            refunds: self.refunds.into_iter().filter(|r| r.amount > 0).collect(),
            contact: Contact {
                email: self.email,
                phone: self.phone,
                address: self.address,
                ..Contact::default()
            },
            address_pointer: names.address,
            point: self.point,
            located: None,
            mailed: !self.unmailed,
            told: false,
            awaited: false,
            deliver_by: self.deliver_by,
            test: self.test,
            cancelled: self.cancelled,
            shipped: self.shipped,
        };
        faults.check(new, |problem| names.rename(problem))
    }
}

fn counts(payment: &Payment) -> bool {
    match payment {
        Payment::Authorised(amount) | Payment::Captured(amount) | Payment::Refunded(_, amount) => {
            *amount > 0
        }
    }
}

/// A title, as long as ours may be: people read its start.
pub(crate) fn title(text: &str) -> String {
    text.chars().take(MAX_TITLE_CHARS).collect()
}

/// The member's text as an SKU; none when it is empty.
pub(crate) fn sku(line: &mut Object<'_>, name: &str) -> Option<String> {
    let sku = line.take(name).and_then(|sku| sku.digits());
    sku.filter(|sku| !sku.is_empty())
}

/// The first text that is not empty.
pub(crate) fn first_of<const N: usize>(texts: [String; N]) -> String {
    let given = texts.into_iter().find(|text| !text.is_empty());
    given.unwrap_or_default()
}

/// Two names as one.
pub(crate) fn full_name(object: &mut Object<'_>, first: &str, last: &str) -> String {
    let (first, last) = (object.words(first), object.words(last));
    format!("{first} {last}").trim().to_owned()
}

/// The address, unless every field of it is empty.
pub(crate) fn if_any(address: Address) -> Option<Address> {
    let fields = [
        &address.line1,
        &address.line2,
        &address.city,
        &address.postal_code,
    ];
    let any = fields.iter().any(|field| !field.is_empty());
    any.then_some(address)
}
