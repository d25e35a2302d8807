//! Whisper, in Hugging Face's layout: `config.json`, `generation_config.json` (optional), `tokenizer.json` and the weights.
//!
//! Every published size follows from the configuration alone. The arithmetic is that of OpenAI's model
//! (<https://arxiv.org/abs/2212.04356>): log-mel of the padded audio, erf GELU, pre-norm layers.

mod align;
mod config;
mod decode;
mod decoder;
mod encoder;
mod random;
mod rules;
mod vocabulary;

use std::path::Path;

use rayon::ThreadPool;

use self::config::{Config, FRAMES_PER_POSITION, GenerationConfig, HOP};
use self::decode::Limits;
use self::decoder::{Audio, Decoder};
use self::encoder::Encoder;
use self::rules::Rules;
use self::vocabulary::Vocabulary;
use super::byte_level::spellings;
use super::expect::Reading;
use super::layers::Arithmetic;
use super::packed::Packer;
use super::sequence::Sequence;
use super::weights::Weights;
use super::{
    Capabilities, Context, DecodeOptions, Hypothesis, Language, LoadOptions, RawHypothesis, Recognizer, Search, Utterance,
    check_finite, check_length, pool,
};
use crate::audio::LogMel;
use crate::speech::SpeechError;
use crate::text::PatientText;

/// `model_type` in `config.json`.
pub const FAMILY: &str = "whisper";
/// What a short context holds after the last sample, as silence: the model ends a text only when it hears that it ended. With one second
/// 17 of the 63 utterances in the Cantonese clips of `audio/` looped or were improbable, and needed the whole window; with two, 13.
const SILENCE_AFTER_SPEECH: usize = 32_000;

/// A loaded Whisper.
pub struct Whisper {
    capabilities: Capabilities,
    config: Config,
    mel: LogMel,
    encoder: Encoder,
    decoder: Decoder,
    vocabulary: Vocabulary,
    rules: Rules,
    /// For [`Recognizer::raw`].
    raw_rules: Rules,
    alignment_heads: Vec<(usize, usize)>,
    pool: ThreadPool,
}

impl Whisper {
    /// Loads the checkpoint in `folder`.
    ///
    /// # Errors
    /// A missing, damaged or unsupported file, named with the tensor or key that is wrong.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, SpeechError> {
        let pool = pool(options)?;
        let config = Config::load(folder)?;
        let generation = GenerationConfig::load(folder)?;
        let vocabulary = Vocabulary::load(folder, &config)?;
        let arithmetic = Arithmetic::new(options, pool.current_num_threads())?;
        let (encoder, decoder) = pool.install(|| networks(&Weights::open(folder, options)?, &config, &arithmetic))?;
        let capabilities = Capabilities {
            family: FAMILY,
            languages: Language::ALL.into_iter().filter(|language| vocabulary.language(*language).is_some()).collect(),
            longest: config.window_samples(),
            word_list: true,
            prompt: vocabulary.previous.is_some(),
            word_times: true,
            short_context: true,
            sampling: true,
        };
        Ok(Self {
            capabilities,
            mel: LogMel::new(config.num_mel_bins),
            encoder,
            decoder,
            rules: Rules::new(&config, &generation, &vocabulary),
            raw_rules: Rules::of_checkpoint(&config, &generation, &vocabulary),
            alignment_heads: generation.alignment_heads(&config),
            vocabulary,
            config,
            pool,
        })
    }

    /// Gathers the weights of the checkpoint in `folder` as the operators of these options take them.
    ///
    /// # Errors
    /// As [`Whisper::load`].
    pub fn pack(folder: &Path, options: &LoadOptions) -> Result<Packer, SpeechError> {
        let pool = pool(options)?;
        let config = Config::load(folder)?;
        let arithmetic = Arithmetic::new(options, pool.current_num_threads())?;
        pool.install(|| {
            let weights = Weights::to_pack(folder)?;
            networks(&weights, &config, &arithmetic)?;
            Ok(weights.into_packer())
        })
    }

    /// Encodes samples that fit into one window.
    fn listen(&self, samples: &[f32], context: Context) -> Result<Audio, SpeechError> {
        let window = self.config.window_samples();
        let padded = match context {
            Context::Full => window,
            Context::Speech => (samples.len() + SILENCE_AFTER_SPEECH).next_multiple_of(FRAMES_PER_POSITION * HOP).min(window),
        };
        let mel = self.mel.compute(samples, Some(padded));
        Ok(self.decoder.listen(&self.encoder.forward(&mel)?)?)
    }
}

