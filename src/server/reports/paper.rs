//! A report as a paper to be printed.

use super::super::sharing::minute;
use super::organisation::Document;
use crate::audit::report::{Finding, Principle, Rule};
use crate::audit::{ErasureReason, OrganisationId, PersonId};
use crate::letter::{Block, Letter, Value};
use crate::note::compose::Language;
use crate::text::PatientText;

/// The paper of a report.
pub(super) fn of(document: &Document) -> Letter {
    let Document { made_at, organisation, checkpoint, witnesses, report, .. } = document;
    let last = crate::audit::UnixMillis(report.to.0.saturating_sub(1));
    let field = |label, value: String| Block::Field { label, value: Value::Stated(PatientText::from(value)) };
    let mut head = vec![
        field("Period", format!("{} to {}", day(&minute(report.from)), day(&minute(last)))),
        field("Log", format!("{}, {} entries", checkpoint.origin, checkpoint.size)),
        field("Root", checkpoint.root.clone()),
    ];
    // First of all: nothing below is worth more than the log that it cites.
    let alarms = witnesses.iter().filter_map(|said| Some((said, said.alarm.as_ref()?)));
    let alarms: Vec<_> = alarms.map(|(said, alarm)| field("ALARM", format!("{alarm} ({})", said.witness))).collect();
    head.splice(0..0, alarms);
    head.extend(witnesses.iter().map(|said| {
        let cosigned = said.at.map_or_else(
            || "has cosigned nothing yet".to_owned(),
            |at| format!("cosigned the head of {} entries, {}", said.entries, minute(at)),
        );
        field("Witness", format!("{}: {cosigned}", said.witness))
    }));
    let mut body = vec![sentence(
        "Numbers in brackets are entries of the audit log, from 0. `cantoscribe audit verify` shows that the log is as it was signed; the \
         checkpoint at the end is its signed head. Patients are named by the log's pseudonyms.",
    )];
    for principle in Principle::ALL {
        let lines = report.lines.iter().filter(|line| line.principle == principle);
        let mut items: Vec<String> = lines
            .map(|line| {
                let (action, outcome) = (line.action.replace('_', " "), line.outcome);
                let action = line.reason.map_or_else(|| action.clone(), |reason| format!("{action} ({})", because(reason)));
                format!("{action}, {outcome}: {}, of {} patients [{}]", line.count, line.patients, line.entries)
            })
            .collect();
        if principle == Principle::Dpp6 {
            items.extend(report.access_requests.iter().map(|request| {
                let answered =
                    request.answered.map_or_else(|| "not answered".to_owned(), |at| format!("answered {}", minute(at)));
                let late = if request.late { ", LATE" } else { "" };
                let (received, due) = (minute(request.received), minute(request.due));
                format!(
                    "data access request of {}: {received}, due {due} (40 days), {answered}{late} [{}]",
                    request.patient, request.entries
                )
            }));
        }
        body.push(list(principle.title(), items));
    }
    let recipients = report.recipients.iter().map(|recipient| {
        let purpose =
            recipient.purpose.map_or_else(|| "purpose not stated".to_owned(), |purpose| format!("{purpose:?}").to_lowercase());
        let name = name(document, recipient.organisation);
        format!("{name}, {purpose}: of {} patients [{}]", recipient.patients, recipient.entries)
    });
    body.push(list("Recipients (GDPR Articles 15(1)(c) and 30(1)(d))", recipients.collect()));
    for rule in Rule::ALL {
        let found = report.unusual.iter().filter(|finding| finding.rule == rule).map(|finding| told(document, finding));
        let [english, chinese] = rule.stated();
        let stated = [format!("Looked for: {english}."), format!("準則：{chinese}。")];
        body.push(list(heading(rule), stated.into_iter().chain(found).collect()));
    }
    body.push(list("Checkpoint", checkpoint.note.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()));
    Letter {
        language: Language::English,
        institution: vec![organisation.clone()],
        title: "Report of the audit log",
        date: day(&minute(*made_at)),
        patient: head,
        body,
        signature: Vec::new(),
        origin: format!("Made by cantoscribe {} from the log {}", env!("CARGO_PKG_VERSION"), checkpoint.origin),
        left_out: Vec::new(),
    }
}

fn sentence(words: &str) -> Block {
    Block::Sentence(PatientText::from(words))
}

/// A list, which says when nothing is in it.
fn list(heading: &'static str, items: Vec<String>) -> Block {
    let items = if items.is_empty() { vec!["nothing".to_owned()] } else { items };
    Block::List { heading, items: items.into_iter().map(PatientText::from).collect() }
}

/// `2026-11-26` of a minute.
fn day(minute: &str) -> String {
    minute.chars().take(10).collect()
}

fn name(document: &Document, organisation: OrganisationId) -> String {
    document.organisations.get(&organisation).cloned().unwrap_or_else(|| organisation.to_string())
}

fn person(document: &Document, person: PersonId) -> String {
    document.people.get(&person).cloned().unwrap_or_else(|| person.to_string())
}

fn heading(rule: Rule) -> &'static str {
    match rule {
        Rule::BulkRead => "Unusual: many patients 異常：大量病人",
        Rule::ColleaguesChart => "Unusual: a colleague's chart 異常：同事的病歷",
        Rule::NightsInARow => "Unusual: nights in a row 異常：連續多晚",
        Rule::ManyRefusals => "Unusual: many refusals 異常：多次被拒",
        Rule::ManyCopies => "Unusual: many copies 異常：大量複本",
        Rule::ManyErasures => "Unusual: many erasures 異常：大量刪除",
        Rule::Emergency => "Without consent, in an emergency 緊急查閱（未經同意）",
        Rule::Recovery => "Unusual: accounts that were recovered 異常：重新登記的帳戶",
    }
}

const fn because(reason: ErasureReason) -> &'static str {
    match reason {
        ErasureReason::TermOver => "needed no longer, and the term is over",
        ErasureReason::PatientAsked => "the patient asked",
        ErasureReason::Mistake => "entered by mistake",
        ErasureReason::Ordered => "ordered by a court or the Privacy Commissioner",
    }
}

fn told(document: &Document, finding: &Finding) -> String {
    let what = match finding.rule {
        Rule::BulkRead => "patients（名病人）",
        Rule::ColleaguesChart => "looks（次查看）",
        Rule::NightsInARow => "nights（晚）",
        Rule::ManyRefusals => "refusals（次拒絕）",
        Rule::ManyCopies => "copies（份複本）",
        Rule::ManyErasures => "erasures（項刪除）",
        Rule::Emergency => "access（次查閱）",
        Rule::Recovery => "acts in the 24 hours after（項其後24小時的操作）",
    };
    let by = finding.offered_by.map_or_else(|| "the console".to_owned(), |administrator| person(document, administrator));
    let by = if finding.rule == Rule::Recovery { format!(" (let in again by {by} 准許重新登記)") } else { String::new() };
    let whom = finding.patient.map(|patient| format!(", patient 病人 {patient}")).unwrap_or_default();
    let (from, to) = (minute(finding.from), minute(finding.to));
    let who = person(document, finding.person);
    let outside = finding.organisation != document.whose;
    let house = if outside { format!(" of {}", name(document, finding.organisation)) } else { String::new() };
    format!("{who}{house}{by}: {} {what}{whom}, {from} to {to} [{}]", finding.count, finding.entries)
}
