//! What can be chosen: a model, a precision, a number of threads.

use std::path::Path;
use std::sync::Arc;

use super::BenchError;
use crate::engine::Models;
use crate::models::{self, Family, Installed, find_installed, installed_manifests};
use crate::speech::endpoint::EndpointSettings;
use crate::speech::model::silero_vad::SileroVad;
use crate::speech::model::{DecodeOptions, DeviceChoice, Language, LoadOptions, Precision, device_name};
use crate::speech::script::HongKongScript;
use crate::speech::{ModelIdentity, Numbers, Writing};

/// One way to run one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The model's name.
    pub model: String,
    /// How exactly it computes.
    pub precision: Precision,
    /// Threads for one utterance.
    pub threads: usize,
}

impl Setting {
    /// All combinations; those that differ in threads alone stand together, in the order of `threads`.
    #[must_use]
    pub fn all(models: &[&str], precisions: &[Precision], threads: &[usize]) -> Vec<Self> {
        let mut settings: Vec<Self> = Vec::new();
        for model in models {
            for precision in precisions {
                for threads in threads {
                    let setting = Self { model: (*model).to_owned(), precision: *precision, threads: *threads };
                    if !settings.contains(&setting) {
                        settings.push(setting);
                    }
                }
            }
        }
        settings
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let threads = if self.threads == 1 { "thread" } else { "threads" };
        write!(f, "{}, {}, {} {threads}", self.model, self.precision.name(), self.threads)
    }
}

/// A model to be measured.
pub(super) struct Candidate {
    /// What it is asked for by: its name, or the path of its folder.
    pub asked: String,
    pub installed: Installed,
}

/// The speech models that are asked for, or all that are installed.
///
/// # Errors
/// A model that is not installed, damaged or unknown; none at all.
pub(super) fn speech_models(folder: &Path, asked: &[String]) -> Result<Vec<Candidate>, BenchError> {
    let mut names = asked.to_vec();
    if names.is_empty() {
        for (name, manifest) in installed_manifests(folder)? {
            // One whose manifest is damaged is looked for too: that tells what is wrong with it.
            if !manifest.is_ok_and(|manifest| manifest.family == Family::SileroVad) {
                names.push(name);
            }
        }
    }
    if names.is_empty() {
        return Err(BenchError::NoModel { folder: folder.to_owned() });
    }
    names.into_iter().map(|asked| Ok(Candidate { installed: find_installed(folder, &asked)?, asked })).collect()
}

/// What all settings share.
pub(super) struct Common {
    pub detector: Arc<SileroVad>,
    /// As the references of recordings are: numbers as they were said.
    pub writing: Arc<Writing>,
    /// Nothing: found for each utterance.
    pub language: Option<Language>,
    /// What models run on.
    pub device: DeviceChoice,
}

impl Common {
    /// The voice activity detector, and the tables.
    pub fn load(folder: &Path, language: Option<Language>, device: DeviceChoice) -> Result<Self, BenchError> {
        let detector = find_installed(folder, Family::SileroVad.as_str())?;
        let detector = Arc::new(SileroVad::load(&detector.folder)?);
        Ok(Self { detector, writing: Arc::new(Writing::new(HongKongScript::load()?, Numbers::Said)), language, device })
    }

    /// Loads the model of a setting, to hear as `transcribe` and `serve` do by default.
    pub fn models(&self, setting: &Setting, installed: &Installed) -> Result<Models, BenchError> {
        let (precision, threads, device) = (setting.precision, Some(setting.threads), self.device.open()?);
        let options = LoadOptions { precision, threads, device, packed: None };
        Ok(Models {
            identity: ModelIdentity {
                name: installed.name.clone(),
                sha256: installed.weights_sha256.as_str().to_owned(),
                device: Some(device_name(&options.device).to_owned()),
            },
            precision: setting.precision.name(),
            recognizer: Arc::from(models::load(installed, &options)?),
            options: DecodeOptions { language: self.language, ..DecodeOptions::default() },
            endpoint: EndpointSettings::default(),
            detector: Arc::clone(&self.detector),
            writing: Arc::clone(&self.writing),
            words: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_all_combinations_each_once() {
        let settings = Setting::all(&["a", "b"], &[Precision::Exact, Precision::Fast], &[4, 1, 4]);
        let shown: Vec<String> = settings.iter().map(ToString::to_string).collect();
        assert_eq!(shown.len(), 8);
        assert_eq!(shown[..3], ["a, exact, 4 threads", "a, exact, 1 thread", "a, fast, 4 threads"]);
    }

    #[test]
    fn a_folder_without_speech_models_says_how_to_get_one() {
        let empty = tempfile::tempdir().unwrap();
        let error = speech_models(empty.path(), &[]).err().unwrap().to_string();
        assert!(error.contains("models pull whisper-base"), "{error}");
        let unknown = speech_models(empty.path(), &["whisper-giant".to_owned()]).err().unwrap().to_string();
        assert!(unknown.contains("whisper-giant"), "{unknown}");
    }
}
