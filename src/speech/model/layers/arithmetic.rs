//! What the layers of a model compute with.

use std::sync::Arc;

use candle_core::Device;

use crate::speech::SpeechError;
use crate::speech::kernels::Kernels;
use crate::speech::model::{LoadOptions, Precision};

/// Precision, device and threads of a model, from which its layers choose their operators.
#[derive(Clone)]
pub struct Arithmetic {
    device: Device,
    /// Whether the weights of linear layers may be 8-bit; bf16 otherwise.
    bytes: bool,
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
        let fused = options.device.is_cpu() && options.precision != Precision::Exact;
        let kernels = if fused {
            let kernels = Kernels::new(threads).map_err(|error| SpeechError::Threads { threads, problem: error.to_string() })?;
            Some(Arc::new(kernels))
        } else {
            None
        };
        let careful = options.precision == Precision::Balanced;
        Ok(Self { device: options.device.clone(), bytes: true, careful, kernels })
    }

    /// For the layers that hear the audio, of which everything else follows: in `balanced` their weights are bf16. With 8-bit ones
    /// Whisper base got 1.1 points more of the Cantonese characters of `audio/` wrong than in f32.
    #[must_use]
    pub fn for_encoder(&self) -> Self {
        Self { bytes: !self.careful, ..self.clone() }
    }

    /// Whether the weights of linear layers may be 8-bit.
    #[must_use]
    pub fn bytes(&self) -> bool {
        self.bytes
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
