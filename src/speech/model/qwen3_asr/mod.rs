//! Qwen3-ASR, in Qwen's layout or that of Hugging Face's transformers: `config.json`, `generation_config.json` (optional), a tokenizer
//! and the weights.
//!
//! An encoder makes 13 rows of each second of audio; they stand in the prompt of a language model, which answers with the language and
//! the words. The arithmetic is that of the `qwen-asr` package (`core/transformers_backend/modeling_qwen3_asr.py`), with the windows of
//! the encoder's attention that its code for the processor leaves out and its code for accelerators has. Sizes and ids are the checkpoint's.
//!
//! The model says no times: those of words come with a forced aligner, which is another model (`aligner.rs`). Nothing is sampled.
//!
//! A list of words is no part of the prompt, where the model has been seen to answer with it
//! (<https://github.com/QwenLM/Qwen3-ASR/issues/106>, <https://github.com/QwenLM/Qwen3-ASR/issues/140>): its words are tried beside the
//! answer, and judged by what the model makes of the audio without them.

mod aligner;
mod answer;
mod attempt;
mod config;
mod encoder;
mod gguf;
mod network;
mod pieces;
mod repair;
mod units;
mod vocabulary;

use std::path::Path;

use candle_core::Tensor;
use rayon::ThreadPool;

use self::aligner::Aligner;
use self::answer::{Answer, without_loops};
use self::attempt::Opened;
use self::config::Config;
use self::network::Network;
use self::pieces::{PIECE, pieces};
use self::vocabulary::Vocabulary;
use super::beam::Beam;
use super::byte_level::spellings;
use super::expect::{Expect, Reading};
use super::layers::Arithmetic;
use super::logits::{argmax, log_normaliser};
use super::packed::Packer;
use super::qwen3::Cache;
use super::sequence::Sequence;
use super::weights::Weights;
use super::{
    Capabilities, Context, Language, LoadOptions, RawHypothesis, Recognizer, Utterance, check_finite, check_length, pool,
};
use crate::speech::SpeechError;
use crate::speech::bias::Bias;
use crate::text::PatientText;

/// In documents and messages.
pub const FAMILY: &str = "qwen3-asr";
/// `model_type` in `config.json`.
pub const MODEL_TYPE: &str = "qwen3_asr";

/// A loaded Qwen3-ASR.
pub struct Qwen3Asr {
    capabilities: Capabilities,
    config: Config,
    network: Network,
    vocabulary: Vocabulary,
    aligner: Option<Aligner>,
    pool: ThreadPool,
}

/// A decoder that was fed what comes before the answer.
#[derive(Clone)]
struct Begun {
    cache: Cache,
    /// After the last row that was fed.
    logits: Vec<f32>,
}

