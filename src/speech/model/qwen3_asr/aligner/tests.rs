//! Against the `qwen-asr` package's own code, on the checkpoint of random weights that `scripts/qwen3-asr-reference --aligner` made
//! with it.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::speech::guard::{Guard, glimpse, recognise};
use crate::speech::model::qwen3_asr::Qwen3Asr;
use crate::speech::model::reference::{Reference, TOLERANCE, error, values};
use crate::speech::model::{self, AlignerFiles, Context, DecodeOptions, Precision, Recognizer as _};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn fixture() -> PathBuf {
    folder("tests/fixtures/qwen3-aligner")
}

fn options(precision: Precision) -> LoadOptions {
    LoadOptions { precision, threads: Some(2), ..LoadOptions::default() }
}

fn load(folder: &Path, precision: Precision) -> Aligner {
    let options = options(precision);
    Aligner::load(folder, &options, &Arithmetic::new(&options, 2).unwrap()).unwrap()
}

/// Of the reference's texts, which are there where they have words.
fn texts(reference: &Reference) -> Vec<usize> {
    (0..5).filter(|number| reference.has(&format!("times.{number}"))).collect()
}

/// The error of what each part gives for the first text, errors before it included.
fn part_errors(aligner: &Aligner, reference: &Reference) -> Vec<(String, f32)> {
    let mut errors = Vec::new();
    let mut compare = |name: String, ours: &[f32]| errors.push((name.clone(), error(ours, &reference.floats(&name))));
    let network = &aligner.network;
    let audio = network.encoder.watched(&network.mel.compute(&reference.samples(), None), &mut |number, rows| {
        compare(if number == 0 { "convolved".to_owned() } else { format!("encoder.{}", number - 1) }, &values(rows));
    });
    let audio = audio.unwrap();
    compare("audio".to_owned(), &values(&audio));
    let (ids, marks) = aligner.prompt(&units(&reference.text("text.0"))).unwrap();
    let first = 1 + audio.dim(0).unwrap();
    let marks: Vec<u32> = marks.into_iter().map(|mark| u32::try_from(first + mark).unwrap()).collect();
    let marks = Tensor::new(marks, audio.device()).unwrap();
    let rows = network.prompt(&aligner.audio[..1], &audio, &ids).unwrap();
    let states = network.decoder.watched(&rows, 1, &mut network.decoder.cache(), &mut |number, rows| {
        compare(format!("decoder.{number}"), &values(&rows.index_select(&marks, 0).unwrap()));
    });
    let states = states.unwrap().index_select(&marks, 0).unwrap();
    compare("states".to_owned(), &values(&states));
    compare("logits".to_owned(), &values(&network.decoder.logits(&states).unwrap()));
    errors
}

