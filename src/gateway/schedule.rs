//! When a message that was not handed over is tried again.

use crate::audit::UnixMillis;

/// Milliseconds before the second try, the third, and so on; the last one repeats.
const DELAYS: [u64; 6] = [1_000, 3_000, 10_000, 30_000, 60_000, 120_000];

/// The same for one that a gateway calls wrong: it has the same answer until somebody mends something, and each try may cost.
const DELAYS_OF_WRONG: [u64; 4] = [30_000, 120_000, 300_000, 600_000];

/// The next try of a message that was tried `tries` times, the last time at `at`; nothing where that is not before `until`.
///
/// It never waits for longer than two minutes: somebody is waiting for the code.
#[must_use]
pub fn next_try(tries: u32, at: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
    after(&DELAYS, tries, at, until)
}

/// As [`next_try`], of a message that a gateway called wrong.
#[must_use]
pub fn next_try_of_wrong(tries: u32, at: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
    after(&DELAYS_OF_WRONG, tries, at, until)
}

fn after(delays: &[u64], tries: u32, at: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
    let index = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    let delay = delays.get(index).or(delays.last()).copied().unwrap_or_default();
    let next = at.after(delay);
    (next < until).then_some(next)
}
