//! Whisper, in Hugging Face's layout: `config.json`, `generation_config.json` (optional), `tokenizer.json` and the weights.
//!
//! Every published size follows from the configuration alone. The arithmetic is that of OpenAI's model
//! (<https://arxiv.org/abs/2212.04356>): log-mel of the padded audio, erf GELU, pre-norm layers.

mod config;
mod decode;
mod decoder;
mod encoder;
mod rules;
mod vocabulary;

use std::path::Path;

use candle_core::Tensor;
use rayon::{ThreadPool, ThreadPoolBuilder};

use self::config::{Config, FRAMES_PER_POSITION, GenerationConfig, HOP};
use self::decoder::{Audio, Decoder};
use self::encoder::Encoder;
use self::rules::Rules;
use self::vocabulary::Vocabulary;
use super::weights::Weights;
use super::{Capabilities, Context, Language, LoadOptions, RawHypothesis, Recognizer, Utterance};
use crate::audio::mel::LogMel;
use crate::speech::SpeechError;

/// `model_type` in `config.json`.
pub const FAMILY: &str = "whisper";
/// What a short context holds after the last sample, as silence: the model ends a text only when it hears that it ended.
const SILENCE_AFTER_SPEECH: usize = 16_000;

/// A loaded Whisper.
pub struct Whisper {
    capabilities: Capabilities,
    config: Config,
    mel: LogMel,
    encoder: Encoder,
    decoder: Decoder,
    vocabulary: Vocabulary,
    rules: Rules,
    alignment_heads: Vec<(usize, usize)>,
    pool: ThreadPool,
}

impl Whisper {
    /// Loads the checkpoint in `folder`.
    ///
    /// # Errors
    /// A missing, damaged or unsupported file, named with the tensor or key that is wrong.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, SpeechError> {
        let threads = options.threads.unwrap_or(0);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| SpeechError::Threads { threads, problem: error.to_string() })?;
        let config = Config::load(folder)?;
        let generation = GenerationConfig::load(folder)?;
        let vocabulary = Vocabulary::load(folder, &config)?;
        let (encoder, decoder) = pool.install(|| {
            let weights = Weights::open(folder, &options.device)?;
            let encoder = Encoder::load(&weights, &config, options.precision, &options.device)?;
            let decoder = Decoder::load(&weights, &config, options.precision, &options.device)?;
            Ok::<_, SpeechError>((encoder, decoder))
        })?;
        let capabilities = Capabilities {
            family: FAMILY,
            languages: Language::ALL.into_iter().filter(|language| vocabulary.language(*language).is_some()).collect(),
            longest: config.window_samples(),
            prompt: vocabulary.previous.is_some(),
            word_times: true,
            short_context: true,
        };
        Ok(Self {
            capabilities,
            mel: LogMel::new(config.num_mel_bins),
            encoder,
            decoder,
            rules: Rules::new(&config, &generation, &vocabulary),
            alignment_heads: generation.alignment_heads(&config),
            vocabulary,
            config,
            pool,
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

impl Recognizer for Whisper {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
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
                tokens.extend(self.greedy(&audio, language)?);
            }
            let text = self.vocabulary.decode(&tokens);
            Ok(RawHypothesis { text, tokens, language: found.unwrap_or(Language::Cantonese) })
        })
    }

    fn open<'a>(&'a self, samples: &'a [f32], context: Context) -> Result<Box<dyn Utterance + 'a>, SpeechError> {
        let longest = self.capabilities.longest;
        if samples.len() > longest {
            return Err(SpeechError::TooLong { samples: samples.len(), longest });
        }
        check_finite(samples)?;
        let _audio: Audio = self.pool.install(|| self.listen(samples, context))?;
        todo!()
    }
}

fn check_finite(samples: &[f32]) -> Result<(), SpeechError> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(SpeechError::NotFinite { index }),
        None => Ok(()),
    }
}

/// One row of logits as a vector.
fn row(logits: &Tensor, index: usize) -> Result<Vec<f32>, SpeechError> {
    Ok(logits.get(index)?.to_vec1()?)
}
