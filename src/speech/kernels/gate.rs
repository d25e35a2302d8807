//! The gate of a feed-forward layer.

use super::Kernels;
use super::level::for_each_level;
use super::numbers::exp_of_non_positive;

/// Rows that one task takes where there are many.
const ROWS_PER_TASK: usize = 4;

/// `silu(a) * b` of rows that hold `a` and `b`, each `width` values, beside each other: (rows, width).
#[must_use]
pub fn gate(kernels: &Kernels, rows: &[f32], width: usize) -> Vec<f32> {
    let mut out = vec![0.0; rows.len() / 2];
    kernels.team.for_chunks(&mut out, ROWS_PER_TASK * width, |task, out| {
        let begin = task * ROWS_PER_TASK * 2 * width;
        gate_rows(kernels.level, rows.get(begin..begin + 2 * out.len()).unwrap_or_default(), width, out);
    });
    out
}

for_each_level! {
    fn gate_rows(rows: &[f32], width: usize, out: &mut [f32]) = gate_rows_body;
}

#[inline(always)]
fn gate_rows_body(rows: &[f32], width: usize, out: &mut [f32]) {
    for (row, out) in rows.chunks_exact((2 * width).max(1)).zip(out.chunks_exact_mut(width.max(1))) {
        let (gates, values) = row.split_at(width);
        for (out, (gate, value)) in out.iter_mut().zip(gates.iter().zip(values)) {
            *out = silu(*gate) * value;
        }
    }
}

/// `x` times its logistic function.
#[inline(always)]
fn silu(x: f32) -> f32 {
    let small = exp_of_non_positive(-x.abs());
    let logistic = if x < 0.0 { small } else { 1.0 } / (1.0 + small);
    x * logistic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silu_is_close_to_the_exact_one() {
        for step in -4000..4000_i16 {
            let x = f32::from(step) / 100.0;
            let expected = f64::from(x) / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(silu(x)) - expected).abs() < 3e-6, "{x}: {} and {expected}", silu(x));
        }
        assert_eq!((silu(0.0), silu(f32::MIN)), (0.0, 0.0));
    }
}
