//! Movements: what happens to goods, and what that does to a level's counters.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the cause of a movement begins with that stands for many: no id of an order or a fact does.
pub(super) const BREAKDOWN: &str = "BATCH-";

/// What happened to goods. Quantities are positive, except of an adjustment and a count; of a count
/// that agrees, and of a transfer of which nothing arrived, they are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Kept for a reservation: nobody else is promised it.
    Reserve,
    /// No longer kept for a reservation, because an order has taken that up.
    Commit,
    /// No longer kept for a reservation, because that was given up.
    Unreserve,
    /// No longer kept for a reservation, because its time was over.
    Expire,
    /// Set aside for an order.
    Allocate,
    /// No longer set aside.
    Release,
    /// No longer set aside, because the location rejected it.
    Reject,
    /// Left with a parcel.
    Ship,
    /// Set aside, and not found by the picker.
    Short,
    /// Came in from a supplier.
    Receive,
    /// Found to be more (positive) or less (negative) than counted.
    Adjust,
    /// Counted on the shelf: how many more (positive) or fewer (negative) than the counter said.
    Count,
    /// Left for another warehouse.
    TransferOut,
    /// Arrived from another warehouse.
    TransferIn,
    /// Came back from a customer, and can be sold again.
    Restock,
    /// Came back, and has to be looked at.
    Quarantine,
    /// Came back, and goes on to the supplier.
    ReturnToVendor,
    /// Came back, and is thrown away.
    Scrap,
}

impl MovementKind {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Reserve,
        Self::Commit,
        Self::Unreserve,
        Self::Expire,
        Self::Allocate,
        Self::Release,
        Self::Reject,
        Self::Ship,
        Self::Short,
        Self::Receive,
        Self::Adjust,
        Self::Count,
        Self::TransferOut,
        Self::TransferIn,
        Self::Restock,
        Self::Quarantine,
        Self::ReturnToVendor,
        Self::Scrap,
    ];

    /// Whether somebody outside reported it, as a [fact](crate::fact), and no order caused it.
    pub fn is_reported(self) -> bool {
        use MovementKind::{Adjust, Count, Receive, TransferIn, TransferOut};
        matches!(self, Receive | Adjust | Count | TransferOut | TransferIn)
    }

    /// Its name in documents and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Commit => "commit",
            Self::Unreserve => "unreserve",
            Self::Expire => "expire",
            Self::Allocate => "allocate",
            Self::Release => "release",
            Self::Reject => "reject",
            Self::Ship => "ship",
            Self::Short => "short",
            Self::Receive => "receive",
            Self::Adjust => "adjust",
            Self::Count => "count",
            Self::TransferOut => "transfer_out",
            Self::TransferIn => "transfer_in",
            Self::Restock => "restock",
            Self::Quarantine => "quarantine",
            Self::ReturnToVendor => "return_to_vendor",
            Self::Scrap => "scrap",
        }
    }

    /// Its letter in a ledger.
    fn letter(self) -> char {
        match self {
            Self::Reserve => 'k',
            Self::Commit => 'c',
            Self::Unreserve => 'u',
            Self::Expire => 'e',
            Self::Allocate => 'a',
            Self::Release => 'l',
            Self::Reject => 'j',
            Self::Ship => 's',
            Self::Short => 'h',
            Self::Receive => 'r',
            Self::Adjust => 'd',
            Self::Count => 'n',
            Self::TransferOut => 'o',
            Self::TransferIn => 'i',
            Self::Restock => 'b',
            Self::Quarantine => 'q',
            Self::ReturnToVendor => 'v',
            Self::Scrap => 'x',
        }
    }

    /// What moving `quantity` units does to the level's counters.
    pub fn delta(self, quantity: i64) -> Delta {
        let delta = |on_hand, allocated, available| Delta {
            on_hand: on_hand * quantity,
            allocated: allocated * quantity,
            reserved: 0,
            available: available * quantity,
        };
        let reserved = |quantity: i64| Delta {
            reserved: quantity,
            available: -quantity,
            ..Delta::default()
        };
        match self {
            Self::Reserve => reserved(quantity),
            Self::Commit | Self::Unreserve | Self::Expire => reserved(-quantity),
            Self::Allocate => delta(0, 1, -1),
            Self::Release | Self::Reject => delta(0, -1, 1),
            Self::Ship | Self::Short => delta(-1, -1, 0),
            Self::Receive | Self::Adjust | Self::Count | Self::TransferIn | Self::Restock => {
                delta(1, 0, 1)
            }
            // Goods on the road are in no level: the transfer holds them.
            Self::TransferOut => delta(-1, 0, -1),
            // Goods that are not for sale are in the ledger and in no counter.
            Self::Quarantine | Self::ReturnToVendor | Self::Scrap => delta(0, 0, 0),
        }
    }
}

/// A change of a level's counters, in units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delta {
    /// Change of what is physically there.
    pub on_hand: i64,
    /// Change of what is set aside.
    pub allocated: i64,
    /// Change of what is kept for reservations.
    pub reserved: i64,
    /// Change of what may be promised.
    pub available: i64,
}

impl std::ops::AddAssign for Delta {
    fn add_assign(&mut self, other: Self) {
        self.on_hand += other.on_hand;
        self.allocated += other.allocated;
        self.reserved += other.reserved;
        self.available += other.available;
    }
}

