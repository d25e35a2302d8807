//! A checkpoint's `config.yaml`, and the names of its files in `configuration.json`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::audio::SAMPLE_RATE;
use crate::speech::SpeechError;
use crate::speech::model::weights::{read_json, read_yaml};

/// `config.yaml`, keys as FunASR has them. What only training needs is passed over.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Only `SenseVoiceEncoderSmall`, the one that goes with the model, is supported.
    pub encoder: String,
    /// The encoder's sizes.
    pub encoder_conf: EncoderConfig,
    /// Only `WavFrontend`, the one that goes with the model, is supported.
    pub frontend: String,
    /// What the encoder hears.
    pub frontend_conf: FrontEndConfig,
    /// The network around the encoder.
    pub model_conf: ModelConfig,
    /// Only nothing is supported.
    pub normalize: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            encoder: ENCODER.to_owned(),
            encoder_conf: EncoderConfig::default(),
            frontend: FRONT_END.to_owned(),
            frontend_conf: FrontEndConfig::default(),
            model_conf: ModelConfig::default(),
            normalize: None,
        }
    }
}

const ENCODER: &str = "SenseVoiceEncoderSmall";
const FRONT_END: &str = "WavFrontend";

/// `encoder_conf`; what a key means when it is not there is FunASR's. Other keys do nothing there either: its blocks always normalise
/// first.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct EncoderConfig {
    /// Width of every block's rows.
    pub output_size: usize,
    /// Heads of each block.
    pub attention_heads: usize,
    /// Inner width of the feed-forward layers.
    pub linear_units: usize,
    /// Blocks before the first norm, that which takes the features among them.
    pub num_blocks: usize,
    /// Blocks between the first norm and the second.
    pub tp_blocks: usize,
    /// Moments that a memory sees.
    pub kernel_size: usize,
    /// Moments by which a memory sees further back than ahead; FunASR's spelling.
    pub sanm_shfit: usize,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            output_size: 256,
            attention_heads: 4,
            linear_units: 2048,
            num_blocks: 6,
            tp_blocks: 0,
            kernel_size: 11,
            sanm_shfit: 0,
        }
    }
}

/// `frontend_conf`; what a key means when it is not there is FunASR's. `dither` is passed over: noise would make hearing random.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct FrontEndConfig {
    /// Only 16000 is supported.
    pub fs: u32,
    /// Only `hamming` is supported.
    pub window: String,
    /// Bins of the filter bank.
    pub n_mels: usize,
    /// Milliseconds.
    pub frame_length: usize,
    /// Milliseconds from one frame's beginning to the next one's.
    pub frame_shift: usize,
    /// Frames of a row.
    pub lfr_m: usize,
    /// Frames from one row's beginning to the next one's.
    pub lfr_n: usize,
    /// Only `true` is supported.
    pub snip_edges: bool,
    /// Only `true` is supported; FunASR's spelling.
    pub upsacle_samples: bool,
}

impl Default for FrontEndConfig {
    fn default() -> Self {
        Self {
            fs: SAMPLE_RATE,
            window: "hamming".to_owned(),
            n_mels: 80,
            frame_length: 25,
            frame_shift: 10,
            lfr_m: 1,
            lfr_n: 1,
            snip_edges: true,
            upsacle_samples: true,
        }
    }
}

impl FrontEndConfig {
    /// Values of a row that the encoder takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.n_mels * self.lfr_m
    }

    /// Samples of a frame.
    #[must_use]
    pub fn window_samples(&self) -> usize {
        self.frame_length * SAMPLES_PER_MILLISECOND
    }

    /// Samples from one frame's beginning to the next one's.
    #[must_use]
    pub fn hop_samples(&self) -> usize {
        self.frame_shift * SAMPLES_PER_MILLISECOND
    }

    /// Samples from one row's beginning to the next one's: 960 (60 ms) in every published checkpoint.
    #[must_use]
    pub fn row_samples(&self) -> usize {
        self.hop_samples() * self.lfr_n
    }
}

const SAMPLES_PER_MILLISECOND: usize = SAMPLE_RATE as usize / 1000;
/// No size of a network or a front end is above this: larger ones could not be computed with.
const LARGEST: usize = 1 << 20;

/// `model_conf`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ModelConfig {
    /// The id that stands for nothing; FunASR's default is 0.
    pub blank_id: u32,
}

