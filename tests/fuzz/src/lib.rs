//! What the fuzz targets share: a shop to send requests to, and requests read from the fuzzer's bytes.
//!
//! libFuzzer ends the process at the first panic, even one that is caught further up: a handler's 500 for a panic of
//! ours is found as the panic itself.
// Whatever goes wrong here is a finding.
#![allow(clippy::unwrap_used, clippy::panic)]

mod request;
mod world;

use channels::Unreadable;
use domain::Problem;
use domain::limits::MAX_PROBLEMS;

pub use request::{Wire, head_and_body};
pub use world::World;

/// Every fault has words, and there are not more than a person reads.
pub fn check_problems(problems: &[Problem]) {
    assert!(!problems.is_empty(), "refused without a reason");
    assert!(problems.len() <= MAX_PROBLEMS);
    for problem in problems {
        assert!(!problem.detail.is_empty(), "{problem:?}");
        assert!(problem.pointer.is_empty() || problem.pointer.starts_with('/'));
    }
}

/// What cannot be read says where, or why.
pub fn check_unreadable(why: &Unreadable) {
    match why {
        Unreadable::Problems(problems) => check_problems(problems),
        Unreadable::Syntax { line, .. } => assert!(*line > 0),
    }
}

/// What holds for every order that is taken, and that it survives being stored.
pub fn check_order(new: domain::intake::NewOrder) {
    let known = new.skus().into_iter().map(str::to_owned).collect();
    let (order, _) = new.accept(&known, jiff::Timestamp::UNIX_EPOCH);
    assert!(order.lines.iter().all(|line| line.units.balanced()));
    assert!(order.total() >= 0 && order.refunds_promised() <= order.captured().max(0));
    let stored = serde_json::to_string(&order).unwrap();
    let read: domain::Order = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, order);
}
