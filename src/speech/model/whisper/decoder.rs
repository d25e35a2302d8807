//! Tokens and encoder states to logits, a step at a time.

use candle_core::{IndexOp, Tensor};

use super::config::Config;
use super::encoder::{EPSILON, load_projections, query_scale};
use crate::speech::SpeechError;
use crate::speech::kernels::Activation;
use crate::speech::model::layers::{Arithmetic, Heard, LayerNorm, Linear, Part, Past};
use crate::speech::model::weights::Weights;

struct Layer {
    own_norm: LayerNorm,
    /// Queries, keys and values of the tokens beside each other.
    own: Linear,
    own_output: Linear,
    cross_norm: LayerNorm,
    cross_query: Linear,
    /// Keys and values of the audio beside each other.
    cross: Linear,
    cross_output: Linear,
    feed_forward_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
}

/// A stack of layers in which a token sees those before it and all of the audio.
pub struct Decoder {
    /// The embedding (vocabulary, width), which is also the projection onto the vocabulary.
    embedding: Linear,
    /// (max_target_positions, width)
    positions: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
    heads: usize,
    arithmetic: Arithmetic,
}

/// What the decoder attends to: every layer's keys and values of one utterance, made once and shared by every step and row of a batch.
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
            Some(heard) => Ok(heard.positions()),
            None => candle_core::bail!("a decoder without layers hears nothing"),
        }
    }
}

/// Keys and values of the tokens so far, a row a sequence.
pub struct Cache {
    layers: Vec<Past>,
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
        self.layers.iter_mut().try_for_each(|layer| layer.select(rows))
    }
}

/// Cross-attention scores before the softmax that a pass shall keep.
pub struct Watch<'a> {
    /// Layers and heads.
    pub heads: &'a [(usize, usize)],
    /// (rows x tokens, positions) of each head, in the order of the layers.
    pub scores: Vec<Tensor>,
}

impl Decoder {
    /// Takes `model.decoder.*`.
    ///
    /// # Errors
    /// As [`Weights::tensor`].
    pub fn load(weights: &Weights, config: &Config, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let width = config.d_model;
        let prefix = "model.decoder";
        let embedding = format!("{prefix}.embed_tokens");
        let embedding = [Part { bias: false, ..Part::new(&embedding) }];
        let embedding = Linear::load_joined(weights, &embedding, (width, config.vocab_size), &arithmetic.for_logits())?;
        let positions = weights.tensor(&format!("{prefix}.embed_positions.weight"), &[config.max_target_positions, width])?;
        let layers = (0..config.decoder_layers)
            .map(|index| Layer::load(weights, &format!("{prefix}.layers.{index}"), config, arithmetic))
            .collect::<Result<Vec<_>, _>>()?;
        let norm = LayerNorm::load(weights, &format!("{prefix}.layer_norm"), width, EPSILON, arithmetic)?;
        let heads = config.decoder_attention_heads;
        Ok(Self { embedding, positions, layers, norm, heads, arithmetic: arithmetic.clone() })
    }

    /// Keys and values of encoder states (positions, width) for every layer.
    ///
    /// # Errors
    /// When the widths differ.
    pub fn listen(&self, states: &Tensor) -> candle_core::Result<Audio> {
        let width = states.dim(1)?;
        let layers = self.layers.iter().map(|layer| {
            let both = layer.cross.forward(states)?;
            Heard::new(&both.narrow(1, 0, width)?, &both.narrow(1, width, width)?, self.heads, &self.arithmetic)
        });
        Ok(Audio { layers: layers.collect::<candle_core::Result<_>>()? })
    }

    /// A cache that no token was fed to.
    #[must_use]
    pub fn cache(&self) -> Cache {
        Cache { layers: self.layers.iter().map(|_| Past::new((self.heads, self.heads), &self.arithmetic)).collect(), tokens: 0 }
    }

