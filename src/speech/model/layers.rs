//! The layers that families share. A layer chooses its operator when it is loaded, by device and precision: candle's own in f32 for
//! `exact` and for a GPU, the fused ones of [`crate::speech::kernels`] otherwise. A model's code does not know which.

mod arithmetic;
mod attention;
mod gate;
mod linear;
mod matrix;
mod memory;
mod norm;
mod plane;
mod quantised;
mod rotary;

pub use arithmetic::Arithmetic;
pub use attention::{Heard, Past};
pub use gate::GatedFeedForward;
pub use linear::{Conv1d, Linear, Part};
pub use memory::Memory;
pub use norm::{LayerNorm, RmsNorm};
pub use plane::Conv2d;
pub use rotary::{HeadNorm, Rotary, Turns};

use candle_core::{CpuStorage, Storage, Tensor};

/// Lends the values of a matrix on the processor, from its first on, and how far apart its rows begin.
///
/// # Errors
/// When it is no f32 matrix on the processor whose rows lie whole.
fn with_rows<R>(x: &Tensor, use_them: impl FnOnce(&[f32], usize) -> R) -> candle_core::Result<R> {
    let (storage, layout) = x.storage_and_layout();
    let (&[_, _], &[stride, 1]) = (layout.dims(), layout.stride()) else {
        candle_core::bail!("an operator takes a matrix with whole rows, not {layout:?}")
    };
    let Storage::Cpu(CpuStorage::F32(values)) = &*storage else {
        candle_core::bail!("a processor's operator got a tensor of another device or type")
    };
    Ok(use_them(values.get(layout.start_offset()..).unwrap_or_default(), stride))
}
