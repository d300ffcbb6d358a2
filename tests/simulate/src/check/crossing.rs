//! Levels that run low, are out, and are back: each is noted by itself, and told of once.

use domain::restock::Crossing;
use domain::stock::{Level, whole};

use super::stock::Shelf;
use super::{Findings, Hold, ensure};
use crate::observed::{Deed, Observed, SentMail};

/// What holds of a level's crossings by themselves.
pub(super) fn stands(level: &Level) -> Hold {
    let counted = |crossing: &Crossing| (1..=level.crossings).contains(&crossing.n);
    // What is told of needs nobody who tells, and an end that is told of is forgotten.
    let sound = |crossing: &Crossing| {
        counted(crossing) && !(crossing.told && (crossing.over || crossing.claimed_at.is_some()))
    };
    let low = level.low.as_ref().is_none_or(|low| sound(low) && !low.over);
    let sound = low && level.outage.as_ref().is_none_or(sound);
    let shelf = || Shelf(&level.sku, &level.location);
    ensure(sound, "crossing-number", shelf(), || {
        let (low, outage, crossings) = (&level.low, &level.outage, level.crossings);
        format!("expected of {crossings} crossings, found {low:?} and {outage:?}")
    })
}

/// A crossing is noted by itself, numbered, and told of once.
pub(super) fn follows(before: &Level, after: &Level, moved: bool) -> Hold {
    let count = after.crossings;
    let next = before.crossings + 1;
    let new = |is: &Crossing| is.n == next && count == next && !is.told && !is.over;
    let low = match (&before.low, &after.low) {
        (was, is) if was == is => true,
        (None, Some(is)) => new(is),
        (Some(was), Some(is)) => was.n == is.n && !was.told,
        (_, None) => true,
    };
    let outage = match (&before.outage, &after.outage) {
        (was, is) if was == is => true,
        (None, Some(is)) => new(is),
        (Some(was), Some(is)) if was.n != is.n => was.over && new(is),
        (Some(was), Some(is)) => match (was.over, is.over) {
            (false, true) => !is.told,
            // Nobody was told that it is back.
            (true, false) => is.told && was.claimed_at.is_none(),
            _ => !was.told,
        },
        // The end was told of, or nobody was told of the beginning.
        (Some(was), None) => was.over || (!was.told && was.claimed_at.is_none()),
        (None, None) => true,
    };
    let newest = |crossing: &Option<Crossing>| crossing.as_ref().is_some_and(|c| c.n == count);
    let opened = newest(&after.low) || newest(&after.outage);
    let counted = count == before.crossings || (count == next && opened);
    let same =
        before.crossings == count && before.low == after.low && before.outage == after.outage;
    let sound = same || (!moved && low && outage && counted);
    let shelf = Shelf(&after.sku, &after.location);
    ensure(sound, "crossing-rewritten", shelf, || {
        format!(
            "expected a crossing to be opened, claimed, told of or closed, and nothing else with it; \
             was {:?} and {:?} of {}, is {:?} and {:?} of {count}",
            before.low, before.outage, before.crossings, after.low, after.outage
        )
    })
}

/// What mails name: each thing that they say.
pub(super) fn parts(key: &str) -> impl Iterator<Item = &str> {
    key.split('_')
}

/// What a part of a mail says of a level, and of which of its crossings.
pub(super) fn said<'a>(level: &Level, part: &'a str) -> Option<(&'a str, u64)> {
    let rest = part.strip_prefix(level.sku.as_str())?.strip_prefix('-')?;
    let (what, rest) = rest.split_once('-')?;
    let n = rest.strip_prefix(level.location.as_str())?;
    let n = n.strip_prefix('-')?.parse().ok()?;
    let called = ["restock", "low", "out", "back"].contains(&what);
    (called && (1..=level.crossings).contains(&n)).then_some((what, n))
}

/// Who is said to know of a crossing was told; and once all was looked at, everybody knows.
pub(super) fn check(observed: &Observed, found: &mut Findings) {
    let looked = |deed: &Deed| matches!(deed, Deed::RestockChecked);
    let looked = observed.deeds.iter().any(looked);
    let levels = observed.levels.iter().map(|stored| stored.level.clone());
    // What the first share says goes for all of them.
    for level in &whole(levels.collect()) {
        let shelf = || Shelf(&level.sku, &level.location);
        let heard = |right: &dyn Fn(&str, u64) -> bool| {
            let says = |mail: &SentMail| {
                let mut said = parts(&mail.key).filter_map(|part| said(level, part));
                said.any(|(word, n)| right(word, n))
            };
            observed.mails.iter().any(says)
        };
        // Of what is out by the time that it is told of, nobody hears that it is low.
        let low = level.low.as_ref().filter(|low| low.told).is_none_or(|low| {
            heard(&|word, n| (word == "low" && n == low.n) || (word == "out" && n >= low.n))
        });
        found.expect(low, "low-untold", shelf(), || {
            let low = &level.low;
            format!("expected a mail of {low:?}, which everybody is said to know")
        });
        let out = level.outage.as_ref().filter(|out| out.told);
        let out = out.is_none_or(|out| heard(&|word, n| word == "out" && n == out.n));
        found.expect(out, "outage-untold", shelf(), || {
            let out = &level.outage;
            format!("expected a mail of {out:?}, which everybody is said to know")
        });
        found.expect(
            !looked || is_told(level, observed.kept(&level.sku)),
            "crossing-not-told",
            shelf(),
            || {
                let Level {
                    available,
                    low,
                    outage,
                    ..
                } = level;
                format!("expected everybody to know of {available} available: {low:?}, {outage:?}")
            },
        );
    }
}

/// Whether nothing is left to be told, and it is known to be out exactly if no more is there than is kept back.
fn is_told(level: &Level, kept: i64) -> bool {
    let told = |crossing: &Option<Crossing>| crossing.as_ref().is_none_or(|crossing| crossing.told);
    let out = level.outage.is_some();
    told(&level.low) && told(&level.outage) && out == (level.available <= kept)
}
