//! What a convolution over a plane sees at each of its places, so that it becomes a product.

use super::Kernels;

/// Places that a patch covers each way; the step from one patch to the next is [`STRIDE`], and there is a border of one.
pub const SIDE: usize = 3;
/// See [`SIDE`].
pub const STRIDE: usize = 2;

/// The patches of `values` (height, width, channels), with zeros around it: (ceil(height / 2) x ceil(width / 2), 3 x 3 x channels).
#[must_use]
pub fn patches(kernels: &Kernels, values: &[f32], (height, width, channels): (usize, usize, usize)) -> Vec<f32> {
    let (rows, columns) = (height.div_ceil(STRIDE), width.div_ceil(STRIDE));
    let span = SIDE * channels;
    let mut out = vec![0.0; rows * columns * SIDE * span];
    kernels.team.for_chunks(&mut out, columns * SIDE * span, |row, out| {
        for (place, line) in out.chunks_exact_mut(span.max(1)).enumerate() {
            let (column, offset) = (place / SIDE, place % SIDE);
            // One less than where the patch begins, for the border.
            let Some(y) = (row * STRIDE + offset).checked_sub(1).filter(|y| *y < height) else { continue };
            let left = (column * STRIDE).saturating_sub(1);
            let right = (column * STRIDE + SIDE - 1).min(width);
            let border = if column == 0 { channels } else { 0 };
            let from = values.get((y * width + left) * channels..(y * width + right) * channels).unwrap_or_default();
            let to = line.iter_mut().skip(border);
            to.zip(from).for_each(|(to, from)| *to = *from);
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_reach_over_the_border_and_no_further() {
        let kernels = Kernels::new(1).unwrap();
        // 1 2 3 / 4 5 6
        let values: Vec<f32> = (1..=6_u8).map(f32::from).collect();
        let out = patches(&kernels, &values, (2, 3, 1));
        assert_eq!(out, [[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 4.0, 5.0], [0.0, 0.0, 0.0, 2.0, 3.0, 0.0, 5.0, 6.0, 0.0]].concat());
    }
}
