//! Whisper against its reference, on real speech.

use std::path::Path;

use cantoscribe::speech::SpeechError;
use cantoscribe::speech::guard::{self, Guard};
use cantoscribe::speech::model::{
    self, Context, DecodeOptions, Hypothesis, Language, LoadOptions, Precision, Recognizer, Search,
};
use libtest_mimic::Trial;

use super::{Need, guarded, model_dir, shared};

const MODEL: Need = Need::Model("whisper-base");
const CLIPS: Need = Need::Shared("audio");

/// Below this gap between the two best logits a correct implementation may choose otherwise (`audio/README.md`).
const DECISIVE: f64 = 0.05;

pub fn tests() -> Vec<Trial> {
    vec![
        guarded("parity_whisper_tokens", &[MODEL, CLIPS], tokens_equal_the_reference),
        guarded("whisper_threads_change_nothing", &[MODEL, CLIPS], threads_change_nothing),
        guarded("whisper_rooms_change_nothing", &[MODEL, CLIPS], rooms_change_nothing),
        guarded("whisper_words_have_times", &[MODEL, CLIPS], words_have_times),
        guarded("whisper_sampling_repeats", &[MODEL, CLIPS], sampling_repeats),
        guarded("whisper_finds_the_language", &[MODEL, CLIPS], language_is_found),
        guarded("whisper_invents_nothing", &[MODEL], nothing_is_invented),
        guarded("whisper_refuses_damaged_files", &[MODEL], damaged_files_are_refused),
    ]
}

/// A line of `whisper-base-greedy.tsv`.
struct Reference {
    file: String,
    language: Language,
    tokens: Vec<u32>,
    margin: f64,
}

fn references() -> Vec<Reference> {
    let table = std::fs::read_to_string(shared("audio/whisper-base-greedy.tsv")).unwrap();
    let rows = table.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        Reference {
            file: cells[0].to_owned(),
            language: cells[1].parse().unwrap(),
            tokens: cells[2].split_whitespace().map(|id| id.parse().unwrap()).collect(),
            margin: cells[4].parse().unwrap(),
        }
    });
    let rows: Vec<Reference> = rows.collect();
    assert!(rows.len() > 50, "the reference has {} rows", rows.len());
    rows
}

/// The samples of a 16 kHz mono 16-bit WAV file, which all clips are.
fn samples(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let mut rest = &bytes[12..];
    loop {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        if &rest[..4] == b"data" {
            let data = &rest[8..8 + length];
            return data.chunks_exact(2).map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32768.0).collect();
        }
        rest = &rest[8 + length + length % 2..];
    }
}

fn load(precision: Precision, threads: usize) -> Box<dyn Recognizer> {
    let options = LoadOptions { precision, threads: Some(threads), ..LoadOptions::default() };
    model::load(&model_dir("whisper-base"), &options).unwrap()
}

fn tokens_equal_the_reference() {
    let model = load(Precision::Exact, 2);
    let (mut differing, mut wrong) = (Vec::new(), Vec::new());
    for reference in references() {
        let raw = model.raw(&samples(&shared("audio").join(&reference.file)), Some(reference.language)).unwrap();
        if raw.tokens != reference.tokens {
            let list = if reference.margin < DECISIVE { &mut differing } else { &mut wrong };
            list.push(format!("{} (gap {})", reference.file, reference.margin));
        }
    }
    println!("clips that differ where the gap is under {DECISIVE}: {differing:?}");
    assert!(wrong.is_empty(), "tokens differ from the reference: {wrong:?}");
}

/// Three seconds of Cantonese that whisper-base hears well.
pub const CLIP: &str = "cv_zh-HK_22921554.wav";
const ENGLISH: &str = "cv_en_17294344.wav";

pub fn clip(name: &str) -> Vec<f32> {
    samples(&shared("audio").join(name))
}

fn recognise(model: &dyn Recognizer, samples: &[f32], options: &DecodeOptions) -> Hypothesis {
    guard::recognise(model, samples, options, &Guard::default()).unwrap()
}

fn threads_change_nothing() {
    let samples = clip(CLIP);
    for precision in [Precision::Exact, Precision::Balanced, Precision::Fast] {
        let (one, two) = (load(precision, 1), load(precision, 2));
        for search in [Search::Greedy, Search::Beam(3)] {
            let options = DecodeOptions { search, ..DecodeOptions::default() };
            let heard = recognise(one.as_ref(), &samples, &options);
            assert!(!heard.text.is_blank());
            // Equal to the last bit: words, times and probabilities.
            assert_eq!(heard, recognise(two.as_ref(), &samples, &options), "{precision:?}");
        }
    }
}

/// Eight rooms ask one model at once, each for another clip, and get what each gets alone.
fn rooms_change_nothing() {
    let model = load(Precision::Balanced, 2);
    let names: Vec<String> = references().into_iter().take(8).map(|reference| reference.file).collect();
    let options = DecodeOptions { temperatures: vec![0.0], ..DecodeOptions::default() };
    let hear = |name: &String| recognise(model.as_ref(), &clip(name), &options);
    let alone: Vec<Hypothesis> = names.iter().map(hear).collect();
    let together: Vec<Hypothesis> = std::thread::scope(|scope| {
        let rooms: Vec<_> = names.iter().map(|name| scope.spawn(|| hear(name))).collect();
        rooms.into_iter().map(|room| room.join().unwrap()).collect()
    });
    assert!(alone.iter().filter(|heard| !heard.text.is_blank()).count() >= 4);
    assert_eq!(together, alone);
}

