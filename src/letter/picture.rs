//! Text as pictures of pages, with a mark drawn over each, and where each line stands in them.
//!
//! A picture has no text that could be taken out of it without the mark: the mark is of the same pixels. Who shows it lays the lines over
//! it, so that it can be read aloud and searched.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Transform};

use super::typeface::Typefaces;
use super::{LetterError, wrap};
use crate::text::PatientText;

/// Pixels of a page: A4 at 108 to the inch.
pub const PAGE: (u16, u16) = (893, 1263);
const MARGIN: f32 = 64.0;
const LEADING: f32 = 1.5;
/// Sizes of text in pixels.
const HEADING: f32 = 21.0;
const BODY: f32 = 17.0;
const SMALL: f32 = 12.5;
/// The mark that goes over the page: its size, how far apart its copies are, and how it leans.
const MARK: f32 = 17.0;
const ROWS: f32 = 118.0;
const GAP: f32 = 70.0;
const LEAN: f32 = -24.0;

/// A piece of what a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// In large letters.
    Heading(PatientText),
    /// Usual text.
    Text(PatientText),
    /// Small and grey.
    Note(PatientText),
}

/// A line as it stands in a picture, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedLine {
    /// Where it begins.
    pub x: f32,
    /// Its base line.
    pub y: f32,
    /// How wide it is.
    pub width: f32,
    /// The size of its letters.
    pub size: f32,
    /// What it says.
    pub text: PatientText,
}

/// One page.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// A PNG of [`PAGE`]'s size.
    pub png: Vec<u8>,
    /// Its lines, the mark's among them.
    pub lines: Vec<PlacedLine>,
}

/// The pages of these pieces. `mark` is drawn over all of each page, and stands as a line at its top and foot.
///
/// # Errors
/// [`LetterError::NoFont`] and [`LetterError::NoGlyph`] where a character has no picture, [`LetterError::Picture`].
pub fn to_pictures(pieces: &[Piece], mark: &str, typefaces: &Typefaces) -> Result<Vec<Picture>, LetterError> {
    let width = f32::from(PAGE.0) - 2.0 * MARGIN;
    let bottom = f32::from(PAGE.1) - MARGIN - SMALL * LEADING;
    let mut pages: Vec<Vec<(PlacedLine, bool)>> = Vec::new();
    let mut y = f32::INFINITY;
    for piece in pieces {
        let (text, size, before) = match piece {
            Piece::Heading(text) => (text, HEADING, 14.0),
            Piece::Text(text) => (text, BODY, 2.0),
            Piece::Note(text) => (text, SMALL, 2.0),
        };
        let measure = |text: &str| typefaces.width(text, false).map(|width| width * size);
        y += before;
        for line in wrap::lines(text.reveal(), width, &measure)? {
            if y + size * LEADING > bottom {
                pages.push(vec![(placed(mark, MARGIN, MARGIN, SMALL, typefaces)?, true)]);
                y = MARGIN + 2.0 * SMALL;
            }
            y += size * LEADING;
            let grey = matches!(piece, Piece::Note(_));
            if let Some(page) = pages.last_mut() {
                page.push((placed(&line, MARGIN, y, size, typefaces)?, grey));
            }
        }
    }
    let foot = placed(mark, MARGIN, f32::from(PAGE.1) - MARGIN + SMALL, SMALL, typefaces)?;
    pages.into_iter().map(|lines| draw(lines, (&foot, mark), typefaces)).collect()
}

fn placed(text: &str, x: f32, y: f32, size: f32, typefaces: &Typefaces) -> Result<PlacedLine, LetterError> {
    Ok(PlacedLine { x, y, width: typefaces.width(text, false)? * size, size, text: PatientText::from(text) })
}

fn draw(
    mut lines: Vec<(PlacedLine, bool)>,
    (foot, mark): (&PlacedLine, &str),
    typefaces: &Typefaces,
) -> Result<Picture, LetterError> {
    lines.push((foot.clone(), true));
    let mut pixmap = Pixmap::new(u32::from(PAGE.0), u32::from(PAGE.1)).ok_or(LetterError::Picture)?;
    pixmap.fill(Color::WHITE);
    for (line, grey) in &lines {
        let ink = if *grey { Color::from_rgba8(107, 118, 132, 255) } else { Color::from_rgba8(22, 33, 43, 255) };
        set(&mut pixmap, line, ink, Transform::identity(), typefaces)?;
    }
    let (middle_x, middle_y) = (f32::from(PAGE.0) / 2.0, f32::from(PAGE.1) / 2.0);
    let lean = Transform::from_rotate_at(LEAN, middle_x, middle_y);
    let copy = placed(mark, 0.0, 0.0, MARK, typefaces)?;
    let step = copy.width + GAP;
    // Wide enough for the corners of a page that leans.
    let reach = f32::from(PAGE.1);
    let (mut y, mut row) = (middle_y - reach, 0.0_f32);
    while y < middle_y + reach {
        let mut x = middle_x - reach - (row % 2.0) * step / 2.0;
        while x < middle_x + reach {
            set(&mut pixmap, &PlacedLine { x, y, ..copy.clone() }, Color::from_rgba8(22, 33, 43, 44), lean, typefaces)?;
            x += step;
        }
        y += ROWS;
        row += 1.0;
    }
    let png = pixmap.encode_png().map_err(|_| LetterError::Picture)?;
    Ok(Picture { png, lines: lines.into_iter().map(|(line, _)| line).collect() })
}

/// Fills the outlines of a line's characters.
fn set(pixmap: &mut Pixmap, line: &PlacedLine, ink: Color, lean: Transform, typefaces: &Typefaces) -> Result<(), LetterError> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(ink);
    let mut pen = Pen { path: PathBuilder::new(), x: line.x, y: line.y };
    for character in line.text.reveal().chars() {
        pen.x += typefaces.outline(character, line.size, &mut pen)? * line.size;
    }
    if let Some(path) = pen.path.finish() {
        pixmap.fill_path(&path, &paint, FillRule::Winding, lean, None);
    }
    Ok(())
}

/// Takes outlines, whose vertical axis goes up, to where they stand on a page.
pub(super) struct Pen {
    path: PathBuilder,
    x: f32,
    y: f32,
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.x + x, self.y - y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.x + x, self.y - y);
    }

    fn quad_to(&mut self, control_x: f32, control_y: f32, x: f32, y: f32) {
        self.path.quad_to(self.x + control_x, self.y - control_y, self.x + x, self.y - y);
    }

    fn curve_to(&mut self, first_x: f32, first_y: f32, second_x: f32, second_y: f32, x: f32, y: f32) {
        let (first, second) = ((self.x + first_x, self.y - first_y), (self.x + second_x, self.y - second_y));
        self.path.cubic_to(first.0, first.1, second.0, second.1, self.x + x, self.y - y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// How an outline is drawn at a size.
pub(super) fn settings(size: f32) -> DrawSettings<'static> {
    DrawSettings::unhinted(Size::new(size), LocationRef::default())
}
