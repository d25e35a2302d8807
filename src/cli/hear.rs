//! From a recording on disk to a transcript: what `transcribe` and `note` share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::terminology::lexicon;
use crate::audio::{AudioFile, Channel, SAMPLE_RATE};
use crate::engine::Models;
use crate::models::{self, AUTO, Registry, aligner_for, best_installed, find_installed};
use crate::speech::bias::{Bias, LONGEST_LIST, WordList};
use crate::speech::endpoint::EndpointSettings;
use crate::speech::guard::{Guard, recognise};
use crate::speech::model::silero_vad::SileroVad;
use crate::speech::model::{
    self, Context, DecodeOptions, DeviceChoice, Language, LoadOptions, Precision, Recognizer, Search, device_name,
};
use crate::speech::script::HongKongScript;
use crate::speech::session::Session;
use crate::speech::vad::VoiceActivity;
use crate::speech::{ModelIdentity, Numbers, Segment, SpeechError, Transcript, Writing};
use crate::text::PatientText;

/// The registry's name of the voice activity detector.
const VOICE_DETECTOR: &str = "silero-vad";

/// How recordings are heard.
#[derive(Args)]
pub struct HearArguments {
    /// A model of the registry, or a folder with a checkpoint; `auto` is the best installed one for the language
    #[arg(long, value_name = "NAME", default_value = AUTO)]
    model: String,
    /// For Qwen3-ASR, what gives words their times: a forced aligner of the registry or a folder with one, or `none`
    /// [default: the installed one]
    #[arg(long, value_name = "NAME")]
    aligner: Option<String>,
    /// What is spoken; `auto` finds out for each utterance
    #[arg(long, value_enum, default_value_t = Spoken::Yue)]
    language: Spoken,
    /// How exactly the arithmetic follows the checkpoint: f32, or bf16 and 8-bit weights, or 8-bit ones alone
    #[arg(long, value_enum, default_value_t = Arithmetic::Balanced)]
    precision: Arithmetic,
    /// Encode the model's whole window, or only what was said [default: speech, and full with --beam]
    #[arg(long, value_enum)]
    context: Option<Window>,
    /// What the model runs on: an NVIDIA GPU, where this program was built for one, or the processor; `auto` takes the GPU if there is one
    #[arg(id = "compute", long = "compute", value_name = "auto|cpu|cuda", default_value_t = DeviceChoice::Auto)]
    device: DeviceChoice,
    /// Threads for one utterance [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Search this many readings at once: slower, and not always better
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=16))]
    beam: Option<u8>,
    /// Silence that ends an utterance, in milliseconds: longer delays the text, and joins speakers who leave no such pause
    #[arg(long, value_name = "MS", default_value_t = 640, value_parser = clap::value_parser!(u32).range(320..=5000))]
    pause_ms: u32,
    /// Longest utterance in milliseconds: longer speech is cut at its quietest place
    #[arg(long, value_name = "MS", default_value_t = 28_000, value_parser = clap::value_parser!(u32).range(16_000..=29_000))]
    longest_utterance_ms: u32,
    /// Words to expect, such as names of drugs
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Numbers as they were said, or in digits (145/90, 7.2, 500 mg); the words with their times stay as they were said
    #[arg(long, value_enum, default_value_t = Figures::Said)]
    numbers: Figures,
    /// A file of words to raise where the sound allows them, such as names of drugs, doctors and places: UTF-8, a word or phrase a line
    #[arg(long, value_name = "FILE")]
    bias: Option<PathBuf>,
    /// Raise the names of conditions and drugs that the note knows, too
    #[arg(long)]
    bias_lexicon: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Spoken {
    Yue,
    Zh,
    En,
    Auto,
}

