//! The note after every segment is the note of the whole text so far.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::path::Path;

use cantoscribe::note::evaluate::Item;
use cantoscribe::note::extract::{Talk, extract};
use cantoscribe::speech::{Segment, Transcript};
use cantoscribe::terminology::Lexicon;
use cantoscribe::text::PatientText;
use proptest::prelude::*;

fn consultations() -> Vec<Transcript> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consultations/own.jsonl");
    let lines = std::fs::read_to_string(path).unwrap();
    let items: Vec<Item> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(items.len() >= 60, "{} consultations", items.len());
    items.iter().map(Item::transcript).collect()
}

/// Makes the note after each segment and compares it with that of the segments up to there.
fn check(transcript: &Transcript, lexicon: &Lexicon) {
    let mut talk = Talk::default();
    let mut so_far = Transcript { segments: Vec::new(), ..transcript.clone() };
    for segment in &transcript.segments {
        talk.push(segment, lexicon);
        so_far.segments.push(segment.clone());
        assert!(talk.note(None, lexicon) == extract(&so_far, lexicon), "after segment {}", segment.id);
    }
}

/// The same words in other segments: cut at these places (of all characters, in thousandths), speakers kept.
fn cut(transcript: &Transcript, places: &[usize]) -> Transcript {
    let total: usize = transcript.segments.iter().map(|segment| segment.text.chars()).sum();
    let places: Vec<usize> = places.iter().map(|place| place * total / 1000).collect();
    let mut segments: Vec<Segment> = Vec::new();
    let mut at = 0;
    for segment in &transcript.segments {
        let mut piece = String::new();
        let mut pieces = Vec::new();
        for character in segment.text.reveal().chars() {
            if places.contains(&at) && !piece.is_empty() {
                pieces.push(std::mem::take(&mut piece));
            }
            piece.push(character);
            at += 1;
        }
        pieces.push(piece);
        for piece in pieces {
            let id = segments.len() as u64;
            segments.push(Segment { id, text: PatientText::from(piece), words: None, ..segment.clone() });
        }
    }
    Transcript { segments, ..transcript.clone() }
}

#[test]
fn the_note_after_each_segment_is_that_of_the_text_so_far() {
    let lexicon = Lexicon::builtin().unwrap();
    consultations().iter().for_each(|transcript| check(transcript, &lexicon));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn wherever_the_words_are_cut(which in 0..60_usize, places in prop::collection::vec(0..1000_usize, 1..12)) {
        thread_local!(static LEXICON: Lexicon = Lexicon::builtin().unwrap());
        LEXICON.with(|lexicon| check(&cut(&consultations()[which], &places), lexicon));
    }
}
