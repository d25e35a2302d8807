//! Queries and keys that know their tokens' positions: rotary embeddings (<https://arxiv.org/abs/2104.09864>), the two halves of a
//! head turned against each other, after each head was normalised on its own as Qwen3 does.

use candle_core::Tensor;

use super::{Arithmetic, with_rows};
use crate::speech::SpeechError;
use crate::speech::kernels::{self, Heads};
use crate::speech::model::weights::Weights;

/// The speeds at which the pairs of a head turn from one position to the next.
pub struct Rotary {
    speeds: Vec<f32>,
}

/// Cosines and sines for some tokens, (tokens, half a head's width) each.
pub struct Turns {
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl Rotary {
    /// For heads of `width` values; the slowest turns once in almost 2 pi times `theta` positions.
    #[must_use]
    pub fn new(width: usize, theta: f64) -> Self {
        let speed = |pair: usize| theta.powf(-((2 * pair) as f64) / width as f64) as f32;
        Self { speeds: (0..width / 2).map(speed).collect() }
    }

    /// For so many tokens of each of some sequences, each sequence's first at the position `first`.
    #[must_use]
    pub fn turns(&self, first: usize, tokens: usize, sequences: usize) -> Turns {
        let positions = (0..sequences).flat_map(|_| first..first + tokens);
        let angles = positions.flat_map(|position| self.speeds.iter().map(move |speed| position as f32 * speed));
        let (cosines, sines) = angles.map(|angle| (angle.cos(), angle.sin())).unzip();
        Turns { cosines, sines }
    }
}

/// What normalises and turns the heads of one layer.
pub struct HeadNorm {
    /// What a normalised head is multiplied by.
    query: Vec<f32>,
    key: Vec<f32>,
    epsilon: f32,
    /// Of queries, and of keys.
    heads: (usize, usize),
    arithmetic: Arithmetic,
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
        let mut query: Vec<f32> = scale("q_norm")?;
        let attention = (width as f32).sqrt().recip();
        query.iter_mut().for_each(|value| *value *= attention);
        Ok(Self { query, key: scale("k_norm")?, epsilon, heads: (heads, key_heads), arithmetic: arithmetic.clone() })
    }

    /// Rows of queries, keys and values, (tokens, (heads + 2 x key heads) x width), to the same with queries scaled for attention.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn turn(&self, qkv: &Tensor, turns: &Turns) -> candle_core::Result<Tensor> {
        let (tokens, columns) = qkv.dims2()?;
        let (heads, key_heads) = self.heads;
        let width = self.query.len();
        if columns != (heads + 2 * key_heads) * width || turns.cosines.len() != tokens * (width / 2) {
            candle_core::bail!("{heads} and {key_heads} heads of {width} got {:?}", qkv.shape());
        }
        if let Some(kernels) = self.arithmetic.kernels() {
            let mut rows = with_rows(qkv, |values, _| values.get(..tokens * columns).unwrap_or_default().to_vec())?;
            let heads = Heads { heads: self.heads, scales: (&self.query, &self.key), epsilon: self.epsilon };
            kernels::turn(kernels, &mut rows, heads, (&turns.cosines, &turns.sines));
            return Tensor::from_vec(rows, (tokens, columns), qkv.device());
        }
        let angles = |values: &[f32]| Tensor::from_slice(values, (tokens, 1, width / 2), qkv.device());
        let (cosines, sines) = (angles(&turns.cosines)?, angles(&turns.sines)?);
        let turned = |begin: usize, heads: usize, scale: &[f32]| {
            let scale = Tensor::from_slice(scale, width, qkv.device())?;
            let part = qkv.narrow(1, begin, heads * width)?.reshape((tokens, heads, width))?.contiguous()?;
            let normed = candle_nn::ops::rms_norm(&part, &scale, self.epsilon)?;
            let (first, second) = (normed.narrow(2, 0, width / 2)?, normed.narrow(2, width / 2, width / 2)?);
            let one = (first.broadcast_mul(&cosines)? - second.broadcast_mul(&sines)?)?;
            let other = (second.broadcast_mul(&cosines)? + first.broadcast_mul(&sines)?)?;
            Tensor::cat(&[one, other], 2)?.reshape((tokens, heads * width))
        };
        let (all, kept) = (heads * width, key_heads * width);
        let parts = [turned(0, heads, &self.query)?, turned(all, key_heads, &self.key)?, qkv.narrow(1, all + kept, kept)?];
        Tensor::cat(&parts, 1)
    }
}
