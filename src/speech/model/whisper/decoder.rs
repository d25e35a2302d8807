//! Tokens and encoder states to logits, a step at a time.

use candle_core::{Device, IndexOp, Tensor};

use super::config::Config;
use super::encoder::{EPSILON, load_query};
use crate::speech::SpeechError;
use crate::speech::model::layers::{LayerNorm, Linear, split_heads};
use crate::speech::model::weights::Weights;
use crate::speech::model::{Precision, softmax};

struct Attention {
    norm: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
}

struct Layer {
    own: Attention,
    cross: Attention,
    feed_forward_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
}

/// A stack of layers in which a token sees those before it and all of the audio.
pub struct Decoder {
    /// (vocabulary, width)
    embedding: Tensor,
    /// The embedding again, as the projection onto the vocabulary.
    head: Linear,
    /// (max_target_positions, width)
    positions: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
    heads: usize,
    device: Device,
}

/// One layer's keys and values of the audio: made once an utterance, shared by every step and every row of a batch.
struct Heard {
    /// (heads, head width, positions), contiguous: transposed once, not at every step.
    key: Tensor,
    /// (heads, positions, head width)
    value: Tensor,
}

/// What the decoder attends to: every layer's keys and values of one utterance.
pub struct Audio {
    layers: Vec<Heard>,
}

impl Audio {
    /// Encoder positions that were heard.
    ///
    /// # Errors
    /// When there is no layer.
    pub fn positions(&self) -> candle_core::Result<usize> {
        match self.layers.first() {
            Some(heard) => heard.value.dim(1),
            None => candle_core::bail!("a decoder without layers hears nothing"),
        }
    }
}

/// Keys and values of the tokens so far, a row a sequence.
pub struct Cache {
    /// A layer: keys and values (rows, heads, tokens, head width); nothing before the first step.
    layers: Vec<Option<(Tensor, Tensor)>>,
    tokens: usize,
}

impl Cache {
    /// Tokens that were fed to each row.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Makes row `i` a copy of what was row `rows[i]`.
    ///
    /// # Errors
    /// A row that is not there.
    pub fn select(&mut self, rows: &[u32]) -> candle_core::Result<()> {
        for layer in self.layers.iter_mut().flatten() {
            let rows = Tensor::new(rows, layer.0.device())?;
            *layer = (layer.0.index_select(&rows, 0)?, layer.1.index_select(&rows, 0)?);
        }
        Ok(())
    }
}

impl Decoder {
    /// Takes `model.decoder.*`.
    ///
    /// # Errors
    /// As [`Weights::tensor`].
    pub fn load(weights: &Weights, config: &Config, precision: Precision, device: &Device) -> Result<Self, SpeechError> {
        let width = config.d_model;
        let prefix = "model.decoder";
        let embedding = weights.tensor(&format!("{prefix}.embed_tokens.weight"), &[config.vocab_size, width])?;
        let positions = weights.tensor(&format!("{prefix}.embed_positions.weight"), &[config.max_target_positions, width])?;
        let layers = (0..config.decoder_layers)
            .map(|index| Layer::load(weights, &format!("{prefix}.layers.{index}"), config, precision))
            .collect::<Result<Vec<_>, _>>()?;
        let norm = LayerNorm::load(weights, &format!("{prefix}.layer_norm"), width, EPSILON)?;
        let head = Linear::new(embedding.clone(), None, precision);
        let heads = config.decoder_attention_heads;
        Ok(Self { embedding, head, positions, layers, norm, heads, device: device.clone() })
    }

    /// Keys and values of encoder states (positions, width) for every layer.
    ///
    /// # Errors
    /// When the widths differ.
    pub fn listen(&self, states: &Tensor) -> candle_core::Result<Audio> {
        let layers = self.layers.iter().map(|layer| {
            let key = layer.cross.key.forward(states)?;
            let value = split_heads(&layer.cross.value.forward(states)?, self.heads)?;
            let (positions, width) = key.dims2()?;
            let key = key.t()?.contiguous()?.reshape((self.heads, width / self.heads.max(1), positions))?;
            Ok(Heard { key, value })
        });
        Ok(Audio { layers: layers.collect::<candle_core::Result<_>>()? })
    }

    /// A cache that no token was fed to.
    #[must_use]
    pub fn cache(&self) -> Cache {
        Cache { layers: self.layers.iter().map(|_| None).collect(), tokens: 0 }
    }

    /// Feeds the same number of tokens to every row: (rows, tokens) to states (rows, tokens, width).
    ///
    /// With `scores`, each layer's cross-attention scores before the softmax, (heads, rows x tokens, positions), are pushed to it.
    ///
    /// # Errors
    /// An id beyond the vocabulary, or more tokens than there are positions.
    pub fn forward(
        &self,
        tokens: &Tensor,
        audio: &Audio,
        cache: &mut Cache,
        mut scores: Option<&mut Vec<Tensor>>,
    ) -> candle_core::Result<Tensor> {
        let (rows, new) = tokens.dims2()?;
        let width = self.embedding.dim(1)?;
        let x = self.embedding.index_select(&tokens.flatten_all()?, 0)?.reshape((rows, new, width))?;
        let positions = self.positions.narrow(0, cache.tokens, new)?;
        let mut x = x.broadcast_add(&positions)?.reshape((rows * new, width))?;
        let mask = if new > 1 { Some(self.mask(cache.tokens, new)?) } else { None };
        for ((layer, heard), cached) in self.layers.iter().zip(&audio.layers).zip(&mut cache.layers) {
            x = layer.attend_to_tokens(&x, (rows, self.heads), mask.as_ref(), cached)?;
            x = layer.attend_to_audio(&x, self.heads, heard, scores.as_deref_mut())?;
            x = layer.feed_forward(&x)?;
        }
        cache.tokens += new;
        self.norm.forward(&x)?.reshape((rows, new, width))
    }

