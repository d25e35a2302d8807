//! The layers that families share. A layer chooses its operator when it is loaded, by device and precision, so that a faster
//! kernel replaces it here and nowhere else.

use candle_core::Tensor;
use rayon::prelude::*;

use super::weights::Weights;
use super::{Precision, softmax};
use crate::speech::SpeechError;

/// `y = x W^T + b`.
pub struct Linear {
    operator: Operator,
    bias: Option<Tensor>,
}

enum Operator {
    /// (out, in), f32.
    Dense(Tensor),
}

/// Outputs that one task takes of a product with a single row. A fixed number, so that no sum depends on the threads there are.
const OUTPUTS_PER_TASK: usize = 2048;

impl Linear {
    /// A layer over a weight of shape (out, in) and a bias of shape (out).
    ///
    /// Every precision is f32 for now: candle's own 8-bit product (`QMatMul`, Q8_0) was slower here than f32 on two cores and cost
    /// a point of character error rate.
    #[must_use]
    pub fn new(weight: Tensor, bias: Option<Tensor>, precision: Precision) -> Self {
        let operator = match precision {
            Precision::Exact | Precision::Balanced | Precision::Fast => Operator::Dense(weight),
        };
        Self { operator, bias }
    }

    /// Takes `{name}.weight` (outputs, inputs) and, where `bias`, `{name}.bias` (outputs).
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(
        weights: &Weights,
        name: &str,
        (inputs, outputs): (usize, usize),
        bias: bool,
        precision: Precision,
    ) -> Result<Self, SpeechError> {
        Self::load_scaled(weights, name, (inputs, outputs), bias, precision, 1.0)
    }

    /// As [`Linear::load`], with weight and bias multiplied by `scale`: a scale that every call would apply costs nothing here.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load_scaled(
        weights: &Weights,
        name: &str,
        (inputs, outputs): (usize, usize),
        bias: bool,
        precision: Precision,
        scale: f64,
    ) -> Result<Self, SpeechError> {
        let weight = (weights.tensor(&format!("{name}.weight"), &[outputs, inputs])? * scale)?;
        let bias = if bias { Some((weights.tensor(&format!("{name}.bias"), &[outputs])? * scale)?) } else { None };
        Ok(Self::new(weight, bias, precision))
    }

    /// (rows, in) to (rows, out).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let y = match &self.operator {
            Operator::Dense(weight) if x.dim(0)? == 1 && x.device().is_cpu() => one_row(x, weight)?,
            Operator::Dense(weight) => x.matmul(&weight.t()?)?,
        };
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}

/// `x W^T` for one row: bound by reading the weight, which candle does with one thread.
fn one_row(x: &Tensor, weight: &Tensor) -> candle_core::Result<Tensor> {
    let outputs = weight.dim(0)?;
    if outputs < 2 * OUTPUTS_PER_TASK {
        return x.matmul(&weight.t()?);
    }
    let begins: Vec<usize> = (0..outputs).step_by(OUTPUTS_PER_TASK).collect();
    let parts = begins.into_par_iter().map(|begin| {
        let part = weight.narrow(0, begin, OUTPUTS_PER_TASK.min(outputs - begin))?;
        x.matmul(&part.t()?)
    });
    Tensor::cat(&parts.collect::<candle_core::Result<Vec<_>>>()?, 1)
}

/// Layer normalisation over the last dimension, with scale and shift.
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f32,
}

impl LayerNorm {
    /// Takes `{name}.weight` and `{name}.bias`, both (width).
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(weights: &Weights, name: &str, width: usize, epsilon: f32) -> Result<Self, SpeechError> {
        let weight = weights.tensor(&format!("{name}.weight"), &[width])?;
        let bias = weights.tensor(&format!("{name}.bias"), &[width])?;
        Ok(Self { weight, bias, epsilon })
    }

    /// (rows, width) to the same.
    ///
    /// # Errors
    /// When the width differs.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        candle_nn::ops::layer_norm(x, &self.weight, &self.bias, self.epsilon)
    }
}

/// A convolution over time, kernel 3, padded by 1.
pub struct Conv1d {
    weight: Tensor,
    bias: Tensor,
    stride: usize,
}

impl Conv1d {
    /// Takes `{name}.weight` (outputs, inputs, 3) and `{name}.bias` (outputs).
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(weights: &Weights, name: &str, (inputs, outputs): (usize, usize), stride: usize) -> Result<Self, SpeechError> {
        let weight = weights.tensor(&format!("{name}.weight"), &[outputs, inputs, 3])?;
        let bias = weights.tensor(&format!("{name}.bias"), &[outputs])?.reshape((1, outputs, 1))?;
        Ok(Self { weight, bias, stride })
    }

    /// (1, inputs, time) to (1, outputs, ceil(time / stride)).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        x.conv1d(&self.weight, 1, self.stride, 1, 1)?.broadcast_add(&self.bias)
    }
}

/// Attention, head by head: `softmax(q k) v`, with `q` already scaled.
///
/// `q` (heads, rows, width), `k` transposed (heads, width, keys), `v` (heads, keys, width) to (heads, rows, width). One head at a
/// time, so that no more than (rows, keys) scores exist at once.
///
/// # Errors
/// When the shapes do not fit.
pub fn attend_by_head(q: &Tensor, k: &Tensor, v: &Tensor) -> candle_core::Result<Tensor> {
    let heads = (0..q.dim(0)?)
        .map(|head| {
            let scores = q.get(head)?.matmul(&k.get(head)?)?;
            softmax::over_last_dimension(&scores)?;
            scores.matmul(&v.get(head)?)
        })
        .collect::<candle_core::Result<Vec<_>>>()?;
    Tensor::stack(&heads, 0)
}

/// (rows, heads x width) to (heads, rows, width), contiguous.
///
/// # Errors
/// When the last dimension is no multiple of `heads`.
pub fn split_heads(x: &Tensor, heads: usize) -> candle_core::Result<Tensor> {
    let (rows, width) = x.dims2()?;
    x.reshape((rows, heads, width / heads.max(1)))?.transpose(0, 1)?.contiguous()
}

/// (heads, rows, width) to (rows, heads x width).
///
/// # Errors
/// When `x` has not three dimensions.
pub fn join_heads(x: &Tensor) -> candle_core::Result<Tensor> {
    let (heads, rows, width) = x.dims3()?;
    x.transpose(0, 1)?.reshape((rows, heads * width))
}
