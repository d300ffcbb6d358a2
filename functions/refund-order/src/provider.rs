//! Payment providers. Another one is a variant here and an arm in each match.

use domain::Order;

/// Who pays money back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// A person does, where the money came in (the channel's own back office, the bank), and confirms
    /// it by `POST /refunds/{id}/confirmed`.
    Manual,
}

/// What a provider says to a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submission {
    /// It will be paid; somebody says when it is.
    AwaitsConfirmation,
}

impl Provider {
    /// The provider that an order's money came through: so far there is only one.
    pub fn of(_order: &Order) -> Self {
        Self::Manual
    }

    /// Asks for a refund.
    pub fn submit(self) -> Submission {
        match self {
            Self::Manual => Submission::AwaitsConfirmation,
        }
    }
}
