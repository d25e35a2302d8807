//! SenseVoice-Small, in FunASR's layout: `config.yaml`, `configuration.json` (optional), Kaldi's statistics, a SentencePiece model and
//! the weights.
//!
//! An encoder hears the whole utterance at once, both ways; a linear layer gives each row of 60 ms the probabilities of all tokens, of
//! which connectionist temporal classification makes a text. Nothing is decoded step by step and nothing is sampled. Four rows in
//! front, asked by learnt queries, answer with tags: language, mood, event, and whether numbers are written as digits.
//! The arithmetic is that of FunASR 1.4 (`funasr/models/sense_voice/model.py`); sizes and ids are the checkpoint's.

mod config;
mod ctc;
mod encoder;
mod expect;
mod front_end;
mod prefix_beam;
mod sentence_piece;
mod vocabulary;

use std::path::Path;

use candle_core::Tensor;
use rayon::ThreadPool;

use self::config::{Config, Files};
use self::ctc::Emissions;
use self::encoder::{Encoder, QUERIES};
use self::front_end::FrontEnd;
use self::vocabulary::Vocabulary;
use super::layers::{Arithmetic, Linear};
use super::logits::likeliest_language;
use super::packed::Packer;
use super::weights::Weights;
use super::{
    Capabilities, Context, DecodeOptions, Hypothesis, Language, LoadOptions, RawHypothesis, Recognizer, Search, Utterance,
    check_finite, check_length, pool, words,
};
use crate::audio::{Features, SAMPLE_RATE};
use crate::speech::SpeechError;
use crate::text::PatientText;

/// In documents and messages.
pub const FAMILY: &str = "sense-voice";
/// `model` in `config.yaml`.
pub const MODEL: &str = "SenseVoiceSmall";

/// The longest utterance, in samples: FunASR's own pipeline cuts speech at 30 s.
const LONGEST: usize = 30 * SAMPLE_RATE as usize;
/// The most samples that are heard at once for a comparison: the scores of one head's attention are 400 MB then.
const LONGEST_RAW: usize = 600 * SAMPLE_RATE as usize;
/// Rows whose probabilities are computed at once, all rows of an utterance of 30 s among them.
const ROWS_AT_ONCE: usize = 1024;
/// Rows that a word may go on after its last token was recognised: a token is recognised while it is said, and a syllable of
/// Cantonese lasts about as long.
const TAIL: usize = 4;

/// Rows of `embed` that ask for a language; nothing: the model finds out.
fn language_query(language: Option<Language>) -> u32 {
    match language {
        None => 0,
        Some(Language::Mandarin) => 3,
        Some(Language::English) => 4,
        Some(Language::Cantonese) => 7,
    }
}
/// Rows of `embed` that ask for event and mood.
const EVENT_AND_MOOD: [u32; 2] = [1, 2];
/// The row of `embed` that asks for words as they were said, which is FunASR's default: no punctuation, numbers not in digits.
const AS_SAID: u32 = 15;

/// A loaded SenseVoice.
pub struct SenseVoice {
    capabilities: Capabilities,
    config: Config,
    front_end: FrontEnd,
    network: Network,
    vocabulary: Vocabulary,
    pool: ThreadPool,
}

/// What has weights.
struct Network {
    encoder: Encoder,
    output: Linear,
}

impl Network {
    /// # Errors
    /// As [`Weights::tensor`]; a vocabulary of another size than the weights have outputs.
    fn load(weights: &Weights, config: &Config, vocabulary: &Vocabulary, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        const OUTPUT: &str = "ctc.ctc_lo";
        let (width, tokens) = (config.encoder_conf.output_size, vocabulary.size());
        if let Some((path, [outputs, _])) = weights.shape(&format!("{OUTPUT}.weight"))
            && *outputs != tokens
        {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let problem = format!("it has {tokens} pieces, where `{OUTPUT}.weight` of `{file}` has {outputs} outputs");
            return Err(SpeechError::Format { path: vocabulary.path().to_owned(), problem });
        }
        Ok(Self {
            encoder: Encoder::load(weights, config, arithmetic)?,
            output: Linear::load(weights, OUTPUT, (width, tokens), &arithmetic.for_logits())?,
        })
    }
}

