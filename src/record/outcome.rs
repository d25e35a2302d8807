//! What became of a draft by the time it was signed: how much was kept, what was corrected, how long it took.
//!
//! Everything is computed from the machine's first version and the signed one, so that what was tried and taken back counts for nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Signature;
use crate::note::edit::{Mapped, mapped};
use crate::note::{Condition, FindingKind, Medication, Note, Provenance, Section, Span};
use crate::terminology::{Concept, Lexicon};
use crate::text::PatientText;

/// A finding of the draft that the signed note does not have as it was, or words of a person's that were given another concept than
/// they have, or one at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The words that it was heard in.
    pub heard: PatientText,
    /// What the draft called it, in English; empty for words that it knew nothing of.
    pub was: String,
    /// What the clinician made of it; nothing where it was dropped.
    pub now: Option<Concept>,
    /// Whether it is a suggestion no more.
    #[serde(default)]
    pub forgotten: bool,
}

/// One signed note against its draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Who signed.
    pub by: String,
    /// Seconds from the end of the talk to the signature; nothing where a clock was wrong.
    pub seconds: Option<u64>,
    /// Lines of the draft.
    pub lines: usize,
    /// Those of them that were signed word for word.
    pub kept: usize,
    /// Characters of the draft.
    pub characters: usize,
    /// Characters put in, taken out or changed on the way to the signed note (Levenshtein), lines that both have left aside.
    pub distance: usize,
    /// What was corrected.
    pub corrections: Vec<Correction>,
}

impl Outcome {
    /// The machine's first version and the signed one. `seconds` is the time from the end of the talk to the signature.
    #[must_use]
    pub fn new(draft: &Note, signed: &Note, signature: &Signature, seconds: Option<u64>, lexicon: &Lexicon) -> Self {
        let (before, after) = (lines(&draft.sections), lines(&signed.sections));
        let (gone, come) = (without(&before, &after), without(&after, &before));
        let distance = levenshtein(&joined(&gone), &joined(&come));
        Self {
            by: signature.by.clone(),
            seconds,
            lines: before.len(),
            kept: before.len() - gone.len(),
            characters: before.iter().map(|line| line.chars().count()).sum(),
            distance,
            corrections: corrections(draft, signed).into_iter().chain(given(signed, lexicon)).collect(),
        }
    }
}

fn lines(sections: &[Section]) -> Vec<&str> {
    sections.iter().flat_map(|section| &section.sentences).map(|sentence| sentence.text.reveal()).collect()
}

/// The lines that the others do not have; a line that is there twice needs two of them.
fn without<'a>(lines: &[&'a str], others: &[&str]) -> Vec<&'a str> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    others.iter().for_each(|other| *left.entry(other).or_default() += 1);
    let gone = |line: &&&str| match left.get_mut(**line) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    lines.iter().filter(gone).copied().collect()
}

/// The longest text whose distance is computed: far above any note, and a bound on the time.
const LONGEST: usize = 8_000;

fn joined(lines: &[&str]) -> Vec<char> {
    lines.join("\n").chars().take(LONGEST).collect()
}

/// The fewest characters to put in, take out or change.
fn levenshtein(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, character) in from.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (other, cell) in to.iter().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(character != other);
            diagonal = *cell;
            *cell = changed.min(diagonal + 1).min(left + 1);
            left = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Findings are the same where they have the same words at the same place. What is called as before and rests on some of the same words
/// was kept, whatever became of its line.
fn corrections(draft: &Note, signed: &Note) -> Vec<Correction> {
    let same = |a: &(&PatientText, &Provenance), b: &(&PatientText, &Provenance)| a.0 == b.0 && a.1.spans() == b.1.spans();
    let mut all = Vec::new();
    let kept = |was: &Condition, now: &Condition| {
        now.display == was.display && now.codes == was.codes && overlap(&now.provenance, was.provenance.spans())
    };
    for was in draft.conditions.iter().filter(|was| !signed.conditions.iter().any(|now| kept(was, now))) {
        let now = signed.conditions.iter().find(|now| same(&(&was.text, &was.provenance), &(&now.text, &now.provenance)));
        let concept = now.map(concept_of);
        all.push(Correction { heard: was.text.clone(), was: was.display.en.clone(), now: concept, forgotten: false });
    }
    let kept = |was: &Medication, now: &Medication| now.name == was.name && overlap(&now.provenance, was.provenance.spans());
    for was in draft.medications.iter().filter(|was| !signed.medications.iter().any(|now| kept(was, now))) {
        let now = signed.medications.iter().find(|now| same(&(&was.text, &was.provenance), &(&now.text, &now.provenance)));
        let concept = now.map(|now| Concept::Drug { name: now.name.clone() });
        all.push(Correction { heard: was.text.clone(), was: was.name.clone(), now: concept, forgotten: false });
    }
    all
}

