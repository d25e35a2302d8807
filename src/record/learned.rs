//! What the corrections of one installation teach: a term that a clinician maps twice. And where it is offered: what the note made
//! something else of, what a person wrote, what was said and led to nothing.

use serde::{Deserialize, Serialize};

use super::outcome::{Correction, Outcome, overlap};
use crate::note::compose::section_of;
use crate::note::edit::{denied_before, is_term, term};
use crate::note::{FindingKind, FindingRef, Note, Provenance, SectionCode, Span};
use crate::speech::Transcript;
use crate::terminology::{Concept, Lexicon};
use crate::text::PatientText;

/// How often a clinician maps words to a concept before it is suggested.
pub const TIMES: usize = 2;

/// Words that a clinician has mapped to a concept often enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// The words, as heard or typed.
    pub words: PatientText,
    /// What they mean to the clinician.
    pub concept: Concept,
    /// How often.
    pub times: usize,
}

/// The change of a note that takes a suggestion, in the form in which a note is edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Offer {
    /// A finding rests on the words and is called something else.
    Recode {
        /// Which.
        finding: FindingRef,
        /// What it would be.
        concept: Concept,
    },
    /// A person wrote the words, and the note knows nothing of them.
    Code {
        /// The line's section.
        section: SectionCode,
        /// Which line.
        index: usize,
        /// What they would be.
        concept: Concept,
    },
    /// The words were said and led to nothing.
    Phrase {
        /// Where the line would stand.
        section: SectionCode,
        /// The words, with what denies them.
        span: Span,
        /// What they would be.
        concept: Concept,
    },
}

/// The mappings of a clinician that were made twice or more, in the order of their words.
#[must_use]
pub fn learned(outcomes: &[Outcome], clinician: &str) -> Vec<Learned> {
    let mut all: Vec<Learned> = Vec::new();
    for correction in outcomes.iter().filter(|outcome| outcome.by == clinician).flat_map(|outcome| &outcome.corrections) {
        let Some(concept) = correction.now.as_ref().filter(|_| !correction.forgotten) else { continue };
        match all.iter_mut().find(|known| known.is_taught_by(correction)) {
            Some(known) => known.times += 1,
            None => all.push(Learned { words: correction.heard.clone(), concept: concept.clone(), times: 1 }),
        }
    }
    all.retain(|learned| learned.times >= TIMES && !learned.words.is_blank());
    all.sort_by(|a, b| a.words.cmp(&b.words));
    all
}

impl Learned {
    /// Whether a correction maps these words, in whatever case, to this concept.
    #[must_use]
    pub fn is_taught_by(&self, correction: &Correction) -> bool {
        self.is(&correction.heard) && correction.now.as_ref() == Some(&self.concept)
    }

    fn is(&self, words: &PatientText) -> bool {
        self.words.reveal().to_lowercase() == words.reveal().to_lowercase()
    }

    /// Where these words are in a transcript, not as a piece of a longer word in Latin letters.
    #[must_use]
    pub fn places(&self, transcript: &Transcript) -> Vec<Span> {
        let words: Vec<char> = self.words.reveal().chars().collect();
        let mut spans = Vec::new();
        for segment in &transcript.segments {
            let said: Vec<char> = segment.text.reveal().chars().collect();
            let alike = |here: &[char]| here.iter().zip(&words).all(|(a, b)| a.eq_ignore_ascii_case(b));
            let starts = said.windows(words.len().max(1)).enumerate().filter(|(_, here)| alike(here));
            let within_word = |inner: Option<&char>, outer: Option<&char>| {
                inner.is_some_and(char::is_ascii_alphanumeric) && outer.is_some_and(char::is_ascii_alphanumeric)
            };
            let whole = starts.map(|(start, _)| (start, start + words.len())).filter(|(start, end)| {
                let before = start.checked_sub(1).and_then(|before| said.get(before));
                !within_word(words.first(), before) && !within_word(words.last(), said.get(*end))
            });
            spans.extend(whole.filter_map(|(start, end)| Span::new(segment.id, start, end).ok()));
        }
        spans
    }

    /// What could be changed because of it: each place once.
    #[must_use]
    pub fn offers(&self, transcript: &Transcript, note: &Note, lexicon: &Lexicon) -> Vec<Offer> {
        let places = self.places(transcript);
        let mut offers = self.recodes(note, &places);
        offers.extend(self.codes(note, lexicon));
        offers.extend(self.phrases(transcript, note, &places, lexicon));
        offers
    }

