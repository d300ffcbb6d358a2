//! Who does not answer at all is left alone for a while. To wait for that takes a function's time, and as long do the others
//! wait who hear of the same orders; who answers, and be it with a refusal, takes none.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{Timestamp, ToSpan};

/// Times in a row that a subscriber has not answered, after which it is left alone.
const TIMES: u32 = 3;
/// Seconds for which it is left alone. Then one event finds out whether it answers again.
const ALONE_S: i64 = 60;

/// Subscribers that have not answered, as this instance knows them: how often in a row, and until when they are left alone.
#[derive(Default)]
pub(crate) struct Silent(Mutex<HashMap<String, (u32, Timestamp)>>);

impl Silent {
    /// Whether a subscriber is left alone. If its time is over, whoever asks first is to find out, and the others are not.
    pub(crate) fn is_left_alone(&self, id: &str, now: Timestamp) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(id) {
            Some((TIMES.., until)) if *until > now => true,
            Some((TIMES.., until)) => {
                *until = after(now);
                false
            }
            _ => false,
        }
    }

    /// Notes whether a subscriber has answered.
    pub(crate) fn note(&self, id: &str, answered: bool, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            known.remove(id);
            return;
        }
        let (times, until) = known.entry(id.to_owned()).or_default();
        (*times, *until) = (times.saturating_add(1), after(now));
    }
}

fn after(now: Timestamp) -> Timestamp {
    now.saturating_add(ALONE_S.seconds()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_left_alone_and_found_again_by_one() {
        let (silent, at) = (Silent::default(), |s| Timestamp::from_second(s).unwrap());
        for second in [0, 1] {
            silent.note("erp", false, at(second));
            assert!(!silent.is_left_alone("erp", at(second)), "once or twice");
        }
        silent.note("erp", false, at(2));
        assert!(silent.is_left_alone("erp", at(2 + ALONE_S - 1)));
        assert!(!silent.is_left_alone("crm", at(3)), "nobody else");
        let again = 2 + ALONE_S;
        assert!(!silent.is_left_alone("erp", at(again)), "one finds out");
        assert!(silent.is_left_alone("erp", at(again)), "and no more");
        silent.note("erp", false, at(again + 15));
        assert!(silent.is_left_alone("erp", at(again + ALONE_S)));
        silent.note("erp", true, at(again + ALONE_S));
        silent.note("erp", false, at(again + ALONE_S));
        assert!(!silent.is_left_alone("erp", at(again + ALONE_S)), "anew");
    }
}
