//! What is wrong with an input, and why a request is refused, in words that say what to do.

use serde::Serialize;

use crate::Quantity;
use crate::limits::MAX_PROBLEMS;

/// One fault of an input document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where it is: a JSON pointer (RFC 6901), empty for the whole document.
    pub pointer: String,
    /// What was expected and what was found.
    pub detail: String,
}

impl Problem {
    /// A fault at `pointer`.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }

    /// The first of the faults of a document; the last one tells how many more there are.
    pub fn first_of(mut problems: Vec<Self>) -> Vec<Self> {
        if problems.len() > MAX_PROBLEMS {
            let told = MAX_PROBLEMS - 1;
            let more = problems.len() - told;
            problems.truncate(told);
            problems.push(Self::at("", format!("and {more} more")));
        }
        problems
    }
}

/// Why a request that was understood is not carried out. Refusing is a decision, not an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The thing named does not exist within the order.
    #[error("{0} does not exist in this order")]
    NotFound(String),
    /// The state of the thing does not allow it.
    #[error("{subject} is {state}; {request} is possible only while it is {expected}")]
    WrongState {
        /// What was addressed.
        subject: String,
        /// The state that it is in.
        state: String,
        /// What was asked.
        request: String,
        /// The states in which it would be possible.
        expected: String,
    },
    /// More was asked than there is.
    #[error("{wanted} of {subject} asked, {left} left")]
    TooMuch {
        /// What was addressed.
        subject: String,
        /// How much, or how many minor units, was asked for.
        wanted: Quantity,
        /// How much is left.
        left: Quantity,
    },
    /// The time in which it was possible is over.
    #[error("the return window of {days} days closed at {closed_at}")]
    WindowClosed {
        /// Length of the window.
        days: i64,
        /// When it closed.
        closed_at: jiff::Timestamp,
    },
    /// It asks for what the thing named cannot have.
    #[error("{}", .0.detail)]
    Invalid(Problem),
    /// Nothing was named to act on.
    #[error("nothing to do: {0}")]
    Nothing(String),
}
