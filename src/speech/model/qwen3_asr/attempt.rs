//! Hypotheses about one utterance.

use candle_core::Tensor;

use super::answer::Answer;
use super::{Begun, Qwen3Asr, logit};
use crate::speech::SpeechError;
use crate::speech::model::expect::Reading;
use crate::speech::model::logits::{likeliest_language, log_normaliser};
use crate::speech::model::sequence::Sequence;
use crate::speech::model::{DecodeOptions, Hypothesis, Language, Search, Utterance};

/// An utterance whose rows every attempt shares.
pub struct Opened<'a> {
    model: &'a Qwen3Asr,
    audio: Tensor,
}

/// A model that was led up to the words.
enum Led {
    /// It holds that nothing was said, with this probability's logarithm, and no language was asked for.
    Silent(f32),
    /// Asked for, or the likeliest.
    Speaks { begun: Begun, language: Language, no_speech: f32 },
}

impl<'a> Opened<'a> {
    /// Of a model, with the decoder's rows of what it heard.
    #[must_use]
    pub fn new(model: &'a Qwen3Asr, audio: Tensor) -> Self {
        Self { model, audio }
    }

    /// Leads the model up to the name of the language. What it expects there says two things: whether anything was said, and, where
    /// none was asked for, which language. That name is then given, so that the answer is words alone.
    fn lead(&self, options: &DecodeOptions) -> Result<Led, SpeechError> {
        let Self { model, audio } = self;
        let header = |language| model.vocabulary.header(language);
        let silent = header(None)?;
        let headers = Language::ALL.into_iter().map(|language| Ok((language, header(Some(language))?)));
        let headers = headers.collect::<Result<Vec<_>, SpeechError>>()?;
        let shared = headers.iter().map(|(_, header)| beginning(header, &silent)).min().unwrap_or_default();
        let mut prompt = model.vocabulary.prompt(options.prompt.as_ref())?;
        prompt.after.extend(silent.iter().take(shared));
        let mut begun = model.begin(&prompt.before, audio, &prompt.after)?;
        let likelihood = |header: &[u32]| header.get(shared).map_or(f32::NEG_INFINITY, |token| logit(&begun.logits, *token));
        let no_speech = likelihood(&silent) - log_normaliser(&begun.logits);
        let candidates: Vec<(Language, u32)> =
            headers.iter().filter_map(|(language, header)| Some((*language, *header.get(shared)?))).collect();
        let language = match options.language {
            Some(language) => language,
            None if headers.iter().all(|(_, header)| likelihood(header) < likelihood(&silent)) => {
                return Ok(Led::Silent(no_speech));
            }
            None => likeliest_language(&begun.logits, &candidates).unwrap_or_default(),
        };
        let header = headers.into_iter().find(|(known, _)| *known == language).map(|(_, header)| header).unwrap_or_default();
        let rest: Vec<u32> = header.iter().skip(shared).copied().chain(resumed(options).map(|(token, _)| token)).collect();
        begun.logits = model.feed(&model.decoder.embed(&rest)?, &mut begun.cache)?;
        Ok(Led::Speaks { begun, language, no_speech })
    }
}

impl Opened<'_> {
    /// The words that are found from what was fed on.
    fn search(
        &self,
        begun: Begun,
        options: &DecodeOptions,
        give_up: &(dyn Fn(&[u32]) -> bool + Sync),
    ) -> Result<Sequence, SpeechError> {
        let model = self.model;
        match (options.search, options.bias.as_deref()) {
            (Search::Beam(width), None) if width > 1 => model.beam(begun, width, give_up),
            (Search::Beam(width), Some(bias)) if width > 1 => {
                let reading = model.beam(begun.clone(), width, give_up)?;
                model.expecting(begun, (bias, Reading::Found(reading)), give_up)
            }
            (Search::Beam(_) | Search::Greedy, bias) => {
                let (tokens, log_probabilities) = resumed(options).map(|(token, probability)| (token, probability.ln())).unzip();
                let resumed = Sequence { tokens, log_probabilities, ..Sequence::default() };
                match bias {
                    Some(bias) => model.expecting(begun, (bias, Reading::Greedy(resumed)), give_up),
                    None => model.greedy(begun, resumed, give_up),
                }
            }
        }
    }
}

/// What an answer goes on from.
fn resumed(options: &DecodeOptions) -> impl Iterator<Item = (u32, f32)> {
    options.begun.iter().copied().filter(|_| options.search == Search::Greedy)
}

/// How many tokens two headers begin with in common.
fn beginning(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

impl Utterance for Opened<'_> {
    /// The temperature changes nothing.
    fn attempt(
        &mut self,
        options: &DecodeOptions,
        _: f32,
        give_up: &(dyn Fn(&[u32]) -> bool + Sync),
    ) -> Result<Hypothesis, SpeechError> {
        let vocabulary = &self.model.vocabulary;
        self.model.pool.install(|| {
            let (begun, language, no_speech) = match self.lead(options)? {
                Led::Speaks { begun, language, no_speech } => (begun, language, no_speech),
                Led::Silent(no_speech) => {
                    let silence = Hypothesis { average_log_probability: no_speech, ..Hypothesis::default() };
                    return Ok(Hypothesis { no_speech_probability: no_speech.exp(), ..silence });
                }
            };
            let heard = self.search(begun, options, give_up)?;
            let skipped = heard.tokens.len().saturating_sub(Answer::read(&heard.tokens, true, vocabulary).text.len());
            let words = heard.tokens.iter().zip(&heard.log_probabilities).skip(skipped);
            let (tokens, log_probabilities): (Vec<u32>, Vec<f32>) =
                words.filter(|(token, _)| vocabulary.piece(**token).is_some()).unzip();
            Ok(Hypothesis {
                text: vocabulary.decode(&tokens).reveal().trim().into(),
                tokens,
                probabilities: log_probabilities.into_iter().map(f32::exp).collect(),
                words: Vec::new(),
                tags: Vec::new(),
                average_log_probability: heard.average_log_probability(),
                no_speech_probability: no_speech.exp(),
                temperature: 0.0,
                language,
            })
        })
    }

    /// There are no times but the utterance's own.
    fn align(&mut self, _: &mut Hypothesis) -> Result<(), SpeechError> {
        Ok(())
    }
}
