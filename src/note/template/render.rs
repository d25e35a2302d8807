//! Writing the sections in a template's form.

use super::{Field, Piece, Row, Template};
use crate::note::compose::{Language, Line, Part, Phrase, lines_of};
use crate::note::{MedicationStatus, Note, Provenance, Section, SectionCode, Sentence};
use crate::text::PatientText;

/// What stands for a field that says nothing, in a line where another one does.
const NOTHING: &str = "–";

impl Template {
    /// The sections of a note in this form, those with nothing to say left out.
    #[must_use]
    pub fn sections(&self, note: &Note, language: Language) -> Vec<Section> {
        let mut machine = note.without_what_people_say();
        if self.left_out.contains(&Part::Prescriptions) {
            // Where the plan does not say how a drug is changed, it is among those that are taken.
            machine.medications.retain(|drug| drug.status != MedicationStatus::Planned);
        }
        let written = |code: SectionCode| {
            let mut sentences: Vec<Sentence> = Vec::new();
            for row in self.lines.iter().filter(|row| row.section == code) {
                sentences.extend(self.said(row, &machine, language));
            }
            if !self.has_whole(code) {
                let rest = lines_of(&machine, &self.unnamed(code), language);
                sentences.extend(rest.iter().filter_map(Line::sentence));
            }
            let own = note.sections.iter().filter(|section| section.code == code).flat_map(|section| &section.sentences);
            sentences.extend(own.filter(|line| line.provenance.is_by_a_person()).cloned());
            Section { code, sentences }
        };
        let all = [SectionCode::S, SectionCode::O, SectionCode::A, SectionCode::P].map(written);
        all.into_iter().filter(|section| !section.sentences.is_empty()).collect()
    }

    fn has_whole(&self, code: SectionCode) -> bool {
        let mut pieces = self.lines.iter().flat_map(|row| &row.pieces);
        pieces.any(|piece| *piece == Piece::Field(Field::Section(code)))
    }

    /// Parts of a section that no field is named after and that are not left out.
    fn unnamed(&self, code: SectionCode) -> Vec<Part> {
        Part::of(code).filter(|part| !self.left_out.contains(part) && self.named().all(|named| named != *part)).collect()
    }

    fn said(&self, row: &Row, note: &Note, language: Language) -> Vec<Sentence> {
        if let [Piece::Field(field)] = row.pieces.as_slice() {
            return self.alone(*field, note, language).iter().filter_map(Line::sentence).collect();
        }
        let mut text = String::new();
        let mut says: Vec<&Provenance> = Vec::new();
        for piece in &row.pieces {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Field(field) => {
                    let (words, said) = self.inline(*field, note, language);
                    text.push_str(if said.is_empty() { NOTHING } else { &words });
                    says.extend(said);
                }
            }
        }
        let line = Line { text: PatientText::from(text), says };
        line.sentence().into_iter().collect()
    }

    /// A line a finding, or the section's own lines.
    fn alone<'a>(&self, field: Field, note: &'a Note, language: Language) -> Vec<Line<'a>> {
        match field {
            Field::Part(part) => Phrase::lines(part.phrases(note, language), language),
            Field::Section(code) => lines_of(note, &self.unnamed(code), language),
        }
    }

    /// The words of a field within a line, and what they say.
    fn inline<'a>(&self, field: Field, note: &'a Note, language: Language) -> (String, Vec<&'a Provenance>) {
        match field {
            Field::Part(part) => Phrase::joined(part.phrases(note, language), language),
            Field::Section(code) => {
                let lines = lines_of(note, &self.unnamed(code), language);
                let words: Vec<&str> = lines.iter().map(|line| line.text.reveal()).collect();
                (words.join(language.pick(" ", "")), lines.iter().flat_map(|line| line.says.iter().copied()).collect())
            }
        }
    }
}
