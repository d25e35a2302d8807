//! What one utterance says of allergies: its clauses with a sign, with what a substance does, or with what is borne.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::answer::answered_at_once;
use super::lists::listed;
use super::reaction::{caused, felt, once_taken, taken_before};
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
        let as_for =
            sign.is_some() && utterance.speaker != Speaker::Patient && utterance.folded(range.clone()).ends_with(&['呢']);
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

/// 敏感 with no substance: that of 冇敏感 is any drug, of 後來話冇敏感 the one spoken of.
fn implied(
    utterance: &Utterance,
    lexicon: &Lexicon,
    sign: &Found,
    all: &[Told],
    question: bool,
) -> Vec<(Substance, usize, usize)> {
    let clause = utterance.clause(sign.start).range;
    // 唔算敏感, 唔係敏感 speaks of what was just told, and says nothing of drugs at large.
    if !question && utterance.has(lexicon, clause.start..sign.start, &[TermKind::NotSo]) {
        return Vec::new();
    }
    // A doctor who repeats 冇敏感 repeats what was answered a moment ago.
    let reach = if utterance.speaker == Speaker::Doctor { 1 } else { 0 };
    let chosen = all.last().filter(|_| !question).and_then(|told| {
        let near = |segment: u64| segment <= utterance.id && utterance.id - segment <= reach;
        told.evidence.spans().iter().any(|span| near(span.segment())).then(|| told.substance.clone())
    });
    // 對奶敏感 names something we do not know: it is no word on drugs.
    let lead = utterance.folded(utterance.clause(sign.start).range.start.max(sign.start.saturating_sub(8))..sign.start);
    let open = lead.iter().any(|c| matches!(c, '咩' | '什' | '边' | '药'));
    let something_else = !open && lead.iter().position(|c| *c == '对').is_some_and(|at| lead.len() - at > 1);
    let full = sign.end - sign.start >= 2 && !something_else;
    chosen.or_else(|| full.then(Substance::any_drug)).map(|name| (name, sign.start, sign.end)).into_iter().collect()
}

fn denied(utterance: &Utterance, lexicon: &Lexicon, sign: &Found, clause: &Range<usize>) -> bool {
    let kinds = [TermKind::Negation, TermKind::NotSo];
    let before = clause.start.max(utterance.back(sign.start, NEAR))..sign.start;
    let positive = utterance.terms(lexicon, before.clone(), TermKind::Affirmation).last().map_or(0, |hit| hit.end);
    let negative =
        kinds.iter().filter_map(|kind| utterance.terms(lexicon, before.clone(), *kind).last()).map(|hit| hit.end).max();
    let behind = utterance.has(lexicon, sign.end..clause.end.min(sign.end + 5), &kinds);
    // 對盤尼西林唔敏感: 唔 denies what it touches, or what 會 or 係 alone stands before.
    let touching = utterance.terms(lexicon, before, TermKind::NegationNear).last();
    // 都不過敏 is no 不過.
    let directly = sign.start.checked_sub(1).and_then(|at| utterance.chars.get(at)) == Some(&'唔');
    let touching = directly
        || touching.is_some_and(|no| utterance.folded(no.end..sign.start).iter().all(|c| matches!(c, '会' | '系' | '是')));
    negative.is_some_and(|negative| negative > positive) || behind || touching
}

/// NKDA; Allergies: nil.
fn none_headed(utterance: &Utterance, lexicon: &Lexicon, sign: &Found, clause: &Range<usize>) -> bool {
    let said: String = utterance.folded(sign.start..sign.end).iter().collect();
    let heads = utterance.chars.get(clause.end) == Some(&':') && clause.end.saturating_sub(sign.end) <= 2;
    let behind = utterance.clause(clause.end + 1).range;
    let nil = utterance.terms(lexicon, behind.clone(), TermKind::Negation).next();
    said == "nkda" || heads && nil.is_some_and(|nil| nil.start <= behind.start + 1 && behind.end.saturating_sub(nil.end) <= 2)
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

/// A sign of allergy and what stands around it.
struct Signed<'a> {
    sign: &'a Found,
    clause: &'a Range<usize>,
    named: &'a [(Substance, &'a Found)],
    list: &'a [Range<usize>],
    question: bool,
}

