//! Rows of features to encoder states: self-attention with a memory (SAN-M, <https://arxiv.org/abs/2006.01713>).

use candle_core::Tensor;

use super::config::Config;
use crate::audio::Features;
use crate::speech::SpeechError;
use crate::speech::kernels::Activation;
use crate::speech::model::layers::{Arithmetic, Heard, LayerNorm, Linear, Memory, Part};
use crate::speech::model::weights::Weights;

/// PyTorch's default, which every SenseVoice checkpoint was trained with.
const EPSILON: f32 = 1e-5;
/// Rows of `embed.weight`: FunASR's seven languages, two ways of writing, and seven that it does not name.
const EMBEDDINGS: usize = 16;
/// The wavelengths of the positions grow up to 2 pi times this.
const LONGEST_WAVE: f64 = 10_000.0;
/// Rows that stand before the features, each asking one thing: language, mood, event, way of writing.
pub const QUERIES: usize = 4;

/// Attention with a memory, and a feed-forward layer.
struct Block {
    attention_norm: LayerNorm,
    /// Scaled queries, keys and values beside each other.
    projections: Linear,
    memory: Memory,
    output: Linear,
    feed_forward_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
    heads: usize,
    /// Whether what comes in is as wide as what goes out: if not, there is nothing that attention could be added to.
    residual: bool,
    arithmetic: Arithmetic,
}

/// What rows go through one after the other.
enum Stage {
    Block(Box<Block>),
    /// At the end of a stack of blocks.
    Norm(LayerNorm),
}

/// Two stacks of blocks in which every position sees every other.
pub struct Encoder {
    /// (EMBEDDINGS, width of a row of features)
    queries: Tensor,
    stages: Vec<Stage>,
    /// What a row is multiplied by before positions are added.
    scale: f64,
}

impl Encoder {
    /// Takes `embed` and `encoder.*`.
    ///
    /// # Errors
    /// As [`Weights::tensor`].
    pub fn load(weights: &Weights, config: &Config, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let (input, sizes) = (config.frontend_conf.width(), &config.encoder_conf);
        let block = |name: String, input: usize| {
            let block = Block::load(weights, &format!("encoder.{name}"), input, config, arithmetic)?;
            Ok::<_, SpeechError>(Stage::Block(Box::new(block)))
        };
        let norm = |name: &str| {
            let norm = LayerNorm::load(weights, &format!("encoder.{name}"), sizes.output_size, EPSILON, arithmetic)?;
            Ok::<_, SpeechError>(Stage::Norm(norm))
        };
        let mut stages = vec![block("encoders0.0".to_owned(), input)?];
        for index in 0..sizes.num_blocks.saturating_sub(1) {
            stages.push(block(format!("encoders.{index}"), sizes.output_size)?);
        }
        stages.push(norm("after_norm")?);
        for index in 0..sizes.tp_blocks {
            stages.push(block(format!("tp_encoders.{index}"), sizes.output_size)?);
        }
        stages.push(norm("tp_norm")?);
        let queries = weights.tensor("embed.weight", &[EMBEDDINGS, input])?;
        Ok(Self { queries, stages, scale: (sizes.output_size as f64).sqrt() })
    }

    /// Rows of features, and the rows of `embed` that ask about them, to states (QUERIES + rows, width): the answers, then the rows.
    ///
    /// # Errors
    /// Features of another width than the checkpoint's.
    pub fn forward(&self, features: &Features, queries: [u32; QUERIES]) -> candle_core::Result<Tensor> {
        self.watched(features, queries, &mut |_, _| {})
    }

    /// As [`Encoder::forward`]; `watch` is shown what each stage gives, by the stage's number.
    ///
    /// # Errors
    /// As [`Encoder::forward`].
    pub fn watched(
        &self,
        features: &Features,
        queries: [u32; QUERIES],
        watch: &mut dyn FnMut(usize, &Tensor),
    ) -> candle_core::Result<Tensor> {
        let mut x = self.input(features, queries)?;
        for (number, stage) in self.stages.iter().enumerate() {
            x = stage.forward(&x)?;
            watch(number, &x);
        }
        Ok(x)
    }

