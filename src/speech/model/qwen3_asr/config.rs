//! A checkpoint's `config.json` and `generation_config.json`, in either of the layouts that Qwen3-ASR is published in.

use std::path::Path;

use serde::Deserialize;

use crate::speech::SpeechError;
use crate::speech::model::qwen3::{LARGEST, Names, Sizes};
use crate::speech::model::weights::read_json;

/// Mel frames that the convolutions see at once, 1 s.
pub const CHUNK: usize = 100;
/// Half of that, as `n_window` says: the reference's own code counts rows with 100 written in.
const HALF_CHUNK: usize = 50;
/// Tokens of an answer, where nothing else is said: the default of `qwen-asr`.
const TOKENS: usize = 512;

/// Who laid the checkpoint out. Each layout goes with a program of its own, and those differ where a clip is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Qwen's, as the `qwen-asr` package reads it: `Qwen/Qwen3-ASR-0.6B`.
    Qwen,
    /// That of Hugging Face's transformers from version 5 on: `Qwen/Qwen3-ASR-0.6B-hf`. It pads a clip to half a second, and the last
    /// chunk to a whole one even where it is the only one.
    Transformers,
}

impl Layout {
    /// What the names of the audio encoder's tensors begin with.
    #[must_use]
    pub fn audio(self) -> &'static str {
        match self {
            Self::Qwen => "thinker.audio_tower",
            Self::Transformers => "model.audio_tower",
        }
    }

    /// The layers from the encoder's rows to the decoder's.
    #[must_use]
    pub fn projector(self) -> [&'static str; 2] {
        match self {
            Self::Qwen => ["thinker.audio_tower.proj1", "thinker.audio_tower.proj2"],
            Self::Transformers => ["model.multi_modal_projector.linear_1", "model.multi_modal_projector.linear_2"],
        }
    }

    /// Of the decoder's tensors.
    #[must_use]
    pub fn names(self) -> Names {
        match self {
            Self::Qwen => Names { text: "thinker.model", output: "thinker.lm_head" },
            Self::Transformers => Names { text: "model.language_model", output: "lm_head" },
        }
    }
}

/// What the checkpoint's files say, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which keys and names it has.
    pub layout: Layout,
    /// The encoder.
    pub audio: AudioConfig,
    /// The decoder.
    pub text: Sizes,
    /// Stands in the prompt where the audio goes.
    pub audio_token_id: u32,
    /// Ids that end an answer, beside those of the vocabulary that do.
    pub end: Vec<u32>,
    /// The most tokens of an answer.
    pub tokens: usize,
    /// Of a forced aligner, which tells times where a speech model tells tokens.
    pub times: Option<Times>,
}

/// How a forced aligner tells times.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// `timestamp_token_id`: a time is told where it stands.
    pub token: u32,
    /// `classify_num`: the times it can tell, from 0 on.
    pub bins: usize,
    /// `timestamp_segment_time`: milliseconds from one to the next.
    pub step: f32,
}

/// `audio_config`, keys as the checkpoint has them.
#[derive(Debug, Clone)]
pub struct AudioConfig {
    /// Mel bins.
    pub num_mel_bins: usize,
    /// Width of every layer's rows.
    pub d_model: usize,
    /// Layers.
    pub encoder_layers: usize,
    /// Heads of each layer.
    pub encoder_attention_heads: usize,
    /// Inner width of the feed-forward layers.
    pub encoder_ffn_dim: usize,
    /// Channels of the convolutions.
    pub downsample_hidden_size: usize,
    /// Width of what the decoder gets.
    pub output_dim: usize,
    /// Mel frames that a row's attention reaches over: 800 (8 s) in every published checkpoint.
    pub n_window_infer: usize,
}

/// `config.json` as it is.
#[derive(Deserialize)]
struct File {
    thinker_config: Option<Thinker>,
    #[serde(flatten)]
    flat: Thinker,
}

#[derive(Deserialize)]
struct Thinker {
    #[serde(default)]
    architectures: Option<Vec<String>>,
    #[serde(default)]
    model_type: Option<String>,
    audio_config: Option<Audio>,
    text_config: Option<Text>,
    audio_token_id: Option<u32>,
    tie_word_embeddings: Option<bool>,
    eos_token_id: Option<Ids>,
    classify_num: Option<usize>,
    timestamp_token_id: Option<u32>,
    timestamp_segment_time: Option<f32>,
}

#[derive(Default, Deserialize)]
struct Audio {
    num_mel_bins: Option<usize>,
    d_model: Option<usize>,
    encoder_layers: Option<usize>,
    encoder_attention_heads: Option<usize>,
    encoder_ffn_dim: Option<usize>,
    downsample_hidden_size: Option<usize>,
    output_dim: Option<usize>,
    n_window: Option<usize>,
    n_window_infer: Option<usize>,
    activation_function: Option<String>,
}

