//! What the layers of a model compute with.

use std::sync::Arc;

use candle_core::Device;

use crate::speech::SpeechError;
use crate::speech::kernels::Kernels;
use crate::speech::model::{LoadOptions, Precision};

/// Precision, device and threads of a model, from which its layers choose their operators.
#[derive(Clone)]
pub struct Arithmetic {
    precision: Precision,
    device: Device,
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
        Ok(Self { precision: options.precision, device: options.device.clone(), kernels })
    }

    /// How exactly the arithmetic follows the checkpoint.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
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
