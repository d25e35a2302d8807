//! A hospital's own tables: read after ours, they win, and a map of theirs adds codes to conditions.
//!
//! The first line names the columns and so says what a table holds:
//! `icd10 icpc2 flags en zh forms` (conditions), `name atc kind forms` (drugs) or `icd10 icpc2 system code` (a map), tabs between.

mod doubts;

use std::collections::HashMap;

pub use doubts::doubtful_codes;

use super::concept::LocalCode;
use super::lexicon::{Builder, Meaning, condition_of, drug_of};
use super::pattern::{Element, elements};
use super::table::Row;
use super::{TerminologyError, atc_group, atc_shape, icd9cm_shape, icd10_shape, icpc2_shape, system};

/// A table of a hospital.
#[derive(Debug, Clone)]
pub struct OwnTable {
    /// Its name in messages.
    pub file: String,
    /// What it holds.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Conditions,
    Drugs,
    Map,
}

const COLUMNS: [(Kind, &[&str]); 3] = [
    (Kind::Conditions, &["icd10", "icpc2", "flags", "en", "zh", "forms"]),
    (Kind::Drugs, &["name", "atc", "kind", "forms"]),
    (Kind::Map, &["icd10", "icpc2", "system", "code"]),
];

/// What the tables said so far, with where: a second saying is an error.
#[derive(Default)]
struct Said {
    places: HashMap<(&'static str, String), String>,
}

impl Said {
    /// Notes it; an error when it stood somewhere already.
    fn once(&mut self, row: &Row<'_>, column: &'static str, what: &str, key: String, file: &str) -> Result<(), TerminologyError> {
        let place = format!("{file} line {}", row.line());
        match self.places.insert((column, key), place) {
            Some(before) => Err(row.error(&format!("{column}: `{what}` stands in {before} already"))),
            None => Ok(()),
        }
    }
}

/// Reads a hospital's tables over ours: concepts first, then the maps that speak of them.
pub(super) fn apply(builder: &mut Builder, tables: &[OwnTable]) -> Result<(), TerminologyError> {
    let mut said = Said::default();
    let kinds: Vec<Kind> = tables.iter().map(kind).collect::<Result<_, _>>()?;
    for wanted in [Kind::Conditions, Kind::Drugs, Kind::Map] {
        for (table, _) in tables.iter().zip(&kinds).filter(|(_, kind)| **kind == wanted) {
            read(builder, table, wanted, &mut said)?;
        }
    }
    Ok(())
}

fn header(text: &str) -> Vec<&str> {
    let line = text.lines().next().unwrap_or_default().trim_start_matches('\u{feff}').trim_start_matches('#');
    line.split('\t').map(str::trim).collect()
}

fn kind(table: &OwnTable) -> Result<Kind, TerminologyError> {
    let named = header(&table.text);
    let known = COLUMNS.iter().find(|(_, columns)| named == *columns).map(|(kind, _)| *kind);
    known.ok_or_else(|| {
        let choice: Vec<String> = COLUMNS.iter().map(|(_, columns)| columns.join(", ")).collect();
        let what = format!("the first line must name the columns, tabs between: {}", choice.join("; or: "));
        TerminologyError::Row { file: table.file.clone(), line: 1, what }
    })
}

fn read(builder: &mut Builder, table: &OwnTable, kind: Kind, said: &mut Said) -> Result<(), TerminologyError> {
    let columns = COLUMNS.iter().find(|(known, _)| *known == kind).map_or(0, |(_, columns)| columns.len());
    for row in builder.read((&table.file, &table.text), columns)? {
        // The line that names the columns need not start with `#`.
        if row.line() == 1 {
            continue;
        }
        match kind {
            Kind::Conditions => condition(builder, &row, said, &table.file)?,
            Kind::Drugs => drug(builder, &row, said, &table.file)?,
            Kind::Map => code(builder, &row, said, &table.file)?,
        }
    }
    Ok(())
}

fn require(row: &Row<'_>, right: bool, column: &str, value: &str, what: &str) -> Result<(), TerminologyError> {
    if right { Ok(()) } else { Err(row.error(&format!("{column}: `{value}` {what}"))) }
}

/// Characters that nobody sees and that turn the direction of a line: what looks like one word would be another.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A form that can be found and does not take a word away by which findings are read.
fn form_of(builder: &Builder, row: &Row<'_>, form: &str) -> Result<(), TerminologyError> {
    let shown = form.escape_debug().to_string();
    require(row, !form.contains(is_invisible), "forms", &shown, "holds a character that cannot be seen")?;
    require(row, !builder.is_cue(form), "forms", form, "is a word by which findings are denied, asked about or told of others")
}

fn condition(builder: &mut Builder, row: &Row<'_>, said: &mut Said, file: &str) -> Result<(), TerminologyError> {
    let concept = condition_of(row);
    let icpc2 = concept.icpc2.clone().unwrap_or_default();
    require(row, icd10_shape(&concept.icd10), "icd10", &concept.icd10, "is no ICD-10 code")?;
    require(row, icpc2.is_empty() || icpc2_shape(&icpc2), "icpc2", &icpc2, "is no ICPC-2 code")?;
    require(row, row.cell(2).chars().all(|flag| "sc".contains(flag)), "flags", row.cell(2), "may hold `s` and `c` only")?;
    require(row, !concept.en.is_empty(), "en", "", "is empty: the note needs a name")?;
    require(row, !concept.zh.is_empty(), "zh", "", "is empty: the note needs a name")?;
    for (column, name) in [("en", &concept.en), ("zh", &concept.zh)] {
        let shown = name.escape_debug().to_string();
        require(row, !name.contains(is_invisible), column, &shown, "holds a character that cannot be seen")?;
    }
    said.once(row, "icd10", &concept.icd10, format!("{} {icpc2}", concept.icd10), file)?;

    let conditions = &mut builder.lexicon.conditions;
    let ours = conditions.iter().position(|ours| ours.icd10 == concept.icd10 && ours.icpc2 == concept.icpc2);
    let place = ours.unwrap_or(conditions.len());
    match conditions.get_mut(place) {
        Some(ours) => *ours = concept,
        None => conditions.push(concept),
    }
    // One of ours may be given another name alone.
    require(row, ours.is_some() || row.list(5).next().is_some(), "forms", "", "is empty: nothing would be found")?;
    for form in row.list(5) {
        form_of(builder, row, form)?;
        said.once(row, "forms", form, builder.lexicon.fold().text(form), file)?;
        let parts = elements(form);
        if let [Element::Literal(words)] = parts.as_slice() {
            builder.overrule(words, Meaning::Condition(place));
        } else {
            require(row, builder.pattern(&parts, place), "forms", form, "names no class")?;
        }
    }
    Ok(())
}

fn drug(builder: &mut Builder, row: &Row<'_>, said: &mut Said, file: &str) -> Result<(), TerminologyError> {
    let drug = drug_of(row)?;
    let atc = drug.atc.clone().unwrap_or_default();
    require(
        row,
        !drug.name.is_empty() && drug.name == drug.name.to_lowercase(),
        "name",
        &drug.name,
        "is not lower case, or empty",
    )?;
    require(row, atc.is_empty() || atc_shape(&atc), "atc", &atc, "is no ATC code")?;
    require(row, atc.is_empty() || atc_group(&atc), "atc", &atc, "is in no group that ATC has")?;
    said.once(row, "name", &drug.name, drug.name.clone(), file)?;

    let name = drug.name.clone();
    let drugs = &mut builder.lexicon.drugs;
    let place = drugs.iter().position(|ours| ours.name == name).unwrap_or(drugs.len());
    match drugs.get_mut(place) {
        Some(ours) => *ours = drug,
        None => drugs.push(drug),
    }
    for form in std::iter::once(name.as_str()).chain(row.list(3).filter(|form| *form != name)) {
        form_of(builder, row, form)?;
        said.once(row, "forms", form, builder.lexicon.fold().text(form), file)?;
        builder.overrule(form, Meaning::Drug(place));
    }
    Ok(())
}

fn code(builder: &mut Builder, row: &Row<'_>, said: &mut Said, file: &str) -> Result<(), TerminologyError> {
    let (icd10, icpc2, code) = (row.cell(0), row.cell(1), row.cell(3));
    let uri = if row.cell(2) == "icd-9-cm" { system::ICD9CM } else { row.cell(2) };
    let named = uri.contains(':') && !uri.contains(char::is_whitespace);
    require(row, named, "system", uri, "is neither `icd-9-cm` nor a URI")?;
    let ours = [system::ICD10, system::ICPC2].contains(&uri);
    require(row, !ours, "system", uri, "is a system of ours: change the code in a table of conditions")?;
    let shaped = if uri == system::ICD9CM { icd9cm_shape(code) } else { !code.is_empty() && !code.contains(char::is_whitespace) };
    require(row, shaped, "code", code, "is no code of this system")?;
    said.once(row, "icd10", icd10, format!("{icd10} {icpc2} {uri}"), file)?;

    let mut found = false;
    for concept in &mut builder.lexicon.conditions {
        let means = concept.icd10 == icd10 && (icpc2.is_empty() || concept.icpc2.as_deref() == Some(icpc2));
        // A line for one ICPC-2 code is closer than one for all.
        let closer = icpc2.is_empty() && concept.local.iter().any(|local| local.system == uri);
        found |= means;
        if means && !closer {
            concept.local.retain(|local| local.system != uri);
            concept.local.push(LocalCode { system: uri.to_owned(), code: code.to_owned() });
        }
    }
    let asked = format!("{icd10} {icpc2}");
    require(row, found, "icd10", asked.trim_end(), "is a condition of neither ours nor your own tables")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminology::Lexicon;

    fn table(text: &str) -> OwnTable {
        OwnTable { file: "ours.tsv".to_owned(), text: text.to_owned() }
    }

    fn refused(texts: &[&str]) -> String {
        let tables: Vec<OwnTable> = texts.iter().map(|text| table(text)).collect();
        Lexicon::with(&tables).unwrap_err().to_string()
    }

    const CONDITIONS: &str = "icd10\ticpc2\tflags\ten\tzh\tforms\n";
    const MAP: &str = "# icd10\ticpc2\tsystem\tcode\n";

    #[test]
    fn own_words_and_codes_win() {
        let own = format!("{CONDITIONS}I10\tK86\tc\tEssential HT\t原發性血壓高\t血壓王\nZ99.2\t-\t-\tDialysis\t洗腎\t洗腎\n");
        let map = format!("{MAP}I10\tK86\ticd-9-cm\t401.9\nI10\t-\turn:x-hospital:terms\t12345\n");
        let drugs = "name\tatc\tkind\tforms\nhouse mixture\t-\tdrug\t白藥水|panadol\n";
        let lexicon = Lexicon::with(&[table(&map), table(&own), table(drugs)]).unwrap();
        let of = |form: &str| lexicon.find(&lexicon.fold().text(form)).iter().map(|hit| hit.meaning).collect::<Vec<_>>();
        let conditions =
            |form: &str| of(form).into_iter().filter(|meaning| matches!(meaning, Meaning::Condition(_))).collect::<Vec<_>>();
        let condition = |form: &str| match conditions(form).as_slice() {
            [Meaning::Condition(place)] => lexicon.conditions[*place].clone(),
            other => panic!("{form} means {other:?}"),
        };
        assert_eq!(condition("血壓王").en, "Essential HT");
        assert_eq!(condition("高血壓").zh, "原發性血壓高");
        assert_eq!(condition("洗腎").icd10, "Z99.2", "ours said N18.9");
        let local = condition("高血壓").local;
        assert_eq!(local.len(), 2);
        assert!(local.iter().any(|local| local.system == system::ICD9CM && local.code == "401.9"));
        let drugs: Vec<_> = of("panadol").into_iter().filter(|meaning| matches!(meaning, Meaning::Drug(_))).collect();
        assert!(matches!(drugs.as_slice(), [Meaning::Drug(place)] if lexicon.drugs[*place].name == "house mixture"), "{drugs:?}");
        assert_ne!(lexicon.digest(), Lexicon::builtin().unwrap().digest());
    }

    #[test]
    fn a_word_stands_for_one_thing_whatever_its_kind() {
        let conditions = format!("{CONDITIONS}I10\tK86\tc\tx\t甲\t甲詞甲\n");
        let drugs = "name\tatc\tkind\tforms\nx\t-\tdrug\t甲词甲\n";
        let message = refused(&[&conditions, drugs]);
        assert!(message.contains("line 2: forms: `甲词甲` stands in ours.tsv line 2 already"), "{message}");
        // A word of ours goes over to what the hospital says that it is.
        let lexicon = Lexicon::with(&[table(&format!("{CONDITIONS}I10\tK86\tc\tx\t甲\tpanadol\n"))]).unwrap();
        let found = lexicon.find(&lexicon.fold().text("panadol"));
        assert!(!found.iter().any(|hit| matches!(hit.meaning, Meaning::Drug(_))), "{found:?}");
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        for (text, said) in [
            ("I10\tK86\tc\tx\t甲\t甲詞甲\n", "ours.tsv line 1: the first line must name the columns"),
            ("icd10\ticpc2\tsystem\tcode\nI10\n", "ours.tsv line 2: too few columns"),
            (&format!("{CONDITIONS}I1\tK86\tc\tx\t甲\t甲詞甲\n"), "ours.tsv line 2: icd10: `I1` is no ICD-10 code"),
            (&format!("{CONDITIONS}I10\tC86\tc\tx\t甲\t甲詞甲\n"), "line 2: icpc2: `C86` is no ICPC-2 code"),
            (&format!("{CONDITIONS}I10\tK86\tc\tx\t甲\t{{nothing}}…痛\n"), "line 2: forms: `{nothing}…痛` names no class"),
            (
                &format!("{CONDITIONS}I10\tK86\tc\tx\t甲\t甲詞甲\nI11.9\tK87\tc\ty\t乙\t甲词甲\n"),
                "line 3: forms: `甲词甲` stands in ours.tsv line 2 already",
            ),
            (&format!("{CONDITIONS}I10\tK86\tc\tx\t甲\t冇\n"), "line 2: forms: `冇` is a word by which findings are denied"),
            (&format!("{CONDITIONS}I10\tK86\tc\tx\t甲\t甲\u{202e}詞\n"), r"line 2: forms: `甲\u{202e}詞` holds a character"),
            (&format!("{CONDITIONS}I10\tK86\tc\tx\u{200b}\t甲\t甲詞甲\n"), r"line 2: en: `x\u{200b}` holds a character"),
            (&format!("{CONDITIONS}Q97.3\t-\t-\tx\t甲\t||\n"), "line 2: forms: `` is empty: nothing would be found"),
            ("name\tatc\tkind\tforms\nx\t-\tdrug\t我媽\u{200b}\n", r"line 2: forms: `我媽\u{200b}` holds"),
            ("name\tatc\tkind\tforms\nx\t-\tdrug\t阿媽\n", "line 2: forms: `阿媽` is a word by which"),
            (&format!("{MAP}Q00.0\t-\ticd-9-cm\t740.0\n"), "line 2: icd10: `Q00.0` is a condition of neither"),
            (&format!("{MAP}I10\t-\ticd-9-cm\t4019\n"), "line 2: code: `4019` is no code of this system"),
            (&format!("{MAP}I10\t-\thkctt\t1\n"), "line 2: system: `hkctt` is neither"),
            (&format!("{MAP}I10\t-\turn:a\t1\nI10\t-\turn:a\t2\n"), "line 3: icd10: `I10` stands in ours.tsv line 2 already"),
            ("name\tatc\tkind\tforms\nx\tA1\tdrug\ty\n", "line 2: atc: `A1` is no ATC code"),
            ("name\tatc\tkind\tforms\nx\tA99ZZ99\tdrug\ty\n", "line 2: atc: `A99ZZ99` is in no group that ATC has"),
        ] {
            let message = refused(&[text]);
            assert!(message.contains(said), "{message} instead of {said}");
        }
    }
}
