//! Where nobody speaks nothing is heard: five minutes each of silence, noise, tones and bursts.

use cantoscribe::audio::SampleIndex;
use cantoscribe::speech::endpoint::{EndpointSettings, Endpointer, Utterance};
use libtest_mimic::Trial;

use crate::{Need, guarded, signals, vad};

const FIVE_MINUTES: usize = 5 * 60 * 16_000;

pub fn tests() -> Vec<Trial> {
    let needs = [Need::Model("silero-vad")];
    vec![
        guarded("invention_silence_is_no_utterance", &needs, || nothing("silence", &vec![0.0; FIVE_MINUTES])),
        guarded("invention_white_noise_is_no_utterance", &needs, white_noise),
        guarded("invention_tones_are_no_utterance", &needs, tones),
        guarded("invention_bursts_are_no_utterance", &needs, || nothing("bursts", &signals::bursts(FIVE_MINUTES, 4))),
    ]
}

/// The utterances that the session would give to the recogniser.
pub fn utterances(samples: &[f32]) -> Vec<Utterance> {
    let mut endpointer = Endpointer::new(EndpointSettings::default()).unwrap();
    let frames = vad::frames(&mut vad::detector(), samples, 16_000);
    let mut found: Vec<Utterance> = frames.into_iter().flat_map(|frame| endpointer.push(frame)).collect();
    found.extend(endpointer.flush(SampleIndex(samples.len() as u64)));
    found
}

fn nothing(name: &str, samples: &[f32]) {
    let loudest = vad::frames(&mut vad::detector(), samples, 16_000).iter().map(|frame| frame.probability).fold(0.0, f32::max);
    let found = utterances(samples);
    println!("{name}: {} utterances in 5 minutes, highest probability {loudest:.3}", found.len());
    assert_eq!(found, [], "{name}");
}

fn white_noise() {
    for (name, deviation) in [("white noise at -60 dB", 0.001), ("white noise at -34 dB", 0.02), ("white noise at -14 dB", 0.2)] {
        nothing(name, &signals::white(FIVE_MINUTES, deviation, 1));
    }
    nothing("room noise", &signals::room(FIVE_MINUTES, 2));
}

fn tones() {
    nothing("tones", &signals::tones(FIVE_MINUTES, 0.5, 3));
    nothing("quiet tones", &signals::tones(FIVE_MINUTES, 0.03, 5));
}
