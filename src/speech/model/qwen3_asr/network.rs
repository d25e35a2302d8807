//! What a speech model and a forced aligner have in common.

use std::path::Path;

use candle_core::Tensor;

use super::config::{Config, Layout};
use super::encoder::Encoder;
use super::gguf;
use crate::audio::{LogMel, SAMPLE_RATE};
use crate::speech::SpeechError;
use crate::speech::model::LoadOptions;
use crate::speech::model::layers::Arithmetic;
use crate::speech::model::qwen3::Decoder;
use crate::speech::model::weights::Weights;

/// What a clip is filled up to with silence where it is filled up at all: half a second.
const LEAST: usize = SAMPLE_RATE as usize / 2;
/// Fewer samples than the mel's window mirrors at its edge have no spectrum.
const MIRRORED: usize = 200;

/// A front end, an encoder and a decoder.
pub struct Network {
    pub mel: LogMel,
    pub encoder: Encoder,
    pub decoder: Decoder,
    layout: Layout,
}

impl Network {
    /// Loads the weights in `folder`, those of the decoder from a GGUF file, if the options name one.
    ///
    /// # Errors
    /// As [`Weights::open`], [`gguf::open`] and [`Weights::tensor`].
    pub fn load(folder: &Path, options: &LoadOptions, config: &Config, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let weights = Weights::open(folder, options)?;
        let weights = match &options.decoder {
            Some(path) => weights.with_gguf(gguf::open(path, config)?),
            None => weights,
        };
        Self::take(&weights, config, arithmetic)
    }

    /// Takes the tensors.
    ///
    /// # Errors
    /// As [`Weights::tensor`].
    pub fn take(weights: &Weights, config: &Config, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        // In `balanced` the decoder's weights too are what they are published as, bf16. In 8 bits the logits of a network of the size of the
        // 0.6B, of random weights, were off by a twelfth of the largest.
        let arithmetic = arithmetic.for_encoder();
        let (decoder, times) = ((config.layout.names(), &config.text), config.times.map(|times| times.bins));
        Ok(Self {
            mel: LogMel::new(config.audio.num_mel_bins),
            encoder: Encoder::load(weights, config, &arithmetic)?,
            decoder: Decoder::load(weights, decoder, times, &arithmetic)?,
            layout: config.layout,
        })
    }

    /// The decoder's rows of some samples; a piece of something longer is filled up to half a second.
    ///
    /// # Errors
    /// A failing computation.
    pub fn listen(&self, samples: &[f32], is_piece: bool) -> Result<Tensor, SpeechError> {
        let fills = is_piece || self.layout == Layout::Transformers || samples.len() <= MIRRORED;
        Ok(self.encoder.forward(&self.mel.compute(samples, fills.then_some(LEAST)))?)
    }

    /// The decoder's rows of a prompt: of tokens, what was heard, and more tokens.
    ///
    /// # Errors
    /// An id beyond the vocabulary.
    pub fn prompt(&self, before: &[u32], audio: &Tensor, after: &[u32]) -> Result<Tensor, SpeechError> {
        Ok(Tensor::cat(&[&self.decoder.embed(before)?, audio, &self.decoder.embed(after)?], 0)?)
    }
}
