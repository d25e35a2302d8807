//! A transcript in the forms that OpenAI gives it.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::speech::guard::compression_ratio;
use crate::speech::model::Language;
use crate::speech::transcript::{line, to_text};
use crate::speech::{HeardSegment, Segment, Transcript, Word};
use crate::text::PatientText;

/// `json`.
#[derive(Serialize, ToSchema)]
#[schema(as = Transcription)]
pub(super) struct Plain {
    /// All that was said.
    #[schema(value_type = String)]
    text: PatientText,
    usage: Usage,
}

/// How long the recording was.
#[derive(Serialize, ToSchema)]
struct Usage {
    #[serde(rename = "type")]
    kind: &'static str,
    /// Rounded up.
    seconds: u64,
}

/// `verbose_json`.
#[derive(Serialize, ToSchema)]
#[schema(as = TranscriptionVerbose)]
pub(super) struct Verbose {
    task: &'static str,
    /// In English, as OpenAI names it: the one asked for, or the one that most was said in.
    language: &'static str,
    /// Seconds.
    duration: f64,
    #[schema(value_type = String)]
    text: PatientText,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Vec<VerboseSegment>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<VerboseWord>>,
    usage: Usage,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TranscriptionSegment)]
struct VerboseSegment {
    id: u64,
    /// Where the utterance begins, in hundredths of a second.
    seek: u64,
    start: f64,
    end: f64,
    #[schema(value_type = String)]
    text: PatientText,
    /// Ids of the model's own characters, which may not yet be Hong Kong's.
    tokens: Vec<u32>,
    temperature: f32,
    avg_logprob: f32,
    compression_ratio: f32,
    no_speech_prob: f32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TranscriptionWord)]
struct VerboseWord {
    #[schema(value_type = String)]
    word: PatientText,
    start: f64,
    end: f64,
}

/// A JSON answer.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TranscriptionAnswer)]
pub(super) enum Answer {
    /// `json`
    Plain(Plain),
    /// `verbose_json`
    Verbose(Verbose),
}

/// An event of a stream.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type")]
#[schema(as = TranscriptionEvent)]
pub(super) enum Event {
    #[serde(rename = "transcript.text.delta")]
    Delta {
        #[schema(value_type = String)]
        delta: PatientText,
    },
    #[serde(rename = "transcript.text.done")]
    Done {
        #[schema(value_type = String)]
        text: PatientText,
    },
}

/// The text and no more.
pub(super) fn plain(transcript: &Transcript) -> Plain {
    Plain { text: to_text(transcript).into(), usage: usage(transcript) }
}

/// Everything that is known of it. `asked` is the language that was asked for.
pub(super) fn verbose(
    transcript: &Transcript,
    heard: Vec<HeardSegment>,
    asked: Option<Language>,
    (words, segments): (bool, bool),
) -> Verbose {
    let language = asked.or_else(|| most_spoken(&heard)).unwrap_or_default();
    let timed = |word: &Word| VerboseWord { word: word.text.clone(), start: seconds(word.start_ms), end: seconds(word.end_ms) };
    let all_words = || transcript.segments.iter().flat_map(|segment| segment.words.iter().flatten()).map(timed).collect();
    Verbose {
        task: "transcribe",
        language: in_english(language),
        duration: seconds(duration_ms(transcript)),
        text: to_text(transcript).into(),
        words: words.then(all_words),
        segments: segments.then(|| heard.into_iter().map(verbose_segment).collect()),
        usage: usage(transcript),
    }
}

/// What a segment adds to the text, so that the deltas one after another are the text of the whole. Nothing where it adds nothing.
pub(super) fn delta(segment: &Segment, is_first: bool) -> Option<Event> {
    let line = line(segment);
    let delta = if is_first { line } else { format!(" {line}") };
    (!delta.trim().is_empty()).then(|| Event::Delta { delta: delta.into() })
}

/// The end of a stream.
pub(super) fn done(transcript: &Transcript) -> Event {
    Event::Done { text: to_text(transcript).into() }
}

fn verbose_segment(heard: HeardSegment) -> VerboseSegment {
    let HeardSegment { segment, reading } = heard;
    let start_ms = segment.start_ms.unwrap_or_default();
    VerboseSegment {
        id: segment.id,
        seek: start_ms / 10,
        start: seconds(start_ms),
        end: seconds(segment.end_ms.unwrap_or_default()),
        compression_ratio: compression_ratio(segment.text.reveal()),
        text: segment.text,
        tokens: reading.tokens,
        temperature: reading.temperature,
        avg_logprob: reading.average_log_probability,
        no_speech_prob: reading.no_speech_probability,
    }
}

fn most_spoken(heard: &[HeardSegment]) -> Option<Language> {
    let mut spoken: HashMap<Language, u64> = HashMap::new();
    for HeardSegment { segment, reading } in heard {
        let length = segment.end_ms.unwrap_or_default().saturating_sub(segment.start_ms.unwrap_or_default());
        *spoken.entry(reading.language).or_default() += length;
    }
    // In a fixed order, so that a tie has one outcome.
    Language::ALL.into_iter().filter(|language| spoken.contains_key(language)).max_by_key(|language| spoken.get(language))
}

fn in_english(language: Language) -> &'static str {
    match language {
        Language::Cantonese => "cantonese",
        Language::Mandarin => "chinese",
        Language::English => "english",
    }
}

fn duration_ms(transcript: &Transcript) -> u64 {
    transcript.audio.as_ref().map_or(0, |audio| audio.duration_ms)
}

fn usage(transcript: &Transcript) -> Usage {
    Usage { kind: "duration", seconds: duration_ms(transcript).div_ceil(1000) }
}

fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

#[cfg(test)]
mod tests;
