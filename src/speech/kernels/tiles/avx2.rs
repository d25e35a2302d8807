//! AVX2 and FMA. No product of bytes is free of overflow, so bytes are widened to 16 bits, and bf16 numbers to f32.

#![allow(clippy::indexing_slicing, clippy::needless_range_loop, reason = "indices below an array's length that become registers")]

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_ps, _mm256_cvtepi8_epi16,
    _mm256_fmadd_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_ps,
    _mm256_setzero_ps, _mm256_setzero_si256, _mm256_slli_epi32, _mm256_storeu_ps, _mm256_storeu_si256,
};

use super::{PANEL, TILE};

/// Outputs whose sums of bytes fit into the registers beside weights and an input: two vectors of lane pairs a row.
const BYTE_GROUP: usize = 8;
/// Outputs whose sums of numbers do: two vectors a row.
const HALF_GROUP: usize = 16;

/// Sums of products of bytes.
///
/// # Safety
/// The processor has AVX2; `rows` points to `ROWS * quads * 4` inputs, `weights` to `quads * 256`.
#[target_feature(enable = "avx2")]
pub unsafe fn bytes<const ROWS: usize>(rows: *const i16, quads: usize, weights: *const i8, sums: &mut [[i32; PANEL]; TILE]) {
    let stride = quads * 4;
    for group in 0..PANEL / BYTE_GROUP {
        // Lane pairs of each output: its first two products of a quad, and its last two.
        let mut acc: [[__m256i; 2]; ROWS] = [[_mm256_setzero_si256(); 2]; ROWS];
        for quad in 0..quads {
            let mut panel = [_mm256_setzero_si256(); 2];
            for half in 0..2 {
                // SAFETY: this half of the group ends at byte `quad * 256 + group * 32 + half * 16 + 16`, at most `quads * 256`.
                let eight = unsafe { _mm_loadu_si128(weights.add(quad * 256 + group * 32 + half * 16).cast::<__m128i>()) };
                panel[half] = _mm256_cvtepi8_epi16(eight);
            }
            for row in 0..ROWS {
                // SAFETY: four inputs from `row * stride + quad * 4` on, which end within row `row`.
                let input = _mm256_set1_epi64x(unsafe { rows.add(row * stride + quad * 4).cast::<i64>().read_unaligned() });
                for half in 0..2 {
                    acc[row][half] = _mm256_add_epi32(acc[row][half], _mm256_madd_epi16(input, panel[half]));
                }
            }
        }
        for (acc, sums) in acc.iter().zip(sums.iter_mut()) {
            let mut pairs = [0_i32; 2 * BYTE_GROUP];
            for (acc, pairs) in acc.iter().zip(pairs.as_chunks_mut::<8>().0) {
                // SAFETY: `pairs` is eight integers.
                unsafe { _mm256_storeu_si256(pairs.as_mut_ptr().cast(), *acc) };
            }
            let sums = sums.iter_mut().skip(group * BYTE_GROUP);
            for (sum, [low, high]) in sums.zip(pairs.as_chunks::<2>().0) {
                *sum = low + high;
            }
        }
    }
}

/// Sums of products of numbers with bf16 weights.
///
/// # Safety
/// The processor has AVX2 and FMA; `rows` points to `ROWS * pairs * 2` numbers, `weights` to `pairs * 128`.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn halves<const ROWS: usize>(rows: *const f32, pairs: usize, weights: *const u16, sums: &mut [[f32; PANEL]; TILE]) {
    let stride = pairs * 2;
    let upper = _mm256_set1_epi32(0xffff_0000_u32.cast_signed());
    for group in 0..PANEL / HALF_GROUP {
        let mut acc: [[__m256; 2]; ROWS] = [[_mm256_setzero_ps(); 2]; ROWS];
        for pair in 0..pairs {
            let (mut first, mut second) = ([_mm256_setzero_ps(); 2], [_mm256_setzero_ps(); 2]);
            for half in 0..2 {
                // SAFETY: this half of the group ends at number `pair * 128 + group * 32 + half * 16 + 16`, at most `pairs * 128`.
                let both = unsafe { _mm256_loadu_si256(weights.add(pair * 128 + group * 32 + half * 16).cast()) };
                first[half] = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(both));
                second[half] = _mm256_castsi256_ps(_mm256_and_si256(both, upper));
            }
            for row in 0..ROWS {
                // SAFETY: the first of two numbers at `row * stride + pair * 2`, within row `row`.
                let input = _mm256_set1_ps(unsafe { *rows.add(row * stride + pair * 2) });
                for half in 0..2 {
                    acc[row][half] = _mm256_fmadd_ps(input, first[half], acc[row][half]);
                }
            }
            for row in 0..ROWS {
                // SAFETY: the second of them.
                let input = _mm256_set1_ps(unsafe { *rows.add(row * stride + pair * 2 + 1) });
                for half in 0..2 {
                    acc[row][half] = _mm256_fmadd_ps(input, second[half], acc[row][half]);
                }
            }
        }
        for (acc, sums) in acc.iter().zip(sums.iter_mut()) {
            let sums = sums.as_chunks_mut::<8>().0.iter_mut().skip(group * 2);
            for (acc, sums) in acc.iter().zip(sums) {
                // SAFETY: `sums` is eight numbers.
                unsafe { _mm256_storeu_ps(sums.as_mut_ptr(), *acc) };
            }
        }
    }
}
