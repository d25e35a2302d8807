//! What the layers of a model compute with.

use std::sync::Arc;

use candle_core::{DType, Device};

use super::matrix::Form;
use crate::speech::SpeechError;
use crate::speech::kernels::Kernels;
use crate::speech::model::{LoadOptions, Precision};

/// Precision, device and threads of a model, from which its layers choose their operators.
#[derive(Clone)]
pub struct Arithmetic {
    device: Device,
    /// Of the weights of linear layers.
    form: Form,
    /// Whether the layers that all others depend on get more than that.
    careful: bool,
    /// What candle's linear layers multiply.
    dense: DType,
    /// Nothing: candle's operators.
    kernels: Option<Arc<Kernels>>,
}

impl Arithmetic {
    /// Fused operators on so many threads, where the precision allows and the device is the processor.
    ///
    /// # Errors
    /// When threads cannot be made.
    pub fn new(options: &LoadOptions, threads: usize) -> Result<Self, SpeechError> {
        let kernels = if options.is_fused() {
            let kernels = Kernels::new(threads).map_err(|error| SpeechError::Threads { threads, problem: error.to_string() })?;
            Some(Arc::new(kernels))
        } else {
            None
        };
        let careful = options.precision == Precision::Balanced;
        let rounds = !options.device.is_cpu() && options.precision != Precision::Exact;
        let dense = if rounds { DType::BF16 } else { DType::F32 };
        Ok(Self { device: options.device.clone(), form: Form::Bytes, careful, dense, kernels })
    }

    /// For the layers that hear the audio, of which everything else follows: in `balanced` their weights are bf16. With 8-bit ones
    /// Whisper base got 1.1 points more of the Cantonese characters of `audio/` wrong than in f32.
    #[must_use]
    pub fn for_encoder(&self) -> Self {
        Self { form: if self.careful { Form::Halves } else { self.form }, ..self.clone() }
    }

    /// For the layer that gives logits. A GPU's product of bf16 numbers is rounded to 8 bits, in which neighbours among the logits fall
    /// together: there this layer is f32 in every precision. It is read once a token, which such a GPU does in a fraction of a millisecond.
    #[must_use]
    pub fn for_logits(&self) -> Self {
        Self { dense: DType::F32, ..self.clone() }
    }

    /// What candle's linear layers multiply: f32, or on a GPU, unless all is to be exact, bf16. Sums, biases, normalisation, attention
    /// and what layers pass on are f32 there too.
    pub(super) fn dense(&self) -> DType {
        self.dense
    }

    /// What the weights of linear layers are stored as, where the fused operators are used.
    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Where tensors live.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The fused operators, where they are used.
    #[must_use]
    pub fn kernels(&self) -> Option<&Arc<Kernels>> {
        self.kernels.as_ref()
    }
}
