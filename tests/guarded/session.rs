//! Recordings of many utterances through the real detector and recogniser.

use std::sync::Arc;

use cantoscribe::speech::endpoint::EndpointSettings;
use cantoscribe::speech::guard::{Guard, recognise};
use cantoscribe::speech::model::{self, DecodeOptions, Language, LoadOptions};
use cantoscribe::speech::script::HongKongScript;
use cantoscribe::speech::{Numbers, Session, Writing};
use libtest_mimic::Trial;

use crate::signals::{clip, clips};
use crate::{Need, guarded, model_dir, vad};

/// Clips joined: enough for several utterances, few enough for CI.
const CLIPS: usize = 8;

pub fn tests() -> Vec<Trial> {
    let needs = [Need::Model("silero-vad"), Need::Model("whisper-base"), Need::Shared("audio/manifest.tsv")];
    vec![
        guarded("clips_joined_with_pauses_read_as_alone", &needs, joined_with_pauses),
        guarded("speech_cut_by_length_loses_and_doubles_nothing", &needs, cut_by_length),
        guarded("segments_do_not_depend_on_the_chunks", &needs, any_chunks),
    ]
}

/// A session as `transcribe` has it, told this language.
pub fn session(language: Language) -> Session {
    session_with(EndpointSettings::default(), DecodeOptions { language: Some(language), ..DecodeOptions::default() })
}

fn session_with(settings: EndpointSettings, options: DecodeOptions) -> Session {
    let recognizer = model::load(&model_dir("whisper-base"), &LoadOptions::default()).unwrap();
    Session::new(
        Box::new(vad::detector()),
        Box::new(move |samples| recognise(recognizer.as_ref(), samples, &options, &Guard::default())),
        Arc::new(Writing::new(HongKongScript::load().unwrap(), Numbers::Said)),
        settings,
    )
    .unwrap()
}

/// The texts of the segments, and where each begins and ends in milliseconds.
fn heard(samples: &[f32], chunk: usize) -> Vec<(String, u64, u64)> {
    heard_with(session(Language::English), samples, chunk)
}

fn heard_with(mut session: Session, samples: &[f32], chunk: usize) -> Vec<(String, u64, u64)> {
    let mut segments = Vec::new();
    for chunk in samples.chunks(chunk) {
        segments.extend(session.push(chunk).unwrap());
    }
    segments.extend(session.finish().unwrap());
    segments
        .into_iter()
        .map(|heard| heard.segment)
        .map(|segment| (segment.text.reveal().to_owned(), segment.start_ms.unwrap(), segment.end_ms.unwrap()))
        .collect()
}

/// The clips one after another, a pause of silence after each.
fn joined(pause: usize) -> Vec<f32> {
    let mut samples = Vec::new();
    for name in clips("en").iter().take(CLIPS) {
        samples.extend(clip(name));
        samples.resize(samples.len() + pause, 0.0);
    }
    samples
}

fn words(texts: &[(String, u64, u64)]) -> Vec<String> {
    texts
        .iter()
        .flat_map(|(text, _, _)| text.split_whitespace())
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Edits between two sequences of words.
fn distance(a: &[String], b: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut previous = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (above + 1).min(row[j] + 1).min(previous + usize::from(x != y));
            previous = above;
        }
    }
    row[b.len()]
}

/// Nothing is lost or doubled where a recording is cut at its pauses: the words are those of the clips heard one by one, but for the
/// few that the network hears otherwise when its state and the utterance's edges differ.
fn joined_with_pauses() {
    let alone: Vec<String> = clips("en").iter().take(CLIPS).flat_map(|name| words(&heard(&clip(name), 16_000))).collect();
    for pause in [24_000, 0] {
        let together = words(&heard(&joined(pause), 16_000));
        let edits = distance(&alone, &together);
        println!("pause of {pause} samples: {edits} edits of {} words", alone.len());
        assert!(alone.len() > 40);
        assert!(edits * 100 <= alone.len() * if pause > 0 { 10 } else { 30 }, "{edits} of {} words differ", alone.len());
    }
}

/// Speech without a pause long enough to end an utterance is cut by its length: the pieces hold every sample once, and read as the
/// clips do, but for what the model itself skips when it hears several voices in one piece.
fn cut_by_length() {
    // Told the language, for English heard as Cantonese is translated or refused.
    let options = DecodeOptions { language: Some(Language::English), ..DecodeOptions::default() };
    let each =
        |name: &String| words(&heard_with(session_with(EndpointSettings::default(), options.clone()), &clip(name), 16_000));
    let alone: Vec<String> = clips("en").iter().take(CLIPS).flat_map(each).collect();
    let settings =
        EndpointSettings { pause_ms: 3000, longest_utterance_ms: 12_000, cut_window_ms: 4000, ..EndpointSettings::default() };
    let samples = joined(0);
    let together = heard_with(session_with(settings, options.clone()), &samples, 16_000);
    let edits = distance(&alone, &words(&together));
    println!("cut by length: {} pieces, {edits} edits of {} words", together.len(), alone.len());
    assert!(together.len() >= 3);
    assert!(together.windows(2).all(|pair| pair[0].2 == pair[1].1), "the pieces do not tile");
    assert!(together.iter().all(|(_, start, end)| end - start <= 12_000));
    let (first, last) = (together[0].1, together[together.len() - 1].2);
    assert!(first < 1000 && last + 1500 > samples.len() as u64 / 16, "speech from {first} to {last} ms");
    assert!(edits * 100 <= alone.len() * 25, "{edits} of {} words differ", alone.len());
}

fn any_chunks() {
    let samples = joined(16_000);
    let whole = heard(&samples, samples.len());
    assert!(whole.len() >= CLIPS / 2);
    assert!(whole.windows(2).all(|pair| pair[0].2 <= pair[1].1), "utterances overlap");
    assert_eq!(heard(&samples, 333), whole);
}
