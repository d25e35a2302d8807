use super::*;

const QUIET: f32 = 0.01;

fn frame(index: usize, probability: f32, energy: f32) -> Frame {
    Frame { start: SampleIndex((index * FRAME) as u64), probability, energies: [energy; 4] }
}

/// Runs of frames, (how many, probability), all equally loud.
fn run(settings: EndpointSettings, runs: &[(usize, f32)]) -> Vec<Utterance> {
    let probabilities: Vec<f32> = runs.iter().flat_map(|(count, probability)| vec![*probability; *count]).collect();
    let mut endpointer = Endpointer::new(settings).unwrap();
    let mut found = Vec::new();
    for (index, probability) in probabilities.iter().enumerate() {
        found.extend(endpointer.push(frame(index, *probability, 1.0)));
    }
    found.extend(endpointer.flush(SampleIndex((probabilities.len() * FRAME) as u64)));
    found
}

fn frames(found: &[Utterance]) -> Vec<(u64, u64)> {
    found.iter().map(|utterance| (utterance.start.0 / FRAME as u64, utterance.end.0 / FRAME as u64)).collect()
}

#[test]
fn speech_is_one_utterance_with_its_padding() {
    let found = run(EndpointSettings::default(), &[(50, QUIET), (30, 0.9), (50, QUIET)]);
    assert_eq!(frames(&found), [(40, 90)]);
    assert!(!found[0].cut);
}

#[test]
fn a_short_gap_joins_and_a_pause_parts() {
    let joined = run(EndpointSettings::default(), &[(20, QUIET), (20, 0.9), (39, QUIET), (20, 0.9), (40, QUIET)]);
    assert_eq!(frames(&joined), [(10, 109)]);
    let parted = run(EndpointSettings::default(), &[(20, QUIET), (20, 0.9), (40, QUIET), (20, 0.9), (40, QUIET)]);
    assert_eq!(frames(&parted), [(10, 50), (70, 110)]);
}

#[test]
fn utterances_never_overlap_even_with_long_padding() {
    let settings = EndpointSettings { padding_before_ms: 2000, ..EndpointSettings::default() };
    let found = run(settings, &[(70, QUIET), (20, 0.9), (45, QUIET), (20, 0.9), (40, QUIET)]);
    assert_eq!(frames(&found), [(7, 100), (100, 165)]);
}

#[test]
fn hysteresis_keeps_a_word_that_fades() {
    let found = run(EndpointSettings::default(), &[(20, QUIET), (10, 0.9), (30, 0.2), (40, QUIET)]);
    assert_eq!(frames(&found), [(10, 70)]);
}

#[test]
fn a_click_is_nothing_alone_or_beside_speech() {
    assert!(run(EndpointSettings::default(), &[(40, QUIET), (3, 0.9), (40, QUIET)]).is_empty());
    let beside =
        run(EndpointSettings::default(), &[(30, QUIET), (3, 0.9), (12, QUIET), (20, 0.9), (15, QUIET), (3, 0.9), (40, QUIET)]);
    assert_eq!(frames(&beside), [(35, 75)]);
}

#[test]
fn the_shortest_speech_that_counts_counts() {
    assert_eq!(frames(&run(EndpointSettings::default(), &[(40, QUIET), (4, 0.4), (40, QUIET)])), [(30, 54)]);
}

#[test]
fn speech_at_both_ends_of_the_recording_is_kept() {
    assert_eq!(frames(&run(EndpointSettings::default(), &[(30, 0.9)])), [(0, 30)]);
}

#[test]
fn humming_at_the_threshold_does_not_hold_up_an_utterance() {
    let settings = EndpointSettings::default();
    let mut endpointer = Endpointer::new(settings).unwrap();
    let mut probabilities = vec![0.9; 20];
    probabilities.extend(vec![QUIET; 15]);
    probabilities.push(0.5);
    probabilities.extend(vec![0.3; 500]);
    let ended = probabilities.iter().enumerate().find_map(|(index, probability)| {
        endpointer.push(frame(index, *probability, 1.0)).first().map(|utterance| (index, *utterance))
    });
    let (index, utterance) = ended.expect("the utterance ends while the humming goes on");
    assert!(index <= 35 + 40, "it ended only at frame {index}");
    assert_eq!(utterance.end.0, 30 * FRAME as u64);
}

