//! A side said wrong and put right: 右膝頭痛,唔係,係左邊.

use std::ops::Range;

use super::super::assertion::Context;
use super::super::utterance::Utterance;
use super::answers::words;
use crate::note::Laterality;
use crate::terminology::TermKind;

/// What takes back what was just said (folded).
const WRONG: [&str; 12] =
    ["唔系", "唔系唔系", "讲错", "讲错咗", "错咗", "唔啱", "等阵", "等等", "sorry", "no", "no sorry", "sorry no"];
/// The longest of these clauses, and how far into the next one its side may stand.
const LONGEST: usize = 12;
/// What may lead from there to the side (folded).
const IS: [&str; 8] = ["应该系", "其实系", "即系", "系", "i mean", "it's", "its", "the"];

/// Whether a clause does nothing but take back what was said before it.
pub fn takes_back(utterance: &Utterance, number: usize) -> bool {
    let short = utterance.clauses().get(number).filter(|clause| clause.range.len() <= LONGEST);
    short.is_some_and(|clause| WRONG.contains(&words(utterance, &clause.range).as_str()))
}

/// The side that a clause, or the one behind it, puts in the place of one said before, and its words.
pub(super) fn corrected(context: &Context<'_>, number: usize) -> Option<(Laterality, Range<usize>)> {
    let clauses = context.utterance.clauses();
    let this = clauses.get(number)?.range.clone();
    if takes_back(context.utterance, number) {
        return side(context, clauses.get(number + 1)?.range.clone());
    }
    // 唔係係左邊: without a pause.
    let lead: String = context.utterance.folded(this.start..this.start + 3).iter().collect();
    if lead == "唔系系" { side(context, this.start + 2..this.end) } else { None }
}

/// The side that these words begin with.
fn side(context: &Context<'_>, range: Range<usize>) -> Option<(Laterality, Range<usize>)> {
    let range = range.start..range.end.min(range.start + LONGEST);
    let kinds =
        [(TermKind::Left, Laterality::Left), (TermKind::Right, Laterality::Right), (TermKind::Both, Laterality::Bilateral)];
    let first = kinds
        .into_iter()
        .filter_map(|(kind, side)| {
            context.utterance.terms(context.lexicon, range.clone(), kind).next().map(|hit| (hit.start, hit.end, side))
        })
        .min_by_key(|(start, ..)| *start);
    let (start, end, side) = first?;
    let lead = words(context.utterance, &(range.start..start));
    (lead.is_empty() || IS.contains(&lead.as_str())).then_some((side, start..end))
}
