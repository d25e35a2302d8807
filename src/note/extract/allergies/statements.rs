//! What one utterance says of allergies: its clauses with a sign, with what a substance does, or with what is borne.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::answer::answered_at_once;
use super::lists::listed;
use super::reaction::{caused, felt, once_taken, taken_before};
use super::signed::{Signed, denied, signed};
use super::whose::{but_not_me, left_to_a_relative, patients_own, relatives, set_against, told_from};
use super::{ANY_FOOD, NEAR, Substance, Told, evidence_of, put, substance, unread_within};
use crate::note::{AllergyStatus, Evidence};
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// The question mark asks the last clause of its sentence: in 我對蝦敏感,打得唔打得? the allergy is told.
fn last_clause(utterance: &Utterance, clause: &Range<usize>) -> bool {
    utterance.sentence(clause.start).end <= clause.end
}

/// What an utterance says of allergies; gives back what it asks.
///
/// Of what is named and no table knows, the words go to `unread`.
pub(super) fn statements(
    utterance: &Utterance,
    lexicon: &Lexicon,
    all: &mut Vec<Told>,
    unread: &mut Vec<Evidence>,
) -> Vec<(Substance, Evidence)> {
    let mut asked = Vec::new();
    let mut relative: Option<Range<usize>> = None;
    // The sentence in which the clause before was left to a relative.
    let mut theirs: Option<usize> = None;
    for clause in utterance.clauses() {
        let range = patients_own(utterance, lexicon, clause.range.clone());
        let range = told_from(utterance, lexicon, &range)..range.end;
        // 隻菌對 X 敏感: what kills it.
        if of_germs(utterance, lexicon, &range) {
            continue;
        }
        if relatives(utterance, lexicon, range.start, range.end) {
            if let Some(me) = set_against(utterance, lexicon, &range) {
                but_not_me(utterance, lexicon, range.start..me, &(me..range.end), all);
            }
            relative = utterance.has(lexicon, range.clone(), &[TermKind::Allergy]).then(|| range.clone()).or(relative);
            theirs = left_to_a_relative(utterance, lexicon, &range).then_some(clause.sentence);
            own_behind(utterance, lexicon, &range, all);
            continue;
        }
        // 我老公先有,食親磺胺藥就出疹.
        if theirs.take() == Some(clause.sentence) && !utterance.has(lexicon, range.clone(), &[TermKind::Oneself]) {
            theirs = Some(clause.sentence);
            continue;
        }
        if let Some(told) = relative.take() {
            but_not_me(utterance, lexicon, told, &range, all);
        }
        eats_everything(utterance, lexicon, &range, all);
        let hits = utterance.within(range.clone()).iter();
        let mut named: Vec<(Substance, &Found)> =
            hits.filter_map(|hit| substance(utterance, hit, lexicon).map(|name| (name, hit))).collect();
        without_their_class(utterance, &mut named);
        let sign = utterance.terms(lexicon, range.clone(), TermKind::Allergy).next();
        let list = sign.map(|sign| listed(utterance, lexicon, sign)).unwrap_or_default();
        // 我食過 X,塊面腫晒,話係敏感: of what was taken.
        if let Some(sign) = sign
            && named.is_empty()
            && !clause.asked
            && (utterance.speaker != Speaker::Doctor || withheld_before(utterance, lexicon, &range))
            && !utterance.has(
                lexicon,
                range.clone(),
                &[TermKind::Negation, TermKind::NotSo, TermKind::NegationNear, TermKind::Question],
            )
            && let Some((name, hit)) = once_taken(utterance, lexicon, &range)
            && let Some(evidence) = evidence_of(utterance, hit.start..hit.end).zip(evidence_of(utterance, sign.start..sign.end))
        {
            let (mut evidence, more) = evidence;
            evidence.merge(&more);
            put(all, name, AllergyStatus::Present, evidence);
            continue;
        }
        let mut reactions: Vec<Found> = utterance.terms(lexicon, range.clone(), TermKind::Reaction).copied().collect();
        if reactions.is_empty() {
            reactions.extend(felt(utterance, lexicon, &range));
        }
        if !reactions.is_empty() && named.is_empty() && utterance.speaker != Speaker::Doctor {
            named.extend(taken_before(utterance, lexicon, &range));
        }
        // Augmentin 都食過,冇事: the sign may stand right behind the comma.
        let taken = utterance.has(lexicon, range.clone(), &[TermKind::DrugStopped]);
        let until = if taken { range.end + 3 } else { range.end };
        // 食到腳筋痛: what it did is no sign that it is borne.
        let borne = |hit: &&Found| {
            // 鹹蛋就食得多 tells how much.
            let much = utterance.folded(hit.end..hit.end + 1) == ['多'];
            !much && (!utterance.folded(hit.start..hit.end).ends_with(&['到']) || nothing_follows(utterance, hit.end..range.end))
        };
        let tolerated = utterance.terms(lexicon, range.start..until, TermKind::Tolerated).find(borne);
        // 打過 X 有冇事? asks.
        let tolerated = tolerated.filter(|sign| !asks_of(utterance, lexicon, sign));
        let question = clause.asked && last_clause(utterance, &range)
            || utterance.has(lexicon, range.clone(), &[TermKind::Question, TermKind::QuestionEnd])
            || asks_which(utterance, lexicon, &range);
        // 药物敏感呢: without a mark.
        let of_drugs = named.iter().all(|(name, _)| name.is_any_drug()) && !utterance.folded(range.clone()).contains(&'对');
        let theirs = matches!(utterance.speaker, Speaker::Doctor | Speaker::Unknown);
        let as_for = sign.is_some() && of_drugs && theirs && utterance.folded(range.clone()).ends_with(&['呢']);
        let question = question || as_for;
        // 乜都唔敏感 asks nothing.
        let words: String = utterance.folded(range.clone()).iter().collect();
        let question =
            question && !["咩都唔", "咩嘢都唔", "咩药都唔", "什么药都唔", "什么都唔"].iter().any(|all| words.contains(all));
        let question = question && !sign.is_some_and(|sign| told_first(utterance, lexicon, &range, sign));
        let signs = utterance.terms(lexicon, range.clone(), TermKind::Allergy).count();
        if signs > 1 && utterance.has(lexicon, range.clone(), &[TermKind::NotSo]) {
            // 海鮮敏感唔係顯影劑敏感 compares two allergies and claims neither.
            continue;
        }
        if named.is_empty() && list.is_empty() && !question {
            unread
                .extend(told_of(utterance, &range, sign, reactions.last()).and_then(|of| unread_within(utterance, lexicon, of)));
        }
        // 有冇食藥食到出疹面腫? asks for an allergy by what it does.
        if sign.is_none() && question && utterance.speaker != Speaker::Patient {
            asked.extend(drug_rash(utterance, lexicon, &range).map(|evidence| (Substance::any_drug(), evidence)));
        }
        match (sign, reactions.last(), tolerated) {
            (None, None, None) if !question && utterance.has(lexicon, range.clone(), &[TermKind::Negation]) => {
                // 對鰻魚敏感,藥物冇.
                let sentence = utterance.sentence(range.start);
                let recent = sentence.start.max(utterance.back(range.start, 3 * NEAR))..range.start;
                let spoken_of = utterance.has(lexicon, recent, &[TermKind::Allergy]);
                // 我對蝦敏感,使唔使寫?藥就冇.
                let near = utterance.back(range.start, 3 * NEAR)..range.start;
                let kinds = utterance.has(lexicon, near, &[TermKind::Allergy]) && nothing_but_denied(utterance, &named, &range);
                let spoken_of = spoken_of || kinds;
                // 屋企冇花生 denies what it is said before.
                let denied = |hit: &Found| utterance.has(lexicon, hit.end..range.end, &[TermKind::Negation]);
                for (name, hit) in named.iter().filter(|(name, hit)| spoken_of && (name.is_general() || denied(hit))) {
                    if let Some(evidence) = evidence_of(utterance, hit.start..range.end) {
                        put(all, name.clone(), AllergyStatus::None, evidence);
                    }
                }
            }
            (Some(sign), _, _) => {
                // 對 X 有冇敏感 冇敏感過: the answer in the same turn is to what it asked.
                let open = if question { None } else { asked.pop() };
                let of = Signed { sign, clause: &range, named: &named, list: &list, question };
                match open {
                    Some((name, evidence))
                        if named.is_empty() && asked.is_empty() && denied(utterance, lexicon, sign, &range) =>
                    {
                        put(all, name, AllergyStatus::None, evidence);
                    }
                    open => {
                        asked.extend(open);
                        asked.extend(signed(utterance, lexicon, &of, all));
                        if !question && utterance.speaker != Speaker::Doctor {
                            did_behind(utterance, lexicon, sign.end, &reactions, &named, all);
                        }
                    }
                }
            }
            (None, Some(_), _) if !question => {
                // 人哋話食 X 會成身甩皮, 驚食 X 會面腫: it befell nobody yet.
                let feared = utterance.has(lexicon, range.clone(), &[TermKind::Worry]);
                let told = |reaction: &&Found| !feared && !denied_near(utterance, lexicon, reaction);
                for reaction in reactions.iter().filter(told) {
                    caused(utterance, reaction, &named, all);
                }
            }
            (None, None, Some(sign)) if !question => {
                // 細個食蝦冇事, of what one is allergic to now.
                let said: String = utterance.folded(range.clone()).iter().collect();
                let once = ["细个", "以前", "后生"].iter().any(|then| said.contains(then));
                let told = |name: &Substance| {
                    all.iter().any(|told| told.substance.name == name.name && told.status == AllergyStatus::Present)
                };
                named.retain(|(name, _)| !(once && told(name)));
                for (name, hit) in
                    named.iter().filter(|(_, hit)| hit.end <= sign.start || utterance.between(sign.end, hit.start) < NEAR)
                {
                    // 頭孢冇事 speaks of an allergy only where one was feared; for food it always does.
                    if let Some(evidence) = evidence_of(utterance, hit.start.min(sign.start)..hit.end.max(sign.end)) {
                        put(all, name.clone(), AllergyStatus::None, evidence);
                    }
                }
            }
            _ => {}
        }
    }
    if asked.is_empty() { asked_plainly(utterance, lexicon) } else { answered_at_once(utterance, asked, all) }
}

