//! When a level crosses its reorder point, once per crossing.

use serde::{Deserialize, Serialize};

use crate::stock::Level;

/// A level's stay at or under its reorder point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// Its number among the crossings of this level, from 1.
    pub n: u64,
    /// Whether the supplier and the team have been told.
    pub told: bool,
}

/// What to do about a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Rest,
    /// It has crossed: note the crossing, then tell of it.
    Crossed(Crossing),
    /// It has crossed before and not everybody has been told: tell.
    Tell(Crossing),
    /// It is above again: forget the crossing.
    Recovered,
}

/// Compares a level with its reorder point, in units available.
pub fn check(level: &Level, reorder_point: u32) -> Verdict {
    let low = level.available <= i64::from(reorder_point);
    match (&level.low, low) {
        (None, false) => Verdict::Rest,
        (None, true) => Verdict::Crossed(Crossing {
            n: level.crossings + 1,
            told: false,
        }),
        (Some(crossing), true) if crossing.told => Verdict::Rest,
        (Some(crossing), true) => Verdict::Tell(crossing.clone()),
        (Some(_), false) => Verdict::Recovered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crossing_is_told_of_once() {
        let mut level = Level {
            available: 11,
            ..Level::default()
        };
        assert_eq!(check(&level, 10), Verdict::Rest);
        level.available = 10;
        let first = Crossing { n: 1, told: false };
        assert_eq!(check(&level, 10), Verdict::Crossed(first.clone()));
        level.low = Some(first.clone());
        level.crossings = 1;
        assert_eq!(check(&level, 10), Verdict::Tell(first.clone()));
        level.low = Some(Crossing {
            told: true,
            ..first
        });
        level.available = 2;
        assert_eq!(check(&level, 10), Verdict::Rest);
        level.available = 40;
        assert_eq!(check(&level, 10), Verdict::Recovered);
        level.low = None;
        level.available = 0;
        assert!(matches!(
            check(&level, 10),
            Verdict::Crossed(Crossing { n: 2, .. })
        ));
    }
}
