use domain::stock::{Level, Movement, MovementKind};

use crate::check::level_written;
use crate::check::sample::{crossing, movement};

/// A level with 5 on hand, 2 of them set aside, three movements.
pub fn level() -> Level {
    Level {
        sku: "A".into(),
        location: "north".into(),
        share: 0,
        shares: 1,
        on_hand: 5,
        allocated: 2,
        reserved: 0,
        available: 3,
        movements: 3,
        tail: vec![
            movement(MovementKind::Receive, 4, "f1"),
            movement(MovementKind::Adjust, 1, "f2"),
            movement(MovementKind::Allocate, 2, "O"),
        ],
        paged: 0,
        low: None,
        outage: None,
        crossings: 0,
        rejected_at: None,
    }
}

fn with(mut level: Level, added: Vec<Movement>, on_hand: i64, allocated: i64) -> Level {
    level.movements += added.len() as u64;
    level.tail.extend(added);
    (level.on_hand, level.allocated) = (on_hand, allocated);
    level.available = on_hand - allocated;
    level
}

/// The rule that a write from `before` to `after` breaks.
pub fn rule(before: &Level, after: &Level) -> Option<&'static str> {
    level_written(Some(before), after).map(|violation| violation.rule)
}

#[test]
fn every_movement_is_allowed_and_counted() {
    use MovementKind::*;
    let cases = [
        (Allocate, 3, 5, 5),
        (Release, 2, 5, 0),
        (Ship, 2, 3, 0),
        (Short, 1, 4, 1),
        (Receive, 7, 12, 2),
        (Adjust, -5, 0, 2),
        (Restock, 1, 6, 2),
        (Quarantine, 1, 5, 2),
        (ReturnToVendor, 1, 5, 2),
        (Scrap, 1, 5, 2),
    ];
    for (kind, units, on_hand, allocated) in cases {
        let after = with(
            level(),
            vec![movement(kind, units, "O")],
            on_hand,
            allocated,
        );
        assert_eq!(level_written(Some(&level()), &after), None, "{kind:?}");
        let wrong = Level {
            on_hand: on_hand + 1,
            available: after.available + 1,
            ..after
        };
        assert_eq!(
            rule(&level(), &wrong),
            Some("counters-differ-from-movements")
        );
    }
    let first = with(Level::default(), vec![movement(Receive, 1, "f1")], 1, 0);
    assert_eq!(level_written(None, &first), None);
}

#[test]
fn what_is_reserved_is_counted_and_nobody_elses() {
    use MovementKind::*;
    let moved = |before: &Level, added: Vec<Movement>, allocated: i64, reserved: i64| {
        let after = with(before.clone(), added, 5, allocated);
        Level {
            reserved,
            available: 5 - allocated - reserved,
            ..after
        }
    };
    let kept = moved(&level(), vec![movement(Reserve, 3, "R")], 2, 3);
    assert_eq!(level_written(Some(&level()), &kept), None);
    let more = moved(&kept, vec![movement(Allocate, 1, "P")], 3, 3);
    assert_eq!(rule(&kept, &more), Some("oversold"));
    let more = moved(&kept, vec![movement(Reserve, 1, "S")], 2, 4);
    assert_eq!(rule(&kept, &more), Some("oversold"));
    for kind in [Commit, Unreserve, Expire] {
        let back = moved(&kept, vec![movement(kind, 3, "R")], 2, 0);
        assert_eq!(level_written(Some(&kept), &back), None, "{kind:?}");
        let twice = moved(&back, vec![movement(kind, 3, "R")], 2, -3);
        assert_eq!(rule(&back, &twice), Some("reserved-negative"));
    }
    let taken_up = vec![movement(Commit, 3, "O"), movement(Allocate, 2, "O")];
    let taken_up = moved(&kept, taken_up, 4, 0);
    assert_eq!(level_written(Some(&kept), &taken_up), None);
    let differs = Level {
        available: 3,
        ..kept.clone()
    };
    assert_eq!(rule(&level(), &differs), Some("available-differs"));
    let miscounted = moved(&level(), vec![movement(Reserve, 3, "R")], 2, 2);
    assert_eq!(
        rule(&level(), &miscounted),
        Some("counters-differ-from-movements")
    );
}