    /// Feeds the same number of tokens to every row: `tokens`, a row after the other, to states (rows x tokens, width).
    ///
    /// # Errors
    /// An id beyond the vocabulary, or more tokens than there are positions.
    pub fn forward(
        &self,
        tokens: &[u32],
        rows: usize,
        audio: &Audio,
        cache: &mut Cache,
        mut watch: Option<&mut Watch<'_>>,
    ) -> candle_core::Result<Tensor> {
        let new = tokens.len() / rows.max(1);
        let width = self.positions.dim(1)?;
        let x = self.embedding.weights_of(tokens)?.reshape((rows, new, width))?;
        let positions = self.positions.narrow(0, cache.tokens, new)?;
        let mut x = x.broadcast_add(&positions)?.reshape((rows * new, width))?;
        for (index, ((layer, heard), past)) in self.layers.iter().zip(&audio.layers).zip(&mut cache.layers).enumerate() {
            let attended = past.attend(&layer.own.forward(&layer.own_norm.forward(&x)?)?, rows)?;
            x = layer.own_output.forward_onto(&attended, &x)?;
            let query = layer.cross_query.forward(&layer.cross_norm.forward(&x)?)?;
            if let Some(watch) = watch.as_deref_mut() {
                for (_, head) in watch.heads.iter().filter(|(layer, _)| *layer == index) {
                    watch.scores.push(heard.scores(&query, *head)?);
                }
            }
            x = layer.cross_output.forward_onto(&heard.attend(&query)?, &x)?;
            let inner = layer.inner.forward_activated(&layer.feed_forward_norm.forward(&x)?, Activation::Gelu)?;
            x = layer.outer.forward_onto(&inner, &x)?;
        }
        cache.tokens += new;
        self.norm.forward(&x)
    }

    /// States (rows, width) to logits (rows, vocabulary).
    ///
    /// # Errors
    /// When the widths differ.
    pub fn logits(&self, states: &Tensor) -> candle_core::Result<Tensor> {
        self.embedding.forward(&states.contiguous()?)
    }

    /// Feeds `tokens` to every row and gives the logits after the last, (rows, vocabulary).
    ///
    /// # Errors
    /// As [`Decoder::forward`].
    pub fn step(&self, tokens: &[u32], rows: usize, audio: &Audio, cache: &mut Cache) -> candle_core::Result<Tensor> {
        let states = self.forward(tokens, rows, audio, cache, None)?;
        let (all, width) = states.dims2()?;
        let new = all / rows.max(1);
        self.logits(&states.reshape((rows, new, width))?.i((.., new - 1))?)
    }
}

impl Layer {
    fn load(weights: &Weights, prefix: &str, config: &Config, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let (width, inner, heads) = (config.d_model, config.decoder_ffn_dim, config.decoder_attention_heads);
        let name = |part: &str| format!("{prefix}.{part}");
        let norm = |part: &str| LayerNorm::load(weights, &name(part), width, EPSILON, arithmetic);
        let square = |part: &str| Linear::load(weights, &name(part), (width, width), arithmetic);
        let [query, key, value] = ["q_proj", "k_proj", "v_proj"].map(|part| name(&format!("encoder_attn.{part}")));
        let scaled = [Part { scale: query_scale(width, heads), ..Part::new(&query) }];
        let both = [Part { bias: false, ..Part::new(&key) }, Part::new(&value)];
        Ok(Self {
            own_norm: norm("self_attn_layer_norm")?,
            own: load_projections(weights, &name("self_attn"), (width, heads), arithmetic)?,
            own_output: square("self_attn.out_proj")?,
            cross_norm: norm("encoder_attn_layer_norm")?,
            cross_query: Linear::load_joined(weights, &scaled, (width, width), arithmetic)?,
            cross: Linear::load_joined(weights, &both, (width, width), arithmetic)?,
            cross_output: square("encoder_attn.out_proj")?,
            feed_forward_norm: norm("final_layer_norm")?,
            inner: Linear::load(weights, &name("fc1"), (width, inner), arithmetic)?,
            outer: Linear::load(weights, &name("fc2"), (inner, width), arithmetic)?,
        })
    }
}
