//! Log-mel frames to rows of the decoder: convolutions over chunks of a second, layers whose attention keeps to windows, and a projector.

use candle_core::Tensor;

use super::config::{AudioConfig, CHUNK, Config, Layout};
use crate::audio::Mel;
use crate::speech::SpeechError;
use crate::speech::kernels::Activation;
use crate::speech::model::layers::{Arithmetic, Conv2d, Heard, LayerNorm, Linear, Part};
use crate::speech::model::weights::Weights;

/// PyTorch's default, which every checkpoint was trained with.
const EPSILON: f32 = 1e-5;
/// The wavelengths of the positions grow up to 2 pi times this.
const LONGEST_WAVE: f32 = 10_000.0;
/// How often the convolutions halve bins and frames.
const HALVINGS: usize = 3;

struct Layer {
    attention_norm: LayerNorm,
    /// Scaled queries, keys and values beside each other.
    projections: Linear,
    output: Linear,
    feed_forward_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
}

/// The audio encoder and the projector.
pub struct Encoder {
    convolutions: [Conv2d; HALVINGS],
    convolved: Linear,
    /// (rows of a chunk, width)
    positions: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
    projector: [Linear; 2],
    heads: usize,
    /// Rows that a row's attention reaches over.
    window: usize,
    /// Whether the only chunk of a short clip is filled up too.
    whole_chunks: bool,
    arithmetic: Arithmetic,
}

/// What comes out of so many values when three convolutions have halved them.
fn halved(values: usize) -> usize {
    (0..HALVINGS).fold(values, |values, _| values.div_ceil(2))
}

impl Encoder {
    /// Takes the tensors of the audio tower and of the projector.
    ///
    /// # Errors
    /// As [`Weights::tensor`].
    pub fn load(weights: &Weights, config: &Config, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let (prefix, sizes) = (config.layout.audio(), &config.audio);
        let (width, channels) = (sizes.d_model, sizes.downsample_hidden_size);
        let convolution = |number: usize, inputs: usize| {
            Conv2d::load(weights, &format!("{prefix}.conv2d{number}"), (inputs, channels), arithmetic)
        };
        let convolved = format!("{prefix}.conv_out");
        let convolved = [Part { bias: false, ..Part::new(&convolved) }];
        let [first, second] = config.layout.projector();
        let layers =
            (0..sizes.encoder_layers).map(|index| Layer::load(weights, &format!("{prefix}.layers.{index}"), sizes, arithmetic));
        Ok(Self {
            convolutions: [convolution(1, 1)?, convolution(2, channels)?, convolution(3, channels)?],
            convolved: Linear::load_joined(weights, &convolved, (channels * halved(sizes.num_mel_bins), width), arithmetic)?,
            positions: positions(halved(CHUNK), width, arithmetic)?,
            layers: layers.collect::<Result<_, _>>()?,
            norm: LayerNorm::load(weights, &format!("{prefix}.ln_post"), width, EPSILON, arithmetic)?,
            projector: [
                Linear::load(weights, first, (width, width), arithmetic)?,
                Linear::load(weights, second, (width, sizes.output_dim), arithmetic)?,
            ],
            heads: sizes.encoder_attention_heads,
            window: sizes.n_window_infer / CHUNK * halved(CHUNK),
            whole_chunks: config.layout == Layout::Transformers,
            arithmetic: arithmetic.clone(),
        })
    }

    /// Log-mel (bins, frames), at least one frame, to (rows, width of the decoder): 13 rows for each second.
    ///
    /// # Errors
    /// Other bins than the model's.
    pub fn forward(&self, mel: &Mel) -> candle_core::Result<Tensor> {
        self.watched(mel, &mut |_, _| {})
    }

    /// As [`Encoder::forward`]; `watch` is shown what the convolutions give (as number 0), and each layer, by its number from 1 on.
    ///
    /// # Errors
    /// As [`Encoder::forward`].
    pub fn watched(&self, mel: &Mel, watch: &mut dyn FnMut(usize, &Tensor)) -> candle_core::Result<Tensor> {
        let mut x = self.convolve(mel)?;
        watch(0, &x);
        for (layer, number) in self.layers.iter().zip(1..) {
            x = layer.forward(&x, self.heads, self.window, &self.arithmetic)?;
            watch(number, &x);
        }
        let [first, second] = &self.projector;
        second.forward(&first.forward_activated(&self.norm.forward(&x)?, Activation::Gelu)?)
    }

