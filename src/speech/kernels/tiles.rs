//! The innermost products: up to six rows with a panel of 64 outputs, all sums in registers.
#![allow(unsafe_code, reason = "vector instructions; each function says what its caller has checked")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod plain;

use super::block::Block;
use super::level::{Level, Set};
use super::numbers::to_half;

/// Outputs of a panel, to whole ones of which a matrix' outputs are rounded up.
pub const PANEL: usize = 64;
/// Most rows of a tile: six times four vectors of sums, four of weights and one of inputs are 29 of AVX-512's 32 registers.
pub(super) const TILE: usize = 6;

/// Chooses a function by the number of rows, from 1 to [`TILE`], and where it takes one, by how many vectors of sums a row are held in
/// registers at once.
macro_rules! by_rows {
    ($rows:expr, $module:ident::$function:ident $([$one:literal, $two:literal, $more:literal])?, $arguments:tt) => {
        match $rows {
            1 => $module::$function::<1 $(, $one)?> $arguments,
            2 => $module::$function::<2 $(, $two)?> $arguments,
            3 => $module::$function::<3 $(, $two)?> $arguments,
            4 => $module::$function::<4 $(, $more)?> $arguments,
            5 => $module::$function::<5 $(, $more)?> $arguments,
            _ => $module::$function::<6 $(, $more)?> $arguments,
        }
    };
}

/// Whether a level takes its inputs as they are stored in the weights (bytes, bf16), or widened to 16 bits and f32, which is what its
/// instructions multiply.
pub(super) fn is_narrow(level: Level) -> bool {
    match level.set() {
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => true,
        _ => false,
    }
}

/// Bytes that an input to [`bytes`] takes.
pub(super) fn byte_size(level: Level) -> usize {
    if is_narrow(level) { size_of::<u8>() } else { size_of::<i16>() }
}

/// Bytes that an input to [`halves`] takes.
pub(super) fn half_size(level: Level) -> usize {
    if is_narrow(level) { size_of::<u16>() } else { size_of::<f32>() }
}

/// Dot products of `count` rows of unsigned bytes, `stride` (a multiple of 4) inputs apart, from row `first` on, with each output of a
/// panel of signed bytes, `[stride / 4][64][4]`. Exact.
///
/// # Panics
/// When rows or weights are too short, or `count` is not from 1 to [`TILE`].
pub(super) fn bytes(
    level: Level,
    (rows, first, count): (&Block, usize, usize),
    stride: usize,
    weights: &[i8],
    sums: &mut [[i32; PANEL]; TILE],
) {
    let quads = stride / 4;
    assert!((1..=TILE).contains(&count) && stride.is_multiple_of(4), "no tile of this shape");
    assert!(weights.len() >= stride * PANEL, "a tile beyond its weights");
    match level.set() {
        Set::Plain => plain::bytes(part(rows, first, count, stride), stride, weights, sums),
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => {
            let rows: &[i16] = part(rows, first, count, stride);
            // SAFETY: the level has the instructions; there are `count` rows of `quads * 4` inputs and a panel as long.
            unsafe { by_rows!(count, avx2::bytes[8, 4, 2], (rows.as_ptr(), quads, weights.as_ptr(), sums)) }
        }
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => {
            let rows: &[u8] = part(rows, first, count, stride);
            // SAFETY: as above.
            unsafe { by_rows!(count, avx512::bytes, (rows.as_ptr(), quads, weights.as_ptr(), sums)) }
        }
    }
}

/// Dot products of `count` rows of numbers, `stride` (even) inputs apart, from row `first` on, with each output of a panel of bf16
/// numbers, `[stride / 2][64][2]`. Summed in f32, in an order that depends on `stride` alone.
///
/// # Panics
/// When rows or weights are too short, or `count` is not from 1 to [`TILE`].
pub(super) fn halves(
    level: Level,
    (rows, first, count): (&Block, usize, usize),
    stride: usize,
    weights: &[u16],
    sums: &mut [[f32; PANEL]; TILE],
) {
    let pairs = stride / 2;
    assert!((1..=TILE).contains(&count) && stride.is_multiple_of(2), "no tile of this shape");
    assert!(weights.len() >= stride * PANEL, "a tile beyond its weights");
    match level.set() {
        Set::Plain => plain::halves(part(rows, first, count, stride), stride, weights, sums),
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => {
            let rows: &[f32] = part(rows, first, count, stride);
            // SAFETY: the level has the instructions; there are `count` rows of `pairs * 2` inputs and a panel as long.
            unsafe { by_rows!(count, avx2::halves[4, 2, 2], (rows.as_ptr(), pairs, weights.as_ptr(), sums)) }
        }
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => {
            let rows: &[u16] = part(rows, first, count, stride);
            // SAFETY: as above.
            unsafe { by_rows!(count, avx512::halves, (rows.as_ptr(), pairs, weights.as_ptr(), sums)) }
        }
    }
}

