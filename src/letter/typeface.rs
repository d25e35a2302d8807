//! Fonts that letters are set in: which characters each has, and how wide they are.

use std::fmt;
use std::sync::Arc;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

use super::LetterError;

/// A font's file in memory and the face of it.
#[derive(Clone)]
pub struct Typeface {
    data: Arc<Vec<u8>>,
    index: u32,
    font: Font,
}

impl Typeface {
    /// The face with this index (0 but for a collection) of a TrueType or OpenType file.
    ///
    /// # Errors
    /// [`LetterError::Font`] where there is none.
    pub fn new(data: Vec<u8>, index: u32) -> Result<Self, LetterError> {
        let data = Arc::new(data);
        let failed = || LetterError::Font { reason: format!("it has no face {index} that can be embedded") };
        FontRef::from_index(&data, index).map_err(|error| LetterError::Font { reason: error.to_string() })?;
        let font = Font::new(Arc::clone(&data).into(), index).ok_or_else(failed)?;
        Ok(Self { data, index, font })
    }

    /// Whether it has a picture of this character.
    #[must_use]
    pub fn has(&self, character: char) -> bool {
        self.glyph(character).is_some()
    }

    pub(super) fn font(&self) -> Font {
        self.font.clone()
    }

    fn glyph(&self, character: char) -> Option<skrifa::GlyphId> {
        let font = FontRef::from_index(&self.data, self.index).ok()?;
        font.charmap().map(character).filter(|glyph| glyph.to_u32() != 0)
    }

    /// A glyph without an outline, as a space, draws nothing.
    fn draw(&self, glyph: skrifa::GlyphId, size: f32, pen: &mut super::picture::Pen) {
        let Ok(font) = FontRef::from_index(&self.data, self.index) else { return };
        if let Some(outline) = font.outline_glyphs().get(glyph) {
            let _ = outline.draw(super::picture::settings(size), pen);
        }
    }

    /// Width of a character in parts of the type size.
    fn advance(&self, glyph: skrifa::GlyphId) -> f32 {
        let Ok(font) = FontRef::from_index(&self.data, self.index) else { return 0.0 };
        let advance = font.glyph_metrics(Size::unscaled(), LocationRef::default()).advance_width(glyph);
        advance.unwrap_or_default() / self.font.units_per_em()
    }
}

impl fmt::Debug for Typeface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Typeface({} bytes, face {})", self.data.len(), self.index)
    }
}

/// Fonts in the order in which a character is looked for in them.
#[derive(Debug, Clone, Default)]
pub struct Typefaces {
    /// For all text.
    pub plain: Vec<Typeface>,
    /// For headings; a character that these lack is set in a plain one.
    pub bold: Vec<Typeface>,
}

/// Characters of one typeface in a row.
pub(super) struct Run<'a> {
    pub(super) typeface: &'a Typeface,
    pub(super) text: String,
    pub(super) glyphs: Vec<KrillaGlyph>,
    /// In parts of the type size.
    pub(super) width: f32,
}

impl Typefaces {
    /// Whether one of them has this character.
    pub fn have(&self, character: char) -> bool {
        self.plain.iter().any(|typeface| typeface.has(character))
    }

    /// The text as runs of glyphs, a glyph a character.
    pub(super) fn runs(&self, text: &str, bold: bool) -> Result<Vec<Run<'_>>, LetterError> {
        let mut runs: Vec<Run<'_>> = Vec::new();
        for character in text.chars() {
            let (typeface, glyph) = self.find(character, bold)?;
            let x_advance = typeface.advance(glyph);
            if runs.last().is_none_or(|run| !std::ptr::eq(run.typeface, typeface)) {
                runs.push(Run { typeface, text: String::new(), glyphs: Vec::new(), width: 0.0 });
            }
            let Some(run) = runs.last_mut() else { continue };
            let start = run.text.len();
            run.text.push(character);
            run.width += x_advance;
            run.glyphs.push(KrillaGlyph {
                glyph_id: GlyphId::new(glyph.to_u32()),
                text_range: start..run.text.len(),
                x_advance,
                x_offset: 0.0,
                y_offset: 0.0,
                y_advance: 0.0,
                location: None,
            });
        }
        Ok(runs)
    }

    /// Width in parts of the type size.
    pub(super) fn width(&self, text: &str, bold: bool) -> Result<f32, LetterError> {
        let widths = text.chars().map(|character| self.find(character, bold).map(|(typeface, glyph)| typeface.advance(glyph)));
        widths.sum()
    }

    /// Draws a character, and says its width in parts of the type size.
    pub(super) fn outline(&self, character: char, size: f32, pen: &mut super::picture::Pen) -> Result<f32, LetterError> {
        let (typeface, glyph) = self.find(character, false)?;
        typeface.draw(glyph, size, pen);
        Ok(typeface.advance(glyph))
    }

    fn find(&self, character: char, bold: bool) -> Result<(&Typeface, skrifa::GlyphId), LetterError> {
        let first = if bold { self.bold.as_slice() } else { &[] };
        let mut all = first.iter().chain(&self.plain);
        let found = all.find_map(|typeface| typeface.glyph(character).map(|glyph| (typeface, glyph)));
        match found {
            Some(found) => Ok(found),
            None if self.plain.is_empty() => Err(LetterError::NoFont),
            None => Err(LetterError::NoGlyph { code: u32::from(character) }),
        }
    }
}