#[test]
fn a_page_that_is_taken_out_is_noted() {
    let turned = Level {
        tail: Vec::new(),
        paged: 3,
        ..level()
    };
    assert_eq!(level_written(Some(&level()), &turned), None);
    let more = Level {
        on_hand: 6,
        available: 4,
        ..turned.clone()
    };
    assert_eq!(
        rule(&level(), &more),
        Some("counters-differ-from-movements")
    );
    let crossed = Level {
        low: Some(crossing(1, false)),
        crossings: 1,
        ..turned
    };
    assert_eq!(rule(&level(), &crossed), Some("crossing-rewritten"));
    let more = vec![movement(MovementKind::Receive, 1, "F")];
    let mut with_a_change = with(level(), more, 6, 2);
    assert_eq!(level_written(Some(&level()), &with_a_change), None);
    with_a_change.tail.remove(0);
    assert_eq!(rule(&level(), &with_a_change), Some("movements-rewritten"));
    with_a_change.paged = 1;
    assert_eq!(level_written(Some(&level()), &with_a_change), None);
    let noted = Level {
        paged: 1,
        ..level()
    };
    assert_eq!(rule(&level(), &noted), Some("movements-rewritten"));
}

#[test]
fn no_promise_takes_more_than_there_is() {
    use MovementKind::*;
    let oversold = with(level(), vec![movement(Allocate, 4, "O")], 5, 6);
    assert_eq!(rule(&level(), &oversold), Some("oversold"));
    // Together too much, each alone not.
    let together = vec![movement(Allocate, 2, "O"), movement(Allocate, 2, "P")];
    assert_eq!(
        rule(&level(), &with(level(), together, 5, 6)),
        Some("oversold")
    );
    // Less was there than was promised: that may be, and may be made up for in part.
    let lost = with(level(), vec![movement(Adjust, -4, "f3")], 1, 2);
    assert_eq!(level_written(Some(&level()), &lost), None);
    let found = with(lost.clone(), vec![movement(Release, 1, "O")], 1, 1);
    assert_eq!(level_written(Some(&lost), &found), None);
    let again = with(lost.clone(), vec![movement(Allocate, 1, "O")], 1, 3);
    assert_eq!(rule(&lost, &again), Some("oversold"));
}

#[test]
fn a_level_is_sound_after_every_write() {
    use MovementKind::*;
    let renamed = Level {
        location: "south".into(),
        ..level()
    };
    assert_eq!(rule(&level(), &renamed), Some("level-renamed"));
    let differs = Level {
        available: 4,
        ..level()
    };
    assert_eq!(rule(&level(), &differs), Some("available-differs"));
    let negative = with(level(), vec![movement(Release, 3, "O")], 5, -1);
    assert_eq!(rule(&level(), &negative), Some("allocated-negative"));
    for (kind, units, cause) in [
        (Receive, 0, "f"),
        (Restock, -1, "O"),
        (Adjust, 0, "f"),
        (Adjust, 1, ""),
    ] {
        let after = with(level(), vec![movement(kind, units, cause)], 5 + units, 2);
        assert_eq!(rule(&level(), &after), Some("movement-unsound"), "{kind:?}");
    }
}

#[test]
fn shares_stay_what_they_are() {
    let split = Level {
        shares: 2,
        ..level()
    };
    assert_eq!(level_written(Some(&level()), &split), None);
    assert_eq!(rule(&split, &level()), Some("shares-fewer"));
    let other = Level {
        share: 1,
        ..level()
    };
    assert_eq!(rule(&level(), &other), Some("shares-fewer"));
    // What one share set aside leaves from the first.
    let left = with(
        split.clone(),
        vec![movement(MovementKind::Ship, 3, "O")],
        2,
        -1,
    );
    assert_eq!(level_written(Some(&split), &left), None);
}

#[test]
fn the_ledger_only_grows() {
    let mut fewer = level();
    fewer.movements = 2;
    let mut uncounted = level();
    uncounted.tail.push(movement(MovementKind::Scrap, 1, "O"));
    let mut other = level();
    other.tail[0].quantity = 5;
    let mut missing = level();
    missing.movements += 4;
    for after in [fewer, uncounted, other, missing] {
        assert_eq!(
            rule(&level(), &after),
            Some("movements-rewritten"),
            "{after:?}"
        );
    }
}
