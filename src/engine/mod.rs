//! The loaded models and the one worker that runs them: finals of live rooms first, then partials and the utterances of recordings
//! that came whole, in the order they have waited.
//!
//! Invariant: a final is a function of its utterance's audio, the model and the settings, whatever else was asked for meanwhile.
//!
//! One worker uses all the model's threads for one job at a time, which gives each room its text soonest while rooms are few.

mod admission;
mod queue;
mod recording;
mod worker;

use std::sync::{Arc, mpsc};

pub use admission::Seat;
pub use queue::{Glimpse, Outcome, RoomNumber};
pub use recording::{Abandon, RecordingTask};

use crate::audio::AudioError;
use crate::speech::bias::WordList;
use crate::speech::endpoint::EndpointSettings;
use crate::speech::guard::Guard;
use crate::speech::model::silero_vad::SileroVad;
use crate::speech::model::{self, DecodeOptions, Hypothesis, Language, Recognizer};
use crate::speech::vad::VoiceActivity;
use crate::speech::{ModelIdentity, SpeechError, Writing};

use self::admission::Admission;
use self::queue::{Job, Purpose, Reply};
use self::worker::Worker;

/// Why the engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The machine carries no further room at the speed that was measured.
    #[error("no room is free: {open} are open, and this machine carries {most}")]
    NoRoom {
        /// Rooms open now.
        open: usize,
        /// As many as finals keep up with.
        most: usize,
    },
    /// The worker has ended, which it does only after a defect.
    #[error("the speech engine has stopped")]
    Stopped,
    /// The worker's thread could not be made.
    #[error("cannot start the speech engine: {0}")]
    Thread(std::io::Error),
    /// The model failed on this audio.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// A recording cannot be decoded.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A recording is longer than was to be heard.
    #[error("the recording is longer than {seconds} s")]
    TooLong {
        /// The longest that was to be heard.
        seconds: u64,
    },
    /// Nobody wants a recording's text any more.
    #[error("the recording is no longer wanted")]
    Abandoned,
}

/// Everything that hearing needs, loaded.
#[derive(Clone)]
pub struct Models {
    /// Which weights.
    pub identity: ModelIdentity,
    /// `exact`, `balanced` or `fast`.
    pub precision: &'static str,
    /// The speech model.
    pub recognizer: Arc<dyn Recognizer>,
    /// How finals are decoded; a room may name another language.
    pub options: DecodeOptions,
    /// When speech is an utterance.
    pub endpoint: EndpointSettings,
    /// The voice activity detector.
    pub detector: Arc<SileroVad>,
    /// How it is written down.
    pub writing: Arc<Writing>,
    /// Words that are expected in all that is heard.
    pub words: Option<Arc<WordList>>,
}

/// How one recording or session is heard.
#[derive(Clone)]
pub struct Manner {
    /// How its utterances are decoded.
    pub options: DecodeOptions,
    /// How they are written down.
    pub writing: Arc<Writing>,
    /// Where they begin and end.
    pub endpoint: EndpointSettings,
}

impl Models {
    /// What expecting these words, beside those that are expected anyway, makes of `manner`.
    ///
    /// # Errors
    /// [`SpeechError::WordList`] for a word that the model has no tokens for.
    pub fn expecting(&self, words: &WordList, manner: Manner) -> Result<Manner, SpeechError> {
        let alone = model::bias(self.recognizer.as_ref(), words)?;
        if let Some(line) = alone.unwritable().first() {
            return Err(SpeechError::WordList { line: *line, problem: "has characters that the model cannot write".to_owned() });
        }
        self.raising(words, manner)
    }

    /// The same, where words that the model has no tokens for are not raised.
    ///
    /// # Errors
    /// When the model's tokenizer fails.
    pub fn raising(&self, words: &WordList, manner: Manner) -> Result<Manner, SpeechError> {
        let joined = self.words.as_ref().map(|own| own.with(words));
        let all = joined.as_ref().unwrap_or(words);
        let bias = model::bias(self.recognizer.as_ref(), all)?;
        let writing = Arc::new(self.writing.spelling(all)?);
        Ok(Manner { options: DecodeOptions { bias: Some(Arc::new(bias)), ..manner.options }, writing, ..manner })
    }
}

/// The models, and the thread that runs them for all rooms.
pub struct Engine {
    models: Models,
    worker: Worker,
    admission: Admission,
}

