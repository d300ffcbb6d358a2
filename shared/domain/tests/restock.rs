//! When a level crosses its reorder point.

use domain::restock::{Crossing, Verdict, check};
use domain::stock::Level;

#[test]
fn a_level_at_or_under_its_reorder_point_is_told_of_once() {
    let known = |told| Some(Crossing { n: 3, told });
    let crossed = Verdict::Crossed(Crossing { n: 4, told: false });
    let tell = || Verdict::Tell(Crossing { n: 3, told: false });
    // Units available, reorder point, the crossing that is known, the decision.
    let cases = [
        (11, 10, None, Verdict::Rest),
        (10, 10, None, crossed.clone()),
        (9, 10, None, crossed.clone()),
        (-2, 10, None, crossed.clone()),
        (1, 0, None, Verdict::Rest),
        (0, 0, None, crossed.clone()),
        (-1, 0, None, crossed),
        (10, 10, known(false), tell()),
        (-2, 10, known(false), tell()),
        (10, 10, known(true), Verdict::Rest),
        (11, 10, known(false), Verdict::Recovered),
        (11, 10, known(true), Verdict::Recovered),
        (i64::from(u32::MAX), u32::MAX, known(true), Verdict::Rest),
    ];
    for (available, point, low, expected) in cases {
        let level = Level {
            available,
            low: low.clone(),
            crossings: 3,
            ..Level::default()
        };
        let verdict = check(&level, point);
        assert_eq!(verdict, expected, "{available} of {point}, {low:?}");
    }
}
