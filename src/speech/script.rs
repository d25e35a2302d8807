//! Text in the characters a Hong Kong record is written in, whatever the model wrote.
//!
//! Models answer in Simplified, Traditional or both. OpenCC's phrase and character tables (`s2t`) give Traditional characters;
//! three small tables of ours then mend what they do to Cantonese, and choose the forms that Hong Kong keyboards give. OpenCC's own
//! Hong Kong table is not used: it follows a school list of glyphs (`温`, `説`, `脱`, `衞`, `揾`) that few type or search for.
//!
//! One character becomes one character everywhere, so spans and word times stay where they were.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;

use super::SpeechError;
use super::bias::WordList;
use super::model::{HeardWord, Hypothesis};
use crate::text::PatientText;

/// Characters that are Cantonese words in themselves and that OpenCC takes for simplified forms of others, with what stands
/// before or after them where they are indeed that: `睇吓` but `驚嚇`.
const CANTONESE: [(char, &str, &str); 5] = [
    ('吓', "惊驚恐", "人唬倒亲親死"),
    ('晒', "暴日", "太衫伤傷干乾黑日"),
    ('郁', "忧憂抑沉阴陰", "闷悶结結"),
    ('疴', "沉", ""),
    ('仆', "公奴女", "人役"),
];

/// Characters that stand in Traditional text too and mean something else there: `干擾`, the surname `余`. Where a text is
/// Traditional throughout and no phrase speaks for another character, they stay.
const IN_TRADITIONAL_TOO: &str = "干斗占云余佣范朴松岳采征叶咸吁丑丰托游杰准价伙划咨夸尸柜熏筑腊荐蜡辟适克";

/// Of the same kind, but so rare there that they are converted all the same; they only prove nothing about a text.
const RARE_IN_TRADITIONAL: &str = "后几里于虫";

/// Beside these, `系` is a system or a faculty; anywhere else in Cantonese it is the verb `係`.
const SYSTEM_BEFORE: &str = "體派星科學院語文譜直旁母父陽河嫡";
const SYSTEM_AFTER: &str = "統列數譜別所主";

/// Phrases in OpenCC's Traditional characters, and as they are written in Hong Kong.
const PHRASES: [(&str, &str); 19] = [
    ("複診", "覆診"),
    ("復診", "覆診"),
    ("綜合徵", "綜合症"),
    ("瞭解", "了解"),
    ("喉嚨幹", "喉嚨乾"),
    ("喉幹", "喉乾"),
    ("眼幹", "眼乾"),
    ("鼻幹", "鼻乾"),
    ("好幹", "好乾"),
    ("松啲", "鬆啲"),
    ("松咗", "鬆咗"),
    ("呢只", "呢隻"),
    ("嗰只", "嗰隻"),
    ("邊只", "邊隻"),
    ("幾只", "幾隻"),
    ("兩只", "兩隻"),
    ("麻痹", "麻痺"),
    ("食面包", "食麵包"),
    ("幾點鍾", "幾點鐘"),
];

/// Characters of OpenCC's standard or of other lists, and the same character as Hong Kong types it.
const CHARACTERS: [(char, char); 46] = [
    ('臺', '台'),
    ('爲', '為'),
    ('衆', '眾'),
    ('麪', '麵'),
    ('麫', '麵'),
    ('喫', '吃'),
    ('牀', '床'),
    ('羣', '群'),
    ('峯', '峰'),
    ('啓', '啟'),
    ('脣', '唇'),
    ('菸', '煙'),
    ('鍼', '針'),
    ('溼', '濕'),
    ('檯', '枱'),
    ('癡', '痴'),
    ('裡', '裏'),
    ('蔥', '葱'),
    ('纔', '才'),
    ('祕', '秘'),
    ('皁', '皂'),
    ('竈', '灶'),
    ('糉', '糭'),
    ('覈', '核'),
    ('鉢', '缽'),
    ('譁', '嘩'),
    ('痹', '痺'),
    ('綫', '線'),
    ('葯', '藥'),
    ('温', '溫'),
    ('説', '說'),
    ('脱', '脫'),
    ('衞', '衛'),
    ('鋭', '銳'),
    ('閲', '閱'),
    ('税', '稅'),
    ('悦', '悅'),
    ('揾', '搵'),
    ('户', '戶'),
    ('兑', '兌'),
    ('脚', '腳'),
    ('却', '卻'),
    ('麽', '麼'),
    ('柺', '拐'),
    ('皰', '疱'),
    ('黴', '霉'),
];

