//! Hearing whole recordings, as `transcribe` does, in one process with the model loaded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::accuracy::{Score, Scorer};
use super::recordings::Loaded;
use super::{BenchError, Stop, Watch};
use crate::audio::SAMPLE_RATE;
use crate::engine::Models;
use crate::speech::guard::{Guard, recognise};
use crate::speech::vad::VoiceActivity;
use crate::speech::{HeardSegment, Session};
use crate::text::PatientText;

/// What came of hearing recordings.
pub(super) struct HeardAll {
    /// How many were heard.
    pub recordings: usize,
    /// Their sound, in seconds.
    pub seconds: f64,
    /// How long that took.
    pub spent: Duration,
    /// One a recording, where there are transcripts.
    pub scores: Vec<Score>,
}

/// Hears the recordings in their order until the time is up, one at least, and scores them where their words are known.
pub(super) fn hear(
    models: &Models,
    recordings: &[Loaded],
    scorer: Option<&Scorer>,
    limit: Option<Duration>,
    stop: &Stop,
    watch: &dyn Watch,
) -> Result<HeardAll, BenchError> {
    watch.stage("hearing recordings", recordings.len() as u64);
    let mut all = HeardAll { recordings: 0, seconds: 0.0, spent: Duration::ZERO, scores: Vec::new() };
    for recording in recordings {
        let time_is_up = all.recordings > 0 && limit.is_some_and(|limit| all.spent >= limit);
        if time_is_up || stop.asked() {
            break;
        }
        let begin = Instant::now();
        let heard = hear_one(models, recording)?;
        all.spent += begin.elapsed();
        all.seconds += recording.seconds();
        all.recordings += 1;
        if let (Some(scorer), Some(reference)) = (scorer, &recording.transcript) {
            all.scores.push(scorer.score(reference, &heard));
        }
        watch.at(all.recordings as u64);
    }
    Ok(all)
}

/// The text of a recording: its utterances, heard and guarded one by one, in Hong Kong's characters.
pub(super) fn hear_one(models: &Models, recording: &Loaded) -> Result<PatientText, BenchError> {
    let (recognizer, options, guard) = (Arc::clone(&models.recognizer), models.options.clone(), Guard::default());
    let mut session = Session::new(
        Box::new(VoiceActivity::new(Arc::clone(&models.detector))),
        Box::new(move |samples| recognise(recognizer.as_ref(), samples, &options, &guard)),
        Arc::clone(&models.writing),
        models.endpoint.clone(),
    )?;
    let mut segments: Vec<HeardSegment> = Vec::new();
    for second in recording.samples.chunks(SAMPLE_RATE as usize) {
        segments.extend(session.push(second)?);
    }
    segments.extend(session.finish()?);
    let lines: Vec<&str> = segments.iter().map(|heard| heard.segment.text.reveal()).collect();
    Ok(PatientText::from(lines.join("\n")))
}
