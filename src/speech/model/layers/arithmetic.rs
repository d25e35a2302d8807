//! What the layers of a model compute with.

use std::sync::Arc;

use candle_core::Device;

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
    /// Nothing: candle's operators, in f32.
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
        Ok(Self { device: options.device.clone(), form: Form::Bytes, careful, kernels })
    }

    /// For the layers that hear the audio, of which everything else follows: in `balanced` their weights are bf16. With 8-bit ones
    /// Whisper base got 1.1 points more of the Cantonese characters of `audio/` wrong than in f32.
    #[must_use]
    pub fn for_encoder(&self) -> Self {
        Self { form: if self.careful { Form::Halves } else { self.form }, ..self.clone() }
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