/// 上次話冇藥物敏感,講漏咗以前食 X 出過風疹: what a substance did that is named behind the sign.
fn did_behind(
    utterance: &Utterance,
    lexicon: &Lexicon,
    from: usize,
    reactions: &[Found],
    named: &[(Substance, &Found)],
    all: &mut Vec<Told>,
) {
    let behind: Vec<(Substance, &Found)> =
        named.iter().filter(|(name, hit)| hit.start >= from && !name.is_general()).cloned().collect();
    for reaction in reactions.iter().filter(|reaction| reaction.start >= from) {
        let feared = utterance.has(lexicon, from..reaction.start, &[TermKind::Worry]);
        let nearest = behind.iter().any(|(_, hit)| hit.end <= reaction.start);
        if nearest && !feared && !denied_near(utterance, lexicon, reaction) {
            caused(utterance, reaction, &behind, all);
        }
    }
}

/// 我女兒才對貓毛敏感我自己就食雞蛋出風疹: behind a relative's, what befell the patient.
fn own_behind(utterance: &Utterance, lexicon: &Lexicon, range: &Range<usize>, all: &mut Vec<Told>) {
    let me = utterance.terms(lexicon, range.clone(), TermKind::Oneself).last().filter(|me| me.end - me.start > 1);
    // 我自己就食 X 塊面腫晒, says the mother: hers, and no relative was set against.
    let set_against = |me: &&Found| utterance.has(lexicon, range.start..me.start, &[TermKind::Family]);
    let patients = !matches!(utterance.speaker, Speaker::Doctor | Speaker::Relative);
    let Some(me) = me.filter(|me| patients && set_against(me)) else { return };
    let own = me.end..range.end;
    if utterance.has(lexicon, own.clone(), &[TermKind::Family, TermKind::Other]) {
        return;
    }
    let signs = [TermKind::Reaction, TermKind::Allergy].iter().flat_map(|kind| utterance.terms(lexicon, own.clone(), *kind));
    let reactions: Vec<Found> = signs.copied().filter(|sign| !denied_near(utterance, lexicon, sign)).collect();
    let hits = utterance.within(own.clone()).iter();
    let named: Vec<(Substance, &Found)> = hits
        .filter_map(|hit| substance(utterance, hit, lexicon).map(|name| (name, hit)))
        .filter(|(name, _)| !name.is_general())
        .collect();
    reactions.iter().for_each(|reaction| caused(utterance, reaction, &named, all));
}

