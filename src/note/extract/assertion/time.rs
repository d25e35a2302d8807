//! Rule 7: what was, and what has lasted until now.

use std::ops::Range;

use super::{Claim, Context, Mention, REACH, Reading, SUBJECT_REACH, Speaker, reading};
use crate::terminology::{Found, Meaning, TermKind, UnitKind};

/// The reason of a claim that a condition is over.
pub const OVER: &str = "over";
/// How far behind a cancer its treatment is told.
const TREATED: usize = 14;
/// What is told of somebody's childhood is mostly over: asthma, eczema, epilepsy, enuresis and their like.
const OUTGROWN: [&str; 9] = ["E05", "J45", "L20", "L30", "G40", "R56", "F98", "H66", "J35"];
/// How a cancer's treatment is told that is over (folded): 零九年做手術.
const TREATMENTS: [&str; 10] =
    ["年电完", "电完咗", "手术做咗", "手术做完", "年做手术", "做咗手术", "年割", "割咗", "切咗", "年切"];
/// What says of 做完 that more is to come, or that it was a test (folded).
const MORE_TO_COME: [&str; 14] =
    ["次", "仲有", "第", "ct", "pet", "mri", "检查", "抽针", "又", "扩散", "下个月", "下星期", "但系", "转移"];
/// How one wants no more of what did it (folded).
const REFUSED: [&str; 5] = ["唔好畀我", "唔好俾我", "唔好比我", "唔敢再食", "唔敢再吃"];
/// What of a year says that it began then, or was found, and goes on (folded).
const FOUND_THEN: [&str; 15] =
    ["发现", "验到", "照到", "确诊", "开始", "查到", "见到", "食紧", "做紧", "打紧", "而家", "观察", "排紧", "排期", "约咗"];
/// How far from a name the year is told.
const YEAR: usize = 12;
/// A stretch of time this long ago is history, in days.
const LONG_AGO: f64 = 60.0;

