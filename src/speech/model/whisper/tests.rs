//! Against Hugging Face's own code, on checkpoints of random weights in large-v3's layout that `scripts/whisper-reference` made.

use std::path::{Path, PathBuf};

use candle_core::IndexOp as _;

use super::*;
use crate::audio::{Mel, SAMPLE_RATE};
use crate::speech::model::Precision;
use crate::speech::model::reference::{Reference, TOLERANCE, error, hears_the_same_packed, values};

/// Of the mel spectrogram every so many frames are in the reference.
const MEL_STEP: usize = 10;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/whisper")
}

fn options(precision: Precision) -> LoadOptions {
    LoadOptions { precision, threads: Some(2), ..LoadOptions::default() }
}

fn load(precision: Precision) -> Whisper {
    Whisper::load(&fixture(), &options(precision)).unwrap()
}

fn mel(model: &Whisper, reference: &Reference) -> Mel {
    model.mel.compute(&reference.samples(), Some(model.config.window_samples()))
}

/// The error of what each encoder layer gives, and of the logits, errors before it included. Of a full-size encoder every so many
/// positions are in the reference.
fn stage_errors(model: &Whisper, reference: &Reference, position_step: usize) -> Vec<(String, f32)> {
    let mut layers = Vec::new();
    let states = model.encoder.watched(&mel(model, reference), &mut |states| layers.push(states.clone())).unwrap();
    let names = (0..layers.len()).map(|index| format!("layers.{index}")).chain(["layer_norm".to_owned()]);
    let mut errors: Vec<(String, f32)> = names
        .zip(layers.iter().chain([&states]))
        .map(|(name, states)| {
            let rows: Vec<u32> = (0..u32::try_from(states.dim(0).unwrap()).unwrap()).step_by(position_step).collect();
            let rows = candle_core::Tensor::new(rows, states.device()).unwrap();
            let ours = values(&states.index_select(&rows, 0).unwrap());
            (name.clone(), error(&ours, &reference.floats(&name)))
        })
        .collect();
    let audio = model.decoder.listen(&states).unwrap();
    let (mut fed, _) = model.prefix(Language::Cantonese, None).unwrap();
    let first = fed.len() - 1;
    let rows = reference.tensor("logits").shape()[0];
    fed.extend(reference.ids("ids.yue").iter().take(rows - 1));
    let states = model.decoder.forward(&fed, 1, &audio, &mut model.decoder.cache(), None).unwrap();
    let logits = model.decoder.logits(&states.i(first..first + rows).unwrap()).unwrap();
    errors.push(("logits".to_owned(), error(&values(&logits), &reference.floats("logits"))));
    errors
}

#[test]
fn parity_whisper_front_end() {
    let reference = Reference::read(&fixture());
    let mel = mel(&load(Precision::Exact), &reference);
    assert_eq!(mel.bins, 128);
    let kept: Vec<f32> = mel.data.chunks(mel.frames).flat_map(|bin| bin.iter().step_by(MEL_STEP).copied()).collect();
    let error = error(&kept, &reference.floats("mel"));
    assert!(error < 1e-4, "{error}");
}

#[test]
fn parity_whisper_encoder() {
    let reference = Reference::read(&fixture());
    let exact = stage_errors(&load(Precision::Exact), &reference, 1);
    // Three encoder layers, the norm, and the logits of two decoder layers.
    assert_eq!(exact.len(), 5);
    for (stage, error) in exact {
        println!("{stage}: {error:.1e}");
        assert!(error < TOLERANCE, "{stage}: {error}");
    }
    // What the fused operators round makes more of a network of 16 values than of one of 1280.
    for (precision, most) in [(Precision::Balanced, 0.1), (Precision::Fast, 0.2)] {
        let errors = stage_errors(&load(precision), &reference, 1);
        assert!(errors.iter().all(|(_, error)| *error < most), "{precision:?}: {errors:?}");
    }
}

#[test]
fn parity_whisper_tokens() {
    let reference = Reference::read(&fixture());
    let model = load(Precision::Exact);
    let vocabulary = &model.vocabulary;
    // Large-v3's order: `<|yue|>` is the hundredth and last language, and everything after it moves up by one.
    let yue = vocabulary.language(Language::Cantonese).unwrap();
    assert_eq!((yue - vocabulary.end, vocabulary.transcribe - yue, vocabulary.no_timestamps - yue), (101, 2, 6));
    assert_ne!(Some(yue), vocabulary.language(Language::Mandarin));
    for language in Language::ALL {
        let raw = model.raw(&reference.samples(), Some(language)).unwrap();
        assert_eq!(raw.tokens, reference.ids(&format!("ids.{language}")), "{language}");
        if language == Language::Cantonese {
            assert_eq!(raw.text.reveal(), reference.text("text"));
        }
    }
    assert_ne!(reference.ids("ids.yue"), reference.ids("ids.zh"), "the language token counts");
}

/// Run by hand, after `scripts/whisper-reference --full`.
#[test]
#[ignore = "needs target/whisper-full, about 2 GB, which scripts/whisper-reference --full makes"]
fn parity_whisper_full_size() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/whisper-full");
    let reference = Reference::read(&folder);
    for precision in [Precision::Exact, Precision::Balanced, Precision::Fast] {
        let model = Whisper::load(&folder, &options(precision)).unwrap();
        let errors = stage_errors(&model, &reference, 16);
        let worst = errors.iter().map(|(_, error)| *error).fold(0.0, f32::max);
        let logits = errors.last().unwrap().1;
        let (samples, expected) = (reference.samples(), reference.ids("ids.yue"));
        let begin = std::time::Instant::now();
        let tokens = model.raw(&samples, Some(Language::Cantonese)).unwrap().tokens;
        println!(
            "{}: {} stages, largest error {worst:.1e}, at the logits {logits:.1e}; {} of {} ids equal; heard {} s in {:.2?}",
            precision.name(),
            errors.len() - 1,
            tokens.iter().zip(&expected).filter(|(a, b)| a == b).count(),
            expected.len(),
            samples.len() as f32 / SAMPLE_RATE as f32,
            begin.elapsed(),
        );
        if precision == Precision::Exact {
            assert!(worst < TOLERANCE);
            assert_eq!(tokens, expected);
        }
    }
}

#[test]
fn threads_and_packed_weights_change_nothing() {
    hears_the_same_packed(&fixture());
}

#[test]
fn what_is_heard_holds_no_control_token() {
    let reference = Reference::read(&fixture());
    let model = load(Precision::Exact);
    // Without help this network says languages' tokens; a transcript must not.
    assert!(reference.ids("ids.yue").iter().any(|id| !model.vocabulary.is_text(*id)));
    let samples = reference.samples();
    let heard = model.open(&samples, Context::Full).unwrap().attempt(&DecodeOptions::default(), 0.0, &|_| false).unwrap();
    assert!(!heard.tokens.is_empty() && heard.tokens.iter().all(|id| model.vocabulary.is_text(*id)));
}
