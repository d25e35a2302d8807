//! What was measured: numbers alone.

use serde::Serialize;

use super::accuracy::Score;
use super::recommend::Recommendation;
use super::{Machine, Setting, Spread, Step};

/// Name and version of the JSON report.
pub const REPORT_SCHEMA: &str = "cantoscribe/bench/1";

/// Everything that was measured in one run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`REPORT_SCHEMA`].
    pub schema: &'static str,
    /// Of this program.
    pub version: &'static str,
    /// When the run began, in UTC.
    pub at: String,
    /// How long it took, in seconds.
    pub took_seconds: f64,
    /// False when it was stopped, or something failed, before all was measured.
    pub complete: bool,
    /// What it was measured on.
    pub machine: Machine,
    /// What the models ran on: `cpu` or `cuda`.
    pub device: &'static str,
    /// What it was measured with.
    pub recordings: Used,
    /// A figure a setting, in the order measured.
    pub settings: Vec<Measured>,
    /// What to run on this machine, where one room stays real-time.
    pub recommendation: Option<Recommendation>,
}

/// The recordings that were used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Used {
    /// How many were named.
    pub listed: usize,
    /// How many of them were used; the rest was more than is held in memory.
    pub used: usize,
    /// Sound of those used, in seconds.
    pub seconds: f64,
    /// What the model was told is spoken: `yue`, `zh`, `en` or `auto`.
    pub language: String,
    /// Whether it is known what is said in them.
    pub transcripts: bool,
    /// So many of them, the first, every setting has heard: error rates are compared over these.
    pub compared: usize,
}

/// One model, precision and number of threads.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// The model's name.
    pub model: String,
    /// SHA-256 of its weights.
    pub weights_sha256: String,
    /// `exact`, `balanced` or `fast`.
    pub precision: &'static str,
    /// Threads for one utterance.
    pub threads: usize,
    /// Why it could not be measured further.
    pub failure: Option<String>,
    /// Of whole recordings.
    pub speed: Option<Speed>,
    /// Where it is known what is said. Threads do not change texts: it is measured once a model and precision.
    pub accuracy: Option<Accuracy>,
    /// Of a process of its own.
    pub cold_start: Option<ColdStart>,
    /// Nothing when not even one room was tried.
    pub rooms: Option<RoomsFound>,
    /// Every live trial, in order of the number of rooms.
    pub curve: Vec<Step>,
    /// One a recording, in the order heard.
    #[serde(skip)]
    pub(super) scores: Vec<Score>,
}

/// How fast recordings are heard, the model being loaded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Speed {
    /// How many recordings.
    pub recordings: usize,
    /// Their sound, in seconds.
    pub seconds: f64,
    /// Seconds of work for a second of sound.
    pub real_time_factor: f64,
}

/// How right the texts are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// How many recordings.
    pub recordings: usize,
    /// Characters of their transcripts.
    pub characters: usize,
    /// Wrong characters for a hundred of the transcripts'.
    pub error_rate_percent: f64,
    /// The same over the recordings that every setting has heard.
    pub compared_error_rate_percent: Option<f64>,
}

/// Starting from nothing, the file cache warm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ColdStart {
    /// How many starts; the middle one counts.
    pub starts: usize,
    /// Length of the recording, in seconds.
    pub recording_seconds: f64,
    /// From starting the process to its text, in milliseconds.
    pub first_text_ms: f64,
    /// The most memory a start held, mapped weights included, in bytes; where the system tells.
    pub peak_memory_bytes: Option<u64>,
}

/// How many rooms at once stay real-time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RoomsFound {
    /// The most that did; 0 when not even one.
    pub most: usize,
    /// The fewest that did not; nothing when none failed.
    pub failed: Option<usize>,
    /// Whether the search came to its end: otherwise more may stay real-time.
    pub exact: bool,
}

impl Measured {
    /// A setting of which nothing is known yet.
    pub(super) fn new(setting: &Setting, weights_sha256: &str) -> Self {
        Self {
            model: setting.model.clone(),
            weights_sha256: weights_sha256.to_owned(),
            precision: setting.precision.name(),
            threads: setting.threads,
            failure: None,
            speed: None,
            accuracy: None,
            cold_start: None,
            rooms: None,
            curve: Vec::new(),
            scores: Vec::new(),
        }
    }

    /// For a reader.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} · {} · {}", self.model, self.precision, threads(self.threads))
    }

    /// The trial of one room.
    #[must_use]
    pub fn one_room(&self) -> Option<&Step> {
        self.curve.iter().find(|step| step.rooms == 1)
    }

    /// The error rate that can be compared with others, in per cent.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        self.accuracy.and_then(|accuracy| accuracy.compared_error_rate_percent)
    }

    /// Scores of recordings as error rates, the first `compared` of them for comparing.
    pub(super) fn settle_accuracy(&mut self, compared: usize) {
        let rate = Score::error_rate_percent(&self.scores);
        self.accuracy = rate.map(|error_rate_percent| Accuracy {
            recordings: self.scores.len(),
            characters: self.scores.iter().map(|score| score.characters).sum(),
            error_rate_percent,
            compared_error_rate_percent: self.scores.get(..compared).and_then(Score::error_rate_percent),
        });
    }

    /// The p95 from endpoint to final with one room, in milliseconds.
    pub(super) fn final_p95_ms(&self) -> Option<f64> {
        self.one_room()?.endpoint_to_final.map(|spread: Spread| spread.p95_ms)
    }
}

/// `1 thread`, `2 threads`.
pub(super) fn threads(count: usize) -> String {
    if count == 1 { "1 thread".to_owned() } else { format!("{count} threads") }
}