#[test]
fn the_last_frame_ends_with_the_recording_not_with_its_filling() {
    let mut endpointer = Endpointer::new(EndpointSettings::default()).unwrap();
    for index in 0..10 {
        assert!(endpointer.push(frame(index, 0.9, 1.0)).is_empty());
    }
    assert_eq!(endpointer.flush(SampleIndex(5000)).unwrap().end, SampleIndex(5000));
    // And it has started anew.
    assert_eq!(endpointer.needed_from(), SampleIndex(0));
    assert!(endpointer.push(frame(0, QUIET, 1.0)).is_empty());
    assert_eq!(endpointer.flush(SampleIndex(512)), None);
}

fn assert_tiles(found: &[Utterance], start: u64, end: u64, longest: u64) {
    assert_eq!(found.first().unwrap().start.0, start);
    assert_eq!(found.last().unwrap().end.0, end);
    for pair in found.windows(2) {
        assert_eq!(pair[0].end, pair[1].start);
        assert!(pair[0].cut);
    }
    assert!(!found.last().unwrap().cut);
    assert!(found.iter().all(|utterance| utterance.end.0 - utterance.start.0 <= longest), "{found:?}");
}

#[test]
fn long_speech_is_cut_into_pieces_that_tile() {
    let found = run(EndpointSettings::default(), &[(20, QUIET), (4000, 0.95), (40, QUIET)]);
    assert!(found.len() >= 5);
    assert_tiles(&found, 10 * 512, 4030 * 512, 28 * 16_000);
}

#[test]
fn a_long_utterance_is_cut_at_its_least_probable_frame() {
    // Frame 800 of speech that starts at 20 lies 25.6 s after the utterance's start: inside the last 8 of 28 s.
    let found = run(EndpointSettings::default(), &[(20, QUIET), (780, 0.95), (1, 0.2), (600, 0.95), (40, QUIET)]);
    assert_eq!(found[0].end.0 / 512, 800);
    assert_tiles(&found, 10 * 512, 1411 * 512, 28 * 16_000);
}

#[test]
fn where_all_is_speech_the_quietest_block_is_cut() {
    let mut endpointer = Endpointer::new(EndpointSettings::default()).unwrap();
    let mut found = Vec::new();
    for index in 0..1200 {
        let mut next = frame(index, 0.95, 1.0);
        if index == 700 {
            next.energies = [0.5, 0.1, 0.1, 0.1];
        }
        if index == 701 {
            next.energies = [0.1, 0.1, 0.5, 0.5];
        }
        found.extend(endpointer.push(next));
    }
    assert_eq!(found[0].end.0, 700 * 512 + 3 * 128 + 64);
}

#[test]
fn pieces_tile_whatever_the_probabilities() {
    // A linear congruential generator: the same on every machine.
    let mut state: u32 = 7;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX)
    };
    let settings = EndpointSettings { longest_utterance_ms: 6000, cut_window_ms: 2000, ..EndpointSettings::default() };
    let mut endpointer = Endpointer::new(settings).unwrap();
    let (mut found, mut longest_history) = (Vec::new(), 0);
    for index in 0..40_000 {
        // Stretches of speech, of doubt and of silence.
        let level = [0.02, 0.3, 0.5, 0.95][(next() * 4.0) as usize];
        let probability = if index % 7 == 0 { next() as f32 } else { level };
        found.extend(endpointer.push(frame(index, probability, next() as f32)));
        longest_history = longest_history.max(endpointer.history.len());
    }
    found.extend(endpointer.flush(SampleIndex(40_000 * 512)));
    assert!(found.len() > 100);
    for pair in found.windows(2) {
        assert!(pair[0].end <= pair[1].start);
        assert!(!pair[0].cut || pair[0].end == pair[1].start);
    }
    assert!(found.iter().all(|utterance| utterance.start < utterance.end));
    assert!(found.iter().all(|utterance| utterance.end.0 - utterance.start.0 <= 6 * 16_000));
    assert!(longest_history < 240, "{longest_history} frames kept");
}

#[test]
fn settings_that_contradict_themselves_are_named() {
    let good = EndpointSettings::default();
    for (option, settings) in [
        ("speech_probability", EndpointSettings { speech_probability: f32::NAN, ..good.clone() }),
        ("silence_probability", EndpointSettings { silence_probability: 0.6, ..good.clone() }),
        ("pause_ms", EndpointSettings { pause_ms: 100, ..good.clone() }),
        ("cut_window_ms", EndpointSettings { cut_window_ms: 0, ..good.clone() }),
        ("longest_utterance_ms", EndpointSettings { longest_utterance_ms: 1500, cut_window_ms: 700, ..good.clone() }),
    ] {
        let error = Endpointer::new(settings).err().expect(option).to_string();
        assert!(error.contains(&format!("`{option}`")), "{error}");
    }
}
