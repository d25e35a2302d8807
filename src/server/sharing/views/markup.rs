//! The page of a view: what is shared, and over and between all of it who looks.
//!
//! The mark is text among the text, so that it is copied with it, and drawn over the whole page, so that a picture of it has it. It
//! cannot keep anybody from cutting it out or from copying what they read by hand.

use std::fmt::Write as _;

use super::super::words::{domain, escaped, minute};
use crate::note::SectionCode;
use crate::note::compose::Language;
use crate::sharing::{View, Watermark};

/// How often the mark is drawn over a page.
const MARKS: usize = 40;
/// Lines of the note between two marks in the text.
const BETWEEN: usize = 6;

/// Who looks, in words: viewer, organisation, time, entry of the log.
fn words(mark: &Watermark) -> String {
    format!("{} · {} · {} HKT · #{}", mark.viewer(), mark.organisation(), minute(mark.at()), mark.entry())
}

/// The page on a screen, which prints only where the consent says so.
pub(super) fn page(view: &View, language: Language, may_print: bool) -> String {
    let class = if may_print { "view" } else { "view unprintable" };
    write(view, view.watermark(), language, (class, "<link rel=\"stylesheet\" href=\"/assets/view.css\">"))
}

/// A page that stands alone: for printing and taking away.
pub(super) fn copy(view: &View, mark: &Watermark, language: Language) -> String {
    write(view, mark, language, ("view", "<link rel=\"stylesheet\" href=\"/assets/view.css\">"))
}

/// Writing into a String cannot fail.
fn write(view: &View, mark: &Watermark, language: Language, (class, head): (&str, &str)) -> String {
    let mark = escaped(&words(mark));
    let pick = |(english, chinese): (&'static str, &'static str)| language.pick(english, chinese);
    let (by, at) = view.signature();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{mark}</title>\n{head}\n</head>\n<body class=\"{class}\">\n<article>\n<p class=\"mark\">{mark}</p>\n<p class=\"signed\">{} {} · {}</p>\n",
        language.pick("en", "zh-Hant-HK"),
        pick(("Signed by", "簽署")),
        escaped(by),
        escaped(at)
    );
    let mut since = 0;
    for part in view.parts() {
        let _ = writeln!(html, "<h2>{}</h2>", pick(domain(part.domain)));
        if part.lines.is_empty() {
            let _ = writeln!(html, "<p class=\"none\">{}</p>", pick(("The note has nothing of this.", "記錄中沒有這項內容。")));
        }
        let mut section = None;
        for (code, line) in &part.lines {
            if section != Some(*code) {
                let _ = writeln!(html, "<h3>{}</h3>", heading(*code));
                section = Some(*code);
            }
            let _ = writeln!(html, "<p>{}</p>", escaped(line.reveal()));
            since += 1;
            if since == BETWEEN {
                let _ = writeln!(html, "<p class=\"mark\">{mark}</p>");
                since = 0;
            }
        }
    }
    let _ = writeln!(html, "<p class=\"mark\">{mark}</p>\n</article>\n<div class=\"marks\" aria-hidden=\"true\">");
    for _ in 0..MARKS {
        let _ = writeln!(html, "<span>{mark}</span>");
    }
    html.push_str("</div>\n</body>\n</html>\n");
    html
}

fn heading(code: SectionCode) -> &'static str {
    match code {
        SectionCode::S => "S",
        SectionCode::O => "O",
        SectionCode::A => "A",
        SectionCode::P => "P",
    }
}
