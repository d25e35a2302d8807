//! Whose drug it is that is named: the patient's, or that of the last person spoken of before it.

use super::super::utterance::{Speaker, Utterance};
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// How far back a person is the subject.
const SUBJECT_REACH: usize = 40;
/// How far behind a drug its receiver may stand: 俾咗支 X 啫喱我.
const RECEIVED: usize = 6;
/// How far behind a drug it is told whose it is.
const WHOSE: usize = 16;
/// Who is neither family nor among the words for others (folded): the one one slept with, and animals.
const ANOTHER: [&str; 14] =
    ["前度", "前夫", "前妻", "男朋友", "女朋友", "男友", "女友", "伴侣", "只狗", "只猫", "狗狗", "猫猫", "狗仔", "猫仔"];
/// What somebody who came along does with the patient's drugs, or knows of them (folded).
const GIVES: &str = "佢餵喂俾畀比帮买攞开见睇叫知话惊想问谂唔冇仔女影抄写执";
/// Words by which one takes what belongs to another (folded).
const TAKES: [&str; 5] = ["攞", "借", "偷", "问", "用"];

/// Whether a drug is another's.
pub(super) fn someone_elses(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start).range;
    let sentence = utterance.sentence(hit.start).start;
    let told = matches!(utterance.speaker, Speaker::Patient | Speaker::Relative);
    let from = if told {
        sentence.max(utterance.back(hit.start, SUBJECT_REACH))
    } else if utterance.speaker == Speaker::Unknown
        && clause.start > 0
        && matches!(utterance.chars.get(clause.start), Some('食' | '吃'))
    {
        // 我妹妹也是抑鬱症 吃 X 吃到呆呆的: the verb goes on of the one before it.
        utterance.clause(clause.start - 1).range.start
    } else {
        clause.start
    };
    let other = match last_person(utterance, lexicon, from, hit.start) {
        Some(Person::Other) => utterance.speaker != Speaker::Doctor || from == clause.start,
        Some(Person::Family(at)) => family(utterance, lexicon, at, clause.start),
        Some(Person::Speaker(at)) => utterance.speaker == Speaker::Relative && takes_oneself(utterance, at, hit.start),
        Some(Person::Patient) | None => false,
    };
    (other || told_behind(utterance, lexicon, hit)) && !comes_to_the_patient(utterance, hit)
}

/// 薄血丸係我太太食, X 滴劑用剩嘅係佢哥哥嘅: whose it is stands behind it.
fn told_behind(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start).range;
    // 佢食 X 一百微克,唔係我食.
    let rest: String =
        utterance.folded(hit.end..utterance.sentence(hit.start).end.min(hit.end + WHOSE).max(hit.end)).iter().collect();
    if utterance.speaker != Speaker::Relative && (rest.contains("唔系我食") || rest.contains("唔系我用")) {
        return true;
    }
    let until = clause.end.min(hit.end + WHOSE);
    let Some(is) = utterance.folded(hit.end..until).iter().position(|c| *c == '系').map(|at| hit.end + at) else { return false };
    let owner = utterance.terms(lexicon, is + 1..until, TermKind::Family).next();
    owner.is_some_and(|owner| {
        let lead = utterance.folded(is + 1..owner.start);
        let rest = utterance.folded(owner.end..owner.end + 1);
        // Who came along may call the patient so too: but not one who names another relative as well.
        let one_of_two = utterance.speaker == Speaker::Relative && utterance.another_is_ill(lexicon, owner);
        (!lead.is_empty() || one_of_two)
            && lead.iter().all(|c| matches!(c, '我' | '佢' | '他' | '她'))
            && matches!(rest, ['食' | '用' | '嘅' | '打' | '的' | '搽'])
    })
}

/// A person named; with the place where that may matter.
enum Person {
    Patient,
    Speaker(usize),
    Family(usize),
    Other,
}

