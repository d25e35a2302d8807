//! AVX2 and FMA. No product of bytes is free of overflow, so bytes are widened to 16 bits, and bf16 numbers to f32.

#![allow(clippy::indexing_slicing, clippy::needless_range_loop, reason = "indices below an array's length that become registers")]

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_add_ps, _mm256_and_si256, _mm256_castsi256_ps,
    _mm256_cvtepi8_epi16, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_mul_ps,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_slli_epi32,
    _mm256_storeu_ps, _mm256_storeu_si256,
};

use super::{PANEL, TILE};

/// Sums of products of bytes, with `VECTORS` vectors of sums a row in registers at once: four outputs each, as lane pairs.
///
/// # Safety
/// The processor has AVX2; `rows` points to `ROWS * quads * 4` inputs, `weights` to `quads * 256`.
#[target_feature(enable = "avx2")]
pub unsafe fn bytes<const ROWS: usize, const VECTORS: usize>(
    rows: *const i16,
    quads: usize,
    weights: *const i8,
    sums: &mut [[i32; PANEL]; TILE],
) {
    let stride = quads * 4;
    for group in 0..PANEL / (VECTORS * 4) {
        // Lane pairs of each output: its first two products of a quad, and its last two.
        let mut acc: [[__m256i; VECTORS]; ROWS] = [[_mm256_setzero_si256(); VECTORS]; ROWS];
        // The places of this quad's weights and inputs; sums of indices would be checked for overflow in the innermost loop.
        let mut quad_weights = weights.wrapping_add(group * VECTORS * 16);
        let mut inputs = places::<_, ROWS>(rows, stride);
        for _ in 0..quads {
            let mut panel = [_mm256_setzero_si256(); VECTORS];
            for vector in 0..VECTORS {
                // SAFETY: in quad `q` this vector ends at byte `q * 256 + (group * VECTORS + vector) * 16 + 16`, at most `quads * 256`.
                let sixteen = unsafe { _mm_loadu_si128(quad_weights.wrapping_add(vector * 16).cast::<__m128i>()) };
                panel[vector] = _mm256_cvtepi8_epi16(sixteen);
            }
            for row in 0..ROWS {
                // SAFETY: in quad `q` four inputs from `row * stride + q * 4` on, which end within row `row`.
                let input = _mm256_set1_epi64x(unsafe { inputs[row].cast::<i64>().read_unaligned() });
                inputs[row] = inputs[row].wrapping_add(4);
                for vector in 0..VECTORS {
                    acc[row][vector] = _mm256_add_epi32(acc[row][vector], _mm256_madd_epi16(input, panel[vector]));
                }
            }
            quad_weights = quad_weights.wrapping_add(256);
        }
        for (acc, sums) in acc.iter().zip(sums.iter_mut()) {
            for (acc, sums) in acc.iter().zip(sums.as_chunks_mut::<4>().0.iter_mut().skip(group * VECTORS)) {
                let mut pairs = [0_i32; 8];
                // SAFETY: `pairs` is eight integers.
                unsafe { _mm256_storeu_si256(pairs.as_mut_ptr().cast(), *acc) };
                for (sum, [low, high]) in sums.iter_mut().zip(pairs.as_chunks::<2>().0) {
                    *sum = low.wrapping_add(*high);
                }
            }
        }
    }
}

