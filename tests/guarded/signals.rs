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

const RATE: f32 = 16_000.0;

/// A linear congruential generator (Knuth's MMIX constants): the same numbers on every machine.
pub struct Random(pub u64);

impl Random {
    /// Uniform in 0..1.
    pub fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// Mean 0, deviation 1, near enough to normal: the sum of 12 uniform numbers, less 6.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}

/// White noise of this deviation.
pub fn white(samples: usize, deviation: f32, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    (0..samples).map(|_| (deviation * random.normal()).clamp(-1.0, 1.0)).collect()
}

/// Noise of a room: white noise through a one-pole low-pass at 500 Hz, and a little of it as it is.
pub fn room(samples: usize, seed: u64) -> Vec<f32> {
    let pole = (-std::f32::consts::TAU * 500.0 / RATE).exp();
    let mut low = 0.0;
    white(samples, 0.1, seed)
        .into_iter()
        .map(|sample| {
            low = pole * low + (1.0 - pole) * sample;
            low + 0.02 * sample
        })
        .collect()
}

/// `speech` with noise of its own length at this ratio, both measured as mean square over the whole.
pub fn mixed(speech: &[f32], noise: &[f32], decibels: f32) -> Vec<f32> {
    let power = |samples: &[f32]| samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32;
    let gain = (power(speech) / power(noise) / 10f32.powf(decibels / 10.0)).sqrt();
    speech.iter().zip(noise).map(|(speech, noise)| speech + gain * noise).collect()
}

/// Something like music: chords of five harmonics, and above them a melody of eight harmonics with vibrato.
pub fn tones(samples: usize, loudness: f32, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    let mut out = Vec::with_capacity(samples);
    while out.len() < samples {
        let length = RATE * [0.25, 0.5, 1.0, 2.0][(random.uniform() * 4.0) as usize];
        let root = [110.0, 130.8, 146.8, 164.8][(random.uniform() * 4.0) as usize];
        let note = 440.0 * 2f32.powf([0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0, 12.0][(random.uniform() * 8.0) as usize] / 12.0);
        let decay = random.between(0.3, 3.0);
        let mut phase = 0.0;
        for index in 0..length as usize {
            let time = index as f32 / RATE;
            phase += std::f32::consts::TAU * note / RATE * (1.0 + 0.006 * (std::f32::consts::TAU * 5.5 * time).sin());
            let mut sample = (1..=8).map(|harmonic| (harmonic as f32 * phase).sin() / harmonic as f32 / 2.0).sum::<f32>();
            for interval in [0.0, 4.0, 7.0] {
                let tone = std::f32::consts::TAU * root * 2f32.powf(interval / 12.0) * time;
                sample += (1..=5).map(|harmonic| (harmonic as f32 * tone).sin() / harmonic as f32 / 4.0).sum::<f32>();
            }
            out.push(loudness / 3.0 * sample * (time / 0.02).min(1.0) * (-decay * time).exp());
        }
    }
    out.truncate(samples);
    out
}

/// Claps, clicks, beeps and slamming doors, 0.2 to 3 s apart, over a faint hiss.
pub fn bursts(samples: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    let mut out = white(samples, 0.0005, seed + 1);
    let mut start = 8000;
    while start + 16_000 < samples {
        let kind = (random.uniform() * 4.0) as usize;
        let (loudness, pitch, beep) = (random.between(0.1, 0.9), random.between(600.0, 3000.0), random.between(0.05, 0.4));
        let mut low = 0.0;
        for index in 0..8000 {
            let time = index as f32 / RATE;
            let noise = random.normal() / 3.0;
            low += 0.057 * (noise - low);
            out[start + index] += loudness
                * match kind {
                    0 => noise * (-60.0 * time).exp(),
                    1 => {
                        if index < 20 {
                            noise
                        } else {
                            0.0
                        }
                    }
                    2 => {
                        if time < beep {
                            (std::f32::consts::TAU * pitch * time).sin()
                        } else {
                            0.0
                        }
                    }
                    _ => 5.0 * low * (-12.0 * time).exp(),
                };
        }
        start += random.between(3200.0, 48_000.0) as usize;
    }
    out.iter_mut().for_each(|sample| *sample = sample.clamp(-1.0, 1.0));
    out
}
