//! After every segment, wherever words are cut into segments, a note rests on words that were said by then.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use cantoscribe::note::Note;
use cantoscribe::note::compose::{Language, sections};
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

/// Makes the note after each segment, which is that of the whole text so far. What it says and what it could not say points at words that were said, and it reads back as it is
/// written. The findings of the last note are given back, for a note of nothing would pass too.
fn check(transcript: &Transcript, lexicon: &Lexicon) -> usize {
    let mut talk = Talk::default();
    let mut said: BTreeMap<u64, Vec<char>> = BTreeMap::new();
    let mut findings = 0;
    for segment in &transcript.segments {
        talk.push(segment, lexicon);
        said.insert(segment.id, segment.text.reveal().chars().collect());
        let mut note = talk.note(None, lexicon);
        let so_far = Transcript { segments: transcript.segments[..said.len()].to_vec(), ..transcript.clone() };
        assert!(note == extract(&so_far, lexicon), "another note of the whole after segment {}", segment.id);
        note.sections = sections(&note, Language::English);
        let found = note.findings();
        let evidence = found.iter().flat_map(|finding| note.provenance(*finding).unwrap().spans());
        for span in evidence.chain(note.uncovered.iter().map(|uncovered| &uncovered.span)) {
            let words = &said[&span.segment()][span.start()..span.end()];
            assert!(words.iter().any(|c| c.is_alphanumeric()), "{span:?} after segment {}", segment.id);
        }
        assert!(found.iter().all(|finding| !note.provenance(*finding).unwrap().spans().is_empty()));
        let says: usize = note.lines_with_findings().iter().map(|line| line.findings.len()).sum();
        assert!(says >= found.len(), "{says} of {} findings are said by a line", found.len());
        assert!(serde_json::from_value::<Note>(serde_json::to_value(&note).unwrap()).unwrap() == note);
        findings = found.len();
    }
    findings
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
fn the_note_after_each_segment_rests_on_what_was_said_so_far() {
    let lexicon = Lexicon::builtin().unwrap();
    let findings: Vec<usize> = consultations().iter().map(|transcript| check(transcript, &lexicon)).collect();
    assert!(findings.iter().filter(|findings| **findings >= 4).count() * 2 > findings.len(), "{findings:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn wherever_the_words_are_cut(which in 0..60_usize, places in prop::collection::vec(0..1000_usize, 1..12)) {
        thread_local!(static LEXICON: Lexicon = Lexicon::builtin().unwrap());
        LEXICON.with(|lexicon| { check(&cut(&consultations()[which], &places), lexicon); });
    }
}
