//! Reading a terminology table: one row a line, cells between tabs, `#` starts a comment line, forms between `|`.

use super::TerminologyError;

/// One row, with where it stands for the error message.
#[derive(Debug)]
pub struct Row<'a> {
    file: &'a str,
    line: usize,
    cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// The trimmed cell of this column; empty where a dash or nothing stands.
    #[must_use]
    pub fn cell(&self, column: usize) -> &'a str {
        self.cells.get(column).map(|cell| cell.trim()).filter(|cell| *cell != "-").unwrap_or_default()
    }

    /// The parts of a cell that holds several between `|`.
    pub fn list(&self, column: usize) -> impl Iterator<Item = &'a str> {
        self.cell(column).split('|').map(str::trim).filter(|form| !form.is_empty())
    }

    /// A number in this column.
    ///
    /// # Errors
    /// [`TerminologyError::Row`] when it is none.
    pub fn number(&self, column: usize) -> Result<f64, TerminologyError> {
        self.cell(column).parse().map_err(|_| self.error("a number is missing"))
    }

    /// The error of this row.
    #[must_use]
    pub fn error(&self, what: &str) -> TerminologyError {
        TerminologyError::Row { file: self.file.to_owned(), line: self.line, what: what.to_owned() }
    }

    /// The line it stands in, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

/// The rows of a table, each with at least `columns` cells.
///
/// # Errors
/// [`TerminologyError::Row`] names the first row that is too short.
pub fn rows<'a>(file: &'a str, text: &'a str, columns: usize) -> Result<Vec<Row<'a>>, TerminologyError> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(index, line)| {
            let row = Row { file, line: index + 1, cells: line.split('\t').collect() };
            if row.cells.len() < columns { Err(row.error("too few columns")) } else { Ok(row) }
        })
        .collect()
}
