//! The side that is said with a condition: 左膝痛, 右眼紅, `R knee OA`, `sprain of the left ankle`.

use std::ops::Range;

use super::mention::Mention;
use super::utterance::Utterance;
use crate::note::Laterality;
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// How far before a name its side may stand.
const BEFORE: usize = 6;
/// How far behind a name its side may begin, in what is said.
const BEHIND: usize = 6;
/// What may lead from a name to the side behind it (folded).
const LEADS: [&str; 9] = ["", "on", "in", "of", "at", "over", "affecting", "喺", "系"];
/// Words without a meaning of their own there.
const ARTICLES: [&str; 5] = ["the", "his", "her", "my", "your"];
/// The kinds of small words that name a side.
pub const SIDES: [(TermKind, Laterality); 3] =
    [(TermKind::Left, Laterality::Left), (TermKind::Right, Laterality::Right), (TermKind::Both, Laterality::Bilateral)];

/// The side said with a mention: the nearest before it or in it, or one that stands right behind it.
#[must_use]
pub fn said_with(utterance: &Utterance, mention: &Mention, lexicon: &Lexicon) -> Option<Laterality> {
    let clause = utterance.clause(mention.head).range;
    let before = clause.start.max(mention.start.saturating_sub(BEFORE))..mention.end;
    last_in(utterance, before, lexicon).or_else(|| behind(utterance, mention, clause.end, lexicon))
}

/// The last side in a range.
fn last_in(utterance: &Utterance, range: Range<usize>, lexicon: &Lexicon) -> Option<Laterality> {
    let words = SIDES.into_iter().filter_map(|(kind, side)| {
        let last = utterance.terms(lexicon, range.clone(), kind).last()?;
        Some((last.start, side))
    });
    // 左眼 is a name of its own in the tables.
    let within = utterance.within(range.clone()).iter().filter_map(|hit| Some((hit.start, begins(utterance, hit)?)));
    let letters = range.clone().filter_map(|at| Some((at, letter(utterance, at, lexicon)?)));
    words.chain(within).chain(letters).max_by_key(|(at, _)| *at).map(|(_, side)| side)
}

/// The side that the name of a part or of a condition begins with.
pub fn begins(utterance: &Utterance, hit: &Found) -> Option<Laterality> {
    let named = matches!(hit.meaning, Meaning::Class(_) | Meaning::Condition(_));
    match utterance.chars.get(hit.start).filter(|_| named)? {
        '左' => Some(Laterality::Left),
        '右' => Some(Laterality::Right),
        '双' => Some(Laterality::Bilateral),
        '两' => matches!(utterance.chars.get(hit.start + 1), Some('只' | '边' | '侧')).then_some(Laterality::Bilateral),
        _ => None,
    }
}

/// R knee, (L) ankle: a letter by itself, before a part of the body or a condition or at the end of what is said.
fn letter(utterance: &Utterance, at: usize, lexicon: &Lexicon) -> Option<Laterality> {
    let side = match utterance.chars.get(at)? {
        'l' => Laterality::Left,
        'r' => Laterality::Right,
        _ => return None,
    };
    let before = at.checked_sub(1).and_then(|before| utterance.chars.get(before));
    let own = before.is_none_or(|c| !c.is_ascii_alphanumeric());
    let spaces = utterance.chars.iter().skip(at + 1).take(2).take_while(|c| matches!(c, ' ' | ')' | '.')).count();
    let next = utterance.within(at + 1 + spaces..at + 2 + spaces).iter().any(|hit| match hit.meaning {
        Meaning::Class(class) => lexicon.is_site(class),
        Meaning::Condition(_) => true,
        _ => false,
    });
    let touches = utterance.chars.get(at + 1).is_some_and(char::is_ascii_alphanumeric);
    (own && next && !touches).then_some(side)
}

/// OA R knee, fracture of the left wrist: only particles lead to it.
fn behind(utterance: &Utterance, mention: &Mention, clause: usize, lexicon: &Lexicon) -> Option<Laterality> {
    let until = clause.min(utterance.ahead(mention.end, BEHIND));
    let range = mention.end..until.max(mention.end);
    let words = SIDES.into_iter().filter_map(|(kind, side)| {
        let first = utterance.terms(lexicon, range.clone(), kind).next()?;
        // 痛左三日 is how some write 痛咗三日.
        let whole = first.end - first.start > 1;
        whole.then_some((first.start, side))
    });
    let letters = range.clone().filter_map(|at| Some((at, letter(utterance, at, lexicon)?)));
    let (at, side) = words.chain(letters).min_by_key(|(at, _)| *at)?;
    let lead: String = utterance.folded(mention.end..at).iter().filter(|c| **c != '(').collect();
    let led = lead.split_whitespace().filter(|word| !ARTICLES.contains(word)).collect::<Vec<_>>().join(" ");
    LEADS.contains(&led.as_str()).then_some(side)
}
