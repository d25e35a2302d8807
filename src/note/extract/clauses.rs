//! Where clauses and sentences end, by punctuation and without it.

use std::ops::Range;

use super::quantity::Quantity;
use crate::terminology::{Found, Lexicon, Meaning, TermKind, UnitKind};

/// A stretch without punctuation longer than this is cut, so that no scope runs through a whole unpunctuated talk.
const LONGEST_CLAUSE: usize = 60;

/// A clause: what stands between commas; the sentence it is in.
#[derive(Debug, Clone)]
pub struct Clause {
    /// Its characters without the punctuation.
    pub range: Range<usize>,
    /// Number of its sentence in the segment.
    pub sentence: usize,
    /// Whether its sentence ends with a question mark.
    pub asked: bool,
}

/// What a character does to the text around it.
fn boundary(chars: &[char], at: usize) -> Option<bool> {
    let ideograph = |c: Option<&char>| c.is_some_and(|c| *c >= '\u{3400}');
    match chars.get(at)? {
        // ?pneumonia is a suspicion in a clinician's shorthand, no question.
        '?' if chars.get(at + 1).is_some_and(char::is_ascii_lowercase) => None,
        '。' | '?' | '!' => Some(true),
        // A point ends a sentence unless it stands in a number or a name.
        '.' if !chars.get(at + 1).is_some_and(|c| c.is_ascii_alphanumeric()) => Some(true),
        ',' | ';' | ':' => Some(false),
        // Who hesitates goes on; a question behind it does not reach back: 敏感…盤尼西林?
        '…' => Some(question_follows(chars, at)),
        // Recognisers put spaces where they heard a pause.
        ' ' if ideograph(at.checked_sub(1).and_then(|before| chars.get(before))) && ideograph(chars.get(at + 1)) => Some(false),
        _ => None,
    }
}

/// How far ahead a question mark is looked for.
const QUESTION: usize = 40;

/// Whether the sentence behind a place ends with a question mark.
fn question_follows(chars: &[char], at: usize) -> bool {
    let end = chars.iter().skip(at + 1).take(QUESTION).find(|c| matches!(c, '。' | '?' | '!'));
    end == Some(&'?')
}

/// Characters of a clause without punctuation after which it is looked through for places to cut.
const RUNS_ON: usize = 16;

