//! A round over all levels, over as many runs as it takes: each looks at some, and notes how far it has come.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Minutes from the beginning of one round to that of the next, at least: a little under an hour, so that
/// a schedule does not miss it by a moment.
const ROUND_MIN: i64 = 55;

/// How far a round is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// When it began, to the second.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub begun_at: Timestamp,
    /// The key in the table after which there is what the round has not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<(String, String)>,
    /// Whether the round is over.
    pub done: bool,
    /// Levels that it has looked at.
    pub levels: u64,
    /// How often this was written: of two runs that go on from the same place, one does.
    pub turn: u64,
}

impl Round {
    /// The round to go on with: the one that is known, if it is under way, or a new one, if that is due or wished for.
    pub fn next(known: Option<Self>, wished: bool, now: Timestamp) -> Option<Self> {
        let turn = match known {
            None => 0,
            Some(known) if !known.done => return Some(known),
            Some(known) => {
                let since = now.duration_since(known.begun_at);
                if !wished && since < SignedDuration::from_mins(ROUND_MIN) {
                    return None;
                }
                known.turn
            }
        };
        Some(Self {
            begun_at: now,
            after: None,
            done: false,
            levels: 0,
            turn,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_gone_on_with_until_it_is_over_and_begun_anew_after_an_hour() {
        let at = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let first = Round::next(None, false, at(0)).unwrap();
        assert_eq!((first.turn, first.done, &first.after), (0, false, &None));
        let under_way = Round {
            after: Some(("SKU#A".into(), "LEVEL#x".into())),
            levels: 7,
            turn: 3,
            ..first
        };
        for wished in [false, true] {
            let same = Round::next(Some(under_way.clone()), wished, at(1_000));
            assert_eq!(same, Some(under_way.clone()));
        }
        let over = Round {
            after: None,
            done: true,
            ..under_way
        };
        let next = |wished, minutes| Round::next(Some(over.clone()), wished, at(minutes));
        // The edge.
        assert_eq!(next(false, ROUND_MIN - 1), None);
        let new = Round {
            begun_at: at(ROUND_MIN),
            done: false,
            levels: 0,
            ..over.clone()
        };
        assert_eq!(next(false, ROUND_MIN), Some(new));
        assert_eq!(
            next(true, 0).map(|new| (new.turn, new.levels)),
            Some((3, 0))
        );
    }

    #[test]
    fn its_format_stays() {
        let stored = r#"{"begun_at":60,"done":true,"levels":7,"turn":3}"#;
        let round: Round = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&round).unwrap(), stored);
    }
}