    /// Findings of these words that are called something else: heard where they are in the talk, or a person's.
    fn recodes(&self, note: &Note, places: &[Span]) -> Vec<Offer> {
        let (kind, found): (_, Vec<(&PatientText, bool, &Provenance)>) = match &self.concept {
            Concept::Condition { en, .. } => {
                let all = note.conditions.iter().map(|found| (&found.text, found.display.en == *en, &found.provenance));
                (FindingKind::Condition, all.collect())
            }
            Concept::Drug { name } => {
                let all = note.medications.iter().map(|found| (&found.text, found.name == *name, &found.provenance));
                (FindingKind::Medication, all.collect())
            }
        };
        let said = |provenance: &Provenance| {
            let spans: Vec<Span> = places.iter().copied().filter(|place| overlap(provenance, &[*place])).collect();
            !spans.is_empty() && found.iter().any(|(_, is, other)| *is && overlap(other, &spans))
        };
        let other = found.iter().enumerate().filter(|(index, (text, is, provenance))| {
            let here = note.is_said_by_a_person(FindingRef { kind, index: *index }) || overlap(provenance, places);
            !is && self.is(text) && here && !said(provenance)
        });
        let concept = &self.concept;
        other.map(|(index, _)| Offer::Recode { finding: FindingRef { kind, index }, concept: concept.clone() }).collect()
    }

    /// Lines of people with these words, of which the note knows nothing.
    fn codes(&self, note: &Note, lexicon: &Lexicon) -> Vec<Offer> {
        let mut offers = Vec::new();
        for section in &note.sections {
            for (index, line) in section.sentences.iter().enumerate() {
                let term = term(note, section.code, line, lexicon);
                if term.is_some_and(|term| is_term(&term, &self.words, &self.concept)) {
                    offers.push(Offer::Code { section: section.code, index, concept: self.concept.clone() });
                }
            }
        }
        offers
    }

