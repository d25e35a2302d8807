//! Answers to a question about allergies: in the next turn, or in the same.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::lists::named;
use super::reaction::reacts;
use super::{Substance, Told, evidence_of, put, substance};
use crate::note::{AllergyStatus, Evidence};
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// 冇, 有, 食得 or the substance's name in the turn after the question.
pub(super) fn answer(utterance: &Utterance, lexicon: &Lexicon, substances: Vec<(Substance, Evidence)>, all: &mut Vec<Told>) {
    each_denied(utterance, lexicon, all);
    // BB 冇, 我冇: of whom it is said is not the answer.
    let of_whom = |kind: TermKind| matches!(kind, TermKind::Family | TermKind::Oneself | TermKind::Third);
    // 我自己就冇.
    let lead = utterance.found.first().filter(|hit| {
        let oneself = matches!(hit.meaning, Meaning::Term(term) if lexicon.term_kind(term) == Some(TermKind::Oneself));
        hit.start == 0 && oneself
    });
    let latest = 3 + lead.map_or(0, |hit| hit.end.min(2));
    let first = utterance.found.iter().find_map(|hit| match hit.meaning {
        // 咁又冇.
        Meaning::Term(_) if utterance.folded(hit.start..hit.end) == ['又'] => None,
        Meaning::Term(term) if hit.start <= latest => {
            lexicon.term_kind(term).filter(|kind| !of_whom(*kind)).map(|kind| (hit, kind))
        }
        _ => None,
    });
    // 算唔算敏感? 唔算: what was told is no allergy, and nothing is said of others.
    if first.is_some_and(|(hit, _)| utterance.folded(hit.start..hit.end) == ['唔', '算']) {
        return;
    }
    let denial = first.filter(|(hit, kind)| {
        let clause = utterance.clause(hit.start).range;
        // 没有只是吃虾蟹会痕: what is excepted is none of the denial.
        // 没有我儿子才对头孢过敏: nor is what a relative has.
        let next = [TermKind::Contrast, TermKind::Family, TermKind::Other]
            .iter()
            .filter_map(|kind| utterance.terms(lexicon, hit.end..clause.end, *kind).next())
            .map(|next| next.start)
            .min();
        let end = next.unwrap_or(clause.end);
        let named = utterance.within(hit.end..end).iter().find(|hit| substance(utterance, hit, lexicon).is_some());
        // 没有吃抗生素会拉肚子而已: the denial is whole, and then comes what a drug does.
        let tells = |name: &Found| {
            matches!(utterance.folded(hit.end..name.start), ['食' | '打' | '搽'])
                && matches!(utterance.folded(name.end..name.end + 1), ['会' | '就'])
        };
        let names = named.is_some_and(|name| !tells(name));
        let end = named.filter(|name| tells(name)).map_or(end, |_| hit.end);
        // 冇哮喘冇腎石 answers what else was asked.
        let of_illness = utterance
            .within(hit.end..end)
            .iter()
            .any(|next| matches!(next.meaning, Meaning::Condition(_)) && !reacts(next, lexicon));
        // 有冇變? 冇變,都係盤尼西林.
        let again = utterance.folded(hit.end..utterance.chars.len()).contains(&'冇');
        let as_before = matches!(utterance.folded(hit.end..hit.end + 1), ['变' | '改']) && !again;
        !as_before
            && matches!(kind, TermKind::Negation | TermKind::NotSo)
            && end.saturating_sub(hit.end) <= 6
            && !names
            && !of_illness
    });
    let Some(hit) = denial.map(|(hit, _)| hit).or_else(|| denied_later(utterance, lexicon)) else {
        if first.is_some_and(|(hit, kind)| affirms(utterance, hit, kind)) {
            affirmed(utterance, lexicon, &substances, all);
        }
        named(utterance, lexicon, all);
        if let Some(evidence) = no_other(utterance).and_then(|range| evidence_of(utterance, range))
            && substances.iter().any(|(substance, _)| substance.is_any_drug())
        {
            put(all, Substance::any_drug(), AllergyStatus::None, evidence);
        }
        return tolerated(utterance, lexicon, substances, all);
    };
    for (substance, mut evidence) in substances {
        if let Some(more) = evidence_of(utterance, hit.start..hit.end) {
            evidence.merge(&more);
        }
        put(all, substance, AllergyStatus::None, evidence);
    }
    // 冇……呀等等,有,盤尼西林: thought of behind it.
    let clauses = utterance.clauses().iter().map(|clause| clause.range.clone()).skip_while(|range| range.start <= hit.start);
    if clauses.clone().any(|range| utterance.folded(range).iter().collect::<String>().trim() == "有") {
        named(utterance, lexicon, all);
    }
}

