use domain::restock::Crossing;
use domain::stock::Level;
use jiff::Timestamp;

use super::levels::{level, rule};
use super::rest::{breaks, keeps};
use crate::check::level_written;
use crate::check::sample::{A_NORTH, A_SOUTH, crossing, mail};
use crate::observed::{Deed, Observed};

fn low(n: u64, told: bool, crossings: u64) -> Level {
    Level {
        low: Some(crossing(n, told)),
        crossings,
        ..level()
    }
}

fn outage(n: u64, over: bool, told: bool, crossings: u64) -> Level {
    let outage = Crossing {
        over,
        ..crossing(n, told)
    };
    Level {
        outage: Some(outage),
        crossings,
        ..level()
    }
}

/// The same, claimed.
fn claimed(mut level: Level, at: Timestamp) -> Level {
    for crossing in [&mut level.low, &mut level.outage].into_iter().flatten() {
        crossing.claimed_at = Some(at);
    }
    level
}

#[test]
fn a_crossing_is_noted_by_itself_and_told_of_once() {
    let (first, later) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let none = |crossings| Level {
        crossings,
        ..level()
    };
    let both = Level {
        outage: low(1, false, 1).low,
        ..low(1, false, 1)
    };
    for (before, after) in [
        (&level(), &claimed(low(1, false, 1), first)),
        (&claimed(low(1, false, 1), first), &low(1, true, 1)),
        (&claimed(low(1, false, 1), first), &low(1, false, 1)),
        (
            &claimed(low(1, false, 1), first),
            &claimed(low(1, false, 1), later),
        ),
        (&low(1, true, 1), &none(1)),
        (&none(1), &low(2, false, 2)),
        (&level(), &claimed(both, first)),
        (&level(), &outage(1, false, false, 1)),
        (&outage(1, false, false, 1), &outage(1, false, true, 1)),
        (
            &outage(1, false, true, 1),
            &claimed(outage(1, true, false, 1), first),
        ),
        (&outage(1, true, false, 1), &none(1)),
        (&outage(1, true, false, 1), &outage(1, false, true, 1)),
        (&outage(1, true, false, 1), &outage(2, false, false, 2)),
        (&outage(1, false, false, 1), &none(1)),
    ] {
        assert_eq!(level_written(Some(before), after), None, "{after:?}");
    }
    for (before, after) in [
        (&level(), &low(1, true, 1)),
        (&low(1, true, 1), &low(1, false, 1)),
        (&low(1, false, 1), &low(2, false, 2)),
        (&low(1, true, 1), &level()),
        (&none(1), &low(1, false, 1)),
        (&low(1, false, 1), &low(1, false, 2)),
        (&level(), &outage(1, false, true, 1)),
        (&outage(1, false, true, 1), &outage(1, false, false, 1)),
        // Whoever knows that it was out hears that it is back.
        (&outage(1, false, true, 1), &none(1)),
        (&claimed(outage(1, false, false, 1), first), &none(1)),
        (
            &claimed(outage(1, true, false, 1), first),
            &outage(1, false, true, 1),
        ),
        (&outage(1, false, true, 1), &outage(2, false, false, 2)),
    ] {
        let found = rule(before, after);
        assert_eq!(found, Some("crossing-rewritten"), "{before:?} {after:?}");
    }
}

#[test]
fn a_crossing_is_sound() {
    for wrong in [
        low(3, false, 1),
        low(0, false, 0),
        outage(1, true, true, 1),
        claimed(low(1, true, 1), Timestamp::UNIX_EPOCH),
    ] {
        assert_eq!(rule(&wrong, &wrong), Some("crossing-number"), "{wrong:?}");
    }
    let mut ended = low(1, false, 1);
    ended.low.as_mut().unwrap().over = true;
    assert_eq!(rule(&ended, &ended), Some("crossing-number"));
}

/// Everybody has been told of what is out.
fn all_told(w: &mut Observed) {
    let mut names = Vec::new();
    for stored in w.levels.iter_mut().filter(|l| l.level.available <= 0) {
        let level = &mut stored.level;
        level.crossings += 1;
        level.outage = Some(crossing(level.crossings, true));
        names.push(format!(
            "{}-out-{}-{}",
            level.sku, level.location, level.crossings
        ));
    }
    assert!(names.len() > 1);
    w.mails.push(mail("team@example.com", names.join("_")));
    w.deeds.push(Deed::RestockChecked);
}

#[test]
fn everybody_knows_what_is_out() {
    keeps(all_told);
    breaks("outage-untold", |w| {
        all_told(w);
        w.mails.pop();
    });
    breaks("crossing-not-told", |w| w.deeds.push(Deed::RestockChecked));
    for wrong in [
        Crossing {
            over: true,
            ..crossing(1, false)
        },
        crossing(1, false),
    ] {
        breaks("crossing-not-told", |w| {
            all_told(w);
            w.levels[A_SOUTH].level.outage = Some(wrong);
        });
    }
    // It is back, and nobody has noticed.
    breaks("crossing-not-told", |w| {
        all_told(w);
        let level = &mut w.levels[A_NORTH].level;
        level.crossings = 1;
        level.outage = Some(crossing(1, true));
        let said = "A-out-north-1".into();
        w.mails.push(mail("team@example.com", said));
    });
    breaks("low-untold", |w| drop(w.mails.pop()));
    keeps(|w| {
        w.mails.pop();
        w.levels[A_SOUTH].level.low = Some(crossing(1, false));
    });
    // Said once, among other things, and again by itself.
    breaks("mail-repeated", |w| {
        all_told(w);
        let said = "A-out-south-2".into();
        w.mails.push(mail("team@example.com", said));
    });
}