/// The words for a rash that drugs bring.
fn drug_rash(utterance: &Utterance, lexicon: &Lexicon, range: &Range<usize>) -> Option<Evidence> {
    let hit = utterance.within(range.clone()).iter().find(|hit| match hit.meaning {
        Meaning::Condition(condition) => {
            lexicon.conditions.get(condition).is_some_and(|concept| concept.icd10.starts_with("L27.0"))
        }
        _ => false,
    })?;
    evidence_of(utterance, hit.start..hit.end)
}

/// 對鰻魚敏感, 食 sulfa 出過疹: where the name stands.
fn told_of(utterance: &Utterance, clause: &Range<usize>, sign: Option<&Found>, reaction: Option<&Found>) -> Option<Range<usize>> {
    let before = |hit: &Found, opens: &str| {
        let lead = utterance.back(hit.start, NEAR).max(clause.start)..hit.start;
        let at = utterance.folded(lead.clone()).iter().rposition(|c| opens.contains(*c))?;
        Some(lead.start + at + 1..hit.start)
    };
    sign.and_then(|hit| before(hit, "对")).or_else(|| reaction.and_then(|hit| before(hit, "对食打用搽")))
}

/// 我對蝦敏感係咪都要講?: the allergy is told, and something else is asked of it.
fn told_first(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>, sign: &Found) -> bool {
    let before = clause.start..sign.start;
    let mine = utterance.has(lexicon, before.clone(), &[TermKind::Oneself]) && utterance.folded(before.clone()).contains(&'对');
    let asks = [TermKind::Question, TermKind::QuestionEnd];
    mine && utterance.speaker != Speaker::Doctor
        && !utterance.has(lexicon, before, &asks)
        && utterance.has(lexicon, sign.end..clause.end, &asks)
}

