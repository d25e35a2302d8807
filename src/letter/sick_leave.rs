//! The sick leave certificate: how long, what for, and the days where the clinician says the first one.

use super::document::{Block, Letter, Value, not_stated, stated};
use super::{LetterError, Request};
use crate::note::compose::{Language, condition_section};
use crate::note::{Assertion, PlanKind, SectionCode};
use crate::text::PatientText;

pub(super) fn letter(request: &Request<'_>) -> Result<Letter, LetterError> {
    let leave: Vec<_> = request.note.plan.iter().filter(|item| item.kind == PlanKind::SickLeave).collect();
    if leave.is_empty() {
        return Err(LetterError::NotInNote { what: "sick leave" });
    }
    let language = request.language;
    let mut letter = Letter::new(request, ("Sick leave certificate", "病假證明書"));
    let seen = request.seen.reveal();
    letter.body.push(Block::Sentence(PatientText::from(language.pick(
        format!("The above patient was seen on {seen} and is advised to take sick leave."),
        format!("上述病人於 {seen} 應診，建議休病假。"),
    ))));
    letter.body.push(Block::Field { label: language.pick("Diagnosis", "診斷"), value: diagnosis(request) });
    let days = length(leave.iter().filter_map(|item| item.days));
    let value = days.map_or_else(|| not_stated(language), |days| Value::Stated(PatientText::from(written(days, language))));
    letter.body.push(Block::Field { label: language.pick("Length", "期限"), value });
    letter.body.extend(course(request, days)?);
    Ok(letter)
}

/// Full names, for who reads it is no doctor. What only may be, a certificate does not state.
fn diagnosis(request: &Request<'_>) -> Value {
    let held = request.note.conditions.iter();
    let held = held.filter(|c| c.assertion == Assertion::Present && condition_section(c) == SectionCode::A);
    let mut names: Vec<&str> = Vec::new();
    for condition in held.filter(|condition| condition.sounds_like.is_none()) {
        let name = request.language.pick(condition.display.en.as_str(), condition.display.zh.as_str()).trim();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    match names.is_empty() {
        true => not_stated(request.language),
        false => Value::Stated(PatientText::from(names.join(request.language.pick(", ", "、")))),
    }
}

/// The length, if the note states one alone.
fn length(mut days: impl Iterator<Item = f64>) -> Option<f64> {
    let first = days.next().filter(|days| (0.5..=3650.0).contains(days))?;
    days.all(|other| other == first).then_some(first)
}

fn written(days: f64, language: Language) -> String {
    let plural = if days > 1.0 { "s" } else { "" };
    language.pick(format!("{days} day{plural}"), format!("{days} 天"))
}

/// First and last day, both included.
fn course(request: &Request<'_>, days: Option<f64>) -> Result<[Block; 2], LetterError> {
    let language = request.language;
    let (from, to) = (language.pick("From", "由"), language.pick("To", "至"));
    let blank =
        |label| Block::Field { label, value: Value::Blank(language.pick("both days included", "首尾兩天計算在內")) };
    let Some(first) = request.leave_from else { return Ok([blank(from), blank(to)]) };
    let Some(days) = days else { return Ok([stated(from, &first.reveal()), blank(to)]) };
    // Between half a day and ten years: the conversion is exact.
    let more = (days.ceil() as u16).saturating_sub(1);
    let last = first.later(more).map_err(|_| LetterError::Date)?;
    Ok([stated(from, &first.reveal()), stated(to, &last.reveal())])
}