fn words_have_times() {
    let model = load(Precision::Exact, 2);
    for (name, language) in [(CLIP, Language::Cantonese), (ENGLISH, Language::English)] {
        let samples = clip(name);
        for context in [Context::Full, Context::Speech] {
            let options = DecodeOptions { language: Some(language), context, ..DecodeOptions::default() };
            let heard = recognise(model.as_ref(), &samples, &options);
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            let words: String = heard.words.iter().map(|word| squeezed(word.text.reveal())).collect();
            assert!(heard.words.len() > 4, "{name}: {} words", heard.words.len());
            assert_eq!(words, squeezed(heard.text.reveal()), "{name}");
            for word in &heard.words {
                assert!(word.samples.start <= word.samples.end && word.samples.end <= samples.len(), "{name}: {word:?}");
                assert!((0.0..=1.0).contains(&word.probability), "{name}: {word:?}");
            }
            assert!(heard.words.windows(2).all(|pair| pair[0].samples.end <= pair[1].samples.start), "{name}");
            let spoken = heard.words.last().unwrap().samples.end - heard.words[0].samples.start;
            assert!(spoken * 2 > samples.len(), "{name}: the words span {spoken} of {} samples", samples.len());
        }
    }
}

fn sampling_repeats() {
    let model = load(Precision::Exact, 2);
    let options = DecodeOptions { best_of: 3, ..DecodeOptions::default() };
    let samples = clip(CLIP);
    let draw = |samples: &[f32]| model.open(samples, Context::Speech).unwrap().attempt(&options, 0.8, &guard::loops).unwrap();
    let first = draw(&samples);
    assert!(!first.text.is_blank());
    assert_eq!(first, draw(&samples));
    assert!((first.temperature - 0.8).abs() < 1e-6);
}

fn language_is_found() {
    let model = load(Precision::Exact, 2);
    let options = DecodeOptions { language: None, ..DecodeOptions::default() };
    // whisper-base has no token of its own for Cantonese: Chinese is taken for it.
    assert_eq!(recognise(model.as_ref(), &clip(CLIP), &options).language, Language::Cantonese);
    assert_eq!(recognise(model.as_ref(), &clip(ENGLISH), &options).language, Language::English);
}

fn nothing_is_invented() {
    let model = load(Precision::Exact, 2);
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    let noise: Vec<f32> = (0..80_000).map(|_| 0.1 * noise()).collect();
    for (name, samples) in [("silence", vec![0.0; 80_000]), ("no samples", Vec::new()), ("noise", noise)] {
        let heard = recognise(model.as_ref(), &samples, &DecodeOptions::default());
        assert!(heard.text.is_blank() && heard.words.is_empty(), "{name}: {heard:?}");
    }
    let broken = model.raw(&[0.0, f32::NAN], None);
    assert!(matches!(broken, Err(SpeechError::NotFinite { index: 1 })));
    assert!(matches!(model.open(&vec![0.0; 480_001], Context::Full), Err(SpeechError::TooLong { samples: 480_001, .. })));
}

/// Each damage to a copy of the model, and what the error must name.
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = model_dir("whisper-base");
    let path = |name: &str| folder.path().join(name);
    let restore = || {
        for name in ["config.json", "generation_config.json", "tokenizer.json", "model.safetensors"] {
            if source.join(name).exists() {
                std::fs::copy(source.join(name), path(name)).unwrap();
            }
        }
    };
    let refused = |names: &[&str]| {
        let Err(error) = model::load(folder.path(), &LoadOptions::default()) else { panic!("loaded what lacks {names:?}") };
        let message = error.to_string();
        assert!(names.iter().all(|name| message.contains(name)), "`{message}` does not name {names:?}");
    };
    let edit = |name: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(path(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        std::fs::write(path(name), text.replace(from, to)).unwrap();
    };
    refused(&["config.json"]);
    restore();
    edit("config.json", "\"whisper\"", "\"parakeet\"");
    refused(&["config.json", "model_type", "parakeet"]);
    restore();
    edit("config.json", "\"gelu\"", "\"relu\"");
    refused(&["config.json", "activation_function", "relu"]);
    restore();
    edit("config.json", "\"d_model\": 512", "\"d_model\": 768");
    refused(&["model.safetensors", "model.encoder.conv1.weight", "768"]);
    restore();
    std::fs::write(path("tokenizer.json"), "{\"model\":").unwrap();
    refused(&["tokenizer.json"]);
    restore();
    let whole = std::fs::read(path("model.safetensors")).unwrap();
    for length in [0, 7, 1000, whole.len() - 1] {
        std::fs::write(path("model.safetensors"), &whole[..length]).unwrap();
        refused(&["model.safetensors"]);
    }
    let mut poisoned = whole;
    let end = poisoned.len();
    poisoned[end - 4..].fill(0xff);
    std::fs::write(path("model.safetensors"), poisoned).unwrap();
    refused(&["model.safetensors", "tensor `", "not finite"]);
}
