//! Which family a checkpoint is of.

use std::path::Path;

use serde::Deserialize;

use super::weights::{read_json, read_yaml};
use super::{qwen3_asr, sense_voice, whisper};
use crate::speech::SpeechError;

/// A family of speech models: code of one shape that loads every checkpoint of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeechFamily {
    /// Qwen3-ASR, as Qwen or as Hugging Face lays it out.
    Qwen3Asr,
    /// SenseVoice-Small, as FunASR lays it out.
    SenseVoice,
    /// Whisper, as Hugging Face lays it out.
    Whisper,
}

impl SpeechFamily {
    /// In documents and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qwen3Asr => qwen3_asr::FAMILY,
            Self::SenseVoice => sense_voice::FAMILY,
            Self::Whisper => whisper::FAMILY,
        }
    }

    /// Whether its decoder can be in a GGUF file.
    #[must_use]
    pub const fn reads_gguf(self) -> bool {
        match self {
            Self::Qwen3Asr => true,
            Self::SenseVoice | Self::Whisper => false,
        }
    }

    /// Whether its words get their times from a forced aligner.
    #[must_use]
    pub const fn takes_aligner(self) -> bool {
        match self {
            Self::Qwen3Asr => true,
            Self::SenseVoice | Self::Whisper => false,
        }
    }
}

/// The family of the checkpoint in `folder`: by `model` of its `config.yaml`, or by `model_type` of its `config.json`.
///
/// # Errors
/// A configuration that is missing or malformed, or of a family that this program has no code for.
pub fn family_of(folder: &Path) -> Result<SpeechFamily, SpeechError> {
    #[derive(Deserialize)]
    struct FunAsr {
        model: String,
    }
    #[derive(Deserialize)]
    struct HuggingFace {
        model_type: String,
    }
    let yaml = folder.join("config.yaml");
    let (path, option, value) = if yaml.is_file() {
        let FunAsr { model } = read_yaml(&yaml)?;
        (yaml, "model", model)
    } else {
        let json = folder.join("config.json");
        let HuggingFace { model_type } = read_json(&json)?;
        (json, "model_type", model_type)
    };
    match (option, value.as_str()) {
        ("model_type", qwen3_asr::MODEL_TYPE) => Ok(SpeechFamily::Qwen3Asr),
        ("model", sense_voice::MODEL) => Ok(SpeechFamily::SenseVoice),
        ("model_type", whisper::FAMILY) => Ok(SpeechFamily::Whisper),
        _ => Err(SpeechError::Unsupported { path, option, value }),
    }
}
