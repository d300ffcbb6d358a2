//! What goes wrong, and how often.

use crate::tape::Tape;

/// How often each thing goes wrong, of 10,000 times that it could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// A call: the process dies instead of making it. As the next call of a process is where it
    /// would die after this one, this is a crash before and after every call.
    pub crash: u32,
    /// A call: refused or lost before it had any effect (throttling, no connection).
    pub refused: u32,
    /// A call: done, and its answer lost.
    pub answer_lost: u32,
    /// A call: done, its answer lost, and made once more by the client library, which hands on the
    /// second answer.
    pub repeated: u32,
    /// A transaction: cancelled because another one is in the way.
    pub conflict: u32,
    /// A batch of messages: some of them are not sent.
    pub partly_sent: u32,
    /// An eventually consistent read: what it says is old.
    pub stale: u32,
    /// An invocation: the process dies after its last call, before it has answered.
    pub crash_at_end: u32,
    /// A message: never arrives.
    pub lost: u32,
    /// A message: arrives late, by up to an hour.
    pub late: u32,
    /// A message: arrives twice.
    pub twice: u32,
    /// A message: comes again while the first is being worked on (its visibility ran out).
    pub visible: u32,
    /// A batch: done, and its messages are not deleted.
    pub ack_lost: u32,
    /// A request: sent twice at the same time by an impatient sender.
    pub resent: u32,
    /// A step of the scheduler: some seconds pass before it.
    pub pause: u32,
    /// Seconds that the clocks of two instances of a function may differ by.
    pub skew_s: u32,
    /// Faults after which nothing goes wrong any more, so that a run comes to rest.
    pub most: u32,
}

impl Faults {
    /// Nothing goes wrong; only the order of things is left to chance.
    pub const NONE: Self = Self {
        crash: 0,
        refused: 0,
        answer_lost: 0,
        repeated: 0,
        conflict: 0,
        partly_sent: 0,
        stale: 0,
        crash_at_end: 0,
        lost: 0,
        late: 0,
        twice: 0,
        visible: 0,
        ack_lost: 0,
        resent: 0,
        pause: 0,
        skew_s: 0,
        most: 0,
    };

    /// The rates of a run: mild, rough, or one kind of fault only, so that none hides another.
    pub fn draw(tape: &mut Tape) -> Self {
        let mild = Self {
            crash: 60,
            refused: 60,
            answer_lost: 60,
            repeated: 40,
            conflict: 60,
            partly_sent: 200,
            stale: 500,
            crash_at_end: 200,
            lost: 50,
            late: 200,
            twice: 300,
            visible: 200,
            ack_lost: 300,
            resent: 500,
            pause: 100,
            skew_s: 5,
            most: 20,
        };
        match tape.choose(11) {
            0 => Self::NONE,
            1..4 => mild,
            4 => Self {
                crash: 400,
                crash_at_end: 600,
                most: 12,
                ..Self::NONE
            },
            5 => Self {
                twice: 4_000,
                visible: 2_000,
                ack_lost: 2_000,
                resent: 4_000,
                most: 200,
                ..Self::NONE
            },
            6 => Self {
                refused: 300,
                answer_lost: 500,
                repeated: 500,
                conflict: 500,
                partly_sent: 1_000,
                most: 20,
                ..Self::NONE
            },
            7 => Self {
                lost: 2_000,
                late: 3_000,
                stale: 3_000,
                pause: 1_000,
                skew_s: 5,
                most: 100,
                ..Self::NONE
            },
            // Two work on one message, and die; no hint is lost, so that the sweeper is no excuse.
            8 => Self {
                crash: 500,
                crash_at_end: 500,
                visible: 4_000,
                most: 30,
                ..Self::NONE
            },
            _ => Self {
                crash: 200,
                refused: 200,
                answer_lost: 200,
                repeated: 200,
                conflict: 300,
                crash_at_end: 500,
                lost: 300,
                twice: 1_500,
                visible: 1_000,
                ack_lost: 1_000,
                resent: 1_500,
                pause: 300,
                most: 40,
                ..mild
            },
        }
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is done.
    Done,
    /// It is done on what was there a while ago.
    Stale,
    /// It is refused, without effect.
    Refused,
    /// Another transaction is in its way.
    Conflict,
    /// It is done for the first of its messages only.
    Partly,
    /// It is done, and fails.
    AnswerLost,
    /// It is done twice, and gives the second answer.
    Repeated,
}

/// What a call is, as far as faults go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A consistent read.
    Read,
    /// A read that may be of the past.
    EventualRead,
    /// A write of one item.
    Write,
    /// A transaction.
    Transaction,
    /// A message, or a mail.
    Send,
    /// Some messages.
    SendBatch,
}

impl Faults {
    /// What becomes of a call; `None`: the process dies.
    pub fn fate(&self, kind: Kind, tape: &mut Tape) -> Option<Fate> {
        // One choice for all of them: the highest numbers are the faults, so that 0 is none.
        let drawn = 9_999 - tape.choose(10_000);
        let mut under = 0;
        let mut is = |rate: u32| {
            let from = under;
            under += rate;
            (from..under).contains(&drawn)
        };
        if is(self.crash) {
            return None;
        }
        if is(self.refused) {
            return Some(Fate::Refused);
        }
        if is(self.answer_lost) {
            return Some(Fate::AnswerLost);
        }
        if is(self.repeated) {
            return Some(Fate::Repeated);
        }
        Some(match kind {
            Kind::Transaction if is(self.conflict) => Fate::Conflict,
            Kind::SendBatch if is(self.partly_sent) => Fate::Partly,
            Kind::EventualRead if is(self.stale) => Fate::Stale,
            _ => Fate::Done,
        })
    }
}
