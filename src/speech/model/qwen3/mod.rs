//! Qwen3 (<https://arxiv.org/abs/2505.09388>): the language model that answers to text, and that answers to audio in Qwen3-ASR.

mod decoder;
mod names;
mod sizes;
mod text;
mod tokens;

pub use decoder::{Cache, Decoder};
pub use names::Names;
pub use sizes::{LARGEST, Sizes};
pub use text::{Conversation, Qwen3Text};
pub use tokens::Tokens;