/// Where a recogniser left out the punctuation: behind a particle that ends a sentence, and before a word that begins something
/// new. Only clauses that run on are cut so, for in punctuated speech the same words stand in the middle of a thought.
pub fn soft_cuts(chars: &[char], found: &[Found], quantities: &[Quantity], lexicon: &Lexicon) -> Vec<usize> {
    let mut cuts = Vec::new();
    // A long English name is no long clause, save for measurements, which stand side by side.
    let said = said_before(chars);
    let said = |at: usize| said.get(at).or(said.last()).copied().unwrap_or_default();
    let mut start = 0;
    for end in (0..=chars.len()).filter(|at| *at == chars.len() || boundary(chars, *at).is_some()) {
        for (at, behind) in (start + 1..end).filter_map(|at| Some((at, set_against(chars, at, end)?))) {
            cuts.extend([at, behind].into_iter().filter(|cut| *cut < end));
        }
        if end - start >= RUNS_ON {
            let much = said(end) - said(start) >= RUNS_ON;
            // 药物敏感有没有: what ends a clause begins nothing.
            let opens = |hit: &&Found| {
                hit.end < end && opens(chars, hit, lexicon) && (much || matches!(hit.meaning, Meaning::Observation(_)))
            };
            let from = found.partition_point(|hit| hit.start < start);
            let to = found.partition_point(|hit| hit.start < end);
            cuts.extend(found.get(from..to).unwrap_or_default().iter().filter(opens).map(|hit| hit.start));
            cuts.extend((start..end).filter(|at| closes(chars, *at)).map(|at| at + 1));
            cuts.extend((start + 1..end).filter(|at| another_person(chars, *at)));
            let from = quantities.partition_point(|quantity| quantity.start < start);
            let later = |quantity: &&Quantity| quantity.kind == UnitKind::Time && chars.get(quantity.end) == Some(&'后');
            cuts.extend(
                quantities.iter().skip(from).take_while(|quantity| quantity.start < end).filter(later).map(|later| later.start),
            );
        }
        start = end + 1;
    }
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

/// 嗎, 喎, 喇: the sentence is over.
fn closes(chars: &[char], at: usize) -> bool {
    let ends = chars.get(at).is_some_and(|c| matches!(c, '吗' | '喎' | '喇' | '啦' | '啰' | '㗎' | '吧'));
    ends && chars.get(at + 1).is_some_and(|next| !matches!(next, '吗' | '喎' | '喇' | '啦' | '啰' | '㗎' | '吧' | '呀' | '?'))
}

/// 糖尿冇我媽媽有: behind a denial that ends a thought, somebody comes next.
fn another_person(chars: &[char], at: usize) -> bool {
    let before = chars.get(at.saturating_sub(3)..at).unwrap_or_default();
    let denied = matches!(before, [.., '就', '冇'] | [.., '冇', '有']);
    denied && matches!(chars.get(at), Some('我' | '佢' | '他' | '她'))
}

/// 糖尿没有我太太才有血压高…: behind the denial of what is named, a relative who has it, and then something else. Where that ends.
fn set_against(chars: &[char], at: usize, end: usize) -> Option<usize> {
    let denied = matches!(chars.get(at.saturating_sub(3)..at)?, [.., '就', '冇'] | [.., '冇', '有']);
    if !denied || !matches!(chars.get(at), Some('我' | '佢' | '他' | '她')) {
        return None;
    }
    let until = end.min(at + LEFT_TO);
    (at + 2..until).find_map(|place| {
        let having = matches!(chars.get(place..place + 2)?, ['才' | '先', '有']);
        having.then_some(place + 2)
    })
}

/// How long the words may be that leave something to a relative.
const LEFT_TO: usize = 9;

/// A question, 但係, 如果, a measurement with its number, a drug's verb: something new begins.
fn opens(chars: &[char], hit: &Found, lexicon: &Lexicon) -> bool {
    let number_follows = || number_near(chars, hit.end);
    match hit.meaning {
        Meaning::Observation(_) => number_follows(),
        Meaning::Term(term) => match lexicon.term_kind(term) {
            Some(TermKind::Contrast | TermKind::Hypothetical) => true,
            // `any` also stands in a denial.
            Some(TermKind::Question) => !chars.get(hit.start).is_some_and(char::is_ascii),
            Some(TermKind::Pressure) => number_follows(),
            Some(TermKind::SickLeave | TermKind::Refer) => hit.end - hit.start > 1,
            // …早餐前吃四个星期药物敏感呢: no allergy to what was named before.
            Some(TermKind::AnyDrug) => {
                let behind: String = chars.iter().skip(hit.start).skip_while(|c| "药物西".contains(**c)).take(ASKED_OF).collect();
                ALLERGIC.iter().any(|sign| behind.starts_with(sign))
            }
            _ => false,
        },
        _ => false,
    }
}

/// What asks for allergies behind a word for drugs (folded), and how far it is looked for.
const ALLERGIC: [&str; 8] = ["敏感", "过敏", "有冇敏感", "有冇过敏", "有冇有敏感", "有冇有过敏", "有没有敏感", "有没有过敏"];
const ASKED_OF: usize = 5;

fn number_near(chars: &[char], at: usize) -> bool {
    chars.iter().skip(at).take(2).any(|c| c.is_ascii_digit() || "一二三四五六七八九十百".contains(*c))
}

/// For each place, how much was said before it: a word of Latin letters counts as two characters, a space as none.
pub fn said_before(chars: &[char]) -> Vec<usize> {
    let mut total = 0;
    let mut all = Vec::with_capacity(chars.len() + 1);
    let mut in_word = false;
    for c in chars {
        all.push(total);
        let letter = c.is_ascii_alphabetic() || in_word && *c == '\'';
        total += match c {
            _ if letter && in_word => 0,
            _ if letter => 2,
            ' ' => 0,
            _ => 1,
        };
        in_word = letter;
    }
    all.push(total);
    all
}

/// The number of each character's clause, and the clauses.
pub fn split(chars: &[char], soft: &[usize]) -> (Vec<usize>, Vec<Clause>) {
    let mut clause_of = Vec::with_capacity(chars.len());
    let mut clauses: Vec<Clause> = Vec::new();
    let (mut start, mut sentence, mut first_of_sentence) = (0, 0, 0);
    let mut soft = soft.iter().copied().peekable();
    for at in 0..chars.len() {
        while soft.next_if(|cut| *cut < at).is_some() {}
        if soft.next_if_eq(&at).is_some() && at > start {
            clauses.push(Clause { range: start..at, sentence, asked: false });
            start = at;
        }
        clause_of.push(clauses.len());
        let cut = boundary(chars, at);
        if cut.is_none() && at - start < LONGEST_CLAUSE {
            continue;
        }
        let end = if cut.is_some() { at } else { at + 1 };
        clauses.push(Clause { range: start..end, sentence, asked: false });
        start = at + 1;
        if cut == Some(true) {
            let asked = chars.get(at) == Some(&'?');
            clauses.iter_mut().skip(first_of_sentence).for_each(|clause| clause.asked = asked);
            first_of_sentence = clauses.len();
            sentence += 1;
        }
    }
    clauses.push(Clause { range: start..chars.len(), sentence, asked: false });
    (clause_of, clauses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_and_sentences() {
        let chars: Vec<char> = "冇發燒,咳?血壓128.5 mg".chars().collect();
        let (of, clauses) = split(&chars, &[]);
        let ranges: Vec<_> = clauses.iter().map(|clause| clause.range.clone()).collect();
        assert_eq!(ranges, vec![0..3, 4..5, 6..16]);
        assert!(clauses[0].asked && clauses[1].asked && !clauses[2].asked);
        assert_eq!(of.len(), chars.len());
    }

    #[test]
    fn a_talk_without_punctuation_is_cut() {
        let chars = vec!['痛'; 200];
        assert!(split(&chars, &[]).1.iter().all(|clause| clause.range.len() <= LONGEST_CLAUSE + 1));
    }
}
