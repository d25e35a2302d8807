//! Names of drugs as long as four characters, of which one is another: 卡馬西頻 is 卡馬西平, 安羅地平 is 氨氯地平.
//!
//! Who writes what was heard in written Chinese takes characters that sound alike in Mandarin, which the readings of Cantonese do not
//! bring together. Of two halves of a name one is then still heard, which one automaton finds in time linear in the text; the rest is
//! compared. Where two drugs lie equally near, it is neither.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;

use super::{COMMON, Readings, TerminologyError};
use crate::terminology::lexicon::{Found, Meaning};

/// The shortest name looked for so: of three characters, two say too little.
const SHORTEST: usize = 4;
/// How far the characters that are read alike may lie apart together.
const FURTHEST: usize = 2;

/// A half of a name, in keys.
#[derive(Debug)]
struct Half {
    form: usize,
    /// Where it stands in the name, in characters.
    offset: usize,
}

/// The halves of the long names of drugs.
#[derive(Debug)]
pub(super) struct NearIndex {
    automaton: AhoCorasick,
    halves: Vec<Half>,
}

impl NearIndex {
    /// # Errors
    /// [`TerminologyError::Automaton`] when there are too many.
    pub(super) fn new(readings: &Readings, forms: &[(Vec<char>, Vec<Meaning>)]) -> Result<Self, TerminologyError> {
        let mut halves = Vec::new();
        let mut keyed = Vec::new();
        let drug = |meanings: &[Meaning]| meanings.iter().any(|meaning| matches!(meaning, Meaning::Drug(_)));
        for (form, (name, _)) in forms.iter().enumerate().filter(|(_, (name, meant))| name.len() >= SHORTEST && drug(meant)) {
            let (front, back) = name.split_at(name.len() / 2);
            for (offset, half) in [(0, front), (front.len(), back)] {
                halves.push(Half { form, offset });
                keyed.push(half.iter().map(|c| readings.key(*c)).collect::<String>());
            }
        }
        let automaton = AhoCorasick::new(keyed).map_err(|_| TerminologyError::Automaton { forms: halves.len() })?;
        Ok(Self { automaton, halves })
    }

    /// Drugs whose name a folded text nearly says. `text` is in keys, `place` the character of each of its bytes.
    pub(super) fn find(
        &self,
        readings: &Readings,
        forms: &[(Vec<char>, Vec<Meaning>)],
        (text, place): (&str, &[usize]),
        folded: &[char],
    ) -> Vec<Found> {
        // By place, the drugs that lie equally near there.
        let mut near: BTreeMap<(usize, usize), (usize, Vec<Meaning>)> = BTreeMap::new();
        for hit in self.automaton.find_overlapping_iter(text) {
            let Some(half) = self.halves.get(hit.pattern().as_usize()) else { continue };
            let Some((form, meanings)) = forms.get(half.form) else { continue };
            let at = place.get(hit.start()).copied().unwrap_or_default();
            let Some(start) = at.checked_sub(half.offset) else { continue };
            let end = start + form.len();
            let Some(apart) = folded.get(start..end).and_then(|said| apart(readings, said, form)) else { continue };
            let drugs = meanings.iter().filter(|meaning| matches!(meaning, Meaning::Drug(_)));
            let (nearest, found) = near.entry((start, end)).or_insert((apart, Vec::new()));
            if apart < *nearest {
                found.clear();
            }
            *nearest = apart.min(*nearest);
            if apart == *nearest {
                found.extend(drugs.filter(|drug| !found.contains(drug)).copied().collect::<Vec<_>>());
            }
        }
        let one = near.into_iter().filter_map(|((start, end), (_, found))| match found.as_slice() {
            [meaning] => Some(Found { start, end, meaning: *meaning }),
            _ => None,
        });
        one.collect()
    }
}

/// How far they lie apart, where one character alone is not read alike and half of them are the name's own.
fn apart(readings: &Readings, said: &[char], form: &[char]) -> Option<usize> {
    let own = said.iter().zip(form).filter(|(one, other)| one == other).count();
    let distances = said.iter().zip(form).map(|(one, other)| readings.distance(*one, *other));
    let other = distances.clone().filter(Option::is_none).count();
    // 對青霉素 is no 苄青霉素.
    let word = said.iter().zip(distances.clone()).any(|(one, distance)| distance.is_none() && COMMON.contains(*one));
    let apart: usize = distances.flatten().sum();
    let chinese = said.iter().all(|c| *c >= '\u{3400}');
    (chinese && !word && other == 1 && own * 2 >= form.len() && apart <= FURTHEST).then_some(apart)
}
