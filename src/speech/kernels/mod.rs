//! The fused operators that a processor runs a model with: products with packed 8-bit and bf16 weights, attention that never builds
//! the score matrix, normalisation, and what follows a product done on its way out.
//!
//! Invariant: a result does not depend on how many threads there are, nor on how many rows are asked for at once. Each output is one
//! sum in one fixed order; threads share out whole outputs. Products of 8-bit numbers are summed as integers, so they are the same on
//! every instruction set; those of bf16 numbers agree up to rounding.
//!
//! The instruction set is chosen when a model is loaded ([`Level::best`]), never when this is compiled. `unsafe` code is here and
//! nowhere else: in `team` (a closure lent to other threads), `attention` (tasks that write parts of one row), `tiles` (vector
//! instructions), `level` (calling functions compiled for them), `panels` (a mapped file) and `card` (the GPU's stream and memory).

mod attention;
mod block;
mod bytes;
#[cfg(feature = "cuda")]
mod card;
mod depthwise;
mod finish;
mod floats;
mod gate;
mod halves;
mod level;
mod lookback;
mod norm;
mod numbers;
mod panels;
mod patches;
mod rows;
mod team;
mod tiles;
mod turns;

pub use attention::KeysAndValues;
pub use bytes::ByteMatrix;
#[cfg(feature = "cuda")]
pub use card::first_gpu;
pub use depthwise::Depthwise;
pub use finish::{Activation, Finish};
pub use floats::FloatMatrix;
pub use gate::gate;
pub use halves::HalfMatrix;
pub use level::Level;
pub use lookback::{Past, Queries, look_back};
pub use norm::{layer_norm, rms_norm};
pub use numbers::{exponentials, largest, log_sum_exp, softmax_rows};
pub use panels::{Mapping, Panels};
pub use patches::{SIDE, STRIDE, patches};
pub use rows::Rows;
pub use team::Team;
pub use tiles::PANEL;
pub use turns::{Angles, Heads, turn};

/// What runs the operators: an instruction set and threads.
pub struct Kernels {
    /// Which instructions.
    pub level: Level,
    /// Which threads.
    pub team: Team,
}

impl Kernels {
    /// The best instructions that this processor has and the environment allows, on so many threads.
    ///
    /// # Errors
    /// When a thread cannot be made.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        Ok(Self { level: Level::best(), team: Team::new(threads)? })
    }
}

#[cfg(test)]
mod tests;
