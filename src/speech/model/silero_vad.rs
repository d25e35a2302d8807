//! Silero VAD v6, 16 kHz: the probability that a frame of 32 ms holds speech.
//!
//! A short-time Fourier transform as a convolution, four convolutions, one LSTM cell, one output unit. Weights and tensor names
//! are those of `silero_vad_16k_op15.onnx` in the `silero-vad` wheel (MIT licence). Its `silero_vad_16k.safetensors` holds other
//! weights, of no ONNX model from 5.1 to 6.2.3: probabilities differ by up to 0.2, so it is not read.

use std::path::Path;

use candle_core::{D, DType, Device, Tensor};
use candle_nn::{Conv1d, Conv1dConfig, Module, ops::sigmoid};

use super::onnx::Initializers;
use crate::speech::SpeechError;

/// Samples a frame: 32 ms.
pub const FRAME: usize = 512;
/// Samples before a frame that the network sees too.
pub const CONTEXT: usize = 64;
/// What one step takes: [`CONTEXT`] and then [`FRAME`] samples.
pub const INPUT: usize = CONTEXT + FRAME;

/// Samples mirrored at the end, so that the transform gives four columns.
const MIRRORED: usize = 64;
/// Samples a transform window.
const WINDOW: usize = 256;
/// Samples from one transform window to the next.
const HOP: usize = 128;
/// Frequency bins, from 0 to 8 kHz.
const BINS: usize = WINDOW / 2 + 1;
/// Width of the LSTM cell.
const HIDDEN: usize = 128;

/// Output channels, input channels and stride of the four convolutions, each three columns wide.
const CONVOLUTIONS: [(usize, usize, usize); 4] = [(128, BINS, 1), (64, 128, 2), (64, 64, 2), (HIDDEN, 64, 1)];

/// What the network remembers of the frames before.
#[derive(Clone)]
pub struct SileroState {
    /// `(1, 128)`
    hidden: Tensor,
    /// `(1, 128)`
    cell: Tensor,
}

/// The network's weights, shared by any number of streams.
pub struct SileroVad {
    transform: Conv1d,
    convolutions: Vec<Conv1d>,
    /// `(256, 512)`: rows for the input, then for the hidden state; columns are input, forget, candidate and output gate.
    gates: Tensor,
    /// `(1, 512)`
    gates_bias: Tensor,
    /// `(128, 1)`
    output: Tensor,
    output_bias: Tensor,
}

impl SileroVad {
    /// Reads `model.onnx` below `folder`. It runs on the processor: a step is far too small to send anywhere.
    ///
    /// # Errors
    /// A file or tensor that is missing or malformed is named.
    pub fn load(folder: &Path) -> Result<Self, SpeechError> {
        let weights = Initializers::open(&folder.join("model.onnx"))?;
        let transform = Conv1d::new(
            weights.tensor("model.stft.forward_basis_buffer", &[2 * BINS, 1, WINDOW])?,
            None,
            Conv1dConfig { stride: HOP, ..Conv1dConfig::default() },
        );
        let convolutions = (0..)
            .zip(CONVOLUTIONS)
            .map(|(number, (output, input, stride))| {
                let weight = weights.tensor(&format!("model.encoder.{number}.reparam_conv.weight"), &[output, input, 3])?;
                let bias = weights.tensor(&format!("model.encoder.{number}.reparam_conv.bias"), &[output])?;
                Ok(Conv1d::new(weight, Some(bias), Conv1dConfig { padding: 1, stride, ..Conv1dConfig::default() }))
            })
            .collect::<Result<Vec<_>, SpeechError>>()?;
        let from_input = weights.tensor("model.decoder.rnn.weight_ih", &[4 * HIDDEN, HIDDEN])?;
        let from_hidden = weights.tensor("model.decoder.rnn.weight_hh", &[4 * HIDDEN, HIDDEN])?;
        let bias_input = weights.tensor("model.decoder.rnn.bias_ih", &[4 * HIDDEN])?;
        let bias_hidden = weights.tensor("model.decoder.rnn.bias_hh", &[4 * HIDDEN])?;
        Ok(Self {
            transform,
            convolutions,
            gates: Tensor::cat(&[from_input, from_hidden], 1)?.t()?.contiguous()?,
            gates_bias: (bias_input + bias_hidden)?.unsqueeze(0)?,
            output: weights.tensor("model.decoder.decoder.2.weight", &[1, HIDDEN, 1])?.reshape((HIDDEN, 1))?,
            output_bias: weights.tensor("model.decoder.decoder.2.bias", &[1])?,
        })
    }

    /// The state before the first frame.
    ///
    /// # Errors
    /// Only when memory cannot be had.
    pub fn start(&self) -> Result<SileroState, SpeechError> {
        let zero = Tensor::zeros((1, HIDDEN), DType::F32, &Device::Cpu)?;
        Ok(SileroState { hidden: zero.clone(), cell: zero })
    }

    /// One frame: `samples` are [`INPUT`] of 16 kHz, nominally within -1 to 1. Returns the probability of speech, 0 to 1.
    ///
    /// # Errors
    /// [`SpeechError::Compute`], for another number of samples too.
    pub fn step(&self, samples: &[f32], state: &mut SileroState) -> Result<f32, SpeechError> {
        // 1. (1, 1, 640): the end mirrored, its last sample not repeated.
        let mirrored = samples.iter().rev().skip(1).take(MIRRORED);
        let input: Vec<f32> = samples.iter().chain(mirrored).copied().collect();
        let input = Tensor::from_vec(input, (1, 1, INPUT + MIRRORED), &Device::Cpu)?;
        // 2. (1, 129, 4): magnitude of the transform, whose first 129 channels are real parts, the rest imaginary ones.
        let transform = self.transform.forward(&input)?.sqr()?;
        let mut features = (transform.narrow(1, 0, BINS)? + transform.narrow(1, BINS, BINS)?)?.sqrt()?;
        // 3. (1, 128, 1)
        for convolution in &self.convolutions {
            features = convolution.forward(&features)?.relu()?;
        }
        // 4. (1, 128): the LSTM cell.
        let joined = Tensor::cat(&[&features.squeeze(D::Minus1)?, &state.hidden], 1)?;
        let gates = (joined.matmul(&self.gates)? + &self.gates_bias)?;
        let gate = |index: usize| gates.narrow(1, index * HIDDEN, HIDDEN);
        let kept = (sigmoid(&gate(1)?)? * &state.cell)?;
        state.cell = (kept + (sigmoid(&gate(0)?)? * gate(2)?.tanh()?)?)?;
        state.hidden = (sigmoid(&gate(3)?)? * state.cell.tanh()?)?;
        // 5. One number.
        let output = state.hidden.relu()?.matmul(&self.output)?.broadcast_add(&self.output_bias)?;
        Ok(sigmoid(&output)?.flatten_all()?.get(0)?.to_scalar::<f32>()?)
    }
}
