//! `cantoscribe models`: what there is, and fetching, checking and carrying it.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::bail;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::hear::Spoken;
use super::output::print;
use crate::bench;
use crate::models::{self, AUTO, Accuracy, Entry, Fault, Manifest, PullOptions, Pulled, Registry, Report};

/// Arguments of `cantoscribe models`.
#[derive(Debug, Args)]
pub struct ModelsArguments {
    /// Ask nothing of the network: use only what is on this machine
    #[arg(long, global = true)]
    offline: bool,
    #[command(subcommand)]
    command: ModelsCommand,
}

/// What to do with models.
#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// Show every model of the registry and every installed one
    List,
    /// Fetch models and install them
    Pull {
        /// Names in the registry; `auto` is SenseVoice-Small where the hub answers, else what can be had
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Take files that the registry has no hash for as they come; their hash is recorded and checked from then on
        #[arg(long)]
        trust_first_download: bool,
    },
    /// Hash every file of installed models again
    Verify {
        /// Names of installed models [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Hear these recordings as well, and hold the characters that come out wrong against what is published: a table with the
        /// columns `file`, `transcript` and `language`, or a folder as `bench --recordings` takes it
        #[arg(long, value_name = "MANIFEST")]
        accuracy: Option<PathBuf>,
        /// What is spoken in the recordings
        #[arg(long, value_enum, default_value_t = Spoken::Yue, requires = "accuracy")]
        language: Spoken,
    },
    /// Write an installed model to one file, for a machine without a network
    Export {
        /// Name of an installed model
        name: String,
        /// A new file
        file: PathBuf,
    },
    /// Install a model from a file that `export` wrote
    Import {
        /// The file
        file: PathBuf,
    },
}

