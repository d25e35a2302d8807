//! The fused operators at Whisper base's sizes against candle's own, on the threads of `CANTOSCRIBE_BENCH_THREADS` (2).
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use candle_core::{Device, Tensor};
use cantoscribe::speech::kernels::{
    ByteMatrix, Depthwise, Finish, HalfMatrix, Kernels, KeysAndValues, Past, Queries, Rows, layer_norm, look_back,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const WIDTH: usize = 512;
const HEADS: usize = 8;
/// Positions of the whole window, and of about five seconds.
const POSITIONS: [usize; 2] = [1500, 300];

fn noise(count: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn kernels() -> Kernels {
    let threads = std::env::var("CANTOSCRIBE_BENCH_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(2);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().ok();
    Kernels::new(threads).unwrap()
}

fn linear(criterion: &mut Criterion) {
    let kernels = kernels();
    let mut group = criterion.benchmark_group("linear");
    for (rows, inputs, outputs) in
        [(1500, 512, 512), (1500, 512, 2048), (1500, 2048, 512), (300, 512, 512), (1, 512, 512), (1, 512, 51865)]
    {
        let (x, weights) = (noise(rows * inputs), noise(inputs * outputs));
        let name = format!("{rows}x{inputs}x{outputs}");
        group.throughput(Throughput::Elements((rows * inputs * outputs) as u64));
        let bytes = ByteMatrix::pack(&weights, inputs, None);
        group.bench_function(BenchmarkId::new("bytes", &name), |bench| {
            bench.iter(|| black_box(bytes.multiply(&kernels, Rows::new(&x, inputs, rows), Finish::default())));
        });
        let halves = HalfMatrix::pack(&weights, inputs, None);
        group.bench_function(BenchmarkId::new("halves", &name), |bench| {
            bench.iter(|| black_box(halves.multiply(&kernels, Rows::new(&x, inputs, rows), Finish::default())));
        });
        let x = Tensor::from_vec(x, (rows, inputs), &Device::Cpu).unwrap();
        let weights = Tensor::from_vec(weights, (outputs, inputs), &Device::Cpu).unwrap();
        group.bench_function(BenchmarkId::new("candle", &name), |bench| {
            bench.iter(|| black_box(x.matmul(&weights.t().unwrap()).unwrap()));
        });
    }
    group.finish();
}

fn attention(criterion: &mut Criterion) {
    let kernels = kernels();
    let mut group = criterion.benchmark_group("attention");
    for positions in POSITIONS {
        let [q, k, v] = [0; 3].map(|_| noise(positions * WIDTH));
        let sizes = (positions, HEADS, WIDTH / HEADS);
        group.bench_function(BenchmarkId::new("pack", positions), |bench| {
            bench.iter(|| black_box(KeysAndValues::pack(&kernels, (&k, &v), WIDTH, sizes)));
        });
        let packed = KeysAndValues::pack(&kernels, (&k, &v), WIDTH, sizes);
        for rows in [positions, 1] {
            group.bench_function(BenchmarkId::new("fused", format!("{rows}x{positions}")), |bench| {
                bench.iter(|| black_box(packed.attend(&kernels, &q, WIDTH, rows)));
            });
        }
        let tensor = |values: &[f32]| {
            let tensor = Tensor::from_slice(values, (positions, HEADS, WIDTH / HEADS), &Device::Cpu).unwrap();
            tensor.transpose(0, 1).unwrap().contiguous().unwrap()
        };
        let (q, k, v) = (tensor(&q), tensor(&k), tensor(&v));
        group.bench_function(BenchmarkId::new("candle", format!("{positions}x{positions}")), |bench| {
            bench.iter(|| {
                let scores = q.matmul(&k.transpose(1, 2).unwrap()).unwrap();
                black_box(candle_nn::ops::softmax_last_dim(&scores).unwrap().matmul(&v).unwrap())
            });
        });
    }
    group.finish();
}

fn small(criterion: &mut Criterion) {
    let kernels = kernels();
    let mut group = criterion.benchmark_group("small");
    let (x, scale, shift) = (noise(1500 * WIDTH), noise(WIDTH), noise(WIDTH));
    group.bench_function("layer norm 1500", |bench| bench.iter(|| black_box(layer_norm(&kernels, &x, &scale, &shift, 1e-5))));
    let tensor = Tensor::from_slice(&x, (1500, WIDTH), &Device::Cpu).unwrap();
    let (weight, bias) = (Tensor::new(scale, &Device::Cpu).unwrap(), Tensor::new(shift, &Device::Cpu).unwrap());
    group.bench_function("layer norm 1500, candle", |bench| {
        bench.iter(|| black_box(candle_nn::ops::layer_norm(&tensor, &weight, &bias, 1e-5).unwrap()));
    });
    // A memory of SenseVoice over five seconds: eleven moments.
    let (taps, rows) = (11, 88);
    let weights = noise(taps * WIDTH);
    let depthwise = Depthwise::new(weights.clone(), WIDTH, taps / 2);
    group.bench_function("memory 88", |bench| bench.iter(|| black_box(depthwise.convolve(&kernels, (&x, WIDTH), rows, None))));
    let channels = Tensor::from_slice(x.get(..rows * WIDTH).unwrap_or_default(), (1, WIDTH, rows), &Device::Cpu).unwrap();
    let weights = Tensor::from_vec(weights, (WIDTH, 1, taps), &Device::Cpu).unwrap();
    group.bench_function("memory 88, candle", |bench| {
        bench.iter(|| black_box(channels.conv1d(&weights, taps / 2, 1, 1, WIDTH).unwrap()));
    });
    let rows = noise(100 * 3 * WIDTH);
    let queries = |new: usize| Queries {
        rows: rows.get(..new * 3 * WIDTH).unwrap_or_default(),
        heads: HEADS,
        key_heads: HEADS,
        width: WIDTH / HEADS,
        new,
    };
    let mut past = vec![Past::default()];
    drop(look_back(&kernels, queries(100), &mut past));
    group.bench_function("look back over 100 tokens", |bench| {
        bench.iter_batched_ref(
            || past.clone(),
            |past| black_box(look_back(&kernels, queries(1), past)),
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, linear, attention, small);
criterion_main!(benches);