impl Config {
    /// Reads and checks `config.yaml` below `folder`.
    ///
    /// # Errors
    /// A file that is missing or malformed, a size that cannot be, an option that is not supported.
    pub fn load(folder: &Path) -> Result<Self, SpeechError> {
        let path = folder.join("config.yaml");
        let config: Self = read_yaml(&path)?;
        let (encoder, front) = (&config.encoder_conf, &config.frontend_conf);
        let demands: [(&'static str, String, &str); 7] = [
            ("encoder", config.encoder.clone(), ENCODER),
            ("frontend", config.frontend.clone(), FRONT_END),
            ("frontend_conf.fs", front.fs.to_string(), "16000"),
            ("frontend_conf.window", front.window.clone(), "hamming"),
            ("frontend_conf.snip_edges", front.snip_edges.to_string(), "true"),
            ("frontend_conf.upsacle_samples", front.upsacle_samples.to_string(), "true"),
            ("normalize", config.normalize.clone().unwrap_or_default(), ""),
        ];
        if let Some((option, value, _)) = demands.into_iter().find(|(_, value, supported)| value != supported) {
            return Err(SpeechError::Unsupported { path, option, value });
        }
        let wrong = |problem: String| Err(SpeechError::Format { path: path.clone(), problem });
        if let Some((option, value)) = config.sizes().into_iter().find(|(_, value)| !(1..=LARGEST).contains(value)) {
            return wrong(format!("`{option}` cannot be {value}"));
        }
        if encoder.output_size % encoder.attention_heads != 0 {
            let (width, heads) = (encoder.output_size, encoder.attention_heads);
            return wrong(format!("`output_size` = {width} is no multiple of `attention_heads` = {heads}"));
        }
        if encoder.sanm_shfit > encoder.kernel_size / 2 {
            return wrong(format!("`sanm_shfit` = {} is more than half of `kernel_size`", encoder.sanm_shfit));
        }
        if front.width() % 2 != 0 || front.width() < 4 {
            return wrong(format!("`n_mels` x `lfr_m` = {} is no even number from 4 on", front.width()));
        }
        Ok(config)
    }

    fn sizes(&self) -> [(&'static str, usize); 10] {
        let (encoder, front) = (&self.encoder_conf, &self.frontend_conf);
        [
            ("encoder_conf.output_size", encoder.output_size),
            ("encoder_conf.attention_heads", encoder.attention_heads),
            ("encoder_conf.linear_units", encoder.linear_units),
            ("encoder_conf.num_blocks", encoder.num_blocks),
            ("encoder_conf.kernel_size", encoder.kernel_size),
            ("frontend_conf.n_mels", front.n_mels),
            ("frontend_conf.frame_length", front.frame_length),
            ("frontend_conf.frame_shift", front.frame_shift),
            ("frontend_conf.lfr_m", front.lfr_m),
            ("frontend_conf.lfr_n", front.lfr_n),
        ]
    }
}

/// Files whose names differ between checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The SentencePiece model.
    pub tokenizer: PathBuf,
    /// Kaldi's statistics of the features.
    pub statistics: PathBuf,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Configuration {
    file_path_metas: Metas,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metas {
    tokenizer_conf: TokenizerNames,
    frontend_conf: FrontEndNames,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenizerNames {
    bpemodel: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FrontEndNames {
    cmvn_file: Option<String>,
}

impl Files {
    /// By `configuration.json` below `folder`; where that is not there or is silent, `am.mvn` and the one file that ends in `.bpe.model`.
    ///
    /// # Errors
    /// A `configuration.json` that is malformed or names a file outside the folder; a folder without a `.bpe.model`, or with several.
    pub fn find(folder: &Path) -> Result<Self, SpeechError> {
        let path = folder.join("configuration.json");
        let Metas { tokenizer_conf, frontend_conf } =
            if path.is_file() { read_json::<Configuration>(&path)?.file_path_metas } else { Metas::default() };
        let named = |name: String| {
            // A name with a folder in it could point outside the checkpoint.
            let plain = Path::new(&name).file_name().is_some_and(|last| last == name.as_str());
            let problem = format!("`{name}` is not a file name");
            if plain { Ok(folder.join(name)) } else { Err(SpeechError::Format { path: path.clone(), problem }) }
        };
        Ok(Self {
            tokenizer: tokenizer_conf.bpemodel.map_or_else(|| only_tokenizer(folder), &named)?,
            statistics: named(frontend_conf.cmvn_file.unwrap_or_else(|| "am.mvn".to_owned()))?,
        })
    }
}

fn only_tokenizer(folder: &Path) -> Result<PathBuf, SpeechError> {
    const ENDING: &str = ".bpe.model";
    let entries = std::fs::read_dir(folder).map_err(|source| SpeechError::Read { path: folder.to_owned(), source })?;
    let is_one = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING));
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_one).collect();
    match (found.pop(), found.len()) {
        (Some(path), 0) => Ok(path),
        (last, others) => {
            let count = others + usize::from(last.is_some());
            let problem = format!("it has {count} files that end in `{ENDING}`, and no `configuration.json` that names one");
            Err(SpeechError::Format { path: folder.to_owned(), problem })
        }
    }
}