#[derive(Default, Deserialize)]
struct Text {
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    rms_norm_eps: Option<f32>,
    rope_theta: Option<f64>,
    /// Up to transformers 4.
    rope_scaling: Option<Rope>,
    /// From transformers 5 on.
    rope_parameters: Option<Rope>,
    hidden_act: Option<String>,
    attention_bias: Option<bool>,
    use_sliding_window: Option<bool>,
    tie_word_embeddings: Option<bool>,
}

#[derive(Default, Deserialize)]
struct Rope {
    rope_type: Option<String>,
    r#type: Option<String>,
    rope_theta: Option<f64>,
}

#[derive(Default, Deserialize)]
struct Generation {
    eos_token_id: Option<Ids>,
    max_new_tokens: Option<usize>,
}

/// One id or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ids {
    One(u32),
    Several(Vec<u32>),
}

impl Config {
    /// Reads and checks `config.json` and, where it is there, `generation_config.json` below `folder`. What a key means that is not there
    /// is what it means to the program that the layout goes with.
    ///
    /// # Errors
    /// A file that is missing or malformed, a size that cannot be, an option that is not supported.
    pub fn load(folder: &Path) -> Result<Self, SpeechError> {
        let path = folder.join("config.json");
        let File { thinker_config, flat } = read_json(&path)?;
        let (layout, mut thinker) = match thinker_config {
            // An aligner's times stand beside what its network is.
            Some(thinker) => {
                let token = thinker.timestamp_token_id.or(flat.timestamp_token_id);
                let step = thinker.timestamp_segment_time.or(flat.timestamp_segment_time);
                (Layout::Qwen, Thinker { timestamp_token_id: token, timestamp_segment_time: step, ..thinker })
            }
            None => (Layout::Transformers, flat),
        };
        let times = thinker.times(layout).map_err(|problem| SpeechError::Format { path: path.clone(), problem })?;
        let (audio, text) = (thinker.audio_config.take().unwrap_or_default(), thinker.text_config.take().unwrap_or_default());
        let rope = |rope: &Option<Rope>| {
            let kind = rope.as_ref().and_then(|rope| rope.rope_type.clone().or_else(|| rope.r#type.clone()));
            // Multimodal positions are equal ones here.
            kind.filter(|kind| kind != "mrope").unwrap_or_else(|| "default".to_owned())
        };
        let aligner = layout == Layout::Transformers && thinker.is_aligner();
        let or = |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
        let is = |value: bool| value.to_string();
        let half_chunk = audio.n_window.unwrap_or(if layout == Layout::Qwen { 2 * HALF_CHUNK } else { HALF_CHUNK });
        let demands: [(&'static str, String, String); 7] = [
            ("architectures (forced alignment in this layout)", is(aligner), is(false)),
            ("audio_config.activation_function", or(&audio.activation_function, "gelu"), "gelu".to_owned()),
            ("audio_config.n_window", half_chunk.to_string(), HALF_CHUNK.to_string()),
            ("text_config.hidden_act", or(&text.hidden_act, "silu"), "silu".to_owned()),
            ("text_config.use_sliding_window", is(text.use_sliding_window.unwrap_or(false)), is(false)),
            ("text_config.rope_scaling", rope(&text.rope_scaling), "default".to_owned()),
            ("text_config.rope_parameters", rope(&text.rope_parameters), "default".to_owned()),
        ];
        if let Some((option, value, _)) = demands.into_iter().find(|(_, value, supported)| value != supported) {
            return Err(SpeechError::Unsupported { path, option, value });
        }
        // Where each program looks; the one's default is no, the other's yes.
        let tied = match layout {
            Layout::Qwen => text.tie_word_embeddings.unwrap_or(false),
            Layout::Transformers => thinker.tie_word_embeddings.unwrap_or(true),
        };
        let generation = folder.join("generation_config.json");
        let generation: Generation = if generation.exists() { read_json(&generation)? } else { Generation::default() };
        let config = Self {
            layout,
            audio: AudioConfig::new(&audio, layout),
            text: sizes(&text, tied, layout),
            audio_token_id: thinker.audio_token_id.unwrap_or(if layout == Layout::Qwen { 151_646 } else { 151_676 }),
            end: generation.eos_token_id.or(thinker.eos_token_id).map(Ids::into_vec).unwrap_or_default(),
            tokens: generation.max_new_tokens.unwrap_or(TOKENS),
            times,
        };
        config.check().map_err(|problem| SpeechError::Format { path, problem })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let (audio, text) = (&self.audio, &self.text);
        let sizes = audio.sizes().into_iter().chain(self.times.map(|times| ("classify_num", times.bins)));
        if let Some((option, value)) = sizes.into_iter().find(|(_, value)| !(1..=LARGEST).contains(value)) {
            return Err(format!("`{option}` cannot be {value}"));
        }
        text.check(str::to_owned)?;
        if audio.d_model % audio.encoder_attention_heads != 0 {
            let (width, heads) = (audio.d_model, audio.encoder_attention_heads);
            return Err(format!("`d_model` = {width} is no multiple of `encoder_attention_heads` = {heads}"));
        }
        if audio.output_dim != text.hidden_size {
            return Err(format!("`output_dim` = {} is not `hidden_size` = {}", audio.output_dim, text.hidden_size));
        }
        if audio.d_model % 2 != 0 || audio.d_model < 4 {
            return Err(format!("`d_model` = {} is no even number from 4 on", audio.d_model));
        }
        if audio.n_window_infer < CHUNK {
            return Err(format!("`n_window_infer` = {} is less than a chunk of {CHUNK}", audio.n_window_infer));
        }
        Ok(())
    }
}

impl Thinker {
    fn is_aligner(&self) -> bool {
        let classifies = |name: &String| name.contains("Classification");
        self.model_type.as_ref().is_some_and(|model| model.contains("forced_aligner"))
            || self.architectures.iter().flatten().any(classifies)
    }

    /// Nothing for a speech model; of an aligner in Qwen's layout what it cannot do without, or what is missing.
    fn times(&self, layout: Layout) -> Result<Option<Times>, String> {
        if layout != Layout::Qwen || !self.is_aligner() {
            return Ok(None);
        }
        let missing = |key: &str| format!("a forced aligner's `{key}` is missing");
        let step = self.timestamp_segment_time.ok_or_else(|| missing("timestamp_segment_time"))?;
        // A minute is longer than any word.
        if !(step > 0.0 && step <= 60_000.0) {
            return Err(format!("`timestamp_segment_time` cannot be {step}"));
        }
        Ok(Some(Times {
            token: self.timestamp_token_id.ok_or_else(|| missing("timestamp_token_id"))?,
            bins: self.classify_num.ok_or_else(|| missing("classify_num"))?,
            step,
        }))
    }
}

impl AudioConfig {
    fn new(file: &Audio, layout: Layout) -> Self {
        let or = |value: Option<usize>, qwen: usize, transformers: usize| {
            value.unwrap_or(if layout == Layout::Qwen { qwen } else { transformers })
        };
        Self {
            num_mel_bins: or(file.num_mel_bins, 128, 128),
            d_model: or(file.d_model, 1280, 1024),
            encoder_layers: or(file.encoder_layers, 32, 24),
            encoder_attention_heads: or(file.encoder_attention_heads, 20, 16),
            encoder_ffn_dim: or(file.encoder_ffn_dim, 5120, 4096),
            downsample_hidden_size: or(file.downsample_hidden_size, 480, 480),
            output_dim: or(file.output_dim, 3584, 3584),
            n_window_infer: or(file.n_window_infer, 400, 800),
        }
    }

    fn sizes(&self) -> [(&'static str, usize); 8] {
        [
            ("num_mel_bins", self.num_mel_bins),
            ("d_model", self.d_model),
            ("encoder_layers", self.encoder_layers),
            ("encoder_attention_heads", self.encoder_attention_heads),
            ("encoder_ffn_dim", self.encoder_ffn_dim),
            ("downsample_hidden_size", self.downsample_hidden_size),
            ("output_dim", self.output_dim),
            ("n_window_infer", self.n_window_infer),
        ]
    }
}

/// The decoder's, from `text_config`.
fn sizes(file: &Text, tied: bool, layout: Layout) -> Sizes {
    let or = |value: Option<usize>, qwen: usize, transformers: usize| {
        value.unwrap_or(if layout == Layout::Qwen { qwen } else { transformers })
    };
    let theta = |rope: &Option<Rope>| rope.as_ref().and_then(|rope| rope.rope_theta);
    let theta = file.rope_theta.or_else(|| theta(&file.rope_parameters)).or_else(|| theta(&file.rope_scaling));
    Sizes {
        vocab_size: or(file.vocab_size, 151_936, 151_936),
        hidden_size: or(file.hidden_size, 4096, 2048),
        intermediate_size: or(file.intermediate_size, 22_016, 6144),
        num_hidden_layers: or(file.num_hidden_layers, 32, 28),
        num_attention_heads: or(file.num_attention_heads, 32, 16),
        num_key_value_heads: or(file.num_key_value_heads, 32, 8),
        head_dim: or(file.head_dim, 128, 128),
        rms_norm_eps: file.rms_norm_eps.unwrap_or(1e-6),
        rope_theta: theta.unwrap_or(if layout == Layout::Qwen { 5e6 } else { 1e4 }),
        attention_bias: file.attention_bias.unwrap_or(false),
        tie_word_embeddings: tied,
    }
}

impl Ids {
    fn into_vec(self) -> Vec<u32> {
        match self {
            Self::One(id) => vec![id],
            Self::Several(ids) => ids,
        }
    }
}
