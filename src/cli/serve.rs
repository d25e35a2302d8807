//! `cantoscribe serve`: the page, the socket and the data folder behind them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;

use super::hear::{Ear, HearArguments};
use super::terminology::lexicon;
use crate::engine::Engine;
use crate::gateway::{self, Gateways};
use crate::server::{ServerError, Settings, serve_trial};
use crate::store::{DatabaseUrl, Store};

/// The folder of recordings and notes below the XDG data directory.
const DATA: &str = "trial";

/// Arguments of `cantoscribe serve`.
#[derive(Args)]
pub struct ServeArguments {
    /// One built-in clinician without sign-in, on a loopback address only: for trying things, not for patients
    #[arg(long)]
    trial: bool,
    /// Where to serve
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Folder of recordings and notes, sealed [default: cantoscribe/trial in the XDG data directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep recordings and notes in this PostgreSQL, postgres://USER@HOST/NAME, instead of in the folder; the password may be in ~/.pgpass
    #[arg(long, value_name = "URL")]
    database: Option<DatabaseUrl>,
    /// Begin no new recording when less than so many MiB of the disk are free: room for those that run
    #[arg(long, value_name = "MIB", default_value_t = 512)]
    keep_free: u64,
    /// Rooms that may be open at once [default: as many as keep up at the speed that is measured]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rooms: Option<u16>,
    /// Refuse an uploaded recording of more than so many MiB
    #[arg(long, value_name = "MIB", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=4096))]
    max_upload: u64,
    /// Send patients' messages by the gateways of this file (TOML, with [sms] and [mail]); without it a trial shows them on its page of sharing
    #[arg(long, value_name = "FILE")]
    gateways: Option<PathBuf>,
    /// What links in patients' messages begin with, as telephones reach this server: https://clinic.example
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    #[command(flatten)]
    hear: HearArguments,
}

/// Runs `cantoscribe serve`.
///
/// # Errors
/// A model, a data folder or an address that cannot be used.
pub fn run(arguments: &ServeArguments, models_folder: &Path) -> anyhow::Result<ExitCode> {
    if !arguments.trial {
        eprintln!("cantoscribe: there is no sign-in yet: only `serve --trial` works, on a loopback address");
        return Ok(ExitCode::from(2));
    }
    if !arguments.addr.ip().is_loopback() {
        eprintln!("cantoscribe: {}", ServerError::NotLoopback(arguments.addr));
        return Ok(ExitCode::from(2));
    }
    let data = data_folder(arguments.data.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the server")?;
    runtime.block_on(async {
        let store = match &arguments.database {
            None => Store::open(&data).await?,
            Some(url) => Store::open_at(&data, url).await?,
        };
        let engine = open_engine(&arguments.hear, models_folder)?;
        if let Some(rooms) = arguments.rooms {
            engine.fix_rooms(usize::from(rooms));
        }
        let lexicon = Arc::new(lexicon()?);
        let keep_free = arguments.keep_free.saturating_mul(1 << 20);
        let longest_upload = arguments.max_upload << 20;
        let gateways = arguments.gateways.as_deref().map(|file| Gateways::new(gateway::Settings::read(file)?)).transpose()?;
        let public_url = arguments.public_url.as_deref().map(public_url).transpose()?;
        let address = arguments.addr;
        let settings = Settings { address, store, engine, lexicon, keep_free, longest_upload, gateways, public_url };
        let ready = |address| {
            eprintln!("A trial without sign-in, for this machine alone. Open http://{address}/ in a browser; Ctrl-C ends it.");
        };
        serve_trial(settings, ready, interrupted()).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// What links begin with: scheme and host, without a path.
fn public_url(given: &str) -> anyhow::Result<String> {
    let given = given.trim_end_matches('/');
    let host = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    match host {
        Some(host) if !host.is_empty() && host.chars().all(plain) => Ok(given.to_owned()),
        _ => bail!("`--public-url` is of the form https://HOST or https://HOST:PORT"),
    }
}

/// The folder that was named, or the default.
///
/// # Errors
/// When none was named and there is no home.
pub(super) fn data_folder(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let default = || directories::ProjectDirs::from("", "", "cantoscribe").map(|folders| folders.data_dir().join(DATA));
    match named.or_else(default) {
        Some(folder) => Ok(folder),
        None => bail!("no folder for the recordings: set HOME, or name one with --data"),
    }
}

/// The models that were asked for, and the worker that runs them.
///
/// # Errors
/// A model that is not installed or does not run.
pub(super) fn open_engine(hear: &HearArguments, models_folder: &Path) -> anyhow::Result<Arc<Engine>> {
    let models = Ear::open(hear, models_folder)?.into_models()?;
    Ok(tokio::task::block_in_place(|| Engine::start(models))?)
}

/// Completes when the program is asked to end.
async fn interrupted() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminated) => {
                terminated.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