/// An entry of the ledger; entries are only ever added.
///
/// It is stored as one text, because a level's own item holds many and is written with each order: the kind's letter, the
/// second in hexadecimal, the quantity with its sign, and then `/` and a [breakdown](Self::breakdown)'s id or `:` and any other
/// cause: `a6b49d200+10/AD4OVS4KRET6JAPB`, `r6b49d200+40:PO-17`. Ledgers of before that hold the same as a map of
/// `k`, `q`, `c` and `t`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "Stored")]
pub struct Movement {
    /// What happened.
    pub kind: MovementKind,
    /// To how many units.
    pub quantity: i64,
    /// Because of what: an order, a reservation, a transfer, the reporter's id of the fact, or a
    /// [breakdown](Self::breakdown).
    pub cause: String,
    /// When, to the second.
    pub at: Timestamp,
}

impl Movement {
    /// The id of the [`Breakdown`], if it stands for many movements.
    pub fn breakdown(&self) -> Option<&str> {
        self.cause.strip_prefix(BREAKDOWN)
    }

    /// Reads its text; `None` if it is none.
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.chars();
        let letter = rest.next()?;
        let kind = MovementKind::ALL
            .into_iter()
            .find(|kind| kind.letter() == letter)?;
        let rest = rest.as_str();
        let (second, rest) = rest.split_at_checked(rest.find(['+', '-'])?)?;
        let (quantity, cause) = rest.split_at_checked(rest.find(['/', ':'])?)?;
        let cause = match cause.strip_prefix('/') {
            Some(id) => format!("{BREAKDOWN}{id}"),
            None => cause.strip_prefix(':')?.to_owned(),
        };
        // Seconds of before 1970 are two's complements.
        let second = u64::from_str_radix(second, 16).ok()?.cast_signed();
        Some(Self {
            kind,
            quantity: quantity.parse().ok()?,
            cause,
            at: Timestamp::from_second(second).ok()?,
        })
    }
}

impl From<Movement> for String {
    fn from(movement: Movement) -> Self {
        let (letter, quantity) = (movement.kind.letter(), movement.quantity);
        let second = movement.at.as_second();
        let (sign, cause) = match movement.breakdown() {
            Some(id) => ('/', id),
            None => (':', movement.cause.as_str()),
        };
        format!("{letter}{second:x}{quantity:+}{sign}{cause}")
    }
}

/// A movement as it is or was stored.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Map {
        k: MovementKind,
        q: i64,
        c: String,
        #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
        t: Timestamp,
    },
}

impl TryFrom<Stored> for Movement {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        match stored {
            Stored::Text(text) => Self::parse(&text).ok_or_else(|| {
                format!(
                    "expected a movement, as in \"a6b49d200+1:7ZK3M9Q2B4XW1T8R\"; found {text:?}"
                )
            }),
            Stored::Map { k, q, c, t } => Ok(Self {
                kind: k,
                quantity: q,
                cause: c,
                at: t,
            }),
        }
    }
}

/// What one movement of the ledger stands for: movements of one kind that were committed together.
/// Stored with it, in a partition of its own, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakdown {
    /// Its id, which the movement's cause names.
    pub id: String,
    /// The article.
    pub sku: String,
    /// The warehouse.
    pub location: String,
    /// What each of them was because of, and how many units it moved.
    pub parts: Vec<(String, i64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_movement_keeps_available_the_difference_of_the_others() {
        for kind in MovementKind::ALL {
            let delta = kind.delta(3);
            let promised = delta.allocated + delta.reserved;
            assert_eq!(delta.available, delta.on_hand - promised, "{kind:?}");
        }
    }

    fn movement(kind: MovementKind, quantity: i64, cause: &str, second: i64) -> Movement {
        Movement {
            kind,
            quantity,
            cause: cause.into(),
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn a_movement_is_one_text() {
        use MovementKind::{Allocate, Count, Receive};
        let golden = [
            (
                movement(Allocate, 10, "BATCH-AD4OVS4KRET6JAPB", 1_800_000_000),
                "a6b49d200+10/AD4OVS4KRET6JAPB",
            ),
            (
                movement(Receive, 40, "PO-17/3: \"new\"", 1_800_000_000),
                "r6b49d200+40:PO-17/3: \"new\"",
            ),
            (movement(Count, -2, "", 0), "n0-2:"),
            (movement(Count, 0, "/x", -1), "nffffffffffffffff+0:/x"),
        ];
        for (movement, text) in golden {
            let stored = serde_json::to_value(&movement).unwrap();
            assert_eq!(stored, text, "golden: ledgers are stored");
            assert_eq!(
                serde_json::from_value::<Movement>(stored).unwrap(),
                movement
            );
        }
        let mut letters: Vec<char> = MovementKind::ALL.map(MovementKind::letter).into();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), MovementKind::ALL.len());
        for kind in MovementKind::ALL {
            for quantity in [i64::MIN, -1, 0, 1, i64::MAX] {
                let movement = movement(kind, quantity, "AD4OVS4KRET6JAPB", 1_800_000_000);
                let text = String::from(movement.clone());
                assert_eq!(Movement::parse(&text), Some(movement), "{text}");
            }
        }
    }

    #[test]
    fn a_movement_of_an_older_ledger_is_read() {
        let old = r#"{"k":"transfer_in","q":-3,"c":"BATCH-X","t":1800000000}"#;
        let expected = movement(MovementKind::TransferIn, -3, "BATCH-X", 1_800_000_000);
        assert_eq!(serde_json::from_str::<Movement>(old).unwrap(), expected);
    }

    #[test]
    fn what_is_no_movement_says_so() {
        for text in [
            "",
            "a",
            "z6b49d200+1:X",
            "a6b49d200+1",
            "a6b49d200:X",
            "aXY+1:X",
            "a6b49d200+x:X",
            "aé+1:X",
        ] {
            assert_eq!(Movement::parse(text), None, "{text}");
            let error = serde_json::from_value::<Movement>(text.into()).unwrap_err();
            assert!(error.to_string().contains("expected a movement"), "{error}");
        }
    }
}
