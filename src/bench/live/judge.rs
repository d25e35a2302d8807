//! From what was seen of rooms to figures, and whether they stayed real-time.

use std::time::Duration;

use super::room::time_of;
use super::{Limit, Step};
use crate::bench::Spread;
use crate::bench::spread::{milliseconds, percentile};
use crate::bench::talk::Timed;

/// A final later than this after its endpoint is late.
pub(in crate::bench) const LATEST_FINAL: Duration = Duration::from_millis(1500);
/// Finals that come so much later in the last third than in the first tell of a backlog.
const MOST_GROWTH: Duration = Duration::from_millis(750);
/// Speech that goes on for longer than this is looked at.
const LONGEST_WITHOUT_LOOK: Duration = Duration::from_secs(2);

/// What was seen of one utterance, in time from the trial's start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub timed: Timed,
    /// When the room had the sound that ends it.
    pub endpoint: Option<Duration>,
    /// When its first words were shown.
    pub shown: Option<Duration>,
    /// When its final text was there, or that it has none.
    pub concluded: Option<Duration>,
}

impl Heard {
    /// Nothing seen yet.
    pub fn new(timed: Timed) -> Self {
        Self { timed, endpoint: None, shown: None, concluded: None }
    }
}

/// What was seen of one room.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed {
    pub heard: Vec<Heard>,
    /// When looks at growing speech were answered.
    pub looks: Vec<Duration>,
    /// How many finals had text.
    pub texts: usize,
    /// Whether all of it was heard in the end.
    pub finished: bool,
    /// From the last sound until that.
    pub drained: Duration,
}

/// Adds up the rooms of a trial.
pub(super) fn judge(rooms: &[Observed], length: Duration, speech_share: f64) -> Step {
    let heard = || rooms.iter().flat_map(|room| room.heard.iter());
    for Heard { timed, endpoint, shown, concluded } in heard() {
        let (start, end) = (time_of(timed.speech_start), time_of(timed.speech_end));
        tracing::debug!(rooms = rooms.len(), ?start, ?end, ?endpoint, ?shown, ?concluded, "an utterance of a live trial");
    }
    let since = |later: Option<Duration>, earlier: Option<Duration>| Some(later?.saturating_sub(earlier?));
    let late = Spread::of(heard().filter_map(|one| since(one.concluded, one.endpoint)));
    let look = Spread::of(rooms.iter().flat_map(longest_without_look));
    let concluded = heard().filter(|one| one.concluded.is_some()).count();
    let growth = growth(rooms);
    let over = |spread: Option<Spread>, limit: Duration| spread.is_some_and(|spread| spread.p95_ms > milliseconds(limit));
    let finished = rooms.iter().all(|room| room.finished);
    let broken: Vec<Limit> = [
        (over(late, LATEST_FINAL), Limit::FinalsLate),
        (growth > milliseconds(MOST_GROWTH), Limit::BacklogGrows),
        (over(look, LONGEST_WITHOUT_LOOK), Limit::PartialsRare),
        (!finished, Limit::NotFinished),
    ]
    .into_iter()
    .filter_map(|(broken, limit)| broken.then_some(limit))
    .collect();
    Step {
        rooms: rooms.len(),
        seconds: length.as_secs_f64(),
        speech_share,
        real_time: broken.is_empty(),
        broken,
        utterances: concluded,
        without_text: concluded.saturating_sub(rooms.iter().map(|room| room.texts).sum()),
        speech_end_to_final: Spread::of(heard().filter_map(|one| since(one.concluded, Some(time_of(one.timed.speech_end))))),
        endpoint_to_final: late,
        speech_start_to_partial: Spread::of(heard().filter_map(|one| since(one.shown, Some(time_of(one.timed.speech_start))))),
        without_look: look,
        growth_ms: growth,
        drain_ms: rooms.iter().map(|room| milliseconds(room.drained)).fold(0.0, f64::max),
    }
}

/// For each utterance of a room that was heard to its end.
fn longest_without_look(room: &Observed) -> impl Iterator<Item = Duration> {
    room.heard.iter().filter(|one| one.concluded.is_some()).map(|one| {
        let (begin, end) = (time_of(one.timed.speech_start), time_of(one.timed.speech_end));
        let within = room.looks.iter().copied().filter(|look| (begin..end).contains(look));
        let (mut longest, mut last) = (Duration::ZERO, begin);
        for look in within.chain([end]) {
            longest = longest.max(look.saturating_sub(last));
            last = look;
        }
        longest
    })
}