impl SenseVoice {
    /// Loads the checkpoint in `folder`.
    ///
    /// # Errors
    /// A missing, damaged or unsupported file, named with the tensor or key that is wrong.
    pub fn load(folder: &Path, options: &LoadOptions) -> Result<Self, SpeechError> {
        let pool = pool(options)?;
        let config = Config::load(folder)?;
        let files = Files::find(folder)?;
        let front_end = FrontEnd::load(&config.frontend_conf, &files.statistics)?;
        let vocabulary = Vocabulary::load(files.tokenizer)?;
        let arithmetic = Arithmetic::new(options, pool.current_num_threads())?.for_encoder();
        let network = pool.install(|| Network::load(&Weights::open(folder, options)?, &config, &vocabulary, &arithmetic))?;
        let capabilities = Capabilities {
            family: FAMILY,
            languages: Language::ALL.to_vec(),
            longest: LONGEST,
            prompt: false,
            word_list: true,
            word_times: true,
            short_context: false,
            sampling: false,
        };
        Ok(Self { capabilities, config, front_end, network, vocabulary, pool })
    }

    /// Gathers the weights of the checkpoint in `folder` as the operators of these options take them.
    ///
    /// # Errors
    /// As [`SenseVoice::load`].
    pub fn pack(folder: &Path, options: &LoadOptions) -> Result<Packer, SpeechError> {
        let pool = pool(options)?;
        let config = Config::load(folder)?;
        let vocabulary = Vocabulary::load(Files::find(folder)?.tokenizer)?;
        let arithmetic = Arithmetic::new(options, pool.current_num_threads())?.for_encoder();
        pool.install(|| {
            let weights = Weights::to_pack(folder)?;
            Network::load(&weights, &config, &vocabulary, &arithmetic)?;
            Ok(weights.into_packer())
        })
    }

    /// The encoder's states: [`QUERIES`] answers, then a row for each of the features.
    fn listen(&self, features: &Features, language: Option<Language>) -> Result<Tensor, SpeechError> {
        let [event, mood] = EVENT_AND_MOOD;
        Ok(self.network.encoder.forward(features, [language_query(language), event, mood, AS_SAID])?)
    }

    /// What states say.
    fn emissions(&self, states: &Tensor) -> Result<Emissions, SpeechError> {
        Ok(Emissions::new(&self.network.output.forward(states)?, self.config.model_conf.blank_id)?)
    }

    /// The likeliest of the languages that this crate knows, where the vocabulary has tags for them.
    fn language_heard(&self, emissions: &Emissions) -> Option<Language> {
        let tag = |language: &Language| Some((*language, self.vocabulary.language(*language)?));
        let candidates: Vec<(Language, u32)> = self.capabilities.languages.iter().filter_map(tag).collect();
        likeliest_language(emissions.logits(0), &candidates)
    }

    /// Makes a hypothesis of what an utterance's rows say.
    fn hypothesis(&self, emissions: &Emissions, options: &DecodeOptions) -> Hypothesis {
        let heard = QUERIES..emissions.moments();
        let all = match options.search {
            Search::Beam(width) if width > 1 => emissions.beam(heard.clone(), width, None),
            Search::Beam(_) | Search::Greedy => emissions.greedy(heard.clone()),
        };
        let (all, forgiven) = match (&options.bias, options.search) {
            (Some(bias), Search::Beam(width)) => emissions.expecting(heard.clone(), all, width, bias),
            (Some(bias), Search::Greedy) => emissions.expecting(heard.clone(), all, 1, bias),
            (None, _) => (all, 0.0),
        };
        // With the tags, which may stand among the text: so they fit.
        let places = emissions.align(heard.clone(), &all).unwrap_or_default();
        let text = all.into_iter().zip(places).filter(|(token, _)| self.vocabulary.piece(*token).is_some());
        let (tokens, log_probabilities): (Vec<u32>, Vec<f32>) = text.map(|(token, place)| (token, place.log_probability)).unzip();
        let average_log_probability = if tokens.is_empty() {
            mean(heard.map(|moment| emissions.log_probability(moment, emissions.blank())))
        } else {
            // What words of a list cost does not make a text less believable.
            mean(log_probabilities.iter().copied()) + forgiven / tokens.len() as f32
        };
        let no_speech = self.vocabulary.find_tag("nospeech");
        let answers = (1..QUERIES - 1).filter_map(|row| self.vocabulary.tag(emissions.best(row)));
        Hypothesis {
            text: self.vocabulary.decode(&tokens).reveal().trim().into(),
            tokens,
            probabilities: log_probabilities.into_iter().map(f32::exp).collect(),
            words: Vec::new(),
            tags: answers.map(str::to_owned).collect(),
            average_log_probability,
            no_speech_probability: no_speech.map_or(0.0, |tag| emissions.log_probability(0, tag).exp()),
            temperature: 0.0,
            language: options.language.or_else(|| self.language_heard(emissions)).unwrap_or_default(),
        }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = values.len().max(1) as f32;
    values.sum::<f32>() / count
}

impl Recognizer for SenseVoice {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn spell(&self, text: &PatientText) -> Result<Vec<Vec<u32>>, SpeechError> {
        Ok(self.vocabulary.spell(text))
    }