    /// Where the words were said and neither a finding nor a person's line rests on them.
    fn phrases(&self, transcript: &Transcript, note: &Note, places: &[Span], lexicon: &Lexicon) -> Vec<Offer> {
        let Some(section) = section_of(&self.concept, lexicon) else { return Vec::new() };
        let lines = || note.sections.iter().flat_map(|section| &section.sentences).map(|line| &line.provenance);
        let findings = note.findings();
        let own = || findings.iter().filter_map(|finding| note.provenance(*finding));
        let used = |place: &Span| own().chain(lines()).any(|provenance| overlap(provenance, &[*place]));
        let free = places.iter().filter(|place| !used(place)).filter_map(|place| {
            let segment = transcript.segments.iter().find(|segment| segment.id == place.segment())?;
            let said: String = segment.text.reveal().chars().take(place.start()).collect();
            let start = place.start() - denied_before(&said);
            Span::new(place.segment(), start, place.end()).ok()
        });
        free.map(|span| Offer::Phrase { section, span, concept: self.concept.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Assertion;
    use crate::note::compose::{Language, sections};
    use crate::note::edit::{NoteEdit, apply};
    use crate::note::extract::extract;
    use crate::record::{Signature, TermCount, figures};
    use crate::speech::transcript::read;

    const SAID: &str = "patient: 我頭痛咗三日。\npatient: 食緊 metformin 500 mg 一日兩次。\ndoctor: 今日血壓145/90。";
    const AT: &str = "2026-11-26T09:00:00Z";

    fn signature() -> Signature {
        Signature::new("Dr Chan", AT).unwrap()
    }

    fn draft_of(said: &str, lexicon: &Lexicon) -> (Transcript, Note) {
        let transcript = read(said.as_bytes()).unwrap();
        let mut note = extract(&transcript, lexicon);
        note.sections = sections(&note, Language::English);
        (transcript, note)
    }

    fn draft(lexicon: &Lexicon) -> (Transcript, Note) {
        draft_of(SAID, lexicon)
    }

    fn recoded(note: &Note, lexicon: &Lexicon) -> Note {
        let index = note.conditions.iter().position(|found| found.display.en == "Headache").unwrap();
        let concept = Concept::Condition { icd10: "G43.9".into(), en: "Migraine".into() };
        let edit = NoteEdit::Recode { finding: FindingRef { kind: FindingKind::Condition, index }, concept };
        apply(note, edit, "Dr Chan", AT, lexicon).unwrap()
    }

    #[test]
    fn what_is_mapped_twice_is_learned_and_can_be_forgotten() {
        let lexicon = Lexicon::builtin().unwrap();
        let (transcript, note) = draft(&lexicon);
        let outcome = Outcome::new(&note, &recoded(&note, &lexicon), &signature(), None, &lexicon);
        assert_eq!(outcome.corrections.len(), 1, "{:?}", outcome.corrections);
        assert!(learned(std::slice::from_ref(&outcome), "Dr Chan").is_empty(), "once is no habit");
        let twice = [outcome.clone(), outcome.clone()];
        let known = learned(&twice, "Dr Chan");
        assert_eq!(known.len(), 1);
        assert_eq!((known[0].words.reveal(), known[0].times), ("頭痛", 2));
        assert!(learned(&twice, "Dr Wong").is_empty(), "another's corrections teach nothing");
        let offers = known[0].offers(&transcript, &note, &lexicon);
        let [Offer::Recode { finding, .. }] = offers.as_slice() else { panic!("{offers:?}") };
        assert_eq!(note.conditions[finding.index].display.en, "Headache");
        assert!(known[0].offers(&transcript, &recoded(&note, &lexicon), &lexicon).is_empty(), "it is said already");
        let mut forgotten = twice;
        forgotten[1].corrections[0].forgotten = true;
        assert!(learned(&forgotten, "Dr Chan").is_empty());
        assert_eq!(figures(&forgotten).corrected, [TermCount { term: "Headache".into(), times: 2 }]);
    }

    #[test]
    fn learned_words_are_found_as_words_and_where_they_are_the_findings_own() {
        let lexicon = Lexicon::builtin().unwrap();
        let learned = |words: &str| {
            let concept = Concept::Condition { icd10: "G43.9".into(), en: "Migraine".into() };
            Learned { words: words.into(), concept, times: TIMES }
        };
        let transcript = read("patient: PE, 食 PE 同 PET scan, hope.".as_bytes()).unwrap();
        let starts = |words: &str| learned(words).places(&transcript).iter().map(Span::start).collect::<Vec<_>>();
        assert_eq!((starts("PE"), starts("scan"), starts("can"), starts("hop")), (vec![0, 6], vec![15], vec![], vec![]));
        let (transcript, note) = draft(&lexicon);
        assert_eq!(learned("頭痛").offers(&transcript, &note, &lexicon).len(), 1);
        assert_eq!((learned("痛").places(&transcript).len(), learned("痛").offers(&transcript, &note, &lexicon)), (1, vec![]));
    }

    fn migraine() -> Concept {
        Concept::Condition { icd10: "G43.9".into(), en: "Migraine".into() }
    }

    /// Words that no lexicon knows, typed or dragged and coded in two signed notes.
    #[test]
    fn an_unknown_term_that_is_coded_twice_is_offered_where_it_is_said_and_where_it_is_typed() {
        let lexicon = Lexicon::builtin().unwrap();
        let edit = |note: &Note, edit| apply(note, edit, "Dr Chan", AT, &lexicon).unwrap();
        let (_, first) = draft(&lexicon);
        let typed = edit(&first, NoteEdit::Add { section: SectionCode::A, text: "Imp: Zorbital frimm".into() });
        let code = NoteEdit::Code { section: SectionCode::A, index: 0, concept: migraine() };
        let section = typed.sections.iter().find(|section| section.code == SectionCode::A).unwrap();
        assert_eq!(section.sentences.len(), 1, "only the typed line is assessed");
        let one = Outcome::new(&first, &edit(&typed, code), &signature(), None, &lexicon);
        let said = "patient: 我有 zorbital frimm 成日唔舒服。";
        let (_, second) = draft_of(said, &lexicon);
        let span = Span::new(0, 3, 17).unwrap();
        let phrase = NoteEdit::Phrase { section: SectionCode::S, span, text: "zorbital frimm".into(), concept: Some(migraine()) };
        let two = Outcome::new(&second, &edit(&second, phrase.clone()), &signature(), None, &lexicon);
        let known = learned(&[one.clone(), two.clone()], "Dr Chan");
        assert_eq!(known.iter().map(|one| (one.words.reveal(), one.times)).collect::<Vec<_>>(), [("Zorbital frimm", 2)]);
        assert_eq!(figures(&[one, two]).corrected, [] as [TermCount; 0], "no draft called it anything");

        let (transcript, note) = draft_of(said, &lexicon);
        let offers = known[0].offers(&transcript, &note, &lexicon);
        assert_eq!(offers, [Offer::Phrase { section: SectionCode::A, span, concept: migraine() }]);
        let taken = edit(&note, phrase);
        assert_eq!(known[0].offers(&transcript, &taken, &lexicon), [], "it is taken");
        let typed = edit(&note, NoteEdit::Add { section: SectionCode::S, text: "PMH zorbital frimm".into() });
        let offers = known[0].offers(&transcript, &typed, &lexicon);
        assert!(offers.contains(&Offer::Code { section: SectionCode::S, index: 0, concept: migraine() }), "{offers:?}");
    }

    #[test]
    fn what_denies_a_learned_term_is_taken_with_it() {
        let lexicon = Lexicon::builtin().unwrap();
        let known = Learned { words: "zorbital frimm".into(), concept: migraine(), times: TIMES };
        let (transcript, note) = draft_of("patient: 我冇 zorbital frimm。", &lexicon);
        let offers = known.offers(&transcript, &note, &lexicon);
        let [Offer::Phrase { section, span, concept }] = offers.as_slice() else { panic!("{offers:?}") };
        let (section, span, concept) = (*section, *span, concept.clone());
        let text: String = "我冇 zorbital frimm。".chars().skip(span.start()).take(span.end() - span.start()).collect();
        let edit = NoteEdit::Phrase { section, span, text: text.as_str().into(), concept: Some(concept) };
        let taken = apply(&note, edit, "Dr Chan", AT, &lexicon).unwrap();
        assert_eq!(taken.conditions.last().unwrap().assertion, Assertion::Absent);
    }
}
