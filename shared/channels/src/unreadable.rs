//! Why a document is not an order.

use domain::Problem;

/// A document that cannot be read as an order. Its text may quote the document: it is for the
/// sender and for the person who looks into it, not for a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON in UTF-8.
    #[error("line {line}, column {column}: {detail}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Byte within the line, from 1; 0 when the line ends before it begins.
        column: usize,
        /// What was expected there.
        detail: String,
    },
    /// It is JSON, and something in it is missing or impossible. Never empty.
    #[error("{}", describe(.0))]
    Problems(Vec<Problem>),
}

fn describe(problems: &[Problem]) -> String {
    let described = problems
        .iter()
        .map(|Problem { pointer, detail }| match pointer.as_str() {
            "" => detail.clone(),
            pointer => format!("{pointer}: {detail}"),
        });
    described.collect::<Vec<_>>().join("; ")
}
