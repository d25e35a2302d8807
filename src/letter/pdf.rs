//! Letters as PDF: sheets of A4 with the fonts' used characters embedded, so that the text can be searched and copied.
//!
//! First everything is placed, then the pages are written: so each page knows how many there are. Lengths are points.
//! What is read is tagged for screen readers: title, headings, lists and paragraphs, in their order over all pages.

use std::num::NonZeroU16;

use krilla::color::luma;
use krilla::configure::{Configuration, PdfVersion};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::tagging::{ArtifactType, ContentTag, Identifier, ListNumbering, Tag, TagGroup, TagTree};
use krilla::{Document, SerializeSettings};

use super::sheet::{Mark, Part, Sheet, place};
use super::{Letter, LetterError, Typefaces};

/// A4.
pub(super) const PAGE: (f32, f32) = (595.28, 841.89);

/// The document. The same letters and fonts give the same bytes.
///
/// # Errors
/// [`LetterError::NoFont`] without a font, [`LetterError::NoGlyph`] for a character that none has, [`LetterError::Pdf`].
pub fn to_pdf(letters: &[Letter], typefaces: &Typefaces) -> Result<Vec<u8>, LetterError> {
    let failed = |reason| move || LetterError::Pdf { reason };
    // From 1.6 on krilla writes that no tag is `Suspect`, and poppler's tools, which misread `false`, call the entry wrong.
    let configuration = Configuration::new_with_version(PdfVersion::Pdf15);
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    if let Some(letter) = letters.first() {
        let metadata = Metadata::new().title(letter.title.to_owned()).language(letter.language.tag().to_owned());
        document.set_metadata(metadata.creator("cantoscribe".to_owned()));
    }
    let mut tree = TagTree::new();
    for letter in letters {
        let placed = place(letter, typefaces)?;
        let mut said: Vec<Vec<Identifier>> = vec![Vec::new(); placed.parts.len()];
        for sheet in placed.sheets {
            let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(failed("no page of this size"))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            draw(&mut surface, &sheet, typefaces, &mut said)?;
            surface.finish();
            page.finish();
        }
        tag(&mut tree, &placed.parts, said);
    }
    document.set_tag_tree(tree);
    document.finish().map_err(|_| LetterError::Pdf { reason: "a font cannot be embedded" })
}

/// Adds what a letter says to what is read out of the document: `said` has the marks of each part.
fn tag(tree: &mut TagTree, parts: &[Part], said: Vec<Vec<Identifier>>) {
    let mut list: Option<TagGroup> = None;
    for (part, marks) in parts.iter().zip(said).filter(|(_, marks)| !marks.is_empty()) {
        let marks = marks.into_iter().map(Into::into).collect();
        if *part == Part::Item {
            let body = TagGroup::with_children(Tag::LBody, marks);
            let list = list.get_or_insert_with(|| TagGroup::new(Tag::L(ListNumbering::Square)));
            list.push(TagGroup::with_children(Tag::LI, vec![body.into()]));
            continue;
        }
        if let Some(list) = list.take() {
            tree.push(list);
        }
        tree.push(match part {
            Part::Title => TagGroup::with_children(Tag::Hn(NonZeroU16::MIN, None), marks),
            Part::Heading => TagGroup::with_children(Tag::Hn(NonZeroU16::MIN.saturating_add(1), None), marks),
            Part::Paragraph | Part::Item => TagGroup::with_children(Tag::P, marks),
        });
    }
    if let Some(list) = list {
        tree.push(list);
    }
}

fn draw(
    surface: &mut Surface<'_>,
    sheet: &Sheet,
    typefaces: &Typefaces,
    said: &mut [Vec<Identifier>],
) -> Result<(), LetterError> {
    for mark in &sheet.marks {
        match mark {
            Mark::Text { x, y, size, bold, grey, text, part } => {
                let part = part.and_then(|part| said.get_mut(part));
                let tagged = surface.start_tagged(match part {
                    Some(_) => ContentTag::Other,
                    None => ContentTag::Artifact(ArtifactType::Other),
                });
                if let Some(marks) = part {
                    marks.push(tagged);
                }
                surface.set_fill(Some(ink(*grey)));
                let mut x = *x;
                for run in typefaces.runs(text, *bold)? {
                    let start = Point::from_xy(x, *y);
                    surface.draw_glyphs(start, &run.glyphs, run.typeface.font(), &run.text, *size, false);
                    x += run.width * size;
                }
                surface.end_tagged();
            }
            Mark::Box { x, y, width, height } => {
                surface.set_fill(Some(ink(0)));
                let mut path = PathBuilder::new();
                if let Some(area) = Rect::from_xywh(*x, *y, *width, *height) {
                    path.push_rect(area);
                }
                if let Some(path) = path.finish() {
                    surface.start_tagged(ContentTag::Artifact(ArtifactType::Other));
                    surface.draw_path(&path);
                    surface.end_tagged();
                }
            }
        }
    }
    Ok(())
}

fn ink(grey: u8) -> Fill {
    Fill { paint: luma::Color::new(grey).into(), opacity: NormalizedF32::ONE, rule: FillRule::default() }
}
