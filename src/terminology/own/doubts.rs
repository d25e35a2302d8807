//! Codes of a hospital's tables that have the right shape and that our tables do not know: they may be right, and are told.

use super::{Kind, OwnTable, header, kind};
use crate::terminology::table::{Row, rows};
use crate::terminology::{Lexicon, TerminologyError};

/// What of these tables cannot be vouched for, a line each that names file, line, column and code. `ours`: the built-in tables.
///
/// # Errors
/// [`TerminologyError::Row`] for a table that does not read.
pub fn doubtful_codes(tables: &[OwnTable], ours: &Lexicon) -> Result<Vec<String>, TerminologyError> {
    let mut doubts = Vec::new();
    for table in tables {
        let kind = kind(table)?;
        for row in rows(&table.file, &table.text, header(&table.text).len())?.iter().filter(|row| row.line() > 1) {
            let (column, code, why) = match kind {
                Kind::Conditions => match of_condition(row, ours) {
                    Some(doubt) => doubt,
                    None => continue,
                },
                Kind::Drugs if !row.cell(1).is_empty() && !known_atc(row.cell(1), ours) => {
                    ("atc", row.cell(1), "is not among our ATC codes".to_owned())
                }
                // A map speaks of conditions that are known already.
                Kind::Drugs | Kind::Map => continue,
            };
            doubts.push(row.error(&format!("{column}: `{code}` {why}")).to_string());
        }
    }
    Ok(doubts)
}

/// The column, the code, and what is doubtful of it.
fn of_condition<'a>(row: &Row<'a>, ours: &Lexicon) -> Option<(&'static str, &'a str, String)> {
    let (icd10, icpc2) = (row.cell(0), row.cell(1));
    let category = |code: &str| code.chars().take(3).collect::<String>();
    let same = || ours.conditions.iter().filter(|concept| category(&concept.icd10) == category(icd10));
    if !ours.conditions.iter().any(|concept| concept.icd10 == icd10) {
        let also = if same().next().is_none() { ", nor is its category" } else { "" };
        return Some(("icd10", icd10, format!("is not among our ICD-10 codes{also}")));
    }
    let goes_with = same().any(|concept| concept.icpc2.as_deref() == Some(icpc2));
    (!icpc2.is_empty() && !goes_with).then(|| ("icpc2", icpc2, format!("does not stand beside {icd10} in our tables")))
}

fn known_atc(code: &str, ours: &Lexicon) -> bool {
    ours.drugs.iter().filter_map(|drug| drug.atc.as_deref()).any(|known| known.starts_with(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_we_do_not_know_are_told_with_their_line() {
        let ours = Lexicon::builtin().unwrap();
        let table = |text: &str| OwnTable { file: "ours.tsv".to_owned(), text: text.to_owned() };
        let conditions =
            "icd10\ticpc2\tflags\ten\tzh\tforms\nK99.9\t-\t-\tx\t甲\t甲\nI10\tA29\tc\ty\t乙\t乙\nI10\tK86\tc\tz\t丙\t丙\n";
        let drugs = "name\tatc\tkind\tforms\nx\tA10BA99\tdrug\ty\nz\tA10BA02\tdrug\tw\n";
        let doubts = doubtful_codes(&[table(conditions), table(drugs)], &ours).unwrap();
        assert_eq!(
            doubts,
            [
                "ours.tsv line 2: icd10: `K99.9` is not among our ICD-10 codes, nor is its category",
                "ours.tsv line 3: icpc2: `A29` does not stand beside I10 in our tables",
                "ours.tsv line 2: atc: `A10BA99` is not among our ATC codes",
            ]
        );
    }
}
