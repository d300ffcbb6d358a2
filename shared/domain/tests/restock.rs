//! When a level crosses its reorder point.

use domain::restock::{Crossing, Due, look};
use domain::stock::Level;
use jiff::Timestamp;

#[test]
fn a_level_at_or_under_its_reorder_point_is_told_of_once() {
    let known = |told| {
        Some(Crossing {
            n: 3,
            told,
            asked: false,
            over: false,
            claimed_at: None,
        })
    };
    // Units available, reorder point, whether the crossing that is known was told of; whether it has
    // to be, and the number of the crossing then.
    let cases = [
        (11, 10, None, false, None),
        (10, 10, None, true, Some(4)),
        (9, 10, None, true, Some(4)),
        (-2, 10, None, true, Some(4)),
        (1, 0, None, false, None),
        (0, 0, None, true, Some(4)),
        (-1, 0, None, true, Some(4)),
        (10, 10, known(false), true, Some(3)),
        (-2, 10, known(false), true, Some(3)),
        (10, 10, known(true), false, Some(3)),
        (11, 10, known(false), false, None),
        (11, 10, known(true), false, None),
        (i64::from(u32::MAX), u32::MAX, known(true), false, Some(3)),
    ];
    for (available, point, low, due, n) in cases {
        let level = Level {
            available,
            low: low.clone(),
            crossings: 3,
            ..Level::default()
        };
        let look = look(&level, Some(point), 0, Timestamp::UNIX_EPOCH);
        let found = look.claimed.low.as_ref().map(|low| low.n);
        let is_due = look.due.contains(&Due::Low);
        assert_eq!((is_due, found), (due, n), "{available} of {point}, {low:?}");
        let claimed = look.claimed.low.is_some_and(|low| low.claimed_at.is_some());
        assert_eq!(claimed, due, "{available} of {point}, {low:?}");
    }
}
