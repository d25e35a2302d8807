//! Silero VAD v6, 16 kHz: the probability that a frame of 32 ms holds speech.
//!
//! A short-time Fourier transform as a convolution, four convolutions, one LSTM cell, one output unit. Weights and tensor names
//! are those of `silero_vad_16k_op15.onnx` in the `silero-vad` wheel (MIT licence). Its `silero_vad_16k.safetensors` holds other
//! weights, of no ONNX model from 5.1 to 6.2.3: probabilities differ by up to 0.2, so it is not read.

use std::path::Path;

use super::onnx::Initializers;
use crate::speech::SpeechError;
use crate::speech::kernels::{FloatMatrix, Level, Rows};

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
/// Columns a convolution sees.
const KERNEL: usize = 3;
/// Columns of a frame's transform.
const COLUMNS: usize = (INPUT + MIRRORED - WINDOW) / HOP + 1;

/// What the network remembers of the frames before.
#[derive(Clone)]
pub struct SileroState {
    /// [`HIDDEN`] values.
    hidden: Vec<f32>,
    /// [`HIDDEN`] values.
    cell: Vec<f32>,
}

/// The network's weights, shared by any number of streams. A step runs on the caller's thread, with operators of our own: it is so
/// small that candle would spend most of its time on starting.
pub struct SileroVad {
    /// Real parts, then imaginary ones.
    transform: FloatMatrix,
    convolutions: Vec<FloatMatrix>,
    /// For the input, then for the hidden state; outputs are input, forget, candidate and output gate.
    gates: FloatMatrix,
    output: FloatMatrix,
    level: Level,
}

impl SileroVad {
    /// Reads `model.onnx` below `folder`.
    ///
    /// # Errors
    /// A file or tensor that is missing or malformed is named.
    pub fn load(folder: &Path) -> Result<Self, SpeechError> {
        let weights = Initializers::open(&folder.join("model.onnx"))?;
        let tensor = |name: &str, shape: &[usize]| -> Result<Vec<f32>, SpeechError> {
            Ok(weights.tensor(name, shape)?.flatten_all()?.to_vec1()?)
        };
        let transform = tensor("model.stft.forward_basis_buffer", &[2 * BINS, 1, WINDOW])?;
        let convolutions = (0..)
            .zip(CONVOLUTIONS)
            .map(|(number, (output, input, _))| {
                let name = format!("model.encoder.{number}.reparam_conv");
                // The channels of a column together, as they lie in what is convolved.
                let weight = weights.tensor(&format!("{name}.weight"), &[output, input, KERNEL])?.transpose(1, 2)?;
                let bias = tensor(&format!("{name}.bias"), &[output])?;
                Ok(FloatMatrix::pack(&weight.flatten_all()?.to_vec1()?, KERNEL * input, Some(&bias)))
            })
            .collect::<Result<Vec<_>, SpeechError>>()?;
        let from_input = tensor("model.decoder.rnn.weight_ih", &[4 * HIDDEN, HIDDEN])?;
        let from_hidden = tensor("model.decoder.rnn.weight_hh", &[4 * HIDDEN, HIDDEN])?;
        let rows = from_input.chunks(HIDDEN).zip(from_hidden.chunks(HIDDEN));
        let gates: Vec<f32> = rows.flat_map(|(input, hidden)| [input, hidden].concat()).collect();
        let bias_input = tensor("model.decoder.rnn.bias_ih", &[4 * HIDDEN])?;
        let bias_hidden = tensor("model.decoder.rnn.bias_hh", &[4 * HIDDEN])?;
        let bias: Vec<f32> = bias_input.iter().zip(&bias_hidden).map(|(a, b)| a + b).collect();
        let output = tensor("model.decoder.decoder.2.weight", &[1, HIDDEN, 1])?;
        Ok(Self {
            transform: FloatMatrix::pack(&transform, WINDOW, None),
            convolutions,
            gates: FloatMatrix::pack(&gates, 2 * HIDDEN, Some(&bias)),
            output: FloatMatrix::pack(&output, HIDDEN, Some(&tensor("model.decoder.decoder.2.bias", &[1])?)),
            level: Level::best(),
        })
    }

    /// The state before the first frame.
    #[must_use]
    pub fn start(&self) -> SileroState {
        SileroState { hidden: vec![0.0; HIDDEN], cell: vec![0.0; HIDDEN] }
    }

    /// One frame: `samples` are [`INPUT`] of 16 kHz, nominally within -1 to 1. Returns the probability of speech, 0 to 1.
    ///
    /// # Errors
    /// [`SpeechError::Compute`] for another number of samples.
    pub fn step(&self, samples: &[f32], state: &mut SileroState) -> Result<f32, SpeechError> {
        if samples.len() != INPUT {
            return Err(candle_core::Error::Msg(format!("a frame has {INPUT} samples, not {}", samples.len())).into());
        }
        // 1. 640 samples: the end mirrored, its last sample not repeated.
        let mirrored = samples.iter().rev().skip(1).take(MIRRORED);
        let input: Vec<f32> = samples.iter().chain(mirrored).copied().collect();
        // 2. (4, 129): magnitude of the transform.
        let mut transformed = vec![0.0; COLUMNS * 2 * BINS];
        self.transform.multiply(self.level, Rows::new(&input, HOP, COLUMNS), &mut transformed);
        let magnitude = |column: &[f32]| {
            let (real, imaginary) = column.split_at(BINS);
            real.iter().zip(imaginary).map(|(re, im)| (re * re + im * im).sqrt()).collect::<Vec<f32>>()
        };
        let mut features: Vec<f32> = transformed.chunks_exact(2 * BINS).flat_map(magnitude).collect();
        // 3. (1, 128): a column before the first and after the last is zero.
        let mut columns = COLUMNS;
        for (convolution, (output, input, stride)) in self.convolutions.iter().zip(CONVOLUTIONS) {
            columns = columns.div_ceil(stride);
            let mut convolved = vec![0.0; columns * output];
            convolution.multiply(self.level, Rows::new(&features, stride * input, columns).after_zeros(input), &mut convolved);
            convolved.iter_mut().for_each(|value| *value = value.max(0.0));
            features = convolved;
        }
        // 4. The LSTM cell.
        features.extend(&state.hidden);
        let mut gates = vec![0.0; 4 * HIDDEN];
        self.gates.multiply(self.level, Rows::new(&features, 2 * HIDDEN, 1), &mut gates);
        let (gates, _) = gates.as_chunks::<HIDDEN>();
        if let [input, forget, candidate, output] = gates {
            let gates = input.iter().zip(forget).zip(candidate.iter().zip(output));
            for (((input, forget), (candidate, output)), (cell, hidden)) in
                gates.zip(state.cell.iter_mut().zip(&mut state.hidden))
            {
                *cell = sigmoid(*forget) * *cell + sigmoid(*input) * candidate.tanh();
                *hidden = sigmoid(*output) * cell.tanh();
            }
        }
        // 5. One number.
        let rectified: Vec<f32> = state.hidden.iter().map(|value| value.max(0.0)).collect();
        let mut logit = [0.0];
        self.output.multiply(self.level, Rows::new(&rectified, HIDDEN, 1), &mut logit);
        let [logit] = logit;
        Ok(sigmoid(logit))
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
