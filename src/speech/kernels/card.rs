//! The GPU: its one stream, on which all that a model computes is in order, and its memory.

#![allow(unsafe_code, reason = "says that one stream needs no tracking, and asks the driver to keep what was freed")]

use candle_core::cuda::WrapErr as _;
use candle_core::cuda::cudarc::driver::{result, sys};
use candle_core::{DType, Device, Tensor};

/// The first GPU, with a stream of its own that all threads share. Candle's usual device has a stream for each thread: a model's
/// layers run on whatever thread of its pool is free, and work of two threads would not be in order.
///
/// # Errors
/// When there is no driver or no GPU, or one of another generation than candle's kernels were built for.
pub fn first_gpu() -> candle_core::Result<Device> {
    let device = Device::new_cuda_with_stream(0)?;
    let cuda = device.as_cuda_device()?;
    // SAFETY: this context has no other stream, and no memory of it was allocated yet: what is used, and freed, is used and freed in
    // the order in which it was asked for.
    unsafe { cuda.disable_event_tracking() };
    keep_freed_memory(cuda.cuda_stream().context().cu_device()).w()?;
    // A card that the kernels were not built for opens like any other, and fails at the first of them.
    let answer: Vec<f32> = Tensor::ones(1, DType::F32, &device)?.affine(2.0, 1.0)?.to_vec1()?;
    if answer != [3.0] {
        candle_core::bail!("the GPU computed {answer:?} where 3 was right");
    }
    Ok(device)
}

/// Lets the driver keep memory that was freed for what comes next. By itself it gives all of it back whenever the processor waits
/// for a result, which is at every token, and maps it anew.
fn keep_freed_memory(device: sys::CUdevice) -> Result<(), result::DriverError> {
    let mut threshold = u64::MAX;
    // SAFETY: the device was opened; the attribute's value is 64 bits, read during the call.
    unsafe {
        let pool = result::device::get_default_mem_pool(device)?;
        let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        sys::cuMemPoolSetAttribute(pool, attribute, std::ptr::from_mut(&mut threshold).cast()).result()
    }
}
