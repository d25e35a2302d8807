//! Where everything of a letter stands on its pages. Lengths are points, from the top left corner.

use super::pdf::PAGE;
use super::wrap;
use super::{Block, Letter, LetterError, Typefaces, Value};
use crate::text::PatientText;

const MARGIN: f32 = 56.7;
const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
/// Below it stands the foot.
const BOTTOM: f32 = PAGE.1 - MARGIN - 14.0;
const BODY: f32 = 10.5;
const HEADING: f32 = 10.5;
const TITLE: f32 = 17.0;
const SMALL: f32 = 8.5;
/// From one base line to the next, in type sizes.
const LEADING: f32 = 1.5;
/// Where values begin, from the margin.
const COLUMN: f32 = 92.0;
/// A line to write on.
const BLANK: f32 = 130.0;
const GREY: u8 = 80;

/// One thing on a page.
pub(super) enum Mark {
    /// A line of text; `y` is its base line, `grey` 0 for black, `part` its place among the parts that are read out.
    Text { x: f32, y: f32, size: f32, bold: bool, grey: u8, text: String, part: Option<usize> },
    /// A filled rectangle: rules, frames, bullets.
    Box { x: f32, y: f32, width: f32, height: f32 },
}

/// One page.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) marks: Vec<Mark>,
}

/// What a screen reader is told of a part of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What the letter is.
    Title,
    /// What a list is of.
    Heading,
    /// A sentence, or a name with what stands behind it.
    Paragraph,
    /// An item of a list.
    Item,
}

/// A letter on its pages.
pub(super) struct Placed {
    /// The pages.
    pub(super) sheets: Vec<Sheet>,
    /// What is read out, in this order. A mark of none is on paper only: a rule, a repeated head.
    pub(super) parts: Vec<Part>,
}

/// The pages of a letter.
pub(super) fn place(letter: &Letter, typefaces: &Typefaces) -> Result<Placed, LetterError> {
    let (head, sheets, parts) = (running_head(letter), vec![Sheet::default()], Vec::new());
    let mut setter = Setter { typefaces, head, sheets, parts, y: MARGIN };
    setter.head(letter)?;
    setter.framed(&letter.patient)?;
    setter.y += 6.0;
    for block in &letter.body {
        setter.block(block)?;
    }
    setter.signature(&letter.signature)?;
    setter.feet(&letter.origin)?;
    Ok(Placed { sheets: setter.sheets, parts: setter.parts })
}

/// Title, name and number on the pages after the first, so that no page is taken for another patient's.
fn running_head(letter: &Letter) -> String {
    let known = letter.patient.iter().take(2).filter_map(|block| match block {
        Block::Field { value: Value::Stated(words), .. } => Some(words.reveal()),
        _ => None,
    });
    let parts: Vec<&str> = std::iter::once(letter.title).chain(known).chain([letter.date.as_str()]).collect();
    parts.join("  ·  ")
}

struct Setter<'a> {
    typefaces: &'a Typefaces,
    head: String,
    sheets: Vec<Sheet>,
    parts: Vec<Part>,
    /// The top of what comes next.
    y: f32,
}