/// 冇燒。舊年打完手腫,敏感就冇: the sign denied without a name, behind other answers.
fn denied_later<'a>(utterance: &'a Utterance, lexicon: &'a Lexicon) -> Option<&'a Found> {
    let sign = utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::Allergy).next()?;
    let clause = utterance.clause(sign.start);
    let named = utterance.within(clause.range.clone()).iter().any(|hit| substance(utterance, hit, lexicon).is_some());
    let behind = utterance.terms(lexicon, sign.end..clause.range.end, TermKind::Negation).next();
    behind.filter(|hit| !clause.asked && !named && clause.range.end.saturating_sub(hit.end) <= 1)
}

/// 係, 嗰隻就有, 好似係.
fn affirms(utterance: &Utterance, hit: &Found, kind: TermKind) -> bool {
    let clause = utterance.clause(hit.start).range;
    let words: String = utterance.folded(hit.start..hit.end).iter().collect();
    let rest = utterance.folded(hit.end..clause.end);
    match kind {
        TermKind::Affirmation => true,
        // 敏唔敏感? 敏感喎!
        TermKind::Allergy => {
            // 敏感呀?冇喎; 敏感嘅。唔係我.
            let asked = utterance.clauses().iter().any(|own| own.range.start == clause.start && own.asked);
            let later: String = utterance.folded(clause.end..utterance.chars.len()).iter().collect();
            let denied = ["冇", "唔", "老公", "老婆"].iter().any(|no| later.contains(no));
            !asked && !denied && rest.iter().all(|c| "喎㗎呀啊嘅啦喇".contains(*c))
        }
        TermKind::Contrast => words == "就有",
        TermKind::Uncertain => {
            rest.is_empty() && words.ends_with('系') || matches!(rest, ['系' | '有'] | ['系' | '有', '呀' | '啩' | '喎'])
        }
        _ => false,
    }
}

/// 藥就冇,食物都唔覺, Penicillin 冇: each denied by itself.
fn each_denied(utterance: &Utterance, lexicon: &Lexicon, all: &mut Vec<Told>) {
    for clause in utterance.clauses().iter().filter(|clause| !clause.asked).map(|clause| clause.range.clone()) {
        let told =
            utterance.within(clause.clone()).iter().find_map(|hit| substance(utterance, hit, lexicon).map(|name| (name, hit)));
        let Some((name, hit)) = told else { continue };
        let lead = utterance.folded(clause.start..hit.start).iter().all(|c| "我佢系就嘅食打对 ".contains(*c));
        // 药没有鸡蛋吃了起风: up to the next name, where no mark stands between.
        let next = utterance.within(hit.end..clause.end).iter().find(|next| substance(utterance, next, lexicon).is_some());
        let end = next.map_or(clause.end, |next| next.start);
        // 药没有不过食花生嘴唇会肿.
        let but = utterance.terms(lexicon, hit.end..end, TermKind::Contrast).next();
        let end = but.map_or(end, |but| but.start);
        let rest: String = utterance.folded(hit.end..end).iter().filter(|c| !"就都亦 呀啊喎㗎啦喇".contains(**c)).collect();
        if lead
            && ["冇", "冇有", "唔觉", "未试过", "冇试过", "未试过有事", "冇试过有事", "未有过"].contains(&rest.as_str())
            && let Some(evidence) = evidence_of(utterance, hit.start..end)
        {
            put(all, name, AllergyStatus::None, evidence);
        }
    }
}

/// 食卡托普利咳到死,其他就冇: no other, behind what is a side effect.
fn no_other(utterance: &Utterance) -> Option<Range<usize>> {
    let none = |range: &Range<usize>| {
        let words: String = utterance.folded(range.clone()).iter().filter(|c| !"都就 呀啊喎㗎啦喇".contains(**c)).collect();
        ["其佢冇", "其佢冇有", "其佢药冇", "其佢药冇有"].contains(&words.as_str())
    };
    utterance.clauses().iter().map(|clause| clause.range.clone()).find(none)
}

