//! A note as plain text: each line followed by the words it rests on.

use std::fmt::Write as _;

use super::{Language, sections};
use crate::note::quote::Quotes;
use crate::note::{Edit, Note, Provenance, Section, SectionCode, Span};
use crate::speech::Transcript;

/// The note's sections, each line with its evidence below it: `[0:42] doctor 「血壓高」`.
///
/// A span that the transcript does not have (a note of another recording) is said to be missing. Nothing found is said too.
#[must_use]
pub fn to_text(note: &Note, transcript: &Transcript, language: Language) -> String {
    text_of(note, &sections(note, language), transcript, language)
}

/// The same of sections that have another form, such as a template's.
#[must_use]
pub fn text_of(note: &Note, sections: &[Section], transcript: &Transcript, language: Language) -> String {
    let quotes = Quotes::new(transcript);
    let mut text = String::new();
    // Writing into a String cannot fail.
    for section in sections {
        let _ = writeln!(text, "{}", heading(section.code, language));
        for sentence in &section.sentences {
            let _ = writeln!(text, "  {}", one_line(sentence.text.reveal()));
            for span in sentence.provenance.spans() {
                let _ = writeln!(text, "      {}", evidence(&quotes, *span, language));
            }
            if let Some(own) = &sentence.reworded_from {
                let own = one_line(own.reveal());
                let _ = writeln!(
                    text,
                    "      {}",
                    language.pick(format!("(reworded by a model; was: {own})"), format!("（由模型改寫；原為：{own}）"))
                );
            }
            if let Some(person) = person(&sentence.provenance, language) {
                let _ = writeln!(text, "      {person}");
            }
        }
    }
    if text.is_empty() {
        let _ = writeln!(text, "{}", language.pick("No findings.", "沒有發現。"));
    }
    if !note.uncovered.is_empty() {
        let _ = writeln!(text, "{}", language.pick("Not covered, please look", "未涵蓋，請覆核"));
        for uncovered in &note.uncovered {
            let _ = writeln!(text, "      {}", evidence(&quotes, uncovered.span, language));
        }
    }
    text
}

fn heading(code: SectionCode, language: Language) -> &'static str {
    match code {
        SectionCode::S => language.pick("S (subjective)", "S 主觀"),
        SectionCode::O => language.pick("O (objective)", "O 客觀"),
        SectionCode::A => language.pick("A (assessment)", "A 評估"),
        SectionCode::P => language.pick("P (plan)", "P 計劃"),
    }
}

fn evidence(quotes: &Quotes<'_>, span: Span, language: Language) -> String {
    let Some(quote) = quotes.get(span) else {
        let missing = language.pick("not in this transcript: segment", "不在此逐字稿：段落");
        return format!("({missing} {}, {}..{})", span.segment(), span.start(), span.end());
    };
    let time = quote.start_ms.map(|ms| format!("[{}] ", clock(ms))).unwrap_or_default();
    let speaker = quote.speaker.map(|name| format!("{} ", one_line(&name))).unwrap_or_default();
    format!("{time}{speaker}「{}」", one_line(quote.text.reveal()))
}

/// Who wrote a line, or changed it, and when.
fn person(provenance: &Provenance, language: Language) -> Option<String> {
    match provenance {
        Provenance::Heard { edited: None, .. } => None,
        Provenance::Heard { edited: Some(Edit { by, at, was }), .. } => {
            let (by, at, was) = (one_line(by), one_line(at), one_line(was.reveal()));
            Some(language.pick(format!("(edited by {by}, {at}; was: {was})"), format!("（{by} 修改，{at}；原為：{was}）")))
        }
        Provenance::Typed { by, at, .. } => {
            let (by, at) = (one_line(by), one_line(at));
            Some(language.pick(format!("(typed by {by}, {at})"), format!("（{by} 輸入，{at}）")))
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Minutes and seconds, and hours before them where there are any.
fn clock(ms: u64) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
