//! What a payment provider is asked to pay back, and how.
//!
//! Pure, as telling channels is: who sends the requests is somebody else's. A request may have been followed although
//! its answer was lost, and no provider knows a request by its name for ever. So whoever may have asked before looks
//! first what has gone back of the payment.

use domain::order::RefundStatus;
use domain::payment::Provider;
use domain::refund::Answer;
use domain::{Currency, Order};

use crate::updates::Telling;
use crate::vendor::Vendor;
use crate::{Channel, Secret, Unreadable, stripe};

/// A refund that a payment provider is to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What the provider calls the payment.
    pub payment: String,
    /// What the order is called here.
    pub order: String,
    /// What the refund is called here.
    pub refund: String,
    /// How often a person has had it asked anew.
    pub repeats: u32,
    /// Minor units.
    pub amount: i64,
    /// Their currency.
    pub currency: Currency,
    /// Whether somebody may have asked for it before.
    pub again: bool,
}

impl Wish {
    /// Refund `n` of an order, if its payment provider is to be asked for it.
    pub fn of(order: &Order, n: u32, again: bool) -> Option<Self> {
        let refund = order.refunds.iter().find(|refund| refund.n == n)?;
        let due = refund.status == RefundStatus::Requested;
        Self::known(order, n, again).filter(|_| due)
    }

    /// Refund `n` of an order, if a payment provider is or was asked for it.
    fn known(order: &Order, n: u32, again: bool) -> Option<Self> {
        let through = order.paid_through.as_ref()?;
        let refund = order.refunds.iter().find(|refund| refund.n == n)?;
        Some(Self {
            payment: through.reference.clone(),
            order: order.id.to_string(),
            refund: format!("{}-F{n}", order.id),
            repeats: refund.repeats,
            amount: refund.amount,
            currency: order.currency,
            again,
        })
    }

    /// What the request is called, the same whenever it is sent. One that a person has repeated has another name: the
    /// provider would answer with its refusal of the first.
    pub(crate) fn key(&self) -> String {
        match self.repeats {
            0 => self.refund.clone(),
            repeats => format!("{}-{}", self.refund, repeats + 1),
        }
    }
}

/// How a payment provider's API is asked for refunds.
pub trait Refunds: Vendor {
    /// What to do next to have this paid, after these answers.
    fn refund(
        &self,
        access: &Secret,
        wish: &Wish,
        answers: &[Vec<u8>],
    ) -> Result<Telling<Answer>, Unreadable>;
}

/// Who sends a provider's webhooks.
pub(crate) fn webhook(provider: Provider) -> &'static dyn Channel {
    match provider {
        Provider::Stripe => &stripe::Stripe,
    }
}

/// What a webhook of an account says of refund `n` of an order: how often a person had had it asked for anew, and what
/// has become of it; `None`: it is about another payment, or there is no such refund.
pub fn told(
    provider: Provider,
    account: &str,
    raw_body: &[u8],
    order: &Order,
    n: u32,
) -> Result<Option<(u32, Answer)>, Unreadable> {
    let through = order.paid_through.as_ref();
    let ours = through.filter(|through| through.provider == provider && through.account == account);
    match ours.and_then(|_| Wish::known(order, n, false)) {
        Some(wish) => match provider {
            Provider::Stripe => stripe::told(raw_body, &wish),
        },
        None => Ok(None),
    }
}

/// A provider's API.
pub fn of(provider: Provider) -> &'static dyn Refunds {
    match provider {
        Provider::Stripe => &stripe::Stripe,
    }
}