impl Setter<'_> {
    fn head(&mut self, letter: &Letter) -> Result<(), LetterError> {
        for (index, line) in letter.institution.iter().enumerate() {
            self.begin(Part::Paragraph);
            self.text(line, 0.0, WIDTH, BODY, index == 0)?;
        }
        if !letter.institution.is_empty() {
            self.y += 8.0;
        }
        let date = format!("{} {}", letter.language.pick("Date", "日期"), letter.date);
        let right = WIDTH - self.typefaces.width(&date, false)? * BODY;
        let base = self.y + TITLE * 1.1;
        let (x, y, text) = (MARGIN, base, letter.title.to_owned());
        let part = self.begin(Part::Title);
        self.mark(Mark::Text { x, y, size: TITLE, bold: true, grey: 0, text, part });
        let part = self.begin(Part::Paragraph);
        self.mark(Mark::Text { x: x + right, y, size: BODY, bold: false, grey: 0, text: date, part });
        self.y = base + 7.0;
        self.mark(Mark::Box { x: MARGIN, y: self.y, width: WIDTH, height: 1.2 });
        self.y += 12.0;
        Ok(())
    }

    /// Fields in a frame, which no page cuts: it stands at the top of the first.
    fn framed(&mut self, blocks: &[Block]) -> Result<(), LetterError> {
        let top = self.y;
        self.y += 6.0;
        for block in blocks {
            if let Block::Field { label, value } = block {
                self.field(label, value, 10.0)?;
            }
        }
        self.y += 4.0;
        let height = self.y - top;
        for (x, y, width, height) in [
            (MARGIN, top, WIDTH, 0.6),
            (MARGIN, self.y, WIDTH, 0.6),
            (MARGIN, top, 0.6, height),
            (MARGIN + WIDTH - 0.6, top, 0.6, height),
        ] {
            self.mark(Mark::Box { x, y, width, height });
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), LetterError> {
        match block {
            Block::Field { label, value } => self.field(label, value, 0.0),
            Block::Sentence(words) => {
                self.y += 4.0;
                self.begin(Part::Paragraph);
                self.text(words.reveal(), 0.0, WIDTH, BODY, false)?;
                self.y += 4.0;
                Ok(())
            }
            Block::List { heading, items } => self.list(heading, items),
        }
    }

    fn list(&mut self, heading: &str, items: &[PatientText]) -> Result<(), LetterError> {
        // A heading stands with its first item.
        self.need(8.0 + 2.0 * HEADING * LEADING);
        self.y += 8.0;
        self.begin(Part::Heading);
        self.text(heading, 0.0, WIDTH, HEADING, true)?;
        for item in items {
            self.need(BODY * LEADING);
            self.mark(Mark::Box { x: MARGIN + 4.0, y: self.y + BODY * 0.62, width: 2.4, height: 2.4 });
            self.begin(Part::Item);
            self.text(item.reveal(), 13.0, WIDTH - 13.0, BODY, false)?;
        }
        Ok(())
    }

    fn field(&mut self, label: &str, value: &Value, indent: f32) -> Result<(), LetterError> {
        self.need(BODY * LEADING);
        let base = self.base(BODY);
        let (x, text) = (MARGIN + indent, label.to_owned());
        let part = self.begin(Part::Paragraph);
        self.mark(Mark::Text { x, y: base, size: BODY, bold: false, grey: GREY, text, part });
        let column = COLUMN + indent;
        match value {
            Value::Stated(words) => self.text(words.reveal(), column, WIDTH - column - indent, BODY, false),
            Value::Blank(why) => {
                let x = MARGIN + column;
                self.mark(Mark::Box { x, y: base + 1.5, width: BLANK, height: 0.6 });
                if !why.is_empty() {
                    let (x, text) = (x + BLANK + 6.0, format!("({why})"));
                    self.mark(Mark::Text { x, y: base, size: SMALL, bold: false, grey: GREY, text, part });
                }
                self.y += BODY * LEADING;
                Ok(())
            }
        }
    }

    fn signature(&mut self, blocks: &[Block]) -> Result<(), LetterError> {
        let row = BODY * LEADING + 7.0;
        self.need(26.0 + row * blocks.len() as f32);
        self.y += 26.0;
        for block in blocks {
            if let Block::Field { label, value } = block {
                self.field(label, value, 0.0)?;
                self.y += 7.0;
            }
        }
        Ok(())
    }

    /// What the letter was made from, and which page of how many this is. It is read out once.
    fn feet(&mut self, origin: &str) -> Result<(), LetterError> {
        let read = self.begin(Part::Paragraph);
        let count = self.sheets.len();
        let y = PAGE.1 - MARGIN + 4.0;
        for (index, sheet) in self.sheets.iter_mut().enumerate() {
            let number = format!("{}/{count}", index + 1);
            let right = PAGE.0 - MARGIN - self.typefaces.width(&number, false)? * SMALL;
            let origin = (MARGIN, origin.to_owned(), read.filter(|_| index == 0));
            for (x, text, part) in [origin, (right, number, None)] {
                sheet.marks.push(Mark::Text { x, y, size: SMALL, bold: false, grey: GREY, text, part });
            }
        }
        Ok(())
    }

    /// Begins what is read out next, and gives its place.
    fn begin(&mut self, part: Part) -> Option<usize> {
        self.parts.push(part);
        self.reading()
    }

    /// The place of what is being set among what is read out.
    fn reading(&self) -> Option<usize> {
        self.parts.len().checked_sub(1)
    }

    /// Lines of a text, on as many pages as they take.
    fn text(&mut self, text: &str, indent: f32, most: f32, size: f32, bold: bool) -> Result<(), LetterError> {
        let typefaces = self.typefaces;
        let width = |text: &str| typefaces.width(text, bold).map(|width| width * size);
        for line in wrap::lines(text, most, &width)? {
            self.need(size * LEADING);
            let (y, part) = (self.base(size), self.reading());
            self.mark(Mark::Text { x: MARGIN + indent, y, size, bold, grey: 0, text: line, part });
            self.y += size * LEADING;
        }
        Ok(())
    }

    /// The base line of text whose top is here.
    fn base(&self, size: f32) -> f32 {
        self.y + size * 1.12
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(sheet) = self.sheets.last_mut() {
            sheet.marks.push(mark);
        }
    }

    /// Begins a page where less than this height is left.
    fn need(&mut self, height: f32) {
        if self.y + height <= BOTTOM {
            return;
        }
        self.sheets.push(Sheet::default());
        let (y, text) = (MARGIN, self.head.clone());
        self.mark(Mark::Text { x: MARGIN, y, size: SMALL, bold: false, grey: GREY, text, part: None });
        self.y = MARGIN + 14.0;
    }
}
