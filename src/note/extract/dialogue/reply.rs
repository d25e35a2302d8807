//! What a clause without a condition's name answers: yes, no, maybe, once, or that a relative has it.

use std::ops::Range;

use super::super::assertion::{Claim, Context, OVER, Reading};
use super::super::mention::Mention;
use super::super::utterance::Speaker;
use super::answers::{not_me, not_you, replaced, smoking, well, whole, words};
use super::{AROUND, Answer, Event, Pending, Talk, takes_back};
use crate::terminology::{Meaning, TermKind};

/// What excludes a suspicion as an answer (folded).
const EXCLUDES: [&str; 6] = ["唔系", "唔似", "唔像", "唔会", "not", "不"];
/// The longest clause that can be a bare answer.
const ANSWER: usize = 12;

impl Talk<'_> {
    /// 食煙? 唔食: the verb or quality asked for, denied or repeated. Gives the character too: of what has it not, nothing is said.
    fn echo(&self, index: usize, context: &Context<'_>, clause: &Range<usize>) -> Option<(Answer, usize, usize, char)> {
        // 都唔食, 我唔食: what opens an answer is not it.
        let lead = context.utterance.folded(clause.clone()).iter().take_while(|c| matches!(c, '我' | '都' | '佢' | ' ')).count();
        let clause = clause.start + lead..clause.end;
        let chars = context.utterance.folded(clause.clone());
        let denied = matches!(chars.first(), Some('唔' | '冇' | '未'));
        let word = chars.get(usize::from(denied))?;
        let short = chars.len() <= 4 + usize::from(denied);
        let here = |pending: &&Pending| pending.asked + 1 == index;
        // 食煙? 食呀, 流鼻水? 流到停唔到: what one does may be repeated alone.
        let goes_on = matches!(chars.get(1), Some('呀' | '紧' | '开' | '㗎' | '啰' | '到' | '啲' | '咗'));
        let does = goes_on
            && self.pending.iter().filter(here).any(|pending| {
                let habit = self.lexicon.conditions.get(pending.mention.condition);
                let habit = habit.is_some_and(|concept| ["F1", "Z72"].iter().any(|code| concept.icd10.starts_with(code)));
                pending.words.first() == Some(word) && (if habit { "食饮抽" } else { "流屙呕咳发" }).contains(*word)
            });
        // A part of the body may open any answer: only what is felt of it, its last character, affirms.
        let repeats = |words: &[char; 2]| words.last() == Some(word) || (denied || does) && words.first() == Some(word);
        let asked = self.pending.iter().filter(here).any(|pending| repeats(&pending.words));
        // 轉就冇: named again, and denied behind it.
        let behind = chars.iter().skip(1).any(|c| matches!(c, '冇' | '唔' | '未'));
        // 嘔吖,冇.
        let next = context.utterance.folded(clause.end + 1..context.utterance.chars.len().min(clause.end + 3));
        let taken_back = matches!(next, ['冇', ',' | '。'] | ['冇']);
        let answer = if denied || behind && !does || taken_back { Answer::No } else { Answer::Yes };
        (asked && (short || does)).then_some((answer, clause.start, clause.start + 1 + usize::from(denied), *word))
    }

    /// 有冇燒? 探到三十九度四: a reading answers.
    fn measured(&self, index: usize, context: &Context<'_>, clause: &Range<usize>) -> Option<(Answer, usize, usize)> {
        let [only] = self.pending.as_slice() else { return None };
        let concept = self.lexicon.conditions.get(only.mention.condition)?;
        let asked = only.asked + 1 == index && concept.icd10.starts_with("R50");
        let words: String = context.utterance.folded(clause.clone()).iter().collect();
        let number = context.utterance.numbers_in(clause.clone()).iter().find(|number| (38.0..43.0).contains(&number.value))?;
        // 前日燒到三十八度九,今日退咗.
        let over =
            context.utterance.has(self.lexicon, clause.end..context.utterance.ahead(clause.end, AROUND), &[TermKind::Resolved]);
        (asked && !over && words.contains('度')).then_some((Answer::Yes, number.start, number.end))
    }

    /// 一日一包,四年前戒咗: what was answered in the same turn is over.
    fn gave_up(&mut self, index: usize, clause: &Range<usize>) -> bool {
        let told = |event: &&Event| {
            let concept = self.lexicon.conditions.get(event.mention.condition);
            let here = event.answer.is_some_and(|(turn, ..)| turn == index);
            here && concept.is_some_and(|concept| concept.icd10.starts_with("F17"))
        };
        let Some(event) = self.events.last().filter(told).copied() else { return false };
        let answer = Some((index, clause.start, clause.end));
        self.events.push(Event { claim: Claim::Historical, reason: OVER, answer, ..event });
        true
    }

    /// 煙呢? 戒咗五年喇. 食煙嗎? 一日一包.
    fn smokes(&mut self, index: usize, context: &Context<'_>, clause: &Range<usize>) -> bool {
        let of_tobacco = |pending: &Pending| {
            let concept = self.lexicon.conditions.get(pending.mention.condition);
            pending.asked + 1 == index && concept.is_some_and(|concept| concept.icd10.starts_with("F17"))
        };
        if let Some(who) = self.a_relative_smokes(index, context, clause) {
            let said = Some((index, clause.start, clause.end));
            let theirs = Reading { claim: Claim::Family, reason: "a relative has it" };
            self.events.push(Event { answer: said, ..Event::named(who.0, who.1, theirs) });
            return true;
        }
        let Some(answer) = smoking(context.utterance, clause) else { return false };
        if !self.pending.iter().any(of_tobacco) {
            return answer == Answer::Once && self.gave_up(index, clause);
        }
        // 我冇,我老公一日一包: somebody else's, told just before.
        let aside = [TermKind::Family, TermKind::Other, TermKind::Negation];
        let near = context.utterance.back(clause.start, AROUND)..clause.end;
        if context.utterance.has(self.lexicon, near, &aside) {
            return false;
        }
        let (claim, reason) = match answer {
            Answer::Once => (Claim::Historical, "answered: given up"),
            _ => (Claim::Present { explicit: true }, "answered: so much"),
        };
        let Some(pending) = self.pending.extract_if(.., |pending| of_tobacco(pending)).next() else { return false };
        let said = Some((index, clause.start, clause.end));
        let event = Event::named(pending.utterance, pending.mention, Reading { claim, reason });
        self.events.push(Event { answer: said, ..event });
        true
    }

    /// 你食唔食煙? 我唔食,老公食. 屋企有人食煙? 佢爸爸囉: where smoking is named, of a clause that says whose it is and no more.
    fn a_relative_smokes(&self, index: usize, context: &Context<'_>, clause: &Range<usize>) -> Option<(usize, Mention)> {
        let tobacco =
            |condition: usize| self.lexicon.conditions.get(condition).is_some_and(|concept| concept.icd10.starts_with("F17"));
        let asked = self.pending.iter().find(|pending| pending.asked + 1 == index && tobacco(pending.mention.condition));
        let asked = asked.map(|pending| (pending.utterance, pending.mention));
        let denied = self.events.last().filter(|event| {
            let here = event.answer.map_or(event.utterance, |(turn, ..)| turn) == index;
            tobacco(event.mention.condition) && here && matches!(event.claim, Claim::Absent | Claim::Historical)
        });
        let of = asked.or_else(|| denied.map(|event| (event.utterance, event.mention)))?;
        let who = context.utterance.terms(self.lexicon, clause.clone(), TermKind::Family).next()?;
        let lead = context.utterance.folded(clause.start..who.start).iter().all(|c| "我佢我屋企得系 ".contains(*c));
        let rest: String = context.utterance.folded(who.end..clause.end).iter().filter(|c| !is_particle(**c)).collect();
        let rest = rest.trim_end_matches(['啰', '囉', '嘅', '㗎', '咋', '啫', '喎']);
        (lead && context.is_family(who) && ["", "食", "有食", "抽", "有", "食煙", "仲食", "还在抽", "有抽"].contains(&rest))
            .then_some(of)
    }

    /// 有冇失眠? 瞓得好好.
    fn slept_well(&self, index: usize, context: &Context<'_>, clause: &Range<usize>) -> Option<(Answer, usize, usize)> {
        let [only] = self.pending.as_slice() else { return None };
        let concept = self.lexicon.conditions.get(only.mention.condition)?;
        (only.asked + 1 == index && well(context.utterance, clause, &concept.icd10)).then_some((
            Answer::No,
            clause.start,
            clause.end,
        ))
    }

    /// 你自己? 小朋友?: whether the turn before asks of whom it was told.
    fn asked_of_whom(&self, index: usize) -> bool {
        let before =
            index.checked_sub(1).and_then(|before| self.utterances.get(before)).filter(|before| before.chars.len() <= ANSWER);
        let said: String = before.map(|before| before.folded(0..before.chars.len()).iter().collect()).unwrap_or_default();
        let said = said.trim_end_matches(['?', '。', '呀', ' ']);
        ["你自己", "系你自己", "你本人", "小朋友", "佢自己", "系佢", "系你"].contains(&said)
    }

    /// What a clause without a name says of the condition that was named last: 家姐有甲亢,我驗過冇 and 我有哮喘,唔係,係鼻敏感.
    fn of_what_was_named(&mut self, index: usize, number: usize, context: &Context<'_>) -> bool {
        let Some(last) = self.events.last().copied().filter(|event| self.pending.is_empty() && event.utterance + 3 >= index)
        else {
            return false;
        };
        // 有冇心臟病? 有。 你自己? 唔係,我大佬.
        if self.asked_of_whom(index)
            && number == 0
            && words(context.utterance, &context.utterance.clause(0).range).starts_with("唔系")
        {
            let theirs = Reading { claim: Claim::Absent, reason: "somebody else's" };
            let answer = Some((index, 0, context.utterance.clause(0).range.end));
            if matches!(last.claim, Claim::Present { .. } | Claim::Possible) {
                self.events.push(Event { answer, ..Event::named(last.utterance, last.mention, theirs) });
                return true;
            }
        }
        // 屋企人有冇糖尿? 我阿媽有,我就冇: where it was answered, and not where it was named.
        let told = last.answer.map_or(last.utterance, |(turn, ..)| turn);
        let clauses = context.utterance.clauses();
        let Some(clause) = clauses.get(number) else { return false };
        let reason = match last.claim {
            _ if last.utterance + 1 < index => return false,
            // 過敏性結膜炎。眼壓廿二…對唔住,睇錯行: of what stands right before it.
            Claim::Present { .. }
                if last.utterance == index && context.utterance.clause_index(last.mention.head) + 2 < number =>
            {
                return false;
            }
            Claim::Family if told == index && not_me(context.utterance, &clause.range) => "the patient has it not",
            Claim::Present { .. } if last.utterance == index && not_you(context.utterance, &clause.range) => "not the patient's",
            Claim::Present { .. } if replaced(context.utterance, clauses.get(number..).unwrap_or_default()) => "taken back",
            _ => return false,
        };
        let answer = Some((index, clause.range.start, clause.range.end));
        let denied = Reading { claim: Claim::Absent, reason };
        self.events.push(Event { answer, ..Event::named(last.utterance, last.mention, denied) });
        true
    }

    /// Whether what was asked for stays once it has come, or is a complaint.
    fn stays(&self, pending: &Pending) -> bool {
        self.lexicon.conditions.get(pending.mention.condition).is_none_or(|concept| concept.chronic || concept.symptom)
    }

    /// A clause that begins with 冇, 唔係, 有 or 都可能 and then names nothing answers what is open.
    pub(super) fn leading_answer(&mut self, index: usize, number: usize, context: &Context<'_>, named: Option<&Mention>) {
        let Some(clause) = context.utterance.clauses().get(number).cloned() else { return };
        let until = named.map_or(clause.range.end, |mention| mention.start);
        if self.other_side(index, number, context)
            || self.asked_again(index, number, context)
            || named.is_none() && (self.which_side(index, number, context) || self.how_long(index, number, context))
            || named.is_none() && (self.smokes(index, context, &clause.range) || self.of_what_was_named(index, number, context))
        {
            return;
        }
        let answered = whole(context.utterance, &clause.range).or_else(|| self.slept_well(index, context, &clause.range));
        let answered =
            answered.filter(|_| named.is_none()).or_else(|| answer_in(context, clause.range.start..until, named.is_some()));
        let answered = answered.or_else(|| self.measured(index, context, &clause.range));
        let echoed = || self.echo(index, context, &clause.range).filter(|_| named.is_none());
        let answered = answered.map(|(answer, start, end)| (answer, start, end, None));
        let Some((answer, start, end, repeated)) =
            answered.or_else(|| echoed().map(|(answer, start, end, word)| (answer, start, end, Some(word))))
        else {
            return;
        };
        // 有冇血?嘔唔嘔? 冇血: of what it names.
        let repeated = repeated.or_else(|| one_thing(context, start..clause.range.end).filter(|_| answer == Answer::No));
        // 有呀,十年前穿過窿: it was.
        let next = clauses_behind(context, number);
        let then = ["年前", "旧年"].iter().any(|when| next.contains(when));
        let had = ["穿过", "生过", "患过", "得过", "中过"].iter().any(|had| next.contains(had));
        let all: String = context.utterance.folded(end..context.utterance.ahead(end, AROUND)).iter().collect();
        let still = ["而家", "依家", "今次", "又", "仲"].iter().any(|now| all.contains(now));
        let long_ago = answer == Answer::Yes && then && had && !still;
        // 三十七度九…唔係,頭先再探: what was said is taken back, and nothing denied.
        let measures = |before: usize| {
            let clause = context.utterance.clauses().get(before).map(|clause| clause.range.clone()).unwrap_or_default();
            !context.utterance.numbers_in(clause).is_empty()
        };
        if answer == Answer::No && number.checked_sub(1).is_some_and(measures) && takes_back(context.utterance, number) {
            return;
        }
        // 嗯 in the middle of a turn is a hesitation.
        if number > 0 && context.utterance.folded(start..end) == ['嗯'] {
            return;
        }
        let clauses = context.utterance.clauses();
        let last_of_question = clause.asked && clauses.get(number + 1).is_none_or(|next| next.sentence != clause.sentence);
        if last_of_question && answer != Answer::Family {
            return;
        }
        if answer == Answer::Family {
            if named.is_none()
                && let Some((utterance, mention)) = self.last.filter(|(utterance, mention)| {
                    utterance + 2 >= index
                        && self.lexicon.conditions.get(mention.condition).is_some_and(|last| !last.icd10.starts_with('Z'))
                })
            {
                let answer = Some((index, start, end));
                self.pending.retain(|pending| pending.mention != mention);
                let theirs = Reading { claim: Claim::Family, reason: "a relative has it" };
                self.events.push(Event { answer, ..Event::named(utterance, mention, theirs) });
            }
            return;
        }
        let open: Vec<Pending> = std::mem::take(&mut self.pending);
        // What is only suspected is excluded by 唔似 or 唔係 alone, and at once; 正常 and 冇 are of something else.
        let said: String = context.utterance.folded(start..end).iter().collect();
        let excludes = EXCLUDES.iter().any(|word| said.contains(word));
        let meant = |pending: &Pending| {
            let here = pending.asked == index && (number == pending.clause + 1 || excludes);
            let next = pending.asked < index && number == 0 && excludes;
            // No patient confirms a clinician's suspicion by a word that answers something else.
            let told = matches!(answer, Answer::Yes | Answer::Once) && pending.asked == index;
            let excluded = pending.open || told || answer == Answer::Maybe || answer == Answer::No && (here || next);
            excluded && repeated.is_none_or(|word| pending.words.contains(&word))
        };
        let (asked, waiting): (Vec<Pending>, Vec<Pending>) =
            open.into_iter().partition(|pending| (pending.asked < index || pending.clause < number) && meant(pending));
        self.pending = waiting;
        // 有少少咳,成個月都有: what was just named goes on, the rest of the list is not affirmed by it.
        if answer == Answer::Yes && self.named_in_turn {
            self.pending.extend(asked);
            return;
        }
        // 有 to a list of three says only that there is something.
        if answer == Answer::Yes && asked.len() > 2 {
            self.unanswered.extend(asked);
            return;
        }
        let (claim, reason) = match answer {
            Answer::Yes => (Claim::Present { explicit: true }, "answered: yes"),
            Answer::Maybe => (Claim::Possible, "answered: maybe"),
            Answer::Once => (Claim::Historical, "answered: had it once"),
            _ => (Claim::Absent, "answered: no"),
        };
        for pending in asked {
            let answer = Some((index, start, end));
            let (claim, reason) = match (pending.family, claim) {
                (true, Claim::Present { .. }) => (Claim::Family, "answered: a relative has it"),
                (true, _) => continue,
                (false, Claim::Present { .. }) if pending.once || long_ago && !self.stays(&pending) => {
                    (Claim::Historical, "answered: it was once")
                }
                (false, claim) => (claim, reason),
            };
            self.events.push(Event { answer, ..Event::named(pending.utterance, pending.mention, Reading { claim, reason }) });
        }
    }
}

