//! Answers in other words than yes and no, and what takes back or restricts what was just said.

use std::ops::Range;

use super::super::assertion::doubts;
use super::super::clauses::Clause;
use super::super::utterance::Utterance;
use super::Answer;

/// What stands around an answer without a meaning of its own (folded).
const PARTICLES: &str = " 呀啊喇啦嘅㗎啰啰咯喎嘞噃呢哦噢嗯唉吖咋啫添,.()()-";
/// Clauses that affirm by themselves (folded): 有冇頭暈? 間中囉.
const YES: [&str; 21] = [
    "少少",
    "微微",
    "微微哋",
    "一啲",
    "咪就系",
    "咪系",
    "就系",
    "梗系",
    "梗系有",
    "梗有",
    "点会冇",
    "唔嬲都有",
    "一向都有",
    "一路都有",
    "有系有",
    "好犀利",
    "好紧要",
    "好严重",
    "都几犀利",
    "差咗好多",
    "点头",
];
/// How often (folded): what begins an affirmation, alone or with 有, 會 and how much behind it.
const OFTEN: [&str; 17] = [
    "间中",
    "有时",
    "偶然",
    "偶尔",
    "久唔久",
    "耐唔耐",
    "耐唔中",
    "三唔五时",
    "成日",
    "晚晚",
    "日日",
    "时时",
    "不时",
    "朝朝",
    "有阵时",
    "sometimes",
    "occasionally",
];
/// What may stand behind that (folded).
const BEHIND_OFTEN: [&str; 14] =
    ["", "有", "有少少", "有啲", "有一啲", "有一次", "有一两次", "会", "会有", "会有少少", "会有啲", "一次", "一两次", "少少"];
/// Clauses that deny by themselves (folded): 有冇嘔? 唔覺.
const NO: [&str; 26] = [
    "唔觉",
    "唔觉有",
    "唔多觉",
    "唔觉得",
    "冇觉",
    "睇唔到",
    "睇唔到有",
    "见唔到",
    "见唔到有",
    "点会",
    "点会有",
    "边有",
    "边会",
    "边会有",
    "唔会",
    "冇留意",
    "冇冇",
    "冇冇冇",
    "应该冇",
    "好似冇",
    "一啲都冇",
    "从嚟冇",
    "摇头",
    "摇头冇",
    "拧头",
    "正常",
];
/// What is well where a complaint was asked for: how the complaint's code begins, and the words (folded).
const WELL: [(&str, &[&str]); 3] = [
    ("G47.0", &["瞓得好", "瞓到觉", "瞓得着", "瞓得几好", "瞓得都好"]),
    ("R63.0", &["食得", "胃口好", "胃口都好", "胃口几好"]),
    ("R53", &["精神好", "精神都好", "精神几好"]),
];
/// Of whom a relative's condition is denied (folded); nobody is a relative of theirs.
const MYSELF: [&str; 6] = ["我自己", "佢自己", "自己", "本人", "我", "佢"];
/// What ends a clause that says that somebody has not what a relative has (folded).
const NOT: [&str; 8] = ["未试过", "未有", "冇事", "正常", "冇有", "冇中", "冇", "未中过"];
/// The longest such clause, in characters.
const SHORT: usize = 9;

/// The words of a clause without particles.
pub(super) fn words(utterance: &Utterance, clause: &Range<usize>) -> String {
    utterance.folded(clause.clone()).iter().filter(|c| !PARTICLES.contains(**c)).collect()
}

/// A clause that is an answer as a whole.
pub(super) fn whole(utterance: &Utterance, clause: &Range<usize>) -> Option<(Answer, usize, usize)> {
    let words = words(utterance, clause);
    // 而家冇,琴晚有: only as all that is said.
    let last = utterance.folded(clause.end..utterance.chars.len()).iter().all(|c| PARTICLES.contains(*c) || *c == '。');
    let answer = match words.as_str() {
        "而家冇" | "而家就冇" | "依家冇" if last => Answer::No,
        said if YES.contains(&said) || often(said) || only_then(said) => Answer::Yes,
        said if NO.contains(&said) => Answer::No,
        // 舊料嚟啦: what stands there is of then.
        "旧料嚟" | "旧嘢嚟" | "旧资料嚟" => Answer::Once,
        // 嗰封信寫錯.
        said if ["写错", "写错咗", "入错咗", "搞错咗"].iter().any(|wrong| said.ends_with(wrong))
            && said.chars().count() <= SHORT =>
        {
            Answer::No
        }
        said if doubts(said) => Answer::Maybe,
        _ => return None,
    };
    Some((answer, clause.start, clause.end))
}

