//! Rows of tokens, or of audio, to logits, a step at a time: Qwen3 (<https://arxiv.org/abs/2505.09388>).

use candle_core::Tensor;

use super::{Names, Sizes};
use crate::speech::SpeechError;
use crate::speech::model::layers::{Arithmetic, GatedFeedForward, HeadNorm, Linear, Part, Past, RmsNorm, Rotary, Turns};
use crate::speech::model::weights::Weights;

struct Layer {
    attention_norm: RmsNorm,
    /// Queries, keys and values beside each other.
    projections: Linear,
    heads: HeadNorm,
    output: Linear,
    feed_forward_norm: RmsNorm,
    feed_forward: GatedFeedForward,
}

/// A stack of layers in which a row sees itself and those before it.
pub struct Decoder {
    /// (vocabulary, width); where there is no other, the projection onto the vocabulary too.
    embedding: Linear,
    /// Onto the vocabulary, or onto the times of a forced aligner.
    output: Option<Linear>,
    layers: Vec<Layer>,
    norm: RmsNorm,
    rotary: Rotary,
    /// Of queries, and of keys.
    heads: (usize, usize),
    arithmetic: Arithmetic,
}

/// Keys and values of the rows so far, of each sequence.
#[derive(Clone)]
pub struct Cache {
    layers: Vec<Past>,
    /// That were fed to each sequence.
    rows: usize,
}

impl Cache {
    /// Makes sequence `i` a copy of what was sequence `sequences[i]`.
    ///
    /// # Errors
    /// A sequence that is not there.
    pub fn select(&mut self, sequences: &[u32]) -> candle_core::Result<()> {
        self.layers.iter_mut().try_for_each(|layer| layer.select(sequences))
    }
}

impl Decoder {
    /// Takes the tensors of these names. `outputs` is said where it is not the vocabulary that is projected onto.
    ///
    /// # Errors
    /// As [`Weights::tensor`].
    pub fn load(
        weights: &Weights,
        (names, sizes): (Names, &Sizes),
        outputs: Option<usize>,
        arithmetic: &Arithmetic,
    ) -> Result<Self, SpeechError> {
        let prefix = names.text;
        let projection = |name: &str, outputs: usize| {
            let parts = [Part { bias: false, ..Part::new(name) }];
            Linear::load_joined(weights, &parts, (sizes.hidden_size, outputs), &arithmetic.for_logits())
        };
        // A file of llama.cpp's may have one of its own, stored more exactly than the embedding that it is tied to.
        let own = || weights.gguf_has(&format!("{}.weight", names.output)) || !sizes.tie_word_embeddings;
        let outputs = outputs.or_else(|| own().then_some(sizes.vocab_size));
        let layers = (0..sizes.num_hidden_layers)
            .map(|index| Layer::load(weights, &format!("{prefix}.layers.{index}"), sizes, arithmetic));
        Ok(Self {
            embedding: projection(&format!("{prefix}.embed_tokens"), sizes.vocab_size)?,
            output: outputs.map(|outputs| projection(names.output, outputs)).transpose()?,
            layers: layers.collect::<Result<_, _>>()?,
            norm: RmsNorm::load(weights, &format!("{prefix}.norm"), sizes.hidden_size, sizes.rms_norm_eps, arithmetic)?,
            rotary: Rotary::new(sizes.head_dim, sizes.rope_theta),
            heads: (sizes.num_attention_heads, sizes.num_key_value_heads),
            arithmetic: arithmetic.clone(),
        })
    }

    /// A cache that no row was fed to.
    #[must_use]
    pub fn cache(&self) -> Cache {
        Cache { layers: self.layers.iter().map(|_| Past::new(self.heads, &self.arithmetic)).collect(), rows: 0 }
    }

    /// The rows of tokens: (tokens, width).
    ///
    /// # Errors
    /// An id beyond the vocabulary.
    pub fn embed(&self, tokens: &[u32]) -> candle_core::Result<Tensor> {
        self.embedding.weights_of(tokens)
    }

