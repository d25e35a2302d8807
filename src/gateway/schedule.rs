//! When a message that was not handed over is tried again.

use crate::audit::UnixMillis;

/// Milliseconds before the second try, the third, and so on; the last one repeats.
const DELAYS: [u64; 6] = [1_000, 3_000, 10_000, 30_000, 60_000, 120_000];

/// The next try of a message that was tried `tries` times, the last time at `at`; nothing where that is not before `until`.
///
/// It never waits for longer than two minutes: somebody is waiting for the code.
#[must_use]
pub fn next_try(tries: u32, at: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
    let last = DELAYS.len() - 1;
    let index = usize::try_from(tries.saturating_sub(1)).map_or(last, |index| index.min(last));
    let next = at.after(DELAYS.get(index).copied().unwrap_or(120_000));
    (next < until).then_some(next)
}
