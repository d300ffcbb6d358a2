//! Stripe: refunds of PaymentIntents.

mod webhook;

pub(crate) use webhook::told;

use domain::Currency;
use domain::refund::{Answer, Outcome};

use crate::document::{self, Object};
use crate::faults::Faults;
use crate::payments::{Refunds, Wish};
use crate::updates::Telling;
use crate::vendor::{self, Header, Refusal, Request, Vendor};
use crate::{Secret, Unreadable};

/// Stripe's API.
const API: &str = "https://api.stripe.com";
/// The version of the API whose documents are read here, whatever the account's own is.
const VERSION: &str = "2024-06-20";
/// Refunds of a payment that are listed at once: Stripe's own limit.
const PAGE: &str = "100";

/// The payment provider.
#[derive(Debug)]
pub struct Stripe;

impl Vendor for Stripe {
    fn parts(&self) -> &'static [&'static str] {
        &["key"]
    }

    fn open(&self, access: &Secret, _: &str) -> Vec<Header> {
        vec![
            vendor::bearer(access.text("key")),
            ("stripe-version", VERSION.into()),
        ]
    }

    /// 409: a request of this name is still under way. 424: somebody behind Stripe has failed.
    fn refusal(&self, status: u16, _: &[u8]) -> Option<Refusal> {
        matches!(status, 409 | 424).then_some(Refusal::Passing)
    }
}

/// A refund as Stripe has it.
struct Known {
    id: String,
    refund: String,
    repeats: String,
    answer: Answer,
}

impl Known {
    fn read(mut refund: Object<'_>, wish: &Wish) -> Option<Self> {
        let id = refund.require("id").and_then(|id| id.text())?;
        let amount = refund.require("amount").and_then(|amount| amount.minor())?;
        let currency = refund.require("currency").and_then(|code| code.text())?;
        let status = refund.require("status").and_then(|status| status.text())?;
        let failure = refund.words("failure_reason");
        let mut metadata = refund.inner("metadata");
        let mut said = |name| {
            metadata
                .as_mut()
                .map_or_else(String::new, |m| m.words(name))
        };
        let asked = currency.eq_ignore_ascii_case(wish.currency.code())
            && minor(wish.currency, wish.amount) == Some(amount);
        let outcome = match status.as_str() {
            "failed" | "canceled" => {
                let why = [&*failure, &*status].into_iter().find_map(vendor::plain);
                Outcome::Refused(why.unwrap_or_default())
            }
            _ if !asked => Outcome::Pending(Some("other_amount".into())),
            "succeeded" => Outcome::Paid,
            "pending" => Outcome::Pending(None),
            other => Outcome::Pending(vendor::plain(other)),
        };
        Some(Self {
            refund: said("refund"),
            repeats: said("repeats"),
            answer: Answer {
                external: vendor::plain(&id),
                outcome,
            },
            id,
        })
    }

    /// Whether it answers the wish: money goes back by it, or it is what has come of this very request.
    fn answers(&self, wish: &Wish) -> bool {
        let failed = matches!(self.answer.outcome, Outcome::Refused(_));
        self.refund == wish.refund && (!failed || self.repeats == wish.repeats.to_string())
    }
}

/// Stripe knows a request by its `Idempotency-Key` for 24 hours at least, and answers it with what it answered first.
/// What a refund is for is in its metadata, by which it is found among the payment's, newest first; lists show at once
/// what was made.
impl Refunds for Stripe {
    fn refund(
        &self,
        access: &Secret,
        wish: &Wish,
        answers: &[Vec<u8>],
    ) -> Result<Telling<Answer>, Unreadable> {
        let url = format!("{}/v1/refunds", vendor::base(access, API));
        let list = |after: &str| {
            let fields = [
                ("payment_intent", &*wish.payment),
                ("limit", PAGE),
                ("starting_after", after),
            ];
            let fields = &fields[..if after.is_empty() { 2 } else { 3 }];
            Telling::Ask(Request::get(format!("{url}?{}", vendor::query(fields))))
        };
        let mut known = Vec::new();
        let mut more = wish.again.then(String::new);
        for answer in answers {
            let faults = Faults::default();
            let mut answer = document::object(answer, &faults)?;
            if !answer.has("data") {
                let made = Known::read(answer, wish).ok_or_else(|| faults.unreadable())?;
                return Ok(Telling::Told(made.answer));
            }
            let goes_on = answer.flag("has_more", false);
            let page = answer.objects("data").into_iter();
            let page: Option<Vec<Known>> = page.map(|entry| Known::read(entry, wish)).collect();
            // Half a page read would be a refund that is paid again.
            let page = page.filter(|_| faults.found().is_none());
            let page = page.ok_or_else(|| faults.unreadable())?;
            more = page.last().filter(|_| goes_on).map(|last| last.id.clone());
            known.extend(page);
        }
        if let Some(after) = more {
            return Ok(list(&after));
        }
        let mut known = known.into_iter().filter(|known| known.answers(wish));
        if let Some(first) = known.next() {
            let failed = |known: &Known| matches!(known.answer.outcome, Outcome::Refused(_));
            let best = match failed(&first) {
                true => known.find(|known| !failed(known)).unwrap_or(first),
                false => first,
            };
            return Ok(Telling::Told(best.answer));
        }
        let Some(amount) = minor(wish.currency, wish.amount) else {
            let why = format!("no such amount in {}", wish.currency.code());
            return Ok(Telling::Refused(why));
        };
        let mut request = Request::form(
            url,
            &[
                ("payment_intent", &*wish.payment),
                ("amount", &*amount.to_string()),
                ("metadata[order]", &*wish.order),
                ("metadata[refund]", &*wish.refund),
                ("metadata[repeats]", &*wish.repeats.to_string()),
            ],
        );
        request.headers.push(("idempotency-key", wish.key()));
        Ok(Telling::Ask(request))
    }
}

/// An amount in Stripe's minor units, which are those of ISO 4217 with three exceptions (docs.stripe.com/currencies);
/// `None`: it has none of it.
fn minor(currency: Currency, amount: i64) -> Option<i64> {
    match currency.code() {
        "ISK" | "UGX" => amount.checked_mul(100),
        "MGA" => (amount % 100 == 0).then_some(amount / 100),
        _ => Some(amount),
    }
}