impl Qwen3Asr {
    /// Loads the checkpoint in `folder`, and the aligner, if the options name one.
    ///
    /// # Errors
    /// A missing, damaged or unsupported file, named with the tensor or key that is wrong; a checkpoint of an aligner.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, SpeechError> {
        let pool = pool(options)?;
        let config = Config::load(folder)?;
        if config.times.is_some() {
            let problem = "it is that of a forced aligner, which gives words their times and hears none".to_owned();
            return Err(SpeechError::Format { path: folder.join("config.json"), problem });
        }
        let vocabulary = Vocabulary::load(folder, &config)?;
        let arithmetic = Arithmetic::new(options, pool.current_num_threads())?;
        let (network, aligner) = pool.install(|| {
            let network = Network::load(folder, options, &config, &arithmetic)?;
            let aligner = options.aligner.as_ref().map(|aligner| {
                let packed = aligner.packed.clone();
                let options = LoadOptions { packed, aligner: None, decoder: None, ..options.clone() };
                Aligner::load(&aligner.folder, &options, &arithmetic)
            });
            Ok::<_, SpeechError>((network, aligner.transpose()?))
        })?;
        let capabilities = Capabilities {
            family: FAMILY,
            languages: Language::ALL.to_vec(),
            longest: if aligner.is_some() { aligner::LONGEST } else { PIECE },
            prompt: true,
            word_list: true,
            word_times: aligner.is_some(),
            aligner: aligner.is_some(),
            short_context: false,
            sampling: false,
        };
        Ok(Self { capabilities, network, vocabulary, aligner, config, pool })
    }

    /// Gathers the weights of the checkpoint in `folder`, of a model or an aligner, as the operators of these options take them.
    ///
    /// # Errors
    /// As [`Qwen3Asr::load`].
    pub fn pack(folder: &Path, options: &LoadOptions) -> Result<Packer, SpeechError> {
        let pool = pool(options)?;
        let config = Config::load(folder)?;
        let arithmetic = Arithmetic::new(options, pool.current_num_threads())?;
        pool.install(|| {
            let weights = Weights::to_pack(folder)?;
            Network::take(&weights, &config, &arithmetic)?;
            Ok(weights.into_packer())
        })
    }

    /// Feeds a prompt.
    fn begin(&self, before: &[u32], audio: &Tensor, after: &[u32]) -> Result<Begun, SpeechError> {
        let mut cache = self.network.decoder.cache();
        let logits = self.feed(&self.network.prompt(before, audio, after)?, &mut cache)?;
        Ok(Begun { cache, logits })
    }

    /// Feeds rows and gives the logits after the last.
    fn feed(&self, rows: &Tensor, cache: &mut Cache) -> Result<Vec<f32>, SpeechError> {
        let states = self.network.decoder.forward(rows, 1, cache)?;
        let last = states.narrow(0, states.dim(0)?.saturating_sub(1), 1)?;
        Ok(self.network.decoder.logits(&last)?.squeeze(0)?.to_vec1()?)
    }

    /// Goes on from a sequence that was fed already, with the likeliest token at each step, until one ends the answer, the limit is
    /// reached or to go on would be a waste.
    fn greedy(
        &self,
        begun: Begun,
        mut sequence: Sequence,
        give_up: &(dyn Fn(&[u32]) -> bool + Sync),
    ) -> Result<Sequence, SpeechError> {
        let Begun { mut cache, mut logits } = begun;
        while let Some(token) = argmax(&logits) {
            let goes_on = sequence.push(token, logit(&logits, token) - log_normaliser(&logits), &self.vocabulary.end);
            if !goes_on || sequence.tokens.len() >= self.config.tokens || give_up(&sequence.tokens) {
                break;
            }
            logits = self.network.decoder.step(&[token], &mut cache)?.pop().unwrap_or_default();
        }
        Ok(sequence)
    }

    /// The best answer that a beam of `width` prefixes finds.
    fn beam(&self, begun: Begun, width: usize, give_up: &(dyn Fn(&[u32]) -> bool + Sync)) -> Result<Sequence, SpeechError> {
        let Begun { mut cache, logits } = begun;
        let beam = Beam { width, tokens: self.config.tokens, ends: &self.vocabulary.end, give_up };
        beam.search(logits, &|_, _| {}, &mut |rows, fed| self.step(&mut cache, (rows, fed)))
    }

    /// What was read, with words of a list where the audio supports them.
    fn expecting(
        &self,
        begun: Begun,
        (bias, reading): (&Bias, Reading),
        give_up: &(dyn Fn(&[u32]) -> bool + Sync),
    ) -> Result<Sequence, SpeechError> {
        let Begun { mut cache, logits } = begun;
        let expect = Expect { bias, tokens: self.config.tokens, ends: &self.vocabulary.end, give_up };
        expect.search((logits, reading), &|_, _| {}, &mut |rows, fed| self.step(&mut cache, (rows, fed)))
    }

    /// Keeps these rows of a batch, feeds each a token, and gives the logits after it.
    fn step(&self, cache: &mut Cache, (rows, fed): (&[u32], &[u32])) -> Result<Option<Vec<Vec<f32>>>, SpeechError> {
        cache.select(rows)?;
        Ok(Some(self.network.decoder.step(fed, cache)?))
    }
}

/// Of a token that has none: as if it could never come.
fn logit(logits: &[f32], token: u32) -> f32 {
    usize::try_from(token).ok().and_then(|token| logits.get(token)).copied().unwrap_or(f32::NEG_INFINITY)
}

impl Recognizer for Qwen3Asr {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn spell(&self, text: &PatientText) -> Result<Vec<Vec<u32>>, SpeechError> {
        spellings(text.reveal()).iter().map(|way| self.vocabulary.encode(way)).collect()
    }

    /// Pieces of about 20 minutes, each on its own, as the reference cuts them. Where no language is given the model's own answer about
    /// it is among the tokens; it is no part of the text.
    fn raw(&self, samples: &[f32], language: Option<Language>) -> Result<RawHypothesis, SpeechError> {
        check_finite(samples)?;
        self.pool.install(|| {
            let mut prompt = self.vocabulary.prompt(None)?;
            if language.is_some() {
                prompt.after.extend(self.vocabulary.header(language)?);
            }
            let pieces = pieces(samples, PIECE);
            let (mut text, mut tokens, mut found) = (String::new(), Vec::new(), language);
            for piece in &pieces {
                let audio = self.network.listen(samples.get(piece.clone()).unwrap_or_default(), pieces.len() > 1)?;
                let begun = self.begin(&prompt.before, &audio, &prompt.after)?;
                let heard = self.greedy(begun, Sequence::default(), &|_| false)?;
                let answer = Answer::read(&heard.tokens, language.is_some(), &self.vocabulary);
                text.push_str(&without_loops(self.vocabulary.decode(answer.text).reveal().trim()));
                found = found.or_else(|| answer.known_language());
                tokens.extend(heard.tokens);
            }
            Ok(RawHypothesis { text: PatientText::from(text), tokens, language: found.unwrap_or_default() })
        })
    }

    fn open<'a>(&'a self, samples: &'a [f32], _: Context) -> Result<Box<dyn Utterance + 'a>, SpeechError> {
        check_length(samples, self.capabilities.longest)?;
        check_finite(samples)?;
        let audio = self.pool.install(|| self.network.listen(samples, false))?;
        Ok(Box::new(Opened::new(self, samples, audio)))
    }
}

#[cfg(test)]
mod tests;
