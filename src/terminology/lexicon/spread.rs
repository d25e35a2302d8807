//! Forms said with words of degree or denial between their pieces.

use super::{Lexicon, Meaning, places};

/// A condition said with a gap before its last character, offsets in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// First character.
    pub start: usize,
    /// The last piece.
    pub head: usize,
    /// One past the last.
    pub end: usize,
    /// The condition's number.
    pub condition: usize,
}

/// The most characters of degree or denial between two pieces of a form.
const LONGEST_GAP: usize = 4;

/// Words of degree, denial and time that stand inside a complaint without changing it (folded).
fn is_loose(c: char) -> bool {
    "冇唔有好都又仲过咗会系係啲少咁几太得就先亦越愈来嚟时成日常非比较真勁劲乜什么特别多".contains(c)
}

/// What can be said of a part of the body or a value (folded).
fn is_quality(c: char) -> bool {
    "痛肿痕痺痹麻晕促喘高低快慢急频密硬闷翳矇朦花差干塞胀酸攰累软弱震僵沙哑赤乱大细血风".contains(c)
}

impl Lexicon {
    /// Conditions whose last piece stands apart from the rest, with only words of degree or denial between: 血壓冇高, 頸唔痛,
    /// 喉嚨好痛. Offsets in characters; linear in the text.
    #[must_use]
    pub fn find_spread(&self, folded: &[char]) -> Vec<Spread> {
        let kept: Vec<(usize, char)> = folded.iter().copied().enumerate().filter(|(_, c)| !is_loose(*c)).collect();
        let close: String = kept.iter().map(|(_, c)| *c).collect();
        let places = places(&close);
        let at = |byte: usize| places.get(byte).and_then(|index| kept.get(*index)).map(|(at, _)| *at);
        let mut spread = Vec::new();
        for hit in self.automaton.find_overlapping_iter(&close) {
            let conditions =
                self.meanings.get(hit.pattern().as_usize()).into_iter().flatten().filter_map(|meaning| match meaning {
                    Meaning::Condition(condition) => Some(*condition),
                    _ => None,
                });
            let form = close.get(hit.range()).unwrap_or_default();
            let Some((last, piece)) = form.char_indices().next_back() else { continue };
            let before = form.get(..last).and_then(|rest| rest.char_indices().next_back()).map(|(byte, _)| byte);
            let (Some(start), Some(head), Some(neck)) =
                (at(hit.start()), at(hit.start() + last), before.and_then(|byte| at(hit.start() + byte)))
            else {
                continue;
            };
            // One gap only, before the last piece, and that a quality.
            let whole = neck + 2 == start + form.chars().count();
            if whole && is_quality(piece) && head > neck + 1 && head - neck <= LONGEST_GAP + 1 {
                spread.extend(conditions.map(|condition| Spread { start, head, end: head + 1, condition }));
            }
        }
        spread
    }
}