    /// States (rows, width) to logits (rows, vocabulary).
    ///
    /// # Errors
    /// When the widths differ.
    pub fn logits(&self, states: &Tensor) -> candle_core::Result<Tensor> {
        self.head.forward(&states.contiguous()?)
    }

    /// Feeds `tokens` to every row and gives the logits after the last, (rows, vocabulary).
    ///
    /// # Errors
    /// As [`Decoder::forward`].
    pub fn step(&self, tokens: &[u32], rows: usize, audio: &Audio, cache: &mut Cache) -> candle_core::Result<Tensor> {
        let tokens = Tensor::from_slice(tokens, (rows, tokens.len() / rows.max(1)), &self.device)?;
        let states = self.forward(&tokens, audio, cache, None)?;
        self.logits(&states.i((.., states.dim(1)? - 1))?)
    }

    /// Minus infinity where a new token would see a later one: (new, old + new).
    fn mask(&self, old: usize, new: usize) -> candle_core::Result<Tensor> {
        let seen = |row: usize, column: usize| if column > old + row { f32::NEG_INFINITY } else { 0.0 };
        let mask: Vec<f32> = (0..new).flat_map(|row| (0..old + new).map(move |column| seen(row, column))).collect();
        Tensor::from_vec(mask, (new, old + new), &self.device)
    }

    /// Where the tensors live.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }
}

impl Attention {
    fn load(
        weights: &Weights,
        prefix: &str,
        part: &str,
        (width, heads): (usize, usize),
        precision: Precision,
    ) -> Result<Self, SpeechError> {
        let name = |projection: &str| format!("{prefix}.{part}.{projection}");
        let square = (width, width);
        Ok(Self {
            norm: LayerNorm::load(weights, &format!("{prefix}.{part}_layer_norm"), width, EPSILON)?,
            query: load_query(weights, &name("q_proj"), width, heads, precision)?,
            key: Linear::load(weights, &name("k_proj"), square, false, precision)?,
            value: Linear::load(weights, &name("v_proj"), square, true, precision)?,
            output: Linear::load(weights, &name("out_proj"), square, true, precision)?,
        })
    }
}

impl Layer {
    fn load(weights: &Weights, prefix: &str, config: &Config, precision: Precision) -> Result<Self, SpeechError> {
        let (width, inner) = (config.d_model, config.decoder_ffn_dim);
        let sizes = (width, config.decoder_attention_heads);
        Ok(Self {
            own: Attention::load(weights, prefix, "self_attn", sizes, precision)?,
            cross: Attention::load(weights, prefix, "encoder_attn", sizes, precision)?,
            feed_forward_norm: LayerNorm::load(weights, &format!("{prefix}.final_layer_norm"), width, EPSILON)?,
            inner: Linear::load(weights, &format!("{prefix}.fc1"), (width, inner), true, precision)?,
            outer: Linear::load(weights, &format!("{prefix}.fc2"), (inner, width), true, precision)?,
        })
    }

    /// (rows x new, width) to the same; appends the new tokens' keys and values to the cache.
    fn attend_to_tokens(
        &self,
        x: &Tensor,
        (rows, heads): (usize, usize),
        mask: Option<&Tensor>,
        cached: &mut Option<(Tensor, Tensor)>,
    ) -> candle_core::Result<Tensor> {
        let (all, width) = x.dims2()?;
        let new = all / rows.max(1);
        let split = |y: Tensor| y.reshape((rows, new, heads, width / heads.max(1)))?.transpose(1, 2)?.contiguous();
        let normed = self.own.norm.forward(x)?;
        let query = split(self.own.query.forward(&normed)?)?;
        let key = split(self.own.key.forward(&normed)?)?;
        let value = split(self.own.value.forward(&normed)?)?;
        let (key, value) = match cached.take() {
            Some((old_key, old_value)) => (Tensor::cat(&[&old_key, &key], 2)?, Tensor::cat(&[&old_value, &value], 2)?),
            None => (key, value),
        };
        let mut scores = query.matmul(&key.transpose(2, 3)?)?;
        if let Some(mask) = mask {
            scores = scores.broadcast_add(mask)?;
        }
        softmax::over_last_dimension(&scores)?;
        let attended = scores.matmul(&value)?.transpose(1, 2)?.reshape((all, width))?;
        *cached = Some((key, value));
        x + self.own.output.forward(&attended)?
    }

    /// (rows x new, width) to the same. All rows hear the same audio, so they are one product a head.
    fn attend_to_audio(
        &self,
        x: &Tensor,
        heads: usize,
        heard: &Heard,
        collected: Option<&mut Vec<Tensor>>,
    ) -> candle_core::Result<Tensor> {
        let (all, width) = x.dims2()?;
        let query = split_heads(&self.cross.query.forward(&self.cross.norm.forward(x)?)?, heads)?;
        let scores = query.matmul(&heard.key)?;
        if let Some(collected) = collected {
            collected.push(scores.copy()?);
        }
        softmax::over_last_dimension(&scores)?;
        let attended = scores.matmul(&heard.value)?.transpose(0, 1)?.reshape((all, width))?;
        x + self.cross.output.forward(&attended)?
    }

    fn feed_forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let inner = self.inner.forward(&self.feed_forward_norm.forward(x)?)?.gelu_erf()?;
        x + self.outer.forward(&inner)?
    }
}
