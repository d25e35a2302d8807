//! What an allergy does: the words for it, and the substance that did it.

use std::ops::Range;

use super::super::list;
use super::super::utterance::{Speaker, Utterance};
use super::whose::relatives;
use super::{NEAR, Substance, Told, evidence_of, put, substance, substance_named};
use crate::note::AllergyStatus;
use crate::terminology::{Found, Lexicon, Meaning, TermKind};

/// Augmentin (rash): what it does may stand behind a name.
pub(super) fn reacts(hit: &Found, lexicon: &Lexicon) -> bool {
    match hit.meaning {
        Meaning::Term(term) => lexicon.term_kind(term) == Some(TermKind::Reaction),
        Meaning::Condition(condition) => {
            lexicon.conditions.get(condition).is_some_and(|concept| REACTIONS.iter().any(|code| concept.icd10.starts_with(code)))
        }
        _ => false,
    }
}

/// 頭孢類我打過,起咗一身風疹: the clause before names what was once taken.
pub(super) fn taken_before<'a>(
    utterance: &'a Utterance,
    lexicon: &Lexicon,
    clause: &Range<usize>,
) -> Option<(Substance, &'a Found)> {
    let before = utterance.clause(clause.start.checked_sub(1)?).range;
    let hit = utterance.within(before.clone()).iter().rev().find(|hit| substance_named(utterance, lexicon, hit))?;
    // Augmentin,食完全身出疹; 膠布呀,我一貼就紅: what it does says so itself, or it is what must not be taken.
    let going_on = utterance.has(lexicon, before.clone(), &[TermKind::Tolerated]);
    let withheld = || utterance.has(lexicon, before.clone(), &[TermKind::DrugWithheld]);
    // 盤尼西林唔得,全身痕.
    let unfit = || {
        let behind: String = utterance.folded(hit.end..before.end).iter().filter(|c| **c != ' ').collect();
        ["唔行", "唔得", "就唔得", "就唔行", "唔食得", "食唔得", "唔啱"].contains(&behind.as_str())
    };
    // 照 CT 打顯影劑,試過成身紅疹; 唔好搽碘酒,我敏感.
    let tried = || {
        let words: String = utterance.folded(clause.clone()).iter().take(6).collect();
        words.contains("试过") && utterance.folded(before.clone()).iter().any(|c| TAKEN.contains(*c))
    };
    let avoided =
        || utterance.folded(before.clone()).windows(3).any(|run| matches!(run, ['唔', '好', verb] if TAKEN.contains(*verb)));
    let told = || once(utterance, clause) || withheld() || unfit() || tried() || avoided();
    let once = once(utterance, &before) || !going_on && told();
    let same = utterance.sentence(hit.start) == utterance.sentence(clause.start);
    (once && same && !goes_on(utterance, clause)).then(|| substance(utterance, hit, lexicon).map(|name| (name, hit)))?
}

/// 食過, 打完, 食親, 一貼就: that something was taken or came to the skin. 食完飯 tells only when.
pub(super) fn once(utterance: &Utterance, range: &Range<usize>) -> bool {
    let words = utterance.folded(range.clone());
    let taken = words.windows(2).enumerate().any(|(at, pair)| {
        let meal = matches!(words.get(at + 2), Some('饭' | '早' | '晚' | '餐' | '药' | '针'));
        matches!(pair, [verb, '过' | '完' | '咗' | '亲'] if TAKEN.contains(*verb)) && !meal
    });
    // 上次照電腦打顯影劑.
    let said: String = words.iter().collect();
    let then = ["上次", "嗰次", "嗰阵", "嗰排", "旧年", "以前", "之前", "小时候", "细个"].iter().any(|when| said.contains(when))
        && words.iter().any(|c| TAKEN.contains(*c));
    then || taken || words.windows(2).any(|pair| matches!(pair, ['一', verb] if TAKEN.contains(*verb)))
}

/// What is done with what one may be allergic to (folded).
const TAKEN: &str = "食打用搽贴戴针饮掂染食";

/// 食完都係痕, 仲係出疹: it was there before.
fn goes_on(utterance: &Utterance, clause: &Range<usize>) -> bool {
    let words: String = utterance.folded(clause.clone()).iter().collect();
    ["都系", "仲系", "仲有", "冇好"].iter().any(|word| words.contains(word))
}

/// The last substance that one of the two clauses before, in one sentence, says was once taken.
pub(super) fn once_taken<'a>(
    utterance: &'a Utterance,
    lexicon: &Lexicon,
    clause: &Range<usize>,
) -> Option<(Substance, &'a Found)> {
    let at = clause.start;
    let nearest = utterance.clause(at.checked_sub(1)?).range;
    taken_before(utterance, lexicon, clause).or_else(|| taken_before(utterance, lexicon, &nearest)).filter(|(_, hit)| {
        !relatives(utterance, lexicon, utterance.sentence(hit.start).start.max(utterance.back(hit.start, 3 * NEAR)), at)
    })
}

