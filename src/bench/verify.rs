//! Whether an installed model hears as well as is published of it.

use std::path::Path;

use super::BenchError;
use super::accuracy::{Score, Scorer};
use super::recordings::{Listed, load};
use super::setting::{Common, Setting, speech_models};
use super::speed::hear_one;
use crate::models::find_installed;
use crate::speech::model::{DeviceChoice, Language, Precision};

/// So many times what is published, and so many points more, is far off: recordings differ, but not by that much.
const TIMES: f64 = 1.5;
const POINTS: f64 = 5.0;

/// What came of hearing recordings whose words are known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verified {
    /// How many were heard.
    pub recordings: usize,
    /// Their sound, in seconds.
    pub seconds: f64,
    scores: Vec<Score>,
}

impl Verified {
    /// Wrong characters in per cent; nothing when the transcripts have no character.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        Score::error_rate_percent(&self.scores)
    }

    /// Characters of the transcripts.
    #[must_use]
    pub fn characters(&self) -> usize {
        self.scores.iter().map(|score| score.characters).sum()
    }
}

/// The names of the speech models that are asked for, or of all that are installed.
///
/// # Errors
/// A model that is not installed, damaged or unknown; none at all.
pub fn speech_model_names(folder: &Path, asked: &[String]) -> Result<Vec<String>, BenchError> {
    Ok(speech_models(folder, asked)?.into_iter().map(|candidate| candidate.asked).collect())
}

/// Hears the recordings as `transcribe` does by default, one after another, and scores them.
///
/// # Errors
/// A model or the voice activity detector that cannot be used, a recording that cannot be heard.
pub fn hear_and_score(
    folder: &Path,
    model: &str,
    language: Option<Language>,
    recordings: &[Listed],
) -> Result<Verified, BenchError> {
    let (common, scorer) = (Common::load(folder, language, DeviceChoice::default())?, Scorer::load()?);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let setting = Setting { model: model.to_owned(), precision: Precision::default(), threads };
    let models = common.models(&setting, &find_installed(folder, model)?)?;
    let mut verified = Verified::default();
    for listed in recordings {
        for recording in load(std::slice::from_ref(listed), f64::INFINITY)? {
            let heard = hear_one(&models, &recording)?;
            verified.recordings += 1;
            verified.seconds += recording.seconds();
            verified.scores.extend(recording.transcript.as_ref().map(|said| scorer.score(said, &heard)));
        }
    }
    Ok(verified)
}

/// Whether an error rate is far above the worst of those published; nothing where none is.
#[must_use]
pub fn is_far_off(percent: f64, published: &[f64]) -> Option<bool> {
    let worst = published.iter().copied().reduce(f64::max)?;
    Some(percent > worst * TIMES + POINTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_off_is_judged_by_the_worst_that_is_published() {
        assert_eq!(is_far_off(19.0, &[8.05, 9.95]), Some(false));
        assert_eq!(is_far_off(20.0, &[8.05, 9.95]), Some(true));
        assert_eq!(is_far_off(3.0, &[8.05]), Some(false));
        assert_eq!(is_far_off(50.0, &[]), None);
    }
}
