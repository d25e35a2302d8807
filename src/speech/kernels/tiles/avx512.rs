//! AVX-512 with VNNI and BF16.
#![allow(clippy::indexing_slicing, clippy::needless_range_loop, reason = "indices below an array's length that become registers")]

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _mm512_add_ps, _mm512_dpbf16_ps, _mm512_dpbusd_epi32, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_storeu_ps,
    _mm512_storeu_si512,
};

use super::{PANEL, TILE};

/// Vectors of a panel.
const VECTORS: usize = 4;

/// Sums of products of bytes.
///
/// # Safety
/// The processor has AVX-512 F and VNNI; `rows` points to `ROWS * quads * 4` bytes, `weights` to `quads * 256`.
#[target_feature(enable = "avx512f,avx512vnni")]
pub unsafe fn bytes<const ROWS: usize>(rows: *const u8, quads: usize, weights: *const i8, sums: &mut [[i32; PANEL]; TILE]) {
    let mut acc: [[__m512i; VECTORS]; ROWS] = [[_mm512_setzero_si512(); VECTORS]; ROWS];
    let stride = quads * 4;
    // The places of this quad's weights and inputs; sums of indices would be checked for overflow in the innermost loop.
    let (mut quad_weights, mut inputs) = (weights, rows);
    for _ in 0..quads {
        let mut panel = [_mm512_setzero_si512(); VECTORS];
        for vector in 0..VECTORS {
            // SAFETY: in quad `q` this vector ends at byte `q * 256 + vector * 64 + 64`, at most `quads * 256`.
            panel[vector] = unsafe { _mm512_loadu_si512(quad_weights.wrapping_add(vector * 64).cast()) };
        }
        for row in 0..ROWS {
            // SAFETY: in quad `q` four bytes from `row * stride + q * 4` on, which end within row `row`.
            let four = unsafe { inputs.wrapping_add(row.wrapping_mul(stride)).cast::<i32>().read_unaligned() };
            let input = _mm512_set1_epi32(four);
            for vector in 0..VECTORS {
                acc[row][vector] = _mm512_dpbusd_epi32(acc[row][vector], input, panel[vector]);
            }
        }
        (quad_weights, inputs) = (quad_weights.wrapping_add(256), inputs.wrapping_add(4));
    }
    for (acc, sums) in acc.iter().zip(sums.iter_mut()) {
        for (acc, sums) in acc.iter().zip(sums.as_chunks_mut::<16>().0) {
            // SAFETY: `sums` is sixteen integers.
            unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), *acc) };
        }
    }
}

/// Sums of products of bf16 numbers.
///
/// # Safety
/// The processor has AVX-512 F and BF16; `rows` points to `ROWS * pairs * 2` numbers, `weights` to `pairs * 128`.
#[target_feature(enable = "avx512f,avx512bf16")]
pub unsafe fn halves<const ROWS: usize>(rows: *const u16, pairs: usize, weights: *const u16, sums: &mut [[f32; PANEL]; TILE]) {
    let mut acc: [[__m512; VECTORS]; ROWS] = [[_mm512_setzero_ps(); VECTORS]; ROWS];
    let stride = pairs * 2;
    let (mut pair_weights, mut inputs) = (weights, rows);
    for _ in 0..pairs {
        let mut panel = [as_halves(_mm512_setzero_si512()); VECTORS];
        for vector in 0..VECTORS {
            // SAFETY: in pair `p` this vector ends at number `p * 128 + vector * 32 + 32`, at most `pairs * 128`.
            panel[vector] = as_halves(unsafe { _mm512_loadu_si512(pair_weights.wrapping_add(vector * 32).cast()) });
        }
        for row in 0..ROWS {
            // SAFETY: in pair `p` two numbers from `row * stride + p * 2` on, which end within row `row`.
            let two = unsafe { inputs.wrapping_add(row.wrapping_mul(stride)).cast::<i32>().read_unaligned() };
            let input = as_halves(_mm512_set1_epi32(two));
            for vector in 0..VECTORS {
                acc[row][vector] = _mm512_dpbf16_ps(acc[row][vector], input, panel[vector]);
            }
        }
        (pair_weights, inputs) = (pair_weights.wrapping_add(128), inputs.wrapping_add(2));
    }
    store(&acc, sums);
}

/// Sums of products of f32 numbers, each rounded before it is added, as everywhere.
///
/// # Safety
/// The processor has AVX-512 F; `rows` points to `ROWS * inputs` numbers, `weights` to `inputs * 64`.
#[target_feature(enable = "avx512f")]
pub unsafe fn floats<const ROWS: usize>(rows: *const f32, inputs: usize, weights: *const f32, sums: &mut [[f32; PANEL]; TILE]) {
    let mut acc: [[__m512; VECTORS]; ROWS] = [[_mm512_setzero_ps(); VECTORS]; ROWS];
    let (mut input_weights, mut input) = (weights, rows);
    for _ in 0..inputs {
        let mut panel = [_mm512_setzero_ps(); VECTORS];
        for vector in 0..VECTORS {
            // SAFETY: of input `i` this vector ends at number `i * 64 + vector * 16 + 16`, at most `inputs * 64`.
            panel[vector] = unsafe { _mm512_loadu_ps(input_weights.wrapping_add(vector * 16)) };
        }
        for row in 0..ROWS {
            // SAFETY: number `row * inputs + i`, within row `row`.
            let value = _mm512_set1_ps(unsafe { *input.wrapping_add(row.wrapping_mul(inputs)) });
            for vector in 0..VECTORS {
                acc[row][vector] = _mm512_add_ps(acc[row][vector], _mm512_mul_ps(value, panel[vector]));
            }
        }
        (input_weights, input) = (input_weights.wrapping_add(PANEL), input.wrapping_add(1));
    }
    store(&acc, sums);
}

/// Stores each row's sums.
#[target_feature(enable = "avx512f")]
#[inline]
fn store<const ROWS: usize>(acc: &[[__m512; VECTORS]; ROWS], sums: &mut [[f32; PANEL]; TILE]) {
    for (acc, sums) in acc.iter().zip(sums.iter_mut()) {
        for (acc, sums) in acc.iter().zip(sums.as_chunks_mut::<16>().0) {
            // SAFETY: `sums` is sixteen numbers.
            unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), *acc) };
        }
    }
}

#[inline(always)]
fn as_halves(bits: __m512i) -> __m512bh {
    // SAFETY: both are 64 bytes of which every pattern is valid.
    unsafe { std::mem::transmute(bits) }
}
