//! Who has taken an order's money, and can give it back the way it came.

use serde::{Deserialize, Serialize};

use crate::Problem;
use crate::catalog::problems::{BAD_NAME, name};
use crate::limits::{MAX_NAME_CHARS, MAX_REFERENCE_CHARS};

/// A payment provider that pays refunds by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Stripe: a payment is a PaymentIntent.
    Stripe,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Stripe];

    /// Its name in documents, in paths and in the names of secrets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
        }
    }

    /// The provider of this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.name() == name)
    }

    /// What the provider's names of payments begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Stripe => "pi_",
        }
    }
}

/// The payment of an order at its provider. Once it is known it stays: what goes back under a name that the
/// provider knows goes back of this payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidThrough {
    /// Who took the money.
    #[serde(rename = "p")]
    pub provider: Provider,
    /// Which of the retailer's accounts there.
    #[serde(rename = "a")]
    pub account: String,
    /// What the provider calls the payment.
    #[serde(rename = "r")]
    pub reference: String,
}

impl PaidThrough {
    /// What is wrong with it, by the pointers of our own document.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !name(&self.account, MAX_NAME_CHARS) {
            problems.push(Problem::at("/payment/account", BAD_NAME));
        }
        let prefix = self.provider.prefix();
        let id = self.reference.strip_prefix(prefix);
        if !id.is_some_and(|id| name(id, MAX_REFERENCE_CHARS - prefix.len())) {
            let detail = format!(
                "expected {prefix:?} and letters, digits, '-', '_' or '.', {MAX_REFERENCE_CHARS} characters at most"
            );
            problems.push(Problem::at("/payment/reference", detail));
        }
        problems
    }
}