/// Where 對 or 有冇 leads to the name that a sign is of, and other names stand before that.
fn of_alone(
    utterance: &Utterance,
    lexicon: &Lexicon,
    clause: &Range<usize>,
    sign: &Found,
    named: &[(Substance, &Found)],
) -> Option<usize> {
    let before = clause.start..sign.start;
    let towards = utterance.folded(before.clone()).iter().rposition(|c| *c == '对').map(|at| before.start + at + 1);
    let asked = utterance.terms(lexicon, before, TermKind::Question).last().map(|hit| hit.end);
    let lead = towards.max(asked)?;
    let led = named
        .iter()
        .any(|(name, hit)| !name.is_any_drug() && hit.start >= lead && hit.start <= lead + 2 && hit.end <= sign.start);
    let others = named.iter().any(|(_, hit)| hit.end <= lead);
    (led && others).then_some(lead)
}

/// 對 X 敏感, 冇藥物敏感, 有冇 X 敏感: what a sign says of the substances near it; gives back what it asks.
fn signed(utterance: &Utterance, lexicon: &Lexicon, of: &Signed<'_>, all: &mut Vec<Told>) -> Vec<(Substance, Evidence)> {
    let Signed { sign, clause, named, list, question } = *of;
    let mut asked = Vec::new();
    // Diamox 我對 sulfa 過敏, 加 X 有冇 Y 敏感: what stands right before the sign is what it is of.
    let to = of_alone(utterance, lexicon, clause, sign, named);
    let near: Vec<(Substance, usize, usize)> = named
        .iter()
        .filter(|(_, hit)| to.is_none_or(|to| hit.start >= to))
        .filter(|(_, hit)| {
            let (before, after) = (utterance.between(hit.end, sign.start), utterance.between(sign.end, hit.start));
            hit.start < sign.end && before <= NEAR + 8 || hit.start >= sign.end && after <= NEAR
        })
        .map(|(name, hit)| (name.clone(), hit.start.min(sign.start), hit.end.max(sign.end)))
        .collect();
    // In another clause the words between are not of it.
    let own = |start: usize, end: usize| {
        let mut evidence = evidence_of(utterance, start..end)?;
        if start >= clause.end || end <= clause.start {
            evidence.merge(&evidence_of(utterance, sign.start..sign.end)?);
        }
        Some(evidence)
    };
    let listed = list.iter().flat_map(|range| utterance.within(range.clone())).filter_map(|hit| {
        let name = substance(utterance, hit, lexicon).filter(|name| !name.is_any_drug())?;
        Some((name, hit.start, hit.end))
    });
    let listed: Vec<(Substance, usize, usize)> = listed.collect();
    // 薄血藥、糖尿、藥物敏感? asks for each, and for an allergy only of drugs.
    let touching = named.iter().find(|(name, hit)| name.is_any_drug() && hit.end == sign.start).filter(|_| question);
    let in_list = touching.is_some_and(|(_, hit)| {
        hit.start.checked_sub(1).and_then(|at| utterance.chars.get(at)).is_some_and(|c| matches!(c, '、' | ','))
    });
    let mut near = near;
    near.retain(|(name, ..)| !in_list || name.is_any_drug());
    // Drug allergy: A, B. The drug of the heading is not the one.
    near.retain(|(name, ..)| listed.is_empty() || !name.is_any_drug());
    near.extend(listed);
    let denied = denied(utterance, lexicon, sign, clause) || none_headed(utterance, lexicon, sign, clause);
    let near = if near.is_empty() { implied(utterance, lexicon, sign, all, question) } else { near };
    // 藥冇敏感,花生就有.
    let but = |name: &Substance| {
        named.iter().any(|(other, hit)| other.name == name.name && utterance.folded(hit.end..hit.end + 2) == ['就', '有'])
    };
    for (name, start, end) in near {
        let Some(evidence) = own(start, end) else { continue };
        match (question, denied && !but(&name)) {
            (true, _) => asked.push((name, evidence)),
            // 唔係食物敏感 says what the rash is not.
            (false, true) if name.is_food() && utterance.has(lexicon, clause.start..sign.start, &[TermKind::NotSo]) => {}
            (false, true) => put(all, name, AllergyStatus::None, evidence),
            (false, false) if !name.is_general() => put(all, name, AllergyStatus::Present, evidence),
            (false, false) => {}
        }
    }
    asked
}
