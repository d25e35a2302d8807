//! How long to measure what.

use std::time::Duration;

/// Share of a setting's time that starts from nothing may take.
const SHARE_FOR_STARTS: f64 = 0.1;
/// Share of a setting's time for hearing the recordings, where their texts are to be scored.
const SHARE_FOR_RECORDINGS: f64 = 0.35;
/// The same where only the speed is still to be known.
const SHARE_FOR_SPEED: f64 = 0.15;
/// Weight of a setting that differs from one before it in its threads alone: its texts are known already.
const WEIGHT_OF_OTHER_THREADS: f64 = 0.5;

/// How long to measure what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// For everything; nothing: as long as it takes.
    pub total: Option<Duration>,
    /// One live trial of several rooms.
    pub step: Duration,
    /// The live trial of one room, whose percentiles rest on fewer utterances.
    pub one_room: Duration,
    /// Sound that is held in memory, in seconds: recordings beyond are left aside.
    pub recordings_seconds: f64,
    /// Starts from nothing, of which the middle one counts.
    pub starts: usize,
}

impl Plan {
    /// Less than this, nine minutes by default, with live trials of this length.
    #[must_use]
    pub fn within(total: Duration, step: Duration) -> Self {
        let one_room = step.mul_f64(4.0 / 3.0);
        Self { total: Some(total), step, one_room, recordings_seconds: 1200.0, starts: 3 }
    }

    /// Five minutes a live trial, and all recordings, up to two hours of them.
    #[must_use]
    pub fn thorough() -> Self {
        let step = Duration::from_secs(300);
        Self { total: None, step, one_room: step, recordings_seconds: 7200.0, starts: 5 }
    }

    /// The part of the time left that one setting may take, when `first` tells of it and each after it whether its texts are still
    /// unknown. Nothing: as long as it takes.
    #[must_use]
    pub fn share(&self, spent: Duration, first: &[bool]) -> Option<Share> {
        let weight = |first: &bool| if *first { 1.0 } else { WEIGHT_OF_OTHER_THREADS };
        let all: f64 = first.iter().map(weight).sum();
        let scored = first.first().copied().unwrap_or_default();
        let own = weight(&scored) / all.max(WEIGHT_OF_OTHER_THREADS);
        let all = self.total?.saturating_sub(spent).mul_f64(own);
        let recordings = all.mul_f64(if scored { SHARE_FOR_RECORDINGS } else { SHARE_FOR_SPEED });
        Some(Share { all, starts: all.mul_f64(SHARE_FOR_STARTS), recordings })
    }
}

/// One setting's time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// For everything.
    pub all: Duration,
    /// For starts from nothing.
    pub starts: Duration,
    /// For hearing the recordings.
    pub recordings: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_use_up_the_time_and_no_more() {
        let plan = Plan::within(Duration::from_secs(540), Duration::from_secs(15));
        let settings = [true, false, true, false, true, false];
        let mut spent = Duration::ZERO;
        for at in 0..settings.len() {
            let share = plan.share(spent, &settings[at..]).unwrap();
            assert!(share.starts + share.recordings < share.all);
            spent += share.all;
        }
        assert!(spent.as_secs_f64() > 539.9 && spent <= Duration::from_secs(540), "{spent:?}");
        assert_eq!(plan.share(Duration::ZERO, &settings).unwrap().all, Duration::from_secs(120));
        assert_eq!(plan.share(Duration::from_secs(600), &settings).unwrap().all, Duration::ZERO);
    }

    #[test]
    fn a_thorough_plan_has_no_limit() {
        assert_eq!(Plan::thorough().share(Duration::from_secs(9999), &[true]), None);
    }
}
