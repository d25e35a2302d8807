//! Qwen3-ForcedAligner: where in the audio each word of a text was said. Its network is that of Qwen3-ASR, with a head that tells times
//! in place of tokens; each word of its prompt is followed by two marks, and what the head tells there is where it begins and ends.
//!
//! The arithmetic is that of the `qwen-asr` package (`inference/qwen3_forced_aligner.py`).

use std::ops::Range;
use std::path::Path;

use candle_core::Tensor;

use super::config::{Config, Times};
use super::network::Network;
use super::repair::in_order;
use super::units::{Unit, units};
use super::vocabulary::tokens;
use crate::audio::SAMPLE_RATE;
use crate::speech::SpeechError;
use crate::speech::model::layers::Arithmetic;
use crate::speech::model::logits::argmax;
use crate::speech::model::qwen3::Tokens;
use crate::speech::model::words::{WordTokens, mean, whole_characters};
use crate::speech::model::{HeardWord, LoadOptions};

/// Samples of the longest audio that the package gives it, three minutes.
pub const LONGEST: usize = 180 * SAMPLE_RATE as usize;
/// Samples of a millisecond.
const MILLISECOND: f64 = SAMPLE_RATE as f64 / 1000.0;

/// A loaded forced aligner.
pub struct Aligner {
    network: Network,
    tokens: Tokens,
    times: Times,
    /// Stand around the audio.
    audio: [u32; 2],
}

impl Aligner {
    /// Loads the checkpoint in `folder`, to run on the threads that it is called on.
    ///
    /// # Errors
    /// A missing, damaged or unsupported file, named with the tensor or key that is wrong; a checkpoint of no aligner.
    pub fn load(folder: &Path, options: &LoadOptions, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let config = Config::load(folder)?;
        let times = config.times.ok_or_else(|| SpeechError::Format {
            path: folder.join("config.json"),
            problem: "it is not that of a forced aligner".to_owned(),
        })?;
        let tokens = tokens(folder, &config)?;
        tokens.find_as("<timestamp>", ("timestamp_token_id", times.token))?;
        Ok(Self {
            network: Network::load(folder, options, &config, arithmetic)?,
            audio: [tokens.find("<|audio_start|>")?, tokens.find("<|audio_end|>")?],
            tokens,
            times,
        })
    }

    /// The words of a text, as the bytes of its tokens and their probabilities, with where in `samples` they were said.
    ///
    /// # Errors
    /// A failing computation.
    pub fn words<'a>(
        &self,
        samples: &[f32],
        pieces: impl Iterator<Item = &'a [u8]>,
        probabilities: &[f32],
    ) -> Result<Vec<HeardWord>, SpeechError> {
        let characters = whole_characters(pieces);
        let text: String = characters.iter().map(|character| character.text.as_str()).collect();
        let units = units(&text);
        let times = self.times(samples, &units)?;
        let words = units.iter().zip(times).map(|(unit, samples)| HeardWord {
            text: text.get(unit.bytes.clone()).unwrap_or_default().trim().into(),
            samples,
            probability: mean(probabilities.get(tokens_of(&unit.bytes, &characters)).unwrap_or_default()),
        });
        Ok(words.collect())
    }

    /// Where in `samples` each unit was said.
    fn times(&self, samples: &[f32], units: &[Unit]) -> Result<Vec<Range<usize>>, SpeechError> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        let logits: Vec<Vec<f32>> = self.logits(samples, units)?.to_vec2()?;
        let bins = logits.iter().map(|logits| argmax(logits).unwrap_or_default());
        let times = in_order(&bins.map(|bin| self.milliseconds(bin)).collect::<Vec<_>>());
        // The package leaves out what is less than a millisecond.
        let places = times.iter().map(|time| ((time.trunc() * MILLISECOND) as usize).min(samples.len()));
        let places: Vec<usize> = places.collect();
        Ok(places.as_chunks().0.iter().map(|[begin, end]| *begin..*end).collect())
    }

    /// Where a bin begins. In 32 bits, as the package has it.
    fn milliseconds(&self, bin: u32) -> f64 {
        f64::from(bin as f32 * self.times.step)
    }

    /// How likely it is that each unit begins, and then ends, in each bin: (2 x units, bins).
    fn logits(&self, samples: &[f32], units: &[Unit]) -> Result<Tensor, SpeechError> {
        let (ids, marks) = self.prompt(units)?;
        let audio = self.network.listen(samples, false)?;
        let [start, _] = self.audio;
        let first = 1 + audio.dim(0)?;
        let rows = self.network.prompt(&[start], &audio, &ids)?;
        let states = self.network.decoder.forward(&rows, 1, &mut self.network.decoder.cache())?;
        let marks = marks.into_iter().map(|mark| u32::try_from(first + mark)).collect::<Result<Vec<_>, _>>();
        let marks = Tensor::new(marks.map_err(candle_core::Error::from)?, states.device())?;
        Ok(self.network.decoder.logits(&states.index_select(&marks, 0)?)?)
    }

    /// What follows the audio, and the places in it where times are told.
    fn prompt(&self, units: &[Unit]) -> Result<(Vec<u32>, Vec<usize>), SpeechError> {
        let [_, end] = self.audio;
        let (mut ids, mut marks) = (vec![end], Vec::with_capacity(2 * units.len()));
        for unit in units {
            ids.extend(self.tokens.encode(unit.spoken.reveal())?);
            marks.extend([ids.len(), ids.len() + 1]);
            ids.extend([self.times.token; 2]);
        }
        Ok((ids, marks))
    }
}

/// The tokens that some bytes of a text come from, of which `characters` are all.
fn tokens_of(bytes: &Range<usize>, characters: &[WordTokens]) -> Range<usize> {
    let mut end = 0;
    let overlapping = characters.iter().filter(|character| {
        let begin = end;
        end += character.text.len();
        begin < bytes.end && end > bytes.start
    });
    let tokens = overlapping.map(|character| character.tokens.clone());
    tokens.reduce(|all, next| all.start..next.end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
