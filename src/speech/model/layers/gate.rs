//! The gated feed-forward layer (SwiGLU, <https://arxiv.org/abs/2002.05202>).

use candle_core::Tensor;

use super::{Arithmetic, Linear, Part, with_rows};
use crate::speech::SpeechError;
use crate::speech::kernels;
use crate::speech::model::weights::Weights;

/// `(silu(x A^T) * x B^T) C^T`, without biases.
pub struct GatedFeedForward {
    /// A and B, their outputs beside each other.
    inner: Linear,
    outer: Linear,
    arithmetic: Arithmetic,
}

impl GatedFeedForward {
    /// Takes `{prefix}.gate_proj`, `.up_proj` (inner, width) and `.down_proj` (width, inner).
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(
        weights: &Weights,
        prefix: &str,
        (width, inner): (usize, usize),
        arithmetic: &Arithmetic,
    ) -> Result<Self, SpeechError> {
        let [gate, up, down] = ["gate_proj", "up_proj", "down_proj"].map(|part| format!("{prefix}.{part}"));
        let [gate, up, down] = [&gate, &up, &down].map(|name| Part { bias: false, ..Part::new(name) });
        Ok(Self {
            inner: Linear::load_joined(weights, &[gate, up], (width, inner), arithmetic)?,
            outer: Linear::load_joined(weights, &[down], (inner, width), arithmetic)?,
            arithmetic: arithmetic.clone(),
        })
    }

    /// (rows, width) to the same, and then the sum with `residual`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward_onto(&self, x: &Tensor, residual: &Tensor) -> candle_core::Result<Tensor> {
        let both = self.inner.forward(x)?;
        let (rows, columns) = both.dims2()?;
        let width = columns / 2;
        let gated = match self.arithmetic.kernels() {
            Some(kernels) => {
                let gated = with_rows(&both, |values, _| {
                    kernels::gate(kernels, values.get(..rows * columns).unwrap_or_default(), width)
                })?;
                Tensor::from_vec(gated, (rows, width), x.device())?
            }
            None => (both.narrow(1, 0, width)?.silu()? * both.narrow(1, width, width)?)?,
        };
        self.outer.forward_onto(&gated, residual)
    }
}
