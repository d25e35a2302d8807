//! The project's own consultations, worded unlike any shared set, with traps of every class: what was reached must be kept.

use cantoscribe::note::evaluate::{Figures, Item, score, speakers};
use cantoscribe::note::extract::extract;

use super::LEXICON;

const SET: &str = include_str!("../consultations/own.jsonl");

/// Just under what was reached.
const AT_LEAST: [(&str, f64); 7] = [
    ("conditions", 0.872),
    ("codes", 0.868),
    ("icpc2", 0.812),
    ("medications", 0.880),
    ("allergies", 0.903),
    ("observations", 0.959),
    ("plan", 0.894),
];
/// The same for each class of claim.
const CLASSES_AT_LEAST: [(&str, f64); 5] =
    [("present", 0.871), ("possible", 0.901), ("absent", 0.916), ("historical", 0.742), ("family", 0.905)];
const MUST_NOT_CODE_AT_MOST: usize = 27;

#[test]
fn own_consultations_are_read_as_well_as_before() {
    let items: Vec<Item> = SET.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(items.len() >= 670, "{}", items.len());
    let mut figures = Figures::default();
    for item in &items {
        score(item, &extract(&item.transcript(), &LEXICON), &mut figures);
    }
    for (part, bound) in AT_LEAST {
        let reached = figures.parts[part].f1();
        assert!(reached >= bound, "{part} {reached:.3} is under {bound}: {:#?}", figures.misses);
    }
    for (class, bound) in CLASSES_AT_LEAST {
        let reached = figures.classes[class].f1();
        assert!(reached >= bound, "{class} {reached:.3} is under {bound}: {:#?}", figures.misses);
    }
    assert!(figures.must_not_code.count <= MUST_NOT_CODE_AT_MOST, "{:?}", figures.must_not_code);
    assert_eq!(figures.evidence.count, figures.evidence.of);
    assert!(figures.grounded.value() >= 0.9, "{:?}", figures.grounded);
}

#[test]
fn who_speaks_is_guessed_seldom_and_right() {
    let items: Vec<Item> = SET.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (mut right, mut guessed, mut turns) = (0, 0, 0);
    for item in &items {
        let (share, of) = speakers(item);
        (right, guessed, turns) = (right + share.count, guessed + share.of, turns + of);
        // Nobody is guessed whose label is there, and no finding rests on a guess.
        let labelled = item.turns.iter().filter(|turn| turn.speaker.is_some()).count();
        let note = extract(&item.transcript(), &LEXICON);
        assert!(note.speaker_guesses.len() <= item.turns.len() - labelled, "{}", item.id);
    }
    assert!(turns > 300 && guessed * 5 > turns, "{guessed} of {turns}");
    assert!(right * 100 >= guessed * 98, "{right} of {guessed}");
}

#[test]
fn a_worse_note_is_a_regression() {
    let item: Item = serde_json::from_str(
        r#"{"id":"x","turns":[{"speaker":"patient","text":"我發燒兩日"}],
            "gold":{"conditions":[{"icd10":"R50.9","assertion":"present","mention":"發燒"}],"icpc2":[{"code":"A03"}],"must_not_code":["R05"]}}"#,
    )
    .unwrap();
    let note = extract(&item.transcript(), &LEXICON);
    let mut good = Figures::default();
    score(&item, &note, &mut good);
    assert_eq!((good.parts["conditions"].f1(), good.grounded.count), (1.0, 1));
    let mut empty = note;
    empty.conditions.clear();
    let mut bad = Figures::default();
    score(&item, &empty, &mut bad);
    assert_eq!(bad.parts["conditions"].missed, 1);
    assert!(!bad.regressions(&good).is_empty() && good.regressions(&bad).is_empty());
}