    /// Each chunk on its own, with positions that begin anew. The last one is filled up with zeros, and of what comes of it only the rows
    /// are kept that its own frames give.
    fn convolve(&self, mel: &Mel) -> candle_core::Result<Tensor> {
        let all = Tensor::from_slice(&mel.data, (mel.bins, mel.frames), self.arithmetic.device())?;
        let chunks = (0..mel.frames).step_by(CHUNK).map(|begin| {
            let frames = CHUNK.min(mel.frames - begin);
            let fills = if mel.frames > CHUNK || self.whole_chunks { CHUNK - frames } else { 0 };
            let mut x = all.narrow(1, begin, frames)?.pad_with_zeros(1, 0, fills)?.unsqueeze(2)?.contiguous()?;
            for convolution in &self.convolutions {
                x = convolution.forward_gelu(&x)?;
            }
            // (bins, rows, channels) to a row's channels, of each the bins.
            let (bins, rows, channels) = x.dims3()?;
            let x = x.permute((1, 2, 0))?.contiguous()?.reshape((rows, channels * bins))?;
            let x = (self.convolved.forward(&x)? + self.positions.narrow(0, 0, rows)?)?;
            x.narrow(0, 0, halved(frames))
        });
        Tensor::cat(&chunks.collect::<candle_core::Result<Vec<_>>>()?, 0)
    }
}

/// Sines, then cosines, of positions from 0 on: (count, width). In 32 bits, as the reference has them.
fn positions(count: usize, width: usize, arithmetic: &Arithmetic) -> candle_core::Result<Tensor> {
    let half = width / 2;
    let step = LONGEST_WAVE.ln() / (half as f32 - 1.0);
    let mut positions = Vec::with_capacity(count * width);
    for position in 0..count {
        let angle = |index: usize| position as f32 * (-step * index as f32).exp();
        positions.extend((0..half).map(|index| angle(index).sin()));
        positions.extend((0..half).map(|index| angle(index).cos()));
    }
    Tensor::from_vec(positions, (count, width), arithmetic.device())
}

impl Layer {
    fn load(weights: &Weights, prefix: &str, sizes: &AudioConfig, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let (width, inner, heads) = (sizes.d_model, sizes.encoder_ffn_dim, sizes.encoder_attention_heads);
        let name = |part: &str| format!("{prefix}.{part}");
        let norm = |part: &str| LayerNorm::load(weights, &name(part), width, EPSILON, arithmetic);
        let [query, key, value] = ["q_proj", "k_proj", "v_proj"].map(|part| name(&format!("self_attn.{part}")));
        // The queries' scale costs nothing when it is in the weights.
        let scale = (width as f64 / heads as f64).sqrt().recip();
        let parts = [Part { scale, ..Part::new(&query) }, Part::new(&key), Part::new(&value)];
        Ok(Self {
            attention_norm: norm("self_attn_layer_norm")?,
            projections: Linear::load_joined(weights, &parts, (width, width), arithmetic)?,
            output: Linear::load(weights, &name("self_attn.out_proj"), (width, width), arithmetic)?,
            feed_forward_norm: norm("final_layer_norm")?,
            inner: Linear::load(weights, &name("fc1"), (width, inner), arithmetic)?,
            outer: Linear::load(weights, &name("fc2"), (inner, width), arithmetic)?,
        })
    }

    /// (rows, width) to the same; each row attends to those of its window.
    fn forward(&self, x: &Tensor, heads: usize, window: usize, arithmetic: &Arithmetic) -> candle_core::Result<Tensor> {
        let (rows, width) = x.dims2()?;
        let projected = self.projections.forward(&self.attention_norm.forward(x)?)?;
        let windows = (0..rows).step_by(window.max(1)).map(|begin| {
            let rows = projected.narrow(0, begin, window.min(rows - begin))?;
            let part = |index: usize| rows.narrow(1, index * width, width);
            Heard::new(&part(1)?, &part(2)?, heads, arithmetic)?.attend(&part(0)?)
        });
        let attended = Tensor::cat(&windows.collect::<candle_core::Result<Vec<_>>>()?, 0)?;
        let x = self.output.forward_onto(&attended, x)?;
        let inner = self.inner.forward_activated(&self.feed_forward_norm.forward(&x)?, Activation::Gelu)?;
        self.outer.forward_onto(&inner, &x)
    }
}
