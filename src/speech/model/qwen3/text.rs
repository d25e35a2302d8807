//! A Qwen3 that answers to text, from a GGUF file alone, as `Qwen/Qwen3-*-GGUF` are published: sizes, tokens and weights are the file's.
//!
//! It is asked by the published chat template with thinking off; nothing is sampled.

use std::path::Path;

use candle_core::Tensor;
use rayon::ThreadPool;

use super::{Cache, Decoder, LARGEST, Names, Sizes, Tokens};
use crate::speech::SpeechError;
use crate::speech::model::gguf::Gguf;
use crate::speech::model::layers::Arithmetic;
use crate::speech::model::logits::argmax;
use crate::speech::model::weights::Weights;
use crate::speech::model::{LoadOptions, pool};
use crate::text::PatientText;

const ARCHITECTURE: &str = "qwen3";
/// The checkpoint's own names, for Hugging Face's transformers.
const NAMES: Names = Names { text: "model", output: "lm_head" };
/// Tokens in which the answer begins to think, and has thought.
const THINKING: [&str; 2] = ["<think>", "</think>"];

/// A loaded model.
pub struct Qwen3Text {
    name: String,
    decoder: Decoder,
    tokens: Tokens,
    /// Any of them ends an answer.
    end: Vec<u32>,
    start_of_turn: u32,
    end_of_turn: u32,
    thinking: [u32; 2],
    /// Rows that a sequence may have.
    longest: usize,
    pool: ThreadPool,
}

/// A conversation of which the system's message was fed: questions are asked of it one by one, and none knows of another.
pub struct Conversation {
    cache: Cache,
    rows: usize,
}

