//! A checkpoint's `config.json` and `generation_config.json`.

use std::path::Path;

use serde::Deserialize;

use crate::speech::SpeechError;
use crate::speech::model::weights::read_json;

/// Samples of one mel frame.
pub const HOP: usize = 160;
/// Mel frames that one encoder position covers: the second convolution's stride.
pub const FRAMES_PER_POSITION: usize = 2;

/// `config.json`, keys as the checkpoint has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Width of every layer's rows.
    pub d_model: usize,
    /// Encoder layers.
    pub encoder_layers: usize,
    /// Decoder layers.
    pub decoder_layers: usize,
    /// Heads of each encoder layer.
    pub encoder_attention_heads: usize,
    /// Heads of each decoder layer.
    pub decoder_attention_heads: usize,
    /// Inner width of the encoder's feed-forward layers.
    pub encoder_ffn_dim: usize,
    /// Inner width of the decoder's feed-forward layers.
    pub decoder_ffn_dim: usize,
    /// Mel bins: 80, or 128 from large-v3 on.
    pub num_mel_bins: usize,
    /// Encoder positions of the whole window, 20 ms each.
    pub max_source_positions: usize,
    /// Tokens of one decoding, prompt included.
    pub max_target_positions: usize,
    /// Tokens there are.
    pub vocab_size: usize,
    /// Only `gelu` (by the error function) is supported.
    pub activation_function: String,
    /// Only `false` is supported.
    pub scale_embedding: bool,
    /// Only `true` is supported.
    pub tie_word_embeddings: bool,
    /// Never produced; `generation_config.json` wins.
    pub suppress_tokens: Option<Vec<i64>>,
    /// Never produced first; `generation_config.json` wins.
    pub begin_suppress_tokens: Option<Vec<i64>>,
}

impl Default for Config {
    /// Zero for what every checkpoint says and [`Config::load`] demands; elsewhere what the format means when silent.
    fn default() -> Self {
        Self {
            d_model: 0,
            encoder_layers: 0,
            decoder_layers: 0,
            encoder_attention_heads: 0,
            decoder_attention_heads: 0,
            encoder_ffn_dim: 0,
            decoder_ffn_dim: 0,
            num_mel_bins: 80,
            max_source_positions: 1500,
            max_target_positions: 448,
            vocab_size: 0,
            activation_function: "gelu".to_owned(),
            scale_embedding: false,
            tie_word_embeddings: true,
            suppress_tokens: None,
            begin_suppress_tokens: None,
        }
    }
}

/// `generation_config.json`, as far as it is used; the file is optional.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct GenerationConfig {
    /// Pairs of decoder layer and head whose cross attention follows the audio.
    pub alignment_heads: Option<Vec<(usize, usize)>>,
    suppress_tokens: Option<Vec<i64>>,
    begin_suppress_tokens: Option<Vec<i64>>,
}

impl Config {
    /// Reads and checks `config.json` below `folder`.
    ///
    /// # Errors
    /// A file that is missing or malformed, a size that cannot be, an option that is not supported.
    pub fn load(folder: &Path) -> Result<Self, SpeechError> {
        let path = folder.join("config.json");
        let config: Self = read_json(&path)?;
        let unsupported =
            |option, value: &dyn ToString| Err(SpeechError::Unsupported { path: path.clone(), option, value: value.to_string() });
        if config.activation_function != "gelu" {
            return unsupported("activation_function", &config.activation_function);
        }
        if config.scale_embedding {
            return unsupported("scale_embedding", &true);
        }
        if !config.tie_word_embeddings {
            return unsupported("tie_word_embeddings", &false);
        }
        for (option, value) in config.sizes() {
            if value == 0 {
                let problem = format!("`{option}` is missing or 0");
                return Err(SpeechError::Format { path, problem });
            }
        }
        for (option, heads) in [
            ("encoder_attention_heads", config.encoder_attention_heads),
            ("decoder_attention_heads", config.decoder_attention_heads),
        ] {
            if config.d_model.checked_rem(heads) != Some(0) {
                let problem = format!("`d_model` = {} is no multiple of `{option}` = {heads}", config.d_model);
                return Err(SpeechError::Format { path, problem });
            }
        }
        Ok(config)
    }

    fn sizes(&self) -> [(&'static str, usize); 11] {
        [
            ("d_model", self.d_model),
            ("encoder_layers", self.encoder_layers),
            ("decoder_layers", self.decoder_layers),
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("decoder_attention_heads", self.decoder_attention_heads),
            ("encoder_ffn_dim", self.encoder_ffn_dim),
            ("decoder_ffn_dim", self.decoder_ffn_dim),
            ("num_mel_bins", self.num_mel_bins),
            ("max_source_positions", self.max_source_positions),
            ("max_target_positions", self.max_target_positions),
            ("vocab_size", self.vocab_size),
        ]
    }

    /// Samples of the whole window: 480,000 (30 s) in every published checkpoint.
    #[must_use]
    pub fn window_samples(&self) -> usize {
        self.max_source_positions * FRAMES_PER_POSITION * HOP
    }
}

impl GenerationConfig {
    /// Reads `generation_config.json` below `folder`, if it is there, over what `config.json` says.
    ///
    /// # Errors
    /// A file that is malformed.
    pub fn load(folder: &Path) -> Result<Self, SpeechError> {
        let path = folder.join("generation_config.json");
        if path.exists() { read_json(&path) } else { Ok(Self::default()) }
    }

    /// Ids never produced.
    #[must_use]
    pub fn suppressed(&self, config: &Config) -> Vec<u32> {
        ids(self.suppress_tokens.as_ref().or(config.suppress_tokens.as_ref()))
    }

    /// Ids never produced first.
    #[must_use]
    pub fn suppressed_at_begin(&self, config: &Config) -> Vec<u32> {
        ids(self.begin_suppress_tokens.as_ref().or(config.begin_suppress_tokens.as_ref()))
    }

    /// Pairs of decoder layer and head to align words by. Where the checkpoint names none: every head of the upper half of the
    /// layers, as OpenAI's Whisper does.
    #[must_use]
    pub fn alignment_heads(&self, config: &Config) -> Vec<(usize, usize)> {
        let inside = |&(layer, head): &(usize, usize)| layer < config.decoder_layers && head < config.decoder_attention_heads;
        let named: Vec<_> = self.alignment_heads.iter().flatten().copied().filter(inside).collect();
        if !named.is_empty() {
            return named;
        }
        let upper = config.decoder_layers / 2..config.decoder_layers;
        upper.flat_map(|layer| (0..config.decoder_attention_heads).map(move |head| (layer, head))).collect()
    }
}

/// Negative ids (`-1` stands for "the default list" in some tools) name no token.
fn ids(list: Option<&Vec<i64>>) -> Vec<u32> {
    list.into_iter().flatten().filter_map(|id| u32::try_from(*id).ok()).collect()
}