/// 冇盤尼西林敏感嘛? 有㗎: the one substance that was asked about, where the answer names none of its own.
fn affirmed(utterance: &Utterance, lexicon: &Lexicon, substances: &[(Substance, Evidence)], all: &mut Vec<Told>) {
    // 係,食完出疹。碘酒搽過冇事: the next sentence is of something else.
    let everything = utterance.sentence(0);
    let aside = [TermKind::Negation, TermKind::NotSo, TermKind::Tolerated, TermKind::Other];
    let [(substance, evidence)] = substances else { return };
    // 有喎,以前食 sulfa 出疹: the same again. 有聽過,食 aspirin 傷胃 tells of it without what it did.
    let whole = 0..utterance.chars.len();
    let rash = utterance.folded(whole.clone()).iter().any(|c| matches!(c, '疹' | '肿' | '痕' | '喘'));
    let did = rash || utterance.has(lexicon, whole, &[TermKind::Reaction]);
    let names = utterance.within(everything.clone()).iter().any(|hit| {
        super::substance(utterance, hit, lexicon)
            .is_some_and(|named| !named.is_any_drug() && (named.name != substance.name || !did))
    });
    // 好似係,阿媽話我細個出疹: she only tells of it.
    let tells = |hit: &Found| matches!(utterance.chars.get(hit.end), Some('话' | '讲' | '记' | '同'));
    let family = utterance.terms(lexicon, everything.clone(), TermKind::Family).any(|hit| !tells(hit));
    if family
        || names
        || substance.is_any_drug()
        || utterance.speaker == Speaker::Doctor
        || utterance.has(lexicon, everything, &aside)
    {
        return;
    }
    let mut evidence = evidence.clone();
    let clause = utterance.clauses().first().map(|clause| clause.range.clone()).unwrap_or_default();
    if let Some(more) = evidence_of(utterance, clause) {
        evidence.merge(&more);
    }
    put(all, substance.clone(), AllergyStatus::Present, evidence);
}

/// 細個食過都冇事.
fn tolerated(utterance: &Utterance, lexicon: &Lexicon, substances: Vec<(Substance, Evidence)>, all: &mut Vec<Told>) {
    let Some(sign) = utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::Tolerated).next() else { return };
    let named = utterance.within(0..sign.start).iter().any(|hit| substance(utterance, hit, lexicon).is_some());
    let family = utterance.has(lexicon, 0..sign.start, &[TermKind::Family]);
    if named || family || substances.len() != 1 {
        return;
    }
    for (substance, mut evidence) in substances.into_iter().filter(|(substance, _)| !substance.is_any_drug()) {
        if let Some(more) = evidence_of(utterance, sign.start..sign.end) {
            evidence.merge(&more);
        }
        put(all, substance, AllergyStatus::None, evidence);
    }
}

/// 食藥有冇敏感?冇。 Who asks answers in the same turn; gives back what is still open.
pub(super) fn answered_at_once(
    utterance: &Utterance,
    asked: Vec<(Substance, Evidence)>,
    all: &mut Vec<Told>,
) -> Vec<(Substance, Evidence)> {
    let words = |range: &Range<usize>| -> String {
        utterance.folded(range.clone()).iter().filter(|c| !" 呀㗎啊喇啦嘅喎,.。".contains(**c)).collect()
    };
    let end = asked.iter().flat_map(|(_, evidence)| evidence.spans()).map(|span| span.end()).max().unwrap_or_default();
    let clauses = utterance.clauses().iter().map(|clause| (clause.range.clone(), words(&clause.range)));
    let mut filled = clauses.filter(|(_, words)| !words.is_empty());
    // The next clause where it says no more than that, as in a talk without marks, or the last.
    let next = filled.clone().find(|(range, _)| range.start >= end).filter(|(_, words)| NONE.contains(&words.as_str()));
    let Some((last, words)) = next.or_else(|| filled.next_back()) else {
        return asked;
    };
    let own = asked.iter().flat_map(|(_, evidence)| evidence.spans()).any(|span| span.end() > last.start);
    if own || !NONE.contains(&words.as_str()) {
        return asked;
    }
    for (substance, mut evidence) in asked {
        if let Some(more) = evidence_of(utterance, last.clone()) {
            evidence.merge(&more);
        }
        put(all, substance, AllergyStatus::None, evidence);
    }
    Vec::new()
}

/// A denial that is a whole clause (folded).
const NONE: [&str; 7] = ["冇", "冇有", "都冇", "就冇", "佢冇", "我冇", "药冇"];
