//! How many rooms this machine carries, by what hearing has cost so far.

use std::sync::{Arc, Mutex, PoisonError};

use super::EngineError;

/// Share of the worker's time that finals may take: the rest is for partials, voice activity and bursts.
const SHARE_FOR_FINALS: f64 = 0.7;
/// Share of a consultation in which somebody speaks. A guess on the safe side: talk has pauses, and doctors type.
const SPEECH_SHARE: f64 = 0.7;
/// Seconds of audio over which the speed is averaged.
const MEMORY_SECONDS: f64 = 120.0;

#[derive(Debug, Default)]
struct State {
    open: usize,
    /// As many as somebody said, instead of what the speed allows.
    fixed: Option<usize>,
    /// Seconds of work a second of audio; nothing measured yet where absent.
    cost: Option<f64>,
}

/// Counts rooms and knows the speed.
#[derive(Clone, Default)]
pub(super) struct Admission(Arc<Mutex<State>>);

/// One room's place; dropping it frees the place.
pub struct Seat(Admission);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.with(|state| state.open = state.open.saturating_sub(1));
    }
}

impl Admission {
    /// Notes that hearing `audio` seconds took `spent` seconds.
    pub fn record(&self, audio: f64, spent: f64) {
        if audio <= 0.0 {
            return;
        }
        let weight = (audio / MEMORY_SECONDS).min(1.0);
        let now = spent / audio;
        self.with(|state| state.cost = Some(state.cost.map_or(now, |cost| cost + (now - cost) * weight)));
    }

    /// From now on so many rooms, whatever the speed.
    pub fn fix(&self, rooms: usize) {
        self.with(|state| state.fixed = Some(rooms));
    }

    /// Rooms whose finals the worker keeps up with; at least one, for one room only falls behind and loses nothing.
    pub fn most(&self) -> usize {
        if let Some(fixed) = self.with(|state| state.fixed) {
            return fixed;
        }
        let cost = self.with(|state| state.cost).unwrap_or(1.0).max(1e-4);
        ((SHARE_FOR_FINALS / (cost * SPEECH_SHARE)) as usize).max(1)
    }

    pub fn open(&self) -> usize {
        self.with(|state| state.open)
    }

    pub fn admit(&self) -> Result<Seat, EngineError> {
        let most = self.most();
        self.with(|state| {
            if state.open >= most {
                return Err(EngineError::NoRoom { open: state.open, most });
            }
            state.open += 1;
            Ok(())
        })?;
        Ok(Seat(self.clone()))
    }

    pub fn readmit(&self) -> Seat {
        self.with(|state| state.open += 1);
        Seat(self.clone())
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        // No code that runs under this lock can panic half-way through a change.
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_as_many_as_the_speed_allows_and_one_at_least() {
        let admission = Admission::default();
        assert_eq!(admission.most(), 1);
        admission.record(5.0, 1.0);
        assert_eq!(admission.most(), 5);
        let seats: Vec<Seat> = (0..5).map(|_| admission.admit().unwrap()).collect();
        assert!(matches!(admission.admit(), Err(EngineError::NoRoom { open: 5, most: 5 })));
        let again = admission.readmit();
        assert_eq!(admission.open(), 6);
        drop((seats, again));
        assert_eq!(admission.open(), 0);
        admission.record(1000.0, 4000.0);
        assert_eq!(admission.most(), 1);
        assert!(admission.admit().is_ok());
    }

    #[test]
    fn one_slow_utterance_moves_the_speed_by_its_length_only() {
        let admission = Admission::default();
        admission.record(120.0, 12.0);
        admission.record(1.2, 1.2);
        assert_eq!(admission.most(), 9);
        admission.record(0.0, 5.0);
        assert_eq!(admission.most(), 9);
    }
}
