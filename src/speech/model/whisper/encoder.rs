//! Mel frames to encoder states.

use candle_core::{Device, Tensor};

use super::config::Config;
use crate::audio::Mel;
use crate::speech::SpeechError;
use crate::speech::model::Precision;
use crate::speech::model::layers::{Conv1d, LayerNorm, Linear, attend_by_head, join_heads, split_heads};
use crate::speech::model::weights::Weights;

/// PyTorch's default, which every Whisper checkpoint was trained with.
pub(super) const EPSILON: f32 = 1e-5;

struct Layer {
    attention_norm: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    feed_forward_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
    heads: usize,
}

/// Two convolutions and a stack of layers in which every position sees every other.
pub struct Encoder {
    convolutions: [Conv1d; 2],
    /// (max_source_positions, width)
    positions: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
    device: Device,
}

impl Encoder {
    /// Takes `model.encoder.*`.
    ///
    /// # Errors
    /// As [`Weights::tensor`].
    pub fn load(weights: &Weights, config: &Config, precision: Precision, device: &Device) -> Result<Self, SpeechError> {
        let width = config.d_model;
        let prefix = "model.encoder";
        let convolutions = [
            Conv1d::load(weights, &format!("{prefix}.conv1"), (config.num_mel_bins, width), 1)?,
            Conv1d::load(weights, &format!("{prefix}.conv2"), (width, width), super::config::FRAMES_PER_POSITION)?,
        ];
        let positions = weights.tensor(&format!("{prefix}.embed_positions.weight"), &[config.max_source_positions, width])?;
        let layers = (0..config.encoder_layers)
            .map(|index| Layer::load(weights, &format!("{prefix}.layers.{index}"), config, precision))
            .collect::<Result<Vec<_>, _>>()?;
        let norm = LayerNorm::load(weights, &format!("{prefix}.layer_norm"), width, EPSILON)?;
        Ok(Self { convolutions, positions, layers, norm, device: device.clone() })
    }

    /// Log-mel (bins, frames) to (ceil(frames / 2), width).
    ///
    /// # Errors
    /// More frames than the window has, or other bins than the model's.
    pub fn forward(&self, mel: &Mel) -> candle_core::Result<Tensor> {
        let mut x = Tensor::from_slice(&mel.data, (1, mel.bins, mel.frames), &self.device)?;
        for convolution in &self.convolutions {
            x = convolution.forward(&x)?.gelu_erf()?;
        }
        let x = x.squeeze(0)?.t()?.contiguous()?;
        let mut x = (&x + self.positions.narrow(0, 0, x.dim(0)?)?)?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        self.norm.forward(&x)
    }
}

impl Layer {
    fn load(weights: &Weights, prefix: &str, config: &Config, precision: Precision) -> Result<Self, SpeechError> {
        let (width, inner) = (config.d_model, config.encoder_ffn_dim);
        let heads = config.encoder_attention_heads;
        let name = |part: &str| format!("{prefix}.{part}");
        let square = (width, width);
        Ok(Self {
            attention_norm: LayerNorm::load(weights, &name("self_attn_layer_norm"), width, EPSILON)?,
            query: load_query(weights, &name("self_attn.q_proj"), width, heads, precision)?,
            key: Linear::load(weights, &name("self_attn.k_proj"), square, false, precision)?,
            value: Linear::load(weights, &name("self_attn.v_proj"), square, true, precision)?,
            output: Linear::load(weights, &name("self_attn.out_proj"), square, true, precision)?,
            feed_forward_norm: LayerNorm::load(weights, &name("final_layer_norm"), width, EPSILON)?,
            inner: Linear::load(weights, &name("fc1"), (width, inner), true, precision)?,
            outer: Linear::load(weights, &name("fc2"), (inner, width), true, precision)?,
            heads,
        })
    }

    /// (positions, width) to the same.
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let normed = self.attention_norm.forward(x)?;
        let query = split_heads(&self.query.forward(&normed)?, self.heads)?;
        let key = split_heads(&self.key.forward(&normed)?, self.heads)?;
        let value = split_heads(&self.value.forward(&normed)?, self.heads)?;
        let attended = join_heads(&attend_by_head(&query, &key.transpose(1, 2)?, &value)?)?;
        let x = (x + self.output.forward(&attended)?)?;
        let normed = self.feed_forward_norm.forward(&x)?;
        let inner = self.inner.forward(&normed)?.gelu_erf()?;
        x + self.outer.forward(&inner)?
    }
}

/// A query projection that yields scaled queries: `1 / sqrt(width of a head)` is a power of two in every published size, so folding
/// it into the weights changes no bit of the products.
pub(super) fn load_query(
    weights: &Weights,
    name: &str,
    width: usize,
    heads: usize,
    precision: Precision,
) -> Result<Linear, SpeechError> {
    let scale = (width as f64 / heads as f64).sqrt().recip();
    Linear::load_scaled(weights, name, (width, width), true, precision, scale)
}