/// The bins and times of each text are the package's, and so are its words and the ids of its prompt.
fn same_times(aligner: &Aligner, reference: &Reference) {
    let samples = reference.samples();
    for number in texts(reference) {
        let units = units(&reference.text(&format!("text.{number}")));
        let spoken: Vec<&str> = units.iter().map(|unit| unit.spoken.reveal()).collect();
        assert_eq!(spoken.join("\n"), reference.text(&format!("words.{number}")));
        let audio = vec![aligner.tokens.find("<|audio_pad|>").unwrap(); reference.tensor("audio").shape()[0]];
        let ids = [vec![aligner.audio[0]], audio, aligner.prompt(&units).unwrap().0].concat();
        assert_eq!(ids, reference.ids(&format!("ids.{number}")), "{number}");
        let logits: Vec<Vec<f32>> = aligner.logits(&samples, &units).unwrap().to_vec2().unwrap();
        let bins: Vec<u32> = logits.iter().map(|logits| argmax(logits).unwrap()).collect();
        assert_eq!(bins, reference.ids(&format!("bins.{number}")), "{number}");
        let expected = reference.ids(&format!("times.{number}")).into_iter().map(|time| (time as usize * 16).min(samples.len()));
        let times = aligner.times(&samples, &units).unwrap();
        assert_eq!(times.into_iter().flat_map(|time| [time.start, time.end]).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}

#[test]
fn parity_qwen3_aligner_front_end() {
    let reference = Reference::read(&fixture());
    let mel = load(&fixture(), Precision::Exact).network.mel.compute(&reference.samples(), None);
    // Every eighth frame is kept.
    let ours: Vec<f32> = mel.data.chunks(mel.frames).flat_map(|bin| bin.iter().step_by(8).copied()).collect();
    assert!(error(&ours, &reference.floats("mel")) < 1e-5);
}

#[test]
fn parity_qwen3_aligner_logits() {
    let reference = Reference::read(&fixture());
    for (part, error) in part_errors(&load(&fixture(), Precision::Exact), &reference) {
        println!("{part}: {error:.1e}");
        assert!(error < TOLERANCE, "{part}: {error}");
    }
    for (precision, most) in [(Precision::Balanced, 0.1), (Precision::Fast, 0.3)] {
        let errors = part_errors(&load(&fixture(), precision), &reference);
        println!("{precision:?}: {errors:?}");
        assert!(errors.iter().all(|(_, error)| *error < most), "{precision:?}: {errors:?}");
    }
}

#[test]
fn parity_qwen3_aligner_times() {
    let reference = Reference::read(&fixture());
    assert_eq!(texts(&reference), [0, 1, 2, 4]);
    same_times(&load(&fixture(), Precision::Exact), &reference);
}

#[test]
fn parity_qwen3_aligner_repair() {
    let reference = Reference::read(&fixture());
    let [given, made] = ["repair.given", "repair.made"].map(|name| reference.ids(name));
    let mut begin = 0;
    for length in (1..=24).cycle().take(72) {
        let sequence: Vec<f64> = given[begin..begin + length].iter().map(|time| f64::from(*time)).collect();
        let mended: Vec<u32> = in_order(&sequence).into_iter().map(|time| time as u32).collect();
        assert_eq!(mended, made[begin..begin + length], "{sequence:?}");
        assert!(mended.is_sorted());
        begin += length;
    }
    assert_eq!(begin, given.len());
    assert!(in_order(&[]).is_empty());
}

/// Run by hand, after `scripts/qwen3-asr-reference --aligner --full`.
#[test]
#[ignore = "needs target/qwen3-aligner-full, about 1.8 GB, which scripts/qwen3-asr-reference --aligner --full makes"]
fn parity_qwen3_aligner_full_size() {
    let folder = folder("target/qwen3-aligner-full");
    let reference = Reference::read(&folder);
    for precision in [Precision::Exact, Precision::Balanced, Precision::Fast] {
        let begin = std::time::Instant::now();
        let aligner = load(&folder, precision);
        let loaded = begin.elapsed();
        let errors = part_errors(&aligner, &reference);
        let worst = errors.iter().map(|(_, error)| *error).fold(0.0, f32::max);
        let logits = errors.last().unwrap().1;
        let (samples, units) = (reference.samples(), units(&reference.text("text.0")));
        let begin = std::time::Instant::now();
        let ours = aligner.logits(&samples, &units).unwrap().to_vec2::<f32>().unwrap();
        let took = begin.elapsed();
        let equal = ours.iter().zip(reference.ids("bins.0")).filter(|(logits, bin)| argmax(logits) == Some(*bin)).count();
        println!(
            "{}: {} parts, largest error {worst:.1e}, at the logits {logits:.1e}; {equal} of {} bins equal; loaded in {loaded:.2?}; \
             {} words in {} s of audio in {took:.2?}",
            precision.name(),
            errors.len(),
            ours.len(),
            units.len(),
            samples.len() as f32 / SAMPLE_RATE as f32,
        );
        if precision == Precision::Exact {
            assert!(worst < TOLERANCE, "{errors:?}");
            same_times(&aligner, &reference);
        }
    }
}

/// Words have the aligner's times, cover the text, and are the same from packed weights; looks at speech that grows have none.
#[test]
fn an_aligner_gives_the_words_of_a_model_their_times() {
    let speech = folder("tests/fixtures/qwen3-asr");
    let samples = Reference::read(&speech).samples();
    let files = tempfile::tempdir().unwrap();
    for precision in [Precision::Exact, Precision::Balanced] {
        let aligner = AlignerFiles { folder: fixture(), packed: None };
        let alone = Qwen3Asr::load(&speech, &options(precision)).unwrap();
        let with = LoadOptions { aligner: Some(aligner.clone()), ..options(precision) };
        let model = Qwen3Asr::load(&speech, &with).unwrap();
        assert!(!alone.capabilities().word_times && model.capabilities().word_times);
        let hear = |model: &Qwen3Asr| {
            let mut utterance = model.open(&samples, Context::Full).unwrap();
            let mut heard = utterance.attempt(&DecodeOptions::default(), 0.0, &|_| false).unwrap();
            utterance.align(&mut heard).unwrap();
            heard
        };
        let (untimed, timed) = (hear(&alone), hear(&model));
        assert!(untimed.words.is_empty() && !timed.words.is_empty());
        assert_eq!(timed.text, untimed.text);
        let without_space = |text: &str| text.split_whitespace().collect::<String>();
        let joined: String = timed.words.iter().map(|word| word.text.reveal()).collect();
        assert_eq!(without_space(&joined), without_space(timed.text.reveal()));
        let times: Vec<usize> = timed.words.iter().flat_map(|word| [word.samples.start, word.samples.end]).collect();
        assert!(times.is_sorted() && times.iter().all(|time| *time <= samples.len()), "{times:?}");
        assert!(timed.words.iter().all(|word| word.probability > 0.0 && word.probability <= 1.0));
        if precision != Precision::Exact {
            let path = files.path().join("packed");
            let mut packed = Vec::new();
            model::pack(&fixture(), precision, "its hash", (&mut packed, &path)).unwrap();
            fs::write(&path, packed).unwrap();
            let packed = model::PackedWeights { path, source: "its hash".to_owned() };
            let aligner = Some(AlignerFiles { packed: Some(packed), ..aligner });
            assert_eq!(hear(&Qwen3Asr::load(&speech, &LoadOptions { aligner, ..with }).unwrap()), timed);
        }
        // Guards that believe whatever a random network says.
        let trusting =
            Guard { compression_ratio: f32::MAX, log_probability: f32::MIN, no_speech: 1.0, characters_per_second: f32::MAX };
        let seen = glimpse(&model, &samples, &DecodeOptions::default(), &trusting, &|| false).unwrap().unwrap();
        assert!(seen.words.is_empty());
        let whole = recognise(&model, &samples, &DecodeOptions::default(), &trusting).unwrap();
        assert_eq!(whole.words, timed.words);
        let long = vec![0.0; LONGEST + 1];
        assert!(matches!(model.open(&long, Context::Full), Err(SpeechError::TooLong { longest: LONGEST, .. })));
    }
}

#[test]
fn nothing_spoken_has_no_times() {
    let aligner = load(&fixture(), Precision::Exact);
    assert!(aligner.words(&[0.0; 8000], std::iter::once("，。".as_bytes()), &[0.5]).unwrap().is_empty());
    // A token of two characters, and one that is broken off.
    let pieces = ["你好".as_bytes(), b" pan", b"adol", b"\xe8\xa1"];
    let words = aligner.words(&[0.0; 100], pieces.into_iter(), &[0.5, 0.2, 0.4, 0.1]).unwrap();
    let found: Vec<(&str, f32)> = words.iter().map(|word| (word.text.reveal(), word.probability)).collect();
    let expected = [("你", 0.5), ("好", 0.5), ("panadol\u{fffd}", 0.7 / 3.0)];
    for ((text, probability), expected) in found.iter().zip(expected) {
        assert!(*text == expected.0 && (probability - expected.1).abs() < 1e-6, "{text}");
    }
    assert_eq!(found.len(), expected.len());
}

/// Loads a copy of the fixture with a change in one of its files.
fn refused(name: &str, from: &str, to: &str, names: &[&str]) {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(fixture()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let text = fs::read_to_string(copy.path().join(name)).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    fs::write(copy.path().join(name), text.replace(from, to)).unwrap();
    let options = options(Precision::Exact);
    let error = Aligner::load(copy.path(), &options, &Arithmetic::new(&options, 1).unwrap()).err().unwrap().to_string();
    assert!(names.iter().all(|name| error.contains(name)), "{error}");
}

#[test]
fn what_is_no_aligner_is_refused() {
    refused("config.json", "qwen3_forced_aligner", "qwen3_asr", &["config.json", "forced aligner"]);
    refused("config.json", "\"classify_num\"", "\"classes\"", &["config.json", "`classify_num` is missing"]);
    refused("config.json", "\"classify_num\": 40", "\"classify_num\": 0", &["config.json", "`classify_num` cannot be 0"]);
    refused(
        "config.json",
        "\"classify_num\": 40",
        "\"classify_num\": 41",
        &["model.safetensors", "thinker.lm_head.weight", "[41, 32]"],
    );
    refused("config.json", "\"timestamp_segment_time\": 80", "\"timestamp_segment_time\": -1", &["timestamp_segment_time"]);
    refused("config.json", "\"timestamp_token_id\": ", "\"timestamp_token_id\": 1", &["<timestamp>", "timestamp_token_id"]);
    refused("tokenizer_config.json", "<timestamp>", "<time>", &["vocab.json", "<timestamp>"]);
    // An aligner hears nothing, and a speech model aligns nothing.
    let error = Qwen3Asr::load(&fixture(), &options(Precision::Exact)).err().unwrap().to_string();
    assert!(error.contains("config.json") && error.contains("forced aligner"), "{error}");
}
