//! Normalisation of rows.

use candle_core::Tensor;

use super::{Arithmetic, with_rows};
use crate::speech::SpeechError;
use crate::speech::kernels;
use crate::speech::model::weights::Weights;

/// Layer normalisation over the last dimension, with scale and shift.
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f32,
    /// Scale and shift, where the fused operator runs.
    values: Option<(Vec<f32>, Vec<f32>)>,
    arithmetic: Arithmetic,
}

impl LayerNorm {
    /// Takes `{name}.weight` and `{name}.bias`, both (width).
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(weights: &Weights, name: &str, width: usize, epsilon: f32, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let weight = weights.tensor(&format!("{name}.weight"), &[width])?;
        let bias = weights.tensor(&format!("{name}.bias"), &[width])?;
        let fused = arithmetic.kernels().is_some();
        let values = if fused { Some((weight.to_vec1()?, bias.to_vec1()?)) } else { None };
        Ok(Self { weight, bias, epsilon, values, arithmetic: arithmetic.clone() })
    }

    /// (rows, width) to the same.
    ///
    /// # Errors
    /// When the width differs.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (Some(kernels), Some((scale, shift))) = (self.arithmetic.kernels(), &self.values) else {
            return candle_nn::ops::layer_norm(x, &self.weight, &self.bias, self.epsilon);
        };
        let (rows, width) = x.dims2()?;
        if width != scale.len() || !x.is_contiguous() {
            candle_core::bail!("a normalisation over {} values got {:?}", scale.len(), x.layout());
        }
        let normed = with_rows(x, |values, _| {
            let values = values.get(..rows * width).unwrap_or_default();
            kernels::layer_norm(kernels, values, scale, shift, self.epsilon)
        })?;
        Tensor::from_vec(normed, (rows, width), x.device())
    }
}

/// Normalisation over the last dimension by the root of the mean square, with a scale.
pub struct RmsNorm {
    weight: Tensor,
    epsilon: f32,
    /// The scale, where the fused operator runs.
    values: Option<Vec<f32>>,
    arithmetic: Arithmetic,
}

impl RmsNorm {
    /// Takes `{name}.weight` (width).
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(weights: &Weights, name: &str, width: usize, epsilon: f32, arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        let weight = weights.tensor(&format!("{name}.weight"), &[width])?;
        let values = arithmetic.kernels().is_some().then(|| weight.to_vec1()).transpose()?;
        Ok(Self { weight, epsilon, values, arithmetic: arithmetic.clone() })
    }

    /// (rows, width) to the same.
    ///
    /// # Errors
    /// When the width differs.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (Some(kernels), Some(scale)) = (self.arithmetic.kernels(), &self.values) else {
            return candle_nn::ops::rms_norm(&x.contiguous()?, &self.weight, self.epsilon);
        };
        let (rows, width) = x.dims2()?;
        if width != scale.len() || !x.is_contiguous() {
            candle_core::bail!("a normalisation over {} values got {:?}", scale.len(), x.layout());
        }
        let normed = with_rows(x, |values, _| {
            kernels::rms_norm(kernels, values.get(..rows * width).unwrap_or_default(), scale, self.epsilon)
        })?;
        Tensor::from_vec(normed, (rows, width), x.device())
    }
}
