//! Which doses can be: a drug's usual unit, how much of it at one time and how often a day.

use std::collections::BTreeMap;

use super::TerminologyError;
use super::table::rows;

/// The row that speaks of any other drug.
const ANY: &str = "*";
/// The most times a day where the table says nothing.
const MOST_TIMES: f64 = 8.0;

/// What can be taken of a drug at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct DoseRange {
    /// The unit its doses are told in.
    pub unit: String,
    /// The least at one time.
    pub least: f64,
    /// The most at one time.
    pub most: f64,
    /// The most times a day.
    pub times: f64,
}

/// The table of doses.
#[derive(Debug, Default)]
pub struct Doses {
    by_drug: BTreeMap<String, DoseRange>,
    by_unit: BTreeMap<String, DoseRange>,
}

impl Doses {
    /// Reads the table.
    ///
    /// # Errors
    /// [`TerminologyError::Row`] names a row without its numbers, or a drug's second row.
    pub(super) fn read((file, text): (&str, &str)) -> Result<Self, TerminologyError> {
        let mut doses = Self::default();
        for row in rows(file, text, 5)? {
            let times = if row.cell(4).is_empty() { MOST_TIMES } else { row.number(4)? };
            let range = DoseRange { unit: row.cell(1).to_owned(), least: row.number(2)?, most: row.number(3)?, times };
            let before = match row.cell(0) {
                ANY => doses.by_unit.insert(range.unit.clone(), range),
                drug => doses.by_drug.insert(drug.to_owned(), range),
            };
            if before.is_some() {
                return Err(row.error("a second row"));
            }
        }
        Ok(doses)
    }

    /// The drugs with a row of their own.
    pub fn drugs(&self) -> impl Iterator<Item = &str> {
        self.by_drug.keys().map(String::as_str)
    }

    /// The unit of a number said of this drug without one; nothing where the number is no usual dose, or may count tablets.
    #[must_use]
    pub fn implied_unit(&self, drug: &str, value: f64) -> Option<&str> {
        let range = self.by_drug.get(drug)?;
        let tablets = range.unit != "[IU]" && [0.5, 1.0, 1.5, 2.0].contains(&value);
        ((range.least..=range.most).contains(&value) && !tablets).then_some(range.unit.as_str())
    }

    /// Whether so much of this drug can be taken at one time. Of less than is usual nothing is said: a child's dose is small.
    #[must_use]
    pub fn can_be(&self, drug: &str, value: f64, unit: &str) -> bool {
        let own = self.by_drug.get(drug).and_then(|range| Some((range, value * factor(unit, &range.unit)?)));
        let any = || self.by_unit.get(unit).map(|range| (range, value));
        own.or_else(any).is_none_or(|(range, value)| value > 0.0 && value <= range.most)
    }

    /// Whether this drug can be taken so often a day; `unit`: of its dose, where one was said.
    #[must_use]
    pub fn so_often(&self, drug: &str, times_per_day: f64, unit: Option<&str>) -> bool {
        let by_unit = || unit.and_then(|unit| self.by_unit.get(unit));
        let own = self.by_drug.get(drug).filter(|range| unit.is_none_or(|unit| factor(unit, &range.unit).is_some()));
        let most = match own.or_else(by_unit) {
            Some(range) => range.times,
            // A cream or drops, whose amount is seldom said, may be used every hour.
            None => HOURLY,
        };
        times_per_day > 0.0 && times_per_day <= most
    }
}

/// Every hour of a day.
const HOURLY: f64 = 24.0;

/// How many of the one unit of mass the other is; nothing where one of them is none.
fn factor(from: &str, to: &str) -> Option<f64> {
    let micrograms = |unit: &str| match unit {
        "g" => Some(1e6),
        "mg" => Some(1e3),
        "ug" => Some(1.0),
        _ => None,
    };
    if from == to { Some(1.0) } else { Some(micrograms(from)? / micrograms(to)?) }
}

#[cfg(test)]
mod tests {
    use crate::terminology::Lexicon;

    #[test]
    fn every_row_names_a_drug_of_the_tables() {
        let lexicon = Lexicon::builtin().unwrap();
        let unknown: Vec<&str> =
            lexicon.doses.drugs().filter(|name| !lexicon.drugs.iter().any(|drug| drug.name == *name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(lexicon.doses.drugs().count() >= 300);
    }

    #[test]
    fn bounds() {
        let doses = &Lexicon::builtin().unwrap().doses;
        for (drug, value, unit, right) in [
            ("metformin", 500.0, "mg", true),
            ("metformin", 1.0, "g", true),
            ("metformin", 500.0, "g", false),
            ("paracetamol", 5000.0, "mg", false),
            ("warfarin", 300.0, "mg", false),
            ("levothyroxine", 100.0, "mg", false),
            ("levothyroxine", 0.1, "mg", true),
            ("levothyroxine", 100.0, "ug", true),
            ("paracetamol", 100.0, "{tbl}", false),
            ("paracetamol", 2.0, "{tbl}", true),
            ("coal tar", 1.0, "%", true),
            ("coal tar", 101.0, "%", false),
            ("metformin", 0.0, "mg", false),
        ] {
            assert_eq!(doses.can_be(drug, value, unit), right, "{drug} {value} {unit}");
        }
        assert!(!doses.so_often("amoxicillin", 50.0, Some("mg")) && doses.so_often("amoxicillin", 3.0, None));
        assert!(doses.so_often("levofloxacin", 24.0, Some("[drp]")) && !doses.so_often("coal tar", 30.0, None));
        assert_eq!(doses.implied_unit("amoxicillin", 500.0), Some("mg"));
        assert_eq!(doses.implied_unit("levothyroxine", 100.0), Some("ug"));
        assert_eq!(doses.implied_unit("amlodipine", 500.0), None);
        assert_eq!(doses.implied_unit("lorazepam", 1.0), None, "or one tablet");
    }
}
