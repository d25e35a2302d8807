//! One room: its talk goes in as it is spoken, and what comes out is timed.

use std::time::{Duration, Instant};

use super::judge::{Heard, Observed};
use crate::audio::SAMPLE_RATE;
use crate::bench::Stop;
use crate::bench::talk::Part;
use crate::room::Hold;

/// Samples in a frame that a client sends: 100 ms.
const FRAME: usize = 1600;
/// How often looks are counted that changed nothing on the screen.
const ROUND: Duration = Duration::from_millis(50);
/// A room that owes a final for so long does not stay real-time: nothing more can be learnt from it.
const HOPELESS: Duration = Duration::from_secs(6);

/// How a room's trial ended.
pub(super) enum Ended {
    /// What was seen of it.
    Heard(Observed),
    /// The room itself broke.
    Failed,
}

/// Why a trial may end early.
#[derive(Clone)]
pub(super) struct Stops {
    /// Somebody asked for it.
    pub user: Stop,
    /// A room has no hope: the others need not go on.
    pub hopeless: Stop,
}

impl Stops {
    fn asked(&self) -> bool {
        self.user.asked() || self.hopeless.asked()
    }
}

/// Plays the part from `start` on, until all of it is heard or the trial ends early.
pub(super) async fn play(hold: Hold, part: Part, start: Instant, stops: Stops) -> Ended {
    let (fed, observed) = tokio::join!(feed(&hold, &part, start, &stops), observe(&hold, &part, start, &stops));
    if fed { observed.map_or(Ended::Failed, Ended::Heard) } else { Ended::Failed }
}

/// Sends each frame when its last sample has been spoken. False when the room takes no more.
async fn feed(hold: &Hold, part: &Part, start: Instant, stops: &Stops) -> bool {
    let mut sent = 0;
    while sent < part.length && !stops.asked() {
        let upto = (sent + FRAME).min(part.length);
        tokio::time::sleep_until((start + time_of(upto as u64)).into()).await;
        if !hold.audio((upto - sent) as u64, part.bytes(sent, upto)).await {
            return false;
        }
        sent = upto;
    }
    stops.asked() || hold.live().finish().await.is_ok()
}

/// Notes when what was known, shown and concluded. Nothing when the room failed.
async fn observe(hold: &Hold, part: &Part, start: Instant, stops: &Stops) -> Option<Observed> {
    let (mut view, mut safe) = (hold.live().view(), hold.live().safe());
    let mut heard: Vec<Heard> = part.utterances.iter().map(|timed| Heard::new(*timed)).collect();
    let mut looks = Vec::new();
    let mut texts = 0;
    loop {
        let now = start.elapsed();
        let safe_samples = safe.borrow_and_update().samples;
        for utterance in heard.iter_mut().filter(|one| one.endpoint.is_none() && one.timed.endpoint <= safe_samples) {
            utterance.endpoint = Some(now);
        }
        let over = {
            let view = view.borrow_and_update();
            if view.failed.is_some() {
                return None;
            }
            for utterance in heard.iter_mut().take(view.utterances).filter(|one| one.concluded.is_none()) {
                utterance.concluded = Some(now);
            }
            texts = view.finals.len().max(texts);
            let growing = view.partials.iter().flatten().any(|partial| !partial.is_blank());
            if let Some(utterance) = heard.get_mut(view.utterances).filter(|one| growing && one.shown.is_none()) {
                utterance.shown = Some(now);
            }
            looks.resize(view.looks, now);
            view.end.is_some()
        };
        let owed = heard.iter().find(|one| one.endpoint.is_some() && one.concluded.is_none());
        if owed.and_then(|one| one.endpoint).is_some_and(|endpoint| now.saturating_sub(endpoint) > HOPELESS) {
            stops.hopeless.ask();
        }
        if over || stops.asked() {
            let fed = time_of(part.length as u64).min(now);
            return Some(Observed { heard, looks, texts, finished: over, drained: now.saturating_sub(fed) });
        }
        tokio::select! {
            _ = view.changed() => {}
            _ = safe.changed() => {}
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// When a sample is spoken, from the start.
pub(super) fn time_of(samples: u64) -> Duration {
    Duration::from_secs_f64(samples as f64 / f64::from(SAMPLE_RATE))
}
