//! `cantoscribe listen`: the room's microphone to words as they come, and the note at the end.

mod course;
mod local;
mod remote;
mod room;
mod screen;
mod source;
mod stop;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::hear::HearArguments;
use super::output::print;
use super::serve::{TRIAL, data_folder};
use crate::capture;
use crate::client::Address;
use crate::note::compose::Language;
use screen::Screen;
use source::Source;
use stop::Stop;

/// Arguments of `cantoscribe listen`.
#[derive(Args)]
pub struct ListenArguments {
    /// The microphone: its name, or what no other has in its name [default: the machine's own choice]
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    device: Option<String>,
    /// Show the microphones of this machine, and stop
    #[arg(long)]
    list_devices: bool,
    /// Play a recording as if it were being spoken, instead of a microphone
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// How many times faster than spoken a recording is played; 0: as fast as it is heard
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, requires = "from", hide = true)]
    pace: f64,
    /// Send the sound to this server (http://HOST:PORT), which does the work with its own model and list of words
    #[arg(long, value_name = "URL", conflicts_with = "bias")]
    server: Option<String>,
    /// With a server: send what earlier runs could not deliver, and stop
    #[arg(long, requires = "server", conflicts_with_all = ["from", "device"])]
    send_only: bool,
    /// With a server: delete what earlier runs could not deliver, and stop
    #[arg(long, requires = "server", conflicts_with_all = ["from", "device", "send_only"])]
    discard: bool,
    /// Who is on which channel of the microphone, such as `doctor,patient` [default: the channels are mixed]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    speakers: Vec<String>,
    /// Stop by itself after so many seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,
    /// Folder of recordings and notes, sealed [default: cantoscribe/trial in the XDG data directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// `text`: the words as they come, then the note; `json`: the transcript document and the note document, one a line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Language of the note's sections
    #[arg(long, value_enum, default_value_t = Tongue::En)]
    lang: Tongue,
    #[command(flatten)]
    hear: HearArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tongue {
    En,
    #[value(name = "zh-Hant")]
    ZhHant,
}

impl Tongue {
    fn language(self) -> Language {
        match self {
            Self::En => Language::English,
            Self::ZhHant => Language::TraditionalChinese,
        }
    }
}

/// Runs `cantoscribe listen`.
///
/// # Errors
/// No microphone, no model, a server that refuses, or a microphone that was lost on the way: what it gave is used all the same.
pub fn run(arguments: &ListenArguments, models_folder: &Path) -> anyhow::Result<ExitCode> {
    if arguments.list_devices {
        return list_devices();
    }
    let data = data_folder(arguments.data.clone(), TRIAL)?;
    let server: Option<Address> = match arguments.server.as_deref().map(str::parse).transpose() {
        Ok(server) => server,
        Err(error) => {
            eprintln!("cantoscribe: {error}");
            return Ok(ExitCode::from(2));
        }
    };
    let stop = Stop::on_ctrl_c()?;
    let mut screen = Screen::new(arguments.format == Format::Text);
    match server {
        Some(server) => {
            let mut post = remote::Post::open(&data, server, arguments.discard, &screen)?;
            if arguments.send_only || arguments.discard {
                return post.send_only(&stop, &mut screen);
            }
            let mut source = open_source(arguments, &mut screen)?;
            let mut room = post.begin(&source, arguments)?;
            let heard = course::run(arguments, &mut source, &mut room, &stop, &mut screen);
            post.wait(&stop, &mut screen);
            course::report(heard?, &source)
        }
        None => {
            let engine = local::Prepared::open(arguments, models_folder, &data)?;
            let mut source = open_source(arguments, &mut screen)?;
            let mut room = engine.begin(&source, arguments)?;
            let heard = course::run(arguments, &mut source, &mut room, &stop, &mut screen)?;
            course::report(heard, &source)
        }
    }
}

fn open_source(arguments: &ListenArguments, screen: &mut Screen) -> anyhow::Result<Source> {
    let source = match &arguments.from {
        Some(file) => Source::play(file, arguments.pace)?,
        None => Source::record(arguments.device.as_deref())?,
    };
    screen.notice(&format!("listening to {}", source.described()));
    Ok(source)
}

fn list_devices() -> anyhow::Result<ExitCode> {
    let devices = capture::devices()?;
    let line = |device: &capture::Device| {
        let default = if device.default { " (default)" } else { "" };
        format!("{}{default}\n  {}\n", device.name, device.description)
    };
    print(&devices.iter().map(line).collect::<String>())?;
    Ok(ExitCode::SUCCESS)
}

/// Seconds since 1970.
fn now() -> anyhow::Result<u64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Ok(now.context("this machine's clock is before 1970")?.as_secs())
}
