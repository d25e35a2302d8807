//! Rule 4 composed: what a negator and a verb of opinion, certainty or exclusion say together, and a negator over a negator.
//!
//! - negator + opinion (唔覺得, don't think): not so; over another negator (唔覺得冇) it may be so;
//! - negator + certainty (唔一定, 唔敢講, not necessarily), negator + exclusion in either order (未排除, 排除唔到, not excluded):
//!   it may be so, whatever else is denied behind it;
//! - negator over a negator (唔係冇) or over always (唔係成日): it is there.

use super::subject::Subject;
use super::{Claim, Context, Mention, REACH, Reading, reading};
use crate::terminology::TermKind;

/// Negators (folded); those of Latin letters must begin a word, save `n't`.
const NEGATORS: [&str; 14] =
    ["唔系", "并非", "唔会", "唔", "未", "冇", "冇有", "不", "not", "n't", "cannot", "never", "no", "unable"];
/// What may stand between a negator and the verb that it denies (folded).
const BETWEEN: [&str; 26] = [
    " ",
    "可以",
    "能够",
    "能",
    "可",
    "完全",
    "办法",
    "法",
    "太",
    "多",
    "好",
    "系",
    "得",
    "敢",
    "会",
    "真",
    "yet",
    "been",
    "be",
    "to",
    "completely",
    "fully",
    "entirely",
    "really",
    "able",
    "quite",
];
/// Verbs of opinion (folded).
const OPINIONS: [&str; 11] = ["应该", "觉得", "认为", "见得", "谂", "相信", "预计", "怀疑", "think", "believe", "suspect"];
/// Words of certainty (folded).
const CERTAIN: [&str; 18] = [
    "convinced",
    "一定",
    "肯定",
    "确定",
    "必",
    "保证",
    "敢讲",
    "敢话",
    "证实",
    "确诊",
    "confirmed",
    "confirm",
    "necessarily",
    "sure",
    "certain",
    "certainly",
    "definitely",
    "definite",
];
/// Words of saying: of what cannot be said nothing is certain (folded).
const SAYING: [&str; 4] = ["话", "讲", "say", "tell"];
/// Words of excluding (folded).
const EXCLUDING: [&str; 7] = ["排除", "剔除", "ruled out", "rule out", "excluded", "exclude", "r/o"];
/// What is not achieved, behind a verb (folded).
const NOT_ACHIEVED: [&str; 8] = ["唔到", "唔晒", "唔切", "唔了", "不到", "不了", "不晒", "未到"];
/// Doubts that are one word (folded).
const DOUBTS: [&str; 5] = ["未必", "讲唔定", "话唔定", "唔定系", "话唔埋"];
/// What is said of a name behind it, besides, to leave it open (folded).
const LEFT_OPEN: [&str; 4] = ["定", "知", "清楚", "sure"];
/// Always (folded).
const ALWAYS: [&str; 12] =
    ["成日", "时时", "日日", "晚晚", "次次", "每次", "经常", "周时", "长期", "always", "every day", "all the time"];
/// What may stand between a denial and the name that it denies (folded).
const LIGHT: &str = " 你佢我呢个嗰种啲会真系都就又仲乜咩咁到得";
/// How far back such words are looked for, in characters.
const LOOKED_BACK: usize = 32;
/// How far behind a name.
const LOOKED_AHEAD: usize = 30;