/// 食 A 同 B 會眼腫: the nearest name before what it does, and those in one list with it.
pub(super) fn caused(utterance: &Utterance, reaction: &Found, named: &[(Substance, &Found)], all: &mut Vec<Told>) {
    // I get hives with X.
    for (name, hit) in named.iter().filter(|(name, hit)| !name.is_general() && comes_with(utterance, reaction, hit)) {
        if let Some(evidence) = evidence_of(utterance, reaction.start..hit.end) {
            put(all, name.clone(), AllergyStatus::Present, evidence);
        }
    }
    let mut until = reaction.start;
    for (name, hit) in named.iter().rev().filter(|(name, hit)| !name.is_any_drug() && hit.end <= reaction.start) {
        let nearest = until == reaction.start && utterance.between(hit.end, until) <= NEAR;
        let listed = until < reaction.start && hit.end <= until && list::joins(utterance, hit.end..until, &[]);
        if !nearest && !listed {
            break;
        }
        until = hit.start;
        if let Some(evidence) = evidence_of(utterance, hit.start..reaction.end) {
            put(all, name.clone(), AllergyStatus::Present, evidence);
        }
    }
}

/// A rash from X: what was taken stands right behind what it does.
pub fn comes_with(utterance: &Utterance, reaction: &Found, substance: &Found) -> bool {
    let between: String = utterance.folded(reaction.end.min(substance.start)..substance.start).iter().collect();
    reaction.end <= substance.start && ["with", "from", "after", "when i take", "whenever i take"].contains(&between.trim())
}

/// Skin and swelling are what an allergy looks like; a headache or a sore stomach are side effects.
const REACTIONS: [&str; 6] = ["L50", "L51", "L29", "L27", "R21", "T78"];

/// 食蝦會痕, 打親就腫: a reaction of the skin told as a symptom, behind what was eaten, given or put on.
pub(super) fn felt(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<Found> {
    let taken = utterance.folded(clause.clone()).iter().any(|c| TAKEN.contains(*c));
    let with = |hit: &Found| {
        let drugs = utterance.within(hit.end..clause.end).iter().find(|next| matches!(next.meaning, Meaning::Drug(_)));
        drugs.is_some_and(|drug| comes_with(utterance, hit, drug))
    };
    shows(utterance, lexicon, clause).filter(|hit| taken || with(hit)).or_else(|| takes_breath(utterance, lexicon, clause))
}

/// Asthma and breathlessness, which a drug may bring on.
const BREATH: [&str; 5] = ["J45", "J46", "R06.0", "R06.1", "R06.2"];

/// Whether a finding is one that takes the breath.
pub(super) fn takes_breath_away(hit: &Found, lexicon: &Lexicon) -> bool {
    match hit.meaning {
        Meaning::Condition(condition) => {
            lexicon.conditions.get(condition).is_some_and(|concept| BREATH.iter().any(|code| concept.icd10.starts_with(code)))
        }
        _ => false,
    }
}

/// Words that say that the one brings on the other (folded).
const BRINGS_ON: [&str; 10] = ["试过", "会", "就", "令", "引", "诱发", "trigger", "bring", "cause", "give"];

/// 食 aspirin 會哮喘發作: told by whom it befalls. A doctor who says so warns of it.
fn takes_breath(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<Found> {
    let told = match utterance.speaker {
        Speaker::Doctor => false,
        Speaker::Unknown => utterance.has(lexicon, clause.clone(), &[TermKind::Oneself, TermKind::History]),
        _ => true,
    };
    let drug = utterance.within(clause.clone()).iter().find(|hit| matches!(hit.meaning, Meaning::Drug(_)))?;
    let hit = utterance.within(drug.end..clause.end).iter().find(|hit| takes_breath_away(hit, lexicon))?;
    let between: String = utterance.folded(drug.end..hit.start).iter().collect();
    (told && BRINGS_ON.iter().any(|word| between.contains(word))).then_some(*hit)
}

/// The last words of a clause that tell of hives, itch, rash or swelling.
pub(super) fn shows(utterance: &Utterance, lexicon: &Lexicon, clause: &Range<usize>) -> Option<Found> {
    // 牙肉腫: no allergy looks so.
    let swells = |hit: &Found| {
        let words = utterance.folded(hit.start..hit.end);
        words.contains(&'肿') && !words.contains(&'牙')
    };
    utterance
        .within(clause.clone())
        .iter()
        .rfind(|hit| match hit.meaning {
            Meaning::Condition(condition) => lexicon
                .conditions
                .get(condition)
                .is_some_and(|concept| REACTIONS.iter().any(|code| concept.icd10.starts_with(code)) || swells(hit)),
            Meaning::Class(_) => swells(hit) || utterance.folded(hit.start..hit.end).contains(&'痕'),
            _ => false,
        })
        .copied()
}
