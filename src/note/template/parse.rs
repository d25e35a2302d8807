//! Reading a template.

use std::str::FromStr;

use super::{Field, LONGEST_TEMPLATE, Piece, Row, Template};
use crate::note::compose::Part;
use crate::note::{NoteError, SectionCode};

/// What begins the line that names what to leave out.
const LEAVE_OUT: &str = "leave out:";

/// Names of fields beside those of the parts: whole sections, and what records call two of them.
const SECTIONS: [(&str, SectionCode); 5] =
    [("S", SectionCode::S), ("O", SectionCode::O), ("A", SectionCode::A), ("P", SectionCode::P), ("Plan", SectionCode::P)];
const IMPRESSION: &str = "Imp";

impl FromStr for Template {
    type Err = NoteError;

    /// # Errors
    /// [`NoteError::Template`] with the line, counted from 1, and the field.
    fn from_str(text: &str) -> Result<Self, NoteError> {
        if text.len() > LONGEST_TEMPLATE {
            return Err(wrong(1, "", "the template has more than 16,384 bytes"));
        }
        let mut template = Self { left_out: Vec::new(), lines: Vec::new() };
        let mut section: Option<SectionCode> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim().trim_start_matches('\u{feff}');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.chars().any(|c| c.is_control() && c != '\t') {
                return Err(wrong(number, "", "it holds control characters"));
            }
            if let Some(names) = line.strip_prefix(LEAVE_OUT) {
                template.leave_out(number, names)?;
            } else if let Some(heading) = heading(line) {
                section = Some(next_section(number, heading, section)?);
            } else {
                let section = section
                    .ok_or_else(|| wrong(number, "", "it stands before the first section: `[S]`, `[O]`, `[A]` or `[P]`"))?;
                let pieces = pieces(number, line)?;
                template.check_said_once(number, &pieces)?;
                template.lines.push(Row { section, pieces });
            }
        }
        if template.lines.is_empty() { Err(wrong(1, "", "the template has no line with a field")) } else { Ok(template) }
    }
}

impl Template {
    fn leave_out(&mut self, number: usize, names: &str) -> Result<(), NoteError> {
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let parts = field(number, name)?.parts();
            if let Some(part) = parts.iter().find(|part| self.named().any(|named| named == **part)) {
                return Err(wrong(number, part.name(), "it is left out and named in a line"));
            }
            self.left_out.extend(parts);
        }
        Ok(())
    }

    fn check_said_once(&self, number: usize, pieces: &[Piece]) -> Result<(), NoteError> {
        let mut said: Vec<Field> = self.lines.iter().flat_map(|row| fields(&row.pieces)).collect();
        for field in fields(pieces) {
            if said.contains(&field) {
                return Err(wrong(number, name(field), "it is named twice: a note says it once"));
            }
            let parts = field.parts();
            if parts.iter().all(|part| self.left_out.contains(part)) {
                return Err(wrong(number, name(field), "it is left out and named in a line"));
            }
            said.push(field);
        }
        Ok(())
    }
}

fn fields(pieces: &[Piece]) -> impl Iterator<Item = Field> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Field(field) => Some(*field),
        Piece::Text(_) => None,
    })
}

fn heading(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.strip_suffix(']')
}

/// Sections come in the note's order, so that the note keeps it.
fn next_section(number: usize, heading: &str, before: Option<SectionCode>) -> Result<SectionCode, NoteError> {
    let named = SECTIONS.iter().take(4).find(|(name, _)| *name == heading.trim()).map(|(_, section)| *section);
    let section = named.ok_or_else(|| wrong(number, "", "there is no such section: `[S]`, `[O]`, `[A]` and `[P]` are"))?;
    if before.is_some_and(|before| before >= section) {
        return Err(wrong(number, "", "the sections come once each, in the order `[S]`, `[O]`, `[A]`, `[P]`"));
    }
    Ok(section)
}

fn pieces(number: usize, line: &str) -> Result<Vec<Piece>, NoteError> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some((text, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| wrong(number, "", "a `{{` has no `}}` behind it"))?;
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        pieces.push(Piece::Field(field(number, name.trim())?));
        rest = after;
    }
    if rest.contains("}}") || pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains("}}"))) {
        return Err(wrong(number, "", "a `}}` has no `{{` before it"));
    }
    if pieces.is_empty() {
        return Err(wrong(number, "", "a line without a field would stand in every note, whatever was said"));
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

fn field(number: usize, name: &str) -> Result<Field, NoteError> {
    if let Some((_, section)) = SECTIONS.iter().find(|(own, _)| *own == name) {
        return Ok(Field::Section(*section));
    }
    let part = if name == IMPRESSION { Some(Part::Diagnoses) } else { Part::named(name) };
    part.map(Field::Part)
        .ok_or_else(|| wrong(number, name, "there is no such field: `S`, `O`, `A`, `P`, `Plan`, `Imp` and the parts are"))
}

fn name(field: Field) -> &'static str {
    match field {
        Field::Part(part) => part.name(),
        Field::Section(section) => SECTIONS.iter().find(|(_, own)| *own == section).map_or("", |(name, _)| name),
    }
}

fn wrong(line: usize, field: &str, why: &'static str) -> NoteError {
    let shown: String = field.chars().take(40).collect();
    NoteError::Template { line, field: if shown.is_empty() { String::new() } else { format!(", field `{shown}`") }, why }
}