impl Engine {
    /// Starts the worker and hears a few seconds of noise, to know from the first room on how fast this machine is.
    ///
    /// # Errors
    /// When the thread cannot be made or the model fails.
    pub fn start(models: Models) -> Result<Arc<Self>, EngineError> {
        let admission = Admission::default();
        let worker = Worker::start(Arc::clone(&models.recognizer), Guard::default(), admission.clone())?;
        let engine = Self { models, worker, admission };
        engine.warm_up()?;
        Ok(Arc::new(engine))
    }

    /// The loaded models.
    #[must_use]
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// A detector for one stream of one room.
    #[must_use]
    pub fn detector(&self) -> VoiceActivity {
        VoiceActivity::new(Arc::clone(&self.models.detector))
    }

    /// How a room that speaks this language is decoded; nothing: found for each utterance.
    #[must_use]
    pub fn options(&self, language: Option<Language>) -> DecodeOptions {
        DecodeOptions { language, ..self.models.options.clone() }
    }

    /// A seat for a new room.
    ///
    /// # Errors
    /// [`EngineError::NoRoom`] when finals would fall behind with one more.
    pub fn admit(&self) -> Result<Seat, EngineError> {
        self.admission.admit()
    }

    /// A seat for a room that was accepted before: never refused.
    #[must_use]
    pub fn readmit(&self) -> Seat {
        self.admission.readmit()
    }

    /// Takes so many rooms from now on, whatever the speed: for whoever knows the machine better than its first seconds do.
    pub fn fix_rooms(&self, rooms: usize) {
        self.admission.fix(rooms);
    }

    /// Rooms open now, and as many as this machine carries.
    #[must_use]
    pub fn rooms(&self) -> (usize, usize) {
        (self.admission.open(), self.admission.most())
    }

    /// Hears an utterance that has ended. Waits for its turn: before all partials, after the finals that came earlier.
    ///
    /// # Errors
    /// [`EngineError::Speech`] when the model fails, [`EngineError::Stopped`] when there is no worker any more.
    pub fn hear(&self, room: RoomNumber, samples: Vec<f32>, options: DecodeOptions) -> Result<Hypothesis, EngineError> {
        match self.answer(room, samples, options, Purpose::Final)? {
            Some(heard) => Ok(heard),
            None => Err(EngineError::Stopped),
        }
    }

    /// Waits until an utterance was heard; nothing when it was called off, or when there is no worker any more.
    fn answer(
        &self,
        room: RoomNumber,
        samples: Vec<f32>,
        options: DecodeOptions,
        purpose: Purpose,
    ) -> Result<Option<Hypothesis>, EngineError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let reply: Reply = Box::new(move |outcome| {
            // The room may have gone; then nobody waits for it.
            let _ = sender.send(outcome);
        });
        self.worker.submit(Job { room, samples, options, purpose, reply })?;
        match receiver.recv() {
            Ok(Outcome::Heard(heard)) => Ok(Some(heard)),
            Ok(Outcome::Failed(error)) => Err(error.into()),
            Ok(Outcome::Nothing) | Err(_) => Ok(None),
        }
    }

    /// Asks for a hypothesis of an utterance that still grows. It replaces the room's earlier request that still waits, whose
    /// reply never comes. The reply is called on the worker's thread and must not block.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] when there is no worker any more.
    pub fn glimpse(
        &self,
        room: RoomNumber,
        samples: Vec<f32>,
        options: DecodeOptions,
        glimpse: Glimpse,
        reply: impl FnOnce(Outcome) + Send + 'static,
    ) -> Result<(), EngineError> {
        self.worker.submit(Job { room, samples, options, purpose: Purpose::Look(glimpse), reply: Box::new(reply) })
    }

    /// The room's request became urgent: its utterance has ended, and what was asked for is its final.
    pub fn promote(&self, room: RoomNumber) {
        self.worker.promote(room);
    }

    /// Nobody needs the room's partial any more, whether it waits or runs. A reply may still come.
    pub fn forget(&self, room: RoomNumber) {
        self.worker.forget(room);
    }

    /// Five seconds of noise, once: what is loaded lazily is loaded, and the speed is known roughly.
    fn warm_up(&self) -> Result<(), EngineError> {
        let mut state = 1_u32;
        let noise = (0..80_000).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 * 0.02 - 0.01
        });
        let options = DecodeOptions { temperatures: vec![0.0], word_times: false, ..self.models.options.clone() };
        self.hear(RoomNumber::next(), noise.collect(), options)?;
        Ok(())
    }
}
