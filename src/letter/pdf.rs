//! Letters as PDF: sheets of A4 with the fonts' used characters embedded, so that the text can be searched and copied.
//!
//! First everything is placed, then the pages are written: so each page knows how many there are. Lengths are points.

use krilla::Document;
use krilla::color::luma;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;

use super::sheet::{Mark, Sheet, place};
use super::{Letter, LetterError, Typefaces};

/// A4.
pub(super) const PAGE: (f32, f32) = (595.28, 841.89);

/// The document. The same letters and fonts give the same bytes.
///
/// # Errors
/// [`LetterError::NoFont`] without a font, [`LetterError::NoGlyph`] for a character that none has, [`LetterError::Pdf`].
pub fn to_pdf(letters: &[Letter], typefaces: &Typefaces) -> Result<Vec<u8>, LetterError> {
    let failed = |reason| move || LetterError::Pdf { reason };
    let mut document = Document::new();
    if let Some(letter) = letters.first() {
        let metadata = Metadata::new().title(letter.title.to_owned()).language(letter.language.tag().to_owned());
        document.set_metadata(metadata.creator("cantoscribe".to_owned()));
    }
    for letter in letters {
        for sheet in place(letter, typefaces)? {
            let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(failed("no page of this size"))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            draw(&mut surface, &sheet, typefaces)?;
            surface.finish();
            page.finish();
        }
    }
    document.finish().map_err(|_| LetterError::Pdf { reason: "a font cannot be embedded" })
}

fn draw(surface: &mut Surface<'_>, sheet: &Sheet, typefaces: &Typefaces) -> Result<(), LetterError> {
    for mark in &sheet.marks {
        match mark {
            Mark::Text { x, y, size, bold, grey, text } => {
                surface.set_fill(Some(ink(*grey)));
                let mut x = *x;
                for run in typefaces.runs(text, *bold)? {
                    let start = Point::from_xy(x, *y);
                    surface.draw_glyphs(start, &run.glyphs, run.typeface.font(), &run.text, *size, false);
                    x += run.width * size;
                }
            }
            Mark::Box { x, y, width, height } => {
                surface.set_fill(Some(ink(0)));
                let mut path = PathBuilder::new();
                if let Some(area) = Rect::from_xywh(*x, *y, *width, *height) {
                    path.push_rect(area);
                }
                if let Some(path) = path.finish() {
                    surface.draw_path(&path);
                }
            }
        }
    }
    Ok(())
}

fn ink(grey: u8) -> Fill {
    Fill { paint: luma::Color::new(grey).into(), opacity: NormalizedF32::ONE, rule: FillRule::default() }
}
