//! Qwen3-ASR, in Qwen's layout or that of Hugging Face's transformers: `config.json`, `generation_config.json` (optional), a tokenizer
//! and the weights.
//!
//! An encoder makes 13 rows of each second of audio; they stand in the prompt of a language model, which answers with the language and
//! the words. The arithmetic is that of the `qwen-asr` package (`core/transformers_backend/modeling_qwen3_asr.py`), with the windows of
//! the encoder's attention that its code for the processor leaves out and its code for accelerators has. Sizes and ids are the checkpoint's.
//!
//! The model says no times: those of words come with a forced aligner, which is another model. Nothing is sampled.
//!
//! A list of words is no part of the prompt, where the model has been seen to answer with it
//! (<https://github.com/QwenLM/Qwen3-ASR/issues/106>, <https://github.com/QwenLM/Qwen3-ASR/issues/140>): its words are tried beside the
//! answer, and judged by what the model makes of the audio without them.

mod answer;
mod attempt;
mod config;
mod decoder;
mod encoder;
mod pieces;
mod vocabulary;

use std::path::Path;

use candle_core::Tensor;
use rayon::ThreadPool;

use self::answer::{Answer, without_loops};
use self::attempt::Opened;
use self::config::{Config, Layout};
use self::decoder::{Cache, Decoder};
use self::encoder::Encoder;
use self::pieces::{PIECE, pieces};
use self::vocabulary::Vocabulary;
use super::beam::Beam;
use super::byte_level::spellings;
use super::expect::{Expect, Reading};
use super::layers::Arithmetic;
use super::logits::{argmax, log_normaliser};
use super::packed::Packer;
use super::sequence::Sequence;
use super::weights::Weights;
use super::{
    Capabilities, Context, Language, LoadOptions, RawHypothesis, Recognizer, Utterance, check_finite, check_length, pool,
};
use crate::audio::{LogMel, SAMPLE_RATE};
use crate::speech::SpeechError;
use crate::speech::bias::Bias;
use crate::text::PatientText;

/// In documents and messages.
pub const FAMILY: &str = "qwen3-asr";
/// `model_type` in `config.json`.
pub const MODEL_TYPE: &str = "qwen3_asr";

/// What a clip is filled up to with silence where it is filled up at all: half a second.
const LEAST: usize = SAMPLE_RATE as usize / 2;
/// Fewer samples than the mel's window mirrors at its edge have no spectrum.
const MIRRORED: usize = 200;

/// A loaded Qwen3-ASR.
pub struct Qwen3Asr {
    capabilities: Capabilities,
    config: Config,
    mel: LogMel,
    encoder: Encoder,
    decoder: Decoder,
    vocabulary: Vocabulary,
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
    /// Loads the checkpoint in `folder`.
    ///
    /// # Errors
    /// A missing, damaged or unsupported file, named with the tensor or key that is wrong.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, SpeechError> {
        let pool = pool(options)?;
        let config = Config::load(folder)?;
        let vocabulary = Vocabulary::load(folder, &config)?;
        let arithmetic = Arithmetic::new(options, pool.current_num_threads())?;
        let (encoder, decoder) = pool.install(|| networks(&Weights::open(folder, options)?, &config, &arithmetic))?;
        let capabilities = Capabilities {
            family: FAMILY,
            languages: Language::ALL.to_vec(),
            longest: PIECE,
            prompt: true,
            word_list: true,
            word_times: false,
            short_context: false,
            sampling: false,
        };
        Ok(Self { capabilities, mel: LogMel::new(config.audio.num_mel_bins), encoder, decoder, vocabulary, config, pool })
    }

    /// Gathers the weights of the checkpoint in `folder` as the operators of these options take them.
    ///
    /// # Errors
    /// As [`Qwen3Asr::load`].
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

    /// The decoder's rows of some samples; a piece of something longer is filled up to half a second.
    fn listen(&self, samples: &[f32], is_piece: bool) -> Result<Tensor, SpeechError> {
        let fills = is_piece || self.config.layout == Layout::Transformers || samples.len() <= MIRRORED;
        Ok(self.encoder.forward(&self.mel.compute(samples, fills.then_some(LEAST)))?)
    }

    /// Feeds a prompt.
    fn begin(&self, before: &[u32], audio: &Tensor, after: &[u32]) -> Result<Begun, SpeechError> {
        let mut cache = self.decoder.cache();
        let rows = Tensor::cat(&[&self.decoder.embed(before)?, audio, &self.decoder.embed(after)?], 0)?;
        let logits = self.feed(&rows, &mut cache)?;
        Ok(Begun { cache, logits })
    }

    /// Feeds rows and gives the logits after the last.
    fn feed(&self, rows: &Tensor, cache: &mut Cache) -> Result<Vec<f32>, SpeechError> {
        let states = self.decoder.forward(rows, 1, cache)?;
        let last = states.narrow(0, states.dim(0)?.saturating_sub(1), 1)?;
        Ok(self.decoder.logits(&last)?.squeeze(0)?.to_vec1()?)
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
            logits = self.decoder.step(&[token], &mut cache)?.pop().unwrap_or_default();
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
        Ok(Some(self.decoder.step(fed, cache)?))
    }
}

/// Of a token that has none: as if it could never come.
fn logit(logits: &[f32], token: u32) -> f32 {
    usize::try_from(token).ok().and_then(|token| logits.get(token)).copied().unwrap_or(f32::NEG_INFINITY)
}

fn networks(weights: &Weights, config: &Config, arithmetic: &Arithmetic) -> Result<(Encoder, Decoder), SpeechError> {
    // In `balanced` the decoder's weights too are what they are published as, bf16. In 8 bits the logits of a network of the size of the
    // 0.6B, of random weights, were off by a twelfth of the largest.
    let arithmetic = arithmetic.for_encoder();
    Ok((Encoder::load(weights, config, &arithmetic)?, Decoder::load(weights, config, &arithmetic)?))
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
                let audio = self.listen(samples.get(piece.clone()).unwrap_or_default(), pieces.len() > 1)?;
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
        check_length(samples, PIECE)?;
        check_finite(samples)?;
        let audio = self.pool.install(|| self.listen(samples, false))?;
        Ok(Box::new(Opened::new(self, audio)))
    }
}

#[cfg(test)]
mod tests;