/// 冇血, 冇痰: the one thing that a clause denies, where it is no name by itself.
fn one_thing(context: &Context<'_>, range: Range<usize>) -> Option<char> {
    let words: Vec<char> = context.utterance.folded(range).iter().copied().filter(|c| !is_particle(*c)).collect();
    match words.as_slice() {
        ['冇', thing] if "血脓痰味声汗粒".contains(*thing) => Some(*thing),
        _ => None,
    }
}

/// The words of the clause behind one, in the same sentence.
fn clauses_behind(context: &Context<'_>, number: usize) -> String {
    let clauses = context.utterance.clauses();
    let same = |next: &&super::super::clauses::Clause| clauses.get(number).is_some_and(|own| own.sentence == next.sentence);
    let next = clauses.get(number + 1).filter(same).map(|next| next.range.clone()).unwrap_or_default();
    context.utterance.folded(next).iter().collect()
}

/// Whether words that no table knows follow an answer.
fn names_something(context: &Context<'_>, rest: Range<usize>) -> bool {
    let unknown = context.utterance.within(rest.clone()).is_empty() && context.utterance.quantities_in(rest.clone()).is_empty();
    unknown
        && context
            .utterance
            .folded(rest)
            .iter()
            .filter(|c| !is_particle(**c) && !matches!(c, '喎' | '㗎' | '啦' | '喇' | '少'))
            .count()
            >= 2
}