fn concept_of(condition: &Condition) -> Concept {
    let icd10 = condition.codes.iter().find(|code| code.system.ends_with("/icd-10")).map(|code| code.code.clone());
    Concept::Condition { icd10: icd10.unwrap_or_default(), en: condition.display.en.clone() }
}

/// What was given by hand to words of people's lines.
fn given(signed: &Note, lexicon: &Lexicon) -> impl Iterator<Item = Correction> {
    mapped(signed, lexicon).into_iter().filter_map(|Mapped { finding, words, was }| {
        let now = match finding.kind {
            FindingKind::Condition => concept_of(signed.conditions.get(finding.index)?),
            _ => Concept::Drug { name: signed.medications.get(finding.index)?.name.clone() },
        };
        Some(Correction { heard: words, was: was.unwrap_or_default(), now: Some(now), forgotten: false })
    })
}

/// Whether something rests on any of these words.
pub(super) fn overlap(provenance: &Provenance, spans: &[Span]) -> bool {
    let meet =
        |one: &Span, other: &Span| one.segment() == other.segment() && one.start() < other.end() && other.start() < one.end();
    provenance.spans().iter().any(|own| spans.iter().any(|span| meet(own, span)))
}

/// Of an even number of values, in order, the mean of the two in the middle, rounded down.
fn median(sorted: &[u64]) -> Option<u64> {
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(low + (high - low) / 2)
}

/// How often a term of drafts was corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TermCount {
    /// What drafts called it.
    pub term: String,
    /// How often.
    pub times: usize,
}

/// The clinic's figures. Nothing where no note is signed: there is no claim without notes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Signed notes that they are of.
    pub notes: usize,
    /// Median time from the end of the talk to the signature, of the notes that have one.
    pub median_seconds: Option<u64>,
    /// Notes that have a time.
    pub timed: usize,
    /// Share of the drafts' lines that were signed word for word; nothing where no draft had a line.
    pub kept: Option<f64>,
    /// Characters changed for each of the drafts' characters; nothing where no draft had any.
    pub changed: Option<f64>,
    /// The terms that were corrected most often, at most twenty.
    pub corrected: Vec<TermCount>,
}

