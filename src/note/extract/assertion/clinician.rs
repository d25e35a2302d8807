//! What a clinician fears or wonders is suspected: 怕係盲腸炎, 唔知係咪痛風, 會唔會係肺炎. In a patient's mouth it is a question.

use super::{Context, Mention, Speaker};
use crate::terminology::Found;

/// Who may stand between fear and 係 (folded).
const WHO: [char; 3] = ['你', '佢', '会'];
/// What leads to a question that nobody is asked (folded).
const NOT_KNOWN: [&str; 8] = ["唔知", "未知", "唔肯定", "唔确定", "未肯定", "未确定", "唔清楚", "not sure"];
/// What wonders by itself (folded).
const WONDERS: [&str; 4] = ["会唔会", "会否", "会不会", "是否"];

/// What says behind a question that it will be known later (folded), and how far behind.
const KNOWN_LATER: [&str; 6] = ["先知", "先至知", "才知", "未知", "先确定", "先肯定"];
const BEHIND: usize = 20;

impl Context<'_> {
    /// 怕係深層靜脈栓塞, says the doctor: suspected. 你怕係, 唔使怕係 tell of the patient's fear.
    pub(super) fn clinician_fears(&self, cue: &Found) -> bool {
        let lead = self.utterance.folded(cue.start.saturating_sub(1)..cue.start);
        let behind = self.utterance.folded(cue.end..self.utterance.chars.len().min(cue.end + 3));
        let who = behind.iter().take_while(|c| WHO.contains(*c)).count();
        let within = self.utterance.folded(cue.end.saturating_sub(1)..cue.end).contains(&'系');
        let is = within || matches!(behind.get(who), Some('系' | '有'));
        self.utterance.speaker == Speaker::Doctor && is && !matches!(lead, ['你' | '佢' | '使' | '驶' | '唔' | '会'])
    }

    /// 唔知係咪痛風, 會唔會係痛風: a disease that the clinician thinks of. 會唔會頭痛 asks the patient.
    pub(super) fn clinician_wonders(&self, cue: &Found, mention: &Mention) -> bool {
        if self.utterance.speaker != Speaker::Doctor || self.concept(mention).is_none_or(|concept| concept.symptom) {
            return false;
        }
        let said = |range: std::ops::Range<usize>| self.utterance.folded(range).iter().collect::<String>();
        let before = said(cue.start.saturating_sub(8)..cue.start);
        let not_known = NOT_KNOWN.iter().any(|words| before.trim_end_matches(['佢', '你', ' ']).ends_with(words));
        let words = said(cue.start..self.utterance.chars.len().min(cue.end + 2));
        let wonders = WONDERS.iter().any(|wonder| words.strip_prefix(wonder).is_some_and(|rest| rest.starts_with('系')));
        // 係咪心肌梗塞,要再抽血先知.
        let behind = said(mention.end..self.utterance.sentence(mention.head).end.min(mention.end + BEHIND).max(mention.end));
        not_known || wonders || KNOWN_LATER.iter().any(|words| behind.contains(words))
    }
}