/// What may stand before an answer without being one (folded).
fn is_particle(c: char) -> bool {
    " 呀啊哦噢嗯唉咦其实呢呢都亦就又真先才医生好哈咁噉嗱睇ok,全部两样三一次通咩嘢".contains(c)
}

/// 就有, 先有, 才有; 有 alone where it is clear of whom it is said.
fn ends_in_having(words: &[char], set_against: bool) -> bool {
    words.ends_with(&['有']) && (!set_against || words.iter().any(|c| matches!(c, '就' | '先' | '才')))
}

/// The answer that a clause gives, and its words.
fn answer_in(context: &Context<'_>, range: Range<usize>, names_follow: bool) -> Option<(Answer, usize, usize)> {
    let mut family = false;
    // 阿媽冇,阿爸先有, says who brings the mother: by such a word the patient is meant, unless they are set against another.
    let mut called = false;
    let mut cursor = range.start;
    for hit in context.utterance.within(range.clone()) {
        let Meaning::Term(term) = hit.meaning else { continue };
        let kind = context.lexicon.term_kind(term)?;
        // Only particles may stand before the answer.
        let between = context.utterance.folded(cursor..hit.start);
        if between.len() > 4 || between.iter().any(|c| !is_particle(*c)) {
            return None;
        }
        cursor = hit.end;
        let answer = match kind {
            TermKind::Family if context.is_family(hit) => {
                family = true;
                continue;
            }
            TermKind::Family if context.utterance.speaker == Speaker::Relative => {
                called = true;
                continue;
            }
            // 我細佬就有, 阿爸先有.
            TermKind::Contrast | TermKind::Affirmation
                if (family || called)
                    && ends_in_having(context.utterance.folded(cursor.min(hit.start).saturating_sub(1)..hit.end), called)
                    && range.end.saturating_sub(hit.end) <= 1 =>
            {
                Answer::Family
            }
            // 我大佬中過, 我爸爸試過.
            TermKind::HadOnce if family => Answer::Family,
            TermKind::Oneself | TermKind::Third | TermKind::Ongoing | TermKind::Contrast | TermKind::Nothing | TermKind::Now => {
                continue;
            }
            // 細個有, 以前試過: it was.
            TermKind::History
                if context
                    .utterance
                    .folded(hit.end..range.end)
                    .iter()
                    .all(|c| is_particle(*c) || "有试过都成日㗎嘅喇".contains(*c))
                    && context.utterance.folded(hit.end..range.end).iter().any(|c| matches!(c, '有' | '试')) =>
            {
                Answer::Once
            }
            // 之前冇㗎, 體檢正常.
            TermKind::Before | TermKind::History if context.utterance.folded(hit.end..hit.end + 1) == ['冇'] => continue,
            TermKind::Activity | TermKind::Advise | TermKind::Remedy | TermKind::Both => continue,
            // 我老公先有: it is he who has it.
            TermKind::Future if (family || called) && context.utterance.folded(hit.start..hit.end) == ['先'] => continue,
            TermKind::HadOnce => Answer::Once,
            TermKind::NoNeed => Answer::No,
            // 係我先生有.
            TermKind::Affirmation
                if context.utterance.folded(hit.start..hit.end) == ['系']
                    && context.utterance.has(context.lexicon, hit.end..hit.end + 2, &[TermKind::Family]) =>
            {
                continue;
            }
            TermKind::Affirmation if family && range.end.saturating_sub(hit.end) <= 1 => Answer::Family,
            _ if family => return None,
            // 有少少自卑 names something else.
            TermKind::Affirmation if names_something(context, hit.end..range.end) => return None,
            // 有關,叫佢戒; 诊断那天就…: no answers.
            TermKind::Affirmation
                if matches!(context.utterance.folded(hit.end..hit.end + 2), ['关', ',' | '。'] | ['关'])
                    || matches!(context.utterance.folded(hit.start..hit.end), ['诊', '断'] | ['确', '诊'])
                        && matches!(context.utterance.folded(hit.end..hit.end + 1), ['那' | '嗰' | '当']) =>
            {
                return None;
            }
            // 我真係驚: no answer.
            TermKind::Affirmation if context.utterance.has(context.lexicon, hit.end..range.end, &[TermKind::Worry]) => {
                return None;
            }
            // 有就停: if it comes.
            TermKind::Affirmation if context.utterance.folded(hit.end..hit.end + 1) == ['就'] => return None,
            TermKind::Affirmation => Answer::Yes,
            // 唔係佢: of whom, and not what.
            TermKind::NotSo
                if matches!(context.utterance.folded(hit.end..hit.end + 1), ['佢' | '你' | '我'])
                    && range.end.saturating_sub(hit.end) <= 2 =>
            {
                return None;
            }
            // 冇探, 冇度: it was not measured.
            TermKind::Negation
                if matches!(
                    context.utterance.folded(hit.end..hit.end + 1),
                    ['探' | '量' | '度' | '睇' | '验' | '计' | '数' | '问']
                ) && range.end.saturating_sub(hit.end) <= 3 =>
            {
                return None;
            }
            // 有時未行到就出咗嚟 tells how it is.
            TermKind::Negation
                if context.utterance.folded(hit.start..hit.end) == ['未']
                    && context
                        .utterance
                        .folded(hit.end..range.end)
                        .iter()
                        .any(|c| !is_particle(*c) && !"有试过试㗎".contains(*c)) =>
            {
                return None;
            }
            TermKind::Negation | TermKind::NotSo => Answer::No,
            TermKind::UncertainAfter => Answer::Maybe,
            TermKind::Uncertain if range.end.saturating_sub(hit.end) <= 1 => Answer::Maybe,
            _ => return None,
        };
        // "冇咳": the denial is the name's, no answer to the rest. A form may reach into the name.
        if names_follow || range.end.saturating_sub(hit.end) > ANSWER {
            return None;
        }
        return Some((answer, hit.start, hit.end));
    }
    None
}
