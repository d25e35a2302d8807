//! Products with weights: linear layers and convolutions over time.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use super::matrix::{Form, Matrix, Unpacked};
use super::{Arithmetic, with_rows};
use crate::speech::SpeechError;
use crate::speech::kernels::{Activation, Finish, Kernels, Rows};
use crate::speech::model::weights::Weights;

/// `y = x W^T + b`.
pub struct Linear {
    operator: Operator,
}

enum Operator {
    /// (out, in) and (out), by candle.
    Dense(Tensor, Option<Tensor>, Product),
    Packed(Matrix, Arc<Kernels>),
}

/// How candle multiplies rows with a weight; the rows and the product are f32.
#[derive(Clone, Copy)]
enum Product {
    /// In f32 on the processor, where a single row is shared out to threads.
    Processor,
    /// In f32 on a GPU.
    Gpu,
    /// On a GPU: rows and weight in bf16, the sums f32, which are then rounded to bf16.
    RoundedGpu,
}

impl Product {
    fn of(arithmetic: &Arithmetic) -> Self {
        match (arithmetic.device().is_cpu(), arithmetic.dense()) {
            (true, _) => Self::Processor,
            (false, DType::BF16) => Self::RoundedGpu,
            (false, _) => Self::Gpu,
        }
    }

    fn multiply(self, x: &Tensor, weight: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Processor if x.dim(0)? == 1 => one_row(x, weight),
            Self::Processor | Self::Gpu => x.matmul(&weight.t()?),
            Self::RoundedGpu => x.to_dtype(weight.dtype())?.matmul(&weight.t()?)?.to_dtype(DType::F32),
        }
    }
}

/// One of the weights that a layer joins: `{name}.weight` (outputs, inputs) and, where `bias`, `{name}.bias` (outputs).
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// In the checkpoint.
    pub name: &'a str,
    /// Whether it has one.
    pub bias: bool,
    /// Weight and bias are multiplied by it: a scale that every call would apply costs nothing here.
    pub scale: f64,
    /// Which of so many equal stretches of the outputs it is, where the checkpoint stores several weights as one.
    pub stretch: (usize, usize),
}

impl<'a> Part<'a> {
    /// A weight with its bias, whole and as they are.
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        Self { name, bias: true, scale: 1.0, stretch: (0, 1) }
    }
}

/// Outputs that one task takes of a product with a single row. A fixed number, so that no sum depends on the threads there are.
const OUTPUTS_PER_TASK: usize = 2048;

impl Linear {
    /// Takes `{name}.weight` (outputs, inputs) and `{name}.bias` (outputs).
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(weights: &Weights, name: &str, sizes: (usize, usize), arithmetic: &Arithmetic) -> Result<Self, SpeechError> {
        Self::load_joined(weights, &[Part::new(name)], sizes, arithmetic)
    }

    /// Takes several weights of one size, (inputs, outputs), as one whose outputs stand side by side.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load_joined(
        weights: &Weights,
        parts: &[Part<'_>],
        (inputs, outputs): (usize, usize),
        arithmetic: &Arithmetic,
    ) -> Result<Self, SpeechError> {
        let join = || join(weights, parts, (inputs, outputs), arithmetic);
        let operator = if let Some(kernels) = arithmetic.kernels() {
            let name = parts.iter().map(|part| part.name).collect::<Vec<_>>().join("+");
            let matrix = Matrix::load(weights, &name, (inputs, outputs * parts.len()), arithmetic.form(), join)?;
            Operator::Packed(matrix, Arc::clone(kernels))
        } else {
            let (weight, bias) = join()?;
            Operator::Dense(weight.to_dtype(arithmetic.dense())?, bias, Product::of(arithmetic))
        };
        Ok(Self { operator })
    }

    /// (rows, in) to (rows, out).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.run(x, Activation::Identity, None)
    }

    /// As [`Linear::forward`], and then an activation.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward_activated(&self, x: &Tensor, activation: Activation) -> candle_core::Result<Tensor> {
        self.run(x, activation, None)
    }

    /// As [`Linear::forward`], and then the sum with `residual`, (rows, out).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward_onto(&self, x: &Tensor, residual: &Tensor) -> candle_core::Result<Tensor> {
        self.run(x, Activation::Identity, Some(residual))
    }

    /// The weights of some outputs, as the product sees them: (outputs named, in). So a projection onto a vocabulary is an embedding.
    ///
    /// # Errors
    /// When there is no such output.
    pub fn weights_of(&self, outputs: &[u32]) -> candle_core::Result<Tensor> {
        let (inputs, all) = match &self.operator {
            Operator::Dense(weight, ..) => (weight.dim(1)?, weight.dim(0)?),
            Operator::Packed(packed, _) => packed.sizes(),
        };
        // A GPU would read whatever lies there.
        if let Some(output) = outputs.iter().find(|output| usize::try_from(**output).is_ok_and(|output| output >= all)) {
            candle_core::bail!("row {output} of {all}");
        }
        let packed = |weights_of: &dyn Fn(usize) -> Vec<f32>| {
            let mut rows = Vec::with_capacity(outputs.len() * inputs);
            for output in outputs {
                rows.extend(weights_of(usize::try_from(*output)?));
            }
            Tensor::from_vec(rows, (outputs.len(), inputs), &Device::Cpu)
        };
        match &self.operator {
            Operator::Dense(weight, ..) => weight.index_select(&Tensor::new(outputs, weight.device())?, 0)?.to_dtype(DType::F32),
            Operator::Packed(Matrix::Bytes(matrix), _) => packed(&|output| matrix.weights_of(output)),
            Operator::Packed(Matrix::Halves(matrix), _) => packed(&|output| matrix.weights_of(output)),
        }
    }

    fn run(&self, x: &Tensor, activation: Activation, residual: Option<&Tensor>) -> candle_core::Result<Tensor> {
        match &self.operator {
            Operator::Dense(weight, bias, product) => {
                let y = product.multiply(x, weight)?;
                let y = if let Some(bias) = bias { y.broadcast_add(bias)? } else { y };
                let y = match activation {
                    Activation::Identity => y,
                    Activation::Gelu => y.gelu_erf()?,
                    Activation::Relu => y.relu()?,
                };
                if let Some(residual) = residual { residual + y } else { Ok(y) }
            }
            Operator::Packed(packed, kernels) => {
                let (rows, inputs) = x.dims2()?;
                let (expected, outputs) = packed.sizes();
                if inputs != expected {
                    candle_core::bail!("a product over {expected} inputs got {inputs}");
                }
                let product = |residual: Option<&[f32]>| {
                    let finish = Finish { activation, residual };
                    with_rows(x, |values, stride| packed.multiply(kernels, Rows::new(values, stride, rows), finish))
                };
                let y = match residual {
                    None => product(None)?,
                    Some(residual) => {
                        if residual.dims() != [rows, outputs] || !residual.is_contiguous() {
                            candle_core::bail!("a product of {rows} x {outputs} cannot be added to {:?}", residual.layout());
                        }
                        with_rows(residual, |residual, _| product(Some(residual)))??
                    }
                };
                Tensor::from_vec(y, (rows, outputs), x.device())
            }
        }
    }
}

