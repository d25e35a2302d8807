//! What is done to a product's outputs before they are stored.

use super::numbers::gelu;
use super::tiles::PANEL;

/// What a product's outputs go through, each on its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    #[default]
    Identity,
    /// The erf GELU.
    Gelu,
    /// 0 in place of what is negative.
    Relu,
}

/// What follows a product, in this order: the bias (which belongs to the weights), an activation, and a sum with what was there before.
#[derive(Clone, Copy, Default)]
pub struct Finish<'a> {
    /// What follows the bias.
    pub activation: Activation,
    /// (rows, outputs), added last.
    pub residual: Option<&'a [f32]>,
}

impl Finish<'_> {
    /// Finishes `values`, which stand in `row` from `column` on in an output of so many columns, and stores those that fit into `out`.
    #[inline(always)]
    pub(super) fn store(&self, values: &mut [f32; PANEL], out: &mut [f32], (row, column, columns): (usize, usize, usize)) {
        match self.activation {
            Activation::Identity => {}
            Activation::Gelu => values.iter_mut().for_each(|value| *value = gelu(*value)),
            Activation::Relu => values.iter_mut().for_each(|value| *value = if *value > 0.0 { *value } else { 0.0 }),
        }
        if let Some(residual) = self.residual {
            let begin = row * columns + column;
            let before = residual.get(begin..(begin + PANEL).min((row + 1) * columns)).unwrap_or_default();
            if let Some(before) = before.first_chunk::<PANEL>() {
                values.iter_mut().zip(before).for_each(|(value, before)| *value += before);
            } else {
                values.iter_mut().zip(before).for_each(|(value, before)| *value += before);
            }
        }
        match out.first_chunk_mut::<PANEL>() {
            Some(out) => *out = *values,
            None => out.iter_mut().zip(values).for_each(|(out, value)| *out = *value),
        }
    }
}
