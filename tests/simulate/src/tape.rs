//! The choices of a run: all that is random about it.

/// Where a run's choices come from. Every choice is a number under a bound; 0 is always the
/// plainest: the oldest call, no fault, no further order. So a run is shrunk by making its numbers
/// smaller, and replayed by giving them again.
#[derive(Debug, Clone)]
pub struct Tape {
    source: Source,
    recorded: Option<Vec<u32>>,
}

#[derive(Debug, Clone)]
enum Source {
    Seed(fastrand::Rng),
    Replay { choices: Vec<u32>, next: usize },
}

impl Tape {
    /// The choices that follow from a seed.
    pub fn of_seed(seed: u64) -> Self {
        Self {
            source: Source::Seed(fastrand::Rng::with_seed(seed)),
            recorded: None,
        }
    }

    /// The choices given; where they end, the plainest.
    pub fn of_choices(choices: Vec<u32>) -> Self {
        Self {
            source: Source::Replay { choices, next: 0 },
            recorded: None,
        }
    }

    /// Keeps the choices as they are made.
    pub fn recorded(mut self) -> Self {
        self.recorded = Some(Vec::new());
        self
    }

    /// The choices made, if they were kept.
    pub fn into_choices(self) -> Vec<u32> {
        self.recorded.unwrap_or_default()
    }

    /// A number under `bound`, which is at least 1.
    pub fn choose(&mut self, bound: u32) -> u32 {
        let choice = match &mut self.source {
            Source::Seed(random) => random.u32(0..bound),
            Source::Replay { choices, next } => {
                let choice = choices.get(*next).copied().unwrap_or(0);
                *next += 1;
                choice.min(bound - 1)
            }
        };
        if let Some(recorded) = &mut self.recorded {
            recorded.push(choice);
        }
        choice
    }

    /// An index of a list that is not empty.
    pub fn index(&mut self, length: usize) -> usize {
        self.choose(u32::try_from(length).unwrap_or(u32::MAX)) as usize
    }

    /// Whether something happens that happens so often in 10,000.
    pub fn happens(&mut self, rate: u32) -> bool {
        rate > 0 && self.choose(10_000) >= 10_000 - rate.min(10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_replays() {
        let run = |tape: &mut Tape| -> Vec<u32> { (1..200).map(|n| tape.choose(n)).collect() };
        let mut first = Tape::of_seed(7).recorded();
        let made = run(&mut first);
        assert_eq!(made, run(&mut Tape::of_seed(7)));
        assert_eq!(made, run(&mut Tape::of_choices(first.into_choices())));
        assert_eq!(run(&mut Tape::of_choices(Vec::new())), [0; 199]);
        assert_ne!(made, run(&mut Tape::of_seed(8)));
    }
}