/// The tables, read once and shared.
#[derive(Clone)]
pub struct HongKongScript {
    to_traditional: Arc<OpenCC>,
    to_simplified: Arc<OpenCC>,
    spellings: Option<Arc<Spellings>>,
}

/// Words that are written as a list has them: a doctor named 余 is not 餘.
struct Spellings {
    /// Finds them in Simplified characters, which all ways to write them have in common.
    finder: AhoCorasick,
    /// As they are listed, in the order of the finder's patterns.
    words: Vec<String>,
}

impl HongKongScript {
    /// Reads the tables that are built into the program.
    ///
    /// # Errors
    /// [`SpeechError::Script`] when they are broken.
    pub fn load() -> Result<Self, SpeechError> {
        let tables = |config| OpenCC::from_config(config).map(Arc::new).map_err(|error| SpeechError::Script(error.to_string()));
        Ok(Self { to_traditional: tables(BuiltinConfig::S2t)?, to_simplified: tables(BuiltinConfig::T2s)?, spellings: None })
    }

    /// The same, with the words of a list written as they are there.
    ///
    /// # Errors
    /// [`SpeechError::Script`] when the list is too long to be looked for.
    pub fn spelling(&self, list: &WordList) -> Result<Self, SpeechError> {
        let words: Vec<String> = list.words().iter().map(|word| word.written.reveal().to_owned()).collect();
        let patterns = words.iter().map(|word| self.simplified(word));
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns);
        let finder = finder.map_err(|error| SpeechError::Script(error.to_string()))?;
        Ok(Self { spellings: Some(Arc::new(Spellings { finder, words })), ..self.clone() })
    }

    /// `text` in Traditional characters, Hong Kong forms: as many characters as before, and all but Chinese as it was.
    #[must_use]
    pub fn convert(&self, text: &str) -> String {
        let before: Vec<char> = text.chars().collect();
        let mut after: Vec<char> = self.to_traditional.convert(text).chars().collect();
        let alone: Vec<char> = before.iter().map(|c| single(&self.to_traditional, *c)).collect();
        if after.len() != before.len() {
            // OpenCC's tables keep the length (true of all entries in 0.4.0); should others not, single characters do.
            after.clone_from(&alone);
        }
        if self.is_traditional(&before, &alone) {
            keep_ambiguous(&before, &alone, &mut after);
        }
        keep_cantonese(&before, &mut after);
        verb_or_system(&mut after);
        replace_phrases(&mut after);
        self.as_listed(after.into_iter().map(common_form).collect())
    }

    fn as_listed(&self, text: String) -> String {
        let Some(Spellings { finder, words }) = self.spellings.as_deref() else { return text };
        let simplified = self.simplified(&text);
        let mut written = text.chars();
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        // Both texts have the same number of characters, and so have a word and its Simplified form.
        let characters = |from: usize, to: usize| simplified.get(from..to).unwrap_or_default().chars().count();
        for found in finder.find_iter(&simplified) {
            out.extend(written.by_ref().take(characters(done, found.start())));
            let word = words.get(found.pattern().as_usize()).map(String::as_str).unwrap_or_default();
            out.push_str(word);
            written.by_ref().take(word.chars().count()).for_each(drop);
            done = found.end();
        }
        out.extend(written);
        out
    }

    /// `text` in Simplified characters, as many as before.
    #[must_use]
    pub fn simplified(&self, text: &str) -> String {
        text.chars().map(|c| single(&self.to_simplified, c)).collect()
    }

    /// Whether some character of the text is Traditional only, and none Simplified only. `alone`: each converted by itself.
    fn is_traditional(&self, text: &[char], alone: &[char]) -> bool {
        let simplified = |(c, alone): (&char, &char)| {
            let both = CANTONESE.iter().any(|(kept, _, _)| kept == c)
                || IN_TRADITIONAL_TOO.contains(*c)
                || RARE_IN_TRADITIONAL.contains(*c);
            !both && common_form(*alone) != common_form(*c)
        };
        !text.iter().zip(alone).any(simplified) && text.iter().any(|c| single(&self.to_simplified, *c) != *c)
    }

    /// Text and words of a hypothesis converted together: a word is cut out of the converted text, so that phrases decide its
    /// characters too.
    #[must_use]
    pub fn convert_hypothesis(&self, hypothesis: Hypothesis) -> Hypothesis {
        let original: Vec<char> = hypothesis.text.reveal().chars().collect();
        let converted: Vec<char> = self.convert(hypothesis.text.reveal()).chars().collect();
        let mut at = 0;
        let words = hypothesis
            .words
            .into_iter()
            .map(|word| {
                let characters: Vec<char> = word.text.reveal().chars().collect();
                let text = match find(&original, &characters, at) {
                    Some(start) => {
                        at = start + characters.len();
                        converted.iter().skip(start).take(characters.len()).collect()
                    }
                    None => self.convert(word.text.reveal()),
                };
                HeardWord { text: PatientText::from(text), ..word }
            })
            .collect();
        Hypothesis { text: PatientText::from(converted.into_iter().collect::<String>()), words, ..hypothesis }
    }
}