    /// Feeds the same number of rows to each of some sequences, one's after another's: (sequences x rows, width) to states of the
    /// same shape.
    ///
    /// # Errors
    /// When the width differs.
    pub fn forward(&self, rows: &Tensor, sequences: usize, cache: &mut Cache) -> candle_core::Result<Tensor> {
        self.watched(rows, sequences, cache, &mut |_, _| {})
    }

    /// As [`Decoder::forward`]; `watch` is shown what each layer gives, by its number.
    ///
    /// # Errors
    /// As [`Decoder::forward`].
    pub fn watched(
        &self,
        rows: &Tensor,
        sequences: usize,
        cache: &mut Cache,
        watch: &mut dyn FnMut(usize, &Tensor),
    ) -> candle_core::Result<Tensor> {
        let count = rows.dim(0)? / sequences.max(1);
        let turns = self.rotary.turns(cache.rows, count, sequences, &self.arithmetic)?;
        let mut x = rows.clone();
        for (number, (layer, past)) in self.layers.iter().zip(&mut cache.layers).enumerate() {
            x = layer.forward(&x, sequences, &turns, past)?;
            watch(number, &x);
        }
        cache.rows += count;
        self.norm.forward(&x)
    }

    /// States (rows, width) to logits (rows, vocabulary), or (rows, times) of a forced aligner.
    ///
    /// # Errors
    /// When the width differs.
    pub fn logits(&self, states: &Tensor) -> candle_core::Result<Tensor> {
        self.output.as_ref().unwrap_or(&self.embedding).forward(&states.contiguous()?)
    }

    /// Feeds each sequence a token and gives the logits after it.
    ///
    /// # Errors
    /// An id beyond the vocabulary.
    pub fn step(&self, tokens: &[u32], cache: &mut Cache) -> candle_core::Result<Vec<Vec<f32>>> {
        let states = self.forward(&self.embed(tokens)?, tokens.len(), cache)?;
        self.logits(&states)?.to_vec2()
    }
}

impl Layer {
    fn load(weights: &Weights, prefix: &str, sizes: &Sizes, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let (width, head, bias) = (sizes.hidden_size, sizes.head_dim, sizes.attention_bias);
        let (heads, key_heads) = (sizes.num_attention_heads, sizes.num_key_value_heads);
        let name = |part: &str| format!("{prefix}.{part}");
        let norm = |part: &str| RmsNorm::load(weights, &name(part), width, sizes.rms_norm_eps, arithmetic);
        let [query, key, value, output] = ["q_proj", "k_proj", "v_proj", "o_proj"].map(|part| name(&format!("self_attn.{part}")));
        // Queries are as many times wider than keys as heads share one: they are taken in as many stretches.
        let sharers = heads / key_heads.max(1);
        let mut parts: Vec<Part<'_>> =
            (0..sharers).map(|index| Part { bias, stretch: (index, sharers), ..Part::new(&query) }).collect();
        parts.extend([&key, &value].map(|name| Part { bias, ..Part::new(name) }));
        let output = [Part { bias, ..Part::new(&output) }];
        Ok(Self {
            attention_norm: norm("input_layernorm")?,
            projections: Linear::load_joined(weights, &parts, (width, key_heads * head), arithmetic)?,
            heads: HeadNorm::load(weights, &name("self_attn"), (heads, key_heads, head), sizes.rms_norm_eps, arithmetic)?,
            output: Linear::load_joined(weights, &output, (heads * head, width), arithmetic)?,
            feed_forward_norm: norm("post_attention_layernorm")?,
            feed_forward: GatedFeedForward::load(weights, &name("mlp"), (width, sizes.intermediate_size), arithmetic)?,
        })
    }

    /// (sequences x rows, width) to the same.
    fn forward(&self, x: &Tensor, sequences: usize, turns: &Turns, past: &mut Past) -> candle_core::Result<Tensor> {
        let projected = self.projections.forward(&self.attention_norm.forward(x)?)?;
        let attended = past.attend(&self.heads.turn(&projected, turns)?, sequences)?;
        let x = self.output.forward_onto(&attended, x)?;
        self.feed_forward.forward_onto(&self.feed_forward_norm.forward(&x)?, &x)
    }
}
