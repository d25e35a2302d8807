//! The decoder in a GGUF file, as llama.cpp's `convert_hf_to_gguf.py` makes it of Qwen3-ASR (`general.architecture` is `qwen3vl`), and as
//! others do (`qwen3`, the same network).

use std::path::Path;

use super::config::Config;
use crate::speech::SpeechError;
use crate::speech::model::gguf::Gguf;

const ARCHITECTURES: [&str; 2] = ["qwen3vl", "qwen3"];

/// Opens the file of a checkpoint's decoder. Its sizes are those of `config.json`.
///
/// # Errors
/// As [`Gguf::open`]; a file of another architecture, or with other sizes.
pub fn open(path: &Path, config: &Config) -> Result<Gguf, SpeechError> {
    let names = config.layout.names();
    let file = Gguf::open(path, Box::new(move |name| names.in_gguf(name)))?;
    let option = "general.architecture";
    let found = file.text(option).unwrap_or_default();
    let Some(architecture) = ARCHITECTURES.into_iter().find(|known| *known == found) else {
        return Err(SpeechError::Unsupported { path: path.to_owned(), option, value: found.to_owned() });
    };
    let text = &config.text;
    let sizes = [
        ("block_count", text.num_hidden_layers as f64),
        ("embedding_length", text.hidden_size as f64),
        ("feed_forward_length", text.intermediate_size as f64),
        ("attention.head_count", text.num_attention_heads as f64),
        ("attention.head_count_kv", text.num_key_value_heads as f64),
        ("attention.key_length", text.head_dim as f64),
        ("attention.layer_norm_rms_epsilon", f64::from(text.rms_norm_eps)),
        ("rope.freq_base", text.rope_theta),
    ];
    for (key, expected) in sizes {
        let key = format!("{architecture}.{key}");
        // The epsilon is a number of 32 bits.
        if let Some(found) = file.number(&key).filter(|found| (found - expected).abs() > 1e-6 * expected.abs()) {
            let problem = format!("`{key}` is {found}, where `config.json` has {expected}");
            return Err(SpeechError::Format { path: path.to_owned(), problem });
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
