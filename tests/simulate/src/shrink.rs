//! The smallest schedule that still fails.

use std::cell::Cell;

/// Runs that shrinking may take.
const MAX_RUNS: u32 = 4_000;

/// Makes choices plainer and fewer for as long as `fails` holds of them: cuts the end off, takes
/// blocks out, sets blocks to 0, makes single ones smaller; and again, until nothing helps.
pub fn shrink(choices: Vec<u32>, fails: impl Fn(&[u32]) -> bool) -> Vec<u32> {
    let mut best = choices;
    let runs = Cell::new(0);
    let try_for = |candidate: &[u32], best: &[u32]| {
        runs.set(runs.get() + 1);
        runs.get() <= MAX_RUNS && candidate != best && fails(candidate)
    };
    loop {
        let before = best.clone();
        let mut size = best.len() / 2;
        while size > 0 {
            // From the end: what comes late is needed least.
            let mut start = best.len().saturating_sub(size);
            loop {
                let end = (start + size).min(best.len());
                let mut without = best[..start].to_vec();
                without.extend(&best[end..]);
                let mut plain = best.clone();
                plain[start..end].fill(0);
                if try_for(&without, &best) {
                    best = without;
                } else if try_for(&plain, &best) {
                    best = plain;
                }
                if start == 0 {
                    break;
                }
                start = start.saturating_sub(size).min(best.len());
            }
            size /= 2;
        }
        for place in (0..best.len()).rev() {
            for smaller in [0, 1, best[place] / 2, best[place].saturating_sub(1)] {
                let mut candidate = best.clone();
                candidate[place] = smaller;
                if smaller < best[place] && try_for(&candidate, &best) {
                    best = candidate;
                    break;
                }
            }
        }
        while best.last() == Some(&0) {
            best.pop();
        }
        if best.len() == before.len() && best == before {
            return best;
        }
        if runs.get() > MAX_RUNS {
            return best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_cut_to_what_makes_it_fail() {
        // It fails if a 7 or more comes somewhere before a 3.
        let fails = |choices: &[u32]| {
            let seven = choices.iter().position(|c| *c >= 7);
            seven.is_some_and(|at| choices[at..].contains(&3))
        };
        let choices: Vec<u32> = (0..200).map(|n| n * 7 % 50).collect();
        assert!(fails(&choices));
        assert_eq!(shrink(choices, fails), [7, 3]);
    }
}