impl Context<'_> {
    /// What such words claim of a mention.
    pub(super) fn composed(&self, mention: &Mention) -> Option<Reading> {
        if self.subject(mention) == Subject::Family {
            return None;
        }
        let before = self.before(mention);
        // A complaint in pieces is denied before its last: 隻腳唔係成日腫.
        let from = before.start.max(mention.head.saturating_sub(LOOKED_BACK));
        let lead: String = self.utterance.folded(from..mention.head).iter().collect();
        let name: String = self.utterance.folded(mention.head..mention.end).iter().collect();
        let governed = |at: usize| {
            let place = from + lead.get(..at).map_or(0, |said| said.chars().count());
            self.governs(place, mention)
        };
        if let Some(claim) = twice_denied(&lead, &name).or_else(|| led_to(&lead, governed)) {
            return reading(claim, "a denial of an opinion, of certainty or of a denial");
        }
        let end = self.clause(mention).end.min(self.next_after(mention).map_or(usize::MAX, |next| next.start));
        let behind: String = self.utterance.folded(mention.end..end.min(mention.end + LOOKED_AHEAD)).iter().collect();
        left_open(&behind).then_some(Reading { claim: Claim::Possible, reason: "left open behind it" })
    }

    /// Whether words that end at a place still reach the mention: nothing new begins between.
    fn governs(&self, end: usize, mention: &Mention) -> bool {
        let between = end.min(mention.head)..mention.head;
        let resumed = self.utterance.terms(self.lexicon, between.clone(), TermKind::Affirmation).any(|hit| {
            self.utterance.folded(hit.start..hit.end).contains(&'有')
                && self.utterance.folded(end..hit.start).iter().any(|c| !LIGHT.contains(*c))
        });
        let other = [TermKind::Contrast, TermKind::DrugPlanned, TermKind::Question];
        self.utterance.between(between.start, between.end) <= REACH && !resumed && !self.has(between, &other)
    }
}

/// Whether an answer leaves open what was asked: 未必, 排除唔到.
pub fn doubts(words: &str) -> bool {
    let excluded = EXCLUDING.iter().any(|verb| {
        words.split_once(verb).is_some_and(|(before, after)| {
            let whole = after.trim().is_empty() && negated(before).is_some_and(|rest| rest.trim().is_empty());
            whole || before.trim().is_empty() && NOT_ACHIEVED.contains(&after.trim())
        })
    });
    excluded || matches!(words, "未必" | "唔一定" | "不一定" | "讲唔定" | "not necessarily")
}

/// What stands before the negator, where one ends these words, with or without little words behind it.
fn negated(words: &str) -> Option<&str> {
    let mut rest = words;
    for _ in 0..4 {
        let boundary = |before: &str, negator: &str| {
            !negator.starts_with(|c: char| c.is_ascii_alphabetic())
                || negator == "n't"
                || !before.ends_with(|c: char| c.is_ascii_alphabetic())
        };
        let found = NEGATORS
            .iter()
            .filter_map(|negator| rest.strip_suffix(negator).filter(|before| boundary(before, negator)))
            .min_by_key(|before| before.len());
        if found.is_some() {
            return found;
        }
        rest = BETWEEN.iter().filter_map(|little| rest.strip_suffix(little)).min_by_key(|left| left.len())?;
    }
    None
}

/// Where a verb of these ends that was denied, and where: the last one of the words.
fn denied_verb(lead: &str, verbs: &[&str]) -> Option<usize> {
    let denied = |verb: &&str| {
        let (at, _) = lead.rmatch_indices(*verb).next()?;
        let (before, _) = lead.split_at_checked(at)?;
        let left = negated(before)?;
        // 覺唔覺得 asks.
        let asks = verb.chars().next().is_some_and(|first| !first.is_ascii() && left.ends_with(first));
        (!asks).then_some(at + verb.len())
    };
    verbs.iter().filter_map(denied).max()
}

/// What words before a name claim of it that deny an opinion, certainty or an exclusion.
fn led_to(lead: &str, governs: impl Fn(usize) -> bool) -> Option<Claim> {
    let not_achieved = |verb: &&str| {
        let (at, _) = lead.rmatch_indices(*verb).next()?;
        let end = at + verb.len();
        let after = lead.get(end..)?;
        let spaces = after.len() - after.trim_start().len();
        NOT_ACHIEVED.iter().find(|suffix| after.trim_start().starts_with(*suffix)).map(|suffix| end + spaces + suffix.len())
    };
    let doubted = DOUBTS.iter().filter_map(|doubt| lead.rmatch_indices(doubt).next().map(|(at, _)| at + doubt.len()));
    let open = doubted
        .chain(denied_verb(lead, &CERTAIN))
        .chain(denied_verb(lead, &EXCLUDING))
        .chain(EXCLUDING.iter().filter_map(not_achieved))
        .max();
    let opinion = denied_verb(lead, &OPINIONS);
    let said = denied_verb(lead, &SAYING);
    let over_denial = |end: usize| lead.get(end..).is_some_and(|rest| rest.contains(['冇', '未']) || ends_denied(rest));
    match (open, opinion) {
        (Some(end), other) if other.is_none_or(|other| other < end) && governs(end) => Some(Claim::Possible),
        (_, Some(end)) if governs(end) => Some(if over_denial(end) { Claim::Possible } else { Claim::Absent }),
        _ => said.filter(|end| over_denial(*end) && governs(*end)).map(|_| Claim::Possible),
    }
}

