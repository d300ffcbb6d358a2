//! Where the shelf and the books were found to differ. What is physically so is accepted at once;
//! that it was not expected is kept for a person to look into.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{Details, StockFact};
use crate::id::derived;
use crate::stock::MovementKind;
use crate::{Order, Quantity};

/// How it came to light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscrepancyKind {
    /// A count found more or fewer than the counter said.
    Count,
    /// A picker did not find what was set aside.
    ShortPick,
    /// Of a transfer, more or fewer arrived than had left.
    Transfer,
    /// More has left than there was.
    BelowZero,
    /// The ledger adds up to another number on hand than the counter says.
    OnHand,
    /// The same, of what is set aside.
    Allocated,
    /// The same, of what is kept for reservations.
    Reserved,
    /// What may be promised is not what is on hand less what is set aside and reserved.
    Available,
    /// Movements are missing in the ledger.
    Ledger,
}

impl DiscrepancyKind {
    /// Its name in documents and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::ShortPick => "short_pick",
            Self::Transfer => "transfer",
            Self::BelowZero => "below_zero",
            Self::OnHand => "on_hand",
            Self::Allocated => "allocated",
            Self::Reserved => "reserved",
            Self::Available => "available",
            Self::Ledger => "ledger",
        }
    }

    /// Whether the books contradict themselves: that is a fault of ours, and nobody's at a shelf.
    pub fn is_fault(self) -> bool {
        use DiscrepancyKind::{Allocated, Available, Ledger, OnHand, Reserved};
        matches!(self, OnHand | Allocated | Reserved | Available | Ledger)
    }
}

/// A difference between what was expected and what was found, in units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discrepancy {
    /// Its id, derived from what it is about: the same difference is the same discrepancy.
    pub id: String,
    /// How it came to light.
    pub kind: DiscrepancyKind,
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// Units that were expected.
    pub expected: i64,
    /// Units that were found.
    pub found: i64,
    /// What showed it: a fact, an order, a transfer; where the ledger did, the number of a movement.
    pub cause: String,
    /// When, to the second.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub at: Timestamp,
    /// What a person found out about it; none while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Resolution>,
}

/// How a person closed a discrepancy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What came of it, for people.
    pub note: String,
    /// When, to the second.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub at: Timestamp,
}

impl Discrepancy {
    /// What a fact shows to have been otherwise than expected.
    pub fn of_fact(fact: &StockFact) -> Option<Self> {
        let (kind, expected, found, cause) = match fact.details.as_ref()? {
            Details::Inbound(_) => return None,
            Details::Count(count) => (
                DiscrepancyKind::Count,
                count.expected,
                count.found,
                &fact.id,
            ),
            Details::Transfer(transfer) => (
                DiscrepancyKind::Transfer,
                transfer.quantity,
                fact.quantity,
                &transfer.id,
            ),
        };
        let id = derived(&[kind.name(), &fact.sku, cause]);
        (expected != found).then(|| Self {
            id,
            kind,
            sku: fact.sku.clone(),
            location: fact.location.clone(),
            expected,
            found,
            cause: cause.clone(),
            at: fact.at,
            resolved: None,
        })
    }

    /// What pickers did not find, of an order's first `moves` due movements.
    pub fn of_short_picks(order: &Order, moves: usize, at: Timestamp) -> Vec<Self> {
        let kind = DiscrepancyKind::ShortPick;
        let mut found = Vec::new();
        for (n, due) in order.moves.iter().take(moves).enumerate() {
            if due.kind != MovementKind::Short {
                continue;
            }
            for &(place, units) in &due.units {
                let Some(sku) = &order.line(place).sku else {
                    continue;
                };
                // One order may be found short more than once in one place.
                let distinct = format!("{}/{n}/{place}", order.version);
                found.push(Self {
                    id: derived(&[kind.name(), order.id.as_str(), &distinct]),
                    kind,
                    sku: sku.clone(),
                    location: due.location.clone(),
                    expected: i64::from(units),
                    found: 0,
                    cause: order.id.to_string(),
                    at,
                    resolved: None,
                });
            }
        }
        found
    }

    /// What was expected and what was found, as people write it, of an article of so many decimals.
    pub fn quantities(&self, decimals: u8) -> (Quantity, Quantity) {
        let decimals = match self.kind {
            // Of movements, which are whole.
            DiscrepancyKind::Ledger => 0,
            _ => decimals,
        };
        let of = |units: i64| Quantity::new(units, decimals);
        (of(self.expected), of(self.found))
    }

    /// What is different, for people, of an article of so many decimals.
    pub fn describe(&self, decimals: u8) -> String {
        let ((expected, found), cause) = (self.quantities(decimals), &self.cause);
        match self.kind {
            DiscrepancyKind::Count => format!("{found} counted where {expected} were expected"),
            DiscrepancyKind::ShortPick => {
                format!("{expected} not found when order {cause} was picked")
            }
            DiscrepancyKind::Transfer => {
                format!("{found} arrived of {expected} that left with transfer {cause}")
            }
            DiscrepancyKind::BelowZero => {
                format!("{found} on hand: since movement {cause} more has left than there was")
            }
            DiscrepancyKind::OnHand => {
                format!("the ledger adds up to {expected} on hand, the counter says {found}")
            }
            DiscrepancyKind::Allocated => {
                format!("the ledger adds up to {expected} set aside, the counter says {found}")
            }
            DiscrepancyKind::Reserved => {
                format!("the ledger adds up to {expected} reserved, the counter says {found}")
            }
            DiscrepancyKind::Available => format!(
                "on hand less set aside and reserved is {expected}, the counter says {found} available"
            ),
            DiscrepancyKind::Ledger => format!(
                "movements up to {cause} are missing in the ledger: it has {found} of {expected}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{Count, Transfer};

    fn counted(found: i64, expected: i64) -> StockFact {
        StockFact {
            id: "F".into(),
            sku: "TENT".into(),
            location: "berlin".into(),
            kind: MovementKind::Count,
            quantity: found - expected,
            reason: String::new(),
            at: Timestamp::UNIX_EPOCH,
            applied: false,
            details: Some(Details::Count(Count { found, expected })),
            shares: 1,
        }
    }

    #[test]
    fn only_what_differs_is_one() {
        assert_eq!(Discrepancy::of_fact(&counted(7, 7)), None);
        let found = Discrepancy::of_fact(&counted(5, 7)).unwrap();
        assert_eq!(found.describe(0), "5 counted where 7 were expected");
        assert_eq!(Discrepancy::of_fact(&counted(5, 7)), Some(found));
        let receipt = StockFact {
            kind: MovementKind::Receive,
            details: None,
            ..counted(5, 7)
        };
        assert_eq!(Discrepancy::of_fact(&receipt), None);
        let transfer = Transfer {
            id: "T".into(),
            sku: "TENT".into(),
            from: "berlin".into(),
            to: "lyon".into(),
            quantity: 9,
            expected_on: None,
            sent_at: Timestamp::UNIX_EPOCH,
        };
        let of = |fact: &StockFact| Discrepancy::of_fact(fact).map(|found| found.describe(0));
        assert_eq!(of(&transfer.clone().departure(String::new())), None);
        let arrived = |n| of(&transfer.clone().arrival(n, Timestamp::UNIX_EPOCH));
        assert_eq!(arrived(9), None);
        let few = "8 arrived of 9 that left with transfer T";
        assert_eq!(arrived(8).as_deref(), Some(few));
    }
}
