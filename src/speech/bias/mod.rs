//! Words to expect: names of drugs, doctors and places, raised where the sound allows them.
//!
//! A [`WordList`] is what a person wrote; a [`Bias`] is the same as one model's tokens, a trie. A search follows it beside its own
//! reading: each token of a listed word earns a bonus, up to a cap, and gives it back when the word is not completed. A word takes
//! the place of what was read only if its own log-probability, without any bonus, is within that bonus of what it replaces, and is
//! not improbable by itself. Where no listed word does, the text is the one that would have been found without the list.

mod list;
mod matching;
mod trie;

pub use list::{LONGEST_LIST, LONGEST_WORD, WordList};
pub use matching::Matching;
pub use trie::{Bias, Weights};
