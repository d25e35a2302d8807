//! The operators on each instruction set against plain Rust. A set that this processor lacks is counted as left out: the tests in the
//! library go through those that are there and say nothing of the others.

use cantoscribe::speech::kernels::{ByteMatrix, Finish, HalfMatrix, Kernels, KeysAndValues, Level, Rows, Team};
use libtest_mimic::Trial;

use crate::signals::Noise;
use crate::{Need, guarded};

pub fn tests() -> Vec<Trial> {
    vec![
        guarded("kernels_of_avx2_agree_with_plain_rust", &[Need::Instructions("avx2")], || agrees("avx2")),
        guarded("kernels_of_avx512_agree_with_plain_rust", &[Need::Instructions("avx512")], || agrees("avx512")),
    ]
}

/// The instruction set of this name, where this processor has it.
pub fn level(name: &str) -> Option<Level> {
    Level::available().into_iter().find(|level| level.name() == name)
}

fn agrees(name: &str) {
    let on = |level: Level| Kernels { level, team: Team::new(2).unwrap() };
    let (plain, vector) = (on(level("plain").unwrap()), on(level(name).unwrap()));
    let mut noise = Noise::new(1);
    let mut numbers = |count: usize| -> Vec<f32> { (0..count).map(|_| noise.next()).collect() };
    // Rows for one task and for several, a tile's last rows, inputs and outputs that fill no quad and no panel.
    for (rows, inputs, outputs) in [(1, 512, 130), (5, 63, 64), (13, 70, 65), (100, 512, 192)] {
        let (x, weights) = (numbers(rows * inputs), numbers(inputs * outputs));
        let input = Rows::new(&x, inputs, rows);
        let bytes = ByteMatrix::pack(&weights, inputs, None);
        let sums = |kernels| bytes.multiply(kernels, input, Finish::default());
        assert_eq!(sums(&vector), sums(&plain), "bytes {rows} x {inputs} x {outputs}");
        let halves = HalfMatrix::pack(&weights, inputs, None);
        let sums = |kernels| halves.multiply(kernels, input, Finish::default());
        close(&sums(&vector), &sums(&plain), &format!("halves {rows} x {inputs} x {outputs}"));
    }
    let (positions, heads, width) = (150, 2, 64);
    let [q, k, v] = [0; 3].map(|_| numbers(positions * heads * width));
    let attended = |kernels: &Kernels| {
        let packed = KeysAndValues::pack(kernels, (&k, &v), heads * width, (positions, heads, width));
        packed.attend(kernels, &q, heads * width, positions)
    };
    close(&attended(&vector), &attended(&plain), "attention");
}

/// Equal up to the rounding of inputs to bf16, over all values together.
fn close(ours: &[f32], expected: &[f32], what: &str) {
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>();
    let off = square(&mut ours.iter().zip(expected).map(|(a, b)| a - b));
    let all = square(&mut expected.iter().copied());
    assert_eq!(ours.len(), expected.len());
    assert!(all > 0.0 && (off / all).sqrt() < 0.01, "{what}: {}", (off / all).sqrt());
}