/// How much later finals came in the last third of the trial than in the first, by the medians, in milliseconds; 0 where there are
/// too few to tell.
fn growth(rooms: &[Observed]) -> f64 {
    let mut late: Vec<(Duration, Duration)> = rooms
        .iter()
        .flat_map(|room| room.heard.iter())
        .filter_map(|one| Some((one.endpoint?, one.concluded?.saturating_sub(one.endpoint?))))
        .collect();
    late.sort_unstable();
    let third = late.len() / 3;
    if third < 2 {
        return 0.0;
    }
    let median = |part: Option<&[(Duration, Duration)]>| {
        let mut times: Vec<Duration> = part.unwrap_or_default().iter().map(|(_, late)| *late).collect();
        times.sort_unstable();
        percentile(&times, 0.5).map_or(0.0, milliseconds)
    };
    let grown = median(late.get(late.len() - third..)) - median(late.get(..third));
    (grown * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 16_000;

    /// An utterance spoken from one second to another, its endpoint a second later, its final so many milliseconds after that.
    fn spoken(from: u64, to: u64, late_ms: u64) -> Heard {
        let timed = Timed { speech_start: from * SECOND, speech_end: to * SECOND, endpoint: (to + 1) * SECOND };
        let endpoint = Duration::from_secs(to + 1);
        let shown = Some(Duration::from_millis(from * 1000 + 800));
        Heard { timed, endpoint: Some(endpoint), shown, concluded: Some(endpoint + Duration::from_millis(late_ms)) }
    }

    fn room(heard: Vec<Heard>, looks: &[u64]) -> Observed {
        let looks = looks.iter().map(|ms| Duration::from_millis(*ms)).collect();
        Observed { texts: heard.len(), heard, looks, finished: true, drained: Duration::from_millis(40) }
    }

    fn judged(rooms: &[Observed]) -> Step {
        judge(rooms, Duration::from_secs(20), 0.7)
    }

    #[test]
    fn a_room_that_keeps_up_is_real_time() {
        let step = judged(&[room(vec![spoken(1, 3, 200), spoken(5, 9, 300)], &[2000, 6000, 7500, 8800])]);
        assert!(step.real_time, "{:?}", step.broken);
        assert_eq!((step.rooms, step.utterances, step.without_text), (1, 2, 0));
        assert_eq!(step.endpoint_to_final.unwrap().longest_ms, 300.0);
        assert_eq!(step.speech_end_to_final.unwrap().longest_ms, 1300.0);
        assert_eq!(step.speech_start_to_partial.unwrap().p50_ms, 800.0);
        assert_eq!(step.without_look.unwrap().longest_ms, 1500.0);
        assert_eq!(step.drain_ms, 40.0);
    }

    #[test]
    fn each_broken_promise_is_named() {
        let late = judged(&[room(vec![spoken(1, 2, 1600)], &[])]);
        assert_eq!(late.broken, [Limit::FinalsLate]);
        let unseen = judged(&[room(vec![spoken(1, 4, 100)], &[1500])]);
        assert_eq!(unseen.broken, [Limit::PartialsRare]);
        let growing: Vec<Heard> = (0..9).map(|n| spoken(2 * n, 2 * n + 1, 100 + 150 * n)).collect();
        let grown = judged(&[room(growing, &[])]);
        assert_eq!((grown.broken.as_slice(), grown.growth_ms), ([Limit::BacklogGrows].as_slice(), 900.0));
        let broken_off = judged(&[Observed { finished: false, ..room(vec![spoken(1, 2, 100)], &[]) }]);
        assert_eq!(broken_off.broken, [Limit::NotFinished]);
    }

    #[test]
    fn an_utterance_without_text_counts_and_one_not_concluded_does_not() {
        let unknown = Heard { concluded: None, ..spoken(5, 6, 0) };
        let mut seen = room(vec![spoken(1, 2, 100), unknown], &[]);
        seen.texts = 0;
        let step = judged(&[seen]);
        assert_eq!((step.utterances, step.without_text), (1, 1));
        assert_eq!(judged(&[]).endpoint_to_final, None);
    }
}
