//! A list of words as the tokens of one model.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use super::list::WordList;
use super::matching::{Matching, Open};
use crate::speech::SpeechError;
use crate::text::PatientText;

/// How far a listed word is raised; natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// For each token of a word.
    pub bonus: f32,
    /// For a whole word at most.
    pub cap: f32,
    /// How much less probable than the likeliest token one may be that begins or continues a word.
    pub spread: f32,
    /// The lowest mean log-probability of a word's tokens.
    pub floor: f32,
}

impl Default for Weights {
    /// Chosen with Whisper base on every other Cantonese clip of `audio/` (`scripts/bias`): bonuses from 1.25 to 2 and caps from 5 to 8
    /// do about the same. With a floor of -2.5 more names are found, and a list of which nothing is said changes a text.
    fn default() -> Self {
        Self { bonus: 1.5, cap: 6.0, spread: 5.0, floor: -2.0 }
    }
}

/// A list's words as tokens of one model, the beginnings that they share once.
pub struct Bias {
    nodes: Vec<Node>,
    weights: Weights,
    words: usize,
    unwritable: Vec<usize>,
}

#[derive(Default)]
struct Node {
    /// By token.
    children: Vec<(u32, usize)>,
    /// Whether a word ends here.
    ends: bool,
}

/// The node that all words begin at.
const ROOT: usize = 0;

impl Bias {
    /// Builds the trie; `spell` gives the ways in which the model may write a text, none where it cannot.
    ///
    /// # Errors
    /// Those of `spell`.
    pub fn new(
        list: &WordList,
        weights: Weights,
        spell: impl Fn(&PatientText) -> Result<Vec<Vec<u32>>, SpeechError>,
    ) -> Result<Self, SpeechError> {
        let mut nodes = vec![Node::default()];
        let mut places: HashMap<(usize, u32), usize> = HashMap::new();
        let mut unwritable = Vec::new();
        for word in list.words() {
            let mut written = false;
            for form in &word.forms {
                for tokens in spell(form)?.into_iter().filter(|tokens| !tokens.is_empty()) {
                    let mut at = ROOT;
                    for token in tokens {
                        at = *places.entry((at, token)).or_insert_with(|| {
                            nodes.push(Node::default());
                            nodes.len() - 1
                        });
                    }
                    if let Some(node) = nodes.get_mut(at) {
                        (node.ends, written) = (true, true);
                    }
                }
            }
            if !written {
                unwritable.push(word.line);
            }
        }
        for ((from, token), to) in places {
            if let Some(node) = nodes.get_mut(from) {
                node.children.push((token, to));
            }
        }
        for node in &mut nodes {
            node.children.sort_unstable();
        }
        Ok(Self { nodes, weights, words: list.words().len(), unwritable })
    }

    /// How far words are raised.
    #[must_use]
    pub fn weights(&self) -> Weights {
        self.weights
    }

    /// Lines of the list whose word the model has no tokens for.
    #[must_use]
    pub fn unwritable(&self) -> &[usize] {
        &self.unwritable
    }

    /// What so many tokens of a word are worth.
    #[must_use]
    pub fn worth(&self, tokens: usize) -> f32 {
        (self.weights.bonus * tokens as f32).min(self.weights.cap)
    }

    /// The tokens with which a listed word goes on that began at token `since` or before; without `since` also those that begin one.
    pub fn continuations(&self, matching: &Matching, since: Option<usize>) -> impl Iterator<Item = u32> {
        let root = since.is_none().then_some(ROOT);
        let open = matching.open.iter().filter(move |open| since.is_none_or(|since| open.begin <= since)).map(|open| open.node);
        open.chain(root).flat_map(|node| self.children(node)).map(|(token, _)| *token)
    }

    /// The matching after one more token.
    #[must_use]
    pub fn advance(&self, before: &Matching, token: u32) -> Matching {
        let tokens = before.tokens + 1;
        let mut after = Matching { tokens, open: Vec::new(), ..*before };
        let begun = Open { node: ROOT, begin: before.tokens, base: before.earned };
        // The longest first.
        for open in before.open.iter().copied().chain([begun]) {
            let Some(node) = self.child(open.node, token) else { continue };
            after.open.push(Open { node, ..open });
            if self.ends(node) {
                let earned = open.base + self.worth(tokens - open.begin);
                if after.word.1 < tokens {
                    after.word = (open.begin, tokens);
                }
                after.earned = after.earned.max(earned);
            }
        }
        after
    }

    /// What was earned, and what the word underway would have earned so far.
    #[must_use]
    pub fn promise(&self, matching: &Matching) -> f32 {
        let open = matching.open.iter().map(|open| open.base + self.worth(matching.tokens - open.begin));
        open.fold(matching.earned, f32::max)
    }

    /// What the whole words of a text are worth.
    #[must_use]
    pub fn earned(&self, text: &[u32]) -> f32 {
        text.iter().fold(Matching::default(), |matching, token| self.advance(&matching, *token)).earned
    }