/// What the tables make of one character by itself.
fn single(tables: &OpenCC, c: char) -> char {
    let converted = tables.convert(c.encode_utf8(&mut [0; 4]));
    let mut characters = converted.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}

/// The form of a Traditional character that Hong Kong types.
fn common_form(c: char) -> char {
    CHARACTERS.iter().find(|(other, _)| *other == c).map_or(c, |(_, hong_kong)| *hong_kong)
}

/// Where `part` next stands in `whole`, from `from` on.
fn find(whole: &[char], part: &[char], from: usize) -> Option<usize> {
    if part.is_empty() {
        return None;
    }
    whole.get(from..)?.windows(part.len()).position(|window| window == part).map(|offset| from + offset)
}

fn neighbours(text: &[char], index: usize) -> (Option<char>, Option<char>) {
    let before = index.checked_sub(1).and_then(|index| text.get(index)).copied();
    (before, text.get(index + 1).copied())
}

fn keep_ambiguous(before: &[char], alone: &[char], after: &mut [char]) {
    for ((original, alone), converted) in before.iter().zip(alone).zip(after) {
        if converted == alone && IN_TRADITIONAL_TOO.contains(*original) {
            *converted = *original;
        }
    }
}

fn keep_cantonese(before: &[char], after: &mut [char]) {
    for (index, (original, converted)) in before.iter().zip(after).enumerate() {
        if let Some((_, preceding, following)) = CANTONESE.iter().find(|(c, _, _)| c == original) {
            let (previous, next) = neighbours(before, index);
            let other_word = previous.is_some_and(|c| preceding.contains(c)) || next.is_some_and(|c| following.contains(c));
            if !other_word {
                *converted = *original;
            }
        }
    }
}

fn verb_or_system(text: &mut [char]) {
    let verbs: Vec<usize> = (0..text.len())
        .filter(|index| text.get(*index) == Some(&'系'))
        .filter(|index| {
            let (previous, next) = neighbours(text, *index);
            !previous.is_some_and(|c| SYSTEM_BEFORE.contains(c)) && !next.is_some_and(|c| SYSTEM_AFTER.contains(c))
        })
        .collect();
    for index in verbs {
        if let Some(c) = text.get_mut(index) {
            *c = '係';
        }
    }
}

