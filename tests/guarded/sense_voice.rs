//! SenseVoice's front end against FunASR's, on real speech.

use std::path::Path;

use cantoscribe::audio::{Features, FilterBank};
use libtest_mimic::Trial;
use safetensors::SafeTensors;

use super::whisper::clip;
use super::{Need, guarded};

pub fn tests() -> Vec<Trial> {
    vec![guarded("parity_sense_voice_front_end_on_speech", &[Need::Shared("audio")], front_end_equals_the_reference)]
}

/// Rows that the fixture keeps of a clip's (`scripts/sense-voice-reference`).
const BINS_STEP: usize = 32;
const STACKED_STEP: usize = 16;

fn front_end_equals_the_reference() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sense-voice/front-end.safetensors");
    let bytes = std::fs::read(fixture).unwrap();
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    let mut compared = 0;
    for name in reference.names() {
        let (name, stage) = name.rsplit_once('.').unwrap();
        let bins = FilterBank::new(80, 400, 160).compute(&clip(&format!("{name}.wav")));
        let (features, step) = if stage == "bins" { (bins, BINS_STEP) } else { (bins.stacked(7, 6), STACKED_STEP) };
        let tensor = reference.tensor(&format!("{name}.{stage}")).unwrap();
        let expected: Vec<f32> = tensor.data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        let ours = every(&features, step);
        assert_eq!((ours.len(), tensor.shape()[1]), (expected.len(), features.width), "{name}.{stage}");
        let error = ours.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{name}.{stage}: {} values, largest difference {error:.1e}", ours.len());
        // Logarithms of powers of 16-bit samples, up to about 25: f32 has six of their digits.
        assert!(error < 1e-3, "{name}.{stage}: {error}");
        compared += 1;
    }
    assert_eq!(compared, 4);
}

fn every(features: &Features, step: usize) -> Vec<f32> {
    features.data.chunks(features.width).step_by(step).flatten().copied().collect()
}