    /// The listed words of a text: of those that overlap the first, of those that begin together the longest.
    #[must_use]
    pub fn words(&self, text: &[u32]) -> Vec<Range<usize>> {
        let mut words = Vec::new();
        let mut begin = 0;
        while begin < text.len() {
            let (mut node, mut end) = (ROOT, None);
            for (place, token) in text.iter().enumerate().skip(begin) {
                let Some(next) = self.child(node, *token) else { break };
                node = next;
                if self.ends(node) {
                    end = Some(place + 1);
                }
            }
            words.extend(end.map(|end| begin..end));
            begin = end.unwrap_or(begin + 1);
        }
        words
    }

    fn child(&self, node: usize, token: u32) -> Option<usize> {
        let children = self.children(node);
        let place = children.binary_search_by_key(&token, |(token, _)| *token).ok()?;
        children.get(place).map(|(_, node)| *node)
    }

    fn ends(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|node| node.ends)
    }

    fn children(&self, node: usize) -> &[(u32, usize)] {
        self.nodes.get(node).map(|node| node.children.as_slice()).unwrap_or_default()
    }
}

impl fmt::Debug for Bias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bias({} words)", self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::script::HongKongScript;

    const WEIGHTS: Weights = Weights { bonus: 1.0, cap: 2.5, spread: 5.0, floor: -3.0 };

    /// Of words of digits, each of them a token; other words have none.
    fn bias(words: &str) -> Bias {
        let list = WordList::parse(words.as_bytes(), &HongKongScript::load().unwrap()).unwrap();
        let digits = |text: &str| text.chars().map(|digit| digit.to_digit(10)).collect::<Option<Vec<u32>>>();
        Bias::new(&list, WEIGHTS, |text| Ok(digits(text.reveal()).into_iter().collect())).unwrap()
    }

    fn after(bias: &Bias, text: &[u32]) -> Matching {
        text.iter().fold(Matching::default(), |matching, token| bias.advance(&matching, *token))
    }

    fn going_on(bias: &Bias, text: &[u32], since: Option<usize>) -> Vec<u32> {
        let mut tokens: Vec<u32> = bias.continuations(&after(bias, text), since).collect();
        tokens.sort_unstable();
        tokens
    }

    #[test]
    fn a_word_is_worth_its_tokens_up_to_the_cap_and_nothing_until_it_ends() {
        let bias = bias("12\n1234\n56");
        let worth = |text: &[u32]| (after(&bias, text).earned(), bias.promise(&after(&bias, text)));
        assert_eq!(worth(&[7, 1]), (0.0, 1.0));
        assert_eq!(worth(&[7, 1, 7]), (0.0, 0.0));
        assert_eq!(worth(&[7, 1, 2]), (2.0, 2.0));
        assert_eq!(worth(&[7, 1, 2, 3]), (2.0, 2.5));
        assert_eq!(worth(&[7, 1, 2, 3, 4]), (2.5, 2.5));
        assert_eq!(worth(&[1, 2, 3, 4, 5, 6]), (4.5, 4.5));
        assert_eq!(bias.earned(&[1, 2, 5, 6, 1]), 4.0);
        assert_eq!(format!("{bias:?}"), "Bias(3 words)");
    }

    #[test]
    fn words_that_overlap_count_once() {
        let bias = bias("12\n23\n345");
        assert_eq!(bias.earned(&[1, 2, 3]), 2.0);
        // 23 ends later than 12 and leaves 345 no beginning; 12 and 345 are worth more.
        assert_eq!(bias.earned(&[1, 2, 3, 4, 5]), 4.5);
        assert_eq!(bias.words(&[1, 2, 3, 4, 5]), [0..2, 2..5]);
        assert_eq!(bias.words(&[9, 2, 3, 3]).first(), Some(&(1..3)));
        assert_eq!(after(&bias, &[9, 2, 3]).word(), 1..3);
        assert!(after(&bias, &[9, 2, 3]).ended(1) && !after(&bias, &[9, 2, 3]).ended(0) && !after(&bias, &[2, 3, 9]).ended(5));
    }

    #[test]
    fn a_word_underway_goes_on_with_its_own_tokens_alone() {
        let bias = bias("12\n134\n35");
        assert_eq!(going_on(&bias, &[], None), [1, 3]);
        assert_eq!(going_on(&bias, &[1], None), [1, 2, 3, 3]);
        assert_eq!(going_on(&bias, &[1], Some(0)), [2, 3]);
        // 35 began after the token that was asked for.
        assert_eq!(going_on(&bias, &[1, 3], Some(0)), [4]);
    }

    #[test]
    fn what_the_model_has_no_tokens_for_is_told_by_its_line() {
        assert_eq!(bias("# remark\n12\nabc\n3x").unwritable(), [3, 4]);
    }
}