/// Dot products of `count` rows of numbers, `inputs` apart, from row `first` on, with each output of a panel of f32 numbers,
/// `[inputs][64]`. Products and sums are rounded one by one in the order of the inputs: the same bits on every level.
///
/// # Panics
/// When rows or weights are too short, or `count` is not from 1 to [`TILE`].
pub(super) fn floats(
    level: Level,
    (rows, first, count): (&Block, usize, usize),
    inputs: usize,
    weights: &[f32],
    sums: &mut [[f32; PANEL]; TILE],
) {
    assert!((1..=TILE).contains(&count), "no tile of this shape");
    assert!(weights.len() >= inputs * PANEL, "a tile beyond its weights");
    let rows: &[f32] = part(rows, first, count, inputs);
    match level.set() {
        Set::Plain => plain::floats(rows, inputs, weights, sums),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level has the instructions; there are `count` rows of `inputs` and a panel as long.
        Set::Avx2 => unsafe { by_rows!(count, avx2::floats[8, 4, 2], (rows.as_ptr(), inputs, weights.as_ptr(), sums)) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Set::Avx512 => unsafe { by_rows!(count, avx512::floats, (rows.as_ptr(), inputs, weights.as_ptr(), sums)) },
    }
}

/// Whether a level's sums are those of plain Rust, on one whole tile of each kind.
pub(super) fn agree_with_plain(level: Level) -> bool {
    const INPUTS: usize = 64;
    let Some(plain) = Level::available().first().copied() else { return false };
    let weights: Vec<i8> = (0..INPUTS * PANEL).map(|place| ((place * 37 + 11) % 255) as u8 as i8).collect();
    let byte_sums = |level: Level| {
        let mut rows = Block::new(TILE * INPUTS * byte_size(level));
        let byte = |place: usize| (place * 91 + 7) % 256;
        if is_narrow(level) {
            rows.values_mut::<u8>().iter_mut().enumerate().for_each(|(place, value)| *value = byte(place) as u8);
        } else {
            rows.values_mut::<i16>().iter_mut().enumerate().for_each(|(place, value)| *value = byte(place) as i16);
        }
        let mut sums = [[0; PANEL]; TILE];
        bytes(level, (&rows, 0, TILE), INPUTS, &weights, &mut sums);
        sums
    };
    // Small whole numbers: exact in bf16, and so are their sums in f32, whatever the order.
    let number = |place: usize, step: usize| (place * step % 17) as f32 - 8.0;
    let weights: Vec<u16> = (0..INPUTS * PANEL).map(|place| to_half(number(place, 5))).collect();
    let half_sums = |level: Level| {
        let mut rows = Block::new(TILE * INPUTS * half_size(level));
        if is_narrow(level) {
            rows.values_mut::<u16>().iter_mut().enumerate().for_each(|(place, value)| *value = to_half(number(place, 3)));
        } else {
            rows.values_mut::<f32>().iter_mut().enumerate().for_each(|(place, value)| *value = number(place, 3));
        }
        let mut sums = [[0.0; PANEL]; TILE];
        halves(level, (&rows, 0, TILE), INPUTS, &weights, &mut sums);
        sums
    };
    let weights: Vec<f32> = (0..INPUTS * PANEL).map(|place| number(place, 7)).collect();
    let float_sums = |level: Level| {
        let mut rows = Block::new(size_of::<f32>() * TILE * INPUTS);
        rows.values_mut::<f32>().iter_mut().enumerate().for_each(|(place, value)| *value = number(place, 11));
        let mut sums = [[0.0; PANEL]; TILE];
        floats(level, (&rows, 0, TILE), INPUTS, &weights, &mut sums);
        sums
    };
    byte_sums(level) == byte_sums(plain) && half_sums(level) == half_sums(plain) && float_sums(level) == float_sums(plain)
}

/// Exactly `count` rows from row `first` on.
fn part<T: bytemuck::Pod>(rows: &Block, first: usize, count: usize, stride: usize) -> &[T] {
    let part = rows.values().get(first * stride..(first + count) * stride);
    assert!(part.is_some(), "a tile beyond its inputs");
    part.unwrap_or_default()
}