/// 藥就冇: a kind, and that there is none of it.
fn nothing_but_denied(utterance: &Utterance, named: &[(Substance, &Found)], clause: &Range<usize>) -> bool {
    let [(name, hit)] = named else { return false };
    let rest: String = utterance.folded(hit.end..clause.end).iter().filter(|c| !"就都亦 呀啊喎㗎啦喇".contains(**c)).collect();
    name.is_general() && hit.start <= clause.start + 1 && ["冇", "冇有"].contains(&rest.as_str())
}

/// 對咩藥敏感: a question without its mark.
fn asks_which(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> bool {
    let Some(sign) = utterance.terms(lexicon, clause.clone(), TermKind::Allergy).next() else { return false };
    let before = clause.start..sign.start;
    let which = utterance.folded(before.clone()).iter().any(|c| matches!(c, '咩' | '什' | '边'));
    let denied = [TermKind::Negation, TermKind::NegationNear, TermKind::NotSo];
    which && utterance.speaker != Speaker::Patient && !utterance.has(lexicon, before, &denied)
}

/// 藥敏? 對盤尼西林點?: a substance and a question without more.
pub(super) fn asked_plainly(utterance: &Utterance, lexicon: &Lexicon) -> Vec<(Substance, Evidence)> {
    let to = |hit: &Found| hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at)) == Some(&'对');
    utterance
        .found
        .iter()
        .filter(|hit| utterance.clause(hit.start).asked && to(hit))
        .filter_map(|hit| Some((substance(utterance, hit, lexicon)?, evidence_of(utterance, hit.start..hit.end)?)))
        .collect()
}

