//! Mel frames to encoder states.

use candle_core::Tensor;

use super::config::Config;
use crate::audio::Mel;
use crate::speech::SpeechError;
use crate::speech::kernels::Activation;
use crate::speech::model::layers::{Arithmetic, Conv1d, Heard, LayerNorm, Linear, Part};
use crate::speech::model::weights::Weights;

/// PyTorch's default, which every Whisper checkpoint was trained with.
pub(super) const EPSILON: f32 = 1e-5;

struct Layer {
    attention_norm: LayerNorm,
    /// Queries, keys and values beside each other.
    projections: Linear,
    output: Linear,
    feed_forward_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
}

/// Two convolutions and a stack of layers in which every position sees every other.
pub struct Encoder {
    convolutions: [Conv1d; 2],
    /// (max_source_positions, width)
    positions: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
    heads: usize,
    arithmetic: Arithmetic,
}

impl Encoder {
    /// Takes `model.encoder.*`.
    ///
    /// # Errors
    /// As [`Weights::tensor`].
    pub fn load(weights: &Weights, config: &Config, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let width = config.d_model;
        let prefix = "model.encoder";
        let stride = super::config::FRAMES_PER_POSITION;
        let convolutions = [
            Conv1d::load(weights, &format!("{prefix}.conv1"), (config.num_mel_bins, width), 1, arithmetic)?,
            Conv1d::load(weights, &format!("{prefix}.conv2"), (width, width), stride, arithmetic)?,
        ];
        let positions = weights.tensor(&format!("{prefix}.embed_positions.weight"), &[config.max_source_positions, width])?;
        let layers = (0..config.encoder_layers)
            .map(|index| Layer::load(weights, &format!("{prefix}.layers.{index}"), config, arithmetic))
            .collect::<Result<Vec<_>, _>>()?;
        let norm = LayerNorm::load(weights, &format!("{prefix}.layer_norm"), width, EPSILON, arithmetic)?;
        let heads = config.encoder_attention_heads;
        Ok(Self { convolutions, positions, layers, norm, heads, arithmetic: arithmetic.clone() })
    }

    /// Log-mel (bins, frames) to (ceil(frames / 2), width).
    ///
    /// # Errors
    /// More frames than the window has, or other bins than the model's.
    pub fn forward(&self, mel: &Mel) -> candle_core::Result<Tensor> {
        self.watched(mel, &mut |_| {})
    }

    /// As [`Encoder::forward`]; `watch` sees what each layer gives.
    pub(super) fn watched(&self, mel: &Mel, watch: &mut dyn FnMut(&Tensor)) -> candle_core::Result<Tensor> {
        let mut x = Tensor::from_slice(&mel.data, (mel.bins, mel.frames), self.arithmetic.device())?.t()?.contiguous()?;
        for convolution in &self.convolutions {
            x = convolution.forward_gelu(&x)?;
        }
        let mut x = (&x + self.positions.narrow(0, 0, x.dim(0)?)?)?;
        for layer in &self.layers {
            x = layer.forward(&x, self.heads, &self.arithmetic)?;
            watch(&x);
        }
        self.norm.forward(&x)
    }
}

impl Layer {
    fn load(weights: &Weights, prefix: &str, config: &Config, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let (width, inner) = (config.d_model, config.encoder_ffn_dim);
        let name = |part: &str| format!("{prefix}.{part}");
        let norm = |part: &str| LayerNorm::load(weights, &name(part), width, EPSILON, arithmetic);
        Ok(Self {
            attention_norm: norm("self_attn_layer_norm")?,
            projections: load_projections(weights, &name("self_attn"), (width, config.encoder_attention_heads), arithmetic)?,
            output: Linear::load(weights, &name("self_attn.out_proj"), (width, width), arithmetic)?,
            feed_forward_norm: norm("final_layer_norm")?,
            inner: Linear::load(weights, &name("fc1"), (width, inner), arithmetic)?,
            outer: Linear::load(weights, &name("fc2"), (inner, width), arithmetic)?,
        })
    }

    /// (positions, width) to the same.
    fn forward(&self, x: &Tensor, heads: usize, arithmetic: &Arithmetic) -> candle_core::Result<Tensor> {
        let width = x.dim(1)?;
        let projected = self.projections.forward(&self.attention_norm.forward(x)?)?;
        let part = |index: usize| projected.narrow(1, index * width, width);
        let attended = Heard::new(&part(1)?, &part(2)?, heads, arithmetic)?.attend(&part(0)?)?;
        let x = self.output.forward_onto(&attended, x)?;
        let inner = self.inner.forward_activated(&self.feed_forward_norm.forward(&x)?, Activation::Gelu)?;
        self.outer.forward_onto(&inner, &x)
    }
}

/// What makes scaled queries of a projection: `1 / sqrt(width of a head)` is a power of two in every published size, so folding it into
/// the weights changes no bit of the products.
pub(super) fn query_scale(width: usize, heads: usize) -> f64 {
    (width as f64 / heads as f64).sqrt().recip()
}

/// `{prefix}.q_proj`, `.k_proj` and `.v_proj` as one layer that gives scaled queries, keys and values beside each other.
pub(super) fn load_projections(
    weights: &Weights,
    prefix: &str,
    (width, heads): (usize, usize),
    arithmetic: &Arithmetic,
) -> Result<Linear, SpeechError> {
    let [query, key, value] = ["q_proj", "k_proj", "v_proj"].map(|part| format!("{prefix}.{part}"));
    let parts = [
        Part { scale: query_scale(width, heads), ..Part::new(&query) },
        Part { bias: false, ..Part::new(&key) },
        Part::new(&value),
    ];
    Linear::load_joined(weights, &parts, (width, width), arithmetic)
}
