//! Real clips, and signals made with a fixed seed.

use crate::shared;

/// Samples of a clip of `../shared/audio`: 16 kHz mono 16-bit WAV with the plain 44-byte header or further chunks.
pub fn clip(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(shared("audio").join(name)).unwrap();
    let mut rest = &bytes[12..];
    loop {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        if &rest[..4] == b"data" {
            let data = &rest[8..8 + length];
            return data.chunks_exact(2).map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).collect();
        }
        rest = &rest[8 + length + length % 2..];
    }
}

/// File names of the clips in a language of the manifest (`yue`, `zh`, `en`).
pub fn clips(language: &str) -> Vec<String> {
    let manifest = std::fs::read_to_string(shared("audio/manifest.tsv")).unwrap();
    let names: Vec<String> = manifest
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|fields| fields[2] == language)
        .map(|fields| fields[0].to_owned())
        .collect();
    assert!(!names.is_empty(), "no clip in `{language}`");
    names
}

/// Uniform noise from -1 to 1, the same for the same seed (SplitMix64).
pub struct Noise(u64);

impl Noise {
    /// Noise of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next sample.
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }
}

/// Noise of a room: white noise through a one-pole low-pass at 500 Hz, and a little of it as it is.
pub fn room(samples: usize, seed: u64) -> Vec<f32> {
    let pole = (-std::f32::consts::TAU * 500.0 / 16_000.0).exp();
    let (mut noise, mut low) = (Noise::new(seed), 0.0);
    (0..samples)
        .map(|_| {
            let sample = noise.next();
            low = pole * low + (1.0 - pole) * sample;
            low + 0.02 * sample
        })
        .collect()
}

/// White noise at full scale.
pub fn white(samples: usize, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    (0..samples).map(|_| noise.next()).collect()
}

/// `speech` with noise of its own length at this ratio, both measured as mean square over the whole.
pub fn mixed(speech: &[f32], noise: &[f32], decibels: f32) -> Vec<f32> {
    let power = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32;
    let gain = (power(speech) / power(noise) / 10f32.powf(decibels / 10.0)).sqrt();
    speech.iter().zip(noise).map(|(speech, noise)| speech + gain * noise).collect()
}