/// The figures of all signed notes.
#[must_use]
pub fn figures(outcomes: &[Outcome]) -> Figures {
    let mut seconds: Vec<u64> = outcomes.iter().filter_map(|outcome| outcome.seconds).collect();
    seconds.sort_unstable();
    let sum = |part: fn(&Outcome) -> usize| outcomes.iter().map(part).sum::<usize>() as f64;
    let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
    let mut terms: BTreeMap<&str, usize> = BTreeMap::new();
    let named = |correction: &&Correction| !correction.was.is_empty();
    for correction in outcomes.iter().flat_map(|outcome| &outcome.corrections).filter(named) {
        *terms.entry(&correction.was).or_default() += 1;
    }
    let mut corrected: Vec<TermCount> =
        terms.into_iter().map(|(term, times)| TermCount { term: term.to_owned(), times }).collect();
    corrected.sort_by_key(|count| std::cmp::Reverse(count.times));
    corrected.truncate(20);
    Figures {
        notes: outcomes.len(),
        median_seconds: median(&seconds),
        timed: seconds.len(),
        kept: share(sum(|outcome| outcome.kept), sum(|outcome| outcome.lines)),
        changed: share(sum(|outcome| outcome.distance), sum(|outcome| outcome.characters)),
        corrected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SectionCode;
    use crate::note::compose::{Language, sections};
    use crate::note::edit::{NoteEdit, apply};
    use crate::note::extract::extract;
    use crate::speech::transcript::read;

    const SAID: &str = "patient: 我頭痛咗三日。\npatient: 食緊 metformin 500 mg 一日兩次。\ndoctor: 今日血壓145/90。";
    const AT: &str = "2026-11-26T09:00:00Z";

    fn signature() -> Signature {
        Signature::new("Dr Chan", AT).unwrap()
    }

    fn draft(lexicon: &Lexicon) -> Note {
        let transcript = read(SAID.as_bytes()).unwrap();
        let mut note = extract(&transcript, lexicon);
        note.sections = sections(&note, Language::English);
        note
    }

    #[test]
    fn an_untouched_draft_is_kept_whole() {
        let lexicon = Lexicon::builtin().unwrap();
        let note = draft(&lexicon);
        let outcome = Outcome::new(&note, &note, &signature(), Some(40), &lexicon);
        assert_eq!((outcome.kept, outcome.distance, outcome.corrections.len()), (outcome.lines, 0, 0));
        assert!(outcome.lines >= 3 && outcome.characters > 20);
        let figures = figures(&[outcome]);
        assert_eq!((figures.notes, figures.kept, figures.changed, figures.median_seconds), (1, Some(1.0), Some(0.0), Some(40)));
    }

    #[test]
    fn a_line_changed_counts_its_characters() {
        let lexicon = Lexicon::builtin().unwrap();
        let note = draft(&lexicon);
        let edit = NoteEdit::Add { section: SectionCode::O, text: "Chest clear.".into() };
        let signed = apply(&note, edit, "Dr Chan", AT, &lexicon).unwrap();
        let outcome = Outcome::new(&note, &signed, &signature(), None, &lexicon);
        assert_eq!((outcome.kept, outcome.distance), (outcome.lines, "Chest clear.".len()));
        let edit = NoteEdit::Remove { section: SectionCode::O, index: 0 };
        let signed = apply(&note, edit, "Dr Chan", AT, &lexicon).unwrap();
        assert_eq!(Outcome::new(&note, &signed, &signature(), None, &lexicon).kept, outcome.lines - 1);
    }

    #[test]
    fn distances_are_the_fewest_changes() {
        let distance = |a: &str, b: &str| levenshtein(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("血壓高", "血壓唔高"), 1);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn a_line_put_in_other_words_corrects_nothing_that_it_still_says() {
        let lexicon = Lexicon::builtin().unwrap();
        let note = draft(&lexicon);
        let replace = |note: &Note, section, text: &str| {
            apply(note, NoteEdit::Replace { section, index: 0, text: text.into() }, "Dr Chan", AT, &lexicon).unwrap()
        };
        let reworded = replace(&note, SectionCode::S, "C/O bad headache x 3/7.");
        assert_eq!(reworded.conditions.iter().filter(|found| found.display.en == "Headache").count(), 1);
        assert_eq!(Outcome::new(&note, &reworded, &signature(), None, &lexicon).corrections, []);
        let other = Outcome::new(&note, &replace(&note, SectionCode::S, "C/O dizziness x 3/7."), &signature(), None, &lexicon)
            .corrections;
        assert_eq!(other.iter().map(|one| (one.was.as_str(), &one.now)).collect::<Vec<_>>(), [("Headache", &None)]);
    }

    #[test]
    fn of_two_in_the_middle_the_mean_is_the_median() {
        for (values, wanted) in
            [(&[][..], None), (&[4], Some(4)), (&[10, 40], Some(25)), (&[1, 5, 90], Some(5)), (&[1, 5, 8, 90], Some(6))]
        {
            assert_eq!(median(values), wanted, "{values:?}");
        }
    }

    #[test]
    fn no_notes_no_claims() {
        let none = figures(&[]);
        assert_eq!((none.notes, none.kept, none.changed, none.median_seconds), (0, None, None, None));
        assert!(
            !format!("{:?}", Correction { heard: "頭痛".into(), was: String::new(), now: None, forgotten: false })
                .contains("頭痛")
        );
    }
}
