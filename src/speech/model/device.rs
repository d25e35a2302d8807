//! Where a model computes: the processor, or an NVIDIA GPU through candle's CUDA.

use std::fmt;
use std::str::FromStr;

use candle_core::Device;

use crate::speech::SpeechError;

/// Which device is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU, where this program was built for one and one answers; else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The first GPU that CUDA names.
    Cuda,
}

impl DeviceChoice {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Cpu, Self::Cuda];

    /// As the command line has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// The device itself. To be asked once for each model that is loaded: on a GPU models share nothing.
    ///
    /// # Errors
    /// [`SpeechError::Device`] when a GPU is asked for and this program was not built for one, or none answers.
    pub fn open(self) -> Result<Device, SpeechError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda => cuda(),
            Self::Auto => Ok(cuda().unwrap_or_else(|error| {
                // Without the feature there is nothing to tell.
                if cfg!(feature = "cuda") {
                    tracing::debug!(%error, "the processor is taken");
                }
                Device::Cpu
            })),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DeviceChoice {
    type Err = SpeechError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|choice| choice.name() == name);
        known.ok_or_else(|| SpeechError::Option { option: "compute", value: name.to_owned(), expected: "auto, cpu or cuda" })
    }
}

/// What a device is called in documents: `cpu` or `cuda`.
#[must_use]
pub fn device_name(device: &Device) -> &'static str {
    if device.is_cpu() { DeviceChoice::Cpu.name() } else { DeviceChoice::Cuda.name() }
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device, SpeechError> {
    crate::speech::kernels::first_gpu().map_err(|error| {
        // Of several lines, the first says what was wrong; the others say where in candle.
        let problem = error.to_string().lines().next().unwrap_or_default().to_owned();
        SpeechError::Device { problem }
    })
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device, SpeechError> {
    Err(SpeechError::Device { problem: "this program was built without the feature `cuda`".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_asked_for_by_its_name() {
        for choice in DeviceChoice::ALL {
            assert_eq!(choice.name().parse::<DeviceChoice>().unwrap(), choice);
        }
        let error = "gpu".parse::<DeviceChoice>().unwrap_err().to_string();
        assert_eq!(error, "`compute` cannot be `gpu`: expected auto, cpu or cuda");
    }

    #[test]
    fn the_processor_is_always_there() {
        assert!(DeviceChoice::Cpu.open().unwrap().is_cpu());
        assert_eq!(device_name(&Device::Cpu), "cpu");
    }

    #[test]
    fn whoever_names_the_gpu_gets_it_or_is_told_why_not() {
        let named = DeviceChoice::Cuda.open();
        // What is chosen by itself is the GPU exactly where it can be had by name.
        assert_eq!(device_name(&DeviceChoice::Auto.open().unwrap()), named.as_ref().map_or("cpu", device_name));
        match named {
            Ok(device) => assert!(device.is_cuda()),
            Err(error) => assert!(error.to_string().starts_with("no GPU can be used: "), "{error}"),
        }
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_program_that_was_not_built_for_a_gpu_says_so() {
        let error = DeviceChoice::Cuda.open().unwrap_err().to_string();
        assert_eq!(error, "no GPU can be used: this program was built without the feature `cuda`");
    }
}
