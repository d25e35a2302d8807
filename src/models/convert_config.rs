//! The JSON files of a converted Whisper model, under Hugging Face's key names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ModelError;

/// The sizes of a Whisper network.
pub(super) struct Shape {
    pub(super) vocabulary: usize,
    pub(super) width: usize,
    pub(super) mel_bins: usize,
    pub(super) encoder_positions: usize,
    pub(super) decoder_positions: usize,
    pub(super) encoder_layers: usize,
    pub(super) decoder_layers: usize,
    pub(super) encoder_heads: usize,
    pub(super) decoder_heads: usize,
    pub(super) encoder_feed_forward: usize,
    pub(super) decoder_feed_forward: usize,
}

/// What CTranslate2 writes beside a Whisper model.
#[derive(Deserialize)]
struct Ct2Config {
    alignment_heads: Vec<(u32, u32)>,
    lang_ids: Vec<u32>,
    suppress_ids: Vec<u32>,
    suppress_ids_begin: Vec<u32>,
}

#[derive(Deserialize)]
struct Tokenizer {
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

/// `generation_config.json`.
#[derive(Serialize)]
pub(super) struct GenerationConfig {
    alignment_heads: Vec<(u32, u32)>,
    begin_suppress_tokens: Vec<u32>,
    bos_token_id: u32,
    decoder_start_token_id: u32,
    eos_token_id: u32,
    is_multilingual: bool,
    lang_to_id: BTreeMap<String, u32>,
    max_initial_timestamp_index: u32,
    max_length: usize,
    no_timestamps_token_id: u32,
    pad_token_id: u32,
    prev_sot_token_id: u32,
    return_timestamps: bool,
    suppress_tokens: Vec<u32>,
    task_to_id: BTreeMap<&'static str, u32>,
}

impl GenerationConfig {
    pub(super) fn to_json(&self) -> Vec<u8> {
        // Maps are ordered and nothing in here can fail to be written.
        pretty(&serde_json::to_value(self).unwrap_or_default())
    }
}

/// Joins what CTranslate2's `config.json` and the tokenizer know.
pub(super) fn generation_config(ct2: &[u8], tokenizer: &[u8], max_length: usize) -> Result<GenerationConfig, ModelError> {
    let fail = |file: &str, why: String| ModelError::Conversion { file: file.to_owned(), why };
    let ct2: Ct2Config = serde_json::from_slice(ct2).map_err(|error| fail("config.json", error.to_string()))?;
    let tokenizer: Tokenizer = serde_json::from_slice(tokenizer).map_err(|error| fail("tokenizer.json", error.to_string()))?;
    let added = tokenizer.added_tokens;
    let id = |content: &str| {
        let token = added.iter().find(|token| token.content == content);
        token.map(|token| token.id).ok_or_else(|| fail("tokenizer.json", format!("it has no `{content}`")))
    };
    let end = id("<|endoftext|>")?;
    let languages = added.iter().filter(|token| ct2.lang_ids.contains(&token.id));
    let lang_to_id: BTreeMap<String, u32> = languages.map(|token| (token.content.clone(), token.id)).collect();
    if lang_to_id.len() != ct2.lang_ids.len() {
        return Err(fail("tokenizer.json", format!("it has {} of the {} languages", lang_to_id.len(), ct2.lang_ids.len())));
    }
    Ok(GenerationConfig {
        alignment_heads: ct2.alignment_heads,
        begin_suppress_tokens: ct2.suppress_ids_begin,
        bos_token_id: end,
        decoder_start_token_id: id("<|startoftranscript|>")?,
        eos_token_id: end,
        is_multilingual: lang_to_id.len() > 1,
        lang_to_id,
        // One second of 20 ms steps: OpenAI's `max_initial_timestamp` of its decoding options.
        max_initial_timestamp_index: 50,
        max_length,
        no_timestamps_token_id: id("<|notimestamps|>")?,
        pad_token_id: end,
        prev_sot_token_id: id("<|startofprev|>")?,
        return_timestamps: false,
        suppress_tokens: ct2.suppress_ids,
        task_to_id: BTreeMap::from([("transcribe", id("<|transcribe|>")?), ("translate", id("<|translate|>")?)]),
    })
}

/// `config.json`.
pub(super) fn config(shape: &Shape, generation: &GenerationConfig) -> Vec<u8> {
    pretty(&json!({
        "activation_function": "gelu",
        "architectures": ["WhisperForConditionalGeneration"],
        "begin_suppress_tokens": generation.begin_suppress_tokens,
        "bos_token_id": generation.bos_token_id,
        "d_model": shape.width,
        "decoder_attention_heads": shape.decoder_heads,
        "decoder_ffn_dim": shape.decoder_feed_forward,
        "decoder_layers": shape.decoder_layers,
        "decoder_start_token_id": generation.decoder_start_token_id,
        "encoder_attention_heads": shape.encoder_heads,
        "encoder_ffn_dim": shape.encoder_feed_forward,
        "encoder_layers": shape.encoder_layers,
        "eos_token_id": generation.eos_token_id,
        "is_encoder_decoder": true,
        "max_length": shape.decoder_positions,
        "max_source_positions": shape.encoder_positions,
        "max_target_positions": shape.decoder_positions,
        "model_type": "whisper",
        "num_hidden_layers": shape.encoder_layers,
        "num_mel_bins": shape.mel_bins,
        "pad_token_id": generation.pad_token_id,
        "scale_embedding": false,
        "suppress_tokens": generation.suppress_tokens,
        "tie_word_embeddings": true,
        "torch_dtype": "float16",
        "vocab_size": shape.vocabulary,
    }))
}

/// Keys in order whatever features serde_json is built with, so that the bytes are always the same.
fn pretty(value: &Value) -> Vec<u8> {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    let mut text = format!("{sorted:#}").into_bytes();
    text.push(b'\n');
    text
}
