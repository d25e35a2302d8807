//! What the lines of people say.
//!
//! A line is read as a record is written: what it begins with says how the rest is meant, and prose is read as if the doctor had
//! said it. A finding is taken only where it belongs in the section that the line is in, so that no family's disease and no drug
//! that was not taken becomes the patient's. Better no finding than a wrong one: the line itself is always there.

use super::shorthand::{self, Lead, doubt, items};
use crate::note::compose::{self, Language, condition_section, medication_section};
use crate::note::extract::{Utterance, extract};
use crate::note::{
    Allergy, AllergyStatus, Assertion, Condition, Evidence, Medication, MedicationStatus, Note, PlanItem, PlanKind, Provenance,
    SectionCode, Sentence, SocialItem, Span,
};
use crate::speech::{Segment, TRANSCRIPT_SCHEMA, Transcript};
use crate::terminology::{Lexicon, Meaning, TermKind};

/// First words of a line that denies all it names.
pub(super) const DENIALS: [&str; 10] = ["no ", "not ", "nil ", "denies ", "denied ", "without ", "無", "冇", "沒有", "否認"];

/// Reads the lines of people with one of these provenances anew: the findings that they said go, what they say now comes.
pub(super) fn read_anew(note: &mut Note, provenances: &[&Provenance], lexicon: &Lexicon) {
    let concerned = |provenance: &Provenance| provenance.is_by_a_person() && provenances.contains(&provenance);
    note.retain(|provenance| !concerned(provenance));
    let mut found = Vec::new();
    for section in &note.sections {
        for line in section.sentences.iter().filter(|line| concerned(&line.provenance)) {
            let line_says = Reader { lexicon, provenance: &line.provenance, section: section.code }.read(line.text.reveal());
            found.push(line_says);
        }
    }
    for line in found {
        note.conditions.extend(line.conditions);
        note.medications.extend(line.medications);
        note.allergies.extend(line.allergies);
        note.observations.extend(line.observations);
        note.plan.extend(line.plan);
        note.social.extend(line.social);
    }
}

/// A line of spoken words as a record would put it, if all its words are understood and read back as the same; or else as it is.
pub(super) fn worded(section: SectionCode, line: Sentence, lexicon: &Lexicon) -> Sentence {
    let reader = Reader { lexicon, provenance: &line.provenance, section };
    let found = reader.understood(line.text.reveal());
    if !reader.covers(&found, line.text.reveal()) {
        return line;
    }
    let found = reader.own(found);
    let lines = compose::lines(&found, Language::English).into_iter().filter(|(code, _)| *code == section);
    let words: Vec<String> = lines.flat_map(|(_, lines)| lines).map(|line| line.text.reveal().to_owned()).collect();
    let words = words.join(" ");
    if words.is_empty() || claims(&reader.read(&words)) != claims(&found) {
        return line;
    }
    Sentence { text: words.into(), reworded_from: None, provenance: line.provenance }
}

/// The findings that a line of a record claims in its section, of nobody in particular.
pub(in crate::note) fn claimed(section: SectionCode, line: &str, lexicon: &Lexicon) -> Note {
    let provenance = Provenance::Typed { by: String::new(), at: String::new(), evidence: Vec::new() };
    Reader { lexicon, provenance: &provenance, section }.read(line)
}

/// What findings claim, without the words that they were read from.
fn claims(note: &Note) -> Note {
    let mut claims = note.clone();
    claims.conditions.iter_mut().for_each(|condition| condition.text = "".into());
    claims.medications.iter_mut().for_each(|drug| drug.text = "".into());
    claims.plan.iter_mut().for_each(|item| item.text = "".into());
    claims.social.iter_mut().for_each(|item| item.text = "".into());
    claims.uncovered.clear();
    claims
}

/// Reads the words of a line in a section.
pub(super) struct Reader<'a> {
    pub(super) lexicon: &'a Lexicon,
    pub(super) provenance: &'a Provenance,
    pub(super) section: SectionCode,
}