/// 間中有少少, 久唔久都有: how often, and that there is.
fn often(words: &str) -> bool {
    let behind = |often: &&str| words.strip_prefix(*often).map(|rest| rest.trim_start_matches(['都', '就']));
    OFTEN.iter().filter_map(behind).any(|rest| BEHIND_OFTEN.contains(&rest))
}

/// 行快兩步先有, 郁先至會: when it comes.
fn only_then(words: &str) -> bool {
    ["先有", "先至有", "先会", "先会有", "先至会"].iter().any(|then| words.ends_with(then))
        && ["行", "郁", "企", "坐", "瞓", "起", "上", "落", "跑", "用力", "攰", "夜", "朝"]
            .iter()
            .any(|when| words.starts_with(when))
}

/// Whether a clause says that what a complaint would disturb is well.
pub(super) fn well(utterance: &Utterance, clause: &Range<usize>, icd10: &str) -> bool {
    let words = words(utterance, clause);
    let said = |(code, well): &(&str, &[&str])| icd10.starts_with(code) && well.iter().any(|well| words.contains(well));
    WELL.iter().any(said) && !words.contains(['唔', '冇'])
}

/// 戒咗五年 tells that one smoked, 一日一包 that one does.
pub(super) fn smoking(utterance: &Utterance, clause: &Range<usize>) -> Option<Answer> {
    let words = words(utterance, clause);
    // 以前一日一包, 四年前戒咗.
    let given_up = ["戒咗", "戒左", "介咗", "介左", "戒了", "戒掉", "以前", "从前"].iter().any(|word| words.starts_with(word))
        || ["戒咗", "戒了"].iter().any(|word| words.ends_with(word));
    let given_up = given_up && !words.contains("又食") && !words.contains("又抽");
    let daily = ["一日", "每日", "一天", "每天", "日日"].iter().any(|daily| words.contains(daily));
    let said: Vec<char> = words.chars().collect();
    // 一包度, 半包, 十支: so many, which is so many a day.
    let number = |c: &char| c.is_ascii_digit() || "一二两三四五六七八九十半几".contains(*c);
    let so_many = said.windows(2).any(|pair| matches!(pair, [before, '包' | '支'] if number(before)));
    let counted = so_many || daily && words.contains(['包', '支']);
    match (given_up, counted) {
        (true, _) => Some(Answer::Once),
        (_, true) => Some(Answer::Yes),
        _ => None,
    }
}

/// 我自己冇, 佢自己未試過: behind a relative's condition.
pub(super) fn not_me(utterance: &Utterance, clause: &Range<usize>) -> bool {
    let words = words(utterance, clause);
    words.chars().count() <= SHORT
        && MYSELF.iter().any(|who| words.starts_with(who))
        && NOT.iter().any(|not| words.ends_with(not))
}

/// 盲腸炎痛右邊㗎,你唔係: what was explained is not what the patient has.
pub(super) fn not_you(utterance: &Utterance, clause: &Range<usize>) -> bool {
    matches!(
        words(utterance, clause).as_str(),
        "你唔系"
            | "你呢个唔系"
            | "你又唔系"
            | "你冇"
            | "你呢个就唔系"
            | "你冇呢个病"
            | "你冇呢只病"
            | "你冇呢样"
            | "你冇呢啲"
    )
}

/// 唔係,係鼻敏感: what was said is taken back, and the next clause says what it is.
pub(super) fn replaced(utterance: &Utterance, clauses: &[Clause]) -> bool {
    let [this, next, rest @ ..] = clauses else {
        return matches!(clauses, [this] if words(utterance, &this.range) == "我乱噏");
    };
    let follows = words(utterance, &next.range);
    // 佢有冠心病,我亂噏.
    if matches!(words(utterance, &this.range).as_str(), "我乱噏" | "乱噏" | "我乱讲") {
        return true;
    }
    // 唔係,口快快,係中耳炎.
    let follows = match rest.first() {
        Some(then) if matches!(follows.as_str(), "口快快" | "讲错" | "讲错咗") => words(utterance, &then.range),
        _ => follows,
    };
    // 佢有 CKD…唔係唔係,睇錯咗排牌.
    if matches!(words(utterance, &this.range).as_str(), "唔系唔系" | "sorry" | "唔好意思" | "对唔住")
        && ["睇错", "读错", "讲错", "搞错"].iter().any(|wrong| follows.starts_with(wrong))
    {
        return true;
    }
    matches!(words(utterance, &this.range).as_str(), "唔系" | "唔系唔系" | "讲错咗" | "讲错" | "写错咗")
        && ["系", "应该系", "其实系", "即系"].iter().any(|is| follows.starts_with(is))
        && !follows.starts_with("系咪")
}
