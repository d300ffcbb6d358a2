//! How long to wait before a commit that met another one is tried again.

use std::time::Duration;

/// Milliseconds of the shortest pause, at most; twice as many each time. A transaction takes a few: those that
/// meet at a level pass one after the other.
const PAUSE_MS: u64 = 4;
/// How often it doubles: once it is many times what a transaction takes, to wait longer leaves what everybody waits for unused.
const MAX_PAUSE_DOUBLINGS: usize = 2;

/// How long to wait: longer each time, and not all alike.
pub fn pause(id: &str, tries: usize) -> Duration {
    let most_ms = PAUSE_MS << tries.min(MAX_PAUSE_DOUBLINGS);
    let spread = spread(id).rotate_left(7 * tries as u32);
    Duration::from_millis(most_ms / 2 + spread % (most_ms / 2 + 1))
}

/// A number that differs from id to id: that needs no generator, and is the same when all of it happens again.
pub fn spread(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
