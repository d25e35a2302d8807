//! Rows of a matrix as a product reads them.

use std::borrow::Cow;

/// Rows of equal width within a slice. They may lie apart, overlap (a convolution over time is a product of overlapping rows), or reach
/// over either end, where there are zeros.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    values: &'a [f32],
    /// Values from one row's start to the next one's.
    stride: usize,
    /// Zeros before the first value that belong to the first row.
    zeros_before: usize,
    count: usize,
}

impl<'a> Rows<'a> {
    /// `count` rows, the first from the first value on, each `stride` values after the one before.
    #[must_use]
    pub fn new(values: &'a [f32], stride: usize, count: usize) -> Self {
        Self { values, stride, zeros_before: 0, count }
    }

    /// The same with so many zeros before the first value.
    #[must_use]
    pub fn after_zeros(self, zeros_before: usize) -> Self {
        Self { zeros_before, ..self }
    }

    /// How many rows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// A row of `width` values.
    pub(super) fn row(&self, index: usize, width: usize) -> Cow<'a, [f32]> {
        let begin = index * self.stride;
        let whole = begin.checked_sub(self.zeros_before).and_then(|start| self.values.get(start..start + width));
        if let Some(whole) = whole {
            return Cow::Borrowed(whole);
        }
        let value = |column: usize| (begin + column).checked_sub(self.zeros_before).and_then(|place| self.values.get(place));
        Cow::Owned((0..width).map(|column| value(column).copied().unwrap_or(0.0)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_overlap_and_reach_over_both_ends() {
        let values = [1.0, 2.0, 3.0, 4.0];
        let rows = Rows::new(&values, 2, 3).after_zeros(1);
        assert_eq!(*rows.row(0, 3), [0.0, 1.0, 2.0]);
        assert_eq!(*rows.row(1, 3), [2.0, 3.0, 4.0]);
        assert_eq!(*rows.row(2, 3), [4.0, 0.0, 0.0]);
        assert_eq!(*Rows::new(&values, 4, 1).row(0, 4), values);
    }
}
