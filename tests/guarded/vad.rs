//! Silero VAD against the wheel's own ONNX model, and the endpointer's decisions on quiet, noisy and clean speech.

use std::collections::BTreeMap;
use std::sync::Arc;

use cantoscribe::audio::SampleIndex;
use cantoscribe::speech::endpoint::{EndpointSettings, Endpointer, Utterance};
use cantoscribe::speech::model::silero_vad::SileroVad;
use cantoscribe::speech::vad::{Frame, VoiceActivity, VoiceDetector};
use libtest_mimic::Trial;

use crate::{Need, guarded, model_dir, signals};

const FIXTURE: &str = include_str!("../fixtures/silero_vad.json");

pub fn tests() -> Vec<Trial> {
    let model = Need::Model("silero-vad");
    let shared = Need::Shared("audio");
    vec![
        guarded("parity_silero_vad_probabilities_of_signals", &[model], parity_of_signals),
        guarded("parity_silero_vad_probabilities", &[model, shared], parity_of_clips),
        guarded("vad_frames_do_not_depend_on_the_chunks", &[model], any_chunks),
        guarded("vad_quiet_speech_is_speech", &[model, shared], || {
            keeps("at -20 dB", |samples, _| samples.iter().map(|sample| 0.1 * sample).collect())
        }),
        guarded("vad_speech_in_room_noise_is_speech", &[model, shared], || {
            keeps("in room noise at 10 dB", |samples, seed| signals::mixed(samples, &signals::room(samples.len(), seed), 10.0))
        }),
        guarded("vad_speech_in_white_noise_is_speech", &[model, shared], || {
            keeps("in white noise at 10 dB", |samples, seed| signals::mixed(samples, &signals::white(samples.len(), seed), 10.0))
        }),
    ]
}

pub fn detector() -> VoiceActivity {
    VoiceActivity::new(Arc::new(SileroVad::load(&model_dir("silero-vad")).unwrap()))
}

pub fn frames(detector: &mut VoiceActivity, samples: &[f32], chunk: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    for chunk in samples.chunks(chunk) {
        frames.extend(detector.push(chunk).unwrap());
    }
    frames.extend(detector.flush().unwrap());
    frames
}

fn expected(group: &str) -> BTreeMap<String, Vec<f32>> {
    let fixture: serde_json::Value = serde_json::from_str(FIXTURE).unwrap();
    serde_json::from_value(fixture[group].clone()).unwrap()
}

fn assert_parity(name: &str, samples: &[f32], expected: &[f32]) {
    let frames = frames(&mut detector(), samples, 1000);
    assert_eq!(frames.len(), expected.len(), "frames of {name}");
    let worst = frames.iter().zip(expected).map(|(frame, expected)| (frame.probability - expected).abs()).fold(0.0, f32::max);
    println!("{name}: {} frames, largest difference {worst:.1e}", frames.len());
    assert!(worst < 1e-4, "{name}: a probability differs by {worst}");
}

/// The integer signals of `scripts/vad-fixture`.
fn fixture_signal(name: &str) -> Vec<f32> {
    let integers: Vec<i64> = match name {
        "noise" => {
            let mut state: u32 = 1;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                i64::from(state >> 19) - 4096
            };
            (0..30_000).map(|_| next()).collect()
        }
        "steps" => {
            (0..30_100).map(|i: i64| (if i % (40 + 8 * (i / 4000)) < 20 { 1 } else { -1 }) * 500 * (1 + i / 4000)).collect()
        }
        "clicks" => (0..16_000).map(|i: i64| if i % 1000 == 700 { 30_000 } else { 0 }).collect(),
        other => panic!("no signal `{other}`"),
    };
    integers.into_iter().map(|sample| sample as f32 / 32_768.0).collect()
}

fn parity_of_signals() {
    let expected = expected("signals");
    assert_eq!(expected.len(), 3);
    for (name, probabilities) in expected {
        assert_parity(&name, &fixture_signal(&name), &probabilities);
    }
}

fn parity_of_clips() {
    let expected = expected("clips");
    assert_eq!(expected.len(), 4);
    for (name, probabilities) in expected {
        assert_parity(&name, &signals::clip(&name), &probabilities);
    }
}

fn any_chunks() {
    let samples = fixture_signal("steps");
    let mut detector = detector();
    let whole = frames(&mut detector, &samples, samples.len());
    // The same detector again: a flush has started it anew.
    for chunk in [1, 63, 512, 513, 4000] {
        assert_eq!(frames(&mut detector, &samples, chunk), whole, "chunks of {chunk}");
    }
    detector.push(&samples[..5000]).unwrap();
    detector.reset().unwrap();
    assert_eq!(frames(&mut detector, &samples, 777), whole, "after a reset");
}

/// The utterances that a session would give to the recogniser.
fn utterances(samples: &[f32]) -> Vec<Utterance> {
    let mut endpointer = Endpointer::new(EndpointSettings::default()).unwrap();
    let mut found: Vec<Utterance> = Vec::new();
    for frame in frames(&mut detector(), samples, 16_000) {
        found.extend(endpointer.push(frame));
    }
    found.extend(endpointer.flush(SampleIndex(samples.len() as u64)));
    found
}

/// Which frames lie in an utterance.
fn speech_frames(samples: &[f32]) -> Vec<bool> {
    let mut speech = vec![false; samples.len().div_ceil(512)];
    for utterance in utterances(samples) {
        speech[utterance.start.0 as usize / 512..(utterance.end.0 as usize).div_ceil(512)].fill(true);
    }
    speech
}

/// The Cantonese clips, made worse by `change`, keep 98% of the frames that are in utterances when they are clean.
fn keeps(name: &str, change: impl Fn(&[f32], u64) -> Vec<f32>) {
    let (mut clean_frames, mut kept) = (0, 0);
    for (seed, clip) in (1..).zip(signals::clips("yue")) {
        let samples = signals::clip(&clip);
        let clean = speech_frames(&samples);
        assert!(clean.contains(&true), "{clip} has no utterance at all");
        let changed = speech_frames(&change(&samples, seed));
        clean_frames += clean.iter().filter(|speech| **speech).count();
        kept += clean.iter().zip(changed).filter(|(clean, changed)| **clean && *changed).count();
    }
    println!("{name}: {kept} of {clean_frames} frames of speech kept, {:.2}%", 100.0 * kept as f64 / clean_frames as f64);
    assert!(kept * 100 >= clean_frames * 98, "{name}: {kept} of {clean_frames} frames kept");
}