impl Reader<'_> {
    /// The findings of one line, with the line's provenance.
    fn read(&self, line: &str) -> Note {
        self.own(self.understood(line))
    }

    /// The findings of one line, with the place of their words in it; of an item of a list, the place in the item.
    fn understood(&self, line: &str) -> Note {
        self.belonging(self.meant(line))
    }

    /// Whether words say anything by themselves.
    pub(super) fn knows(&self, words: &str) -> bool {
        let said = self.said(words);
        said.provenances().next().is_some() || !self.named(words).is_empty()
    }

    /// What a line means, whatever section its findings belong in.
    pub(super) fn meant(&self, line: &str) -> Note {
        let mut found = self.said("");
        for (start, part) in shorthand::parts(self.section, line) {
            let mut more = self.one(part);
            let offset = line.get(..start).unwrap_or_default().chars().count();
            if offset > 0 {
                each_provenance(&mut more, |provenance| *provenance = moved(provenance, offset));
            }
            found.conditions.extend(more.conditions);
            found.medications.extend(more.medications);
            found.allergies.extend(more.allergies);
            found.observations.extend(more.observations);
            found.plan.extend(more.plan);
            found.social.extend(more.social);
        }
        found
    }

    /// What one part of a line means.
    fn one(&self, line: &str) -> Note {
        let (lead, rest) = shorthand::lead(self.section, line);
        let mut found = self.said("");
        match lead {
            Lead::Complaint | Lead::Impression => found.conditions = self.conditions(rest, Some),
            Lead::Differential => found.conditions = self.conditions(rest, |assertion| if_held(assertion, Assertion::Possible)),
            Lead::History => found.conditions = self.conditions(rest, |assertion| if_held(assertion, Assertion::Historical)),
            Lead::Family => found.conditions = self.conditions(rest, |assertion| if_held(assertion, Assertion::Family)),
            Lead::Taken => found.medications = self.drugs(items(rest), "taking", MedicationStatus::Active).medications,
            Lead::Stopped => found.medications = self.drugs(items(rest), "stopped", MedicationStatus::Stopped).medications,
            Lead::Prescribed => found = self.prescribed(rest),
            Lead::Allergy => found.allergies = self.allergies(rest, AllergyStatus::Present),
            Lead::NoAllergy => found.allergies = self.allergies(rest, AllergyStatus::None),
            Lead::NoDrugAllergy => found.allergies = vec![self.allergy("drug", AllergyStatus::None)],
            Lead::Social(kind) => found.social = vec![self.social(kind, shorthand::unquoted(rest))],
            Lead::Plan(kind) => found.plan = vec![self.planned(kind, line, rest)],
            Lead::Prose if self.section == SectionCode::P => found = self.prescribed(rest),
            Lead::Prose => found = self.prose(rest),
        }
        found
    }

    /// What belongs in the section.
    fn belonging(&self, mut found: Note) -> Note {
        found.conditions.retain(|condition| condition_section(condition) == self.section);
        // What was stopped before the visit is told among the complaints, what is stopped now is planned.
        let told = |drug: &Medication| drug.status == MedicationStatus::Stopped && self.section == SectionCode::S;
        found.medications.retain(|drug| medication_section(drug) == self.section || told(drug));
        if self.section != SectionCode::S {
            found.allergies.clear();
            found.social.clear();
        }
        if self.section != SectionCode::O {
            found.observations.clear();
        }
        if self.section != SectionCode::P {
            found.plan.clear();
        }
        found
    }

    /// With the line's provenance.
    fn own(&self, mut found: Note) -> Note {
        each_provenance(&mut found, |provenance| *provenance = self.provenance.clone());
        found
    }

    /// Whether the findings rest on all that is said: each letter and digit is evidence or of a small word that rules ask for.
    fn covers(&self, found: &Note, words: &str) -> bool {
        let utterance = Utterance::new(&spoken(words), self.lexicon);
        let mut left: Vec<bool> = utterance.chars.iter().map(|c| c.is_alphanumeric()).collect();
        let evidence = found.provenances().flat_map(Provenance::spans).map(|span| span.start()..span.end());
        let small = utterance.found.iter().filter(|hit| match hit.meaning {
            Meaning::Term(term) => self.lexicon.term_kind(term).is_some_and(|kind| kind != TermKind::Salient),
            _ => false,
        });
        for range in evidence.chain(small.map(|hit| hit.start..hit.end)) {
            left.iter_mut().take(range.end).skip(range.start).for_each(|left| *left = false);
        }
        !left.contains(&true)
    }

    /// What the doctor would be heard to say with these words.
    fn said(&self, words: &str) -> Note {
        let (schema, language) = (TRANSCRIPT_SCHEMA.to_owned(), "yue".to_owned());
        let segments = vec![spoken(words)];
        extract(&Transcript { schema, language, model: None, audio: None, segments }, self.lexicon)
    }

    /// Conditions by item, each with the assertion that the lead makes of its own. Only possible is what has a question mark.
    fn conditions(&self, list: &str, lead: impl Fn(Assertion) -> Option<Assertion>) -> Vec<Condition> {
        let mut found = Vec::new();
        for item in items(list) {
            let (item, doubted) = doubt(item);
            let (item, lasting) = shorthand::lasting(item);
            for mut condition in self.named(item) {
                if doubted && condition.assertion == Assertion::Present {
                    condition.assertion = Assertion::Possible;
                }
                let Some(assertion) = lead(condition.assertion) else { continue };
                condition.assertion = assertion;
                if let Some((days, about)) = lasting.filter(|_| condition.duration_days.is_none()) {
                    (condition.duration_days, condition.duration_about) = (Some(days), about);
                }
                found.push(condition);
            }
        }
        found
    }

    /// The conditions that an item names, in full or by their abbreviations.
    fn named(&self, item: &str) -> Vec<Condition> {
        let found = self.said(item).conditions;
        if !found.is_empty() {
            return found;
        }
        shorthand::expanded(item).map(|item| self.said(&item).conditions).unwrap_or_default()
    }

    /// Drugs by item. A verb says what is done with one of which no more than its name stands there.
    fn drugs<'a>(&self, items: impl Iterator<Item = &'a str>, verb: &str, status: MedicationStatus) -> Note {
        let mut found = self.said("");
        for item in items {
            let said = self.said(&format!("{verb} {item}"));
            // Of a condition named with it the line says nothing: `On metformin` is no diagnosis here.
            found.medications.extend(said.medications.into_iter().map(|mut drug| {
                drug.status = status;
                drug
            }));
        }
        found
    }

    /// Drugs started, changed and stopped, and what else is planned.
    fn prescribed(&self, line: &str) -> Note {
        let arrow = line.split_once("->").or_else(|| line.split_once('→'));
        let Some((before, after)) = arrow else {
            let mut found = self.said(line);
            found.medications.iter_mut().filter(|drug| drug.status == MedicationStatus::Active).for_each(|drug| {
                drug.status = MedicationStatus::Planned;
            });
            return found;
        };
        // `metformin 500 mg BD -> 1 g BD` is the drug on the left as it stands on the right.
        let name = self.said(before).medications.first().map(|drug| drug.name.clone());
        let now = name.map(|name| format!("{name} {}", after.trim()));
        now.map_or_else(|| self.said(""), |now| self.drugs([now.as_str()].into_iter(), "", MedicationStatus::Planned))
    }

    fn allergies(&self, list: &str, status: AllergyStatus) -> Vec<Allergy> {
        let named = items(list).filter(|item| !denied(item) && !item.starts_with(['?', '？']));
        let known = |item: &str| {
            // What only sounds like a name stays as it was typed.
            let heard = self.said(&format!("allergic to {item}")).allergies.into_iter().next();
            heard.filter(|allergy| allergy.heard_as.is_none()).map_or_else(|| item.to_owned(), |allergy| allergy.substance)
        };
        named.map(|item| self.allergy(&known(item), status)).collect()
    }

    fn allergy(&self, substance: &str, status: AllergyStatus) -> Allergy {
        Allergy { substance: substance.to_owned(), status, heard_as: None, provenance: self.provenance.clone() }
    }

    fn social(&self, kind: &str, words: &str) -> SocialItem {
        SocialItem { kind: kind.to_owned(), text: words.into(), provenance: self.provenance.clone() }
    }

    fn planned(&self, kind: PlanKind, line: &str, rest: &str) -> PlanItem {
        let (what, days) = shorthand::planned(rest);
        // `FU 3/12` has no other words than its own.
        let text = if shorthand::days(what).is_some() || what.is_empty() { line.trim_end_matches(['.', '。']) } else { what };
        PlanItem { kind, text: text.into(), days, provenance: self.provenance.clone() }
    }

    /// Prose of the sections before the plan.
    fn prose(&self, line: &str) -> Note {
        let measured = shorthand::reading(line).filter(|_| self.section == SectionCode::O).map(|full| self.said(&full));
        if let Some(found) = measured.filter(|found| !found.observations.is_empty()) {
            return found;
        }
        let mut found = self.said(line);
        // `No CP, no SOB.` denies item by item.
        if found.conditions.len() < items(line).count() && items(line).all(denied) {
            found.conditions = self.conditions(line, Some);
        }
        if denied(line) {
            found.conditions.retain(|condition| condition.assertion == Assertion::Absent);
        }
        if line.contains(['?', '？']) {
            found.conditions = self.conditions(line, Some);
        }
        if found.conditions.iter().any(|condition| condition.assertion == Assertion::Family) {
            found.conditions.retain(|condition| condition.assertion == Assertion::Family);
        }
        // How somebody lives is no disease, and `non-smoker` least of all.
        if !found.social.is_empty() {
            found.conditions.clear();
        }
        found
    }
}

