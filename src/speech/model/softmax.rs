//! Softmax with a vector exponential: candle's calls the scalar one for each value, which was the largest single cost of an encoder.

use candle_core::{CpuStorage, InplaceOp1, Layout, Tensor};
use rayon::prelude::*;

use crate::speech::kernels::{Level, softmax_rows};

/// Rows that one task takes: enough work to be worth handing over.
const ROWS_PER_TASK: usize = 16;

/// Each row of the last dimension replaced by its softmax: on the processor in place.
///
/// A row's result depends on that row alone: not on the number of threads.
///
/// # Errors
/// When the tensor is not contiguous f32.
pub fn over_last_dimension(scores: Tensor) -> candle_core::Result<Tensor> {
    if scores.device().is_cpu() {
        scores.inplace_op1(&Softmax)?;
        return Ok(scores);
    }
    candle_nn::ops::softmax_last_dim(&scores)
}

struct Softmax;

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax-in-place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("softmax in place needs a contiguous f32 tensor")
        };
        let width = layout.dims().last().copied().unwrap_or(1).max(1);
        let Some(values) = values.get_mut(start..end) else { candle_core::bail!("softmax in place: layout beyond its storage") };
        let level = Level::best();
        values.par_chunks_mut(width * ROWS_PER_TASK).for_each(|rows| softmax_rows(level, rows, width));
        Ok(())
    }
}
