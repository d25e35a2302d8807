//! The fonts of this machine, for letters and shared notes. None is in the program or in the repository.

use std::sync::OnceLock;

use fontdb::{Database, Family, Query, Stretch, Style, Weight};

use crate::letter::{Block, Letter, LetterError, Typeface, Typefaces, Value};

/// Families with Hong Kong's forms of the characters first, then Taiwan's, then whatever has them.
const FAMILIES: [&str; 12] = [
    "Noto Sans CJK HK",
    "Noto Sans HK",
    "Source Han Sans HK",
    "PingFang HK",
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Source Han Sans TC",
    "PingFang TC",
    "Microsoft JhengHei",
    "Noto Serif CJK HK",
    "Noto Serif CJK TC",
    "WenQuanYi Zen Hei",
];

/// What a font for letters must have, besides Latin letters.
const WANTED: [char; 4] = ['診', '嘅', '藥', 'A'];

/// The installed fonts that have every character of these letters.
///
/// # Errors
/// [`LetterError::NoFont`] where no font has Chinese characters, [`LetterError::Font`] where one cannot be read. A character that none
/// has is told when the PDF is written.
pub fn for_letters(letters: &[Letter]) -> Result<Typefaces, LetterError> {
    for_characters(characters(letters))
}

/// The same for any characters.
///
/// # Errors
/// As [`for_letters`].
pub fn for_characters(characters: impl Iterator<Item = char>) -> Result<Typefaces, LetterError> {
    let mut typefaces = chosen()?.clone();
    let mut missing: Vec<char> = characters.filter(|c| typefaces.plain.iter().all(|typeface| !typeface.has(*c))).collect();
    missing.sort_unstable();
    missing.dedup();
    for character in missing {
        if typefaces.plain.iter().all(|typeface| !typeface.has(character)) {
            typefaces.plain.extend(any_with(character));
        }
    }
    Ok(typefaces)
}

/// Whether there is a font with Chinese characters: without one no letter and no shared note can be drawn.
///
/// # Errors
/// [`LetterError::NoFont`] where there is none.
pub fn look() -> Result<(), LetterError> {
    chosen().map(drop)
}

/// Loading takes a while, and fonts do not change while the program runs; where there was none, it is looked for again.
fn chosen() -> Result<&'static Typefaces, LetterError> {
    static CHOSEN: OnceLock<Typefaces> = OnceLock::new();
    if let Some(typefaces) = CHOSEN.get() {
        return Ok(typefaces);
    }
    let database = installed();
    let named = FAMILIES.iter().find_map(|family| named(&database, family, Weight::NORMAL).filter(has_wanted));
    let plain = named.or_else(|| first(&database, has_wanted)).ok_or(LetterError::NoFont)?;
    let bold = FAMILIES.iter().find_map(|family| named_bold(&database, family)).filter(has_wanted);
    Ok(CHOSEN.get_or_init(|| Typefaces { plain: vec![plain], bold: bold.into_iter().collect() }))
}

fn installed() -> Database {
    let mut database = Database::new();
    database.load_system_fonts();
    database
}

fn named(database: &Database, family: &str, weight: Weight) -> Option<Typeface> {
    let families = [Family::Name(family)];
    let query = Query { families: &families, weight, stretch: Stretch::Normal, style: Style::Normal };
    load(database, database.query(&query)?)
}

/// A face that is bold indeed, not the nearest to it.
fn named_bold(database: &Database, family: &str) -> Option<Typeface> {
    let families = [Family::Name(family)];
    let query = Query { families: &families, weight: Weight::BOLD, stretch: Stretch::Normal, style: Style::Normal };
    let id = database.query(&query)?;
    database.face(id).filter(|face| face.weight >= Weight::SEMIBOLD)?;
    load(database, id)
}

fn any_with(character: char) -> Option<Typeface> {
    first(&installed(), |typeface| typeface.has(character))
}

fn first(database: &Database, fits: impl Fn(&Typeface) -> bool) -> Option<Typeface> {
    database.faces().filter_map(|face| load(database, face.id)).find(fits)
}

fn load(database: &Database, id: fontdb::ID) -> Option<Typeface> {
    database.with_face_data(id, |data, index| Typeface::new(data.to_vec(), index).ok()).flatten()
}

fn has_wanted(typeface: &Typeface) -> bool {
    WANTED.iter().all(|character| typeface.has(*character))
}

fn characters(letters: &[Letter]) -> impl Iterator<Item = char> {
    let blocks = letters.iter().flat_map(|letter| letter.patient.iter().chain(&letter.body).chain(&letter.signature));
    let said = blocks.flat_map(|block| match block {
        Block::Field { value: Value::Stated(words), .. } | Block::Sentence(words) => std::slice::from_ref(words),
        Block::Field { .. } => &[],
        Block::List { items, .. } => items.as_slice(),
    });
    let institutions = letters.iter().flat_map(|letter| &letter.institution).map(String::as_str);
    said.map(|words| words.reveal())
        .chain(institutions)
        .chain(letters.iter().map(|letter| letter.origin.as_str()))
        .flat_map(str::chars)
        .filter(|c| !c.is_control())
}
