//! The front end against the reference implementation, and real clips through the decoder.

use cantoscribe::audio::{AudioFile, LogMel};
use libtest_mimic::Trial;
use safetensors::SafeTensors;

use crate::{Need, guarded, shared};

/// The clips of the fixture: Cantonese, Mandarin, English.
const CLIPS: [&str; 3] = ["cv_zh-HK_20751216", "cv_zh-CN_22108263", "cv_en_178693"];
/// Every so manieth frame is in the fixture.
const STEP: usize = 16;

pub fn tests() -> Vec<Trial> {
    let clips = [
        Need::Shared("audio/cv_zh-HK_20751216.wav"),
        Need::Shared("audio/cv_zh-CN_22108263.wav"),
        Need::Shared("audio/cv_en_178693.wav"),
    ];
    vec![
        guarded("parity_whisper_front_end", &clips, parity_whisper_front_end),
        guarded("all_clips_are_heard_whole", &[Need::Shared("audio/manifest.tsv")], all_clips_are_heard_whole),
    ]
}

fn heard(path: &str) -> Vec<f32> {
    let mut file = AudioFile::open(&shared(path)).unwrap();
    let mut samples = Vec::new();
    while file.read(&mut samples).unwrap() {}
    assert_eq!(file.identity().unwrap().length.0, samples.len() as u64);
    samples
}

/// `scripts/mel-fixture` makes the fixture.
fn parity_whisper_front_end() {
    let bytes = include_bytes!("../fixtures/whisper-mel.safetensors");
    let reference = SafeTensors::deserialize(bytes).unwrap();
    assert_eq!(reference.len(), 2 * CLIPS.len());
    for clip in CLIPS {
        let samples = heard(&format!("audio/{clip}.wav"));
        for bins in [80, 128] {
            let tensor = reference.tensor(&format!("{clip}.{bins}")).unwrap();
            let kept = tensor.shape()[1];
            assert_eq!((tensor.shape()[0], kept), (bins, (samples.len() / 160 + 50).div_ceil(STEP)));
            let mel = LogMel::new(bins).compute(&samples, Some(480_000));
            assert_eq!((mel.bins, mel.frames), (bins, 3000));
            let expected = tensor.data().chunks_exact(4).map(|value| f32::from_le_bytes(value.try_into().unwrap()));
            let worst = expected
                .enumerate()
                .map(|(index, value)| (mel.data[index / kept * mel.frames + index % kept * STEP] - value).abs())
                .fold(0.0, f32::max);
            println!("{clip}, {bins} bins: largest difference {worst:e}");
            assert!(worst <= 1e-4, "{clip}, {bins} bins: {worst}");
        }
    }
}

/// The manifest states each clip's seconds.
fn all_clips_are_heard_whole() {
    let manifest = std::fs::read_to_string(shared("audio/manifest.tsv")).unwrap();
    let clips: Vec<Vec<&str>> =
        manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>()).filter(|fields| fields[0].ends_with(".wav")).collect();
    assert!(clips.len() >= 80, "{} clips", clips.len());
    for clip in clips {
        let seconds: f64 = clip[1].parse().unwrap();
        let samples = heard(&format!("audio/{}", clip[0]));
        assert!((samples.len() as f64 / 16_000.0 - seconds).abs() < 0.01, "{}: {} samples", clip[0], samples.len());
        assert!(samples.iter().any(|sample| sample.abs() > 0.01), "{} is silent", clip[0]);
    }
}