pub(super) fn denied_near(utterance: &Utterance, lexicon: &Lexicon, hit: &Found) -> bool {
    utterance.has(lexicon, hit.start.saturating_sub(3)..hit.start, &[TermKind::Negation, TermKind::NegationNear])
}

/// 我自己對蝦敏感,佢就乜都食得: where allergies are spoken of, no food is one.
fn eats_everything(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>, all: &mut Vec<Told>) {
    let words: String = utterance.folded(clause.clone()).iter().collect();
    let everything = ["咩都食得", "咩嘢都食得", "样样都食得", "样样食得"];
    let recent = utterance.back(clause.start, 6 * NEAR)..clause.start;
    let of_allergies = utterance.has(lexicon, recent, &[TermKind::Allergy]);
    if of_allergies
        && everything.iter().any(|all| words.contains(all))
        && let Some(evidence) = evidence_of(utterance, clause.clone())
    {
        let food = Substance { name: ANY_FOOD.to_owned(), drug: false, heard_as: None };
        put(all, food, AllergyStatus::None, evidence);
    }
}

/// 以後唔好食 Augmentin,你敏感: a doctor says it of what must not be taken.
fn withheld_before(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> bool {
    let before = clause.start.checked_sub(1).map(|at| utterance.clause(at).range);
    before.is_some_and(|before| utterance.has(lexicon, before, &[TermKind::DrugWithheld]))
}

/// Whether nothing but a particle stands in a range.
fn nothing_follows(utterance: &Utterance, rest: Range<usize>) -> bool {
    utterance.folded(rest).iter().all(|c| "呀啊喎㗎嘅啦喇嘛 ".contains(*c))
}

/// 打過 X 有冇事?: words of a question that hold the sign's.
fn asks_of(utterance: &Utterance, lexicon: &Lexicon, sign: &Found) -> bool {
    let question = |hit: &Found| hit.start <= sign.start && hit.end > sign.start;
    utterance.terms(lexicon, sign.start.saturating_sub(2)..sign.end, TermKind::Question).any(question)
}

/// 頭孢類抗生素: the class stands behind its kind and names no second substance.
fn without_their_class(utterance: &Utterance, named: &mut Vec<(Substance, &Found)>) {
    let mut end = None;
    named.retain(|(_, hit)| {
        let of_kind = end.is_some_and(|end: usize| {
            let kind = utterance.folded(end.saturating_sub(1)..hit.start).contains(&'类');
            kind && hit.start >= end && hit.start - end <= 1
        });
        end = Some(hit.end);
        !of_kind
    });
}

/// 啲大腸桿菌對 ciprofloxacin 敏感: a clause of germs, or behind one in its sentence where nobody is named.
fn of_germs(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> bool {
    let sentence = utterance.sentence(clause.start);
    if !utterance.has(lexicon, clause.clone(), &[TermKind::Allergy]) {
        return false;
    }
    let own = utterance.has(lexicon, clause.clone(), &[TermKind::Oneself, TermKind::Third])
        || utterance.folded(clause.clone()).contains(&'你');
    let near = sentence.start.max(utterance.back(clause.start, 3 * NEAR))..sentence.end.min(utterance.ahead(clause.end, NEAR));
    let (from, until) = if own { (clause.start, clause.end) } else { (near.start, near.end) };
    let words: String = utterance.folded(from..until).iter().collect();
    let germ = (from..clause.end).any(|at| {
        let allergen = |hit: &Found| matches!(hit.meaning, Meaning::Allergen(_)) && hit.end > at;
        utterance.folded(at..at + 1) == ['菌'] && !utterance.within(at.saturating_sub(3)..at + 1).iter().any(allergen)
    });
    germ || GERMS.iter().any(|word| words.contains(word))
}

/// Words of a culture's report (folded).
const GERMS: [&str; 9] = ["抗药", "耐药", "mrsa", "种尿", "尿种", "culture", "organism", "resistant", "e. coli"];
