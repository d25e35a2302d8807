//! Storage for packed weights: whole cache lines, so that no vector load straddles two.

use std::cell::RefCell;

use bytemuck::{Pod, Zeroable};

/// Bytes of a cache line and of the widest vector.
pub(super) const LINE: usize = 64;

/// A cache line.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Line([u8; LINE]);

/// Zeroed values of a plain type, on a cache line's boundary, rounded up to whole lines.
#[derive(Clone, Default)]
pub(super) struct Block(Vec<Line>);

impl Block {
    /// Room for so many bytes, zero.
    pub fn new(bytes: usize) -> Self {
        Self(vec![Line::zeroed(); bytes.div_ceil(LINE)])
    }

    /// Makes room for so many bytes; what is in it is arbitrary.
    pub fn reserve(&mut self, bytes: usize) {
        let lines = bytes.div_ceil(LINE);
        if self.0.len() < lines {
            self.0.resize(lines, Line::zeroed());
        }
    }

    /// As values of `T`, as many as fit.
    pub fn values<T: Pod>(&self) -> &[T] {
        bytemuck::cast_slice(&self.0)
    }

    /// As values of `T`, as many as fit.
    pub fn values_mut<T: Pod>(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// A bias for each output of whole panels; none is zeros.
pub(super) fn padded_with_zeros(bias: Option<&[f32]>, outputs: usize) -> Vec<f32> {
    let mut padded = bias.unwrap_or_default().to_vec();
    padded.resize(outputs, 0.0);
    padded
}

/// A thread's buffers, which keep their memory from one operator to the next.
#[derive(Default)]
pub(super) struct Scratch {
    /// Rows as a product takes them.
    pub packed: Block,
    /// Rows gathered from where they lie apart, or scores.
    pub floats: Block,
}

/// Lends the thread's buffers; a caller within a caller gets new ones.
pub(super) fn with_scratch<R>(use_it: impl FnOnce(&mut Scratch) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => use_it(&mut scratch),
        Err(_) => use_it(&mut Scratch::default()),
    })
}
