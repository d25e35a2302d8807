//! How a measured time spreads.

use std::time::Duration;

use serde::Serialize;

/// The middle and the tail of measured times. Of few values the upper percentiles are simply the largest: `count` tells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many values there were.
    pub count: usize,
    /// Half of them were no longer, in milliseconds.
    pub p50_ms: f64,
    /// 95 of 100 were no longer, in milliseconds.
    pub p95_ms: f64,
    /// 99 of 100 were no longer, in milliseconds.
    pub p99_ms: f64,
    /// The longest, in milliseconds.
    pub longest_ms: f64,
}

impl Spread {
    /// Of these times; nothing of none.
    #[must_use]
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut sorted: Vec<Duration> = times.into_iter().collect();
        sorted.sort_unstable();
        let longest = *sorted.last()?;
        let at = |share| percentile(&sorted, share).map(milliseconds);
        Some(Self {
            count: sorted.len(),
            p50_ms: at(0.50)?,
            p95_ms: at(0.95)?,
            p99_ms: at(0.99)?,
            longest_ms: milliseconds(longest),
        })
    }
}

/// The smallest value that at least `share` (0 to 1) of all do not exceed (nearest rank, without interpolation): a time that was
/// really measured. Nothing of none.
pub(super) fn percentile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

/// With one decimal: the clock is no better than that.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[u64]) -> Option<Spread> {
        Spread::of(values.iter().map(|ms| Duration::from_millis(*ms)))
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred: Vec<u64> = (1..=100).rev().collect();
        let found = spread(&hundred).unwrap();
        assert_eq!((found.count, found.p50_ms, found.p95_ms, found.p99_ms), (100, 50.0, 95.0, 99.0));
        assert_eq!(found.longest_ms, 100.0);
        let three = spread(&[30, 10, 20]).unwrap();
        assert_eq!((three.p50_ms, three.p95_ms, three.p99_ms), (20.0, 30.0, 30.0));
    }

    #[test]
    fn one_value_is_every_percentile_and_none_is_nothing() {
        let one = spread(&[7]).unwrap();
        assert_eq!((one.p50_ms, one.p95_ms, one.p99_ms, one.longest_ms), (7.0, 7.0, 7.0, 7.0));
        assert_eq!(spread(&[]), None);
        assert_eq!(percentile::<u8>(&[], 0.5), None);
        assert_eq!(percentile(&[1, 2], 0.0), Some(1));
    }
}
