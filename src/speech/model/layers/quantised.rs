//! Weights that stay as a GGUF file has them.

use candle_core::quantized::QMatMul;
use candle_core::{Device, Module as _, Tensor};

use super::Part;
use crate::speech::SpeechError;
use crate::speech::model::weights::Weights;

/// Weights whose outputs stand beside each other, each of a type of its own, multiplied by candle's operators for it.
pub(super) struct Quantised {
    parts: Vec<QMatMul>,
    bias: Option<Tensor>,
    /// Inputs, and outputs of all.
    sizes: (usize, usize),
    device: Device,
}

impl Quantised {
    /// Takes the weights of `parts`, each (inputs, outputs); nothing where they come from no such file.
    ///
    /// # Errors
    /// As [`Weights::tensor`].
    pub fn load(
        weights: &Weights,
        parts: &[Part<'_>],
        (inputs, outputs): (usize, usize),
        device: &Device,
    ) -> Result<Option<Self>, SpeechError> {
        // What is stored cannot be scaled: it is made f32 then, as any other weights are.
        let fits = |part: &Part<'_>| part.scale == 1.0 && weights.in_gguf(part.name);
        if !parts.iter().all(fits) {
            return Ok(None);
        }
        let (mut taken, mut biases) = (Vec::new(), Vec::new());
        // The stretches of a weight follow one another, from its first on: it is taken whole.
        for part in parts.iter().filter(|part| part.stretch.0 == 0) {
            let outputs = outputs * part.stretch.1;
            taken.push(weights.quantised(&format!("{}.weight", part.name), &[outputs, inputs])?);
            biases.push(if part.bias {
                weights.tensor(&format!("{}.bias", part.name), &[outputs])?
            } else {
                Tensor::zeros(outputs, candle_core::DType::F32, device)?
            });
        }
        let bias = parts.iter().any(|part| part.bias).then(|| Tensor::cat(&biases, 0)).transpose()?;
        Ok(Some(Self { parts: taken, bias, sizes: (inputs, outputs * parts.len()), device: device.clone() }))
    }

    /// (rows, inputs) to (rows, outputs).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn multiply(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let x = x.contiguous()?;
        let products = self.parts.iter().map(|part| part.forward(&x)).collect::<candle_core::Result<Vec<_>>>()?;
        let y = if let [only] = products.as_slice() { only.clone() } else { Tensor::cat(&products, 1)? };
        if let Some(bias) = &self.bias { y.broadcast_add(bias) } else { Ok(y) }
    }

    /// (inputs, outputs)
    pub fn sizes(&self) -> (usize, usize) {
        self.sizes
    }

    /// Some outputs' weights, (outputs, inputs); there must be such outputs.
    ///
    /// # Errors
    /// When there are several weights.
    pub fn weights_of(&self, outputs: &[u32]) -> candle_core::Result<Tensor> {
        let [only] = self.parts.as_slice() else { candle_core::bail!("the rows of {} weights", self.parts.len()) };
        only.embedding(&Tensor::new(outputs, &self.device)?)
    }
}
