//! A convolution over a plane.

use std::sync::Arc;

use candle_core::Tensor;

use super::matrix::{Form, Matrix};
use super::{Arithmetic, with_rows};
use crate::speech::SpeechError;
use crate::speech::kernels::{Activation, Finish, Kernels, Rows, SIDE, STRIDE, patches};
use crate::speech::model::weights::Weights;

/// A convolution over a plane, kernel 3 x 3, stride 2, padded by 1, and then the erf GELU.
pub struct Conv2d {
    operator: Operator,
}

enum Operator {
    /// (out, in, 3, 3) and (1, out, 1, 1), by candle.
    Dense(Tensor, Tensor),
    /// (out, 3 x 3 x in): a product of patches.
    Packed(Matrix, Arc<Kernels>),
}

impl Conv2d {
    /// Takes `{name}.weight` (outputs, inputs, 3, 3) and `{name}.bias` (outputs).
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(
        weights: &Weights,
        name: &str,
        (inputs, outputs): (usize, usize),
        arithmetic: &Arithmetic,
    ) -> Result<Self, SpeechError> {
        let tensors = || {
            let weight = weights.unpacked(&format!("{name}.weight"), &[outputs, inputs, SIDE, SIDE])?;
            Ok::<_, SpeechError>((weight, weights.unpacked(&format!("{name}.bias"), &[outputs])?))
        };
        let patch = SIDE * SIDE * inputs;
        let operator = if let Some(kernels) = arithmetic.kernels() {
            let by_place = || {
                let (weight, bias) = tensors()?;
                Ok((weight.permute((0, 2, 3, 1))?.contiguous()?.reshape((outputs, patch))?, Some(bias)))
            };
            let matrix = Matrix::load(weights, name, (patch, outputs), Form::Halves, by_place)?;
            Operator::Packed(matrix, Arc::clone(kernels))
        } else {
            let (weight, bias) = tensors()?;
            Operator::Dense(weight, bias.reshape((1, outputs, 1, 1))?)
        };
        Ok(Self { operator })
    }

    /// (height, width, inputs) to (ceil(height / 2), ceil(width / 2), outputs), contiguous.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward_gelu(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let (height, width, inputs) = x.dims3()?;
        match &self.operator {
            Operator::Dense(weight, bias) => {
                let planes = x.permute((2, 0, 1))?.contiguous()?.unsqueeze(0)?;
                let convolved = planes.conv2d(weight, 1, STRIDE, 1, 1)?;
                convolved.broadcast_add(bias)?.gelu_erf()?.squeeze(0)?.permute((1, 2, 0))?.contiguous()
            }
            Operator::Packed(packed, kernels) => {
                let (expected, outputs) = packed.sizes();
                if SIDE * SIDE * inputs != expected {
                    candle_core::bail!("a convolution over {expected} values got {:?}", x.layout());
                }
                let (rows, columns) = (height.div_ceil(STRIDE), width.div_ceil(STRIDE));
                let finish = Finish { activation: Activation::Gelu, residual: None };
                let y = with_rows(&x.reshape((height * width, inputs))?, |values, _| {
                    let values = values.get(..height * width * inputs).unwrap_or_default();
                    let patches = patches(kernels, values, (height, width, inputs));
                    packed.multiply(kernels, Rows::new(&patches, expected, rows * columns), finish)
                })?;
                Tensor::from_vec(y, (rows, columns, outputs), x.device())
            }
        }
    }
}
