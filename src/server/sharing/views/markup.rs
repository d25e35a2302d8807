//! The page of a view: what is shared, and over and between all of it who looks.
//!
//! The mark is text among the text, so that it is copied with it, and drawn over the whole page, so that a picture of it has it. It
//! cannot keep anybody from cutting it out or from copying what they read by hand.

use std::fmt::Write as _;

use super::super::words::{domain, escaped, minute};
use super::held::Held;
use crate::letter::{PAGE, Piece, PlacedLine};
use crate::note::SectionCode;
use crate::note::compose::Language;
use crate::sharing::{View, Watermark};
use crate::text::PatientText;

/// How often the mark is drawn over a page of text.
const MARKS: usize = 40;
/// Lines of the note between two marks in the text.
const BETWEEN: usize = 6;
/// What stands for a character that no font has.
const BOX: char = '□';
/// The look of a page of text, for one that is taken away.
const STYLE: &str = include_str!("../../page/view.css");

/// Who looks, in words: viewer, organisation, time, entry of the log.
pub(super) fn words(mark: &Watermark) -> String {
    format!("{} · {} · {} HKT · #{}", mark.viewer(), mark.organisation(), minute(mark.at()), mark.entry())
}

/// What a view shows, without its mark.
pub(super) fn pieces(view: &View, language: Language) -> Vec<Piece> {
    let pick = |(english, chinese): (&'static str, &'static str)| language.pick(english, chinese);
    let (by, at) = view.signature();
    let mut pieces = vec![Piece::Note(PatientText::from(format!("{} {by} · {at}", pick(("Signed by", "簽署")))))];
    for part in view.parts() {
        pieces.push(Piece::Heading(pick(domain(part.domain)).into()));
        if part.lines.is_empty() {
            pieces.push(Piece::Note(pick(("The note has nothing of this.", "記錄中沒有這項內容。")).into()));
        }
        let mut section = None;
        for (code, line) in &part.lines {
            if section != Some(*code) {
                pieces.push(Piece::Note(heading(*code).into()));
                section = Some(*code);
            }
            pieces.push(Piece::Text(line.clone()));
        }
    }
    pieces
}

/// The same in characters that can be drawn: others have a box in their place, which is said above. An unusual one, in a note that was typed
/// elsewhere, must not keep anybody from reading the rest.
pub(super) fn in_characters(
    mut pieces: Vec<Piece>,
    mark: &str,
    language: Language,
    can_draw: impl Fn(char) -> bool,
) -> (Vec<Piece>, String) {
    let shown = |c: char| match c {
        '\n' => c,
        _ if c.is_control() => ' ',
        _ if can_draw(c) => c,
        _ => BOX,
    };
    let boxed = |text: &str| -> String { text.chars().map(shown).collect() };
    let mut left_out = false;
    for piece in &mut pieces {
        let (Piece::Heading(text) | Piece::Text(text) | Piece::Note(text)) = piece;
        let drawn = boxed(text.reveal());
        left_out |= drawn.matches(BOX).count() != text.reveal().matches(BOX).count();
        *text = drawn.into();
    }
    if left_out {
        let said = language.pick("□ stands for a character that this server cannot draw.", "□代表此伺服器未能顯示的字符。");
        pieces.insert(0, Piece::Note(said.into()));
    }
    (pieces, boxed(mark))
}

/// The page on a screen, which prints only where the consent says so: pictures with their text laid over them unseen.
pub(super) fn page(held: &Held, id: &str) -> String {
    let class = if held.uses.print { "view" } else { "view unprintable" };
    let head = "<link rel=\"stylesheet\" href=\"/assets/view.css\">";
    whole(held.view.watermark(), held.language, (class, head), &drawn(held, id))
}

/// A page that stands alone: for printing and taking away.
pub(super) fn copy(view: &View, mark: &Watermark, language: Language) -> String {
    whole(mark, language, ("view", &format!("<style>\n{STYLE}</style>")), &text(view, mark, language))
}

fn whole(mark: &Watermark, language: Language, (class, head): (&str, &str), body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{}</title>\n{head}\n</head>\n<body class=\"{class}\">\n{body}</body>\n</html>\n",
        language.pick("en", "zh-Hant-HK"),
        escaped(&words(mark))
    )
}

/// Pictures, each with its lines where they stand in it: to be searched, read aloud and copied, the mark's too.
fn drawn(held: &Held, id: &str) -> String {
    let (width, height) = PAGE;
    let mut html = String::new();
    // Writing into a String cannot fail.
    for (number, picture) in held.pictures.iter().enumerate() {
        let _ = writeln!(
            html,
            "<svg class=\"sheet\" viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\">\n\
             <image href=\"/v1/views/{}/pictures/{number}\" width=\"{width}\" height=\"{height}\"/>",
            escaped(id)
        );
        for PlacedLine { x, y, width, size, text } in &picture.lines {
            let _ = writeln!(
                html,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"transparent\">{}</text>",
                escaped(text.reveal())
            );
        }
        html.push_str("</svg>\n");
    }
    html
}

fn text(view: &View, mark: &Watermark, language: Language) -> String {
    let mark = escaped(&words(mark));
    let mut html = format!("<article>\n<p class=\"mark\">{mark}</p>\n");
    for (number, piece) in pieces(view, language).iter().enumerate() {
        let _ = match piece {
            Piece::Heading(text) => writeln!(html, "<h2>{}</h2>", escaped(text.reveal())),
            Piece::Text(text) => writeln!(html, "<p>{}</p>", escaped(text.reveal())),
            Piece::Note(text) => writeln!(html, "<p class=\"note\">{}</p>", escaped(text.reveal())),
        };
        if number % BETWEEN == BETWEEN - 1 {
            let _ = writeln!(html, "<p class=\"mark\">{mark}</p>");
        }
    }
    let _ = writeln!(html, "<p class=\"mark\">{mark}</p>\n</article>\n<div class=\"marks\" aria-hidden=\"true\">");
    for _ in 0..MARKS {
        let _ = writeln!(html, "<span>{mark}</span>");
    }
    html.push_str("</div>\n");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_has_is_a_box_and_is_said() {
        let pieces = || vec![Piece::Text("胸痛\t\u{1f600} x".into()), Piece::Note("fine □".into())];
        let (drawn, mark) = in_characters(pieces(), "Dr \u{1f600}", Language::English, |c| c != '\u{1f600}');
        assert_eq!(mark, "Dr □");
        assert_eq!(drawn[1..], [Piece::Text("胸痛 □ x".into()), Piece::Note("fine □".into())]);
        assert!(matches!(&drawn[0], Piece::Note(said) if said.reveal().starts_with("□ stands for")));
        let (drawn, _) = in_characters(pieces(), "", Language::English, |_| true);
        assert_eq!(drawn.len(), 2, "nothing is said where nothing is left out");
    }
}