fn last_person(utterance: &Utterance, lexicon: &Lexicon, from: usize, until: usize) -> Option<Person> {
    let relative = utterance.speaker == Speaker::Relative;
    let named = utterance.within(from..until).iter().rev().filter(|hit| hit.end <= until).find_map(|hit| {
        let Meaning::Term(term) = hit.meaning else { return None };
        let person = match lexicon.term_kind(term)? {
            TermKind::Oneself if utterance.folded(hit.start..hit.end).contains(&'佢') => Person::Patient,
            TermKind::Oneself if relative => Person::Speaker(hit.start),
            TermKind::Oneself => Person::Patient,
            TermKind::Third if relative => mine(utterance, lexicon, from..hit.start).map_or(Person::Patient, Person::Family),
            // 我做阿媽嘅就相反,食 X: who came along tells who they are.
            TermKind::Family if relative && utterance.folded(hit.start.saturating_sub(2)..hit.start) == ['我', '做'] => {
                Person::Speaker(hit.start - 2)
            }
            // 想生 BB: nobody yet.
            TermKind::Family if utterance.folded(hit.start.saturating_sub(2)..hit.start).contains(&'生') => return None,
            TermKind::Family => Person::Family(hit.start),
            TermKind::Other => Person::Other,
            _ => return None,
        };
        Some((hit.end, person))
    });
    let words: String = utterance.folded(from..until).iter().collect();
    let another = ANOTHER.iter().filter_map(|word| words.rfind(word)).max();
    let another = another.map(|byte| from + words.get(..byte).map_or(0, |before| before.chars().count()));
    match (named, another) {
        (Some((end, person)), Some(at)) if end > at => Some(person),
        (_, Some(_)) => Some(Person::Other),
        (named, None) => named.map(|(_, person)| person),
    }
}

/// 我阿哥躁鬱,佢食 X: of the brother.
fn mine(utterance: &Utterance, lexicon: &Lexicon, before: std::ops::Range<usize>) -> Option<usize> {
    let owned = |at: usize| at.checked_sub(1).and_then(|before| utterance.chars.get(before)) == Some(&'我');
    utterance.terms(lexicon, before, TermKind::Family).last().map(|hit| hit.start).filter(|at| owned(*at))
}

/// A relative's drug. Who came along speaks of the patient as 阿爸, and of another as 佢阿爸, or 我阿哥 after 佢.
fn family(utterance: &Utterance, lexicon: &Lexicon, at: usize, clause: usize) -> bool {
    let owner = at.checked_sub(1).and_then(|before| utterance.chars.get(before));
    let spoken_of = utterance.back(at, 2 * SUBJECT_REACH);
    match utterance.speaker {
        Speaker::Relative => {
            owner == Some(&'佢')
                || owner == Some(&'我') && utterance.has(lexicon, spoken_of..at.saturating_sub(1), &[TermKind::Third])
        }
        // 阿爸冇糖尿,食緊 X: of what is denied of a relative, nothing follows.
        _ => clause <= at || !utterance.has(lexicon, at..clause, &[TermKind::Negation, TermKind::Contrast]),
    }
}

/// 我自己食緊 X, said by who came along; 我餵佢食 X and 我俾佢 are the patient's.
fn takes_oneself(utterance: &Utterance, at: usize, drug: usize) -> bool {
    let words: String = utterance.folded(at..drug).iter().collect();
    let self_told = words.starts_with("我自己") || words.starts_with("自己");
    // 我胃酸倒流食 X, 我試過小中風,而家食 X; not 我俾佢食, 我見佢, 我屋企有.
    let takes = ["食", "打", "用", "搽", "喷"].iter().any(|verb| words.contains(verb));
    let gives = words.chars().any(|c| GIVES.contains(c)) || words.contains("屋企");
    self_told || takes && !gives
}

/// 攞咗老公啲 X 嚟食, 鄰居俾咗支 X 我: another's that one takes.
fn comes_to_the_patient(utterance: &Utterance, hit: &Found) -> bool {
    let clause = utterance.clause(hit.start).range;
    let before: String = utterance.folded(clause.start..hit.start).iter().collect();
    let behind: String = utterance.folded(hit.end..clause.end.min(hit.end + RECEIVED)).iter().filter(|c| **c != ' ').collect();
    let taken = TAKES.iter().any(|verb| before.contains(verb))
        && ["嚟食", "食", "嚟用", "嚟搽"].iter().any(|end| behind.starts_with(end));
    let given = ["俾", "比", "塞", "送", "买"].iter().any(|verb| before.contains(verb));
    taken || given && behind.contains('我')
}
