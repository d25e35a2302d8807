//! `cantoscribe bench`: how fast, how right and how much this machine hears.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tempfile::{NamedTempFile, TempDir};

use super::hear::Spoken;
use super::output::print;
use super::serve::{TRIAL, data_folder};
use crate::bench::{self, BenchError, Plan, Request, Setting, Stop, Watch};
use crate::interop::fhir::Instant;
use crate::speech::model::{DeviceChoice, Precision};

/// What a user is told who names no recordings.
const NO_RECORDINGS: &str = "name recordings of speech with --recordings: a folder of sound files, each with a text file of the same \
name that holds what is said, or a manifest.tsv. The clips of one's own consultations tell the most; nothing is sent anywhere. \
Speech that a program made up would not do: a model hears it at another speed, and wrong.";

/// Arguments of `cantoscribe bench`.
#[derive(Args)]
pub struct BenchArguments {
    /// Folder of recordings with a text file of the same name beside each, or a table `manifest.tsv` with columns `file`,
    /// `transcript` and, if there are several, `language`
    #[arg(long, value_name = "FOLDER|MANIFEST")]
    recordings: Option<PathBuf>,
    /// Measure speed alone: no transcripts are needed, and no error rate is given
    #[arg(long)]
    speed_only: bool,
    /// Models to measure, names of the registry or folders with checkpoints [default: all installed]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    model: Vec<String>,
    /// Precisions to measure: exact, balanced, fast [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    precision: Vec<Precision>,
    /// What models run on: `auto` is an NVIDIA GPU, where this program was built for one and there is one
    #[arg(id = "compute", long = "compute", value_name = "auto|cpu|cuda", default_value_t = DeviceChoice::Auto)]
    device: DeviceChoice,
    /// Threads for one utterance to measure with [default: one a core, and 1]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    threads: Vec<u16>,
    /// Numbers of rooms to try, whatever the time: to see that a machine carries them, rather than how many it does
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=512))]
    rooms: Vec<u16>,
    /// What is spoken
    #[arg(long, value_enum, default_value_t = Spoken::Yue)]
    language: Spoken,
    /// Longest time for everything, in minutes: less time gives fewer trials, not other figures
    #[arg(long, value_name = "MINUTES", default_value_t = 9.0, value_parser = minutes)]
    minutes: f64,
    /// Length of one live trial, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(5..=3600))]
    step_seconds: u64,
    /// All recordings, and five minutes a live trial: hours, for figures to rely on
    #[arg(long, conflicts_with_all = ["minutes", "step_seconds"])]
    thorough: bool,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a report with plots to this file: one page, nothing outside it is needed
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// On the disk of this folder rooms keep what they hear, and erase it again [default: cantoscribe/trial in the XDG data
    /// directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "expected a number of minutes".to_owned())?;
    if minutes > 0.0 && minutes <= 1e5 { Ok(minutes) } else { Err("expected more than 0 minutes, at most 100000".to_owned()) }
}

