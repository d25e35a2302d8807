//! What can be told of a recording at a moment.

use std::sync::Arc;

use crate::note::Note;
use crate::speech::{Segment, Transcript};
use crate::text::PatientText;

/// The utterance that is being spoken, as far as it was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Partial {
    /// Where the utterance began, in milliseconds from the start of the recording.
    pub start_ms: u64,
    /// Whose channel it is, where the channels are named.
    pub speaker: Option<String>,
    /// Grows by appending until the utterance's final replaces it.
    pub stable: PatientText,
    /// May change.
    pub tentative: PatientText,
}

impl Partial {
    /// Whether nothing is shown.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.stable.is_blank() && self.tentative.is_blank()
    }

    /// Nothing being said from `start_ms` on.
    #[must_use]
    pub fn emptied(self, start_ms: u64) -> Self {
        Self { start_ms, stable: PatientText::default(), tentative: PatientText::default(), ..self }
    }
}

/// Both documents of a recording that is over.
#[derive(Debug)]
pub struct End {
    /// All that was said.
    pub transcript: Transcript,
    /// What came of it.
    pub note: Note,
}

/// Why a room ended before its recording did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// What was heard could not be kept: there is no space left.
    DiskFull,
    /// Something else, which the log names.
    Other,
}

/// Everything heard so far. Readers keep their own place in `finals`, so a slow one costs no memory.
#[derive(Debug, Default)]
pub struct View {
    /// In order of their ids; only appended to.
    pub finals: Vec<Arc<Segment>>,
    /// One place a channel.
    pub partials: Vec<Option<Partial>>,
    /// How many utterances have ended, with and without text.
    pub utterances: usize,
    /// How many looks at utterances that were being spoken were answered, whether or not there was something new to show.
    pub looks: usize,
    /// The note of the first so many finals.
    pub note: Option<(usize, Arc<Note>)>,
    /// Set once, when the recording is finished and both documents are in the store.
    pub end: Option<Arc<End>>,
    /// The room ended by an error; what the spool holds is safe, and can be heard again.
    pub failed: Option<Failure>,
}
