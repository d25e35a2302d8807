//! Conditions that are only what something is about: 講高血壓嘅單張, 世界糖尿病日, 關於癌症嘅書.

use std::ops::Range;

use super::{Context, Mention};

/// What has a disease for its topic, right behind the disease's name (folded).
const ABOUT_IT: [&str; 26] = [
    "书",
    "单张",
    "小册",
    "饮食",
    "餐单",
    "讲座",
    "资料",
    "周",
    "月",
    "文章",
    "节目",
    "新闻",
    "广告",
    "海报",
    "保险",
    "协会",
    "基金",
    "互助",
    "会员",
    "网站",
    "网页",
    "知识",
    "教育",
    "leaflet",
    "booklet",
    " awareness",
];
/// What tells of diseases, before one (folded).
const SOURCES: [&str; 20] = [
    "单张",
    "小册子",
    "小册",
    "本书",
    "条片",
    "短片",
    "影片",
    "节目",
    "讲座",
    "新闻",
    "海报",
    "文章",
    "报纸",
    "杂志",
    "网页",
    "网站",
    "电视",
    "电台",
    "广告",
    "leaflet",
];
/// How it tells (folded).
const TELLS: [&str; 7] = ["讲", "话", "介绍", "关于", "有关", "写", " about"];
/// What leads to a topic, right before its name (folded).
const ABOUT: [&str; 4] = ["关于", "有关", "关于啲", "about "];
/// How far before a name its source may stand.
const SOURCE: usize = 14;

impl Context<'_> {
    /// Whether a disease is a topic. A complaint is none: 頭痛月月都有.
    pub(super) fn topic(&self, mention: &Mention, clause: &Range<usize>, before: &str, after: &str) -> Option<&'static str> {
        if self.concept(mention).is_none_or(|concept| concept.symptom) {
            return None;
        }
        let noun = after.trim_start_matches(['嘅', '的', '病', ' ']);
        let day = noun.starts_with('日') && !noun.starts_with("日日") && !noun.starts_with("日前");
        if day || ABOUT_IT.iter().any(|word| noun.starts_with(word.trim_start()) || after.starts_with(word)) {
            return Some("what something is about");
        }
        let lead: String =
            self.utterance.folded(clause.start.max(mention.start.saturating_sub(SOURCE))..mention.start).iter().collect();
        let told = SOURCES.iter().any(|source| {
            let behind = lead.split_once(source).map(|(_, behind)| behind);
            behind.is_some_and(|behind| !behind.contains(['我', '你']) && TELLS.iter().any(|tells| behind.contains(tells)))
        });
        (told || ABOUT.iter().any(|word| before.ends_with(word))).then_some("what something is about")
    }
}
