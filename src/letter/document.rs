//! A letter before it has a form: what stands in it, in order.

use super::{Patient, Request};
use crate::identity::Sex;
use crate::note::compose::{self, Language};
use crate::note::{Allergy, AllergyStatus, Section, Sentence};
use crate::text::PatientText;

/// What stands behind a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// What the note or the request says.
    Stated(PatientText),
    /// Nothing: a line to write on, and why it is empty.
    Blank(&'static str),
}

/// A piece of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A name and what stands behind it.
    Field {
        /// The name.
        label: &'static str,
        /// What stands behind it.
        value: Value,
    },
    /// A sentence.
    Sentence(PatientText),
    /// Items under a heading.
    List {
        /// The heading.
        heading: &'static str,
        /// A line each.
        items: Vec<PatientText>,
    },
}

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What it is written in.
    pub language: Language,
    /// The clinic, a line each.
    pub institution: Vec<String>,
    /// What it is.
    pub title: &'static str,
    /// When the patient was seen, `YYYY-MM-DD`.
    pub date: String,
    /// Who it is about.
    pub patient: Vec<Block>,
    /// What it says.
    pub body: Vec<Block>,
    /// Who signs, and where.
    pub signature: Vec<Block>,
    /// What it was made from.
    pub origin: String,
    /// Lines that people wrote in the note and that this letter, which its reader may know all of, does not have.
    pub left_out: Vec<PatientText>,
}

/// Why a value is missing.
pub(super) fn not_stated(language: Language) -> Value {
    Value::Blank(language.pick("not stated in the note", "病歷沒有記載"))
}

impl Letter {
    /// A letter with all but its body.
    pub(super) fn new(request: &Request<'_>, title: (&'static str, &'static str)) -> Self {
        let language = request.language;
        let pick = |english, chinese| language.pick(english, chinese);
        let signature = vec![
            Block::Field { label: pick("Signature", "簽署"), value: Value::Blank("") },
            stated(pick("Doctor", "醫生"), request.clinician),
            Block::Field { label: pick("Date", "日期"), value: Value::Blank("") },
        ];
        Self {
            language,
            institution: request.institution.to_vec(),
            title: pick(title.0, title.1),
            date: request.seen.reveal(),
            patient: patient(request.patient, language),
            body: Vec::new(),
            signature,
            origin: origin(request),
            left_out: Vec::new(),
        }
    }

    /// Adds items under a heading, if there are any.
    pub(super) fn list(&mut self, heading: (&'static str, &'static str), items: Vec<PatientText>) {
        if !items.is_empty() {
            self.body.push(Block::List { heading: self.language.pick(heading.0, heading.1), items });
        }
    }

    /// Adds what the clinic's own list says of allergies, if there is one: for readers who treat the patient.
    pub(super) fn known_allergies(&mut self, request: &Request<'_>) {
        let Some(known) = &request.patient.allergies else { return };
        let (comma, none) = self.language.pick((", ", "none known"), ("、", "沒有已知過敏"));
        let words: Vec<&str> = known.iter().map(PatientText::reveal).collect();
        let words = if words.is_empty() { none.to_owned() } else { words.join(comma) };
        self.body.push(stated(self.language.pick("Allergies on file", "登記的過敏"), &words));
    }

    /// Adds a name with what the sentences say, or with a blank.
    pub(super) fn field(&mut self, label: (&'static str, &'static str), said: &[Sentence]) {
        let separator = self.language.pick(", ", "、");
        let words: Vec<&str> = said.iter().map(|sentence| sentence.text.reveal()).collect();
        let value = match words.is_empty() {
            true => not_stated(self.language),
            false => Value::Stated(PatientText::from(words.join(separator))),
        };
        self.body.push(Block::Field { label: self.language.pick(label.0, label.1), value });
    }
}

/// What a letter was made from, and whether somebody stands by it.
fn origin(request: &Request<'_>) -> String {
    let (by, language) = (request.clinician, request.language);
    match request.signed_at {
        Some(at) => {
            language.pick(format!("Written from the note that {by} signed, {at}."), format!("依據 {by} 簽署的病歷寫成（{at}）。"))
        }
        None => language.pick("DRAFT: the note is not signed.", "草稿：病歷未經簽署。").to_owned(),
    }
}

/// A name with what is known.
pub(super) fn stated(label: &'static str, value: &str) -> Block {
    Block::Field { label, value: Value::Stated(PatientText::from(value)) }
}

fn patient(patient: &Patient, language: Language) -> Vec<Block> {
    let unknown = || Value::Blank(language.pick("not recorded", "沒有記錄"));
    let field = |label, value: Option<PatientText>| Block::Field { label, value: value.map_or_else(unknown, Value::Stated) };
    let comma = language.pick(", ", "，");
    let sex = patient.sex.map(|sex| match sex {
        Sex::Female => language.pick("Female", "女"),
        Sex::Male => language.pick("Male", "男"),
    });
    let born = patient.born.map(|born| match patient.age {
        Some(age) => language.pick(format!("{} ({age} years)", born.reveal()), format!("{}（{age} 歲）", born.reveal())),
        None => born.reveal(),
    });
    let numbers: Vec<String> =
        patient.identifiers.iter().map(|(system, number)| format!("{system} {}", number.reveal())).collect();
    let numbers = (!numbers.is_empty()).then(|| PatientText::from(numbers.join(comma)));
    vec![
        field(language.pick("Name", "姓名"), patient.name.clone()),
        field(language.pick("Number", "號碼"), numbers),
        field(language.pick("Sex", "性別"), sex.map(PatientText::from)),
        field(language.pick("Date of birth", "出生日期"), born.map(PatientText::from)),
    ]
}

/// Lines that people wrote or changed.
pub(super) fn lines_of_people(sections: &[Section]) -> impl Iterator<Item = &Sentence> {
    let lines = sections.iter().flat_map(|section| &section.sentences);
    lines.filter(|line| line.provenance.is_by_a_person())
}

/// The texts of sentences.
pub(super) fn texts(sentences: impl IntoIterator<Item = Sentence>) -> Vec<PatientText> {
    sentences.into_iter().map(|sentence| sentence.text).collect()
}

/// The allergies of the note.
///
/// The machine does not claim that there is no drug allergy beside one to a drug. Of a substance that a person wrote a letter cannot
/// tell whether it is a drug, and says less rather than both.
pub(super) fn allergies(request: &Request<'_>) -> Vec<Sentence> {
    let mut note = request.note.clone();
    let present: Vec<Allergy> = note.allergies.iter().filter(|one| one.status == AllergyStatus::Present).cloned().collect();
    note.allergies.retain(|one| {
        let beside = |other: &Allergy| other.provenance.is_by_a_person() || one.provenance.is_by_a_person();
        !(one.is_no_drug_allergy() && present.iter().any(beside))
    });
    compose::words(&note, compose::Part::Allergies, request.language)
}

/// The words of a part of the note.
pub(super) fn words(request: &Request<'_>, part: compose::Part) -> Vec<Sentence> {
    compose::words(request.note, part, request.language)
}