impl Spoken {
    /// Nothing for `auto`.
    pub(super) fn language(self) -> Option<Language> {
        match self {
            Self::Yue => Some(Language::Cantonese),
            Self::Zh => Some(Language::Mandarin),
            Self::En => Some(Language::English),
            Self::Auto => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Arithmetic {
    Exact,
    Balanced,
    Fast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Window {
    Full,
    Speech,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Figures {
    Said,
    Written,
}

impl HearArguments {
    fn numbers(&self) -> Numbers {
        match self.numbers {
            Figures::Said => Numbers::Said,
            Figures::Written => Numbers::Written,
        }
    }

    /// The precision's name, for a note's `made_by`.
    pub fn precision(&self) -> &'static str {
        self.arithmetic().name()
    }

    /// What is spoken, as documents and servers have it.
    pub fn language_code(&self) -> &'static str {
        self.language.language().map_or("auto", Language::code)
    }

    fn endpoint_settings(&self) -> EndpointSettings {
        let (pause_ms, longest_utterance_ms) = (self.pause_ms, self.longest_utterance_ms);
        EndpointSettings { pause_ms, longest_utterance_ms, ..EndpointSettings::default() }
    }

    fn arithmetic(&self) -> Precision {
        match self.precision {
            Arithmetic::Exact => Precision::Exact,
            Arithmetic::Balanced => Precision::Balanced,
            Arithmetic::Fast => Precision::Fast,
        }
    }

    fn load_options(&self) -> Result<LoadOptions, SpeechError> {
        let (threads, device) = (self.threads.map(usize::from), self.device.open()?);
        Ok(LoadOptions { precision: self.arithmetic(), threads, device, ..LoadOptions::default() })
    }

    /// The words that are expected in all that is heard: those of the file, and then those of the lexicon.
    fn word_list(&self, script: &HongKongScript) -> anyhow::Result<Option<WordList>> {
        let of_file = self.bias.as_deref().map(|path| read_words(path, script)).transpose()?;
        if !self.bias_lexicon {
            return Ok(of_file);
        }
        let names: Vec<String> = lexicon()?.names_to_expect().collect();
        let of_lexicon = WordList::of_names(names.iter().map(String::as_str), LONGEST_LIST, script);
        Ok(match (of_file, of_lexicon) {
            (Some(file), Some(lexicon)) => Some(file.with(&lexicon)),
            (one, other) => one.or(other),
        })
    }

    fn decode_options(&self) -> DecodeOptions {
        // A beam on the short context repeats phrases below every guard's threshold.
        let context = match (self.context, self.beam) {
            (Some(Window::Full), _) | (None, Some(_)) => Context::Full,
            (Some(Window::Speech), _) => Context::Speech,
            (None, None) => Context::default(),
        };
        DecodeOptions {
            language: self.language.language(),
            context,
            search: self.beam.map_or(Search::Greedy, |width| Search::Beam(usize::from(width))),
            prompt: self.prompt.as_deref().map(PatientText::from),
            ..DecodeOptions::default()
        }
    }
}

/// A loaded model, ready for any number of recordings.
pub struct Ear {
    identity: ModelIdentity,
    precision: &'static str,
    recognizer: Arc<dyn Recognizer>,
    options: DecodeOptions,
    endpoint: EndpointSettings,
    detector: Option<Arc<SileroVad>>,
    writing: Arc<Writing>,
    words: Option<Arc<WordList>>,
}

impl Ear {
    /// Loads the model that was asked for, and the voice activity detector.
    ///
    /// # Errors
    /// A model that is not installed, damaged or of an unknown kind.
    pub fn open(arguments: &HearArguments, models_folder: &Path) -> anyhow::Result<Self> {
        let detector = find_installed(models_folder, VOICE_DETECTOR);
        let mut ear = Self::load(arguments, models_folder, true)?;
        ear.detector = Some(Arc::new(SileroVad::load(&detector?.folder)?));
        Ok(ear)
    }

    /// Loads the model alone: enough for [`Ear::hear_raw`].
    ///
    /// # Errors
    /// As [`Ear::open`].
    pub fn open_raw(arguments: &HearArguments, models_folder: &Path) -> anyhow::Result<Self> {
        Self::load(arguments, models_folder, false)
    }

    fn load(arguments: &HearArguments, models_folder: &Path, word_times: bool) -> anyhow::Result<Self> {
        let mut script = HongKongScript::load()?;
        let list = arguments.word_list(&script)?;
        let load = arguments.load_options()?;
        let installed = if arguments.model == AUTO {
            best_installed(models_folder, &Registry::embedded()?, arguments.language.language(), !load.device.is_cpu())?
        } else {
            find_installed(models_folder, &arguments.model)?
        };
        let aligner = if word_times { aligner_for(models_folder, &installed, arguments.aligner.as_deref())? } else { None };
        let recognizer: Arc<dyn Recognizer> = Arc::from(models::load(&installed, aligner.as_ref(), &load)?);
        if arguments.prompt.is_some() && !recognizer.capabilities().prompt {
            bail!("the model `{}` takes no words to expect: leave out `--prompt`", installed.name);
        }
        if list.is_some() && !recognizer.capabilities().word_list {
            bail!("the model `{}` takes no list of words: leave out `--bias` and `--bias-lexicon`", installed.name);
        }
        let mut options = arguments.decode_options();
        if let Some(list) = &list {
            options.bias = Some(Arc::new(raised(list, recognizer.as_ref())?));
            script = script.spelling(list)?;
        }
        Ok(Self {
            recognizer,
            identity: ModelIdentity {
                name: installed.name,
                sha256: installed.weights_sha256.as_str().to_owned(),
                device: Some(device_name(&load.device).to_owned()),
            },
            precision: arguments.precision(),
            options,
            endpoint: arguments.endpoint_settings(),
            detector: None,
            writing: Arc::new(Writing::new(script, arguments.numbers())),
            words: list.map(Arc::new),
        })
    }

    /// Its models, for an engine that hears rooms.
    ///
    /// # Errors
    /// When the voice activity detector was not loaded.
    pub fn into_models(self) -> anyhow::Result<Models> {
        let Self { identity, recognizer, options, endpoint, detector, writing, precision, words } = self;
        let detector = detector.context("the voice activity detector was not loaded")?;
        Ok(Models { identity, precision, recognizer, options, endpoint, detector, writing, words })
    }

    /// Hears a recording: utterances found by voice activity, guarded, in Hong Kong's characters. Where `speakers` are named, one a
    /// channel, each channel is heard by itself, and the segments are in the order of their start.
    ///
    /// # Errors
    /// A recording that is damaged or no recording; other channels than speakers; a failing model. Nothing is returned of it then.
    pub fn hear(&self, recording: &Path, speakers: &[String]) -> anyhow::Result<Transcript> {
        if speakers.is_empty() {
            let mut file = AudioFile::open(recording)?;
            let segments = self.hear_file(recording, &mut file)?;
            return self.transcript(recording, &file, segments);
        }
        let (mut segments, mut last) = (Vec::new(), None);
        for (index, speaker) in speakers.iter().enumerate() {
            let mut file = AudioFile::open_channel(recording, Channel { index, of: speakers.len() })?;
            let heard = self.hear_file(recording, &mut file)?;
            segments.extend(heard.into_iter().map(|segment| Segment { speaker: Some(speaker.clone()), ..segment }));
            last = Some(file);
        }
        // Stable: of two that start together the earlier channel's comes first.
        segments.sort_by_key(|segment| segment.start_ms);
        for (segment, id) in segments.iter_mut().zip(0..) {
            segment.id = id;
        }
        let file = last.context("no channel was heard")?;
        self.transcript(recording, &file, segments)
    }

    fn hear_file(&self, recording: &Path, file: &mut AudioFile) -> anyhow::Result<Vec<Segment>> {
        let detector = self.detector.clone().context("the voice activity detector was not loaded")?;
        let (recognizer, options) = (Arc::clone(&self.recognizer), self.options.clone());
        let guard = Guard::default();
        let unheard = unheard(recording);
        let mut session = Session::<anyhow::Error>::new(
            Box::new(VoiceActivity::new(detector)),
            Box::new(move |samples| recognise(recognizer.as_ref(), samples, &options, &guard).context(unheard.clone())),
            Arc::clone(&self.writing),
            self.endpoint.clone(),
        )?;
        let progress = progress();
        let mut segments = Vec::new();
        session.hear_file(file, |heard_to, heard| {
            progress.set_position(heard_to.0 / u64::from(SAMPLE_RATE));
            segments.extend(heard.into_iter().map(|heard| heard.segment));
            Ok(())
        })?;
        progress.finish_and_clear();
        Ok(segments)
    }

    /// One greedy pass over the whole recording, for comparing with a reference.
    ///
    /// # Errors
    /// As [`Ear::hear`].
    pub fn hear_raw(&self, recording: &Path) -> anyhow::Result<Transcript> {
        let mut file = AudioFile::open(recording)?;
        let mut samples = Vec::new();
        while file.read(&mut samples)? {}
        let heard = self.recognizer.raw(&samples, self.options.language).with_context(|| unheard(recording))?;
        let length = crate::audio::SampleIndex(samples.len() as u64).milliseconds();
        let segment = Segment {
            id: 0,
            start_ms: Some(0),
            end_ms: Some(length),
            speaker: None,
            text: heard.text,
            confidence: None,
            words: None,
            tokens: Some(heard.tokens),
        };
        self.transcript(recording, &file, vec![segment])
    }

    fn transcript(&self, recording: &Path, file: &AudioFile, segments: Vec<Segment>) -> anyhow::Result<Transcript> {
        let identity = file.identity().with_context(|| format!("`{}` was not read to its end", recording.display()))?;
        Ok(Transcript::of_recording(identity, self.identity.clone(), self.options.language, segments))
    }
}

/// A list of words to expect.
fn read_words(path: &Path, script: &HongKongScript) -> anyhow::Result<WordList> {
    let unread = || format!("cannot use the list of words `{}`", path.display());
    WordList::parse(&std::fs::read(path).with_context(unread)?, script).with_context(unread)
}

/// A list as tokens of the model; says which words it has none for.
fn raised(list: &WordList, model: &dyn Recognizer) -> anyhow::Result<Bias> {
    let bias = model::bias(model, list)?;
    for line in bias.unwritable() {
        eprintln!("cantoscribe: the model cannot write the word in line {line} of the list: it is not raised");
    }
    Ok(bias)
}

fn unheard(recording: &Path) -> String {
    format!("cannot hear `{}`", recording.display())
}

/// Seconds heard so far, on standard error when that is a terminal.
fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} heard {pos} s of the recording in {elapsed}");
    let bar = ProgressBar::new_spinner();
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
