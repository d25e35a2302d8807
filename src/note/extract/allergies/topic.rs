//! The substance that the last turns spoke of, and what is asked or told of it without its name.

use std::ops::Range;

use super::super::utterance::{Speaker, Utterance};
use super::lists::substances_alone;
use super::reaction::{once, shows};
use super::whose::relatives;
use super::{Substance, Told, evidence_of, put, substance};
use crate::note::{AllergyStatus, Evidence};
use crate::terminology::{Found, Lexicon, TermKind};

/// How many segments a topic lasts.
const LASTS: usize = 3;

/// Words that ask whether something was borne (folded).
const BORNE: [&str; 15] = [
    "有冇事",
    "有冇问题",
    "有冇反应",
    "有冇唔舒服",
    "得唔得",
    "食得",
    "用得",
    "打得",
    "成点",
    "过点",
    "点呀",
    "系咪",
    "敏感",
    "过敏",
    "有冇试过",
];

/// What the talk has come to.
#[derive(Default)]
pub(super) struct Topic {
    /// The one substance that was named last, where, and whether it was asked how it was borne.
    substance: Option<(usize, Substance, Evidence, bool)>,
    /// Where allergies were last spoken of.
    allergies: Option<usize>,
    /// Where it was asked how something was borne then.
    asked_how: Option<usize>,
}

impl Topic {
    /// Remembers what a turn names.
    pub(super) fn turn(&mut self, index: usize, utterance: &Utterance, lexicon: &Lexicon) {
        let whole = 0..utterance.chars.len();
        let words: String = utterance.chars.iter().collect();
        if utterance.has(lexicon, whole.clone(), &[TermKind::Allergy]) || words.contains("唔食得") || words.contains("唔得")
        {
            self.allergies = Some(index);
        }
        let open = utterance.speaker == Speaker::Unknown && utterance.has(lexicon, whole.clone(), &[TermKind::OpenQuestion]);
        let asks = utterance.speaker != Speaker::Patient && (open || utterance.clauses().iter().any(|clause| clause.asked));
        // 以前食 X 怎样?
        let then = ["以前", "之前", "上次", "小时候", "细个"].iter().any(|when| words.contains(when));
        let how = then && ["点样", "怎样", "怎么样"].iter().any(|how| words.contains(how));
        self.asked_how = (asks && how).then_some(index);
        let borne = asks && (how || BORNE.iter().any(|word| words.contains(word)));
        let mut named: Vec<(Substance, Evidence)> = names(utterance, lexicon, whole);
        named.dedup_by(|one, other| one.0.name == other.0.name);
        match (named.pop(), named.is_empty()) {
            (Some((name, evidence)), true) => self.substance = Some((index, name, evidence, borne)),
            (Some(_), false) => self.substance = None,
            // 有冇事? asks it of what was named before.
            (None, _) => {
                if let Some((at, _, _, before)) = &mut self.substance
                    && borne
                    && index <= *at + LASTS
                {
                    *before = true;
                }
            }
        }
    }

    /// 頭孢呢? 係咪 aspirin? 咁食物?: a name and no more, where the talk is of allergies.
    pub(super) fn asks(&self, index: usize, utterance: &Utterance, lexicon: &Lexicon) -> Vec<(Substance, Evidence)> {
        let fresh = self.allergies.is_some_and(|at| index <= at + LASTS);
        // 咁當佢對雞蛋敏感住。藥物呢? The same turn may have come to it.
        let since = utterance.terms(lexicon, 0..utterance.chars.len(), TermKind::Allergy).next().map(|sign| sign.end);
        let fresh = |at: usize| fresh || since.is_some_and(|since| since <= at);
        let theirs = utterance.speaker != Speaker::Patient;
        let mut asked = Vec::new();
        for clause in utterance.clauses().iter().filter(|clause| clause.asked && theirs && fresh(clause.range.start)) {
            let words = utterance.folded(clause.range.clone());
            let lead =
                words.iter().take_while(|c| matches!(c, '咁' | '系' | '咪' | '即' | '嗰' | '么' | '其' | '佢' | ' ')).count();
            let behind = words.iter().rev().take_while(|c| matches!(c, '呢' | '呀' | '啊' | '喎' | ' ')).count();
            let bare = clause.range.start + lead..clause.range.end.saturating_sub(behind);
            let kind = |hit: &Found| {
                (hit.start..hit.end) == bare && substance(utterance, hit, lexicon).is_some_and(|one| one.is_general())
            };
            let kind = utterance.within(bare.clone()).iter().any(kind);
            if !bare.is_empty() && (kind || substances_alone(utterance, lexicon, bare.clone())) {
                asked.extend(all_names(utterance, lexicon, bare));
            }
        }
        asked
    }

