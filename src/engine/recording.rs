//! Recordings that come whole, heard between what live rooms ask for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::queue::Purpose;
use super::{Engine, EngineError, Manner, RoomNumber};
use crate::audio::{AudioFile, SAMPLE_RATE, SampleIndex};
use crate::speech::model::{DecodeOptions, Hypothesis};
use crate::speech::{HeardSegment, Session, Transcript};

/// How often one utterance of a recording is cut short for a final before it is heard to its end.
const GIVES_WAY: u8 = 3;

/// A recording to be heard. It uses the thread that calls it; the model runs on the worker's.
pub struct RecordingTask {
    engine: Arc<Engine>,
    room: RoomNumber,
    abandoned: Arc<AtomicBool>,
}

/// Dropping it ends the hearing of its recording soon: the utterance that is being heard is cut short.
pub struct Abandon {
    engine: Arc<Engine>,
    room: RoomNumber,
    abandoned: Arc<AtomicBool>,
}

impl Drop for Abandon {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::SeqCst);
        self.engine.forget(self.room);
    }
}

impl Engine {
    /// A recording to be heard, and what ends it from elsewhere.
    #[must_use]
    pub fn recording(self: &Arc<Self>) -> (RecordingTask, Abandon) {
        let (room, abandoned) = (RoomNumber::next(), Arc::new(AtomicBool::new(false)));
        let abandon = Abandon { engine: Arc::clone(self), room, abandoned: Arc::clone(&abandoned) };
        (RecordingTask { engine: Arc::clone(self), room, abandoned }, abandon)
    }
}

impl RecordingTask {
    /// Hears a file to its end, or refuses it once it turns out to be longer than `longest`. `told` gets each segment as soon as
    /// it was heard: the same ones as `transcribe` would give, whatever else the engine is asked for meanwhile.
    ///
    /// # Errors
    /// [`EngineError::Audio`] for a damaged file, [`EngineError::TooLong`], [`EngineError::Abandoned`], a failing model, or
    /// settings that contradict themselves. What was told before is then no transcript.
    pub fn hear(
        self,
        mut file: AudioFile,
        longest: SampleIndex,
        Manner { options, writing, endpoint }: Manner,
        mut told: impl FnMut(HeardSegment),
    ) -> Result<Transcript, EngineError> {
        let models = self.engine.models();
        let language = options.language;
        let detector = Box::new(self.engine.detector());
        let (engine, room, abandoned) = (Arc::clone(&self.engine), self.room, Arc::clone(&self.abandoned));
        let hear = move |samples: &[f32]| hear_one(&engine, room, &abandoned, samples, &options);
        let mut session = Session::<EngineError>::new(detector, Box::new(hear), writing, endpoint)?;
        let mut segments = Vec::new();
        session.hear_file(&mut file, |heard_to, heard| {
            if heard_to > longest {
                return Err(EngineError::TooLong { seconds: longest.0 / u64::from(SAMPLE_RATE) });
            }
            for heard in heard {
                segments.push(heard.segment.clone());
                told(heard);
            }
            // A recording in which nobody speaks asks nothing of the worker.
            if self.abandoned.load(Ordering::SeqCst) { Err(EngineError::Abandoned) } else { Ok(()) }
        })?;
        // There is one: the file was read to its end.
        let recording = file.identity().ok_or(EngineError::Stopped)?;
        Ok(Transcript::of_recording(recording, models.identity.clone(), language, segments))
    }
}

fn hear_one(
    engine: &Engine,
    room: RoomNumber,
    abandoned: &AtomicBool,
    samples: &[f32],
    options: &DecodeOptions,
) -> Result<Hypothesis, EngineError> {
    if abandoned.load(Ordering::SeqCst) {
        return Err(EngineError::Abandoned);
    }
    match engine.answer(room, samples.to_vec(), options.clone(), Purpose::Recording { gives_way: GIVES_WAY })? {
        Some(heard) => Ok(heard),
        None if abandoned.load(Ordering::SeqCst) => Err(EngineError::Abandoned),
        None => Err(EngineError::Stopped),
    }
}