/// Runs `cantoscribe bench`.
///
/// # Errors
/// No recordings, models that cannot be used, a report that cannot be written.
pub fn run(arguments: &BenchArguments, models_folder: &Path) -> anyhow::Result<ExitCode> {
    let Some(recordings) = &arguments.recordings else {
        eprintln!("cantoscribe: {NO_RECORDINGS}");
        return Ok(ExitCode::from(2));
    };
    let language = arguments.language.language();
    let recordings = bench::list(recordings, language, !arguments.speed_only)?;
    // Made now: after ten minutes it would be late to learn that a report cannot be written.
    let json = arguments.json.as_deref().map(Output::create).transpose()?;
    let html = arguments.html.as_deref().map(Output::create).transpose()?;
    let data = data_folder(arguments.data.clone(), TRIAL)?;
    let scratch = scratch(&data)?;
    let stop = stop_on_ctrl_c(scratch.path().to_owned())?;
    let request = Request {
        models_folder: models_folder.to_owned(),
        models: arguments.model.clone(),
        precisions: chosen(&arguments.precision),
        threads: arguments.threads.iter().map(|threads| usize::from(*threads)).collect(),
        rooms: arguments.rooms.iter().map(|rooms| usize::from(*rooms)).collect(),
        language,
        device: arguments.device,
        recordings,
        scratch: scratch.path().join("rooms"),
        binary: std::env::current_exe().context("cannot tell where this program is")?,
        plan: plan(arguments),
        at: now()?,
    };
    let terminal = Terminal::new();
    let measured = bench::run(&request, &stop, &terminal);
    terminal.clear();
    let erased = scratch.close().context("cannot erase what the rooms kept");
    let report = measured?;
    erased?;
    if let Some(output) = json {
        let text = serde_json::to_string_pretty(&report).map_err(BenchError::Json)?;
        output.write(&(text + "\n"))?;
    }
    if let Some(output) = html {
        output.write(&bench::page(&report))?;
    }
    print(&bench::summary(&report))?;
    let failed = report.settings.iter().any(|setting| setting.failure.is_some());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn chosen(precisions: &[Precision]) -> Vec<Precision> {
    if precisions.is_empty() { Precision::ALL.to_vec() } else { precisions.to_vec() }
}

fn plan(arguments: &BenchArguments) -> Plan {
    if arguments.thorough {
        return Plan::thorough();
    }
    Plan::within(Duration::from_secs_f64(arguments.minutes * 60.0), Duration::from_secs(arguments.step_seconds))
}

/// A folder on the disk that recordings will be on: how fast that disk is counts.
fn scratch(data: &Path) -> anyhow::Result<TempDir> {
    let beside = data.parent().unwrap_or(data);
    std::fs::create_dir_all(beside).with_context(|| format!("cannot create `{}`", beside.display()))?;
    let folder = tempfile::Builder::new().prefix(".bench-").tempdir_in(beside);
    folder.with_context(|| format!("cannot create a folder in `{}`", beside.display()))
}

/// The first Ctrl-C or SIGTERM ends the run with what was measured; the second ends the program, once the rooms are erased.
fn stop_on_ctrl_c(scratch: PathBuf) -> anyhow::Result<Stop> {
    let stop = Stop::default();
    let shared = stop.clone();
    let handler = move || {
        if shared.ask() {
            // What cannot be erased any more is sealed, and its key erased first or with it.
            let _ = std::fs::remove_dir_all(&scratch);
            std::process::exit(1);
        }
        eprintln!("\ncantoscribe: stopping; what was measured is kept");
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
    Ok(stop)
}

fn now() -> anyhow::Result<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = now.context("this machine's clock is before 1970")?.as_secs();
    Ok(Instant::from_unix_seconds(i64::try_from(seconds)?).as_str().to_owned())
}

/// A file that appears under its name when it is whole.
struct Output {
    file: NamedTempFile,
    path: PathBuf,
}

impl Output {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let cannot = || format!("cannot write `{}`", path.display());
        anyhow::ensure!(!path.is_dir(), "{}: it is a folder", cannot());
        let file = NamedTempFile::new_in(parent).with_context(cannot)?;
        Ok(Self { file, path: path.to_owned() })
    }

    fn write(mut self, text: &str) -> anyhow::Result<()> {
        let cannot = || format!("cannot write `{}`", self.path.display());
        self.file.write_all(text.as_bytes()).with_context(cannot)?;
        let file = self.file.persist(&self.path).with_context(cannot)?;
        readable(&file).with_context(cannot)
    }
}

/// A report is no secret: its permissions are those of any new file, not those of a temporary one.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Progress on standard error: two bars on a terminal, else a line a setting.
struct Terminal {
    bars: MultiProgress,
    settings: ProgressBar,
    stage: ProgressBar,
}

impl Terminal {
    fn new() -> Self {
        let bars = MultiProgress::new();
        let settings = bars.add(ProgressBar::new(0));
        settings.set_style(style("{bar:24} {pos}/{len} {msg} [{elapsed}]"));
        let stage = bars.add(ProgressBar::new(0));
        stage.set_style(style("{bar:24} {pos}/{len} {msg}"));
        Self { bars, settings, stage }
    }

    fn clear(&self) {
        self.stage.finish_and_clear();
        self.settings.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Watch for Terminal {
    fn setting(&self, number: usize, of: usize, setting: &Setting) {
        if !std::io::stderr().is_terminal() {
            eprintln!("{number}/{of} {setting}");
        }
        self.settings.set_length(of as u64);
        self.settings.set_position(number as u64);
        self.settings.set_message(setting.to_string());
    }

    fn stage(&self, what: &str, steps: u64) {
        self.stage.set_length(steps);
        self.stage.set_position(0);
        self.stage.set_message(what.to_owned());
    }

    fn at(&self, steps: u64) {
        self.stage.set_position(steps);
    }

    fn say(&self, line: &str) {
        self.bars.suspend(|| eprintln!("cantoscribe: {line}"));
    }
}
