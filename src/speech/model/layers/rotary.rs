//! Queries and keys that know their tokens' positions: rotary embeddings (<https://arxiv.org/abs/2104.09864>), the two halves of a
//! head turned against each other, after each head was normalised on its own as Qwen3 does.

use std::sync::Arc;

use candle_core::Tensor;

use super::{Arithmetic, with_rows};
use crate::speech::SpeechError;
use crate::speech::kernels::{self, Heads, Kernels};
use crate::speech::model::weights::Weights;

/// The speeds at which the pairs of a head turn from one position to the next.
pub struct Rotary {
    speeds: Vec<f32>,
}

/// Cosines and sines for some tokens.
pub struct Turns {
    operator: Angles,
    tokens: usize,
}

enum Angles {
    /// (tokens, 1, half a head's width) each, where candle's operators run.
    Dense(Tensor, Tensor),
    /// (tokens, half a head's width) each, row-major.
    Fused(Vec<f32>, Vec<f32>),
}

impl Rotary {
    /// For heads of `width` values; the slowest turns once in almost 2 pi times `theta` positions.
    #[must_use]
    pub fn new(width: usize, theta: f64) -> Self {
        let speed = |pair: usize| theta.powf(-((2 * pair) as f64) / width as f64) as f32;
        Self { speeds: (0..width / 2).map(speed).collect() }
    }

    /// For so many tokens of each of some sequences, each sequence's first at the position `first`.
    ///
    /// # Errors
    /// When they cannot be brought to the device.
    pub fn turns(&self, first: usize, tokens: usize, sequences: usize, arithmetic: &Arithmetic) -> candle_core::Result<Turns> {
        let positions = (0..sequences).flat_map(|_| first..first + tokens);
        let angles = positions.flat_map(|position| self.speeds.iter().map(move |speed| position as f32 * speed));
        let (cosines, sines): (Vec<f32>, Vec<f32>) = angles.map(|angle| (angle.cos(), angle.sin())).unzip();
        let tokens = tokens * sequences;
        let operator = if arithmetic.kernels().is_some() {
            Angles::Fused(cosines, sines)
        } else {
            let tensor = |values| Tensor::from_vec(values, (tokens, 1, self.speeds.len()), arithmetic.device());
            Angles::Dense(tensor(cosines)?, tensor(sines)?)
        };
        Ok(Turns { operator, tokens })
    }
}

/// What normalises and turns the heads of one layer.
pub struct HeadNorm {
    operator: Norms,
    epsilon: f32,
    /// Of queries, and of keys.
    heads: (usize, usize),
    /// Of a head.
    width: usize,
}

/// What normalised queries and keys are multiplied by, (width of a head) each.
enum Norms {
    /// By candle.
    Dense(Tensor, Tensor),
    Fused(Vec<f32>, Vec<f32>, Arc<Kernels>),
}

impl HeadNorm {
    /// Takes `{prefix}.q_norm.weight` and `{prefix}.k_norm.weight`, both (width of a head). The scale of attention,
    /// `1 / sqrt(width)`, goes into the queries here.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(
        weights: &Weights,
        prefix: &str,
        (heads, key_heads, width): (usize, usize, usize),
        epsilon: f32,
        arithmetic: &Arithmetic,
    ) -> Result<Self, SpeechError> {
        let scale = |name: &str| Ok::<_, SpeechError>(weights.tensor(&format!("{prefix}.{name}.weight"), &[width])?.to_vec1()?);
        let (mut query, key): (Vec<f32>, Vec<f32>) = (scale("q_norm")?, scale("k_norm")?);
        let attention = (width as f32).sqrt().recip();
        query.iter_mut().for_each(|value| *value *= attention);
        let operator = if let Some(kernels) = arithmetic.kernels() {
            Norms::Fused(query, key, Arc::clone(kernels))
        } else {
            let tensor = |values| Tensor::from_vec(values, width, arithmetic.device());
            Norms::Dense(tensor(query)?, tensor(key)?)
        };
        Ok(Self { operator, epsilon, heads: (heads, key_heads), width })
    }

    /// Rows of queries, keys and values, (tokens, (heads + 2 x key heads) x width), to the same with queries scaled for attention.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn turn(&self, qkv: &Tensor, turns: &Turns) -> candle_core::Result<Tensor> {
        let (tokens, columns) = qkv.dims2()?;
        let ((heads, key_heads), width) = (self.heads, self.width);
        if columns != (heads + 2 * key_heads) * width || turns.tokens != tokens {
            candle_core::bail!("{heads} and {key_heads} heads of {width} got {:?}", qkv.shape());
        }
        match (&self.operator, &turns.operator) {
            (Norms::Fused(query, key, kernels), Angles::Fused(cosines, sines)) => {
                let mut rows = with_rows(qkv, |values, _| values.get(..tokens * columns).unwrap_or_default().to_vec())?;
                let heads = Heads { heads: self.heads, scales: (query, key), epsilon: self.epsilon };
                kernels::turn(kernels, &mut rows, heads, (cosines, sines));
                Tensor::from_vec(rows, (tokens, columns), qkv.device())
            }
            (Norms::Dense(query, key), Angles::Dense(cosines, sines)) => {
                let turned = |begin: usize, heads: usize, scale: &Tensor| {
                    let part = qkv.narrow(1, begin, heads * width)?.reshape((tokens, heads, 1, width))?.contiguous()?;
                    let normed = candle_nn::ops::rms_norm(&part, scale, self.epsilon)?;
                    candle_nn::rotary_emb::rope(&normed, cosines, sines)?.reshape((tokens, heads * width))
                };
                let (all, kept) = (heads * width, key_heads * width);
                let values = qkv.narrow(1, all + kept, kept)?.contiguous()?;
                Tensor::cat(&[turned(0, heads, query)?, turned(all, key_heads, key)?, values], 1)
            }
            _ => candle_core::bail!("heads and angles are of different operators"),
        }
    }
}