    /// What the first block takes: (QUERIES + rows, width of a row of features).
    fn input(&self, features: &Features, queries: [u32; QUERIES]) -> candle_core::Result<Tensor> {
        let device = self.queries.device();
        let asked = self.queries.index_select(&Tensor::new(&queries, device)?, 0)?;
        let features = Tensor::from_slice(&features.data, (features.rows(), features.width), device)?;
        let rows = (Tensor::cat(&[asked, features], 0)? * self.scale)?;
        let (count, width) = rows.dims2()?;
        rows + Tensor::from_vec(positions(count, width), (count, width), device)?
    }
}

/// Sines, then cosines, of positions from 1 on: (count, width), row-major.
fn positions(count: usize, width: usize) -> Vec<f32> {
    let half = width / 2;
    let step = LONGEST_WAVE.ln() / (half as f64 - 1.0);
    let mut positions = Vec::with_capacity(count * width);
    for position in 1..=count {
        let angle = |index: usize| position as f64 * (-(index as f64) * step).exp();
        positions.extend((0..half).map(|index| angle(index).sin() as f32));
        positions.extend((0..half).map(|index| angle(index).cos() as f32));
    }
    positions
}

impl Stage {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Block(block) => block.forward(x),
            Self::Norm(norm) => norm.forward(x),
        }
    }
}

impl Block {
    fn load(
        weights: &Weights,
        prefix: &str,
        input: usize,
        config: &Config,
        arithmetic: &Arithmetic,
    ) -> Result<Self, SpeechError> {
        let sizes = &config.encoder_conf;
        let (width, inner, heads) = (sizes.output_size, sizes.linear_units, sizes.attention_heads);
        let name = |part: &str| format!("{prefix}.{part}");
        let joined = name("self_attn.linear_q_k_v");
        // The queries' scale, `1 / sqrt(width of a head)`, costs nothing when it is in the weights.
        let scale = (width as f64 / heads as f64).sqrt().recip();
        let parts =
            [(0, scale), (1, 1.0), (2, 1.0)].map(|(index, scale)| Part { scale, stretch: (index, 3), ..Part::new(&joined) });
        Ok(Self {
            attention_norm: LayerNorm::load(weights, &name("norm1"), input, EPSILON, arithmetic)?,
            projections: Linear::load_joined(weights, &parts, (input, width), arithmetic)?,
            memory: Memory::load(
                weights,
                &name("self_attn.fsmn_block"),
                (width, sizes.kernel_size, sizes.sanm_shfit),
                arithmetic,
            )?,
            output: Linear::load(weights, &name("self_attn.linear_out"), (width, width), arithmetic)?,
            feed_forward_norm: LayerNorm::load(weights, &name("norm2"), width, EPSILON, arithmetic)?,
            inner: Linear::load(weights, &name("feed_forward.w_1"), (width, inner), arithmetic)?,
            outer: Linear::load(weights, &name("feed_forward.w_2"), (inner, width), arithmetic)?,
            heads,
            residual: input == width,
            arithmetic: arithmetic.clone(),
        })
    }

    /// (rows, input width) to (rows, width).
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let projected = self.projections.forward(&self.attention_norm.forward(x)?)?;
        let width = projected.dim(1)? / 3;
        let part = |index: usize| projected.narrow(1, index * width, width);
        let attended = Heard::new(&part(1)?, &part(2)?, self.heads, &self.arithmetic)?.attend(&part(0)?)?;
        let remembered = self.memory.forward(&part(2)?, self.residual.then_some(x))?;
        let x = self.output.forward_onto(&attended, &remembered)?;
        let inner = self.inner.forward_activated(&self.feed_forward_norm.forward(&x)?, Activation::Relu)?;
        self.outer.forward_onto(&inner, &x)
    }
}
