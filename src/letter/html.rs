//! Letters as one HTML page without script, made to be printed: a sheet of A4 each.

use std::fmt::Write as _;

use super::{Block, Letter, Value};
use crate::note::compose::Language;

/// The look: black on white, for paper.
const STYLE: &str = include_str!("letter.css");

/// The page. All that is not ours is escaped.
#[must_use]
pub fn to_html(letters: &[Letter]) -> String {
    let first = letters.first();
    let language = first.map_or(Language::English, |letter| letter.language);
    let title = first.map_or("", |letter| letter.title);
    let tag = language.pick("en", "zh-Hant-HK");
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        escaped(title)
    );
    for letter in letters {
        write_letter(&mut html, letter);
    }
    html.push_str("</body>\n</html>\n");
    html
}

/// Writing into a String cannot fail.
fn write_letter(html: &mut String, letter: &Letter) {
    let date = letter.language.pick("Date", "日期");
    html.push_str("<article>\n<header>\n");
    for line in &letter.institution {
        let _ = writeln!(html, "<p class=\"institution\">{}</p>", escaped(line));
    }
    let _ = writeln!(html, "<h1>{}</h1>\n<p class=\"date\">{date} {}</p>\n</header>", letter.title, letter.date);
    blocks(html, "patient", &letter.patient);
    blocks(html, "body", &letter.body);
    blocks(html, "signature", &letter.signature);
    let _ = writeln!(html, "<footer>{}</footer>", escaped(&letter.origin));
    html.push_str("</article>\n");
    if !letter.left_out.is_empty() {
        let heading = letter
            .language
            .pick("Lines of the note that are not in this letter (not printed)", "病歷中沒有寫入此信的句子（不會列印）");
        let items: String = letter.left_out.iter().map(|line| format!("<li>{}</li>\n", escaped(line.reveal()))).collect();
        let _ = writeln!(html, "<aside>\n<h2>{heading}</h2>\n<ul>\n{items}</ul>\n</aside>");
    }
}

/// Names and values in a description list, with what is not one between.
fn blocks(html: &mut String, class: &str, blocks: &[Block]) {
    let _ = writeln!(html, "<section class=\"{class}\">");
    let mut open = false;
    for block in blocks {
        let field = matches!(block, Block::Field { .. });
        if field != open {
            html.push_str(if field { "<dl>\n" } else { "</dl>\n" });
            open = field;
        }
        match block {
            Block::Field { label, value } => {
                let _ = writeln!(html, "<div><dt>{label}</dt><dd>{}</dd></div>", shown(value));
            }
            Block::Sentence(words) => {
                let _ = writeln!(html, "<p>{}</p>", escaped(words.reveal()));
            }
            Block::List { heading, items } => {
                let items: String = items.iter().map(|item| format!("<li>{}</li>\n", escaped(item.reveal()))).collect();
                let _ = writeln!(html, "<h2>{heading}</h2>\n<ul>\n{items}</ul>");
            }
        }
    }
    html.push_str(if open { "</dl>\n</section>\n" } else { "</section>\n" });
}

fn shown(value: &Value) -> String {
    match value {
        Value::Stated(words) => escaped(words.reveal()),
        Value::Blank("") => "<span class=\"blank\"></span>".to_owned(),
        Value::Blank(why) => format!("<span class=\"blank\"></span> <small>({why})</small>"),
    }
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_control() => html.push(' '),
            c => html.push(c),
        }
    }
    html
}
