//! The memory of a feed-forward sequential memory network.

use std::sync::Arc;

use candle_core::Tensor;

use super::{Arithmetic, with_rows};
use crate::speech::SpeechError;
use crate::speech::kernels::{Depthwise, Kernels};
use crate::speech::model::weights::Weights;

/// What a moment remembers of those around it: a convolution over time of each channel on its own, and the moment itself
/// (DFSMN, <https://arxiv.org/abs/1803.05030>, with a stride of 1 and as much before as after).
pub struct Memory {
    operator: Operator,
    /// Moments before and after its own that a moment sees.
    around: (usize, usize),
}

enum Operator {
    /// (taps, width), by candle.
    Dense(Tensor),
    Fused(Depthwise, Arc<Kernels>),
}

impl Memory {
    /// Takes `{name}.weight` (width, 1, taps). Of the taps `shift` more than half see what came before.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(
        weights: &Weights,
        name: &str,
        (width, taps, shift): (usize, usize, usize),
        arithmetic: &Arithmetic,
    ) -> Result<Self, SpeechError> {
        let tensor = weights.tensor(&format!("{name}.weight"), &[width, 1, taps])?;
        let mut by_tap: Vec<f32> = tensor.reshape((width, taps))?.t()?.contiguous()?.flatten_all()?.to_vec1()?;
        let last = taps.saturating_sub(1);
        let before = last / 2 + shift;
        // The moment itself is one more of its own tap.
        by_tap.iter_mut().skip(before * width).take(width).for_each(|weight| *weight += 1.0);
        let operator = match arithmetic.kernels() {
            Some(kernels) => Operator::Fused(Depthwise::new(by_tap, width, before), Arc::clone(kernels)),
            None => Operator::Dense(Tensor::from_vec(by_tap, (taps, width), arithmetic.device())?),
        };
        Ok(Self { operator, around: (before, last.saturating_sub(before)) })
    }

    /// (moments, width), which may be columns of a wider matrix, to the same; and then the sum with `residual`, if there is one.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor, residual: Option<&Tensor>) -> candle_core::Result<Tensor> {
        let (moments, width) = x.dims2()?;
        match &self.operator {
            Operator::Dense(weight) => {
                let padded = x.pad_with_zeros(0, self.around.0, self.around.1)?;
                let mut sum = residual.cloned();
                for tap in 0..weight.dim(0)? {
                    let term = padded.narrow(0, tap, moments)?.broadcast_mul(&weight.narrow(0, tap, 1)?)?;
                    sum = Some(if let Some(sum) = sum { (sum + term)? } else { term });
                }
                sum.ok_or_else(|| candle_core::Error::Msg("a memory without taps".to_owned()))
            }
            Operator::Fused(depthwise, kernels) => {
                if width != depthwise.channels() {
                    candle_core::bail!("a memory of width {} got {width}", depthwise.channels());
                }
                let convolve = |residual: Option<&[f32]>| {
                    with_rows(x, |values, stride| depthwise.convolve(kernels, (values, stride), moments, residual))
                };
                let y = match residual {
                    None => convolve(None)?,
                    Some(residual) => {
                        if residual.dims() != [moments, width] || !residual.is_contiguous() {
                            candle_core::bail!("a memory of {moments} x {width} cannot be added to {:?}", residual.layout());
                        }
                        with_rows(residual, |residual, _| convolve(Some(residual)))??
                    }
                };
                Tensor::from_vec(y, (moments, width), x.device())
            }
        }
    }
}