fn each_provenance(found: &mut Note, mut change: impl FnMut(&mut Provenance)) {
    found.conditions.iter_mut().for_each(|finding| change(&mut finding.provenance));
    found.medications.iter_mut().for_each(|finding| change(&mut finding.provenance));
    found.allergies.iter_mut().for_each(|finding| change(&mut finding.provenance));
    found.observations.iter_mut().for_each(|finding| change(&mut finding.provenance));
    found.plan.iter_mut().for_each(|finding| change(&mut finding.provenance));
    found.social.iter_mut().for_each(|finding| change(&mut finding.provenance));
}

/// The place in a line of what was found in a part of it.
fn moved(provenance: &Provenance, by: usize) -> Provenance {
    let Provenance::Heard { evidence, .. } = provenance else { return provenance.clone() };
    let spans = evidence.spans().iter().filter_map(|span| Span::new(span.segment(), span.start() + by, span.end() + by).ok());
    Evidence::new(spans.collect()).map_or_else(|_| provenance.clone(), Provenance::from)
}

/// Words as a segment of the doctor's.
fn spoken(words: &str) -> Segment {
    Segment {
        id: 0,
        start_ms: None,
        end_ms: None,
        speaker: Some("doctor".to_owned()),
        text: words.into(),
        confidence: None,
        words: None,
        tokens: None,
    }
}

/// What a lead makes of a condition that is there or may be; what is denied stays so, save in a family or among possibilities,
/// of which nothing is kept then.
fn if_held(assertion: Assertion, lead: Assertion) -> Option<Assertion> {
    match (assertion, lead) {
        (Assertion::Absent, Assertion::Historical) => Some(Assertion::Absent),
        (Assertion::Absent, _) | (Assertion::Possible, Assertion::Historical) => None,
        _ => Some(lead),
    }
}

fn denied(item: &str) -> bool {
    let item = item.trim_start().to_lowercase();
    matches!(item.as_str(), "no" | "nil" | "none" | "nkda") || DENIALS.iter().any(|denial| item.starts_with(denial))
}