impl Context<'_> {
    /// Rule 7.
    pub(super) fn past(&self, mention: &Mention) -> Option<Reading> {
        let concept = self.concept(mention)?;
        let clause = self.clause(mention);
        let sentence = self.utterance.sentence(mention.head);
        let next = self.next_after(mention).map_or(sentence.end, |other| other.start);
        let behind = mention.end..sentence.end.min(next).min(self.utterance.ahead(mention.end, SUBJECT_REACH));
        // 等貧血好返, 好返先打: when it will be over.
        let awaited = self.utterance.folded(mention.start.saturating_sub(2)..mention.start).contains(&'等');
        // 好咗未 asks, 好咗啲 is better and not well; epilepsy without a fit, on a drug, is there.
        let hoped = |hit: &Found| {
            let next = matches!(self.utterance.chars.get(hit.end), Some('先' | '再' | '至' | '才' | '未' | '啲' | '少'));
            // 有冇再發?
            let asks = hit.start.checked_sub(1).and_then(|at| self.utterance.chars.get(at)) == Some(&'有')
                && self.utterance.folded(hit.start..hit.start + 1) == ['冇'];
            next || asks || self.utterance.folded(hit.end..hit.end + 2) == ['一', '点']
        };
        let attacks = concept.chronic
            && self
                .has(sentence.start.max(self.utterance.back(mention.start, SUBJECT_REACH))..behind.end, &[TermKind::DrugActive])
            && self
                .utterance
                .terms(self.lexicon, behind.clone(), TermKind::Resolved)
                .all(|hit| self.utterance.folded(hit.start..hit.end).contains(&'发'));
        // GP 話胃酸倒流。而家冇倒流好耐喇: the end of the name again.
        if self.gone_by_its_end(mention, &sentence) {
            return reading(Claim::Historical, OVER);
        }
        if !awaited && !attacks && self.utterance.terms(self.lexicon, behind.clone(), TermKind::Resolved).any(|hit| !hoped(hit)) {
            return reading(Claim::Historical, OVER);
        }
        if self.operated(mention) || self.cut_out(mention) {
            return reading(Claim::Historical, OVER);
        }
        let next_word = self.utterance.chars.get(mention.end);
        let ended = !concept.symptom && next_word == Some(&'完') || self.treated(mention);
        if self.hurt_once(mention) {
            return reading(Claim::Historical, "had it (過)");
        }
        if self.healed(mention, &concept.icd10, &sentence) {
            return reading(Claim::Historical, "an injury of years ago");
        }
        if concept.chronic && self.is_something_else_now(mention, &sentence) {
            return reading(Claim::Historical, "before what it is now");
        }
        // 三年前小中风左手没力现在全好了: what lasts until now stands behind another name.
        let lasts = self.lasting(clause.start..clause.end.min(self.before_next(mention).max(mention.end)));
        // 煙戒咗五年: what was given up is told by its name.
        // 戒咗佢 tells to.
        let told_to = self.utterance.speaker == Speaker::Doctor
            && self.utterance.folded(mention.end..self.utterance.chars.len().min(mention.end + 2)).contains(&'佢');
        let given_up = !told_to
            && self.utterance.folded(mention.start..mention.end).windows(2).any(|pair| matches!(pair, ['戒', '咗' | '左']));
        if given_up && !self.relapsed(mention.end..behind.end) {
            return reading(Claim::Historical, OVER);
        }
        // 以前飲三四罐,酗酒咁滯,戒咗四個月.
        let habit = ["F10", "F17"].iter().any(|code| concept.icd10.starts_with(code));
        let rest = mention.end..sentence.end.min(self.utterance.ahead(mention.end, SUBJECT_REACH)).max(mention.end);
        let other = if concept.icd10.starts_with("F10") { '烟' } else { '酒' };
        if habit && self.utterance.speaker != Speaker::Doctor && self.gave_it_up(rest, other) {
            return reading(Claim::Historical, OVER);
        }
        // X 因為血鉀高,停: the reason is there.
        let reason: String = self.utterance.folded(mention.start.saturating_sub(3)..mention.start).iter().collect();
        let befell = (concept.symptom || !concept.chronic) && !reason.trim_end().ends_with("因为");
        if !lasts && befell && self.drug_did(mention, &sentence) {
            return reading(Claim::Historical, "what a drug did that was stopped");
        }
        if !lasts && befell && self.was_the_reason(mention, &clause) {
            return reading(Claim::Historical, "why a drug was stopped");
        }
        if !lasts && self.outgrown(mention, &concept.icd10, &clause) {
            return reading(Claim::Historical, "as a child");
        }
        let is_over = self.utterance.terms(self.lexicon, clause.clone(), TermKind::Resolved).any(|hit| !hoped(hit));
        if !ended && lasts || concept.chronic && !is_over {
            return None;
        }
        if self.told_as_once(mention) {
            return reading(Claim::Historical, "once");
        }
        // What stands behind the next name belongs to that.
        let span = clause.start.max(self.utterance.back(mention.start, SUBJECT_REACH))
            ..clause.end.min(self.utterance.ahead(mention.end, REACH)).min(self.before_next(mention));
        // 痛之前會見到閃光: before each time, and not once.
        let compared = |hit: &Found| {
            let before = hit.start.checked_sub(1).and_then(|at| self.utterance.chars.get(at));
            let each = self.utterance.folded(hit.start..hit.end) == ['之', '前']
                && matches!(before, Some('痛' | '发' | '嚟' | '瞓' | '训'));
            each || matches!(before, Some('比' | '较' | '跟' | '同' | '过'))
        };
        // 比上次重咗: what is told is how it is now.
        // 舊年開始失眠: since then.
        let since = |hit: &Found| self.utterance.folded(hit.end..hit.end + 2) == ['开', '始'] && hit.end + 2 <= mention.start;
        if self.utterance.terms(self.lexicon, span.clone(), TermKind::History).any(|hit| !compared(hit) && !since(hit)) {
            return reading(Claim::Historical, "once");
        }
        // 胃出過血: within the name.
        let name = self.utterance.folded(mention.start..mention.end);
        if name.windows(2).any(|pair| matches!(pair, ['出' | '中' | '断' | '患' | '流' | '穿', '过'])) {
            return reading(Claim::Historical, "had it (過)");
        }
        if !concept.symptom {
            let just_after = mention.head..(mention.end + 2).min(clause.end);
            // 新冠中過兩次.
            // 胃出過血: within the name.
            let within = self.utterance.folded(mention.start..mention.end);
            let within =
                within.windows(2).any(|pair| matches!(pair, ['出' | '中' | '发' | '断' | '生' | '患' | '流' | '穿', '过']));
            let had = within || self.has(mention.end..mention.end + 1, &[TermKind::HadOnce]);
            if had || self.has(just_after, &[TermKind::HistoryAfter]) {
                return reading(Claim::Historical, "had it (過)");
            }
            if ended {
                return reading(Claim::Historical, "over (完)");
            }
            // 生過肺癆.
            let lead = self.utterance.folded(mention.start.saturating_sub(2)..mention.start);
            if matches!(lead, ['生' | '患' | '染' | '得', '过']) {
                return reading(Claim::Historical, "had it (過)");
            }
            if self.of_a_year(mention, &concept.icd10, &clause) {
                return reading(Claim::Historical, "a year is named");
            }
            // 上個月照胃鏡見到潰瘍: when it was found, not when it was.
            let found = |hit: &Found| self.has(hit.end..mention.start.max(hit.end), &[TermKind::Test, TermKind::TestVerb]);
            // 前日俾狗咬: an injury of these days is what one came for.
            let of_late = |hit: &Found| {
                concept.icd10.starts_with(['S', 'T']) && self.utterance.folded(hit.start..hit.end).ends_with(&['日'])
            };
            // 上星期開始生蛇: then it began.
            let began = |hit: &Found| {
                let between: String = self.utterance.folded(hit.end..mention.start.max(hit.end)).iter().collect();
                between.trim_start_matches(',').starts_with("开始")
            };
            let before = |hit: &Found| !found(hit) && !of_late(hit) && !began(hit);
            if self.utterance.terms(self.lexicon, span.clone(), TermKind::Before).any(before) {
                return reading(Claim::Historical, "a while ago");
            }
        }
        self.long_ago(span.start..clause.end.max(behind.end.min(clause.end + 8)))
            .then_some(Reading { claim: Claim::Historical, reason: "long ago" })
    }

    /// 舊年又復吸, 又食返.
    fn relapsed(&self, rest: Range<usize>) -> bool {
        let words: String = self.utterance.folded(rest).iter().collect();
        ["又复吸", "复吸", "又食返", "又抽", "又吸", "又饮返"].iter().any(|again| words.contains(again))
    }

    /// 戒咗四個月 at the head of a clause.
    fn gave_it_up(&self, rest: Range<usize>, other: char) -> bool {
        let words: String = self.utterance.folded(rest).iter().collect();
        // 戒咗酒 is of the other habit; 又食返, 唔成功.
        // 抽煙戒咗十年.
        let at_once = words.starts_with("戒咗");
        if words.contains(other) || ["又", "返", "唔成功", "失败"].iter().any(|again| words.contains(again)) {
            return false;
        }
        at_once
            || words
                .split([',', '。', ' ', '、'])
                .skip(1)
                .any(|clause| ["戒咗", "已经戒", "早戒咗"].iter().any(|word| clause.starts_with(word)))
    }

    /// 而家冇倒流 in the next sentence of what ends with 倒流.
    fn gone_by_its_end(&self, mention: &Mention, sentence: &Range<usize>) -> bool {
        let name = self.utterance.folded(mention.start..mention.end);
        let next: String = self.utterance.folded(sentence.end + 1..self.utterance.ahead(sentence.end, REACH)).iter().collect();
        let end: String = name.iter().skip(name.len().saturating_sub(2)).collect();
        name.len() > 2
            && ["而家冇", "依家冇", "现在冇"].iter().any(|gone| {
                let rest = next.strip_prefix(gone).and_then(|rest| rest.strip_prefix(end.as_str()));
                rest.is_some_and(|rest| ["好耐", "咗好耐", "好久", "几年", "成年"].iter().any(|long| rest.starts_with(long)))
            })
    }

    /// 二零一八年中風; stroke, 2019: a year beside it, of which nothing else is told than that it was then.
    fn of_a_year(&self, mention: &Mention, icd10: &str, clause: &Range<usize>) -> bool {
        let sentence = self.utterance.sentence(mention.head);
        let until = sentence.end.min(self.utterance.ahead(mention.end, YEAR));
        let near = clause.start.max(self.utterance.back(mention.start, YEAR))..until.max(clause.start);
        let told: String =
            self.utterance.folded(clause.start..sentence.end.min(self.utterance.ahead(mention.end, REACH))).iter().collect();
        let goes_on = icd10.starts_with(['C', 'D', 'F']) || FOUND_THEN.iter().any(|word| told.contains(word));
        !goes_on
            && self.utterance.numbers_in(near).iter().any(|number| {
                let between = self.utterance.folded(mention.end..number.start.max(mention.end)).iter().collect::<String>();
                let year = self.utterance.chars.get(number.end) == Some(&'年')
                    || number.start >= mention.end
                        && ([",", ", ", " in ", " "].contains(&between.as_str())
                            // stomach ulcer bleeding, 2019.
                            || between.ends_with(", ") && between.chars().all(|c| c.is_ascii_alphabetic() || " ,".contains(c)));
                let long = number.end - number.start >= 4;
                long && year && (1950.0..2050.0).contains(&number.value)
            })
    }

    /// 食 X 食到頭暈,我自己停咗.
    fn drug_did(&self, mention: &Mention, sentence: &Range<usize>) -> bool {
        let before = sentence.start.max(self.utterance.back(mention.start, SUBJECT_REACH))..mention.start;
        // 食到便秘,坐半個鐘。停咗兩個月喇.
        let own = mention.end..sentence.end.min(self.utterance.ahead(mention.end, REACH));
        let next = sentence.end..(sentence.end + 4).min(self.utterance.chars.len()).max(sentence.end);
        let near = self.utterance.between(mention.end, sentence.end) <= REACH;
        let behind = if near { own.start..next.end } else { own };
        let drug = |hit: &&Found| matches!(hit.meaning, Meaning::Drug(_));
        let last = self.utterance.within(before).iter().rev().find(drug);
        let refused: String = self.utterance.folded(behind.clone()).iter().collect();
        // Tramadol 我食過,成個人天旋地轉,唔好畀我.
        let tried = |drug: &Found| {
            let told: String = self.utterance.folded(drug.end..mention.start).iter().collect();
            ["食过", "用过", "打过", "吃过"].iter().any(|once| told.contains(once))
        };
        if last.is_some_and(tried) && REFUSED.iter().any(|word| refused.contains(word)) {
            return true;
        }
        let Some(stop) = self.utterance.terms(self.lexicon, behind, TermKind::DrugStopped).next() else { return false };
        // 即係 X 搞到血壓低。停咗佢: it is there, and the order follows.
        let words = self.utterance.folded(stop.start..stop.end + 1);
        if self.utterance.speaker == Speaker::Doctor && words.contains(&'佢') {
            return false;
        }
        // 食咗兩日頭痛到爆,自己停咗: of the drug that the turn before spoke of.
        let taken = self.of_drug && {
            let lead = self.utterance.folded(sentence.start..mention.start);
            // 嗰隻食到心口卜卜跳.
            let lead = match lead {
                ['嗰' | '呢', '只' | '啲', rest @ ..] => rest,
                lead => lead,
            };
            matches!(lead, ['食' | '吃' | '搽' | '打', '咗' | '完' | '到' | '亲', ..])
        };
        (last.is_some() || taken) && !self.utterance.within(mention.end..stop.start).iter().any(|hit| drug(&hit))
    }

    /// atenolol 上個月專科叫停咗,話我心跳太慢.
    fn was_the_reason(&self, mention: &Mention, clause: &Range<usize>) -> bool {
        let said = matches!(self.utterance.folded(clause.start..clause.start + 2), ['话' | '说' | '讲', '我' | '佢']);
        let before = clause.start.checked_sub(2).map(|end| self.utterance.clause(end).range);
        let sentence = self.utterance.sentence(mention.head);
        let rest = mention.end..sentence.end.min(self.utterance.ahead(mention.end, SUBJECT_REACH)).max(mention.end);
        let over = !self.has(rest, &[TermKind::Now, TermKind::Ongoing]);
        said && over
            && sentence.start < clause.start
            && before.is_some_and(|before| {
                self.has(before.clone(), &[TermKind::DrugStopped])
                    && self.has(before, &[TermKind::Before, TermKind::History, TermKind::Past])
            })
    }

    /// 細個有哮喘; 細個嗰陣有過癲癇: what most children grow out of, or what is told as over.
    fn outgrown(&self, mention: &Mention, icd10: &str, clause: &Range<usize>) -> bool {
        let childhood = |hit: &Found| match hit.meaning {
            Meaning::Term(term) => self.lexicon.terms.get(term).is_some_and(|term| term.value == "childhood"),
            _ => false,
        };
        let near = clause.start.max(self.utterance.back(mention.start, REACH))..clause.end.min(self.before_next(mention));
        let as_a_child = self.utterance.terms(self.lexicon, near, TermKind::History).any(childhood);
        let had = self.utterance.folded(mention.start.saturating_sub(2)..mention.start).contains(&'过');
        // 細個就有濕疹,到而家都斷唔到尾.
        let until = self.utterance.sentence(mention.head).end.min(self.utterance.ahead(mention.end, SUBJECT_REACH));
        let rest: String = self.utterance.folded(mention.end..until.max(mention.end)).iter().collect();
        let still = ["到而家", "到依家", "而家都", "断唔到尾", "冇断尾"].iter().any(|still| rest.contains(still));
        as_a_child && !still && (had || OUTGROWN.iter().any(|code| icd10.starts_with(code)))
    }

    /// 舊年跌咗一跤,右手腕斷咗: an injury in a sentence that tells of a year ago and of nothing since.
    fn healed(&self, mention: &Mention, icd10: &str, sentence: &Range<usize>) -> bool {
        let near = sentence.start.max(self.utterance.back(mention.start, SUBJECT_REACH))..mention.start;
        let of_years = |hit: &Found| self.utterance.folded(hit.start..hit.end).ends_with(&['年']);
        icd10.starts_with(['S', 'T'])
            && self.utterance.terms(self.lexicon, near.clone(), TermKind::Before).any(of_years)
            && !self.has(near, &[TermKind::Now, TermKind::Ongoing])
    }

    /// 以前甲亢,而家變咗甲減: right behind the word for what was, with what it has come to.
    fn is_something_else_now(&self, mention: &Mention, sentence: &Range<usize>) -> bool {
        let touching = self.has(mention.start.saturating_sub(3)..mention.start, &[TermKind::History]);
        let behind = mention.end..sentence.end.min(self.utterance.ahead(mention.end, SUBJECT_REACH));
        let words: String = self.utterance.folded(behind).iter().collect();
        touching && ["变咗", "变成", "变左", "转咗做"].iter().any(|turned| words.contains(turned))
    }

    /// 做完白內障手術: what was operated on is over.
    pub(super) fn operated(&self, mention: &Mention) -> bool {
        let before = self.utterance.folded(mention.start.saturating_sub(2)..mention.start);
        let done = matches!(before, ['做', '完' | '咗' | '过'] | ['年', '做']);
        // 左眼兩年前做咗白內障.
        let cataract = self.concept(mention).is_some_and(|concept| concept.icd10.starts_with("H2"));
        let told = |word: &[char]| self.utterance.folded(mention.end..mention.end + 2) == word;
        done && (told(&['手', '术']) || cataract && !told(&['检', '查']))
    }

    /// 鼻咽癌電療完八年: a cancer whose treatment is over.
    pub fn treated(&self, mention: &Mention) -> bool {
        let end = self.utterance.sentence(mention.head).end.min(mention.end + TREATED);
        let behind: String = self.utterance.folded(mention.end..end.max(mention.end)).iter().collect();
        let done = |word: &&str| behind.contains(*word);
        let ongoing = ["紧", "开始", "要", "排", "会", "等"].iter().any(|word| behind.contains(word));
        self.concept(mention).is_some_and(|concept| concept.icd10.starts_with('C'))
            && (behind.starts_with("做完") && !MORE_TO_COME.iter().any(|word| behind.contains(word))
                || ["电疗完", "化疗完", "疗程完"].iter().any(done)
                || TREATMENTS.iter().any(done) && !ongoing)
    }

    /// Where the words before the next mention begin: 肚瀉,以前有胃潰瘍 tells of the ulcer's past.
    fn before_next(&self, mention: &Mention) -> usize {
        let Some(next) = self.next_after(mention) else { return usize::MAX };
        let cues = [TermKind::History, TermKind::Before];
        let between = mention.end..next.start;
        let last =
            cues.iter().filter_map(|kind| self.utterance.terms(self.lexicon, between.clone(), *kind).last()).map(|hit| hit.start);
        last.max().filter(|cue| self.utterance.between(mention.end, *cue) > 1).unwrap_or(next.start)
    }

    /// 到而家, 一直, 仲有: what began long ago goes on.
    pub(super) fn lasting(&self, range: Range<usize>) -> bool {
        self.utterance.terms(self.lexicon, range, TermKind::Ongoing).any(|hit| match hit.meaning {
            Meaning::Term(term) => self.lexicon.terms.get(term).is_some_and(|term| term.value == "lasting"),
            _ => false,
        })
    }

    /// 一個鐘前, 今朝, 而家: within the last days.
    pub(super) fn recent(&self, range: Range<usize>) -> bool {
        let ago = self.utterance.quantities_in(range.clone()).iter().any(|quantity| {
            quantity.kind == UnitKind::Time && quantity.value <= 3.0 && self.utterance.chars.get(quantity.end) == Some(&'前')
        });
        ago || self.has(range, &[TermKind::Now])
    }

    /// 三年前, 十年前喇.
    pub(super) fn long_ago(&self, range: Range<usize>) -> bool {
        self.utterance.quantities_in(range).iter().any(|quantity| {
            quantity.kind == UnitKind::Time && quantity.value >= LONG_AGO && self.utterance.chars.get(quantity.end) == Some(&'前')
        })
    }
}
