//! Whisper against its reference, on real speech.

use std::path::Path;

use cantoscribe::speech::model::{self, Language, LoadOptions, Precision, Recognizer};
use libtest_mimic::Trial;

use super::{Need, guarded, model_dir, shared};

const MODEL: Need = Need::Model("whisper-base");
const CLIPS: Need = Need::Shared("audio");

/// Below this gap between the two best logits a correct implementation may choose otherwise (`audio/README.md`).
const DECISIVE: f64 = 0.05;

pub fn tests() -> Vec<Trial> {
    vec![guarded("parity_whisper_tokens", &[MODEL, CLIPS], tokens_equal_the_reference)]
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