fn replace_phrases(text: &mut [char]) {
    for (phrase, hong_kong) in PHRASES {
        let phrase: Vec<char> = phrase.chars().collect();
        let mut from = 0;
        while let Some(start) = find(text, &phrase, from) {
            for (c, replacement) in text.iter_mut().skip(start).zip(hong_kong.chars()) {
                *c = replacement;
            }
            from = start + phrase.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(text: &str) -> String {
        HongKongScript::load().unwrap().convert(text)
    }

    #[test]
    fn simplified_becomes_what_hong_kong_writes() {
        for (simplified, expected) in [
            ("今日血压145/90，头晕咗三日。", "今日血壓145/90，頭暈咗三日。"),
            ("我系香港人，唔系几钟意食面", "我係香港人，唔係幾鍾意食麵"),
            ("里面 这里 公里", "裏面 這裏 公里"),
            ("台湾 台风 一台机", "台灣 颱風 一台機"),
            ("体温38.5度，说话，脱咗衫，卫生署", "體溫38.5度，說話，脫咗衫，衛生署"),
            ("头发 发烧 发炎", "頭髮 發燒 發炎"),
            ("一只手 两只脚 呢只药 只有", "一隻手 兩隻腳 呢隻藥 只有"),
            ("之后 皇后 后日", "之後 皇后 後日"),
            ("抑郁 忧郁症 惊吓 晒太阳", "抑鬱 憂鬱症 驚嚇 曬太陽"),
            ("干咳 口干 喉咙干 干扰", "乾咳 口乾 喉嚨乾 干擾"),
            ("系统 体系 系列 关系 联系", "系統 體系 系列 關係 聯繫"),
            ("两个礼拜后复诊，恢复", "兩個禮拜後覆診，恢復"),
            ("起床 众 启 湿疹 便秘 针灸 麻痹", "起床 眾 啟 濕疹 便秘 針灸 麻痺"),
            ("三点钟 线路 面粉 面部", "三點鐘 線路 麵粉 面部"),
        ] {
            assert_eq!(convert(simplified), expected);
        }
    }

    #[test]
    fn cantonese_in_traditional_characters_is_left_as_it_is() {
        for text in [
            "佢哋喺度嚟咗，嗰啲嘢係唔係你嘅？冇乜嘢㗎喎",
            "等我睇吓先，食晒啲藥未呀",
            "隻手郁唔到，瞓唔着，搵醫生覆診",
            "肚疴咗三日，嘔咗兩次，體溫三十八度，琴日仆親",
            "余醫生話受到干擾，批准佢去游水，唔好食咁咸，若干個鐘",
            "裏面 台灣 溫度 說話 脫 衛生 麵包 皇后 只有 一隻 頭髮 發燒 乾咳 干擾 線路",
            "食咗 metformin 五百 mg 一日兩次",
        ] {
            assert_eq!(convert(text), text);
        }
    }

    #[test]
    fn other_lists_glyphs_become_the_common_ones() {
        assert_eq!(convert("温度 説 脱 衞 裡面 臺灣 綫 麪 揾"), "溫度 說 脫 衛 裏面 台灣 線 麵 搵");
    }

    #[test]
    fn english_digits_and_signs_stay() {
        let text = "He has HT, DM & ↑K+ 5.6 mmol/L — café №3 😀 <b>\"x\"</b>\n\t";
        assert_eq!(convert(text), text);
        assert_eq!(convert(""), "");
    }

    #[test]
    fn converting_twice_changes_nothing_more_and_no_character_is_added() {
        let text = "等阵先覆诊，复查肝脏，郁咗下，系咪着凉？头发干，台上只得一只杯，后面嗰个系统";
        let once = convert(text);
        assert_eq!(convert(&once), once);
        assert_eq!(once.chars().count(), text.chars().count());
    }

    #[test]
    fn listed_words_are_written_as_they_are_listed() {
        let script = HongKongScript::load().unwrap();
        let list = WordList::parse("衛城里\n余志豐\n余志\nmetformin".as_bytes(), &script).unwrap();
        let script = script.spelling(&list).unwrap();
        assert_eq!(script.convert("我喺卫城里附近，余志丰医生话食metformin"), "我喺衛城里附近，余志豐醫生話食metformin");
        assert_eq!(script.convert("城里面"), "城裏面");
        assert_eq!(script.convert(""), "");
    }

    #[test]
    fn words_are_cut_out_of_the_converted_text() {
        let word = |text: &str, start| HeardWord { text: text.into(), samples: start..start + 10, probability: 0.5 };
        let hypothesis = Hypothesis {
            text: " 头发干咳 OK 后".into(),
            // Alone, 发 and 干 would be 發 and 幹.
            words: vec![word(" 头", 0), word("发", 10), word("干", 20), word("咳", 30), word(" OK", 40), word("后", 50)],
            ..Hypothesis::default()
        };
        let converted = HongKongScript::load().unwrap().convert_hypothesis(hypothesis);
        assert_eq!(converted.text.reveal(), " 頭髮乾咳 OK 後");
        let words: Vec<_> = converted.words.iter().map(|word| (word.text.reveal(), word.samples.start)).collect();
        assert_eq!(words, [(" 頭", 0), ("髮", 10), ("乾", 20), ("咳", 30), (" OK", 40), ("後", 50)]);
    }
}