/// Sums of products of numbers with bf16 weights, with `VECTORS` vectors of sums a row in registers at once: eight outputs each.
///
/// # Safety
/// The processor has AVX2 and FMA; `rows` points to `ROWS * pairs * 2` numbers, `weights` to `pairs * 128`.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn halves<const ROWS: usize, const VECTORS: usize>(
    rows: *const f32,
    pairs: usize,
    weights: *const u16,
    sums: &mut [[f32; PANEL]; TILE],
) {
    let stride = pairs * 2;
    let upper = _mm256_set1_epi32(0xffff_0000_u32.cast_signed());
    for group in 0..PANEL / (VECTORS * 8) {
        let mut acc: [[__m256; VECTORS]; ROWS] = [[_mm256_setzero_ps(); VECTORS]; ROWS];
        let mut pair_weights = weights.wrapping_add(group * VECTORS * 16);
        let mut inputs = places::<_, ROWS>(rows, stride);
        for _ in 0..pairs {
            let (mut first, mut second) = ([_mm256_setzero_ps(); VECTORS], [_mm256_setzero_ps(); VECTORS]);
            for vector in 0..VECTORS {
                // SAFETY: in pair `p` this vector ends at number `p * 128 + (group * VECTORS + vector) * 16 + 16`, at most `pairs * 128`.
                let both = unsafe { _mm256_loadu_si256(pair_weights.wrapping_add(vector * 16).cast()) };
                first[vector] = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(both));
                second[vector] = _mm256_castsi256_ps(_mm256_and_si256(both, upper));
            }
            for row in 0..ROWS {
                // SAFETY: in pair `p` the first of two numbers at `row * stride + p * 2`, within row `row`.
                let input = _mm256_set1_ps(unsafe { *inputs[row] });
                for vector in 0..VECTORS {
                    acc[row][vector] = _mm256_fmadd_ps(input, first[vector], acc[row][vector]);
                }
            }
            for row in 0..ROWS {
                // SAFETY: the second of them.
                let input = _mm256_set1_ps(unsafe { *inputs[row].wrapping_add(1) });
                inputs[row] = inputs[row].wrapping_add(2);
                for vector in 0..VECTORS {
                    acc[row][vector] = _mm256_fmadd_ps(input, second[vector], acc[row][vector]);
                }
            }
            pair_weights = pair_weights.wrapping_add(128);
        }
        store(&acc, group, sums);
    }
}

/// Sums of products of f32 numbers, each rounded before it is added, as everywhere, with `VECTORS` vectors of sums a row in registers
/// at once: eight outputs each.
///
/// # Safety
/// The processor has AVX2; `rows` points to `ROWS * inputs` numbers, `weights` to `inputs * 64`.
#[target_feature(enable = "avx2")]
pub unsafe fn floats<const ROWS: usize, const VECTORS: usize>(
    rows: *const f32,
    inputs: usize,
    weights: *const f32,
    sums: &mut [[f32; PANEL]; TILE],
) {
    for group in 0..PANEL / (VECTORS * 8) {
        let mut acc: [[__m256; VECTORS]; ROWS] = [[_mm256_setzero_ps(); VECTORS]; ROWS];
        let mut input_weights = weights.wrapping_add(group * VECTORS * 8);
        let mut input = places::<_, ROWS>(rows, inputs);
        for _ in 0..inputs {
            for row in 0..ROWS {
                // SAFETY: number `row * inputs + i`, within row `row`.
                let value = _mm256_set1_ps(unsafe { *input[row] });
                input[row] = input[row].wrapping_add(1);
                for vector in 0..VECTORS {
                    // SAFETY: of input `i` this vector ends at number `i * 64 + (group * VECTORS + vector) * 8 + 8`, at most `inputs * 64`.
                    let weights = unsafe { _mm256_loadu_ps(input_weights.wrapping_add(vector * 8)) };
                    acc[row][vector] = _mm256_add_ps(acc[row][vector], _mm256_mul_ps(value, weights));
                }
            }
            input_weights = input_weights.wrapping_add(PANEL);
        }
        store(&acc, group, sums);
    }
}

/// Stores each row's sums of a group of outputs.
#[target_feature(enable = "avx2")]
#[inline]
fn store<const ROWS: usize, const VECTORS: usize>(
    acc: &[[__m256; VECTORS]; ROWS],
    group: usize,
    sums: &mut [[f32; PANEL]; TILE],
) {
    for (acc, sums) in acc.iter().zip(sums.iter_mut()) {
        let sums = sums.as_chunks_mut::<8>().0.iter_mut().skip(group * VECTORS);
        for (acc, sums) in acc.iter().zip(sums) {
            // SAFETY: `sums` is eight numbers.
            unsafe { _mm256_storeu_ps(sums.as_mut_ptr(), *acc) };
        }
    }
}

/// Where each row begins.
#[inline(always)]
fn places<T, const ROWS: usize>(rows: *const T, stride: usize) -> [*const T; ROWS] {
    let mut places = [rows; ROWS];
    for row in 0..ROWS {
        places[row] = rows.wrapping_add(row * stride);
    }
    places
}