/// Runs `cantoscribe models`.
///
/// # Errors
/// With the text for the user; the exit code is then 1.
pub fn run(args: ModelsArguments, folder: &Path) -> anyhow::Result<ExitCode> {
    let registry = Registry::embedded()?;
    let terminal = Terminal::default();
    match args.command {
        ModelsCommand::List => return list(&registry, folder),
        ModelsCommand::Verify { names, accuracy, language } => {
            let damaged = verify(folder, &names)?;
            let far_off = match accuracy {
                Some(recordings) if !damaged => verify_accuracy(&registry, folder, &names, (&recordings, language))?,
                _ => false,
            };
            return Ok(if damaged || far_off { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        ModelsCommand::Pull { names, trust_first_download } => {
            let options = PullOptions { offline: args.offline, trust_first_download, ..PullOptions::default() };
            // All names are looked up first: a slip in the second must not wait for the first to arrive.
            let wanted = |name: &String| if name == AUTO { Ok(None) } else { registry.get(name).map(Some) };
            let entries: Vec<Option<&Entry>> = names.iter().map(wanted).collect::<Result<_, _>>()?;
            for entry in entries {
                let pulled = match entry {
                    Some(entry) => models::pull(folder, entry, &options, &terminal)?,
                    None => models::pull_first(folder, &registry, &options, &terminal)?,
                };
                match pulled {
                    Pulled::AlreadyThere(model) => {
                        print(&format!("{} is installed in {}\n", model.name, model.folder.display()))?
                    }
                    Pulled::Fetched(model) => print(&format!("{} was installed in {}\n", model.name, model.folder.display()))?,
                }
            }
        }
        ModelsCommand::Export { name, file } => {
            models::export(folder, &name, &file, &terminal)?;
            print(&format!("{name} was written to {}\n", file.display()))?;
        }
        ModelsCommand::Import { file } => {
            let model = models::import(folder, &file, &registry, &terminal)?;
            print(&format!("{} was installed in {}\n", model.name, model.folder.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(registry: &Registry, folder: &Path) -> anyhow::Result<ExitCode> {
    let installed = models::installed_manifests(folder)?;
    let mut text = String::new();
    for entry in registry.entries() {
        let state = installed.iter().find(|(name, _)| *name == entry.name).map(|(_, manifest)| manifest);
        text.push_str(&describe(entry, state));
    }
    for (name, manifest) in installed.iter().filter(|(name, _)| registry.get(name).is_err()) {
        text.push_str(&format!("{name}\n  not in the registry; {}\n", state(Some(manifest))));
    }
    text.push_str(&format!("models are kept in {}\n", folder.display()));
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn describe(entry: &Entry, manifest: Option<&Result<Manifest, Fault>>) -> String {
    let mut text = format!(
        "{}\n  family {}, {} parameters, licence {}\n  languages: {}\n",
        entry.name,
        entry.family.as_str(),
        parameters(entry.parameters),
        entry.licence,
        entry.languages.join(", ")
    );
    for accuracy in &entry.accuracy {
        text.push_str(&format!("  {} {}% on {} ({})\n", accuracy.metric, accuracy.percent, accuracy.set, accuracy.source));
    }
    if let Some(note) = &entry.note {
        text.push_str(&format!("  {note}\n"));
    }
    text.push_str(&format!("  {}\n", state(manifest)));
    text
}

fn state(manifest: Option<&Result<Manifest, Fault>>) -> String {
    match manifest {
        None => "not installed".to_owned(),
        Some(Err(fault)) => format!("installed, but damaged: {fault}"),
        Some(Ok(manifest)) => format!("installed, from {}", manifest.source),
    }
}

fn parameters(count: u64) -> String {
    if count >= 1_000_000 { format!("{} M", count / 1_000_000) } else { format!("{} k", count / 1000) }
}

/// Whether a file of an installed model is not as it was.
fn verify(folder: &Path, names: &[String]) -> anyhow::Result<bool> {
    let all = || models::installed_manifests(folder).map(|all| all.into_iter().map(|(name, _)| name).collect());
    let names: Vec<String> = if names.is_empty() { all()? } else { names.to_vec() };
    if names.is_empty() {
        print(&format!("no model is installed in {}\n", folder.display()))?;
    }
    let mut damaged = false;
    for name in names {
        let faults = models::verify(folder, &name)?;
        damaged |= !faults.is_empty();
        if faults.is_empty() {
            print(&format!("{name}: intact\n"))?;
        }
        for fault in faults {
            print(&format!("{name}: damaged: {fault}\n"))?;
        }
    }
    Ok(damaged)
}

/// Whether a model hears far worse than is published of it.
fn verify_accuracy(
    registry: &Registry,
    folder: &Path,
    names: &[String],
    (recordings, language): (&Path, Spoken),
) -> anyhow::Result<bool> {
    let language = language.language();
    let recordings = bench::list(recordings, language, true)?;
    let mut far_off = false;
    for name in bench::speech_model_names(folder, names)? {
        let heard = bench::hear_and_score(folder, &name, language, &recordings)?;
        let entry = registry.get(&name).ok();
        let published: Vec<&Accuracy> = entry.map(|entry| entry.character_errors(language)).unwrap_or_default();
        let Some(percent) = heard.percent() else { bail!("the transcripts of the recordings hold no character") };
        let mut text = format!(
            "{name}: {percent:.1}% of {} characters wrong, in {} recordings ({:.0} s)\n",
            heard.characters(),
            heard.recordings,
            heard.seconds
        );
        for accuracy in &published {
            text.push_str(&format!("  published: {}% on {} ({})\n", accuracy.percent, accuracy.set, accuracy.source));
        }
        let figures: Vec<f64> = published.iter().map(|accuracy| accuracy.percent).collect();
        match bench::is_far_off(percent, &figures) {
            None => text.push_str("  nothing is published to hold it against\n"),
            Some(false) => text.push_str("  that fits what is published: other recordings, other figures\n"),
            Some(true) => {
                far_off = true;
                text.push_str(
                    "  that is far worse than what is published: the model, the recordings or this program are at fault\n",
                );
            }
        }
        print(&text)?;
    }
    Ok(far_off)
}

/// Progress on standard error: a bar on a terminal, else a line a step.
#[derive(Debug, Default)]
struct Terminal {
    bar: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    fn bar(&self) -> Option<ProgressBar> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, bar: Option<ProgressBar>) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }
}

impl Report for Terminal {
    fn line(&self, text: &str) {
        match self.bar() {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    fn begin(&self, what: &str, total: Option<u64>) {
        if !std::io::stderr().is_terminal() {
            let size = total.map_or_else(String::new, |total| format!(" ({})", indicatif::HumanBytes(total)));
            eprintln!("{what}{size}");
            return;
        }
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = "{msg} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        self.set(Some(bar));
    }

    fn at(&self, done: u64) {
        if let Some(bar) = self.bar() {
            bar.set_position(done);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.bar() {
            bar.finish_and_clear();
        }
        self.set(None);
    }
}