/// Whether words end with a denial of what comes next.
fn ends_denied(words: &str) -> bool {
    negated(words.trim_end_matches(|c| LIGHT.contains(c))).is_some()
}

/// 唔係冇, 唔係話冇, not without; 唔係成日, not always: what is denied is a denial, or that it is always so.
fn twice_denied(lead: &str, name: &str) -> Option<Claim> {
    let there = Some(Claim::Present { explicit: true });
    let light = lead.trim_end_matches(|c| LIGHT.contains(c));
    let has = ["have", "having", "get", "feel"].iter().find_map(|has| light.strip_suffix(has));
    let light = has.unwrap_or(light).trim_end();
    let outer = |before: &str| {
        let before = before.trim_end_matches(['话', '讲', '完', '全', '真', ' ']);
        ["唔系", "并非", "不是", "not"].iter().any(|not| before.ends_with(not))
    };
    let inner = ["冇", "冇有", "未", "without", "no", "free of"];
    if inner.iter().any(|not| light.strip_suffix(not).is_some_and(outer)) {
        return there;
    }
    let at_all_times = |words: &str| ["唔系", "唔会", "并非", "冇", "唔", "not", "n't"].iter().any(|not| words.ends_with(not));
    let always = ALWAYS.iter().any(|always| light.strip_suffix(always).is_some_and(|before| at_all_times(before.trim_end())));
    let within = ALWAYS.iter().any(|always| name.starts_with(always)) && at_all_times(lead.trim_end());
    if always || within { there } else { None }
}

/// 肺炎都未定, PE not excluded, 骨折排除唔到: what stands behind a name and leaves it open.
fn left_open(behind: &str) -> bool {
    let first = behind.trim_start_matches(|c| " 都就仲又还呢点嗰样暂时而家".contains(c));
    let verbs = || CERTAIN.iter().chain(&LEFT_OPEN).chain(&EXCLUDING);
    let own = |negator: &&str| {
        let rest =
            first.strip_prefix(*negator).map(|rest| rest.trim_start_matches("完全").trim_start_matches(['能', '可', '以']));
        rest.is_some_and(|rest| verbs().any(|verb| rest.trim_start().starts_with(verb)) && !rest.starts_with("定期"))
    };
    let excluded = |verb: &&str| {
        let Some((before, after)) = behind.split_once(*verb) else { return false };
        let light = before.trim_start_matches(|c| " 都就仲又还".contains(c)).is_empty();
        let english = verb.is_ascii() && negated(before).is_some();
        english || light && NOT_ACHIEVED.iter().any(|suffix| after.trim_start().starts_with(suffix))
    };
    ["唔", "未", "不", "冇"].iter().any(own) || EXCLUDING.iter().any(excluded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_negators_say_together() {
        let always = |_| true;
        for lead in ["我唔觉得你有", "唔见得系", "i don't think it's ", "我唔太相信系"] {
            assert_eq!(led_to(lead, always), Some(Claim::Absent), "{lead}");
        }
        for lead in ["未必系", "唔一定系", "未能完全排除", "排除唔到", "cannot rule out ", "唔敢讲冇", "唔觉得佢冇", "唔可以话冇"]
        {
            assert_eq!(led_to(lead, always), Some(Claim::Possible), "{lead}");
        }
        for lead in ["觉唔觉得有", "排除咗", "我觉得系", "一定冇"] {
            assert_eq!(led_to(lead, always), None, "{lead}");
        }
        assert!(left_open("都未定") && left_open(" has not been excluded") && left_open("排除唔到"));
        assert!(!left_open(" excluded") && !left_open("已经排除") && !left_open("唔痛"));
        assert!(doubts("未必") && doubts("排除唔到") && !doubts("排除咗") && !doubts("唔系"));
    }
}