    /// 你話食完藥出疹,嗰隻叫咩?: which one did it.
    pub(super) fn asks_which(&self, utterance: &Utterance, lexicon: &Lexicon) -> bool {
        let whole = 0..utterance.chars.len();
        let asked = utterance.clauses().last().is_some_and(|clause| clause.asked && clause.range.is_empty())
            || utterance.clauses().iter().any(|clause| clause.asked);
        let which = utterance.folded(whole.clone()).iter().any(|c| matches!(c, '咩' | '什' | '边'));
        let reaction = utterance.has(lexicon, whole.clone(), &[TermKind::Reaction]);
        asked && which && reaction && utterance.speaker != Speaker::Patient && names(utterance, lexicon, whole).is_empty()
    }

    /// 有,打完即刻出風癩; 護士話我對佢敏感: what the patient tells of the topic without its name.
    pub(super) fn told(&self, index: usize, utterance: &Utterance, lexicon: &Lexicon, all: &mut Vec<Told>) {
        let whole = 0..utterance.chars.len();
        let Some((at, name, before, borne)) = self.substance.as_ref().filter(|(at, ..)| *at < index && index <= at + LASTS)
        else {
            return;
        };
        if utterance.speaker == Speaker::Doctor
            || !names(utterance, lexicon, whole.clone()).is_empty()
            || *at + 1 != index && !borne
        {
            return;
        }
        // 打完手腫,敏感就冇: they say themselves that it is none.
        let no = [TermKind::Negation, TermKind::NotSo];
        let none = |sign: &Found| utterance.has(lexicon, utterance.clause(sign.start).range, &no);
        if utterance.terms(lexicon, whole, TermKind::Allergy).any(none) {
            return;
        }
        // 有冇事? 有,出疹: who answers so need not say that it was taken.
        let answers = *at + 1 == index
            && ["有", "系", "唔得", "唔食得"]
                .iter()
                .any(|yes| utterance.chars.iter().take(yes.chars().count()).copied().eq(yes.chars()));
        for clause in utterance.clauses().iter().filter(|clause| !clause.asked).map(|clause| clause.range.clone()) {
            let aside = [TermKind::Family, TermKind::Other, TermKind::Uncertain];
            if utterance.has(lexicon, clause.clone(), &aside) || relatives(utterance, lexicon, clause.start, clause.end) {
                continue;
            }
            let sign = of_it(utterance, lexicon, &clause);
            // 以前食 X 怎样? 全身起红疹: the answer is what it did.
            let at_once = self.asked_how.is_some_and(|asked| asked + 1 == index) && clause.start == 0 && *borne;
            let answers = answers || at_once;
            let Some(range) = sign.or_else(|| did(utterance, lexicon, &clause, answers).filter(|_| *borne)) else { continue };
            let mut evidence = before.clone();
            if let Some(more) = evidence_of(utterance, range) {
                evidence.merge(&more);
            }
            return put(all, name.clone(), AllergyStatus::Present, evidence);
        }
    }
}

/// 話係藥物敏感, 我對佢敏感, 入過紀錄敏感: that somebody said it is an allergy.
fn of_it(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<Range<usize>> {
    let sign = utterance.terms(lexicon, clause.clone(), TermKind::Allergy).next()?;
    let lead: String = utterance.folded(clause.start..sign.start).iter().collect();
    let denied = [TermKind::Negation, TermKind::NegationNear, TermKind::NotSo, TermKind::Question];
    let its = ["对佢", "对呢只", "对嗰只", "话系", "话我", "话佢", "纪录", "记录", "就系"].iter().any(|word| lead.contains(word));
    (its && !utterance.has(lexicon, clause.clone(), &denied)).then_some(clause.start..sign.end)
}

/// 食咗兩粒就成身風癩, 打完出風癩: what it did, in the clause that says it was taken.
fn did(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>, answers: bool) -> Option<Range<usize>> {
    let reaction = utterance.terms(lexicon, clause.clone(), TermKind::Reaction).last().copied();
    let reaction: Found = reaction.or_else(|| shows(utterance, lexicon, clause))?;
    let still = utterance.folded(clause.start..reaction.start).iter().collect::<String>();
    let still = ["都系", "仲"].iter().any(|word| still.contains(word));
    let denied = super::statements::denied_near(utterance, lexicon, &reaction);
    ((answers || once(utterance, clause)) && !still && !denied).then_some(clause.start..reaction.end)
}

/// The names of a range, food and drugs at large left out.
fn names(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Vec<(Substance, Evidence)> {
    all_names(utterance, lexicon, range).into_iter().filter(|(name, _)| !name.is_general()).collect()
}

fn all_names(utterance: &Utterance, lexicon: &Lexicon, range: Range<usize>) -> Vec<(Substance, Evidence)> {
    let hits = utterance.within(range).iter();
    hits.filter_map(|hit| Some((substance(utterance, hit, lexicon)?, evidence_of(utterance, hit.start..hit.end)?))).collect()
}