impl Whisper {
    /// How likely it is that nothing was said, and the text that is found after `prefix`.
    fn search(
        &self,
        audio: &Audio,
        prefix: (&[u32], usize),
        options: &DecodeOptions,
        (temperature, seed): (f32, u64),
        limits: &Limits,
    ) -> Result<(f32, Sequence), SpeechError> {
        let begun = self.begin(audio, prefix)?;
        let no_speech = begun.no_speech_probability;
        let bias = options.bias.as_deref();
        let reading = match options.search {
            _ if temperature > 0.0 => self.sampled(audio, begun, (options.best_of.max(1), temperature, seed), limits)?,
            Search::Beam(width) if width > 1 => self.beam(audio, begun, width, limits)?,
            Search::Beam(_) | Search::Greedy => match bias {
                // In one pass: the reading and the list's words beside it.
                Some(bias) => {
                    let reading = Reading::Greedy(Sequence::default());
                    return Ok((no_speech, self.expecting(audio, begun, (bias, reading), limits)?));
                }
                None => self.greedy(audio, begun, limits)?,
            },
        };
        let sequence = match bias {
            Some(bias) => self.expecting(audio, self.begin(audio, prefix)?, (bias, Reading::Found(reading)), limits)?,
            None => reading,
        };
        Ok((no_speech, sequence))
    }
}

fn networks(weights: &Weights, config: &Config, arithmetic: &Arithmetic) -> Result<(Encoder, Decoder), SpeechError> {
    let encoder = Encoder::load(weights, config, &arithmetic.for_encoder())?;
    Ok((encoder, Decoder::load(weights, config, arithmetic)?))
}

impl Recognizer for Whisper {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn spell(&self, text: &PatientText) -> Result<Vec<Vec<u32>>, SpeechError> {
        spellings(text.reveal()).into_iter().map(|way| self.vocabulary.encode(&PatientText::from(way))).collect()
    }

    /// Audio longer than the window is decoded window by window, each on its own.
    fn raw(&self, samples: &[f32], language: Option<Language>) -> Result<RawHypothesis, SpeechError> {
        check_finite(samples)?;
        self.pool.install(|| {
            let mut tokens = Vec::new();
            let mut found = language;
            // No samples are one window of silence.
            let windows = samples.chunks(self.config.window_samples()).chain(samples.is_empty().then_some(samples));
            for window in windows {
                let audio = self.listen(window, Context::Full)?;
                let language = match found {
                    Some(language) => language,
                    None => *found.insert(self.find_language(&audio)?),
                };
                let (prefix, start) = self.prefix(language, None)?;
                let tokens_left = self.config.max_target_positions.saturating_sub(prefix.len());
                let limits = Limits { tokens: tokens_left, rules: &self.raw_rules, give_up: &|_| false };
                let begun = self.begin(&audio, (&prefix, start))?;
                tokens.extend(self.greedy(&audio, begun, &limits)?.tokens);
            }
            let text = self.vocabulary.decode(&tokens);
            Ok(RawHypothesis { text, tokens, language: found.unwrap_or(Language::Cantonese) })
        })
    }

    fn open<'a>(&'a self, samples: &'a [f32], context: Context) -> Result<Box<dyn Utterance + 'a>, SpeechError> {
        check_length(samples, self.capabilities.longest)?;
        check_finite(samples)?;
        let audio = self.pool.install(|| self.listen(samples, context))?;
        Ok(Box::new(Opened { model: self, samples, audio, seed: random::seed(samples), language: None }))
    }
}

/// An utterance whose keys and values every attempt shares.
struct Opened<'a> {
    model: &'a Whisper,
    samples: &'a [f32],
    audio: Audio,
    seed: u64,
    /// Found once, where none was asked for.
    language: Option<Language>,
}

impl Utterance for Opened<'_> {
    fn attempt(
        &mut self,
        options: &DecodeOptions,
        temperature: f32,
        give_up: &(dyn Fn(&[u32]) -> bool + Sync),
    ) -> Result<Hypothesis, SpeechError> {
        let Self { model, audio, seed, .. } = self;
        let (hypothesis, language) = model.pool.install(|| {
            let language = match options.language.or(self.language) {
                Some(language) => language,
                None => model.find_language(audio)?,
            };
            let (prefix, start) = model.prefix(language, options.prompt.as_ref())?;
            // Half the positions, as OpenAI's Whisper: the other half is the prompt's.
            let positions = model.config.max_target_positions;
            let tokens = (positions / 2).min(positions.saturating_sub(prefix.len()));
            let limits = Limits { tokens, rules: &model.rules, give_up };
            let (no_speech_probability, sequence) =
                model.search(audio, (&prefix, start), options, (temperature, *seed), &limits)?;
            let hypothesis = Hypothesis {
                text: model.vocabulary.decode(&sequence.tokens).reveal().trim().into(),
                average_log_probability: sequence.average_log_probability(),
                probabilities: sequence.log_probabilities.iter().map(|value| value.exp()).collect(),
                tokens: sequence.tokens,
                words: Vec::new(),
                tags: Vec::new(),
                no_speech_probability,
                temperature,
                language,
            };
            Ok::<_, SpeechError>((hypothesis, language))
        })?;
        self.language = Some(language);
        Ok(hypothesis)
    }

    fn align(&mut self, hypothesis: &mut Hypothesis) -> Result<(), SpeechError> {
        let Self { model, samples, audio, .. } = self;
        hypothesis.words = model.pool.install(|| model.timed_words(audio, hypothesis, samples.len()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
