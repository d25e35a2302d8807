//! One stream of samples of a room: its utterances, and what is shown of the one that grows.

use crate::audio::{SAMPLE_RATE, SampleIndex};
use crate::engine::Glimpse;
use crate::speech::SpeechError;
use crate::speech::agreement::{Agreement, AgreementSettings};
use crate::speech::endpoint::EndpointSettings;
use crate::speech::looks;
use crate::speech::model::Hypothesis;
use crate::speech::segmenter::{HeardUtterance, Segmenter};
use crate::speech::vad::VoiceActivity;

/// The part of a pause after which it is taken for the end of the utterance, in percent: speakers often go on after half of it.
const PAUSE_TOLD: u64 = 80;

/// Which audio a look was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub start: SampleIndex,
    pub end: SampleIndex,
}

/// A look that is worth asking for.
pub(super) struct Look {
    pub glimpse: Glimpse,
    pub range: Range,
    pub samples: Vec<f32>,
    /// What it may go on from: [`crate::speech::model::DecodeOptions::begun`].
    pub begun: Vec<(u32, f32)>,
}

/// The utterances of one channel.
pub(super) struct Channel {
    pub speaker: Option<String>,
    segmenter: Segmenter,
    agreement: Agreement,
    /// What was last looked at.
    looked: Option<(Range, Glimpse)>,
    /// What the next look at the growing utterance may go on from.
    begun: Vec<(u32, f32)>,
    foreseen: Option<Foreseen>,
    /// Samples of silence after which what is foreseen is shown as stable.
    settles_after: u64,
}

/// What an utterance's final is, if it ends as it stands.
struct Foreseen {
    range: Range,
    heard: Hypothesis,
    /// The same in Hong Kong's characters, until it was shown as stable.
    shown: Option<Hypothesis>,
}

impl Channel {
    pub fn new(speaker: Option<String>, detector: VoiceActivity, settings: EndpointSettings) -> Result<Self, SpeechError> {
        let settles_after = u64::from(settings.pause_ms) * u64::from(SAMPLE_RATE) / 1_000 * PAUSE_TOLD / 100;
        Ok(Self {
            speaker,
            segmenter: Segmenter::new(Box::new(detector), settings)?,
            agreement: Agreement::new(AgreementSettings::default()),
            looked: None,
            begun: Vec::new(),
            foreseen: None,
            settles_after,
        })
    }

    /// Takes samples of 16 kHz and gives the utterances that ended.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<HeardUtterance>, SpeechError> {
        self.segmenter.push(samples)
    }

    /// The take is over.
    pub fn finish(&mut self) -> Result<Vec<HeardUtterance>, SpeechError> {
        self.segmenter.finish()
    }

    /// What would be worth looking at now, if anything.
    pub fn look(&self) -> Option<Look> {
        let growing = self.segmenter.growing()?;
        let range = Range { start: growing.start, end: growing.end };
        let look = |glimpse, begun| Look { glimpse, range, samples: growing.samples.to_vec(), begun };
        if growing.complete {
            return (self.looked != Some((range, Glimpse::Complete))).then(|| look(Glimpse::Complete, Vec::new()));
        }
        let seen = match self.looked {
            Some((looked, _)) if looked.start == range.start => looked.end.0.saturating_sub(range.start.0),
            _ => 0,
        };
        looks::is_due(&growing, self.segmenter.position(), seen).then(|| look(Glimpse::Growing, self.begun.clone()))
    }

    /// A look was asked for.
    pub fn asked(&mut self, range: Range, glimpse: Glimpse) {
        self.looked = Some((range, glimpse));
        // Should nothing come of it, the one after it hears all anew.
        self.begun.clear();
    }

    /// Takes what a look gave, in Hong Kong's characters; tells whether there is something new to show.
    pub fn saw(&mut self, range: Range, glimpse: Glimpse, shown: &Hypothesis, heard: Hypothesis) -> bool {
        let Some(growing) = self.segmenter.growing().filter(|growing| growing.start == range.start) else { return false };
        let samples = usize::try_from(range.end.0.saturating_sub(range.start.0)).unwrap_or(usize::MAX);
        self.agreement.update(shown, samples);
        // Somebody may have spoken on while the model was at it: then it was one more look at an utterance that grows.
        if glimpse == Glimpse::Complete && growing.complete && growing.end == range.end {
            self.foreseen = Some(Foreseen { range, heard, shown: Some(shown.clone()) });
            self.settle();
        } else {
            self.begun = looks::begun(heard, samples);
        }
        true
    }

    /// Makes what is foreseen stable once the pause is long enough; tells whether there is something new to show.
    pub fn settle(&mut self) -> bool {
        let Some(growing) = self.segmenter.growing() else { return false };
        let silence = self.segmenter.position().0.saturating_sub(growing.speech_end.0);
        let stands = |range: Range| growing.complete && range == Range { start: growing.start, end: growing.end };
        let Some(foreseen) = self.foreseen.as_mut().filter(|foreseen| stands(foreseen.range)) else { return false };
        let shown = if silence >= self.settles_after { foreseen.shown.take() } else { None };
        shown.inspect(|shown| self.agreement.complete(shown)).is_some()
    }

    /// What to show of the utterance that grows: where it began, stable and tentative text.
    pub fn shown(&self) -> Option<(SampleIndex, &Agreement)> {
        let growing = self.segmenter.growing()?;
        let nothing = self.agreement.stable().is_blank() && self.agreement.tentative().is_blank();
        (!nothing).then_some((growing.start, &self.agreement))
    }

    /// An utterance ended: what is known of it already, if it is exactly what was looked at.
    pub fn conclude(&mut self, range: Range) -> Option<Hypothesis> {
        self.agreement = Agreement::new(AgreementSettings::default());
        self.looked = None;
        self.begun.clear();
        self.foreseen.take().filter(|foreseen| foreseen.range == range).map(|foreseen| foreseen.heard)
    }
}