/// Takes the weights of `parts`, one above the other, and their biases, zeros where a part has none.
fn join(
    weights: &Weights,
    parts: &[Part<'_>],
    (inputs, outputs): (usize, usize),
    arithmetic: &Arithmetic,
) -> Result<Unpacked, SpeechError> {
    let (mut joined, mut biases) = (Vec::new(), Vec::new());
    for part in parts {
        let (index, count) = part.stretch;
        let taken = |tensor: Tensor| {
            let tensor = if count == 1 { tensor } else { tensor.narrow(0, index * outputs, outputs)? };
            if part.scale == 1.0 { Ok(tensor) } else { tensor * part.scale }
        };
        joined.push(taken(weights.unpacked(&format!("{}.weight", part.name), &[outputs * count, inputs])?)?);
        biases.push(if part.bias {
            taken(weights.unpacked(&format!("{}.bias", part.name), &[outputs * count])?)?
        } else {
            Tensor::zeros(outputs, candle_core::DType::F32, arithmetic.device())?
        });
    }
    let bias = parts.iter().any(|part| part.bias).then(|| Tensor::cat(&biases, 0)).transpose()?;
    Ok((Tensor::cat(&joined, 0)?, bias))
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

/// A convolution over time, kernel 3, padded by 1, and then the erf GELU.
pub struct Conv1d {
    operator: Convolution,
    stride: usize,
}

enum Convolution {
    /// (out, in, 3) and (1, out, 1), by candle.
    Dense(Tensor, Tensor),
    /// (out, 3 x in), inputs of a moment together: a product of overlapping rows.
    Packed(Matrix, Arc<Kernels>),
}

/// Moments that a convolution sees.
const KERNEL: usize = 3;

impl Conv1d {
    /// Takes `{name}.weight` (outputs, inputs, 3) and `{name}.bias` (outputs).
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape or type than the configuration says.
    pub fn load(
        weights: &Weights,
        name: &str,
        (inputs, outputs): (usize, usize),
        stride: usize,
        arithmetic: &Arithmetic,
    ) -> Result<Self, SpeechError> {
        let tensors = || {
            let weight = weights.unpacked(&format!("{name}.weight"), &[outputs, inputs, KERNEL])?;
            Ok::<_, SpeechError>((weight, weights.unpacked(&format!("{name}.bias"), &[outputs])?))
        };
        let operator = if let Some(kernels) = arithmetic.kernels() {
            let by_time = || {
                let (weight, bias) = tensors()?;
                Ok((weight.transpose(1, 2)?.contiguous()?.reshape((outputs, KERNEL * inputs))?, Some(bias)))
            };
            let matrix = Matrix::load(weights, name, (KERNEL * inputs, outputs), Form::Halves, by_time)?;
            Convolution::Packed(matrix, Arc::clone(kernels))
        } else {
            let (weight, bias) = tensors()?;
            Convolution::Dense(weight, bias.reshape((1, outputs, 1))?)
        };
        Ok(Self { operator, stride })
    }

    /// (time, inputs) to (ceil(time / stride), outputs).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward_gelu(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        match &self.operator {
            Convolution::Dense(weight, bias) => {
                let convolved = x.t()?.contiguous()?.unsqueeze(0)?.conv1d(weight, 1, self.stride, 1, 1)?;
                convolved.broadcast_add(bias)?.gelu_erf()?.squeeze(0)?.t()?.contiguous()
            }
            Convolution::Packed(packed, kernels) => {
                let (time, inputs) = x.dims2()?;
                let (expected, outputs) = packed.sizes();
                if KERNEL * inputs != expected || !x.is_contiguous() {
                    candle_core::bail!("a convolution over {expected} values got {:?}", x.layout());
                }
                let count = time.div_ceil(self.stride);
                let finish = Finish { activation: Activation::Gelu, residual: None };
                let y = with_rows(x, |values, _| {
                    let values = values.get(..time * inputs).unwrap_or_default();
                    // The first moment sees one before the beginning: zeros, as after the end.
                    packed.multiply(kernels, Rows::new(values, self.stride * inputs, count).after_zeros(inputs), finish)
                })?;
                Tensor::from_vec(y, (count, outputs), x.device())
            }
        }
    }
}
