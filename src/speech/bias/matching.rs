//! How much of a text stands in a list.

/// What a text that grows token by token has of a list's words. Words that overlap count once, in the way that is worth most.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matching {
    /// Tokens of the text.
    pub(super) tokens: usize,
    /// What its whole words are worth.
    pub(super) earned: f32,
    /// The last whole word, the longest of those that end there: its first token, and one past its last.
    pub(super) word: (usize, usize),
    /// Words that it may be in the midst of, those that began first in front.
    pub(super) open: Vec<Open>,
}

/// A word underway.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Open {
    /// Where in the trie.
    pub node: usize,
    /// Its first token.
    pub begin: usize,
    /// What was earned before it.
    pub base: f32,
}

impl Matching {
    /// What its whole words are worth.
    #[must_use]
    pub fn earned(&self) -> f32 {
        self.earned
    }

    /// The tokens of the last whole word; empty when there was none.
    #[must_use]
    pub fn word(&self) -> std::ops::Range<usize> {
        self.word.0..self.word.1
    }

    /// Whether a word has just ended that began at token `since` or before.
    #[must_use]
    pub fn ended(&self, since: usize) -> bool {
        self.word.1 == self.tokens && self.word.1 > self.word.0 && self.word.0 <= since
    }
}
