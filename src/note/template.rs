//! A clinician's own form of the sections: plain text with named fields, and what to leave out.
//!
//! ```text
//! # The form of our diabetes clinic
//! leave out: family, social
//! [S]
//! C/O {{complaints}}
//! Drugs: {{medications}}
//! [A]
//! Imp: {{Imp}}
//! [P]
//! {{Plan}}
//! ```
//!
//! A line is said where the note has something for one of its fields, with the evidence of all it says. A line that is one field and
//! nothing else is said finding by finding. What is neither named nor left out, and what a person wrote, follows in its own section:
//! a template changes the form and loses nothing unless it says so.

mod parse;
mod render;

use super::SectionCode;
use super::compose::Part;

/// The most bytes of a template.
pub const LONGEST_TEMPLATE: usize = 16 << 10;

/// A template that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    left_out: Vec<Part>,
    lines: Vec<Row>,
}

/// A line of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    section: SectionCode,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Field),
}

/// What a field stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Part(Part),
    /// The section less what other fields say of it.
    Section(SectionCode),
}

impl Field {
    fn parts(self) -> Vec<Part> {
        match self {
            Self::Part(part) => vec![part],
            Self::Section(section) => Part::of(section).collect(),
        }
    }
}

impl Template {
    /// Parts that a field of the template is named after.
    fn named(&self) -> impl Iterator<Item = Part> {
        let pieces = self.lines.iter().flat_map(|row| &row.pieces);
        pieces.filter_map(|piece| match piece {
            Piece::Field(Field::Part(part)) => Some(*part),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
