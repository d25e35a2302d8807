//! Weights as the fused operators take them: packed when a checkpoint is loaded, or taken from a packed file.

use candle_core::Tensor;
use safetensors::tensor::Dtype;

use super::with_rows;
use crate::speech::SpeechError;
use crate::speech::kernels::{ByteMatrix, Finish, HalfMatrix, Kernels, PANEL, Rows};
use crate::speech::model::packed::{Packed, Packer};
use crate::speech::model::weights::Weights;

/// What a weight is stored as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Bytes,
    Halves,
}

/// Packed weights with a bias.
pub(super) enum Matrix {
    Bytes(ByteMatrix),
    Halves(HalfMatrix),
}

/// A weight (outputs, inputs) and a bias (outputs).
pub(super) type Unpacked = (Tensor, Option<Tensor>);

impl Matrix {
    /// Takes the matrix `name` from a packed file, where the weights are one; packs `unpacked` otherwise.
    ///
    /// # Errors
    /// As `unpacked`; a packed file that has no such matrix.
    pub fn load(
        weights: &Weights,
        name: &str,
        (inputs, outputs): (usize, usize),
        form: Form,
        unpacked: impl FnOnce() -> Result<Unpacked, SpeechError>,
    ) -> Result<Self, SpeechError> {
        if let Some(file) = weights.packed() {
            return Self::mapped(file, name, (inputs, outputs), form);
        }
        let matrix = Self::pack(unpacked()?, inputs, form)?;
        if let Some(mut packer) = weights.packer() {
            matrix.keep(name, &mut packer);
        }
        Ok(matrix)
    }

    fn pack((weight, bias): Unpacked, inputs: usize, form: Form) -> candle_core::Result<Self> {
        let bias = bias.map(|bias| bias.to_vec1::<f32>()).transpose()?;
        with_rows(&weight.contiguous()?, |values, _| match form {
            Form::Bytes => Self::Bytes(ByteMatrix::pack(values, inputs, bias.as_deref())),
            Form::Halves => Self::Halves(HalfMatrix::pack(values, inputs, bias.as_deref())),
        })
    }

    fn mapped(file: &Packed, name: &str, (inputs, outputs): (usize, usize), form: Form) -> Result<Self, SpeechError> {
        let padded = outputs.next_multiple_of(PANEL);
        let floats = |part: &str| file.floats(&format!("{name}.{part}"), &[padded]);
        let panels = format!("{name}.panels");
        let matrix = match form {
            Form::Bytes => {
                let floats = [floats("scales")?, floats("sums")?, floats("bias")?];
                ByteMatrix::unite(outputs, inputs, file.panels(&panels, Dtype::I8)?, floats).map(Self::Bytes)
            }
            Form::Halves => {
                HalfMatrix::unite(outputs, inputs, file.panels(&panels, Dtype::BF16)?, floats("bias")?).map(Self::Halves)
            }
        };
        matrix.ok_or_else(|| file.wrong(&panels, format!("it is no matrix of {outputs} outputs and {inputs} inputs")))
    }

    fn keep(&self, name: &str, packer: &mut Packer) {
        let panels = format!("{name}.panels");
        let mut floats = |part: &str, values: &[f32]| packer.keep_floats(&format!("{name}.{part}"), &[values.len()], values);
        match self {
            Self::Bytes(matrix) => {
                let (packed, [scales, sums, bias]) = matrix.parts();
                floats("scales", scales);
                floats("sums", sums);
                floats("bias", bias);
                packer.keep_panels(panels, Dtype::I8, packed);
            }
            Self::Halves(matrix) => {
                let (packed, bias) = matrix.parts();
                floats("bias", bias);
                packer.keep_panels(panels, Dtype::BF16, packed);
            }
        }
    }

    /// (inputs, outputs)
    pub fn sizes(&self) -> (usize, usize) {
        match self {
            Self::Bytes(matrix) => (matrix.inputs(), matrix.outputs()),
            Self::Halves(matrix) => (matrix.inputs(), matrix.outputs()),
        }
    }

    /// Rows times the weights, with what follows.
    pub fn multiply(&self, kernels: &Kernels, rows: Rows<'_>, finish: Finish<'_>) -> Vec<f32> {
        match self {
            Self::Bytes(matrix) => matrix.multiply(kernels, rows, finish),
            Self::Halves(matrix) => matrix.multiply(kernels, rows, finish),
        }
    }
}
