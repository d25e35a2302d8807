//! Nothing is invented: five minutes each of sounds that are no speech give no text and an empty note.

use std::f32::consts::TAU;

use cantoscribe::note::extract::extract;
use cantoscribe::speech::model::Language;
use cantoscribe::speech::{TRANSCRIPT_SCHEMA, Transcript};
use cantoscribe::terminology::Lexicon;
use libtest_mimic::Trial;

use crate::signals::Noise;
use crate::{Need, guarded, session};

/// Five minutes of 16 kHz.
const SAMPLES: usize = 5 * 60 * 16_000;

pub fn tests() -> Vec<Trial> {
    let needs = [Need::Model("silero-vad"), Need::Model("whisper-base")];
    vec![
        guarded("silence_gives_nothing", &needs, || gives_nothing(vec![0.0; SAMPLES])),
        guarded("white_noise_gives_nothing", &needs, || gives_nothing(white_noise())),
        guarded("music_like_tones_give_nothing", &needs, || gives_nothing(tones())),
        guarded("bursts_give_nothing", &needs, || gives_nothing(bursts())),
    ]
}

fn gives_nothing(samples: Vec<f32>) {
    let mut session = session::session(Language::Cantonese);
    let mut segments = Vec::new();
    for chunk in samples.chunks(16_000) {
        segments.extend(session.push(chunk).unwrap());
    }
    segments.extend(session.finish().unwrap());
    let segments: Vec<_> = segments.into_iter().map(|heard| heard.segment).collect();
    assert!(segments.is_empty(), "{} segments of what is no speech", segments.len());
    let transcript = Transcript { schema: TRANSCRIPT_SCHEMA.into(), language: "yue".into(), model: None, audio: None, segments };
    let note = extract(&transcript, &Lexicon::builtin().unwrap());
    let findings = note.conditions.len()
        + note.medications.len()
        + note.allergies.len()
        + note.observations.len()
        + note.plan.len()
        + note.social.len()
        + note.uncovered.len();
    assert_eq!(findings, 0);
}

/// At -20 dB of full scale.
fn white_noise() -> Vec<f32> {
    let mut noise = Noise::new(1);
    (0..SAMPLES).map(|_| 0.1 * noise.next()).collect()
}

/// A melody over chords: notes of half a second with harmonics, vibrato and decay.
fn tones() -> Vec<f32> {
    let mut noise = Noise::new(2);
    let mut samples = Vec::with_capacity(SAMPLES);
    while samples.len() < SAMPLES {
        let root = 110.0 * 2f32.powf((noise.next() * 12.0).round() / 12.0);
        let melody = root * 2f32.powf(1.0 + (noise.next() * 6.0).round() / 12.0);
        samples.extend((0..8_000).map(|index| {
            let time = index as f32 / 16_000.0;
            let vibrato = 0.02 * (TAU * 5.5 * time).sin();
            let chord: f32 = [1.0, 1.26, 1.498].iter().map(|ratio| (TAU * root * ratio * time).sin()).sum();
            let voice: f32 = (1..6u8)
                .map(|harmonic| {
                    let harmonic = f32::from(harmonic);
                    (TAU * harmonic * (melody * time + vibrato)).sin() / harmonic
                })
                .sum();
            (-2.0 * time).exp() * (0.05 * chord + 0.1 * voice)
        }));
    }
    samples.truncate(SAMPLES);
    samples
}

/// Claps, clicks, beeps and thuds of 5 to 200 ms, one or two a second.
fn bursts() -> Vec<f32> {
    let mut noise = Noise::new(3);
    let mut samples: Vec<f32> = (0..SAMPLES).map(|_| 0.001 * noise.next()).collect();
    let mut at = 0;
    while at + 16_000 < SAMPLES {
        let length = 80 + ((noise.next() + 1.0) * 1560.0) as usize;
        let kind = ((noise.next() + 1.0) * 2.0) as usize;
        let mut low = 0.0;
        for (index, sample) in samples[at..at + length].iter_mut().enumerate() {
            let time = index as f32 / 16_000.0;
            low += 0.05 * (noise.next() - low);
            *sample += match kind {
                0 => 0.5 * noise.next() * (-40.0 * time).exp(),
                1 => {
                    if index < 20 {
                        0.9
                    } else {
                        0.0
                    }
                }
                2 => 0.3 * (TAU * 1000.0 * time).sin(),
                _ => 2.0 * low * (-20.0 * time).exp(),
            };
        }
        at += length + 4_000 + ((noise.next() + 1.0) * 4_000.0) as usize;
    }
    samples
}