impl Qwen3Text {
    /// Loads a file.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged, or of another model; it is named, with the field or the tensor that is wrong.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Self, SpeechError> {
        let pool = pool(options)?;
        let file = Gguf::open(path, Box::new(|name| NAMES.in_gguf(name)))?;
        let sizes = sizes(&file)?;
        let longest = size(&file, &key("context_length"))?;
        let strange = |name: &&str| !Names::is_in_gguf(name, sizes.num_hidden_layers);
        if let Some(tensor) = file.tensors().find(strange).map(str::to_owned) {
            let problem = format!("there is none such in a decoder of {} layers", sizes.num_hidden_layers);
            return Err(SpeechError::Tensor { path: path.to_owned(), tensor, problem });
        }
        let tokens = Tokens::from_gguf(&file, sizes.vocab_size)?;
        let end_of_turn = tokens.find("<|im_end|>")?;
        let mut end = vec![end_of_turn, tokens.find("<|endoftext|>")?];
        end.extend(file.number("tokenizer.ggml.eos_token_id").map(|id| id as u32));
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = file.text("general.name").unwrap_or(&stem).to_owned();
        let arithmetic = Arithmetic::new(options, pool.current_num_threads())?;
        let weights = Weights::of_gguf(file, &options.device);
        let decoder = pool.install(move || Decoder::load(&weights, (NAMES, &sizes), None, &arithmetic))?;
        let [think, thought] = THINKING;
        Ok(Self {
            name,
            decoder,
            end,
            start_of_turn: tokens.find("<|im_start|>")?,
            end_of_turn,
            thinking: [tokens.find(think)?, tokens.find(thought)?],
            tokens,
            longest,
            pool,
        })
    }

    /// What the file calls the model, or the file's own name without its ending.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Begins a conversation.
    ///
    /// # Errors
    /// A failing computation.
    pub fn begin(&self, system: &str) -> Result<Conversation, SpeechError> {
        let ids = self.message("system", system)?;
        let mut cache = self.decoder.cache();
        self.pool.install(|| self.feed(&ids, &mut cache))?;
        Ok(Conversation { cache, rows: ids.len() })
    }

    /// What the model answers to a question; nothing where it has not come to an end after `longest` tokens, or when `give_up` says so,
    /// which is asked before each of them.
    ///
    /// # Errors
    /// A failing computation.
    pub fn answer(
        &self,
        conversation: &Conversation,
        question: &str,
        longest: usize,
        give_up: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<PatientText>, SpeechError> {
        let question = self.question(question)?;
        if give_up() || conversation.rows + question.len() + longest > self.longest {
            return Ok(None);
        }
        let answer = self.pool.install(|| {
            let mut cache = conversation.cache.clone();
            let logits = self.feed(&question, &mut cache)?;
            self.greedy(logits, &mut cache, longest, give_up)
        })?;
        Ok(answer.map(|ids| self.tokens.decode(&ids)))
    }

    /// The likeliest token at each step, until one ends the answer.
    fn greedy(
        &self,
        mut logits: Vec<f32>,
        cache: &mut Cache,
        longest: usize,
        give_up: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Vec<u32>>, SpeechError> {
        let mut answer = Vec::new();
        while let Some(token) = argmax(&logits) {
            if self.end.contains(&token) {
                return Ok(Some(answer));
            }
            if answer.len() >= longest || give_up() {
                break;
            }
            answer.push(token);
            logits = self.decoder.step(&[token], cache)?.pop().unwrap_or_default();
        }
        Ok(None)
    }

    /// Feeds tokens and gives the logits after the last.
    fn feed(&self, ids: &[u32], cache: &mut Cache) -> Result<Vec<f32>, SpeechError> {
        let states: Tensor = self.decoder.forward(&self.decoder.embed(ids)?, 1, cache)?;
        let last = states.narrow(0, states.dim(0)?.saturating_sub(1), 1)?;
        Ok(self.decoder.logits(&last)?.squeeze(0)?.to_vec1()?)
    }

    /// A message of the template. What is spelt like a control token in it is text.
    fn message(&self, role: &str, content: &str) -> Result<Vec<u32>, SpeechError> {
        let mut ids = vec![self.start_of_turn];
        ids.extend(self.tokens.encode(&format!("{role}\n{content}"))?);
        ids.push(self.end_of_turn);
        ids.extend(self.tokens.encode("\n")?);
        Ok(ids)
    }

    /// The user's message and the beginning of the answer, in which nothing was thought.
    fn question(&self, content: &str) -> Result<Vec<u32>, SpeechError> {
        let [think, thought] = self.thinking;
        let mut ids = self.message("user", content)?;
        ids.push(self.start_of_turn);
        ids.extend(self.tokens.encode("assistant\n")?);
        ids.push(think);
        ids.extend(self.tokens.encode("\n\n")?);
        ids.push(thought);
        ids.extend(self.tokens.encode("\n\n")?);
        Ok(ids)
    }
}

fn key(size: &str) -> String {
    format!("{ARCHITECTURE}.{size}")
}

/// The sizes in a file's metadata; that of the vocabulary is the embedding's.
fn sizes(file: &Gguf) -> Result<Sizes, SpeechError> {
    let path = file.path();
    for (option, supported) in [("general.architecture", ARCHITECTURE), ("qwen3.rope.scaling.type", "none")] {
        // Positions that are not scaled are not mentioned.
        let found = file.text(option).unwrap_or(if option == "general.architecture" { "" } else { supported });
        if found != supported {
            return Err(SpeechError::Unsupported { path: path.to_owned(), option, value: found.to_owned() });
        }
    }
    let wrong = |problem: String| SpeechError::Format { path: path.to_owned(), problem };
    let embedding = "token_embd.weight";
    let missing =
        || SpeechError::Tensor { path: path.to_owned(), tensor: embedding.to_owned(), problem: "it is missing".to_owned() };
    let positive = |name: &str| {
        let (key, least) = (key(name), f64::from(f32::MIN_POSITIVE));
        let number = file.number(&key).filter(|number| number.is_finite() && *number >= least);
        number.ok_or_else(|| wrong(format!("`{key}` is missing, or no positive number")))
    };
    let sizes = Sizes {
        vocab_size: file.rows(embedding).ok_or_else(missing)?,
        hidden_size: size(file, &key("embedding_length"))?,
        intermediate_size: size(file, &key("feed_forward_length"))?,
        num_hidden_layers: size(file, &key("block_count"))?,
        num_attention_heads: size(file, &key("attention.head_count"))?,
        num_key_value_heads: size(file, &key("attention.head_count_kv"))?,
        head_dim: size(file, &key("attention.key_length"))?,
        rms_norm_eps: positive("attention.layer_norm_rms_epsilon")? as f32,
        rope_theta: positive("rope.freq_base")?,
        attention_bias: false,
        tie_word_embeddings: !file.has(&format!("{}.weight", NAMES.output)),
    };
    let value_length = key("attention.value_length");
    if let Some(other) = file.number(&value_length).filter(|length| *length != sizes.head_dim as f64) {
        let problem = format!("`{value_length}` is {other}, where `{}` is {}", key("attention.key_length"), sizes.head_dim);
        return Err(wrong(problem));
    }
    sizes.check(|size| called(size).map_or_else(|| embedding.to_owned(), key)).map_err(wrong)?;
    Ok(sizes)
}

/// What a file calls a size that can be wrong together with others.
fn called(size: &str) -> Option<&'static str> {
    match size {
        "num_attention_heads" => Some("attention.head_count"),
        "num_key_value_heads" => Some("attention.head_count_kv"),
        "head_dim" => Some("attention.key_length"),
        _ => None,
    }
}

/// A size in the metadata.
fn size(file: &Gguf, key: &str) -> Result<usize, SpeechError> {
    let wrong = |problem: String| SpeechError::Format { path: file.path().to_owned(), problem };
    let number = file.number(key).ok_or_else(|| wrong(format!("`{key}` is missing, or no number")))?;
    if number.fract() != 0.0 || !(1.0..=LARGEST as f64).contains(&number) {
        return Err(wrong(format!("`{key}` cannot be {number}")));
    }
    // The bounds make the conversion exact.
    Ok(number as usize)
}

#[cfg(test)]
mod tests;