    /// All of the samples at once, ten minutes at most. The ids are FunASR's: those of the answers come first, collapsed with the rest.
    /// They are tags and no part of the text.
    fn raw(&self, samples: &[f32], language: Option<Language>) -> Result<RawHypothesis, SpeechError> {
        check_length(samples, LONGEST_RAW)?;
        check_finite(samples)?;
        self.pool.install(|| {
            let states = self.listen(&self.front_end.compute(samples), language)?;
            let (mut best, mut heard) = (Vec::new(), language);
            for begin in (0..states.dim(0)?).step_by(ROWS_AT_ONCE) {
                let rows = ROWS_AT_ONCE.min(states.dim(0)?.saturating_sub(begin));
                let emissions = self.emissions(&states.narrow(0, begin, rows)?)?;
                // The first row of all is the answer about the language.
                heard = heard.or_else(|| self.language_heard(&emissions));
                best.extend((0..rows).map(|row| emissions.best(row)));
            }
            let tokens = ctc::collapsed(best, self.config.model_conf.blank_id);
            Ok(RawHypothesis { text: self.vocabulary.decode(&tokens), tokens, language: heard.unwrap_or_default() })
        })
    }

    fn open<'a>(&'a self, samples: &'a [f32], _: Context) -> Result<Box<dyn Utterance + 'a>, SpeechError> {
        check_length(samples, LONGEST)?;
        check_finite(samples)?;
        let features = self.pool.install(|| self.front_end.compute(samples));
        Ok(Box::new(Opened { model: self, samples: samples.len(), features, heard: None }))
    }
}

/// An utterance whose features every attempt shares. What the encoder hears depends on the language that it is asked for.
struct Opened<'a> {
    model: &'a SenseVoice,
    samples: usize,
    features: Features,
    /// The last language that was asked for, and what was heard.
    heard: Option<(Option<Language>, Emissions)>,
}

impl Utterance for Opened<'_> {
    /// The temperature changes nothing, and the whole text comes at once, so that there is nothing to give up.
    fn attempt(
        &mut self,
        options: &DecodeOptions,
        _: f32,
        _: &(dyn Fn(&[u32]) -> bool + Sync),
    ) -> Result<Hypothesis, SpeechError> {
        let Self { model, features, heard, .. } = self;
        model.pool.install(|| {
            let emissions = match heard.take() {
                Some((language, emissions)) if language == options.language => emissions,
                _ => model.emissions(&model.listen(features, options.language)?)?,
            };
            let hypothesis = model.hypothesis(&emissions, options);
            *heard = Some((options.language, emissions));
            Ok(hypothesis)
        })
    }

    /// A word begins half a row before its first token is recognised, as FunASR has it, and lasts until the next one, or for a while.
    fn align(&mut self, hypothesis: &mut Hypothesis) -> Result<(), SpeechError> {
        let Self { model, samples, heard, .. } = self;
        let Some((_, emissions)) = heard else { return Ok(()) };
        let Some(places) = emissions.align(QUERIES..emissions.moments(), &hypothesis.tokens) else { return Ok(()) };
        let row = model.config.frontend_conf.row_samples();
        let sample = |moment: usize| (moment.saturating_sub(QUERIES) * row).saturating_sub(row / 2).min(*samples);
        let pieces = hypothesis.tokens.iter().map(|token| model.vocabulary.piece(*token).unwrap_or_default());
        hypothesis.words = words::heard(words::words(pieces), &hypothesis.probabilities, |tokens| {
            let begin = places.get(tokens.start).map_or(emissions.moments(), |place| place.moments.start);
            let last = places.get(tokens.end.saturating_sub(1)).map_or(begin, |place| place.moments.end);
            let next = places.get(tokens.end).map_or(emissions.moments(), |place| place.moments.start);
            sample(begin)..sample(next.min(last + TAIL))
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
