//! The page of a view, and a copy of it: pictures of what is shared with who looks drawn over all of it.
//!
//! The mark is of the pictures' own pixels, and stands among the lines that are laid over them, so that it is copied with them. It cannot keep
//! anybody from painting it out or from copying what they read by hand.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::super::words::{domain, escaped, minute};
use super::held::Held;
use crate::consent::Use;
use crate::letter::{PAGE, Picture, Piece, PlacedLine};
use crate::note::SectionCode;
use crate::note::compose::Language;
use crate::sharing::{View, Watermark};
use crate::text::PatientText;

/// What stands for a character that no font has.
const BOX: char = '□';
/// The look of a page, within one that is taken away.
const STYLE: &str = include_str!("../../page/view.css");

/// What a copy may load: the look and the pictures that are in it, and nothing else. It stands in the copy too, which is opened without a server.
static COPY_RULES: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'")
});
/// The same as the header of the answer.
pub(super) static COPY_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!("{}; frame-ancestors 'none'", *COPY_RULES);
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// Who looks, in words: viewer, organisation, time, entry of the log.
pub(super) fn words(mark: &Watermark) -> String {
    format!("{} · {} · {} HKT · #{}", mark.viewer(), mark.organisation(), minute(mark.at()), mark.entry())
}

/// The same on what is taken out of a view: how, too.
pub(super) fn words_of_copy(mark: &Watermark, to: Use, language: Language) -> String {
    let taken = match to {
        Use::View => language.pick("read", "查閱"),
        Use::Print => language.pick("print", "列印"),
        Use::Download => language.pick("copy", "下載"),
        Use::Forward => language.pick("passed on", "轉交"),
    };
    format!("{} · {taken}", words(mark))
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
    let address = |number, _: &Picture| format!("/v1/views/{}/pictures/{number}", escaped(id));
    whole(&words(held.view.watermark()), held.language, (class, head), &drawn(&held.pictures, address))
}

/// A page that stands alone, with its pictures in it: for printing and taking away. `mark` is what is drawn over them.
pub(super) fn copy(pictures: &[Picture], mark: &str, language: Language) -> String {
    let head = format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n<style>{STYLE}</style>", *COPY_RULES);
    let within = |_, picture: &Picture| format!("data:image/png;base64,{}", STANDARD.encode(&picture.png));
    whole(mark, language, ("view", &head), &drawn(pictures, within))
}

fn whole(mark: &str, language: Language, (class, head): (&str, &str), body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{}</title>\n{head}\n</head>\n<body class=\"{class}\">\n{body}</body>\n</html>\n",
        language.pick("en", "zh-Hant-HK"),
        escaped(mark)
    )
}

/// Pictures, each from its address and with its lines where they stand in it: to be searched, read aloud and copied, the mark's too.
fn drawn(pictures: &[Picture], address: impl Fn(usize, &Picture) -> String) -> String {
    let (width, height) = PAGE;
    let mut html = String::new();
    // Writing into a String cannot fail.
    for (number, picture) in pictures.iter().enumerate() {
        let _ = writeln!(
            html,
            "<svg class=\"sheet\" viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\">\n\
             <image href=\"{}\" width=\"{width}\" height=\"{height}\"/>",
            address(number, picture)
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
